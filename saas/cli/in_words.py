"""A command that finds no database ends with a sentence, whichever command it is."""

from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup, ScriptInfo

from saas import schema


class Commands(AppGroup):
    """The commands of the application, each told what to do with an error of the database."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Register a command, or a group with all that is in it."""
        super().add_command(cmd, name)
        if "invoke" not in vars(cmd):  # It may belong to several applications.
            cmd.invoke = _in_words(cmd)  # type: ignore[method-assign]


def init_app(app: Flask) -> None:
    """Have the application register its commands so. To be called before any is."""
    app.cli = Commands(app.name)


def _in_words(command: click.Command) -> Any:
    run = command.invoke

    def invoke(ctx: click.Context) -> Any:
        try:
            return run(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            with ctx.ensure_object(ScriptInfo).load_app().app_context():
                sentence = schema.explain(error)
            if sentence is None:
                raise
            raise click.ClickException(sentence) from None

    return invoke
