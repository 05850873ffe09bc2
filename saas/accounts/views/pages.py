"""What several pages of accounts share."""

from flask import Response, make_response, redirect, render_template
from werkzeug.wrappers import Response as AnyResponse

from saas.accounts import destinations, sessions
from saas.accounts.errors import LinkExpired
from saas.accounts.models import User
from saas.kit.forms import PageForm, show


def enter(user: User, remember: bool = False) -> AnyResponse:
    """Sign ``user`` in and go where they wanted to go."""
    sessions.sign_in(user, remember)
    return redirect(destinations.after_sign_in(), 303)


def show_with_secret_address(template: str, form: PageForm, **context: object) -> Response:
    """Show a page whose address is a secret: no other site and no asset log may learn it."""
    return _keep_address_secret(make_response(show(template, form, **context)))


def show_expired(error: LinkExpired, template: str) -> Response:
    """Say that a link does not work any more, and lead to a new one."""
    page = render_template(template, next_url=destinations.wanted())
    return _keep_address_secret(make_response(page, error.status))


def _keep_address_secret(response: Response) -> Response:
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
