"""``.env.example`` is the list of settings: complete, explained and true."""

import ast
import re

import pytest

from saas.config import from_environment
from tests.scripts import ROOT

TEXT = (ROOT / ".env.example").read_text(encoding="utf-8")
LISTED = re.findall(r"^(?:# )?([A-Z][A-Z_]+)=(.*)$", TEXT, re.MULTILINE)
OUTSIDE = {"POLAR_EMULATOR_PORT"}


def names_read_by_the_application() -> set[str]:
    tree = ast.parse((ROOT / "saas/config/reading.py").read_text(encoding="utf-8"))
    reader = next(
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == "from_environment"
    )
    return {
        node.args[0].value
        for node in ast.walk(reader)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "read"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_every_setting_is_listed_once() -> None:
    names = [name for name, _ in LISTED]
    assert len(names) == len(set(names))
    assert set(names) - OUTSIDE == names_read_by_the_application()


@pytest.mark.parametrize("name", [name for name, _ in LISTED])
def test_every_setting_is_explained(name: str) -> None:
    before = re.split(rf"^(?:# )?{name}=", TEXT, flags=re.MULTILINE)[0]
    comment = before.rstrip("\n").rpartition("\n")[2]
    assert re.match(r"# .+\.$", comment)


def test_the_shown_defaults_are_the_real_ones() -> None:
    shown = {name: value for name, value in LISTED if value and name not in OUTSIDE}
    shown.pop("APP_ENV")
    assert from_environment(shown) == from_environment({})


def test_the_page_of_settings_has_the_same_headings_in_the_same_order() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (.+)$", page, re.MULTILINE) == [name for name, _ in LISTED]
    for name, value in LISTED:
        part = page.partition(f"### {name}\n")[2].partition("\n### ")[0]
        if value and name != "APP_ENV":
            assert f"Default: `{value}`." in part
