"""A small model of Polar: the life of one customer, told as the events that Polar would send.

Only what the application reads is in the objects. Times are strictly increasing from event to event;
``modified_at`` moves with every change, except where the recordings show that it does not (a plan change
that is scheduled or taken back).
"""

from datetime import timedelta

from tests.property.books import LIVE, PLANS, Books

MONTH = timedelta(days=30)


class Life(Books):
    """Each public method is something that happens; one that cannot happen now does nothing."""

    def subscribe(self, number: int, trial: bool = False) -> None:
        """Subscribe to a plan, beside what there is."""
        if self.customer["deleted_at"]:
            return
        plan = PLANS[number % len(PLANS)]
        subscription = self._new(
            customer_id=self.customer["id"], product_id=self.products[plan]["id"],
            status="trialing" if trial else "active", amount=2000 * PLANS.index(plan),
            currency="usd", recurring_interval="month", recurring_interval_count=1,
            current_period_end=self._stamp(MONTH), trial_end=self._stamp(MONTH) if trial else None,
            cancel_at_period_end=False, pause_at_period_end=False, canceled_at=None,
            started_at=self._stamp(), ends_at=None, ended_at=None, past_due_at=None,
            resumes_at=None, pending_update=None, checkout_id=None,
        )  # fmt: skip
        self.subscriptions.append(subscription)
        for kind in ("created", "active", "updated"):
            self._tell_subscription(kind, subscription)
        self._order(subscription, "subscription_create", "paid")
        self._match_grants(subscription)

    def start_trial(self, number: int) -> None:
        """Subscribe with a trial."""
        self.subscribe(number, trial=True)

    def renew(self, number: int) -> None:
        """A period ends and the next one is paid; a cancelled subscription ends instead."""
        subscription = self._pick(number, *LIVE)
        if subscription is None:
            return
        self.now += MONTH
        if subscription["cancel_at_period_end"]:
            self._end(subscription)
            return
        period = {"status": "active", "current_period_end": self._stamp(MONTH)}
        pending = subscription["pending_update"]
        if pending:
            period |= {"product_id": pending["product_id"], "pending_update": None}
        self._change(subscription, "cycled", **period)
        self._tell_subscription("updated", subscription)
        order = self._order(subscription, "subscription_cycle", "pending")
        self._change_order(order, "paid", status="paid")
        self._match_grants(subscription)

    def fail_payment(self, number: int) -> None:
        """A renewal cannot be charged."""
        subscription = self._pick(number, "active")
        if subscription is None:
            return
        self.now += MONTH
        self._change(subscription, "cycled", current_period_end=self._stamp(MONTH))
        self._order(subscription, "subscription_cycle", "pending")
        self._change(subscription, "updated", status="past_due", past_due_at=self._stamp())
        self._tell_subscription("past_due", subscription)
        self._match_grants(subscription)

    def recover(self, number: int) -> None:
        """The charge works after all."""
        subscription = self._pick(number, "past_due")
        if subscription is None:
            return
        self._change(subscription, "updated", status="active", past_due_at=None)
        self._tell_subscription("active", subscription)
        waiting = [o for o in self.orders if o["status"] == "pending"]
        for order in waiting:
            if order["subscription_id"] == subscription["id"]:
                self._change_order(order, "paid", status="paid")
        self._match_grants(subscription)

    def cancel(self, number: int) -> None:
        """Cancel for the end of the period."""
        subscription = self._pick(number, *LIVE)
        if subscription is None or subscription["cancel_at_period_end"]:
            return
        change = {"cancel_at_period_end": True, "canceled_at": self._stamp()}
        self._change(subscription, "updated", ends_at=subscription["current_period_end"], **change)
        self._tell_subscription("canceled", subscription)

    def uncancel(self, number: int) -> None:
        """Think better of it."""
        subscription = self._pick(number, *LIVE)
        if subscription is None or not subscription["cancel_at_period_end"]:
            return
        change = {"cancel_at_period_end": False, "canceled_at": None, "ends_at": None}
        self._change(subscription, "updated", **change)
        self._tell_subscription("uncanceled", subscription)

    def revoke(self, number: int) -> None:
        """End it at once."""
        subscription = self._pick(number, *LIVE, "past_due", "paused")
        if subscription is not None:
            self._end(subscription)

    def pause(self, number: int) -> None:
        """The period ends in a pause."""
        subscription = self._pick(number, *LIVE)
        if subscription is None:
            return
        self._change(subscription, "updated", status="paused")
        self._tell_subscription("paused", subscription)
        self._match_grants(subscription)

    def resume(self, number: int) -> None:
        """Go on after a pause."""
        subscription = self._pick(number, "paused")
        if subscription is None:
            return
        self._change(subscription, "updated", status="active")
        self._tell_subscription("resumed", subscription)
        self._match_grants(subscription)

    def change_plan(self, number: int) -> None:
        """Another product from now on."""
        subscription = self._pick(number, *LIVE)
        if subscription is None:
            return
        plan = PLANS[number % len(PLANS)]
        amount = 2000 * PLANS.index(plan)
        order = self._order(subscription, "subscription_update", "pending")
        self._change(subscription, "updated", product_id=self.products[plan]["id"], amount=amount)
        self._change_order(order, "paid", status="paid")
        self._match_grants(subscription)

    def schedule_change(self, number: int) -> None:
        """Another product from the next period, or back again; ``modified_at`` stays."""
        subscription = self._pick(number, *LIVE)
        if subscription is None:
            return
        plan = PLANS[number % len(PLANS)]
        pending = (
            None if subscription["pending_update"] else {"product_id": self.products[plan]["id"]}
        )
        subscription["pending_update"] = pending
        self._tell_subscription("updated", subscription)

    def buy_once(self, number: int) -> None:
        """A one-time purchase."""
        if self.customer["deleted_at"]:
            return
        order = self._order(None, "purchase", "paid")
        self._grant("lifetime", order_id=order["id"])

    def refund(self, number: int) -> None:
        """Refund half of an order, or what is left of it, which takes a one-time benefit away."""
        paid = [o for o in self.orders if o["status"] in ("paid", "partially_refunded")]
        if not paid:
            return
        order = paid[number % len(paid)]
        is_partial = order["status"] == "paid" and number % 2 == 0
        status = "partially_refunded" if is_partial else "refunded"
        amount = order["total_amount"] // 2 if is_partial else order["total_amount"]
        self._change_order(order, "refunded", status=status, refunded_amount=amount)
        if not is_partial:
            for grant in self.grants:
                if grant["order_id"] == order["id"] and grant["is_granted"]:
                    self._turn(grant, False)

    def rename(self, number: int) -> None:
        """The customer changes name and address."""
        if not self.customer["deleted_at"]:
            self._touch(self.customer, name=f"Ada {number}", email=f"ada{number}@example.com")
            self._tell("customer.updated", self.customer)

    def delete_customer(self, number: int) -> None:
        """Polar forgets our id with the customer; what ends afterwards comes without it."""
        if self.customer["deleted_at"] or number % 3:
            return
        self._touch(self.customer, deleted_at=self._stamp(), external_id=None)
        self._tell("customer.deleted", self.customer)
        for grant in self.grants:
            if grant["is_granted"]:
                self._turn(grant, False)
        for subscription in self.subscriptions:
            if not subscription["ended_at"]:
                self._end(subscription)


HAPPENINGS = (
    "subscribe", "start_trial", "renew", "fail_payment", "recover", "cancel", "uncancel", "revoke",
    "pause", "resume", "change_plan", "schedule_change", "buy_once", "refund", "rename",
    "delete_customer",
)  # fmt: skip


def told(happenings: list[tuple[str, int]]) -> Life:
    """Let these things happen, one after another."""
    life = Life()
    for name, number in happenings:
        life.now += timedelta(hours=1)
        getattr(life, name)(number)
    return life
