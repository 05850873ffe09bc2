"""The tokens of forms are those that Flask-WTF makes and reads; they only cost less."""

import base64
from collections.abc import Callable

import pytest
from flask import Flask, g, session
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

from saas.kit.csrf import csrf_token
from tests.browsing import csrf_token as token_on_page
from tests.browsing import sign_in, submit

KEPT = "0123456789abcdef0123456789abcdef01234567"


def test_flask_wtf_reads_it(app: Flask) -> None:
    with app.test_request_context():
        session["csrf_token"] = KEPT
        validate_csrf(csrf_token())


def test_it_says_the_same_as_flask_wtf(app: Flask) -> None:
    with app.test_request_context():
        session["csrf_token"] = KEPT
        ours = csrf_token()
        assert csrf_token() == ours == generate_csrf()
        del g.csrf_token
        theirs = generate_csrf()
        payload = ours.partition(".")[0]
        assert base64.urlsafe_b64decode(payload + "==").decode() == f'"{KEPT}"'
        validate_csrf(theirs)


@pytest.mark.parametrize("kept", ['a"b', "", None])
def test_what_is_none_of_ours_is_left_to_flask_wtf(app: Flask, kept: object) -> None:
    with app.test_request_context():
        session["csrf_token"] = kept
        validate_csrf(csrf_token())


def test_a_first_visit_gets_one(app: Flask) -> None:
    with app.test_request_context():
        validate_csrf(csrf_token())
        assert len(session["csrf_token"]) == 40


@pytest.mark.parametrize("change", [lambda token: token[:-1], lambda token: "A" + token[1:]])
def test_a_changed_one_is_refused(app: Flask, change: Callable[[str], str]) -> None:
    with app.test_request_context():
        session["csrf_token"] = KEPT
        with pytest.raises(ValidationError):
            validate_csrf(change(csrf_token()))


def test_it_is_this_visitors(app: Flask) -> None:
    with app.test_request_context():
        session["csrf_token"] = KEPT
        token = csrf_token()
    with app.test_request_context():
        session["csrf_token"] = KEPT[::-1]
        with pytest.raises(ValidationError):
            validate_csrf(token)


def test_another_key_signs_another_one(make_app: Callable[..., Flask], clean: None) -> None:
    old, new = "old-" + "k" * 40, "new-" + "k" * 40
    with make_app(secret_key=old).test_request_context():
        session["csrf_token"] = KEPT
        token = csrf_token()
    for fallbacks, is_read in (((old,), True), ((), False)):
        app = make_app(secret_key=new, secret_key_fallbacks=fallbacks)
        with app.test_request_context():
            session["csrf_token"] = KEPT
            assert csrf_token() != token
            if is_read:
                validate_csrf(token)
                continue
            with pytest.raises(ValidationError):
                validate_csrf(token)


def test_forms_take_it(app: Flask) -> None:
    client, _ = sign_in(app)
    assert len(token_on_page(client, "/settings/account")) > 60
    assert submit(client, "/logout", form_at="/dashboard").status_code == 303
