"""The rule of the migrations: good ones pass, and each kind of bad one is named."""

import shutil
import sys
import textwrap
from pathlib import Path

import pytest

from tests.scripts import ROOT

import migration_rules  # isort: skip

if not Path(sys.executable).with_name("squawk").exists():
    pytest.skip("squawk is not installed (make lint brings it)", allow_module_level=True)

HEAD = """
import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
"""

GOOD = {
    "a new table with its index": """
        op.create_table("things", sa.Column("id", sa.Integer(), primary_key=True),
                        sa.Column("name", sa.String(9), nullable=False))
        op.create_index("ix", "things", ["name"])
    """,
    "a nullable column": 'op.add_column("users", sa.Column("a", sa.Integer(), nullable=True))',
    "a required column with a default": """
        op.add_column("users", sa.Column("a", sa.Integer(), nullable=False, server_default="0"))
    """,
    "an index that locks nobody": """
        with op.get_context().autocommit_block():
            op.drop_index("ix", "users", if_exists=True, postgresql_concurrently=True)
            op.create_index("ix", "users", ["email"], postgresql_concurrently=True)
    """,
    "a data change": """op.execute("UPDATE users SET a = 0 WHERE a IS NULL")""",
    "a drop that is marked": """
        # contract: nothing reads it since 2.3
        op.drop_column("users", "a")
    """,
    "an index that is marked": """
        # locks: a table with a row for each run
        op.create_index("ix", "runs", ["started_at"])
    """,
}

BAD = {
    "ban-drop-column": 'op.drop_column("users", "a")',
    "ban-drop-table": 'op.drop_table("users")',
    "renaming-table": 'op.rename_table("users", "people")',
    "renaming-column": 'op.alter_column("users", "a", new_column_name="b")',
    "adding-required-field": """
        op.add_column("users", sa.Column("a", sa.Integer(), nullable=False))
    """,
    "adding-not-nullable-field": 'op.alter_column("users", "a", nullable=False)',
    "changing-column-type": """
        with op.batch_alter_table("users") as batch:
            batch.alter_column("a", type_=sa.BigInteger())
    """,
    "require-concurrent-index-creation": """
        for name in ("a", "b"):
            op.create_index("ix_" + name, "users", [name])
    """,
    "adding-foreign-key-constraint": """
        op.create_foreign_key("fk", "users", "plans", ["plan_id"], ["id"])
    """,
    "disallowed-unique-constraint": 'op.create_unique_constraint("uq", "users", ["a"])',
    "no drop before": """
        with op.get_context().autocommit_block():
            op.drop_index("ix_other", "users", if_exists=True, postgresql_concurrently=True)
            op.create_index("ix", "users", ["email"], postgresql_concurrently=True)
    """,
    "not alone": """
        op.add_column("users", sa.Column("a", sa.Integer(), nullable=True))
        with op.get_context().autocommit_block():
            op.drop_index("ix", "users", if_exists=True, postgresql_concurrently=True)
            op.create_index("ix", "users", ["a"], postgresql_concurrently=True)
    """,
    "cannot be printed": 'op.get_bind().execute(sa.text("SELECT 1")).scalar()',
    "mixed": """
        # contract: nothing reads it
        op.drop_column("users", "a")
        op.add_column("users", sa.Column("b", sa.Integer(), nullable=True))
    """,
}

WRONG_MARK = """
    # locks: this is the other mark
    op.drop_column("users", "a")
"""


@pytest.mark.parametrize("body", GOOD.values(), ids=GOOD.keys())
def test_what_is_allowed(tmp_path: Path, body: str) -> None:
    assert migration_rules.findings(folder_with(tmp_path, body)) == []


@pytest.mark.parametrize(("rule", "body"), BAD.items(), ids=BAD.keys())
def test_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rule: str, body: str
) -> None:
    folder = folder_with(tmp_path, body)
    assert any(found.rule.startswith(rule) for found in migration_rules.findings(folder))
    assert migration_rules.main(folder) == 1
    assert "0001_sample.py: " in capsys.readouterr().out


def test_a_mark_allows_only_what_it_says(tmp_path: Path) -> None:
    (found,) = migration_rules.findings(folder_with(tmp_path, WRONG_MARK))
    assert found.rule.startswith("ban-drop-column; an exception is marked '# contract:'")


def test_our_own_migrations_keep_the_rule() -> None:
    assert migration_rules.findings(ROOT / "migrations") == []


def folder_with(folder: Path, body: str) -> Path:
    (folder / "versions").mkdir()
    shutil.copy(ROOT / "migrations/env.py", folder / "env.py")
    upgrade = "\n\ndef upgrade():\n" + textwrap.indent(textwrap.dedent(body).strip("\n"), "    ")
    (folder / "versions/0001_sample.py").write_text(HEAD + upgrade + "\n")
    return folder
