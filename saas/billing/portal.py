"""The way to Polar's customer portal: a fresh session for every click."""

from http import HTTPStatus

from flask import url_for

from saas.accounts.models import User
from saas.billing import gateway
from saas.billing.gateway import PolarNotFound, PolarRejected
from saas.config import current
from saas.errors import AppError
from saas.kit.urls import absolute


class NothingToManage(AppError):
    """Polar does not know this user: they never bought anything."""

    status = HTTPStatus.CONFLICT
    code = "nothing_to_manage"
    message = "You have no subscription yet. Choose a plan first."


def open_session(user: User) -> str:
    """Return the address of the portal for this user, valid for an hour.

    Raises ``NothingToManage`` or ``gateway.PolarError``.
    """
    return_url = absolute(current().base_url, url_for("billing.portal_return"))
    try:
        answer = gateway.create_customer_session(user.public_id, return_url)
    except PolarNotFound:
        raise NothingToManage from None
    except PolarRejected as error:
        if error.complains_about("body", "external_customer_id"):
            raise NothingToManage from None
        raise
    url = answer.data.get("customer_portal_url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise PolarRejected(f"customer session without a usable address: {url!r:.100}")
    return url
