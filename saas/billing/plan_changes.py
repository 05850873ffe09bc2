"""From one paid plan to another: what it costs and when, said before it is done.

Amounts follow Polar's rule: the difference in price for the rest of the period, by the second of the
period's real length. Taxes and discounts are Polar's business, so amounts are said with "about".
"""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from saas.accounts.models import User
from saas.billing import catalogue, outstanding, subscriptions
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
    waiting: list[str]


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
    waiting: (
        int  # What earlier switches have left for the next invoice; less than nothing is a credit.
    )

    def rest(self, amount: int) -> int:
        """The part of an amount for the rest of the period, halves rounded up."""
        return outstanding.share(amount, self.start, self.end, self.now)

    def difference(self) -> int:
        """What the rest of the period costs more, or less; Polar rounds the two prices each."""
        return self.rest(self.new) - self.rest(self.old)

    def money(self, amount: int) -> str:
        return format_money(amount, self.currency)


def quote(user: User, product: Product, now: datetime | None = None) -> Quote:
    """Say what a switch to ``product`` costs and when, by the price that Polar asks for it now.

    Raises ``NotSwitchable``, ``subscriptions.NoSubscription``, ``catalogue.UnknownProduct`` or
    ``gateway.PolarError``.
    """
    subscription = subscriptions.running(user)
    catalogue.refresh(product.polar_id)
    product = catalogue.product_for_sale(product.polar_id)
    beside = subscriptions.plans_beside(subscriptions.of(user))
    if product.is_recurring and product.plan_key in beside:
        words = f"You have {product.name} already, in this or another interval."
        raise NotSwitchable(words, "billing.settings")
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
        fingerprint=f"{subscription.product_id}:{terms.old}:{terms.new}:{terms.end.isoformat()}"
        f":{terms.waiting}",
        waiting=outstanding.words(subscription),
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
        waiting=outstanding.total(subscription),
    )


def _options(terms: _Terms) -> list[Option]:
    """Return the ways that make sense, the best one first."""
    if terms.on_trial:
        return [_at_period_end(terms)]
    if not terms.keeps_interval:
        due = terms.new - terms.rest(terms.old) + terms.waiting
        now = [_new_period(terms, due)] if due >= 0 else []  # Nobody's money is left in the air.
        return [*now, _at_period_end(terms)]
    if terms.new > terms.old:
        return [_pay_now(terms), _on_next_invoice(terms), _at_period_end(terms)]
    return [_at_period_end(terms), _on_next_invoice(terms)]


def _pay_now(terms: _Terms) -> Option:
    due = terms.difference() + terms.waiting
    words = (
        f"You pay about {terms.money(due)} now, for the rest of the period until {day(terms.end)}"
    )
    words += f"{_with_what_waits(terms)}."
    if due < 0:
        words = f"Nothing is charged now, and about {_left_over(terms, due)}."
    words = f"{words} From then on you pay {terms.money(terms.new)} {terms.per}."
    return Option("invoice", "Switch now and pay the difference now", words, max(due, 0))


def _on_next_invoice(terms: _Terms) -> Option:
    label = "Switch now and pay the difference with the next invoice"
    if terms.new < terms.old:
        label = "Switch now and get the difference back on the next invoice"
    invoice = _next_invoice(terms, terms.difference() + terms.waiting)
    return Option("prorate", label, f"Nothing is charged now. {invoice}")


def _next_invoice(terms: _Terms, difference: int) -> str:
    """Say what the invoice at the end of the period comes to, and what is paid after it."""
    total, price = terms.new + difference, f"{terms.money(terms.new)} {terms.per}"
    what = f"about {terms.money(abs(difference))} {'less' if difference < 0 else 'more'} than"
    what = f"{what if difference else 'about'} the new price{_with_what_waits(terms)}"
    invoice = f"The invoice of {day(terms.end)} is {what}: about {terms.money(total)}."
    if total >= 0:
        return f"{invoice} After that you pay {price}."
    # Polar keeps what is over as the customer's credit, and uses it for later invoices.
    invoice = f"The invoice of {day(terms.end)} is {what}: nothing is charged then, and about "
    return f"{invoice}{_left_over(terms, total)}. Once it is used up you pay {price}."


def _at_period_end(terms: _Terms) -> Option:
    until = "Your free trial goes on" if terms.on_trial else f"You keep {terms.present}"
    price = f"{terms.money(terms.new)} {terms.per}"
    words = f"Nothing is charged now. {until} until {day(terms.end)}; from then on you pay {price}."
    if terms.waiting:
        words = f"Nothing is charged now. {until} until {day(terms.end)}. "
        words += _next_invoice(terms, terms.waiting)
    words += " You can undo it until then."
    return Option("next_period", f"Switch on {day(terms.end)}", words)


def _new_period(terms: _Terms, due: int) -> Option:
    credit = terms.money(terms.rest(terms.old))
    words = (
        f"You pay about {terms.money(due)} now: {terms.money(terms.new)} for a new period that "
        f"begins today, less about {credit} for the rest of the present one{_with_what_waits(terms)}."
    )
    return Option("invoice", "Switch now", words, due)


def _with_what_waits(terms: _Terms) -> str:
    """Say that an amount contains what waits already; empty when nothing does."""
    if not terms.waiting:
        return ""
    amount = terms.money(abs(terms.waiting))
    return f", {'with' if terms.waiting > 0 else 'less'} the {amount} that waits from before"


def _left_over(terms: _Terms, total: int) -> str:
    return f"{terms.money(-total)} are left over as your credit for the next invoices"
