"""The way in, and the first page."""

from typing import Any

from flask import redirect, render_template, request, url_for

from saas import audit
from saas.accounts import destinations, staff
from saas.accounts.errors import WrongPassword
from saas.accounts.limits import limited_by_user
from saas.accounts.sessions import require_user, signed_in_user
from saas.backoffice import alarms, bp
from saas.backoffice.forms import PasswordForm
from saas.backoffice.overview import overview
from saas.extensions import db
from saas.kit.forms import Answer, show


@bp.app_context_processor
def _staff_link() -> dict[str, Any]:
    """Give staff the way here in the menu of the application."""
    user = signed_in_user()
    return {"staff_url": url_for("backoffice.home") if user and user.is_staff else None}


@bp.context_processor
def _on_every_page() -> dict[str, Any]:
    """Give staff pages what they all say."""
    return {"staff_alarms": alarms.alarms}


@bp.get("", strict_slashes=False)
def home() -> str:
    """Show how things stand."""
    return render_template("backoffice/home.html", now=overview())


@bp.route("/password", methods=["GET", "POST"])
@limited_by_user
def password() -> Answer:
    """Ask for the password again, and lead on to the page that was asked for."""
    user, form = require_user(), PasswordForm()
    target = destinations.wanted() or url_for("backoffice.home")
    if form.validate_on_submit():
        try:
            staff.give_password(user, form.password.data)
        except WrongPassword as error:
            form.password.errors = [error.message]
        _record(user.email, "refused" if form.errors else "given")
        if not form.errors:
            return redirect(target, 303)
    elif request.method == "GET" and staff.gave_password_lately():
        return redirect(target, 303)
    return show("backoffice/password.html", form, next_url=target, user=user)


def _record(actor: str, what: str) -> None:
    audit.record(f"staff.password_{what}", actor=actor)
    db.session.commit()
