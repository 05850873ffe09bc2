"""deploy/nginx.conf, served by nginx itself."""

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts import ROOT  # Adds the scripts to the path.
from tests.scripts.running import free_ports, is_free, wait_until

import stack_front  # isort: skip

if not stack_front.find_nginx():
    pytest.skip("there is no nginx", allow_module_level=True)

NOBODY, PLAIN = free_ports(2)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[stack_front.Front]:
    """nginx before an instance that does not answer."""
    front = stack_front.Front(
        ROOT / "deploy/nginx.conf", tmp_path, [NOBODY], PLAIN, "http://127.0.0.1:9"
    )
    front.start()
    assert wait_until(lambda: not is_free(front.port))
    yield front
    front.process.stop()


@pytest.mark.parametrize("door", ["reset-password", "confirm", "confirm-address"])
def test_its_log_holds_nothing_that_opens_an_account(front: stack_front.Front, door: str) -> None:
    for path in (f"/{door}/eyJhbGciOi.token?next=/dashboard", "/pricing?email=ada@example.com"):
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(front.url + path, context=ssl._create_unverified_context())
    log = front.folder / "app.log"
    assert wait_until(lambda: len(log.read_text().splitlines()) == 2)
    one, two = log.read_text().splitlines()
    assert f" 502 GET /{door}/[token] by=" in one
    assert " 502 GET /pricing by=" in two
