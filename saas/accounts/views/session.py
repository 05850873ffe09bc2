"""Signing in and out."""

from flask import flash, redirect, url_for

from saas.accounts import bp, destinations, service, sessions, staff
from saas.accounts.errors import SignInRefused
from saas.accounts.forms import LoginForm
from saas.accounts.limits import limited
from saas.accounts.views.pages import enter
from saas.kit.forms import Answer, show
from saas.page_cache import plain, same_for_visitors


@bp.route("/login", methods=["GET", "POST"])
@same_for_visitors(plain)
@limited
def login() -> Answer:
    """Ask who you are; somebody who is signed in goes on at once."""
    form = LoginForm()
    if form.validate_on_submit():
        try:
            user = service.authenticate(form.email.data, form.password.data)
        except SignInRefused as error:
            form.refuse(error.message)
        else:
            answer = enter(user, remember=form.remember.data)
            staff.note_password()
            return answer
    elif not form.is_submitted() and sessions.signed_in_user():
        return redirect(destinations.after_sign_in(), 303)
    return show("accounts/login.html", form, next_url=destinations.wanted())


@bp.post("/logout")
def logout() -> Answer:
    """End the session in this browser."""
    sessions.sign_out()
    flash("You are signed out.", "success")
    response = redirect(url_for("pages.home"), 303)
    response.headers["Clear-Site-Data"] = '"storage"'
    return response
