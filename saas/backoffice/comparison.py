"""One customer here and at Polar, side by side. Reads Polar live, and writes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from saas.accounts.models import User
from saas.billing import entitlements, gateway, holdings, reconcile, store
from saas.billing.holdings import COMPED, PAID_ORDER_STATUSES, Holding
from saas.billing.models import Benefit, Customer, Grant, Order, Product, Subscription
from saas.extensions import db
from saas.kit.money import format_money
from saas.templating import day

NOTHING = "–"
MISSING = "missing"


@dataclass(frozen=True)
class Line:
    """One thing that can be compared, in words."""

    label: str
    here: str
    there: str

    @property
    def differs(self) -> bool:
        """True when the two sides do not agree."""
        return self.here != self.there


@dataclass(frozen=True)
class Block:
    """Lines that belong together, such as those of one subscription."""

    title: str
    lines: list[Line]


@dataclass(frozen=True)
class Comparison:
    """All blocks. ``trouble`` says why Polar's side is not there; then nothing counts as different."""

    blocks: list[Block]
    trouble: str = ""
    is_known: bool = True
    differences: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        found = 0 if self.trouble else sum(line.differs for b in self.blocks for line in b.lines)
        object.__setattr__(self, "differences", found)


@dataclass
class Side:
    """What one side knows of a customer, in rows of ours, whether they are stored or just read."""

    customers: list[Customer]
    subscriptions: dict[str, Subscription]
    orders: dict[str, Order]
    holdings: list[Holding]


def compare(user: User) -> Comparison:
    """Read everything that Polar knows of a user and put it beside what we know."""
    trouble, there = "", None
    try:
        reading = reconcile.read_user(user)
        there = _read_side(reading)
    except gateway.PolarError as error:
        trouble = error.message
    here = _stored_side(user)
    known = there is None or bool(there.customers or here.customers)
    return Comparison(_blocks(here, there or here), trouble, is_known=known)


def _stored_side(user: User) -> Side:
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    customers = select(Customer).where(Customer.user_id == user.id, Customer.deleted_at.is_(None))
    subscriptions = select(Subscription).where(Subscription.customer_id.in_(mine))
    orders = select(Order).where(Order.customer_id.in_(mine))
    return Side(
        list(db.session.scalars(customers)),
        {row.polar_id: row for row in db.session.scalars(subscriptions)},
        {row.polar_id: row for row in db.session.scalars(orders)},
        [row for row in holdings.of(user) if row.status != COMPED],
    )


def _read_side(reading: reconcile.Reading) -> Side:
    """Turn what Polar answered into rows as ``sync`` would write them, without writing them."""
    with store.gathering() as gathered:
        for model, answers in reading.answers.items():
            reconcile.keep_all(reconcile.PUTS[model], answers)
    shown = {str(answer.data.get("id")) for answer in reading.answers[Customer]}
    customers = [Customer(**row) for row in gathered.newer[Customer].values()]
    subscriptions = [Subscription(**row) for row in gathered.newer[Subscription].values()]
    orders = [Order(**row) for row in gathered.newer[Order].values()]
    grants = [Grant(**row) for row in gathered.newer[Grant].values()]
    products = _known(
        Product, {s.product_id for s in subscriptions} | {o.product_id for o in orders}
    )
    products |= {key: Product(**row) for key, row in gathered.newer[Product].items()}
    benefits = _known(Benefit, {grant.benefit_id for grant in grants})
    benefits |= {key: Benefit(**row) for key, row in gathered.newer[Benefit].items()}
    return Side(
        [row for row in customers if row.polar_id in shown and row.deleted_at is None],
        {row.polar_id: row for row in subscriptions},
        {row.polar_id: row for row in orders},
        _holdings(subscriptions, orders, grants, products, benefits),
    )


def _known(model: Any, ids: Iterable[str | None]) -> dict[str, Any]:
    wanted = [key for key in ids if key]
    found = db.session.scalars(select(model).where(model.polar_id.in_(wanted))) if wanted else ()
    return {row.polar_id: row for row in found}


