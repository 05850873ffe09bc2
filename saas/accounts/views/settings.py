"""What a person can see and change about their own account."""

from flask import flash, redirect, render_template, url_for

from saas.accounts import bp, service, sessions
from saas.accounts.errors import WrongPassword
from saas.accounts.forms import ChangePasswordForm
from saas.accounts.limits import limited_by_user
from saas.accounts.sessions import login_required
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
