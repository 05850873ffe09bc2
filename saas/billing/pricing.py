"""What the pricing page says about each product: one card, ready to print."""

from dataclasses import dataclass, replace
from typing import Any

from flask import url_for

from saas.billing import catalogue, choice, markings, outlook
from saas.billing.entitlements import FREE, Entitlements
from saas.billing.models import Product, Subscription
from saas.billing.wording import per_period
from saas.kit.money import format_money
from saas.templating import day

INTERVAL_LABELS = {"month": "Monthly", "year": "Yearly"}


@dataclass(frozen=True)
class Action:
    """The button of a card. ``kind`` is checkout (by POST, or by a link for a visitor), current (no button),
    or names the link: signup, switch, keep, resume, manage, cancel. A link has a ``url``."""

    kind: str
    label: str
    url: str = ""


@dataclass(frozen=True)
class Card:
    """One product as the page shows it. ``lost_trial``: a visitor is shown a trial, and this one is not."""

    product_id: str
    plan_key: str
    name: str
    description: str
    price: str
    per: str
    trial: str
    benefits: list[str]
    is_highlighted: bool
    is_current: bool
    is_one_time: bool
    lost_trial: bool
    action: Action


@dataclass(frozen=True)
class IntervalChoice:
    """One side of the month/year switch."""

    value: str
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True)
class Visitor:
    """What the cards need to know of who looks at them. ``beside`` are the plans of other subscriptions."""

    is_signed_in: bool
    entitlements: Entitlements
    subscription: Subscription | None = None
    owned: frozenset[str] = frozenset()
    had_trial: bool = False
    beside: frozenset[str] = frozenset()

    @property
    def pays(self) -> bool:
        """True when a plan other than the free one is in force."""
        return self.entitlements.plan.key != FREE.plan.key


ANYBODY = Visitor(is_signed_in=False, entitlements=FREE)


def intervals(products: list[Product], chosen: str) -> list[IntervalChoice]:
    """Return the switch: empty unless both monthly and yearly products are for sale."""
    if not all(any(p.recurring_interval == value for p in products) for value in INTERVAL_LABELS):
        return []
    return [
        IntervalChoice(value, label, url_for("billing.pricing", interval=value), value == chosen)
        for value, label in INTERVAL_LABELS.items()
    ]


def cards(interval: str, visitor: Visitor = ANYBODY) -> list[Card]:
    """Return the cards for an interval. A plan sold in the other interval only is shown, too."""
    products = catalogue.products_for_sale()
    shown = [
        card(product, visitor) for product in products if _is_shown(product, products, interval)
    ]
    first = next((each for each in shown if each.is_highlighted), None)
    return [replace(each, is_highlighted=each is first) for each in shown]


def _is_shown(product: Product, products: list[Product], interval: str) -> bool:
    """Hide a product only behind its twin: the same plan, sold in the chosen interval."""
    if product.recurring_interval not in INTERVAL_LABELS or product.recurring_interval == interval:
        return True
    return not any(
        twin.recurring_interval == interval and twin.plan_key == product.plan_key
        for twin in products
    )


def card(product: Product, visitor: Visitor) -> Card:
    """Return the card of one product."""
    price = _price(product)
    plan_key = product.plan_key
    is_current = _is_current(product, plan_key, visitor)
    per = _per(product)
    action = _action(product, plan_key, is_current, visitor)
    is_bought = action.kind == "checkout"
    gets_trial = is_bought and _gets_trial(product, visitor)
    return Card(
        product_id=product.polar_id,
        plan_key=plan_key,
        name=product.name,
        description=product.description or "",
        price=price,
        per="" if price == "Free" and product.is_recurring else per,
        trial=f"{_trial(product)} free, then {price} {per}" if gets_trial else "",
        benefits=[str(benefit.get("description") or "") for benefit in product.benefits],
        is_highlighted=markings.is_highlighted(product.meta),
        is_current=is_current,
        is_one_time=not product.is_recurring,
        lost_trial=is_bought and not gets_trial and _gets_trial(product, ANYBODY),
        action=action,
    )


def _gets_trial(product: Product, visitor: Visitor) -> bool:
    """True when a checkout of the product begins with a trial: the first subscription of a customer does."""
    first = visitor.subscription is None and not visitor.had_trial
    return bool(product.trial_interval) and product.is_recurring and first


