"""The mails about billing: which facts each one tells. When they are due says ``occasions``."""

from datetime import timedelta
from typing import Any

from saas.accounts.models import User
from saas.billing import address_at_polar
from saas.billing.models import Notice, Order, Subscription, past_due_is_tolerated
from saas.billing.wording import per_period, product_name
from saas.config import current
from saas.extensions import db
from saas.mail import link, send
from saas.templating import day


def send_notice(notice: Notice, user: User) -> bool:
    """Send the mail of a notice. Returns false when there was nothing to send.

    What is not so any more, such as a failed payment that was paid meanwhile, is not told. Raises
    ``mail.MailNotSent``.
    """
    if notice.kind == address_at_polar.KIND:
        return address_at_polar.send_offer(notice, user)
    subscription = db.session.get(Subscription, notice.subject_id)
    if subscription is not None:
        facts = _facts(notice.kind, notice.period, subscription)
    else:
        order = db.session.get(Order, notice.subject_id)
        facts = {"plan": product_name(order.product_id)} if order else None
    if facts is None:
        return False
    pages = {
        "billing_url": link("billing.settings"),
        "dashboard_url": link("dashboard.home"),
        "pricing_url": link("billing.pricing"),
    }
    kind, email = notice.kind, user.email
    db.session.rollback()  # Nobody holds on to the database while a mail server thinks.
    send(kind, email, **facts, **pages)
    return True


def _facts(kind: str, period: str, subscription: Subscription) -> dict[str, Any] | None:
    """Return what the mail tells, or ``None`` when its reason is gone."""
    is_so = {
        "welcome": subscription.is_active and subscription.product_id == period,
        "payment_failed": subscription.past_due,
        "trial_ending": subscription.on_trial and not subscription.cancel_at_period_end,
        "cancellation_confirmed": subscription.cancel_at_period_end,
        "access_ended": subscription.has_ended,
    }
    if not is_so.get(kind, False):
        return None
    return {
        "plan": product_name(subscription.product_id),
        "price": per_period(subscription),
        "last_day": day(subscription.ends_at or subscription.current_period_end),
        "trial_end": day(subscription.trial_end) if subscription.on_trial else "",
        "kept_until": _kept_until(subscription),
    }


def _kept_until(subscription: Subscription) -> str:
    """Return the last day of the grace period, while it lasts."""
    since, grace = subscription.past_due_at, current().past_due_grace_days
    if since is None or not past_due_is_tolerated(since, grace):
        return ""
    return day(since + timedelta(days=grace))
