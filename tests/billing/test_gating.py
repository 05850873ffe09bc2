"""Pages for those whose plan includes them."""

from flask import Flask
from flask.testing import FlaskClient

from polar_emulator.testing import LocalPolar
from tests.billing.buying import buy, fill_catalogue
from tests.browsing import sign_in

JSON = {"Accept": "application/json"}


def test_signed_out_visitor_signs_in_first(client: FlaskClient) -> None:
    assert client.get("/dashboard").status_code == 303
    response = client.get("/dashboard/reports")
    assert response.status_code == 303
    assert response.location == "/login?next=/dashboard/reports"
    assert client.get("/dashboard/reports", headers=JSON).status_code == 401


def test_browser_is_sent_to_pricing_with_a_word(app: Flask) -> None:
    client, _ = sign_in(app)
    assert client.get("/dashboard").status_code == 200
    response = client.get("/dashboard/reports")
    assert response.status_code == 303
    assert response.location == "/pricing"
    assert "does not include reports" in client.get("/pricing").text


def test_json_client_gets_402(app: Flask) -> None:
    client, _ = sign_in(app)
    response = client.get("/dashboard/reports", headers=JSON)
    assert response.status_code == 402
    assert response.get_json()["error"] == {
        "code": "feature_required",
        "feature": "reports",
        "message": "Your plan does not include reports.",
    }


def test_buyer_gets_in(polar_app: Flask, polar: LocalPolar) -> None:
    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    buy(client, polar, ids["Pro Monthly"])
    assert client.get("/dashboard/reports").status_code == 200


def test_can_works_in_templates(polar_app: Flask, polar: LocalPolar) -> None:
    from flask import render_template_string
    from flask_login import login_user

    from saas.accounts.models import User
    from saas.extensions import db

    ids = fill_catalogue(polar_app)
    client, _ = sign_in(polar_app)
    source = "{{ can('reports') }} {{ can('api_access') }} {{ plan.name }}"
    with polar_app.test_request_context():
        assert render_template_string(source) == "False False Free"
    buy(client, polar, ids["Pro Monthly"])
    with polar_app.test_request_context():
        login_user(db.session.scalars(db.select(User)).one())
        assert render_template_string(source) == "True False Pro Monthly"
