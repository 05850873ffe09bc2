"""What of SQLite the tests themselves do without."""

from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from saas.app import create_app
from saas.config import Settings
from saas.extensions import db

FULL = 2


def test_a_commit_waits_for_the_disk(settings: Settings, tmp_path: Path) -> None:
    app = create_app(replace(settings, database_url=f"sqlite:///{tmp_path / 'app.db'}"))
    with app.app_context():
        with db.engine.connect() as connection:
            assert connection.scalar(text("PRAGMA synchronous")) == FULL
        db.engine.dispose()
    app.extensions["jobs"].close()
