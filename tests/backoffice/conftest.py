"""Staff who have just signed in."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.backoffice.staffing import hire
from tests.browsing import sign_in

STAFF = "grace@example.com"


@pytest.fixture
def staff(app: Flask) -> FlaskClient:
    """A browser whose user is staff and gave the password just now; Polar does not answer."""
    return hired(app)


@pytest.fixture
def polar_staff(polar_app: Flask) -> FlaskClient:
    """The same, with a local Polar that answers."""
    return hired(polar_app)


def hired(app: Flask) -> FlaskClient:
    client, _ = sign_in(app, STAFF)
    hire(app, STAFF)
    return client
