"""The payment history in words: what was paid for, when, how much, and what became of it."""

from dataclasses import dataclass

from sqlalchemy import Select, select

from saas.accounts.models import User
from saas.billing.models import Customer, Order
from saas.billing.wording import product_name
from saas.extensions import db
from saas.kit.money import format_money
from saas.templating import day

ORDER_WORDS = {
    "paid": ("Paid", "positive"),
    "pending": ("Waiting for payment", "warning"),
    "draft": ("Being prepared", "neutral"),
    "refunded": ("Refunded", "neutral"),
    "partially_refunded": ("Partly refunded", "neutral"),
    "void": ("Cancelled, not paid", "critical"),
}
WITH_INVOICE = frozenset({"paid", "refunded", "partially_refunded"})


@dataclass(frozen=True)
class Payment:
    """One line of the payment history."""

    order_id: str
    date: str
    description: str
    amount: str
    status_words: str
    tone: str
    refunded: str
    has_invoice: bool


def of(user: User) -> list[Payment]:
    """Return the payment history, newest first. Orders of nothing (free plan, trial) are left out."""
    found = _orders(user).where(Order.total_amount != 0)
    return [
        _payment(order)
        for order in db.session.scalars(found.order_by(Order.created_at.desc(), Order.polar_id))
    ]


def order_of(user: User, order_id: str) -> Order | None:
    """Return one order of a user, or ``None`` when it is unknown or somebody else's."""
    return db.session.scalar(_orders(user).where(Order.polar_id == order_id))


def last_customer(user: User) -> str | None:
    """Return the customer at Polar who bought last, of a user who may be two."""
    last = _orders(user).order_by(Order.created_at.desc()).limit(1)
    return db.session.scalar(last.with_only_columns(Order.customer_id))


def _orders(user: User) -> Select[Order]:
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    return select(Order).where(Order.customer_id.in_(mine))


def _payment(order: Order) -> Payment:
    words, tone = ORDER_WORDS.get(order.status, (order.status, "neutral"))
    refunded = order.refunded_amount + order.refunded_tax_amount
    return Payment(
        order_id=order.polar_id,
        date=day(order.created_at),
        description=order.description or product_name(order.product_id),
        amount=format_money(order.total_amount, order.currency),
        status_words=words,
        tone=tone,
        refunded=f"{format_money(refunded, order.currency)} refunded" if refunded else "",
        has_invoice=order.status in WITH_INVOICE,
    )
