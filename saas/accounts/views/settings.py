"""What a person can see and change about their own account."""

from flask import flash, redirect, render_template, url_for

from saas.accounts import address_change, bp, deletion, links, service, sessions
from saas.accounts.errors import LinkExpired, WrongPassword
from saas.accounts.forms import AddressForm, ChangePasswordForm, ConfirmForm, DeletionForm
from saas.accounts.limits import limited_by_link, limited_by_user
from saas.accounts.sessions import login_required
from saas.accounts.views.pages import show_expired, show_with_secret_address
from saas.errors import AppError
from saas.extensions import csrf, db
from saas.kit.forms import Answer, show


@bp.get("/settings/account")
@login_required
def settings() -> Answer:
    """Show who you are here."""
    return render_template("accounts/settings.html", user=sessions.require_user())


@bp.route("/settings/password", methods=["GET", "POST"])
@login_required
@limited_by_user
def password() -> Answer:
    """Ask for the current and a new password; other browsers are signed out."""
    user = sessions.require_user()
    form = ChangePasswordForm(owner=user.email)
    if form.validate_on_submit():
        try:
            service.change_password(user, form.current_password.data, form.password.data)
        except WrongPassword as error:
            form.current_password.errors.append(error.message)
        else:
            sessions.renew(user)
            flash("Your password is changed. Other browsers are signed out.", "success")
            return redirect(url_for("accounts.settings"), 303)
    return show("accounts/password.html", form, user=user)


@bp.route("/settings/email", methods=["GET", "POST"])
@login_required
@limited_by_user
def address() -> Answer:
    """Ask for a new address; it counts once its owner has confirmed it."""
    user = sessions.require_user()
    form = AddressForm()
    if form.validate_on_submit():
        try:
            address_change.request(user, form.email.data, form.password.data)
        except WrongPassword as error:
            form.password.errors.append(error.message)
        else:
            flash(f"Open the link that we sent to {form.email.data} to confirm it.", "info")
            return redirect(url_for("accounts.settings"), 303)
    return show("accounts/address.html", form, user=user)


@bp.route("/confirm-address/<token>", methods=["GET", "POST"])
@limited_by_link
def address_confirmation(token: str) -> Answer:
    """Show a button, because mail scanners follow links; pressing it changes the address.

    A link that nobody asked for with the password asks for it here.
    """
    form = ConfirmForm()
    try:
        if form.validate_on_submit():
            user = address_change.confirm(token, form.password.data or "")
            flash(f"Your address is {user.email} now.", "success")
            return redirect(url_for("accounts.settings"), 303)
        found = links.read_new_address(token)
    except WrongPassword as error:
        form.password.errors = [error.message]
        found = links.read_new_address(token)
    except LinkExpired as error:
        return show_expired(error, "accounts/address_expired.html")
    return show_with_secret_address(
        "accounts/address_confirmation.html",
        form,
        email=found.address,
        asks_password=found.asks_password,
    )


csrf.exempt(address_confirmation)  # For the reason given for ``registration.confirmation``.


@bp.route("/settings/account/delete", methods=["GET", "POST"])
@login_required
@limited_by_user
def account_deletion() -> Answer:
    """Say what goes with the account and ask for the password; delete it by POST."""
    user = sessions.require_user()
    form = DeletionForm()
    if form.validate_on_submit():
        try:
            deletion.delete(user, form.password.data)
        except WrongPassword as error:
            form.password.errors.append(error.message)
        except AppError as error:
            db.session.rollback()
            form.refuse(f"Your account was not deleted. {error.message}")
        else:
            sessions.sign_out()
            flash("Your account is deleted. Thank you for having been here.", "success")
            return redirect(url_for("pages.home"), 303)
    return show("accounts/account_deletion.html", form, user=user)
