"""The rule of the migrations: while one runs, the release before it goes on working, and nobody waits.

``python scripts/migration_rules.py [FOLDER]`` prints every migration as the SQL that PostgreSQL would
get and shows it to squawk. docs/migrations.md tells what is allowed when, and how an exception is marked.
Ends with 1 when a migration breaks the rule.
"""

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

ROOT = Path(__file__).resolve().parent.parent
BREAKS_THE_RELEASE_BEFORE = {
    "adding-required-field",
    "ban-drop-column",
    "ban-drop-default",
    "ban-drop-not-null",
    "ban-drop-table",
    "ban-truncate-cascade",
    "changing-column-type",
    "renaming-column",
    "renaming-table",
}
TASTE = {  # Types are the same on SQLite and PostgreSQL here; migrations/env.py sets the time-outs.
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamp-tz",
    "require-lock-timeout",
    "require-statement-timeout",
    "require-timeout-settings",
}
MARK = re.compile(r"^\s*# (contract|locks): (\S.*)$", re.MULTILINE)
ADDS = re.compile(r"\b(CREATE TABLE|ADD COLUMN)\b")
BESIDE_WRITERS = re.compile(r"\bCREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:IF NOT EXISTS )?(\S+)")
ONLY_ONCE = re.compile(r"\b(?:(?:CREATE|ALTER|DROP) TABLE|DROP INDEX CONCURRENTLY (?!IF EXISTS))\b")


class NotPrintableError(Exception):
    """A migration asks the database something, so it cannot be printed as SQL."""


@dataclass(frozen=True)
class Finding:
    """What is wrong with one migration."""

    migration: str
    rule: str
    sentence: str


def main(folder: Path) -> int:
    """Check the migrations of a folder, print what breaks the rule, and return how many do."""
    if not shutil.which("squawk", path=str(Path(sys.executable).parent)):
        print("Skipped: there is no squawk for this kind of machine.")
        return 0
    found = findings(folder)
    for finding in found:
        print(f"{finding.migration}: {finding.sentence} ({finding.rule})")
    if found:
        print(
            "docs/migrations.md shows how to do it in two releases, and how to mark an exception."
        )
    return int(bool(found))


def findings(folder: Path) -> list[Finding]:
    """Return what breaks the rule in ``folder``, which has an ``env.py`` and ``versions/``."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    revisions = list(ScriptDirectory.from_config(config).walk_revisions())
    return [f for revision in reversed(revisions) for f in _of_migration(revision.module)]


def _of_migration(module: ModuleType) -> Iterator[Finding]:
    source = Path(str(module.__file__))
    marks = {kind for kind, _ in MARK.findall(source.read_text(encoding="utf-8"))}
    try:
        sql = printed(module)
    except NotPrintableError as error:
        yield Finding(source.name, "cannot be printed", str(error))
        return
    for rule, sentence in _squawk(sql):
        needed = "contract" if rule in BREAKS_THE_RELEASE_BEFORE else "locks"
        if rule not in TASTE and needed not in marks:
            yield Finding(source.name, f"{rule}; an exception is marked '# {needed}:'", sentence)
    yield from (Finding(source.name, *found) for found in _unrepeatable(sql))
    if "contract" in marks and ADDS.search(sql):
        sentence = "A migration that takes something away adds nothing; make two of it."
        yield Finding(source.name, "mixed", sentence)


def _unrepeatable(sql: str) -> Iterator[tuple[str, str]]:
    """Yield why it could not be run again where an index had to wait for too long: half of it stays, and what
    came before it is committed."""
    created = list(BESIDE_WRITERS.finditer(sql))
    for index in created:
        if f"DROP INDEX CONCURRENTLY IF EXISTS {index[1]};" not in sql[: index.start()]:
            yield (
                "no drop before",
                f"Drop {index[1]} first, if it exists, as half of it may be there.",
            )
    if created and ONLY_ONCE.search(sql):
        yield "not alone", "Such an index is in a migration of its own, which can be run again."


def printed(module: ModuleType) -> str:
    """Return ``upgrade()`` as SQL for PostgreSQL. Raises ``NotPrintableError``."""
    text = io.StringIO()
    options = {
        "as_sql": True,
        "output_buffer": text,
        "literal_binds": True,
        "transactional_ddl": True,
        "transaction_per_migration": True,
    }
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(context):
        try:
            with context.begin_transaction(_per_migration=True):
                module.upgrade()
        except AttributeError as error:  # There is no answer to read from.
            raise NotPrintableError(
                f"It asks the database something; use op.execute() and nothing else: {error}."
            ) from None
    return text.getvalue()


def _squawk(sql: str) -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "migration.sql")
        path.write_text(sql, encoding="utf-8")
        squawk = str(Path(sys.executable).with_name("squawk"))
        command = [squawk, "--reporter", "json", "--pg-version", "15", "--no-assume-in-transaction"]
        done = subprocess.run(
            [*command, str(path)], cwd=scratch, capture_output=True, text=True, check=False
        )
    if done.returncode not in {0, 1} or not done.stdout.strip():
        raise SystemExit(f"squawk failed: {done.stderr}")
    for violation in json.loads(done.stdout):
        yield violation["rule_name"], violation["message"].splitlines()[0]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "migrations"))
