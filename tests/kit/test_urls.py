"""Where a redirect may go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saas.kit.urls import absolute, safe_next


@pytest.mark.parametrize("target", ["/", "/dashboard", "/checkout?product_id=1&x=%2F%2F", "/a#b"])
def test_paths_of_this_site_are_kept(target: str) -> None:
    assert safe_next(target, "/home") == target


@pytest.mark.parametrize(
    "target",
    [None, "", "dashboard", "//evil.example", "/\\evil.example", "\\\\evil", "https://evil.example",
     "javascript:alert(1)", "/\t/evil.example", "/\n/evil.example", "///evil.example", " /x",
     "/x\x7f", "http:/evil.example"],
)  # fmt: skip
def test_everything_else_is_refused(target: str | None) -> None:
    assert safe_next(target, "/home") == "/home"


@given(st.text())
def test_never_leaves_the_site(text: str) -> None:
    from urllib.parse import urljoin, urlsplit

    target = safe_next(text, "/home")
    assert urlsplit(urljoin("https://site.example/login", target)).netloc == "site.example"


def test_absolute() -> None:
    assert absolute("https://a.example/", "/b?c=d") == "https://a.example/b?c=d"
