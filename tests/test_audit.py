"""The audit log is added to, and never changed."""

import getpass
import os

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from saas import audit
from saas.audit import AppendOnly, AuditEntry
from saas.config import ROOT
from saas.extensions import db
from saas.webhooks.models import Delivery
from tests.webhooks.door import event, send


def entry() -> AuditEntry:
    return db.session.scalars(select(AuditEntry)).one()


def test_the_command_line_signs_as_such(app: Flask) -> None:
    with app.app_context():
        audit.record("billing.synced", reason=" because ", differences=3)
        db.session.commit()
        found = entry()
        assert (found.actor, found.reason, found.address) == ("command line", "because", "")
        assert found.details == {"differences": 3, "system_user": getpass.getuser()}


def test_a_system_user_without_a_name_is_named_by_number(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container that runs under a number nobody has written down."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 54321)
    with app.app_context():
        audit.record("billing.synced")
        db.session.commit()
        assert entry().details == {"system_user": "54321"}


def test_who_acts_on_a_page_is_no_system_user(app: Flask) -> None:
    with app.app_context():
        audit.record("user.synced", "somebody", actor="grace@example.com")
        db.session.commit()
        assert entry().details == {}


def test_it_is_part_of_the_transaction(app: Flask) -> None:
    with app.app_context():
        audit.record("user.synced", "somebody")
        db.session.rollback()
        assert db.session.scalar(select(AuditEntry.id)) is None


def test_nothing_can_be_changed_or_deleted(app: Flask) -> None:
    with app.app_context():
        audit.record("user.synced", "somebody")
        db.session.commit()
        entry().reason = "something else"
        with pytest.raises(AppendOnly):
            db.session.commit()
        db.session.rollback()
        db.session.delete(entry())
        with pytest.raises(AppendOnly):
            db.session.commit()
        db.session.rollback()


def test_no_code_updates_or_deletes_entries() -> None:
    for path in (ROOT / "saas").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for verb in ("update(AuditEntry", "delete(AuditEntry"):
            assert verb not in text, path


def test_a_replay_on_the_command_line_is_written_down(app: Flask, client: FlaskClient) -> None:
    send(client, event("organization.updated", {}))
    with app.app_context():
        [row_id] = db.session.scalars(select(Delivery.id))
    result = app.test_cli_runner().invoke(args=["webhooks", "replay", str(row_id)])
    assert result.exit_code == 0, result.output
    with app.app_context():
        assert (entry().actor, entry().action) == ("command line", "delivery.replayed")
        done = {"deliveries": [row_id]}
        assert entry().details == done | {"system_user": getpass.getuser()}
