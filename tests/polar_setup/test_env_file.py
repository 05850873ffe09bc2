"""The secret goes into ``.env``; everything else in there stays."""

import os
import stat
from pathlib import Path

import pytest

from saas.polar_setup import env_file


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "POLAR_WEBHOOK_SECRET=new\n"),
        ("A=1", "A=1\nPOLAR_WEBHOOK_SECRET=new\n"),
        ("A=1\nPOLAR_WEBHOOK_SECRET=\nB=2\n", "A=1\nPOLAR_WEBHOOK_SECRET=new\nB=2\n"),
        ("POLAR_WEBHOOK_SECRET='old'\n# c\n", "POLAR_WEBHOOK_SECRET=new,old\n# c\n"),
        ("export POLAR_WEBHOOK_SECRET = a, b\n", "POLAR_WEBHOOK_SECRET=new,a,b\n"),
        ("#POLAR_WEBHOOK_SECRET=x\n", "#POLAR_WEBHOOK_SECRET=x\nPOLAR_WEBHOOK_SECRET=new\n"),
    ],
)
def test_only_the_secret_changes(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / ".env"
    if before:
        path.write_text(before)
    assert env_file.add_secret(path, "new") is True
    assert path.read_text() == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert env_file.add_secret(path, "new") is False
    assert path.read_text() == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_root_leaves_it_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\n")
    os.chown(path, 65534, 65533)
    assert env_file.add_secret(path, "new") is True
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65533)
