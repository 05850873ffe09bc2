import stat
from pathlib import Path

import env_file
from dotenv import dotenv_values
from standardwebhooks import Webhook

from tests.scripts import ROOT


def test_a_new_file_has_fresh_secrets_and_is_private(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_bytes((ROOT / ".env.example").read_bytes())

    assert env_file.ensure(tmp_path) is True

    values = dotenv_values(tmp_path / ".env")
    assert values["APP_ENV"] == "development"
    assert len(values["SECRET_KEY"] or "") == 64
    assert Webhook(values["POLAR_WEBHOOK_SECRET"] or "")
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if "new" in path.name] == []


def test_two_projects_have_different_secrets() -> None:
    text = "SECRET_KEY=\nPOLAR_WEBHOOK_SECRET=\n"
    assert set(env_file.fill(text).split()).isdisjoint(env_file.fill(text).split())


def test_an_existing_file_keeps_every_value(tmp_path: Path) -> None:
    before = "# mine\nSECRET_KEY=abc\nPOLAR_WEBHOOK_SECRET = 'x'\nOTHER=\n"
    (tmp_path / ".env").write_text(before)
    assert env_file.ensure(tmp_path) is False
    assert (tmp_path / ".env").read_text() == before


def test_an_empty_secret_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("APP_ENV=development\nSECRET_KEY=\nPOLAR_WEBHOOK_SECRET=abc\n")
    env_file.ensure(tmp_path)
    values = dotenv_values(tmp_path / ".env")
    assert len(values["SECRET_KEY"] or "") == 64
    assert values["POLAR_WEBHOOK_SECRET"] == "abc"
