"""Users: find one, see where they stand, and help."""

from flask import abort, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from saas.accounts.models import User
from saas.accounts.sessions import require_user
from saas.backoffice import acts, bp, comparison, journal, paging, people
from saas.backoffice.forms import CompForm, ReasonForm
from saas.billing import address_at_polar, comps, entitlements
from saas.errors import AppError
from saas.extensions import db
from saas.kit.forms import Answer, show


@bp.get("/users")
def users() -> str:
    """Search for people; without words show the newest."""
    words = paging.text("q")
    found = people.search(words, paging.text("after"), paging.number("before"))
    return render_template("backoffice/users.html", found=found, words=words)


@bp.get("/users/<public_id>")
def user(public_id: str) -> str:
    """Show one user, their plan here and at Polar side by side."""
    found = _user(public_id)
    acts.look_at(found, require_user().email)
    compared = comparison.compare(found)
    return render_template(
        "backoffice/user.html",
        user=found,
        entitled=entitlements.for_user(found),
        comps=comps.of(found),
        compared=compared,
        elsewhere=address_at_polar.of_user(found),
        customers=people.customers_of(found),
        log=journal.entries(journal.Filter(subject=found.public_id)),
        actions=journal.ACTIONS,
    )


@bp.post("/users/<public_id>/sync")
def user_sync(public_id: str) -> Response:
    """Read the customer from Polar and heal what is different."""
    try:
        count, unread = acts.sync(_user(public_id), require_user().email)
    except AppError as error:
        db.session.rollback()
        flash(f"Nothing was changed. {error.message}", "error")
    else:
        words = "1 difference" if count == 1 else f"{count} differences"
        if count or not unread:
            flash(f"{words} healed." if count else "There was no difference.", "success")
        if unread:
            flash(
                f"What Polar says could not all be taken over, so {unread} stays as it was.",
                "warning",
            )
    return _back(public_id)


@bp.route("/users/<public_id>/comp", methods=["GET", "POST"])
def comp(public_id: str) -> Answer:
    """Ask which plan to give, until when and why; give it by POST."""
    found, form = _user(public_id), CompForm()
    form.offer()
    if form.validate_on_submit():
        name = acts.give(
            found, form.product_id.data, form.last_day.data, form.reason.data, require_user().email
        )
        flash(f"{name} is given until the end of {form.last_day.data:%d %B %Y}.", "success")
        return _back(public_id)
    return show("backoffice/comp.html", form, user=found, entitled=entitlements.for_user(found))


@bp.route("/users/<public_id>/comp/<int(max=2147483647):comp_id>/end", methods=["GET", "POST"])
def comp_end(public_id: str, comp_id: int) -> Answer:
    """Ask why a plan is taken back; take it back by POST."""
    found, form = _user(public_id), ReasonForm()
    given = next((each for each in comps.of(found) if each.id == comp_id), None)
    if given is None or not given.is_in_force:
        raise comps.NoSuchComp
    if form.validate_on_submit():
        name = acts.revoke(found, comp_id, form.reason.data, require_user().email)
        flash(f"{name} is taken back.", "success")
        return _back(public_id)
    return show("backoffice/comp_end.html", form, user=found, comp=given)


@bp.post("/users/<public_id>/sign-out")
def user_sign_out(public_id: str) -> Response:
    """End every session of the user."""
    acts.sign_out(_user(public_id), require_user().email)
    flash("They are signed out in every browser.", "success")
    return _back(public_id)


@bp.post("/users/<public_id>/confirmation-mail")
def user_confirmation_mail(public_id: str) -> Response:
    """Send the confirmation mail again."""
    acts.mail_confirmation(_user(public_id), require_user().email)
    flash("The mail is on its way.", "success")
    return _back(public_id)


def _user(public_id: str) -> User:
    return people.by_public_id(public_id) or abort(404)


def _back(public_id: str) -> Response:
    return redirect(url_for("backoffice.user", public_id=public_id), 303)