def _is_current(product: Product, plan_key: str, visitor: Visitor) -> bool:
    if not visitor.is_signed_in:
        return False
    mine = visitor.subscription
    if mine and mine.product_id == product.polar_id:
        return plan_key != FREE.plan.key or not visitor.pays
    if product.polar_id in visitor.owned and (product.is_recurring or "plan" in product.meta):
        return True
    if product.is_recurring and plan_key in visitor.beside:  # In another interval, maybe.
        return True
    return plan_key == FREE.plan.key and not visitor.pays and (mine is None or mine.is_free)


def _action(product: Product, plan_key: str, is_current: bool, visitor: Visitor) -> Action:
    mine = visitor.subscription
    if not visitor.is_signed_in and plan_key == FREE.plan.key:
        return Action("signup", "Start for free", url_for("accounts.signup"))
    if is_current:
        return _present_plan(product, mine, visitor)
    if plan_key == FREE.plan.key and visitor.pays and (mine is None or mine.is_free):
        return Action("current", "Included")
    if mine is not None and product.is_recurring:
        return _other_plan(product, plan_key, mine)
    label = f"Choose {product.name}" if product.is_recurring else "Buy once"
    if _gets_trial(product, visitor):
        label = "Start free trial"
    # A visitor follows a link: the page needs no form, so it is the same for everybody.
    url = "" if visitor.is_signed_in else choice.address(product.polar_id)
    return Action("checkout", label, url)


def _present_plan(product: Product, mine: Subscription | None, visitor: Visitor) -> Action:
    if mine is None or mine.product_id != product.polar_id:
        return Action("current", "Your plan" if product.is_recurring else "Yours")
    if mine.is_paused:
        return Action("resume", "Resume", url_for("billing.resumption"))
    if mine.has_schedule and not mine.past_due:
        return Action("keep", "Keep", url_for("billing.keep"))
    if mine.past_due and product.polar_id not in visitor.owned:
        return Action("manage", "Pay to open it again", url_for("billing.settings"))
    return Action("current", "Your plan")


def _other_plan(product: Product, plan_key: str, mine: Subscription) -> Action:
    """The way from a subscription to another plan; each one ends on a page that can go on."""
    if mine.is_free:
        return Action("checkout", f"Upgrade to {product.name}")
    if mine.past_due:
        return Action("manage", "Pay the open invoice first", url_for("billing.settings"))
    is_ending = mine.cancel_at_period_end
    if (mine.pending_update or {}).get("product_id") == product.polar_id and not is_ending:
        return Action("current", f"From {day(mine.current_period_end)}")
    if plan_key == FREE.plan.key:
        if is_ending:
            return Action("current", f"From {day(outlook.last_day(mine))}")
        return Action("cancel", "Switch to Free", url_for("billing.cancellation"))
    return Action(
        "switch", f"Switch to {product.name}", url_for("billing.plan", product_id=product.polar_id)
    )


def _price(product: Product) -> str:
    """Say what the first price asks; several prices are settled in the checkout."""
    prices = [price for price in product.prices if not price.get("is_archived")]
    return _price_words(prices[0]) if prices else "See checkout"


def _price_words(price: dict[str, Any]) -> str:
    kind, currency = price.get("amount_type"), str(price.get("price_currency") or "usd")
    if kind == "custom":
        minimum = price.get("minimum_amount")
        return f"From {format_money(minimum, currency)}" if minimum else "Pay what you want"
    if kind == "seat_based":
        tiers = (price.get("seat_tiers") or {}).get("tiers") or [{}]
        amount = tiers[0].get("price_per_seat")
        return (
            f"{format_money(amount, currency)} per seat"
            if isinstance(amount, int)
            else "See checkout"
        )
    if kind == "metered_unit":
        return "Pay as you go"
    amount = 0 if kind == "free" else price.get("price_amount")
    if not isinstance(amount, int):
        return "See checkout"
    return "Free" if amount == 0 else format_money(amount, currency)


def _per(product: Product) -> str:
    return per_period(product) if product.is_recurring else "once"


def _trial(product: Product) -> str:
    count = product.trial_interval_count or 1
    return f"{count} {product.trial_interval}{'' if count == 1 else 's'}"
