"""Links in mails: where they lead and what they survive."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.accounts.pages import EMAIL, fill, form_on, link_in, mails, make_user


def test_links_come_from_the_configured_base_and_not_from_the_host(
    app: Flask, client: FlaskClient
) -> None:
    make_user(app)
    poisoned = {"headers": {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}}
    form = form_on(client.get("/forgot-password", **poisoned))
    client.post("/forgot-password", data={**form.values, "email": EMAIL}, **poisoned)
    mail = mails(app)[0]
    assert "http://127.0.0.1:8000/reset-password/" in mail.text
    assert "evil.example" not in mail.text + mail.html


@pytest.mark.parametrize("base", ["https://app.example.com", "https://example.com/app"])
def test_links_below_the_base(clean: None, make_app: Callable[..., Flask], base: str) -> None:
    app = make_app(base_url=base)
    make_user(app)
    fill(app.test_client(), "/forgot-password", email=EMAIL)
    assert f"{base}/reset-password/" in mails(app)[0].text


def test_links_survive_a_new_secret_key(clean: None, make_app: Callable[..., Flask]) -> None:
    before = make_app()
    make_user(before)
    fill(before.test_client(), "/forgot-password", email=EMAIL)
    link = link_in(mails(before)[0], "/reset-password/")
    after = make_app(secret_key="another-key-0123456789abcdef0123456789abcdef")
    assert after.test_client().get(link).status_code == 410
    after.config["SECRET_KEY_FALLBACKS"] = [before.config["SECRET_KEY"]]
    assert after.test_client().get(link).status_code == 200


def test_text_and_html_carry_the_same_links(app: Flask, client: FlaskClient) -> None:
    make_user(app, confirmed=False)
    fill(client, "/confirm?next=/pricing?a%3D1%26b%3D2", email=EMAIL)
    mail = mails(app)[0]
    link = link_in(mail, "/confirm/")
    assert urlsplit(link).query == "next=/pricing?a%3D1%26b%3D2"
    assert mail.html.count(link.replace("&", "&amp;")) == 3
