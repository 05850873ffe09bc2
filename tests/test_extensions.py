"""What the database ends to let another one go on is done again."""

import threading
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from saas.accounts.models import User
from saas.extensions import TRIES, db, settled, start_write
from tests.people import make_user

PATIENCE = 20.0


def test_of_two_that_wait_for_each_other_both_are_done(app: Flask) -> None:
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            pytest.skip("SQLite writes one after the other; TEST_DATABASE_URL names no PostgreSQL")
        ids = [make_user(name).id for name in ("ada", "bob")]
    both_hold_one = threading.Barrier(2, timeout=PATIENCE)
    tries: list[str] = []
    failures: list[Exception] = []

    def work(name: str, order: list[int]) -> None:
        def transaction() -> None:
            tries.append(name)
            start_write()
            db.session.get_one(User, order[0], with_for_update=True).auth_key += name
            db.session.flush()
            if tries.count(name) == 1:
                both_hold_one.wait()
            db.session.get_one(User, order[1], with_for_update=True).auth_key += name
            db.session.commit()

        with app.app_context():
            try:
                settled(transaction)
            except Exception as error:
                failures.append(error)

    threads = [
        threading.Thread(target=work, args=(name, order), daemon=True)
        for name, order in (("-1", ids), ("-2", ids[::-1]))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert failures == []
    assert len(tries) == 3
    with app.app_context():
        for user_id in ids:
            key = db.session.get_one(User, user_id).auth_key
            assert key.count("-1") >= 1
            assert key.count("-2") >= 1


def test_what_is_no_race_is_raised_at_once(db_session: Any) -> None:
    tries = []

    def mistaken() -> None:
        tries.append(1)
        db_session.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(DBAPIError):
        settled(mistaken)
    db_session.rollback()
    assert len(tries) == 1 < TRIES
