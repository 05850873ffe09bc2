"""The audit log: who did what, when, to whom and why. It is only ever added to.

People who use the application are named by their public id, which says nothing once their account is
gone. Staff are named by their address, because it is them the log is about.
"""

import getpass
import os
from datetime import datetime, timedelta
from typing import Any

from flask import has_request_context, request
from sqlalchemy import JSON, Index, String, Text, event, select
from sqlalchemy.orm import Mapped, mapped_column

from saas.extensions import db
from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base
from saas.observability import context

COMMAND_LINE = "command line"
SAME_VISIT = timedelta(hours=1)  # Going to and fro between two pages is one look at them.


class AuditEntry(Base):
    """One act. ``subject`` is a public id, or a kind with a number such as ``delivery 12``."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_actor", "actor", "id"),
        Index("ix_audit_entries_action", "action", "id"),
        Index("ix_audit_entries_subject", "subject", "id"),
        Base.NUMBERS_ONCE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    actor: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(Text, default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    request_id: Mapped[str] = mapped_column(String(64), default="")
    address: Mapped[str] = mapped_column(String(64), default="")


class AppendOnly(Exception):
    """Somebody tried to change or delete what is written in the audit log."""


def record(
    action: str, subject: str = "", *, actor: str = COMMAND_LINE, reason: str = "", **details: Any
) -> None:
    """Add an entry to the transaction at hand; the caller commits it together with the act itself.

    What was done on the command line names the user of the operating system among the details.
    """
    if actor == COMMAND_LINE:
        details["system_user"] = _system_user()
    entry = AuditEntry(
        actor=actor, action=action, subject=subject, reason=reason.strip(), details=details
    )
    if has_request_context():
        entry.address = (request.remote_addr or "")[:64]
        entry.request_id = context.request_id.get()
    db.session.add(entry)


def record_look(action: str, subject: str, *, actor: str) -> None:
    """Add an entry about somebody who looked at something, once an hour for each person and thing."""
    same = (
        AuditEntry.actor == actor,
        AuditEntry.subject == subject,
        AuditEntry.action == action,
        AuditEntry.at > utcnow() - SAME_VISIT,
    )
    newest = select(AuditEntry.id).where(*same).order_by(AuditEntry.id.desc()).limit(1)
    if db.session.scalar(newest) is None:
        record(action, subject, actor=actor)


def _system_user() -> str:
    """Return whose shell it is, or the bare number: a container may run under one that has no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # The second since Python 3.13.
        return str(os.getuid())


@event.listens_for(AuditEntry, "before_update")
@event.listens_for(AuditEntry, "before_delete")
def _refuse(*_: object) -> None:
    raise AppendOnly("The audit log is only ever added to.")
