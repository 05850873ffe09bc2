"""From one paid plan to another: what it costs and when, said before it is done.

Amounts follow Polar's rule: the difference in price for the rest of the period, by the second of the
period's real length. Taxes and discounts are Polar's business, so amounts are said with "about".
"""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from http import HTTPStatus

from saas.accounts.models import User
from saas.billing import subscriptions
from saas.billing.models import Product, Subscription
from saas.billing.subscriptions import SubscriptionMoved
from saas.billing.wording import fixed_price, per_period, product_name
from saas.errors import AppError
from saas.kit.datetimes import utcnow
from saas.kit.money import format_money
from saas.templating import day


class NotSwitchable(AppError):
    """It goes another way: ``endpoint`` is the page where it goes on."""

    status = HTTPStatus.CONFLICT
    code = "not_switchable"

    def __init__(self, message: str, endpoint: str) -> None:
        super().__init__(message)
        self.endpoint = endpoint


@dataclass(frozen=True)
class Option:
    """One way to switch. ``behavior`` is Polar's ``proration_behavior``; ``due`` in minor units."""

    behavior: str
    label: str
    words: str
    due: int = 0


@dataclass(frozen=True)
class Quote:
    """What the page shows before a switch. ``fingerprint`` says what it was worked out from."""

    product_id: str
    subscription_id: str
    present_name: str
    present_price: str
    wanted_name: str
    wanted_price: str
    options: list[Option]
    fingerprint: str


