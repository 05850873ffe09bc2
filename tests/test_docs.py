"""Every command and every handled event is in the documentation."""

from collections.abc import Iterator

import click
import pytest
from flask import Flask

from saas.config import ROOT
from saas.webhooks import handlers

DOCS = {
    path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))
}
OWN_GROUPS = ("billing", "jobs", "polar", "users", "webhooks")


def commands(app: Flask) -> Iterator[str]:
    for name in OWN_GROUPS:
        group = app.cli.commands[name]
        assert isinstance(group, click.Group)
        for command in group.commands:
            yield f"flask {name} {command}"


def test_every_command_has_a_heading(shared_app: Flask) -> None:
    headings = {
        line.lstrip("# ").strip()
        for text in DOCS.values()
        for line in text.splitlines()
        if line.startswith("#")
    }
    assert [name for name in commands(shared_app) if name not in headings] == []


@pytest.mark.parametrize("name", [n for n, handler in handlers.TABLE.items() if callable(handler)])
def test_every_handled_event_is_explained(name: str) -> None:
    assert f"`{name}`" in DOCS["sync.md"]


def test_no_event_is_explained_that_is_not_handled() -> None:
    rows = [line for line in DOCS["sync.md"].splitlines() if line.startswith("| `")]
    named = {word for row in rows for word in row.split("|")[1].replace("`", "").split(", ")}
    explained = {word.strip() for word in named}
    assert explained == {n for n, handler in handlers.TABLE.items() if callable(handler)}
