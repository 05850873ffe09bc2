"""The commands: ``flask billing …``, ``flask jobs …``, ``flask worker`` and so on."""

import sys

from flask import Flask

from saas.cli import polar
from saas.cli.billing import billing
from saas.cli.check import check
from saas.cli.jobs import jobs, worker
from saas.cli.users import users
from saas.cli.webhooks import webhooks

DIAGNOSIS = ("check", "polar")


def init_app(app: Flask) -> None:
    """Register the commands."""
    for command in (billing, webhooks, jobs, users, polar.polar, check, worker):
        app.cli.add_command(command)


def is_diagnosis() -> bool:
    """True when the command line asks what is wrong, or for help: no wrong setting may end it first."""
    words = sys.argv[1:]
    return "flask" in sys.argv[0] and any(word in (*DIAGNOSIS, "--help") for word in words)
