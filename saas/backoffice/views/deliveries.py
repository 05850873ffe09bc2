"""Deliveries: look, read, replay."""

from collections.abc import Mapping

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from saas.accounts.sessions import require_user
from saas.backoffice import bp, letters, paging, people, work
from saas.backoffice.letters import Filter
from saas.kit.urls import safe_next
from saas.webhooks import handlers
from saas.webhooks.models import OUTCOMES


@bp.get("/deliveries")
def deliveries() -> str:
    """List deliveries by type, outcome and customer."""
    wanted = _filter(request.args)
    return render_template(
        "backoffice/deliveries.html",
        page=letters.deliveries(wanted, paging.number("before")),
        wanted=wanted,
        types=sorted(handlers.TABLE),
        outcomes=OUTCOMES,
        most=letters.MOST_AT_ONCE,
    )


@bp.get("/deliveries/<int(max=2147483647):delivery_id>")
def delivery(delivery_id: int) -> str:
    """Show one delivery with everything that is known of it."""
    found = letters.open_delivery(delivery_id, require_user().email) or abort(404)
    sentence, _, traceback = (found.error or "").partition("\n")
    return render_template(
        "backoffice/delivery.html",
        delivery=found,
        body=letters.readable(found.body),
        sentence=sentence,
        traceback=traceback.strip(),
        owner=people.owner_of(found.customer_id),
    )


@bp.post("/deliveries/replay")
def delivery_replay() -> Response:
    """Apply the chosen deliveries again."""
    ids = paging.chosen(request.form)
    outcomes = letters.replay(ids, require_user().email) if ids else {}
    failed = list(outcomes.values()).count("failed")
    if not outcomes:
        flash("Choose at least one delivery.", "warning")
    elif failed:
        flash(f"{len(outcomes)} replayed; {failed} failed again.", "error")
    else:
        flash(f"{len(outcomes)} replayed.", "success")
    return _back()


@bp.post("/deliveries/replay-matching")
def matching_replay() -> Response:
    """Have a worker apply everything again that matches the filter."""
    wanted = _filter(request.form)
    count = work.replay_matching(wanted, require_user().email) if wanted.query else 0
    if count:
        flash(f"{count} are being replayed, one after the other.", "success")
    else:
        flash("No delivery matches.", "warning")
    return _back()


def _filter(given: Mapping[str, str]) -> Filter:
    return Filter(*(paging.text(name, given=given) for name in ("type", "outcome", "customer")))


def _back() -> Response:
    fallback = url_for("backoffice.deliveries")
    return redirect(safe_next(request.form.get("next"), fallback), 303)
