"""Read the audit log."""

from dataclasses import dataclass

from sqlalchemy import select

from saas.accounts.models import User
from saas.audit import AuditEntry
from saas.backoffice import paging
from saas.backoffice.paging import Page
from saas.extensions import db

ACTIONS = {
    "comp.given": "gave a plan",
    "comp.revoked": "took a plan back",
    "billing.synced": "compared everybody with Polar",
    "delivery.replayed": "replayed deliveries",
    "delivery.viewed": "read a delivery",
    "job.retried": "retried jobs",
    "staff.appointed": "made staff",
    "staff.dismissed": "ended being staff",
    "staff.password_given": "gave the password",
    "staff.password_refused": "gave a wrong password",
    "user.confirmation_mailed": "sent the confirmation mail again",
    "user.signed_out": "signed out everywhere",
    "user.sync_failed": "could not sync with Polar",
    "user.synced": "synced with Polar",
    "user.viewed": "looked at the page of",
}


@dataclass(frozen=True)
class Filter:
    """What to look for; empty words mean anything. ``subject`` is an address, a public id or a thing."""

    actor: str = ""
    action: str = ""
    subject: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The filter as it stands in the address."""
        return {name: value for name, value in vars(self).items() if value}


def entries(wanted: Filter, before: int | None = None) -> Page[AuditEntry]:
    """Return a page of entries, the newest first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(paging.ROWS + 1)
    if wanted.actor:
        query = query.where(AuditEntry.actor == wanted.actor)
    if wanted.action:
        query = query.where(AuditEntry.action == wanted.action)
    if wanted.subject:
        query = query.where(AuditEntry.subject == _subject(wanted.subject))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    return paging.cut(list(db.session.scalars(query)), "before")


def addresses(rows: Page[AuditEntry]) -> dict[str, str]:
    """Return the addresses of the users in these entries, as far as they have an account."""
    subjects = {row.subject for row in rows.rows if row.subject}
    if not subjects:
        return {}
    found = select(User.public_id, User.email).where(User.public_id.in_(subjects))
    return {row.public_id: row.email for row in db.session.execute(found)}


def _subject(words: str) -> str:
    if "@" not in words:
        return words
    public_id = db.session.scalar(select(User.public_id).where(User.email == words.lower()))
    return public_id or words
