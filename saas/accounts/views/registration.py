"""Signing up and confirming the address."""

from flask import redirect, render_template, url_for

from saas.accounts import bp, destinations, links, service, sessions
from saas.accounts.errors import LinkExpired, NotYourPassword
from saas.accounts.forms import PASSWORD_MISSING, ConfirmForm, EmailForm, SignupForm
from saas.accounts.limits import limited, limited_by_link
from saas.accounts.views.pages import enter, show_expired, show_with_secret_address
from saas.extensions import csrf
from saas.kit.forms import Answer, show


@bp.route("/signup", methods=["GET", "POST"])
@limited
def signup() -> Answer:
    """Ask for an address and a password; the answer is the same for every address."""
    form = SignupForm()
    if form.validate_on_submit():
        browser = sessions.browser_secret()
        service.register(form.email.data, form.password.data, destinations.wanted(), browser)
        return redirect(url_for("accounts.signup_sent", next=destinations.wanted()), 303)
    if not form.is_submitted() and sessions.signed_in_user():
        return redirect(destinations.after_sign_in(), 303)
    return show("accounts/signup.html", form, next_url=destinations.wanted())


@bp.get("/signup/sent")
def signup_sent() -> Answer:
    """Say that the next step is in the inbox."""
    return render_template("accounts/signup_sent.html", next_url=destinations.wanted())


@bp.route("/confirm", methods=["GET", "POST"])
@limited
def confirmation_request() -> Answer:
    """Ask where to send the confirmation link again."""
    form = EmailForm()
    if form.validate_on_submit():
        service.request_confirmation(form.email.data, destinations.wanted())
        return redirect(url_for("accounts.signup_sent", next=destinations.wanted()), 303)
    return show("accounts/confirmation_request.html", form, next_url=destinations.wanted())


@bp.route("/confirm/<token>", methods=["GET", "POST"])
@limited_by_link
def confirmation(token: str) -> Answer:
    """Show a button, because mail scanners follow links; pressing it confirms and signs in.

    A browser that did not sign up itself has to know the password as well.
    """
    form, browser = ConfirmForm(), sessions.browser_secret()
    try:
        user = links.user_of_confirmation(token)
        asks, email = not service.chose_password(user, browser), user.email
        if form.validate_on_submit():
            return enter(service.confirm(token, browser, form.password.data or ""))
    except NotYourPassword as error:
        form.password.errors = [error.message if form.password.data else PASSWORD_MISSING]
    except LinkExpired as error:
        return show_expired(error, "accounts/confirmation_expired.html")
    return show_with_secret_address(
        "accounts/confirmation.html",
        form,
        email=email,
        asks_password=asks,
        next_url=destinations.wanted(),
    )


# Over HTTPS the general check wants a Referer, which a page with ``no-referrer`` does not send. The
# form still checks its own token.
csrf.exempt(confirmation)
