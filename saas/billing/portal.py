"""The way to Polar's customer portal: a fresh session for every click."""

from http import HTTPStatus

from flask import url_for

from saas.accounts.models import User
from saas.billing import entitlements, gateway, payments, subscriptions
from saas.billing.gateway import PolarNotFound, PolarRejected
from saas.billing.models import Customer, Subscription
from saas.config import current
from saas.errors import AppError
from saas.extensions import db
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
    whose = _customer(user)
    return_url = absolute(current().base_url, url_for("billing.portal_return"))
    try:
        answer = gateway.create_customer_session(return_url, **whose)
    except PolarNotFound:
        raise NothingToManage from None
    except PolarRejected as error:
        if any(error.complains_about("body", name) for name in whose):
            raise NothingToManage from None
        raise
    url = answer.data.get("customer_portal_url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise PolarRejected("customer session without a usable address")
    return url


def _customer(user: User) -> dict[str, str]:
    """Return whose portal it is: of two customers theirs who owes a payment, since the banner leads there,
    else who has the subscription, else the last payment."""
    whose = {"external_customer_id": user.public_id}
    owed_id = entitlements.for_user(user).past_due_id
    main = db.session.get(Subscription, owed_id) if owed_id else subscriptions.main(user)
    customer_id = main.customer_id if main else payments.last_customer(user)
    found = db.session.get(Customer, customer_id) if customer_id else None
    if found is not None and found.external_id is None and found.deleted_at is None:
        whose = {"customer_id": found.polar_id}
    db.session.rollback()
    return whose
