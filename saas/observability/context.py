"""On whose behalf something is logged: the request, the user, the delivery, the job."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
user: ContextVar[str] = ContextVar("user", default="")
webhook_id: ContextVar[str] = ContextVar("webhook_id", default="")
job_id: ContextVar[str] = ContextVar("job_id", default="")

FIELDS = {"request_id": request_id, "user": user, "webhook_id": webhook_id, "job_id": job_id}


def known() -> dict[str, str]:
    """Return what is known here and now."""
    return {name: value for name, variable in FIELDS.items() if (value := variable.get())}


def forget() -> None:
    """Begin anew: a thread has one request after the other."""
    for variable in FIELDS.values():
        variable.set("")
