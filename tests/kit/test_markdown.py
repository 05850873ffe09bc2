import pytest

from saas.kit.markdown import to_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Plain words.", "<p>Plain words.</p>"),
        ("**Bold** and *soft*", "<p><strong>Bold</strong> and <em>soft</em></p>"),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>"),
        ("# Big\nthen", '<p class="is-heading">Big</p>\n<p>then</p>'),
        ("[more](https://example.com)", '<p><a href="https://example.com">more</a></p>'),
        ("a\nb", "<p>a<br>\nb</p>"),
        ("", ""),
    ],
)
def test_what_merchants_write(text: str, html: str) -> None:
    assert str(to_html(text)).strip() == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHN2Zz4=)",
        "![x](https://example.com/track.gif)",
        '<a href="https://example.com" onclick="alert(1)">x</a>',
        "<javascript:alert(1)>",
        '[x](https://example.com" onclick="alert(1))',
        "&lt;img src=x onerror=alert(1)&gt;",
    ],
)
def test_nothing_dangerous_comes_through(text: str) -> None:
    html = str(to_html(text))
    assert "<script" not in html
    assert "<img" not in html
    assert 'onclick="' not in html
    assert 'href="javascript' not in html.lower()
    assert 'href="data' not in html
