"""Nothing changes without a token of this very session: walked over the whole URL map."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from saas.accounts.models import User
from saas.extensions import db, limiter
from tests.accounts.pages import PASSWORD as OWN_PASSWORD
from tests.accounts.pages import make_user, newest_link, sign_up
from tests.billing.holding_data import put_subscription
from tests.browsing import PASSWORD, csrf_token, sign_in
from tests.security.routes import addresses, doors

FIELDS = {
    "email": "eve@example.com",
    "password": PASSWORD,
    "current_password": PASSWORD,
    "product_id": "6f1c0f6a-1111-4222-8333-444455556666",
    "months": "1",
    "reason": "other",
}


def rows(app: Flask) -> dict[str, list[Any]]:
    with app.app_context():
        found = {
            table.name: list(map(tuple, db.session.execute(select(table)).all()))
            for table in db.metadata.sorted_tables
        }
        db.session.remove()
        return found


@pytest.fixture(params=["signed in", "signed out"])
def client_and_token(request: pytest.FixtureRequest, app: Flask) -> tuple[Any, str]:
    ada, _ = sign_in(app)
    with app.app_context():
        put_subscription(db.session.scalars(select(User)).one())
        db.session.commit()
    client = ada if request.param == "signed in" else app.test_client()
    return client, csrf_token(app.test_client())  # A token, but of another session.


def test_no_door_opens_without_a_token_or_with_a_strangers(
    app: Flask, client_and_token: tuple[FlaskClient, str]
) -> None:
    client, strangers = client_and_token
    client.get("/forgot-password")
    before = rows(app)
    for method, url in doors(app):
        for token in (None, "", "nonsense", strangers):
            for kind in ("form", "json", "header"):
                limiter.reset()
                answer = _try(client, method, url, token, kind)
                where = (method, url, token and token[:9], kind, answer.status_code)
                assert answer.status_code in {400, 404, 410, 422}, where
    assert rows(app) == before


def test_there_are_doors_to_try(app: Flask) -> None:
    found = {url for _, url in doors(app)}
    assert {"/login", "/logout", "/checkout", "/api/billing/checkout"} <= found
    assert len(found) >= 20


def _try(client: FlaskClient, method: str, url: str, token: str | None, kind: str) -> Any:
    if kind == "json":
        body = FIELDS if token is None else FIELDS | {"csrf_token": token}
        return client.open(url, method=method, json=body)
    if kind == "header" and token is not None:
        return client.open(url, method=method, data=FIELDS, headers={"X-CSRFToken": token})
    return client.open(url, method=method, data=FIELDS | ({"csrf_token": token} if token else {}))


def test_a_mailed_link_needs_its_own_token_too(app: Flask, client: FlaskClient) -> None:
    sign_up(client)
    link = newest_link(app, "/confirm/")
    before = rows(app)
    for data in ({}, {"csrf_token": csrf_token(app.test_client())}):
        answer = client.post(link, data={"password": OWN_PASSWORD, **data})
        assert answer.status_code == 422
    assert rows(app) == before


def test_safe_methods_change_nothing(app: Flask) -> None:
    make_user(app)
    client, _ = sign_in(app, "bob@example.com")
    before = rows(app)
    for url in addresses(app, "GET"):
        limiter.reset()
        client.get(url, query_string=FIELDS)
        client.head(url, query_string=FIELDS)
        client.options(url, query_string=FIELDS)
    assert rows(app) == before


def test_the_cookie_is_not_sent_along_by_other_sites(client: FlaskClient) -> None:
    assert "SameSite=Lax" in client.get("/forgot-password").headers["Set-Cookie"]
