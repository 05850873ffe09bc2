"""A plan given away: it adds, it ends by itself, it can be taken back, and everybody is told."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from saas.accounts.models import User
from saas.billing import entitlements
from saas.billing.comps import Comp
from saas.billing.entitlements import Entitlements
from saas.extensions import db
from saas.kit.datetimes import utcnow
from tests.backoffice.conftest import STAFF
from tests.backoffice.staffing import log, press
from tests.billing.catalogue_data import product, put
from tests.billing.holding_data import FEATURES, PRICES, key, put_order, put_subscription, stamps
from tests.billing.test_queries import counted
from tests.browsing import PASSWORD, csrf_token, sign_in, soup, submit

TODAY = utcnow().date()


@pytest.fixture
def ada(app: Flask) -> tuple[FlaskClient, str]:
    """An ordinary user, and a catalogue with benefits."""
    with app.app_context():
        put(*(plan(name) for name in ("Free", "Pro", "Team")))
    return sign_in(app)


def plan(name: str) -> dict[str, object]:
    benefits = [
        {**stamps(), "id": key(*meta.values()), "type": "feature_flag", "metadata": meta}
        | {"description": f"{name} {meta['feature']}"}
        for meta in FEATURES[name]
    ]
    return product(name, PRICES[name], metadata={"plan": name.lower()}, benefits=benefits)


def give(
    staff: FlaskClient, public_id: str, name: str = "Team", days: int = 10, **over: str
) -> str:
    page = f"/staff/users/{public_id}/comp"
    fields = {
        "product_id": str(plan(name)["id"]),
        "last_day": (TODAY + timedelta(days=days)).isoformat(),
        "reason": "Lost a day to our outage.",
    }
    return press(staff, page, page, **(fields | over)).text


def entitled(app: Flask, public_id: str) -> Entitlements:
    with app.app_context():
        user = db.session.scalars(db.select(User).filter_by(public_id=public_id)).one()
        return entitlements.for_user(user)


def pays(app: Flask, public_id: str, name: str, **changes: object) -> None:
    with app.app_context():
        user = db.session.scalars(db.select(User).filter_by(public_id=public_id)).one()
        put_subscription(user, name, **changes)


def test_two_clicks_give_one_plan(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    _, public_id = ada
    page = f"/staff/users/{public_id}/comp"
    fields = {"product_id": str(plan("Team")["id"]), "reason": "Lost a day to our outage."}
    fields["last_day"] = (TODAY + timedelta(days=10)).isoformat()
    again = app.test_client()
    submit(again, "/login", email=STAFF, password=PASSWORD)
    clicks = [staff, again]
    tokens = [csrf_token(click, page) for click in clicks]

    def give_now(click: FlaskClient, token: str) -> int:
        return click.post(page, data=fields | {"csrf_token": token}).status_code

    with ThreadPoolExecutor(len(clicks)) as pool:
        assert list(pool.map(give_now, clicks, tokens)) == [303, 303]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Comp)) == 1
    assert len(log(app, "comp.given")) == 1


def test_it_grants_until_the_end_of_its_day(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    client, public_id = ada
    assert "Team is given until the end of" in give(staff, public_id, days=10)
    now = entitled(app, public_id)
    assert (now.plan.key, now.status) == ("team", "comped")
    assert now.features == {"projects", "reports", "api"}
    assert now.limit("projects") == 100
    assert now.has_plan("team")
    assert client.get("/dashboard/reports").status_code == 200
    page = soup(client.get("/settings/billing")).select_one('[data-testid="gift"]')
    last = TODAY + timedelta(days=10)
    assert page is not None
    assert f"We have given you Team until {last.day} {last:%B %Y}. It ends by itself." in page.text
    with time_machine.travel(f"{last}T23:59:30+00:00", tick=False):
        assert entitled(app, public_id).plan.key == "team"
    with time_machine.travel(f"{last + timedelta(days=1)}T00:00:00+00:00", tick=False):
        assert entitled(app, public_id) == entitlements.FREE


def test_everything_about_it_is_written_down(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    give(staff, ada[1])
    [entry] = log(app, "comp.given")
    assert (entry.actor, entry.subject, entry.reason) == (
        STAFF,
        ada[1],
        "Lost a day to our outage.",
    )
    assert entry.details["until"] == (TODAY + timedelta(days=10)).isoformat()
    page = staff.get("/staff/log?subject=ada@example.com&action=comp.given").text
    assert "gave a plan" in page
    assert "Lost a day to our outage." in page


def test_it_can_be_taken_back_once(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    _, public_id = ada
    give(staff, public_id)
    link = soup(staff.get(f"/staff/users/{public_id}")).select_one('[data-testid="comp"] a')
    assert link is not None
    end = str(link["href"])
    assert "Say why" in press(staff, end, end, reason="").text
    assert entitled(app, public_id).plan.key == "team"
    assert "Team is taken back." in press(staff, end, end, reason="Wrong person.").text
    assert entitled(app, public_id).plan.key == "free"
    assert staff.get(end).status_code == 404
    [entry] = log(app, "comp.revoked")
    assert entry.reason == "Wrong person."


def test_a_smaller_gift_takes_nothing_away(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    client, public_id = ada
    pays(app, public_id, "Team")
    before = entitled(app, public_id)
    give(staff, public_id, "Pro")
    now = entitled(app, public_id)
    assert (now.plan, now.status) == (before.plan, "active")
    assert now.features >= before.features
    assert now.limits == before.limits
    words = client.get("/settings/billing").text
    assert "You go on paying for Team as before" in words
    assert "Team is the bigger plan or the same" in words


def test_a_bigger_gift_counts_while_the_smaller_plan_is_paid_for(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    client, public_id = ada
    pays(app, public_id, "Pro")
    give(staff, public_id, "Team")
    now = entitled(app, public_id)
    assert (now.plan.key, now.plan_keys) == ("team", {"pro", "team"})
    words = client.get("/settings/billing").text
    assert "You go on paying for Pro as before" in words
    assert "Team is the bigger plan, so it is the one that counts." in words


def test_the_same_plan_twice_is_the_one_that_is_paid_for(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    pays(app, ada[1], "Pro")
    give(staff, ada[1], "Pro")
    assert entitled(app, ada[1]).status == "active"


def test_a_gift_outlives_the_end_of_what_was_paid(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    client, public_id = ada
    pays(app, public_id, "Team", status="past_due", past_due_at=utcnow().isoformat())
    give(staff, public_id, "Pro")
    assert entitled(app, public_id).plan.key == "pro"
    assert entitled(app, public_id).past_due_at is not None
    assert client.get("/dashboard/reports").status_code == 200


def test_a_gift_beside_a_one_time_purchase(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    with app.app_context():
        put_order(db.session.scalars(db.select(User).filter_by(public_id=ada[1])).one())
    give(staff, ada[1], "Team")
    assert entitled(app, ada[1]).plan_keys == {"lifetime", "team"}


def test_who_has_a_gift_can_still_buy_the_plan(
    staff: FlaskClient, ada: tuple[FlaskClient, str]
) -> None:
    client, public_id = ada
    give(staff, public_id, "Pro")
    buttons = [form.get_text(strip=True) for form in soup(client.get("/pricing")).select("form")]
    assert "Choose Pro" in buttons


def test_it_costs_no_query_more(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    give(staff, ada[1])
    with counted(app) as seen:
        ada[0].get("/dashboard")
    assert len(seen) <= 2


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"last_day": (TODAY - timedelta(days=1)).isoformat()}, "This day is over already."),
        ({"last_day": "9999-12-31"}, "Choose a day within five years."),
        ({"last_day": "soon"}, "Choose a day."),
        ({"last_day": ""}, "Choose a day."),
        ({"reason": " "}, "Say why"),
        ({"product_id": "no-such-plan"}, "Not a valid choice."),
    ],
)
def test_nonsense_gives_nothing(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str], wrong: dict[str, str], words: str
) -> None:
    assert words in give(staff, ada[1], **wrong)
    assert log(app, "comp.given") == []
    assert entitled(app, ada[1]) == entitlements.FREE


def test_a_gift_goes_with_the_account(
    staff: FlaskClient, app: Flask, ada: tuple[FlaskClient, str]
) -> None:
    give(staff, ada[1])
    with app.app_context():
        db.session.delete(db.session.scalars(db.select(User).filter_by(public_id=ada[1])).one())
        db.session.commit()
    page = staff.get("/staff/log?action=comp.given").text
    assert ada[1] in page
    assert "ada@example.com" not in page.split('data-testid="log"')[1]