def _holdings(
    subscriptions: list[Subscription],
    orders: list[Order],
    grants: list[Grant],
    products: dict[str, Product],
    benefits: dict[str, Benefit],
) -> list[Holding]:
    """Return what the query of ``holdings`` would, had these rows been stored."""
    rows = []
    for s in subscriptions:
        product = products.get(s.product_id)
        name, meta = (product.name, product.meta) if product else ("Subscription", {})
        period = (s.recurring_interval, s.recurring_interval_count)
        rows.append(
            Holding("subscription", s.polar_id, s.standing, name, meta, s.amount, s.past_due_at,
                    s.product_id, *period)
        )  # fmt: skip
    for grant in grants:
        benefit = benefits.get(grant.benefit_id)
        if benefit and grant.is_granted and benefit.type == "feature_flag":
            what = (benefit.description, benefit.meta, 0, None, grant.subscription_id, None, None)
            rows.append(Holding("grant", grant.polar_id, "granted", *what))
    for order in orders:
        product = products.get(order.product_id or "")
        is_purchase = order.subscription_id is None and order.billing_reason == "purchase"
        if product and is_purchase and order.status in PAID_ORDER_STATUSES:
            bought = (product.name, product.meta, order.total_amount, None, product.polar_id)
            rows.append(Holding("order", order.polar_id, order.status, *bought, None, None))
    return rows


def _blocks(here: Side, there: Side) -> list[Block]:
    blocks = [
        Block("Plan", _plan_lines(here, there)),
        Block("Customer", _customer_lines(here, there)),
    ]
    for polar_id in sorted(here.subscriptions.keys() | there.subscriptions.keys()):
        ours, theirs = here.subscriptions.get(polar_id), there.subscriptions.get(polar_id)
        title = f"Subscription {polar_id[:8]}"
        blocks.append(Block(title, _pairs(_subscription(ours), _subscription(theirs))))
    if orders := _order_lines(here, there):
        blocks.append(Block("Payments", orders))
    return blocks


def _plan_lines(here: Side, there: Side) -> list[Line]:
    ours, theirs = (entitlements.of_holdings(side.holdings) for side in (here, there))
    return [
        Line("Plan", ours.plan.name, theirs.plan.name),
        Line("Status", ours.status, theirs.status),
        Line("Features", *(", ".join(sorted(e.features)) or NOTHING for e in (ours, theirs))),
        Line("Limits", *(_limits(e.limits) for e in (ours, theirs))),
    ]


def _limits(limits: dict[str, int]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(limits.items())) or NOTHING


def _customer_lines(here: Side, there: Side) -> list[Line]:
    def words(side: Side, name: str) -> str:
        return (
            ", ".join(sorted(str(getattr(c, name) or NOTHING) for c in side.customers)) or NOTHING
        )

    names = {"Polar id": "polar_id", "Address": "email", "Our id there": "external_id"}
    return [Line(label, words(here, name), words(there, name)) for label, name in names.items()]


def _subscription(row: Subscription | None) -> dict[str, str]:
    if row is None:
        return {}
    product = db.session.get(Product, row.product_id)
    return {
        "Product": product.name if product else row.product_id,
        "Status": row.status,
        "Price": f"{format_money(row.amount, row.currency)} / {row.recurring_interval}",
        "Period ends": day(row.current_period_end) or NOTHING,
        "Trial ends": day(row.trial_end) or NOTHING,
        "Cancelled": "at the end of the period" if row.cancel_at_period_end else "no",
        "Paused": "at the end of the period" if row.pause_at_period_end else "no",
        "Change planned": "yes" if row.pending_update else "no",
        "Past due since": day(row.past_due_at) or NOTHING,
        "Ended": day(row.ended_at) or NOTHING,
    }


def _order_lines(here: Side, there: Side) -> list[Line]:
    """Return a line for each payment that differs, and one for those that agree."""
    ids = here.orders.keys() | there.orders.keys()
    sides = {key: (_order(here.orders.get(key)), _order(there.orders.get(key))) for key in ids}
    lines = [Line(key[:8], *pair) for key, pair in sorted(sides.items()) if pair[0] != pair[1]]
    agree = str(len(ids) - len(lines))
    return [Line("Agree", agree, agree), *lines] if ids else []


def _order(row: Order | None) -> str:
    if row is None:
        return MISSING
    refunded = (
        f", {format_money(row.refunded_amount, row.currency)} back" if row.refunded_amount else ""
    )
    return f"{format_money(row.total_amount, row.currency)}, {row.status}{refunded}"


def _pairs(ours: dict[str, str], theirs: dict[str, str]) -> list[Line]:
    if not ours or not theirs:
        status = "Status"
        return [Line(status, ours.get(status, MISSING), theirs.get(status, MISSING))]
    lines = [Line(label, ours[label], theirs[label]) for label in ours]
    return [line for line in lines if line.differs or line.here not in {NOTHING, "no"}]
