"""What the page says when Polar does not answer: above all, whether money may have moved."""

from dataclasses import dataclass
from http import HTTPStatus

from flask import request, url_for

from saas.billing.gateway import PolarError, PolarUnavailable

CHANGES = frozenset({"plan", "cancellation", "keep", "pause", "resumption"})
UNTOUCHED = "Nothing was charged, and your plan has not changed."
UNKNOWN = (
    "We cannot tell yet whether your change was made. Look at your billing settings in a few minutes, "
    "before you try again."
)
PAID = "If you have paid, the payment is safe, and your plan follows by itself. Do not pay again."


@dataclass(frozen=True)
class Trouble:
    """The words of the page, and where it goes on."""

    title: str
    message: str
    note: str
    label: str
    url: str


def words(error: PolarError) -> Trouble:
    """Return what to say about an error of the present request."""
    is_away = error.status == HTTPStatus.SERVICE_UNAVAILABLE
    title = "Payments are not reachable" if is_away else "Payments do not work right now"
    note, label, url = UNTOUCHED, "Try again", url_for("billing.pricing")
    page = (request.endpoint or "").removeprefix("billing.")
    if page == "confirmation":
        note, label, url = PAID, "Look again", request.full_path
    elif page in CHANGES:
        url = url_for("billing.settings")
        if isinstance(error, PolarUnavailable) and error.may_be_done:
            note, label = UNKNOWN, "See your billing settings"
    return Trouble(title, error.message, note, label, url)
