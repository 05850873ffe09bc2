"""The commands of a runbook: its blocks of ``sh``, each with the words behind it."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from tests.scripts import ROOT

ROW = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)
BLOCK = re.compile(r"^```sh *([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FOLDER = ROOT / "docs/runbooks"
asked_for: dict[str, set[str]] = {}


@dataclass(frozen=True)
class Block:
    """Commands that are run together. ``word`` says when: on SQLite, later, expected to fail …"""

    page: str
    word: str
    commands: str


def blocks(page: str, *words: str) -> list[Block]:
    """Return the blocks of a page that carry one of ``words`` ("" for none), in their order."""
    asked_for.setdefault(page, set()).update(words)
    return [block for block in every_block(page) if block.word in words]


def every_block(page: str) -> list[Block]:
    """Return all blocks of a page."""
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    return [Block(page, word.strip(), commands) for word, commands in BLOCK.findall(text)]


def in_compose(found: list[Block]) -> list[Block]:
    """Return blocks with each command in the form that the table has for compose."""
    table = (FOLDER / "where-to-run.md").read_text(encoding="utf-8")
    forms = {here.removesuffix("…"): there.removesuffix("…") for here, there in ROW.findall(table)}
    longest_first = sorted(forms, key=len, reverse=True)
    form = re.compile("|".join(re.escape(each) for each in longest_first))
    return [
        replace(block, commands=form.sub(lambda m: forms[m[0]], block.commands)) for block in found
    ]


def pages() -> list[Path]:
    """All runbooks."""
    return sorted(FOLDER.glob("*.md"))
