"""Kept pages: the same for all visitors, each with a token of their own, and never anybody else's page."""

import time
from collections.abc import Callable

import pytest
from flask import Flask

from polar_emulator.testing import LocalPolar
from saas.billing.models import Product
from saas.extensions import db
from tests.billing.buying import fill_catalogue
from tests.browsing import csrf_token, sign_in, soup, submit

SECONDS = 0.4


@pytest.fixture
def kept(make_app: Callable[..., Flask], clean: None) -> Flask:
    return make_app(page_cache_seconds=SECONDS)


def test_each_visitor_has_a_token_of_their_own(kept: Flask) -> None:
    one, two = kept.test_client(), kept.test_client()
    assert csrf_token(one) != csrf_token(two)
    assert csrf_token(kept.test_client()) not in one.get("/login").text


def test_a_kept_form_lets_in(kept: Flask) -> None:
    kept.test_client().get("/login")  # This visitor's page is the one that is kept.
    client, _ = sign_in(kept)
    assert client.get("/dashboard").status_code == 200


def test_the_token_of_another_visitor_is_worth_nothing(kept: Flask) -> None:
    theirs = csrf_token(kept.test_client())
    mine = kept.test_client()
    mine.get("/login")
    answer = mine.post(
        "/login", data={"email": "a@example.com", "password": "x", "csrf_token": theirs}
    )
    assert answer.status_code == 400


def test_who_is_signed_in_sees_their_own_page(kept: Flask) -> None:
    kept.test_client().get("/")
    client, _ = sign_in(kept, email="grace@example.com")
    assert "grace@example.com" in client.get("/").text
    assert "grace@example.com" not in kept.test_client().get("/").text


def test_where_the_application_is_mounted_makes_a_page_of_its_own(kept: Flask) -> None:
    client = kept.test_client()
    assert 'href="/elsewhere/' in client.get("/", base_url="http://127.0.0.1:8000/elsewhere").text
    assert "/elsewhere/" not in client.get("/", base_url="http://127.0.0.1:8000").text


def test_a_message_is_shown_once_and_not_kept(kept: Flask) -> None:
    client, _ = sign_in(kept)
    submit(client, "/logout", form_at="/dashboard")
    assert "You are signed out." in client.get("/").text
    assert "You are signed out." not in client.get("/").text
    assert "You are signed out." not in kept.test_client().get("/").text


def test_an_address_to_go_on_to_is_not_kept(kept: Flask) -> None:
    assert 'value="/dashboard"' in kept.test_client().get("/login?next=/dashboard").text
    assert 'value="/dashboard"' not in kept.test_client().get("/login").text


def test_a_change_shows_after_the_set_time(
    polar_app: Flask, polar: LocalPolar, kept: Flask
) -> None:
    fill_catalogue(polar_app)
    visitor = kept.test_client()
    assert "Pro Monthly" in visitor.get("/pricing").text
    assert "Pro Yearly" in visitor.get("/pricing?interval=year").text
    with kept.app_context():
        db.session.execute(db.update(Product).values(name="Something new"))
        db.session.commit()
    assert "Something new" not in visitor.get("/pricing").text
    time.sleep(SECONDS + 0.1)
    assert "Something new" in visitor.get("/pricing").text


def test_errors_of_a_form_are_not_kept(kept: Flask) -> None:
    client = kept.test_client()
    refused = submit(client, "/login", email="nobody@example.com", password="wrong password")
    assert refused.status_code == 422
    assert soup(client.get("/login")).select_one('[role="alert"]') is None


def test_without_the_setting_nothing_is_kept(app: Flask) -> None:
    assert not app.extensions["page_cache"].seconds
