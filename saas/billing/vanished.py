"""What still runs here although Polar does not show it any more: asked for by its id, then ended here.

It happens when Polar begins anew (the local one after a reset), when something was deleted while nobody
listened, or when a list skipped it.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select

from saas.accounts.models import User
from saas.billing import differences, gateway, reconcile, store
from saas.billing.differences import Difference
from saas.billing.gateway import Answer, PolarNotFound
from saas.billing.models import Customer, Grant, Subscription
from saas.billing.rehearsal import Rehearsal
from saas.extensions import db, start_write
from saas.kit.datetimes import utcnow

Model = type[Any]  # Customer, Subscription or Grant.
NOT_SHOWN = {"user_id", "awaits", "tie"}  # Of no snapshot, or made of one.


def settle_user(
    user: User, reading: reconcile.Reading, rehearsal: Rehearsal | None = None
) -> list[Difference]:
    """End what runs here for one user and was in no answer, once Polar says that it has it no more.

    It happens when Polar begins anew: the local one after a reset, or another organisation.
    """
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
    _restore(rehearsal)
    owned: dict[Model, Any] = {
        Customer: Customer.polar_id.in_(mine),
        Subscription: Subscription.customer_id.in_(mine),
        Grant: Grant.customer_id.in_(mine),
    }
    missing = [
        (model, polar_id)
        for model, belongs in owned.items()
        for polar_id in db.session.scalars(
            select(model.polar_id).where(belongs, _runs_here()[model])
        )
        if polar_id not in {str(answer.data.get("id")) for answer in reading.answers[model]}
    ]
    db.session.rollback()
    return [each for model, polar_id in missing for each in settle(model, polar_id, rehearsal)]


def of_everybody(seen: set[str], rehearsal: Rehearsal | None = None) -> Iterator[tuple[Model, str]]:
    """Yield what runs here and is not among the ids ``seen`` in Polar's lists."""
    for model, runs_here in _runs_here().items():
        _restore(rehearsal)
        ids = db.session.scalars(
            select(model.polar_id).where(runs_here).order_by(model.polar_id)
        ).all()
        db.session.rollback()
        for polar_id in ids:
            if polar_id not in seen:
                yield model, polar_id


def settle(model: Model, polar_id: str, rehearsal: Rehearsal | None = None) -> list[Difference]:
    """Ask for one object by its id; end it here when Polar does not have it any more."""
    try:
        answer = SINGLE[model](polar_id)
    except PolarNotFound:
        return _end(model, polar_id, rehearsal)
    return reconcile.keep_of(model, [answer], rehearsal)


def _runs_here() -> dict[Model, Any]:
    return {
        Customer: Customer.deleted_at.is_(None),
        Subscription: Subscription.ended_at.is_(None),
        Grant: Grant.is_granted,
    }


def _restore(rehearsal: Rehearsal | None) -> None:
    """Look at things as a rehearsal would have left them; the caller rolls back."""
    if rehearsal is not None:
        start_write()
        rehearsal.restore()


def _end(model: Model, polar_id: str, rehearsal: Rehearsal | None) -> list[Difference]:
    """Write that it is over. Dated now, so that an old delivery which is still on its way changes nothing."""
    now = utcnow()
    endings: dict[Model, dict[str, Any]] = {
        Customer: {"deleted_at": now, "external_id": None, "email": "", "name": None},
        Subscription: {"status": "canceled", "ended_at": now},
        Grant: {"is_granted": False},
    }
    start_write()
    if rehearsal is not None:
        rehearsal.restore({model: [polar_id]})
    row = db.session.get_one(model, polar_id)
    columns = {attribute.key for attribute in db.inspect(model).column_attrs} - NOT_SHOWN
    values = {name: getattr(row, name) for name in columns} | {
        "modified_at": now,
        "observed_at": now,
    }
    db.session.expunge(row)
    ending = store.Gathering()
    ending.keep_newer(model, values | endings[model])
    return differences.write(ending, rehearsal)


def _grant(polar_id: str) -> Answer:
    """Return a grant, which can only be found among those of its customer. Raises ``PolarNotFound``."""
    customer_id = db.session.get_one(Grant, polar_id).customer_id
    db.session.rollback()
    for answer in gateway.customer_grants(customer_id):
        if answer.data.get("id") == polar_id:
            return answer
    raise PolarNotFound(f"grant {polar_id}: not among those of customer {customer_id}")


SINGLE: dict[Model, Callable[[str], Answer]] = {
    Customer: gateway.customer,
    Subscription: gateway.subscription,
    Grant: _grant,
}
