"""Compare our copy with Polar for every customer at once, and heal what is different.

Polar's lists hold a hundred objects a page, so everything is read list by list instead of customer by
customer: ten thousand customers take some hundred calls. Each page is one transaction. How far a run has
come is written down, so that one that was interrupted goes on where it was; then it reads again what had been
read before, which may have changed since. So a run that ends has read everything after it was called, and one
that is always interrupted comes to every page all the same.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from saas.accounts.models import User
from saas.billing import claims, differences, gateway, reconcile, runs, vanished
from saas.billing.differences import Difference
from saas.billing.models import Customer, Grant, Order, Product, Subscription
from saas.billing.rehearsal import Rehearsal
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
    """What a survey has before it: the pages of each list, and how many of them are left for the end.

    These an earlier run had read when it was interrupted. ``found`` is what was different in the catalogue.
    """

    pages: dict[Model, int]
    run_id: int | None = None
    again: int = 0
    found: list[Difference] = field(default_factory=list)
    rehearsal: Rehearsal | None = None

    @property
    def steps(self) -> list[tuple[Model, int]]:
        """Every page of every list, in the order in which they are read."""
        steps = [(model, number + 1) for model in STAGES for number in range(self.pages[model])]
        return steps[self.again :] + steps[: self.again]

    @property
    def calls(self) -> int:
        """How many calls it takes, as far as it can be known."""
        return sum(self.pages.values())

    @property
    def is_resumed(self) -> bool:
        """True when an earlier run was interrupted and goes on now."""
        return self.again > 0


def prepare(*, dry_run: bool = False, restart: bool = False) -> Plan:
    """Read the catalogue, count the pages, and find out where to begin.

    Raises ``OtherOrganization`` or ``gateway.PolarError``; nothing but the catalogue is changed then.
    """
    rehearsal = Rehearsal() if dry_run else None
    found = read_catalogue(rehearsal)
    pages = {
        model: gateway.page(path, 1, _query(model)).last for model, (path, _) in STAGES.items()
    }
    if dry_run:
        return Plan(pages, found=found, rehearsal=rehearsal)
    start_write()
    run = None if restart else runs.interrupted()
    if run is None:
        run = SyncRun(stage=Customer.__tablename__, page=0)
        db.session.add(run)
    again = _done(run, pages)
    db.session.commit()
    return Plan(pages, run.id, again, found)


def run(plan: Plan, progress: Progress = lambda calls: None) -> list[Difference]:
    """Read every page, heal what is different, and return the differences.

    What runs here but is not in Polar's lists is asked for by its id and ended when it is gone. A purchase
    that could not be given to its owner is among the differences, as ``unlinked``.
    Raises ``gateway.PolarError``; what was done until then stays, and the next run goes on from there.
    """
    found, seen, rehearsal = list(plan.found), set[str](), plan.rehearsal
    for model, number in plan.steps:
        answers = gateway.page(STAGES[model][0], number, _query(model)).items
        seen.update(str(answer.data.get("id")) for answer in answers)
        found += reconcile.keep_of(model, answers, rehearsal)
        _note(plan, model, number, len(found))
        progress(1)
    if rehearsal is None:
        found += link_strangers()
    for missing in vanished.of_everybody(seen, rehearsal):
        found += vanished.settle(*missing, rehearsal)
    if plan.run_id is not None:
        runs.change(plan.run_id, finished_at=utcnow(), differences=len(found))
    return found


def link_strangers(only: int | None = None) -> list[Difference]:
    """Give people, or one of them, what waits for them since it did not work before.

    Returns what could not be given. One that fails holds up no other.
    """
    waiting: dict[int, list[str]] = {} if only is None else {only: []}
    for user_id, polar_id in claims.waiting():
        if only in {None, user_id}:
            waiting.setdefault(user_id, []).append(polar_id)
    failed = []
    for user_id, polar_ids in waiting.items():
        if problem := _link(user_id):
            failed += [differences.unlinked(polar_id, problem) for polar_id in polar_ids]
    return failed


def _link(user_id: int) -> str:
    """Give one user what waits for them. Returns what is wrong, if it does not work."""
    try:
        claims.claim(db.session.get_one(User, user_id))
    except Exception as error:
        db.session.rollback()
        log.exception("what waits for user %s could not be linked", user_id)
        return str(getattr(error, "detail", "")) or str(error)
    return ""


def read_catalogue(rehearsal: Rehearsal | None = None) -> list[Difference]:
    """Read the products, and refuse to take a mix-up of tokens for the end of every customer.

    Returns what was different. Raises ``OtherOrganization`` or ``gateway.PolarError``, and changes nothing
    then.
    """
    known = set(db.session.scalars(select(Product.polar_id)))
    db.session.rollback()
    shown = list(gateway.products())
    if known and not known & {str(answer.data.get("id")) for answer in shown}:
        raise OtherOrganization
    return reconcile.keep_catalogue(shown, rehearsal)


def _query(model: Model) -> dict[str, str]:
    return {"sorting": STAGES[model][1]}


def _done(run: SyncRun, pages: dict[Model, int]) -> int:
    """Return how many pages, counted from the first one, an interrupted run has behind it."""
    done = 0
    for model in STAGES:
        if model.__tablename__ == run.stage:
            return done + min(run.page, pages[model])
        done += pages[model]
    return 0


def _note(plan: Plan, model: Model, number: int, differences: int) -> None:
    if plan.run_id is not None:
        runs.change(plan.run_id, stage=model.__tablename__, page=number, differences=differences)
