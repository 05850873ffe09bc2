"""Jobs: look, read, retry."""

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from saas.accounts.sessions import require_user
from saas.backoffice import bp, paging, work
from saas.jobs import heartbeat, records
from saas.jobs.models import STATES
from saas.kit.urls import safe_next


@bp.get("/jobs")
def jobs() -> str:
    """Show how the jobs stand and who does them, and list them by state."""
    state = paging.text("state")
    return render_template(
        "backoffice/jobs.html",
        page=work.jobs(state, paging.number("before")),
        state=state,
        states=STATES,
        figures=records.figures(),
        workers=heartbeat.workers(),
        last_seen=heartbeat.last_seen(),
    )


@bp.get("/jobs/<int(max=2147483647):job_id>")
def job(job_id: int) -> str:
    """Show one job."""
    found = records.find(job_id) or abort(404)
    sentence, _, traceback = (found.error or "").partition("\n")
    return render_template(
        "backoffice/job.html", job=found, sentence=sentence, traceback=traceback.strip()
    )


@bp.post("/jobs/retry")
def job_retry() -> Response:
    """Have the chosen jobs tried again."""
    ids = paging.chosen(request.form)
    found = work.retry(ids, require_user().email) if ids else []
    if found:
        flash(f"{len(found)} will be tried again at once.", "success")
    else:
        flash("Choose at least one job that failed or waits.", "warning")
    return redirect(safe_next(request.form.get("next"), url_for("backoffice.jobs")), 303)
