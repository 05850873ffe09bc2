"""What is asked at every delivery, or page, reads no table from end to end: there may be a million rows."""

import re
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import event, text

from saas.billing import carried_over, claims, outstanding
from saas.billing.models import Subscription
from saas.extensions import db, start_write
from tests.billing.holding_data import NOW, key, put_subscription
from tests.people import make_user

# In the words of SQLite, and in those of PostgreSQL, where an index without a condition is read whole, too.
# Few customers are unclaimed, so their index may be.
UNCLAIMED = "ix_billing_customers_unclaimed"
WHOLE = re.compile(
    rf"^SCAN (\w+)|Scan (?:using (?!{UNCLAIMED} )\w+ )?on (\w+)[^\n]*(?!\n +(?:Index|Recheck) Cond:)$",
    re.MULTILINE,
)


def read_whole(act: Callable[[], object]) -> set[str]:
    """The tables that the queries of an act read from end to end, however few rows there are now."""
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append((statement, parameters))

    engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    db.session.rollback()
    explain = "EXPLAIN QUERY PLAN "
    if engine.dialect.name == "postgresql":
        explain = "EXPLAIN "
        # What it likes best while there are no rows.
        for way in ("seqscan", "hashjoin", "mergejoin"):
            db.session.execute(text(f"SET LOCAL enable_{way} = off"))
    connection = db.session.connection()
    plans = [connection.exec_driver_sql(explain + said, given).all() for said, given in seen]
    db.session.rollback()
    assert plans
    words = ["\n".join(str(row[-1]) for row in plan) for plan in plans]
    return {"".join(found) for plan in words for found in WHOLE.findall(plan)}


def test_a_cancellation_that_was_carried_over(app: Flask) -> None:
    with app.app_context():
        assert read_whole(lambda: carried_over.ask_for({key("an order"), key("another")})) == set()


def test_a_purchase_of_somebody_who_may_be_here(app: Flask) -> None:
    with app.app_context():
        bought = {"polar_id": key("bought"), "external_id": None, "deleted_at": None}
        assert read_whole(lambda: claims.after_change([bought])) == set()


def test_what_waits_for_the_next_invoice(app: Flask) -> None:
    with app.app_context():
        polar_id = put_subscription(make_user(), current_period_start=NOW.isoformat())
        start_write()
        row = db.session.get_one(Subscription, polar_id)
        change = {
            "subscription_id": polar_id, "at": NOW, "period_start": row.current_period_start,
            "product_id": row.product_id, "amount": 100, "currency": "usd",
        }  # fmt: skip
        db.session.add(outstanding.PriceChange(**change))
        db.session.commit()
        found = db.session.get_one(Subscription, polar_id)
        assert read_whole(lambda: outstanding.total(found)) == set()