@dataclass(frozen=True)
class _Terms:
    """The numbers behind a quote; amounts in minor units, times in UTC."""

    old: int
    new: int
    start: datetime
    end: datetime
    now: datetime
    currency: str
    keeps_interval: bool
    on_trial: bool
    per: str
    present: str

    def rest(self, amount: int) -> int:
        """The part of an amount for the rest of the period, halves rounded up."""
        length = (self.end - self.start).total_seconds()
        left = min(max((self.end - self.now).total_seconds(), 0), length)
        share = Fraction(left) / Fraction(length) if length > 0 else Fraction(0)
        return int((Fraction(amount) * share + Fraction(1, 2)) // 1)

    def money(self, amount: int) -> str:
        return format_money(amount, self.currency)


def quote(user: User, product: Product, now: datetime | None = None) -> Quote:
    """Say what a switch to ``product`` costs and when.

    Raises ``NotSwitchable``, ``subscriptions.NoSubscription`` or ``gateway.PolarError``.
    """
    subscription = subscriptions.running(user)
    _require_switchable(subscription, product)
    terms = _terms(subscription, product, now or utcnow())
    return Quote(
        product_id=product.polar_id,
        subscription_id=subscription.polar_id,
        present_name=terms.present,
        present_price=per_period(subscription),
        wanted_name=product.name,
        wanted_price=f"{terms.money(terms.new)} {terms.per}",
        options=_options(terms),
        fingerprint=f"{subscription.product_id}:{terms.old}:{terms.new}:{terms.end.isoformat()}",
    )


def switch(offered: Quote, behavior: str) -> Option:
    """Do what the page offered. Returns what was chosen.

    Raises ``SubscriptionMoved`` or ``gateway.PaymentDeclined``, and then nothing has changed.
    """
    chosen = next((option for option in offered.options if option.behavior == behavior), None)
    if chosen is None:
        raise SubscriptionMoved
    subscriptions.change(
        offered.subscription_id, product_id=offered.product_id, proration_behavior=chosen.behavior
    )
    return chosen


def _require_switchable(subscription: Subscription, product: Product) -> None:
    if not product.is_recurring:
        words = f"{product.name} is bought once and stands beside your plan."
        raise NotSwitchable(words, "billing.checkout_resume")
    if subscription.product_id == product.polar_id:
        raise NotSwitchable("You are on this plan already.", "billing.settings")
    if subscription.is_free:
        raise NotSwitchable("Go on to the payment to switch.", "billing.checkout_resume")
    if subscription.is_paused:
        raise NotSwitchable("Your plan is paused. Resume it first.", "billing.resumption")
    if not subscription.is_active:
        words = "A payment is open. Update your card under Manage subscription first."
        raise NotSwitchable(words, "billing.settings")
    waiting = {} if subscription.cancel_at_period_end else subscription.pending_update or {}
    if waiting.get("product_id") == product.polar_id:
        raise NotSwitchable("This switch is scheduled already.", "billing.settings")
    if subscription.has_schedule:
        words = "A change is scheduled already. Keep your plan as it is, then switch."
        raise NotSwitchable(words, "billing.keep")
    price = fixed_price(product)
    if price is None or price[1] != subscription.currency:
        words = "This plan cannot be switched to here. Please write to us."
        raise NotSwitchable(words, "billing.settings")
    if price[0] == 0:
        raise NotSwitchable("Cancel to go back to the free plan.", "billing.cancellation")


def _terms(subscription: Subscription, product: Product, now: datetime) -> _Terms:
    price = fixed_price(product)
    end = subscription.current_period_end or now
    count = product.recurring_interval_count or 1
    return _Terms(
        old=subscription.amount,
        new=price[0] if price else 0,
        start=subscription.current_period_start or now,
        end=end,
        now=now,
        currency=subscription.currency,
        keeps_interval=(product.recurring_interval, count)
        == (subscription.recurring_interval, subscription.recurring_interval_count),
        on_trial=subscription.on_trial,
        per=per_period(product),
        present=product_name(subscription.product_id),
    )


def _options(terms: _Terms) -> list[Option]:
    """Return the ways that make sense, the best one first."""
    if terms.on_trial:
        return [_at_period_end(terms)]
    if not terms.keeps_interval:
        due = terms.new - terms.rest(terms.old)
        now = [_new_period(terms, due)] if due >= 0 else []  # Nobody's money is left in the air.
        return [*now, _at_period_end(terms)]
    if terms.new > terms.old:
        return [_pay_now(terms), _on_next_invoice(terms), _at_period_end(terms)]
    return [_at_period_end(terms), _on_next_invoice(terms)]


def _pay_now(terms: _Terms) -> Option:
    due = terms.rest(terms.new - terms.old)
    words = (
        f"You pay about {terms.money(due)} now, for the rest of the period until {day(terms.end)}. "
        f"From then on you pay {terms.money(terms.new)} {terms.per}."
    )
    return Option("invoice", "Switch now and pay the difference now", words, due)


def _on_next_invoice(terms: _Terms) -> Option:
    difference = terms.rest(abs(terms.new - terms.old))
    if terms.new < terms.old:
        label = "Switch now and get the difference back on the next invoice"
        total = terms.new - difference
        what = f"about {terms.money(difference)} less"
    else:
        label = "Switch now and pay the difference with the next invoice"
        total, what = terms.new + difference, f"about {terms.money(difference)} more"
    invoice = (
        f"The invoice of {day(terms.end)} is {what} than the new price: about {terms.money(total)}."
    )
    if (
        total < 0
    ):  # Polar keeps what is over as the customer's credit, and uses it for later invoices.
        invoice = (
            f"The invoice of {day(terms.end)} is {what} than the new price: nothing is charged then, and "
            f"about {terms.money(-total)} are left over as your credit for the next invoices."
        )
    after = "Once it is used up" if total < 0 else "After that"
    words = (
        f"Nothing is charged now. {invoice} {after} you pay {terms.money(terms.new)} {terms.per}."
    )
    return Option("prorate", label, words)


def _at_period_end(terms: _Terms) -> Option:
    until = "Your free trial goes on" if terms.on_trial else f"You keep {terms.present}"
    words = (
        f"Nothing is charged now. {until} until {day(terms.end)}; from then on you pay "
        f"{terms.money(terms.new)} {terms.per}. You can undo it until then."
    )
    return Option("next_period", f"Switch on {day(terms.end)}", words)


def _new_period(terms: _Terms, due: int) -> Option:
    credit = terms.money(terms.rest(terms.old))
    words = (
        f"You pay about {terms.money(due)} now: {terms.money(terms.new)} for a new period that "
        f"begins today, less about {credit} for the rest of the present one."
    )
    return Option("invoice", "Switch now", words, due)
