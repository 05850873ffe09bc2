"""What accounts tells the rest of the application. The sender is always the ``User``."""

import logging

from blinker import NamedSignal, Namespace

from saas.accounts.models import User
from saas.extensions import db

log = logging.getLogger(__name__)

_signals = Namespace()

user_registered = _signals.signal("user-registered")
email_confirmed = _signals.signal("email-confirmed")
email_changed = _signals.signal("email-changed")
user_deleting = _signals.signal("user-deleting")


def tell(signal: NamedSignal, user: User) -> None:
    """Send a signal about something that is already committed.

    A receiver that fails is logged and passed over: what it heard of stays true, the others still
    hear it, and the person at the browser has done nothing wrong. Receivers of ``user_registered``
    run for new addresses only, so a slow one would tell an outsider which addresses are new.
    """
    for receiver in signal.receivers_for(user):
        try:
            receiver(user)
        except Exception:
            db.session.rollback()
            log.exception("a receiver of %s failed for user %s", signal.name, user.public_id)


def ask(signal: NamedSignal, user: User) -> None:
    """Send a signal about something that is about to happen. A receiver forbids it by raising."""
    for receiver in signal.receivers_for(user):
        receiver(user)
