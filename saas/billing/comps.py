"""Plans that we give away until a date: granted here alone, Polar knows nothing of them.

A comp adds the plan and the features of a product; it never takes anything away, and it ends by itself.
Its price is noted with it, only to tell which of two plans is the bigger one.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column

from saas.accounts.models import User
from saas.billing.models import POLAR_ID, Product
from saas.errors import AppError
from saas.extensions import db
from saas.kit.datetimes import UTCDateTime, utcnow
from saas.kit.models import Base

LONGEST = timedelta(days=5 * 366)  # Who wants more writes a price of nothing at Polar.


class Comp(Base):
    """A plan given to a user. The day that was chosen is its last; ``ends_at`` is the midnight after it."""

    __tablename__ = "billing_comps"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    product_id: Mapped[str] = mapped_column(POLAR_ID)
    product_name: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)
    recurring_interval: Mapped[str | None] = mapped_column(String(32))
    recurring_interval_count: Mapped[int | None]
    reason: Mapped[str]
    given_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UTCDateTime, default=utcnow)
    ends_at: Mapped[datetime] = mapped_column(UTCDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UTCDateTime)

    @property
    def is_in_force(self) -> bool:
        """True until its last day is over, unless it was taken back."""
        return self.revoked_at is None and utcnow() < self.ends_at

    @property
    def last_day(self) -> datetime:
        """The last moment of the last day."""
        return self.ends_at - timedelta(seconds=1)


class NoSuchComp(AppError):
    """There is no such comp, it is somebody else's, or it is over."""

    status = HTTPStatus.NOT_FOUND
    code = "no_comp"
    message = "There is no plan given away that could be taken back."


@dataclass(frozen=True)
class Gift:
    """What a comp is made of: a product, until the end of a day, why, and by whom."""

    product_id: str
    last_day: date
    reason: str
    given_by: str

    @property
    def ends_at(self) -> datetime:
        """The midnight after its last day."""
        return datetime.combine(self.last_day + timedelta(days=1), time(), UTC)


def in_force(now: datetime | ColumnElement[datetime]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions for a comp that counts at a moment."""
    return (Comp.revoked_at.is_(None), Comp.ends_at > now)


def of(user: User) -> list[Comp]:
    """Return all comps of a user, the newest first."""
    found = select(Comp).where(Comp.user_id == user.id).order_by(Comp.id.desc())
    return list(db.session.scalars(found))


def features(given: list[Comp]) -> list[tuple[str, dict[str, Any]]]:
    """Return description and metadata of every benefit of these comps."""
    ids = [comp.product_id for comp in given]
    lists = (
        db.session.scalars(select(Product.benefits).where(Product.polar_id.in_(ids))) if ids else ()
    )
    return [
        (str(benefit.get("description") or ""), benefit.get("metadata") or {})
        for benefits in lists
        for benefit in benefits
    ]


def products() -> list[Product]:
    """Return what can be given: every product that names a plan and costs something, cheap ones first."""
    found = db.session.scalars(select(Product).where(Product.is_archived.is_(False)))
    carriers = [each for each in found if each.is_recurring or "plan" in each.meta]
    return sorted(filter(_amount, carriers), key=lambda each: (_amount(each), each.name))


def same(user: User, gift: Gift) -> str | None:
    """Return the name of the plan that this very gift has given already, if it is in force."""
    query = select(Comp.product_name).where(
        Comp.user_id == user.id,
        Comp.product_id == gift.product_id,
        Comp.ends_at == gift.ends_at,
        Comp.reason == gift.reason.strip(),
        Comp.given_by == gift.given_by,
        *in_force(utcnow()),
    )
    return db.session.scalar(query.limit(1))


def give(user: User, gift: Gift) -> Comp:
    """Give a user a plan. The caller commits. Raises ``LookupError`` for an unknown product."""
    product = db.session.get(Product, gift.product_id)
    if product is None:
        raise LookupError(gift.product_id)
    comp = Comp(
        user_id=user.id,
        product_id=product.polar_id,
        product_name=product.name,
        amount=_amount(product),
        recurring_interval=product.recurring_interval,
        recurring_interval_count=product.recurring_interval_count,
        reason=gift.reason.strip(),
        given_by=gift.given_by,
        ends_at=gift.ends_at,
    )
    db.session.add(comp)
    db.session.flush()
    return comp


def revoke(user: User, comp_id: int) -> Comp:
    """Take back a comp that is in force. The caller commits. Raises ``NoSuchComp``."""
    found = select(Comp).where(Comp.id == comp_id, Comp.user_id == user.id, *in_force(utcnow()))
    comp: Comp | None = db.session.scalar(found.with_for_update())
    if comp is None:
        raise NoSuchComp
    comp.revoked_at = utcnow()
    return comp


def _amount(product: Product) -> int:
    amounts = [price.get("price_amount") for price in product.prices if isinstance(price, dict)]
    return max((amount for amount in amounts if isinstance(amount, int)), default=0)
