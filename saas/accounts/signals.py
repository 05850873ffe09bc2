"""What accounts tells the rest of the application. The sender is always the ``User``."""

from blinker import Namespace

_signals = Namespace()

user_registered = _signals.signal("user-registered")
email_confirmed = _signals.signal("email-confirmed")
email_changed = _signals.signal("email-changed")
user_deleting = _signals.signal("user-deleting")
