"""What several tests of billing start from."""

from collections.abc import Iterator

import pytest
from flask import Flask

from saas.accounts.models import User
from tests.billing.mailing import settle
from tests.people import make_user


@pytest.fixture
def ada(app: Flask) -> Iterator[User]:
    """A user inside an application context; her mails are on disk when the test ends."""
    with app.app_context():
        yield make_user("ada")
        settle()
