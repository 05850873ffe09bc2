"""What the jobs do about themselves by the clock; ``saas.timetable`` says when."""

from saas.jobs import heartbeat, records
from saas.jobs.registry import handler

OLD_JOBS = "jobs.old_jobs"


@handler(OLD_JOBS)
def prune() -> None:
    """Delete jobs that ended long ago, and workers that are gone."""
    records.prune()
    heartbeat.forget_old()
