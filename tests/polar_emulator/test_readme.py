"""The README of the local Polar is true: what it says to type is typed here."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from polar_emulator.app import create_app
from polar_emulator.settings import Settings
from polar_emulator.testing import READY_PREFIX, LocalPolar
from polar_emulator.world import World
from tests.polar_emulator.conftest import Receiver

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "polar_emulator"
TEXT = (FOLDER / "README.md").read_text("utf-8")
SITE = "http://127.0.0.1:8001"
START = "python -m polar_emulator --webhook-url"
IMPORTED_AS = {"email-validator": "email_validator"}
# pytest is there where its plugin is used; werkzeug comes with flask.
COMES_ALONG = {"pytest", "werkzeug"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def environment(folder: Path, url: str = "") -> dict[str, str]:
    """The folder and this Python first, and nothing of this project."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(folder), "POLAR_EMULATOR_URL": url}


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A folder with nothing in it but a copy of the package."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(FOLDER, tmp_path / "polar_emulator", ignore=ignored)
    return tmp_path


def test_starts_alone(alone: Path, receiver: Receiver) -> None:
    (line,) = [block.strip() for block in blocks("sh") if block.startswith(START)]
    process = subprocess.Popen(
        ["bash", "-c", f"exec {line} --port 0"],
        cwd=alone,
        env=environment(alone),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline().startswith(READY_PREFIX)
    finally:
        process.terminate()
        process.communicate()
    assert (alone / "instance" / "polar.db").exists()


@pytest.mark.skipif(not shutil.which("curl"), reason="the examples need curl")
def test_what_to_type(polar: LocalPolar, alone: Path) -> None:
    typed = [text for text in blocks("sh") if not text.startswith(("pip ", START))]
    typed += re.findall(r"`(python -m polar_emulator .*?)`", table())
    assert len(typed) == 14
    for text in typed:
        done = run(["bash", "-euo", "pipefail", "-c", text.replace(SITE, polar.url)], alone, polar)
        assert done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        assert '"error"' not in done.stdout
    assert polar.events() == []


def test_python_example(polar: LocalPolar, alone: Path) -> None:
    (text,) = [text for text in blocks("python") if "def test_" not in text]
    done = run([sys.executable, "-c", text.replace(SITE, polar.url)], alone, polar)
    assert done.stdout.startswith(f"{polar.url}/checkout/polar_c_"), done.stderr


def test_node_example(polar: LocalPolar, alone: Path) -> None:
    modules = os.environ.get("POLAR_NODE_MODULES", "")
    if not shutil.which("node") or not (Path(modules) / "@polar-sh" / "sdk").is_dir():
        pytest.skip(
            "no Node with @polar-sh/sdk: npm install it, and name its node_modules in POLAR_NODE_MODULES"
        )
    (text,) = blocks("js")
    (alone / "node_modules").symlink_to(modules)
    (alone / "example.mjs").write_text(text.replace(SITE, polar.url), "utf-8")
    done = run(["node", "example.mjs"], alone, polar)
    assert done.stdout.startswith(f"{polar.url}/checkout/polar_c_"), done.stderr


def test_calls_exist() -> None:
    calls = re.findall(r"`(GET|POST|DELETE) (/[^`]*)`", table())
    assert len(calls) >= 12
    world = World(Settings(store=":memory:", public_url=SITE))
    routes = create_app(world).url_map.bind("127.0.0.1")
    for method, path in calls:
        routes.match(f"/_emulator{path.partition('?')[0]}", method)
    world.store.close()


def test_needs_what_it_imports() -> None:
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.split(r"[<>=]", text)[0]: text for text in project["dependencies"]}
    (typed,) = [text for text in blocks("sh") if text.startswith('pip install "')]
    assert re.findall(r'"(.*?)"', typed) == list(needed.values())
    names = {IMPORTED_AS.get(name, name) for name in needed}
    assert set(imports()) - set(sys.stdlib_module_names) - COMES_ALONG == {*names, "polar_emulator"}


def test_entry_points_exist() -> None:
    project = tomllib.loads((FOLDER / "pyproject.toml").read_text("utf-8"))["project"]
    named = [*project["scripts"].values(), *project["entry-points"]["pytest11"].values()]
    for target in named:
        module, _, function = target.partition(":")
        found = __import__(module, fromlist=["x"])
        assert not function or callable(getattr(found, function))


def test_every_testid_is_there() -> None:
    named = set(re.findall(r"`([a-z0-9-]+)`", TEXT))
    for template in (FOLDER / "templates").glob("*.html"):
        for testid in re.findall(r'data-testid="([^"]+)"', template.read_text("utf-8")):
            shape = re.sub(r"{{.*?}}", "[a-z0-9-]+", testid)
            assert any(re.fullmatch(shape, name) for name in named), f"{template.name}: {testid}"


def table() -> str:
    return TEXT.partition("| command line |")[2].partition("\n\n")[0]


def run(command: list[str], folder: Path, polar: LocalPolar) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=environment(folder, polar.url),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def imports() -> Iterator[str]:
    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            yield from (name.partition(".")[0] for name in names)
