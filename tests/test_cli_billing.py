"""``flask billing sync`` and ``replay`` against the local Polar: what was lost is found, told and healed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from polar_emulator.testing import LocalPolar
from saas.accounts.models import User
from saas.audit import AuditEntry
from saas.billing import entitlements, gateway, pace
from saas.billing.models import Customer, Grant, Product, Subscription
from saas.extensions import db
from saas.kit.datetimes import utcnow
from saas.webhooks import handlers
from tests.billing.buying import buy, fill_catalogue
from tests.billing.catalogue_data import product, put
from tests.browsing import sign_in


def run(app: Flask, *words: str, code: int = 0) -> str:
    result = app.test_cli_runner().invoke(args=["billing", *words])
    assert result.exit_code == code, result.output
    return result.output


def api(polar: LocalPolar) -> Any:
    import httpx

    headers = {"Authorization": f"Bearer {polar.token}"}
    return httpx.Client(base_url=polar.url, headers=headers, trust_env=False)


@pytest.fixture
def subscriber(polar_app: Flask, polar: LocalPolar) -> str:
    """Somebody on the Pro plan; returns the public id."""
    ids = fill_catalogue(polar_app)
    client, public_id = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    return public_id


def plan(app: Flask) -> tuple[str, str]:
    with app.app_context():
        entitled = entitlements.for_user(db.session.scalars(select(User)).one())
        return entitled.plan.key, entitled.status


def test_nothing_to_do_is_said(polar_app: Flask, subscriber: str) -> None:
    output = run(polar_app, "sync")
    assert "calls, at least" in output
    assert "Our copy agrees with Polar." in output


@pytest.mark.parametrize("words", [(), ("ada@example.com",)], ids=["all", "one"])
def test_what_was_lost_is_shown_then_healed(
    polar_app: Flask, polar: LocalPolar, subscriber: str, words: tuple[str, ...]
) -> None:
    with api(polar) as client:
        [found] = client.get("/v1/subscriptions/").json()["items"]
        client.patch(f"/v1/subscriptions/{found['id']}", json={"revoke": True})
    polar.wait_idle()
    output = run(polar_app, "sync", *words, "--dry-run")
    assert f"subscription {found['id']}" in output
    assert "status active -> canceled" in output
    assert "nothing was changed" in output
    assert plan(polar_app) == ("pro", "active")
    assert "found and healed" in run(polar_app, "sync", *words)
    assert plan(polar_app) == ("free", "canceled")
    assert "Our copy agrees with Polar." in run(polar_app, "sync", *words)


def test_somebody_new_is_found(polar_app: Flask, polar: LocalPolar, subscriber: str) -> None:
    with polar_app.app_context():
        for model in (Subscription, Grant, Customer):
            db.session.execute(db.delete(model))
        db.session.commit()
    output = run(polar_app, "sync")
    assert "was missing here" in output
    assert plan(polar_app) == ("pro", "active")


def test_customer_deleted_at_polar_ends_here(
    polar_app: Flask, polar: LocalPolar, subscriber: str
) -> None:
    with api(polar) as client:
        client.delete(f"/v1/customers/external/{subscriber}")
    polar.wait_idle()
    run(polar_app, "sync")
    assert plan(polar_app) == ("free", "canceled")
    with polar_app.app_context():
        customer = db.session.scalars(select(Customer)).one()
        assert customer.deleted_at is not None
        assert customer.user_id is not None


def test_what_polar_does_not_list_ends(polar_app: Flask, subscriber: str) -> None:
    """As after a mishap with a backup: a subscription is here that Polar knows nothing of."""
    with polar_app.app_context():
        real = db.session.scalars(select(Subscription)).one()
        columns = {c.name: getattr(real, c.name) for c in Subscription.__table__.columns}
        ghost = "00000000-0000-4000-8000-000000000000"
        db.session.add(Subscription(**columns | {"polar_id": ghost}))
        db.session.commit()
    output = run(polar_app, "sync", "--dry-run")
    assert f"subscription {ghost}" in output
    run(polar_app, "sync")
    with polar_app.app_context():
        assert db.session.get_one(Subscription, ghost).has_ended
    assert plan(polar_app) == ("pro", "active")


def test_another_organisation_ends_nothing(polar_app: Flask, subscriber: str) -> None:
    with polar_app.app_context():
        db.session.execute(db.delete(Product))
        row = {"created_at": db.func.now(), "modified_at": db.func.now()}
        db.session.execute(
            db.insert(Product).values(
                polar_id="elsewhere", name="Other", visibility="public", is_archived=False,
                prices=[], benefits=[], meta={}, observed_at=db.func.now(), **row,
            )
        )  # fmt: skip
        db.session.commit()
    assert "another organisation" in run(polar_app, "sync", code=1)
    assert plan(polar_app)[1] == "active"


def test_polar_down_is_one_sentence(polar_app: Flask, polar: LocalPolar, subscriber: str) -> None:
    polar.faults(api="500")
    assert "Polar did not answer as it should." in run(polar_app, "sync", code=1)


def test_replay_asks_for_what_failed(polar_app: Flask, polar: LocalPolar, subscriber: str) -> None:
    with api(polar) as client:
        types = [name for name, handler in handlers.TABLE.items() if callable(handler)]
        nobody = {"url": "http://127.0.0.1:9/", "format": "raw", "events": types}
        client.post("/v1/webhooks/endpoints", json=nobody)
        client.patch(f"/v1/customers/external/{subscriber}", json={"name": "New"})
    polar.wait_idle()
    output = run(polar_app, "replay", "--days", "0")
    assert output.strip() == "Polar reports nothing that failed."
    output = run(polar_app, "replay")
    assert "customer.updated" in output
    assert "again." in output.splitlines()[-1]


def test_status_says_what_time_has_made_of_it(
    polar_app: Flask, polar: LocalPolar, subscriber: str
) -> None:
    """It was cancelled, its end has come, and no webhook told us that."""
    yesterday = utcnow() - timedelta(days=1)
    with polar_app.app_context():
        db.session.execute(
            update(Subscription).values(cancel_at_period_end=True, ends_at=yesterday)
        )
        db.session.commit()
    facts = json.loads(run(polar_app, "status", "ada@example.com", "--json"))
    assert (facts["plan"], facts["status"]) == ("free", "canceled")
    assert [each["status"] for each in facts["subscriptions"]] == ["canceled"]


def test_pace_is_even_and_waits_out_what_polar_asks(app: Flask) -> None:
    now, naps = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds

    steady = pace.Pace(60, sleep=sleep, clock=lambda: now[0])
    for _ in range(4):
        steady.take_turn()
    steady.rest(60)
    assert naps == [1.0, 1.0, 1.0, 60]
    assert steady.calls == 4


@pytest.mark.parametrize(("server", "rate"), [("sandbox", 60), ("production", 300)])
def test_pace_leaves_the_pages_their_share(app: Flask, server: str, rate: float) -> None:
    from dataclasses import replace

    from saas.config import current

    with app.app_context():
        there = replace(current(), polar_api_url="https://api.example.com", polar_server=server)
        assert pace.calls_per_minute(there) == rate
        assert pace.calls_per_minute(replace(there, polar_calls_per_minute=90)) == 90


def test_calls_wait_for_their_turn_and_come_back(
    polar_app: Flask, polar: LocalPolar, monkeypatch: pytest.MonkeyPatch
) -> None:
    rests = list[float]()
    steady = pace.Pace(1e9, sleep=lambda seconds: None)

    def rest(seconds: float) -> None:
        rests.append(seconds)
        polar.faults(api=None)

    monkeypatch.setattr(steady, "rest", rest)
    polar.faults(api="429")
    with polar_app.app_context(), pace.keeping(steady):
        assert list(gateway.products())
    assert rests == [60]


def test_a_day_without_polar_and_without_deliveries(
    polar_app: Flask, polar: LocalPolar, subscriber: str
) -> None:
    polar.faults(drop_webhooks=True)
    with api(polar) as client:
        [found] = client.get("/v1/subscriptions/").json()["items"]
        path = f"/v1/subscriptions/{found['id']}"
        client.patch(path, json={"cancel_at_period_end": True}).raise_for_status()
        polar.advance(86_400)
        client.patch(path, json={"cancel_at_period_end": False}).raise_for_status()
        polar.advance(32 * 86_400)
        client.delete(path).raise_for_status()
    polar.wait_idle()
    polar.faults(api="down", drop_webhooks=False)
    run(polar_app, "sync", code=1)
    assert plan(polar_app) == ("pro", "active")
    polar.faults(api=None)
    run(polar_app, "sync")
    assert plan(polar_app) == ("free", "canceled")
    assert "Our copy agrees with Polar." in run(polar_app, "sync")


@pytest.mark.parametrize("arguments", [["ada@example.com"], []], ids=["one", "everybody"])
def test_a_polar_that_began_anew_leaves_nothing_behind(
    polar_app: Flask, polar: LocalPolar, arguments: list[str]
) -> None:
    """The local Polar was reset: what it sold, and a product that was added there, are gone."""
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.app_context():
        put(product("Added there"))
    polar.reset()
    result = polar_app.test_cli_runner().invoke(args=["billing", "sync", *arguments])
    assert result.exit_code == 0, result.output
    status = polar_app.test_cli_runner().invoke(
        args=["billing", "status", "ada@example.com", "--json"]
    )
    facts = json.loads(status.output)
    assert (facts["plan"], facts["features"]) == ("free", [])
    assert {each["status"] for each in facts["subscriptions"]} == {"canceled"}
    with polar_app.app_context():
        shown = db.session.scalars(db.select(Product.name).where(Product.is_archived.is_(False)))
        assert "Added there" not in set(shown)
    assert client.get("/dashboard/reports").status_code == 303


def test_one_customer_is_not_ended_by_a_mix_up_of_tokens(
    polar_app: Flask, polar: LocalPolar, subscriber: str
) -> None:
    with polar_app.app_context():
        for known in db.session.scalars(select(Product)):
            known.polar_id = known.polar_id[::-1]
        db.session.commit()
    assert "another organisation" in run(polar_app, "sync", "ada@example.com", code=1)
    with polar_app.app_context():
        assert db.session.scalar(select(Subscription.status)) == "active"


def test_what_a_sync_healed_is_in_the_audit_log(polar_app: Flask, subscriber: str) -> None:
    for words, action, subject in (
        (("ada@example.com",), "user.synced", subscriber),
        ((), "billing.synced", ""),
    ):
        with polar_app.app_context():
            stale = {"status": "past_due", "observed_at": datetime(2020, 1, 1, tzinfo=UTC)}
            db.session.execute(update(Subscription).values(stale))
            db.session.commit()
        run(polar_app, "sync", "--dry-run", *words)
        run(polar_app, "sync", *words)
        run(polar_app, "sync", *words)
        with polar_app.app_context():
            entries = db.session.scalars(select(AuditEntry).filter_by(action=action)).all()
            [entry] = entries
            assert (entry.actor, entry.subject) == ("command line", subject)
            assert "status past_due -> active" in entry.details["differences"][0]
