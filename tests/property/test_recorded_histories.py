"""All recordings of the real Polar as one long history, in any order, with any repetition."""

import random

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from saas.accounts.models import User
from saas.extensions import db
from tests import recordings
from tests.database import empty_database
from tests.people import make_user
from tests.property.outcome import disturbed, outcome
from tests.property.profile import examples
from tests.webhooks.door import deliver


@given(seed=st.integers(0, 2**16))
@examples(1)
def test_all_recordings_shuffled_and_doubled(shared_app: Flask, seed: int) -> None:
    everything = recordings.everything()
    with shared_app.app_context():
        in_order = _replay(shared_app, everything)
        assert _replay(shared_app, disturbed(everything, random.Random(seed))) == in_order


def _replay(app: Flask, deliveries: list[recordings.Recording]) -> dict[str, object]:
    empty_database()
    for number in range(1, 17):
        make_user(f"user_{number}")
    for recording in deliveries:
        assert deliver(app.test_client(), recording).status_code == 202
    users = db.session.scalars(db.select(User).order_by(User.public_id)).all()
    return {user.public_id: outcome(user) for user in users}
