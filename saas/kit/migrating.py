"""Flask-Migrate, loaded when somebody looks at migrations: Alembic is a tenth of what a command loads."""

from collections.abc import Collection
from functools import cache
from typing import Any

import click
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from werkzeug.local import LocalProxy


def are_newer(found: Collection[str], heads: Collection[str]) -> bool:
    """True when the revisions of a database are those of a later release than the one with these heads.

    Migrations are numbered, and the number decides. A revision that is no number can be anybody's.
    """
    every = [*found, *heads]
    if not found or not heads or not all(each.isdecimal() for each in every):
        return False
    return min(map(int, found)) > max(map(int, heads))


def next_number(known: Collection[str]) -> str:
    """Return the number of the migration after these."""
    return f"{max((int(each) for each in known if each.isdecimal()), default=0) + 1:04}"


class LazyMigrate:
    """Stands for ``flask_migrate.Migrate``: the same commands, the same entry in ``app.extensions``."""

    def init_app(self, app: Flask, db: SQLAlchemy, directory: str) -> None:
        """Announce ``flask db``, and have the real thing take its places at the first use."""

        @cache
        def load() -> Any:
            from flask_migrate import Migrate

            Migrate().init_app(app, db, directory=directory)
            return app.extensions["migrate"]

        app.extensions["migrate"] = LocalProxy(load)
        app.cli.add_command(_Announced(app, load))


class _Announced(click.Command):
    """What the list of commands shows of ``flask db``."""

    def __init__(self, app: Flask, load: Any) -> None:
        super().__init__("db", short_help="Perform database migrations.")
        self.app, self.load = app, load

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Hand over to Flask-Migrate's own command, which has put itself in this one's place."""
        self.load()
        return self.app.cli.commands["db"].make_context(*args, **kwargs)
