"""The runbooks under compose: the forms that the table gives, and what differs from systemd.

No engine runs here. A stand-in takes the commands, and a cluster of PostgreSQL of its own is the database.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
import yaml

from tests.runbooks import pages
from tests.runbooks.installation import Installation
from tests.runbooks.pages import blocks, in_compose
from tests.runbooks.test_runbooks import PUBLISH, installed
from tests.scripts import ROOT  # Adds the scripts to the path.

import bench_cluster  # isort: skip

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    if reason := bench_cluster.why_none():
        pytest.skip(f"there can be no database of its own: {reason}")
    with bench_cluster.running_cluster() as cluster:
        address = urlsplit(as_in_compose(cluster.url))
        folder = tmp_path_factory.mktemp("compose")
        with installed(folder, database_url="", environment={
            "DATABASE_URL": address.geturl(), "PGHOST": "127.0.0.1", "PGPORT": str(address.port),
            "PGPASSWORD": str(address.password),
        }) as here:  # fmt: skip
            here.next_user()
            yield here


def as_in_compose(url: str) -> str:
    """Make the user and the database that compose.yaml names; return their address."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    user, name = (services["db"]["environment"][f"POSTGRES_{part}"] for part in ("USER", "DB"))
    password = urlsplit(url).password
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{password}'")
        connection.execute(f"CREATE DATABASE {name} OWNER {user}")
    return url.replace("//postgres:", f"//{user}:").replace("/postgres", f"/{name}")


def test_backup_and_restore(running: Installation) -> None:
    running.pays()
    first, second = blocks("backup-and-restore", "compose")
    assert "TABLE DATA public users app" in running.run([first])
    assert re.search(r"users \| subscriptions \n[-+]+\n +10 \| +1 *\n", running.run([second]))
    running.run(in_compose(blocks("backup-and-restore", "look", "start", "")))
    assert running.plan() == "pro"


def test_changing_the_secret_key(running: Installation) -> None:
    before = running.settings()["SECRET_KEY"]
    running.run(in_compose(blocks("key-rotation", "")))
    assert running.settings()["SECRET_KEY_FALLBACKS"] == before


def test_a_customer_says_they_paid(running: Installation) -> None:
    running.run(in_compose(blocks("a-customer-says-they-paid", "")))


def test_a_release_of_your_own(running: Installation) -> None:
    running.sh(PUBLISH)
    running.run(blocks("upgrade", "compose"))
    assert (running.folder / "new.txt").read_text() == "released\n"


def test_every_command_on_the_server_has_a_form_for_compose() -> None:
    """What is done at home, and what is written out for compose or for one database, needs none."""
    for page in pages.pages():
        every = [b for b in pages.every_block(page.stem) if b.word not in {"home", "starter"}]
        own = {"backup-and-restore": ("sqlite", "postgresql"), "upgrade": ("server",)}
        for block in in_compose([b for b in every if b.word not in own.get(page.stem, ())]):
            assert ".venv" not in block.commands, block
            assert "systemctl" not in block.commands, block
