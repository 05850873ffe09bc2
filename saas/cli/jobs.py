"""``flask worker`` and ``flask jobs …``: do the work that nobody waits for, and look at it."""

import json

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from saas import audit
from saas.cli import numbers
from saas.config import current
from saas.extensions import db, start_write
from saas.jobs import heartbeat, periodic, records, running, tallies
from saas.jobs.models import STATES, Job

jobs = AppGroup("jobs", help="Look at the work that nobody waits for.")


@click.command("worker")
@with_appcontext
def worker() -> None:
    """Do jobs, and what comes by the clock, until told to stop."""
    from saas.jobs.worker import work  # The queue is imported by who works with it.
    from saas.webhooks import sweeper

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    settings = current()
    if settings.runs_jobs_inline:
        raise click.ClickException("JOBS_URL is inline, so there is nothing for a worker to do.")
    heartbeat.last_seen()  # No use in a worker without a database; whoever started it tries again.
    db.session.rollback()

    def started() -> None:
        sweeper.start(app)
        click.echo(
            f"Working, {settings.worker_threads} at once. Ctrl-C finishes what is in hand and ends."
        )

    work(app, settings.worker_threads, settings.worker_patience_seconds, started)


@jobs.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@numbers.newest
def show_list(state: str | None, limit: int) -> None:
    """List jobs, and say how they stand."""
    found = records.jobs(state, limit)
    for job in found:
        click.echo(_line(job))
    if not found:
        click.echo("There are none.")
    figures, quiet = records.figures(), heartbeat.silence()
    click.echo(f"{figures.waiting} waiting, {figures.running} running, {figures.failed} failed.")
    ago = "never" if quiet is None else f"{quiet.total_seconds():.0f} seconds ago"
    click.echo(f"A worker was seen {ago}.")


@jobs.command("show")
@click.argument("job_id", type=numbers.ROW)
def show(job_id: int) -> None:
    """Print everything about one job."""
    job = records.find(job_id)
    if job is None:
        raise click.ClickException(f"There is no job {job_id}.")
    names = ("id", "name", "state", "attempts", "created_at", "run_after")
    for name in (*names, "started_at", "finished_at", "worker"):
        click.echo(f"{name:12} {getattr(job, name) if getattr(job, name) is not None else ''}")
    click.echo(f"{'arguments':12} {json.dumps(job.arguments)}")
    if job.error:
        click.secho(f"\n{job.error}", fg="red")


@jobs.command("retry")
@click.argument("job_ids", type=numbers.ROW, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Everything that has failed.")
def retry(job_ids: tuple[int, ...], everything: bool) -> None:
    """Try jobs again that have failed, or that wait for their next try."""
    if everything:
        job_ids = tuple(job.id for job in records.jobs("failed", limit=10_000))
    elif not job_ids:
        raise click.UsageError("Name the jobs to try again, or say --all.")
    start_write()
    found = records.retry(job_ids)
    if found:
        audit.record("job.retried", f"job {found[0]}" if len(found) == 1 else "", jobs=found)
    db.session.commit()
    click.echo(f"{len(found)} will be tried again.")
    if left := sorted(set(job_ids) - set(found)):
        raise click.ClickException(
            f"Not failed, and not waiting either: {', '.join(map(str, left))}."
        )


@jobs.command("run")
def run() -> None:
    """Do everything that is due, then end: for a cron job where no worker runs."""
    running.take_back()
    periodic.enqueue_due()
    count = 0
    while running.run_next(running.AT_ONCE):
        count += 1
    tallies.save()
    click.echo(f"{count} done.")


def _line(job: Job) -> str:
    reason = (job.error or "").splitlines()[:1] if job.state != "done" else []
    words = [f"{job.id:>7}", f"{job.created_at:%Y-%m-%d %H:%M:%S}", f"{job.state:8}", job.name]
    return "  ".join([*words, *reason])
