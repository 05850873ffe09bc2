"""Who gets in: every address below /staff, as a visitor, a user, staff without and with the password."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from saas.accounts import staff as people
from saas.kit.datetimes import utcnow
from tests.backoffice.conftest import STAFF
from tests.backoffice.staffing import hire, log, press
from tests.browsing import PASSWORD, sign_in, soup, submit

PAGES = [
    "",
    "/users",
    "/users/{id}",
    "/users/{id}/comp",
    "/deliveries",
    "/jobs",
    "/log",
    "/password",
]
METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"]
NOWHERE = "/staff/there-is-no-such-page"


def rules(app: Flask) -> Iterator[str]:
    """An address for every rule below /staff."""
    values = {"public_id": "ada", "delivery_id": 1, "comp_id": 1, "job_id": 1}
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if rule.endpoint.startswith("backoffice."):
                wanted = {name: values[name] for name in rule.arguments}
                yield app.url_for(rule.endpoint, **wanted)


def assert_sees_nothing(client: FlaskClient, app: Flask) -> None:
    client.get(NOWHERE[6:])  # The first page of a session sets its cookie.
    elsewhere = {method: client.open(NOWHERE[6:], method=method) for method in METHODS}
    for url in rules(app):
        for method in METHODS:
            answer = client.open(url, method=method)
            assert answer.status_code == 404, (method, url)
            assert words(answer) == words(elsewhere[method]), (method, url)
            assert set(answer.headers.keys()) == set(elsewhere[method].headers.keys())


def words(answer: TestResponse) -> str:
    """The page without its CSRF token, which is dated to the second."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", answer.text)


def test_to_a_visitor_there_is_nothing(app: Flask, client: FlaskClient) -> None:
    assert_sees_nothing(client, app)


def test_to_a_user_there_is_nothing(app: Flask) -> None:
    client, _ = sign_in(app)
    assert_sees_nothing(client, app)
    assert "/staff" not in client.get("/dashboard").text


@pytest.mark.parametrize("page", PAGES)
def test_staff_see_every_page(staff: FlaskClient, app: Flask, page: str) -> None:
    _, public_id = sign_in(app)
    answer = staff.get("/staff" + page.format(id=public_id))
    if page == "/password":
        assert answer.location == "/staff"
    else:
        assert answer.status_code == 200
        assert soup(answer).select_one("h1") is not None


def test_the_menu_of_the_application_leads_here(staff: FlaskClient) -> None:
    assert 'href="/staff"' in staff.get("/dashboard").text


@pytest.mark.parametrize("page", ["", "/users", "/deliveries?outcome=failed", "/log"])
def test_the_password_is_asked_for_again(staff: FlaskClient, app: Flask, page: str) -> None:
    later = utcnow() + people.FRESH_FOR + timedelta(seconds=1)
    with time_machine.travel(later, tick=False):
        asked = staff.get(f"/staff{page}")
        assert asked.status_code == 303
        assert asked.location.startswith("/staff/password?next=")
        wrong = submit(staff, asked.location, password="not my password", next=f"/staff{page}")
        assert wrong.status_code == 422
        assert "This is not your current password." in wrong.text
        assert staff.get(f"/staff{page}").status_code == 303
        right = submit(staff, asked.location, password=PASSWORD, next=f"/staff{page}")
        assert right.location == f"/staff{page}"
        assert staff.get(f"/staff{page}").status_code == 200
    words = [entry.action for entry in log(app)]
    assert words[-2:] == ["staff.password_refused", "staff.password_given"]


def test_a_form_that_comes_too_late_does_nothing(staff: FlaskClient, app: Flask) -> None:
    client, public_id = sign_in(app)
    page = f"/staff/users/{public_id}"
    token = soup(staff.get(page)).select_one('input[name="csrf_token"]')
    assert token is not None
    with time_machine.travel(utcnow() + people.FRESH_FOR + timedelta(seconds=1), tick=False):
        answer = staff.post(
            f"{page}/sign-out",
            data={"csrf_token": token["value"]},
            headers={"Referer": f"http://localhost{page}"},
        )
        assert answer.location == f"/staff/password?next={page}"
        assert "Nothing was done yet." in staff.get(answer.location).text
    assert client.get("/dashboard").status_code == 200
    assert log(app, "user.signed_out") == []


def test_somebody_elses_page_is_no_way_back(staff: FlaskClient) -> None:
    with time_machine.travel(utcnow() + people.FRESH_FOR + timedelta(seconds=1), tick=False):
        for referrer in ("https://evil.example/staff-like", "https://evil.example//staff"):
            answer = staff.post("/staff/deliveries/replay", headers={"Referer": referrer})
            assert answer.status_code == 303
            assert answer.location == "/staff/password?next=/staff"
        page = "/staff/password?next=https://evil.example/"
        answer = submit(staff, page, password=PASSWORD, next="https://evil.example/")
        assert answer.location == "/staff"


def test_being_remembered_is_not_enough(app: Flask) -> None:
    client, _ = sign_in(app, STAFF)
    hire(app, STAFF)
    submit(client, "/logout", form_at="/dashboard")
    submit(client, "/login", email=STAFF, password=PASSWORD, remember="y")
    client.delete_cookie("session")
    assert client.get("/dashboard").status_code == 200
    assert client.get("/staff").location == "/staff/password?next=/staff"


def test_whoever_is_no_staff_any_more_is_out_at_once(staff: FlaskClient, app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["users", "staff", STAFF, "--revoke"])
    assert "ordinary user now" in result.output
    assert staff.get("/staff").status_code == 404
    assert staff.get("/dashboard").status_code in {302, 303}
    entries = [(entry.actor, entry.action) for entry in log(app)]
    assert entries[-1] == ("command line", "staff.dismissed")


def test_only_confirmed_users_become_staff(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    assert "Nobody has signed up" in run(args=["users", "staff", "no@example.com"]).output
    assert run(args=["users", "staff"]).output == "Nobody is staff yet.\n"
    client = app.test_client()
    submit(client, "/signup", email="new@example.com", password=PASSWORD)
    assert "not confirmed yet" in run(args=["users", "staff", "new@example.com"]).output
    sign_in(app, STAFF)
    hire(app, STAFF)
    assert STAFF in run(args=["users", "staff"]).output
    assert [entry.action for entry in log(app)] == ["staff.appointed"]


def test_an_unknown_page_is_not_found_for_staff_too(staff: FlaskClient) -> None:
    assert staff.get(NOWHERE).status_code == 404
    assert staff.get("/staff/users/nobody").status_code == 404
    assert staff.get("/staff/users/a%00b").status_code == 400
    assert staff.get("/staff/deliveries/99999999999999999999").status_code == 404


@pytest.mark.parametrize("url", ["users/{id}/sync", "users/{id}/sign-out", "deliveries/replay"])
def test_no_act_without_the_token(staff: FlaskClient, app: Flask, url: str) -> None:
    _, public_id = sign_in(app)
    before = len(log(app))
    assert staff.post(f"/staff/{url.format(id=public_id)}").status_code == 400
    assert len(log(app)) == before


def test_guessing_the_password_is_slow(staff: FlaskClient) -> None:
    with time_machine.travel(utcnow() + people.FRESH_FOR + timedelta(seconds=1), tick=False):
        answers = [
            press(staff, "/staff/password", "/staff/password", password="wrong").status_code
            for _ in range(6)
        ]
    assert answers == [422] * 5 + [429]
