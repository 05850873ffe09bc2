"""Our copy of what Polar knows, one table for each kind of object, and the predicates on it.

Every row is a snapshot. ``modified_at`` is Polar's own (or ``created_at`` while it is null) and
``observed_at`` the moment Polar showed it to us; together they say which of two snapshots is newer, and
``tie`` where they do not (see ``ties.py``).
Only ``sync.py`` writes them. The last two tables are our own notes.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from saas.billing import markings
from saas.billing.standing import RUNNING, status_by_now
from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base

POLAR_ID = String(36)
UNCLAIMED = "external_id IS NULL AND user_id IS NULL AND deleted_at IS NULL"


class Snapshot:
    """The columns that every copied object has."""

    polar_id: Mapped[str] = mapped_column(POLAR_ID, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime)
    modified_at: Mapped[datetime] = mapped_column(UTCDateTime)
    observed_at: Mapped[datetime] = mapped_column(UTCDateTime)
    tie: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")


class Customer(Snapshot, Base):
    """A customer at Polar. ``user_id`` says whose it is, and stays when Polar forgets our id.

    ``awaits`` is our id, once Polar showed it, of somebody who has no account here (yet).
    """

    __tablename__ = "billing_customers"
    __table_args__ = (  # Asked for at every sign-in, and there are few of them.
        Index(
            "ix_billing_customers_unclaimed",
            "email",
            sqlite_where=text(UNCLAIMED),
            postgresql_where=text(UNCLAIMED),
        ),
        Base.NUMBERS_ONCE,
    )

    external_id: Mapped[str | None] = mapped_column(index=True)
    email: Mapped[str] = mapped_column(index=True)
    name: Mapped[str | None]
    deleted_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("users.id", ondelete="SET NULL"), index=True
    )
    awaits: Mapped[str | None] = mapped_column(index=True)


class Product(Snapshot, Base):
    """A product of the catalogue with its prices and benefits as Polar sent them."""

    __tablename__ = "billing_products"

    name: Mapped[str]
    description: Mapped[str | None]
    visibility: Mapped[str] = mapped_column(String(32))
    is_archived: Mapped[bool]
    recurring_interval: Mapped[str | None] = mapped_column(String(32))
    recurring_interval_count: Mapped[int | None]
    trial_interval: Mapped[str | None] = mapped_column(String(32))
    trial_interval_count: Mapped[int | None]
    prices: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    benefits: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)

    @property
    def plan_key(self) -> str:
        """The plan it sells: metadata ``plan``, else its name."""
        return markings.plan_key(self.name, self.meta)

    @property
    def lasts_for_ever(self) -> bool:
        """True for a one-time purchase that names a plan; to buy it twice gives nothing more."""
        return not self.is_recurring and "plan" in self.meta

    @property
    def is_for_sale(self) -> bool:
        """True when the pricing page may show it: public and not archived."""
        return self.visibility == "public" and not self.is_archived

    @property
    def is_recurring(self) -> bool:
        """True for a subscription, false for a one-time purchase."""
        return self.recurring_interval is not None


class Benefit(Snapshot, Base):
    """What a product gives. A ``feature_flag`` names a feature and its limits in its metadata."""

    __tablename__ = "billing_benefits"

    type: Mapped[str] = mapped_column(String(64))
    description: Mapped[str]
    is_deleted: Mapped[bool]
    meta: Mapped[dict[str, Any]] = mapped_column("metadata", JSON)


class Subscription(Snapshot, Base):
    """A subscription at Polar, whatever its status."""

    __tablename__ = "billing_subscriptions"

    customer_id: Mapped[str] = mapped_column(POLAR_ID, index=True)
    product_id: Mapped[str] = mapped_column(POLAR_ID)
    checkout_id: Mapped[str | None] = mapped_column(POLAR_ID)
    status: Mapped[str] = mapped_column(String(32))
    amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(8))
    recurring_interval: Mapped[str] = mapped_column(String(32))
    recurring_interval_count: Mapped[int]
    current_period_start: Mapped[datetime | None] = mapped_column(UTCDateTime)
    current_period_end: Mapped[datetime | None] = mapped_column(UTCDateTime)
    trial_end: Mapped[datetime | None] = mapped_column(UTCDateTime)
    cancel_at_period_end: Mapped[bool]
    canceled_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    past_due_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    pause_at_period_end: Mapped[bool]
    resumes_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    pending_update: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    @property
    def standing(self) -> str:
        """Its status by now: what was to end or to pause at a moment that is over has done so."""
        return status_by_now(self)

    @property
    def is_active(self) -> bool:
        """True while it runs, a trial included."""
        return self.standing in {"active", "trialing"}

    @property
    def on_trial(self) -> bool:
        """True during the trial."""
        return self.standing == "trialing"

    @property
    def had_trial(self) -> bool:
        """True when it began with a trial, or is still on it. Polar keeps the date for good."""
        return self.on_trial or self.trial_end is not None

    @property
    def on_grace_period(self) -> bool:
        """True when it is cancelled but runs on until the end of what was paid."""
        return self.is_active and self.cancel_at_period_end

    @property
    def is_cancelled_as_free(self) -> bool:
        """True when it costs something and was cancelled before its period began: as the free plan it was."""
        cancelled, began = self.canceled_at, self.current_period_start
        carried = self.cancel_at_period_end and not self.is_free
        return bool(carried and cancelled and began and cancelled < began)

    @property
    def has_schedule(self) -> bool:
        """True when something will change at the end of the period: an end, a pause, another plan."""
        return self.cancel_at_period_end or self.pause_at_period_end or bool(self.pending_update)

    @property
    def past_due(self) -> bool:
        """True when the last renewal could not be charged and Polar still tries."""
        return self.standing == "past_due"

    @property
    def is_paused(self) -> bool:
        """True during a pause."""
        return self.standing == "paused"

    @property
    def has_ended(self) -> bool:
        """True when it is over for good."""
        return self.standing in {"canceled", "unpaid", "incomplete_expired"}

    @property
    def is_being_closed(self) -> bool:
        """True when its end has come and Polar, which takes a moment for that, has not ended it yet."""
        return self.has_ended and self.status in RUNNING

    @property
    def is_current(self) -> bool:
        """True while it stands between its owner and another one: running, owed or paused."""
        return self.is_active or self.past_due or self.is_paused

    @property
    def is_free(self) -> bool:
        """True when nothing is charged for it; only such a one is upgraded through a checkout."""
        return self.amount == 0


class Order(Snapshot, Base):
    """A purchase or a renewal. ``status`` paid means money, or nothing owed."""

    __tablename__ = "billing_orders"

    customer_id: Mapped[str] = mapped_column(POLAR_ID, index=True)
    product_id: Mapped[str | None] = mapped_column(POLAR_ID)
    subscription_id: Mapped[str | None] = mapped_column(POLAR_ID)
    checkout_id: Mapped[str | None] = mapped_column(POLAR_ID, index=True)
    status: Mapped[str] = mapped_column(String(32))
    billing_reason: Mapped[str] = mapped_column(String(64))
    description: Mapped[str]
    total_amount: Mapped[int] = mapped_column(BigInteger)
    refunded_amount: Mapped[int] = mapped_column(BigInteger)
    refunded_tax_amount: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(8))
    invoice_number: Mapped[str | None]
    is_invoice_generated: Mapped[bool]


class Grant(Snapshot, Base):
    """A benefit given to a customer through a subscription or an order, until it is revoked."""

    __tablename__ = "billing_grants"

    customer_id: Mapped[str] = mapped_column(POLAR_ID, index=True)
    benefit_id: Mapped[str] = mapped_column(POLAR_ID)
    subscription_id: Mapped[str | None] = mapped_column(POLAR_ID)
    order_id: Mapped[str | None] = mapped_column(POLAR_ID)
    is_granted: Mapped[bool]


class Notice(Base):
    """A mail that is due to a user, or was sent. The key makes it one, however often we learn of it."""

    __tablename__ = "billing_notices"
    __table_args__ = (
        UniqueConstraint("kind", "subject_id", "period", name="uq_billing_notices_kind"),
        Base.NUMBERS_ONCE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[str] = mapped_column(POLAR_ID)
    period: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    sent_at: Mapped[datetime | None] = mapped_column(UTCDateTime)
    attempts: Mapped[int] = mapped_column(default=0)


class AddressNews(Base):
    """A user's new e-mail address that Polar has not heard of yet."""

    __tablename__ = "billing_address_news"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    since: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
