"""What staff can do to a user. Each verb is one transaction, and its entry in the audit log is part of it."""

from datetime import date

from saas import audit
from saas.accounts import service
from saas.accounts.models import User, new_auth_key
from saas.billing import comps, notices, reconcile, survey, vanished
from saas.billing.comps import Gift
from saas.errors import AppError
from saas.extensions import db, start_write


def look_at(user: User, actor: str) -> None:
    """Note that somebody saw the page of a user."""
    start_write()
    audit.record_look("user.viewed", user.public_id, actor=actor)
    db.session.commit()


def sync(user: User, actor: str) -> tuple[int, int]:
    """Bring our copy of one customer in line with Polar.

    Returns how many differences were healed, and how many objects could not be read or linked and stay as
    they were.

    Raises ``gateway.PolarError``.
    """
    user_id, public_id = user.id, user.public_id
    try:
        unlinked = survey.link_strangers(user_id)
        reading = reconcile.read_user(db.session.get_one(User, user_id))
    except AppError as error:
        db.session.rollback()
        audit.record("user.sync_failed", public_id, actor=actor, error=type(error).__name__)
        db.session.commit()
        raise
    found = unlinked + reconcile.keep(reading)
    found += vanished.settle_user(db.session.get_one(User, user_id), reading)
    words = [str(each) for each in found]
    audit.record("user.synced", public_id, actor=actor, differences=words, count=len(found))
    db.session.commit()
    notices.after_change_for(db.session.get_one(User, user_id))
    unread = sum(bool(each.problem) for each in found)
    return len(found) - unread, unread


def give(user: User, product_id: str, last_day: date, reason: str, actor: str) -> str:
    """Give a user a plan until the end of a day. Returns its name. The second of two clicks gives nothing."""
    user_id = user.id
    start_write()
    user = db.session.get_one(User, user_id, with_for_update=True)
    gift = Gift(product_id, last_day, reason, actor)
    if (twin := comps.same(user, gift)) is not None:
        db.session.rollback()
        return twin
    comp = comps.give(user, gift)
    name = comp.product_name
    audit.record(
        "comp.given",
        user.public_id,
        actor=actor,
        reason=reason,
        comp=comp.id,
        plan=name,
        until=last_day.isoformat(),
    )
    db.session.commit()
    return name


def revoke(user: User, comp_id: int, reason: str, actor: str) -> str:
    """Take back a plan that was given. Returns its name. Raises ``comps.NoSuchComp``."""
    user_id = user.id
    start_write()
    user = db.session.get_one(User, user_id)
    comp = comps.revoke(user, comp_id)
    name = comp.product_name
    audit.record(
        "comp.revoked", user.public_id, actor=actor, reason=reason, comp=comp_id, plan=name
    )
    db.session.commit()
    return name


def sign_out(user: User, actor: str) -> None:
    """End every session of a user, in every browser."""
    user_id = user.id
    start_write()
    user = db.session.get_one(User, user_id, with_for_update=True)
    user.auth_key = new_auth_key()
    audit.record("user.signed_out", user.public_id, actor=actor)
    db.session.commit()


def mail_confirmation(user: User, actor: str) -> None:
    """Send the confirmation link again, to somebody who has not used it yet."""
    user_id = user.id
    start_write()
    user = db.session.get_one(User, user_id, with_for_update=True)
    service.mail_confirmation(user)
    audit.record("user.confirmation_mailed", user.public_id, actor=actor)
    db.session.commit()
