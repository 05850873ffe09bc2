"""Users made directly where a test is not about signing up."""

from saas.accounts.models import User
from saas.extensions import db
from saas.kit.datetimes import utcnow

UNUSABLE_HASH = "!"  # No password matches it.


def make_user(public_id: str | None = None, email: str = "", confirmed: bool = True) -> User:
    """Add and commit a user, with a public id of the test's choice."""
    user = User(
        email=email or f"{public_id or 'somebody'}@example.com", password_hash=UNUSABLE_HASH
    )
    if public_id:
        user.public_id = public_id
    if confirmed:
        user.email_confirmed_at = utcnow()
    db.session.add(user)
    db.session.commit()
    return user
