"""What accounts do by the clock; ``saas.timetable`` says when."""

from saas.accounts import sign_ins
from saas.jobs import handler

OLD_SIGN_INS = "accounts.old_sign_ins"


@handler(OLD_SIGN_INS)
def prune() -> None:
    """Forget the sign-ins that are over anyway."""
    sign_ins.prune()
