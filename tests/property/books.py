"""The objects of the model Polar, and the events that go out when one of them changes."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]
USER = "user_of_the_model"
PLANS = ("free", "pro", "team")
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
LIVE = ("active", "trialing")


class Books:
    """What Polar has written down about one customer, and ``events``: what it told about it."""

    def __init__(self) -> None:
        self.now = START
        self.events: list[Json] = []
        self.made = 0
        self.subscriptions: list[Json] = []
        self.orders: list[Json] = []
        self.grants: list[Json] = []
        self.benefits = {plan: self._benefit(plan) for plan in (*PLANS, "lifetime")}
        self.products = {plan: self._product(plan) for plan in (*PLANS, "lifetime")}
        self.customer = self._new(
            external_id=USER, email=f"{USER}@example.com", name="Ada", deleted_at=None
        )
        self._tell("customer.created", self.customer)

    def _end(self, subscription: Json) -> None:
        now = self._stamp()
        self._change(subscription, "updated", status="canceled", ended_at=now, ends_at=now)
        self._tell_subscription("canceled", subscription)
        self._tell_subscription("revoked", subscription)
        self._match_grants(subscription)

    def _match_grants(self, subscription: Json) -> None:
        """Give what the product gives while the subscription is in force; take away everything else."""
        wanted = subscription["product_id"] if subscription["status"] in LIVE else None
        plan = next((p for p in PLANS if self.products[p]["id"] == wanted), None)
        mine = [g for g in self.grants if g["subscription_id"] == subscription["id"]]
        for grant in mine:
            is_wanted = plan is not None and grant["benefit_id"] == self.benefits[plan]["id"]
            if grant["is_granted"] != is_wanted:
                self._turn(grant, is_wanted)
        held = {grant["benefit_id"] for grant in mine}
        if plan is not None and self.benefits[plan]["id"] not in held:
            self._grant(plan, subscription_id=subscription["id"])

    def _grant(self, plan: str, **source: str) -> None:
        blank = {"subscription_id": None, "order_id": None}
        grant = self._new(
            customer_id=self.customer["id"], benefit_id=self.benefits[plan]["id"],
            is_granted=True, is_revoked=False, **(blank | source),
        )  # fmt: skip
        self.grants.append(grant)
        self._tell_grant("created", grant)

    def _turn(self, grant: Json, is_granted: bool) -> None:
        self._touch(grant, is_granted=is_granted, is_revoked=not is_granted)
        self._tell_grant("created" if is_granted else "revoked", grant)

    def _order(self, subscription: Json | None, reason: str, status: str) -> Json:
        product_id = (subscription or {}).get("product_id") or self.products["lifetime"]["id"]
        order = self._new(
            customer_id=self.customer["id"], product_id=product_id, status=status,
            subscription_id=subscription["id"] if subscription else None, checkout_id=None,
            billing_reason=reason, description="", total_amount=2000, refunded_amount=0,
            refunded_tax_amount=0, currency="usd", invoice_number=f"A-{len(self.orders)}",
            is_invoice_generated=False,
        )  # fmt: skip
        self.orders.append(order)
        for kind in ("created", "updated", "paid") if status == "paid" else ("created",):
            self._tell(f"order.{kind}", order | {"customer": dict(self.customer)})
        return order

    def _change_order(self, order: Json, kind: str, **changes: Any) -> None:
        self._touch(order, **changes)
        for name in ("updated", kind):
            self._tell(f"order.{name}", order | {"customer": dict(self.customer)})

    def _change(self, subscription: Json, kind: str, **changes: Any) -> None:
        self._touch(subscription, **changes)
        self._tell_subscription(kind, subscription)

    def _tell_subscription(self, kind: str, subscription: Json) -> None:
        product = next(p for p in self.products.values() if p["id"] == subscription["product_id"])
        embedded = {"customer": dict(self.customer), "product": dict(product)}
        self._tell(f"subscription.{kind}", subscription | embedded)

    def _tell_grant(self, kind: str, grant: Json) -> None:
        benefit = next(b for b in self.benefits.values() if b["id"] == grant["benefit_id"])
        embedded = {"customer": dict(self.customer), "benefit": dict(benefit)}
        self._tell(f"benefit_grant.{kind}", grant | embedded)

    def _tell(self, kind: str, data: Json) -> None:
        self.events.append({"type": kind, "timestamp": self._stamp(), "data": dict(data)})

    def _pick(self, number: int, *statuses: str) -> Json | None:
        found = [s for s in self.subscriptions if s["status"] in statuses]
        return found[number % len(found)] if found else None

    def _benefit(self, plan: str) -> Json:
        return self._new(
            type="feature_flag", description=f"For {plan}", is_deleted=False,
            metadata={"feature": f"of_{plan}"},
        )  # fmt: skip

    def _product(self, plan: str) -> Json:
        interval = None if plan == "lifetime" else "month"
        product = self._new(
            name=plan.title(), description=None, visibility="public", is_archived=False,
            recurring_interval=interval, recurring_interval_count=1 if interval else None,
            trial_interval=None, trial_interval_count=None, prices=[], metadata={"plan": plan},
            benefits=[self.benefits[plan]],
        )  # fmt: skip
        self._tell("product.created", product)
        return product

    def _new(self, **fields: Any) -> Json:
        self.made += 1
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{USER}-{self.made}"))
        return {"id": key, "created_at": self._stamp(), "modified_at": None, **fields}

    def _touch(self, doc: Json, **changes: Any) -> None:
        doc.update(changes, modified_at=self._stamp())

    def _stamp(self, later: timedelta = timedelta()) -> str:
        """Each look at the clock is a little later than the one before."""
        self.now += timedelta(milliseconds=7)
        return (self.now + later).isoformat()
