"""What several tests of billing start from."""

from collections.abc import Iterator

import pytest
from flask import Flask

from saas.accounts.models import User
from tests.people import make_user


@pytest.fixture
def ada(app: Flask) -> Iterator[User]:
    """A user inside an application context."""
    with app.app_context():
        yield make_user("ada")
