"""The mails about billing: which facts each one tells. When they are due says ``occasions``."""

from datetime import datetime
from typing import Any

from saas.accounts.models import User
from saas.billing import address_at_polar, outlook
from saas.billing.holdings import PAID_ORDER_STATUSES
from saas.billing.models import Notice, Order, Subscription
from saas.billing.wording import per_period, product_name, upcoming
from saas.config import current
from saas.extensions import db
from saas.mail import link, send
from saas.templating import day


def send_notice(notice: Notice, user: User) -> bool:
    """Send the mail of a notice. Returns false when there was nothing to send.

    What is not so any more, such as a failed payment that was paid meanwhile, is not told, nor what was
    switched off meanwhile. Raises ``mail.MailNotSent``.
    """
    if notice.kind in current().mails_off:
        return False
    if notice.kind == address_at_polar.KIND:
        return address_at_polar.send_offer(notice, user)
    subscription = db.session.get(Subscription, notice.subject_id)
    if subscription is not None:
        facts = _facts(notice.kind, notice.period, subscription)
    else:
        order = db.session.get(Order, notice.subject_id)
        is_so = order is not None and order.status in PAID_ORDER_STATUSES
        facts = {"plan": product_name(order.product_id)} if order and is_so else None
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
        "payment_failed": subscription.past_due and _is_of(subscription.past_due_at, period),
        "trial_ending": subscription.on_trial
        and not subscription.cancel_at_period_end
        and _is_of(subscription.trial_end, period),
        "pause_ending": subscription.is_paused and _is_of(subscription.resumes_at, period),
        "cancellation_confirmed": subscription.is_current
        and subscription.cancel_at_period_end
        and _is_of(subscription.canceled_at, period),
        "access_ended": subscription.has_ended,
    }
    if not is_so.get(kind, False):
        return None
    plan, (next_plan, next_price) = product_name(subscription.product_id), upcoming(subscription)
    return {
        "plan": plan,
        "price": per_period(subscription),
        "next_plan": next_plan if next_plan != plan else "",
        "next_price": next_price,
        "trial_end": day(subscription.trial_end) if subscription.on_trial else "",
        "resumes_on": day(subscription.resumes_at),
        "debt": outlook.owed(subscription),
        "meaning": outlook.of_cancelling(subscription),
        "without": outlook.without(subscription, "Now"),
    }


def _is_of(moment: datetime | None, period: str) -> bool:
    """True while this is the occasion: who cancels, keeps the plan and cancels again gets one mail."""
    return moment is not None and period in {str(moment), moment.isoformat()}
