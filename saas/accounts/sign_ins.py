"""The browsers that are signed in. The cookie names one of them; ending it here ends it for good."""

import hashlib
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from saas.accounts.browsers import name_of
from saas.accounts.models import SignIn, User
from saas.extensions import db, start_write
from saas.kit.datetimes import utcnow
from saas.kit.early import EarlySelect

log = logging.getLogger(__name__)

SEEN_EVERY = timedelta(hours=1)  # Writing it for each page would cost more than the page.


@dataclass(frozen=True)
class Lifetime:
    """How long a sign-in lasts: at most, and without being used."""

    at_most: timedelta
    unused: timedelta


# NIST SP 800-63B, 2.1.3, asks for a new sign-in after 30 days at the latest.
REMEMBERED = Lifetime(timedelta(days=30), timedelta(days=14))
ORDINARY = Lifetime(timedelta(days=7), timedelta(hours=24))  # A shared machine is left behind.


@dataclass(frozen=True)
class Found:
    """Who a token belongs to, by which sign-in, and whether that should be noted as used again."""

    user: User
    id: int
    is_due: bool


def begin(user: User, user_agent: str, remember: bool) -> tuple[int, str]:
    """Note a sign-in and return its id and the secret that the browser keeps. Commits."""
    user_id, auth_key, token = user.id, user.auth_key, secrets.token_urlsafe(24)
    start_write()
    db.session.execute(delete(SignIn).where(SignIn.user_id == user_id, _is_over(auth_key)))
    row = SignIn(user_id=user_id, auth_key=auth_key, token_digest=_digest(token))
    row.browser, row.is_remembered = name_of(user_agent), remember
    db.session.add(row)
    db.session.commit()
    return row.id, token


def find(token: str) -> Found | None:
    """Return who is signed in with this secret, or ``None`` when that has ended. One query."""
    found = _SIGNED_IN.first(db, {"digest": _digest(token)})
    if found is None:
        return None
    user, sign_in_id, created_at, seen_at, is_remembered = found
    now, life = utcnow(), REMEMBERED if is_remembered else ORDINARY
    if now - created_at > life.at_most or now - seen_at > life.unused:
        return None
    return Found(user, sign_in_id, now - seen_at > SEEN_EVERY)


def _statement() -> Any:
    return (
        select(User, SignIn.id, SignIn.created_at, SignIn.seen_at, SignIn.is_remembered)
        .join(SignIn, and_(SignIn.user_id == User.id, SignIn.auth_key == User.auth_key))
        .where(SignIn.token_digest == bindparam("digest"))
    )


_SIGNED_IN = EarlySelect(User, _statement)


def of(user: User) -> Sequence[SignIn]:
    """Return where ``user`` is signed in, the newest use first."""
    rows = select(SignIn).where(SignIn.user_id == user.id, ~_is_over(user.auth_key))
    return db.session.scalars(rows.order_by(SignIn.seen_at.desc(), SignIn.id.desc())).all()


def note_use(sign_in_id: int) -> None:
    """Note that a sign-in was used now. Trouble is logged: it costs nobody their page."""
    try:
        start_write()
        db.session.execute(
            update(SignIn).where(SignIn.id == sign_in_id).values(seen_at=utcnow()),
            execution_options={"synchronize_session": False},
        )
        db.session.commit()
    except SQLAlchemyError:
        db.session.rollback()
        log.exception("the use of sign-in %s could not be noted", sign_in_id)


def end(user_id: int, sign_in_id: int) -> None:
    """End one sign-in of this user. Commits. Nothing happens when it is somebody else's."""
    _delete(SignIn.user_id == user_id, SignIn.id == sign_in_id)


def end_others(user_id: int, sign_in_id: int) -> None:
    """End every sign-in of this user but one. Commits."""
    _delete(SignIn.user_id == user_id, SignIn.id != sign_in_id)


def prune() -> int:
    """Forget what is over anyway; returns how many. Commits."""
    return _delete(_is_over())


def _delete(*conditions: ColumnElement[bool]) -> int:
    start_write()
    done = db.session.execute(
        delete(SignIn).where(*conditions),
        execution_options={"synchronize_session": False},
    )
    db.session.commit()
    return int(done.rowcount)  # type: ignore[attr-defined]


def _is_over(auth_key: str | None = None) -> ColumnElement[bool]:
    now = utcnow()
    reasons = [
        SignIn.created_at < now - REMEMBERED.at_most,
        SignIn.seen_at < now - REMEMBERED.unused,
        SignIn.is_remembered.is_(False)
        & ((SignIn.created_at < now - ORDINARY.at_most) | (SignIn.seen_at < now - ORDINARY.unused)),
    ]
    if auth_key is not None:
        reasons.append(SignIn.auth_key != auth_key)
    return or_(*reasons)


def _digest(token: str) -> str:
    """Return what the database keeps, so that reading it lets nobody in."""
    return hashlib.sha256(token.encode()).hexdigest()
