"""Where you are signed in, and the way to end it there."""

from flask import flash, redirect, render_template, url_for

from saas.accounts import bp, sessions, sign_ins
from saas.accounts.sessions import login_required
from saas.kit.forms import Answer


@bp.get("/settings/devices")
@login_required
def devices() -> Answer:
    """List the browsers that are signed in."""
    user = sessions.require_user()
    return render_template(
        "accounts/devices.html", sign_ins=sign_ins.of(user), this_one=sessions.this_sign_in()
    )


@bp.post("/settings/devices/<int(max=2147483647):sign_in_id>")
@login_required
def device_end(sign_in_id: int) -> Answer:
    """Sign one browser out."""
    if sign_in_id == sessions.this_sign_in():
        sessions.sign_out()
        return redirect(url_for("pages.home"), 303)
    sign_ins.end(sessions.require_user().id, sign_in_id)
    flash("That browser is signed out.", "success")
    return redirect(url_for("accounts.devices"), 303)


@bp.post("/settings/devices/others")
@login_required
def devices_end() -> Answer:
    """Sign every other browser out."""
    sign_ins.end_others(sessions.require_user().id, sessions.this_sign_in() or 0)
    flash("Every other browser is signed out.", "success")
    return redirect(url_for("accounts.devices"), 303)
