"""The audit log."""

from flask import render_template

from saas.backoffice import bp, journal, paging
from saas.backoffice.journal import Filter


@bp.get("/log")
def log() -> str:
    """List what was done, by whom, what and on whom."""
    wanted = Filter(paging.text("actor"), paging.text("action"), paging.text("subject"))
    page = journal.entries(wanted, paging.number("before"))
    return render_template(
        "backoffice/log.html",
        page=page,
        wanted=wanted,
        actions=journal.ACTIONS,
        addresses=journal.addresses(page),
    )
