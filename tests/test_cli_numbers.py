"""Whatever number a command gets, the answer is a sentence and never a traceback."""

from collections.abc import Iterator

import click
import pytest
from flask import Flask

OWN_GROUPS = ("billing", "jobs", "polar", "users", "webhooks")
NUMBERS = (
    "-1",
    "0",
    str(2**31 - 1),
    str(2**31),
    "99999999",
    str(2**63 - 1),
    str(2**63),
    "9" * 30,
    "9" * 5000,
)
WORDS = [
    ("billing", "replay", "--days"),
    ("webhooks", "list", "--limit"),
    ("webhooks", "show", "--"),
    ("webhooks", "replay", "--"),
    ("webhooks", "retry", "--limit"),
    ("jobs", "list", "--limit"),
    ("jobs", "show", "--"),
    ("jobs", "retry", "--"),
]


def parameters(app: Flask) -> Iterator[click.Parameter]:
    for name in OWN_GROUPS:
        group = app.cli.commands[name]
        assert isinstance(group, click.Group)
        for command in group.commands.values():
            yield from command.params


def test_every_number_has_a_least_and_a_most(shared_app: Flask) -> None:
    found = [p for p in parameters(shared_app) if p.type.name.startswith(("integer", "float"))]
    assert len(found) == len(WORDS)
    for parameter in found:
        assert isinstance(parameter.type, click.IntRange), parameter.name
        assert None not in (parameter.type.min, parameter.type.max), parameter.name


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:20])
@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_no_number_is_a_bug(app: Flask, words: tuple[str, ...], number: str) -> None:
    result = app.test_cli_runner().invoke(args=[*words, number])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.output
