"""Compare our copy with Polar for every customer at once, and heal what is different.

Polar's lists hold a hundred objects a page, so everything is read list by list instead of customer by
customer: ten thousand customers take some hundred calls. Each page is one transaction. How far a run has
come is written down, so that one that was interrupted goes on where it was.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, update

from saas.accounts.models import User
from saas.billing import customers, gateway, reconcile, store
from saas.billing.differences import Difference, Watch
from saas.billing.gateway import Answer, PolarNotFound
from saas.billing.models import Customer, Grant, Order, Product, Subscription
from saas.billing.runs import SyncRun
from saas.errors import AppError
from saas.extensions import db, start_write
from saas.kit.datetimes import utcnow

STAGES: dict[Any, tuple[str, str]] = {
    # The oldest first: what is made meanwhile comes at the end, and no page is pushed on.
    Customer: ("/v1/customers/", "created_at"),
    Subscription: ("/v1/subscriptions/", "started_at"),
    Order: ("/v1/orders/", "created_at"),
    Grant: ("/v1/benefit-grants/", "created_at"),
}
SINGLE: dict[Any, Callable[[str], Answer]] = {
    Customer: gateway.customer,
    Subscription: gateway.subscription,
}
STALE = timedelta(days=1)  # A run that was interrupted longer ago begins anew.

log = logging.getLogger(__name__)

Model = type[Any]  # Customer, Subscription, Order or Grant.
Progress = Callable[[int], None]


class OtherOrganization(AppError):
    """The token reads another organisation than the one that our copy comes from."""

    code = "other_organization"
    message = (
        "None of the products that we know are at this Polar, so the token belongs to another "
        "organisation or server. Nothing was changed."
    )


@dataclass
class Plan:
    """What a survey has before it: the pages of each list, and where to begin."""

    pages: dict[Model, int]
    run_id: int | None = None
    done: dict[Model, int] = field(default_factory=dict)

    @property
    def calls(self) -> int:
        """How many calls it takes, as far as it can be known."""
        return sum(max(self.pages[model] - self.done.get(model, 0), 0) for model in STAGES)

    @property
    def is_resumed(self) -> bool:
        """True when an earlier run was interrupted and goes on now."""
        return bool(self.done)


def prepare(*, dry_run: bool = False, restart: bool = False) -> Plan:
    """Read the catalogue, count the pages, and find out where to begin.

    Raises ``OtherOrganization`` or ``gateway.PolarError``; nothing but the catalogue is changed then.
    """
    read_catalogue(dry_run)
    pages = {
        model: gateway.page(path, 1, _query(model)).last for model, (path, _) in STAGES.items()
    }
    if dry_run:
        return Plan(pages)
    run = None if restart else _interrupted_run()
    if run is None:
        run = SyncRun(stage=Customer.__tablename__, page=0)
        db.session.add(run)
    done = _done(run, pages)
    db.session.commit()
    return Plan(pages, run.id, done)


def run(
    plan: Plan, progress: Progress = lambda calls: None, *, dry_run: bool = False
) -> list[Difference]:
    """Read every page, heal what is different, and return the differences.

    What runs here but is not in Polar's lists is asked for by its id and ended when it is gone.
    Raises ``gateway.PolarError``; what was done until then stays, and the next run goes on from there.
    """
    began, found, seen = utcnow(), list[Difference](), set[str]()
    for model in STAGES:
        for number in range(plan.done.get(model, 0) + 1, plan.pages[model] + 1):
            answers = gateway.page(STAGES[model][0], number, _query(model)).items
            seen.update(str(answer.data.get("id")) for answer in answers)
            found += _keep(model, answers, dry_run)
            _note(plan, model, number, len(found))
            progress(1)
    if not dry_run:
        _link_strangers()
    for missing in _orphans(plan, seen, began):
        found += _settle(*missing, dry_run)
    if plan.run_id is not None:
        _change_run(plan.run_id, finished_at=utcnow(), differences=len(found))
    return found


def _link_strangers() -> None:
    """Give people what waits for them, where that did not work when they proved their address."""
    for user_id in customers.waiting_users():
        try:
            customers.claim(db.session.get_one(User, user_id))
        except customers.AddressTaken:
            log.warning("the address of user %s belongs to another customer at Polar", user_id)


def _keep(model: Model, answers: list[Answer], dry_run: bool) -> list[Difference]:
    reading = reconcile.Reading()
    reading.answers[model] = answers
    return reconcile.keep(reading, dry_run=dry_run)


def read_catalogue(dry_run: bool) -> None:
    """Read the products, and refuse to take a mix-up of tokens for the end of every customer.

    Raises ``OtherOrganization`` or ``gateway.PolarError``; nothing is changed then.
    """
    known = set(db.session.scalars(select(Product.polar_id)))
    db.session.rollback()
    shown = list(gateway.products())
    if known and not known & {str(answer.data.get("id")) for answer in shown}:
        raise OtherOrganization
    if not dry_run:
        reconcile.keep_catalogue(shown)


def settle_user(user: User, reading: reconcile.Reading, *, dry_run: bool) -> list[Difference]:
    """End what runs here for one user and was in no answer, once Polar says that it has it no more.

    It happens when Polar begins anew: the local one after a reset, or another organisation.
    """
    mine = select(Customer.polar_id).where(Customer.user_id == user.id)
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
    return [each for model, polar_id in missing for each in _settle(model, polar_id, dry_run)]


def _runs_here() -> dict[Model, Any]:
    return {
        Customer: Customer.deleted_at.is_(None),
        Subscription: Subscription.ended_at.is_(None),
        Grant: Grant.is_granted,
    }


def _orphans(plan: Plan, seen: set[str], began: datetime) -> Iterator[tuple[Model, str]]:
    """Yield what runs here and was in no list. A resumed run has not seen the pages before it itself."""
    since = db.session.get_one(SyncRun, plan.run_id).started_at if plan.is_resumed else began
    for model, runs_here in _runs_here().items():
        rows = db.session.execute(
            select(model.polar_id, model.observed_at).where(runs_here).order_by(model.polar_id)
        ).all()
        db.session.rollback()
        for polar_id, observed_at in rows:
            if polar_id not in seen and not (plan.is_resumed and observed_at >= since):
                yield model, polar_id


def _settle(model: Model, polar_id: str, dry_run: bool) -> list[Difference]:
    """Ask for one object by its id; end it here when Polar does not have it any more."""
    single = SINGLE.get(model)
    try:
        if single is not None:
            return _keep(model, [single(polar_id)], dry_run)
    except PolarNotFound:
        pass
    return _end(model, polar_id, dry_run)


def _end(model: Model, polar_id: str, dry_run: bool) -> list[Difference]:
    """Write that it is over. Dated now, so that an old delivery which is still on its way changes nothing."""
    now = utcnow()
    endings: dict[Model, dict[str, Any]] = {
        Customer: {"deleted_at": now, "external_id": None},
        Subscription: {"status": "canceled", "ended_at": now},
        Grant: {"is_granted": False},
    }
    start_write()
    watch = Watch(model, [polar_id])
    row = db.session.get_one(model, polar_id)
    columns = {attribute.key for attribute in db.inspect(model).column_attrs} - {"user_id"}
    values = {name: getattr(row, name) for name in columns} | {
        "modified_at": now,
        "observed_at": now,
    }
    db.session.expunge(row)
    store.keep_newer(model, values | endings[model])
    found = watch.differences()
    if dry_run:
        db.session.rollback()
    else:
        db.session.commit()
    return found


def _query(model: Model) -> dict[str, str]:
    return {"sorting": STAGES[model][1]}


def _interrupted_run() -> SyncRun | None:
    recent = SyncRun.started_at > utcnow() - STALE
    found = select(SyncRun).where(SyncRun.finished_at.is_(None), recent)
    return db.session.scalar(found.order_by(SyncRun.id.desc()).limit(1))


def _done(run: SyncRun, pages: dict[Model, int]) -> dict[Model, int]:
    """Return how many pages of each list an interrupted run has behind it."""
    done: dict[Model, int] = {}
    for model in STAGES:
        if model.__tablename__ == run.stage:
            return done | ({model: run.page} if run.page else {})
        done[model] = pages[model]
    return done


def _note(plan: Plan, model: Model, number: int, differences: int) -> None:
    if plan.run_id is not None:
        _change_run(plan.run_id, stage=model.__tablename__, page=number, differences=differences)


def _change_run(run_id: int, **changes: object) -> None:
    start_write()
    db.session.execute(
        update(SyncRun).where(SyncRun.id == run_id).values(changes)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    db.session.commit()


def last_finished() -> datetime | None:
    """Return when the last complete survey ended."""
    moment: datetime | None = db.session.scalar(select(func.max(SyncRun.finished_at)))
    return moment
