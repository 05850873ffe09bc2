"""Awkward names work everywhere they are written; impossible answers get one sentence."""

import runpy
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.template.conftest import git

Cookiecutter = Callable[..., "subprocess.CompletedProcess[str]"]

AWKWARD = {
    "quotes": """O'Reilly "Tools\"""",
    "accents": "Café Été",
    "digits": "app2go",
    "emoji": "Rocket 🚀 👩‍🚀",
    "only-emoji": "🚀🚀",
    "backslash": r"Back\slash \n C:\new",
    "braces": "{{ cookiecutter }} {% raw %} {# x #}",
    "script": "</script><script>alert(1)</script>",
    "python": '""" + __import__("os").getcwd() + """',
    "shell": "$(touch pwned) `id` ; rm -rf $HOME",
    "markdown": "*Bold* _and_ [link](x) <b>",
    "right-to-left": "مرحبا שלום",
}


def escaped(value: str) -> str:
    """Cookiecutter renders answers from the command line; this gives it the text as it is."""
    return (
        "{% raw %}" + value + "{% endraw %}"
        if "{% raw" not in value
        else ('{{ "' + value.replace("{", '{" ~ "') + '" }}')
    )


@pytest.mark.parametrize("name", AWKWARD.values(), ids=AWKWARD.keys())
def test_awkward_names(generate: Callable[..., Path], tmp_path: Path, name: str) -> None:
    project = generate(
        project_name=escaped(name),
        description=escaped(f"{name}, for you."),
        author_name=escaped(name),
    )
    brand = runpy.run_path(str(project / "saas/brand.py"))
    assert brand["NAME"] == name
    assert brand["DESCRIPTION"] == f"{name}, for you."
    assert brand["AUTHOR"] == name
    metadata = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert metadata["description"] == f"{name}, for you."
    assert metadata["authors"][0]["name"] == name
    assert name in (project / "LICENSE").read_text(encoding="utf-8")
    assert (project / "README.md").read_text(encoding="utf-8").startswith("# ")
    assert git(project, "log", "--format=%s") == "Begin\n"
    assert not list(tmp_path.rglob("pwned"))
    check = [Path(__file__).resolve().parents[2] / ".venv/bin/python", "-m", "ruff"]
    for verb in (["check"], ["format", "--check"]):
        subprocess.run([*check, *verb, "saas/brand.py"], cwd=project, check=True)


def test_a_long_description_is_wrapped(generate: Callable[..., Path]) -> None:
    description = "Long words and short ones, told at length, " * 4 + "end."
    project = generate(description=description)
    assert runpy.run_path(str(project / "saas/brand.py"))["DESCRIPTION"] == description
    assert max(map(len, (project / "saas/brand.py").read_text().splitlines())) <= 100


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Café Été", "cafe-ete"),
        ("""O'Reilly "Tools\"""", "o-reilly-tools"),
        ("app2go", "app2go"),
        ("🚀", "my-saas"),
    ],
)
def test_the_slug_follows_from_the_name(
    generate: Callable[..., Path], name: str, slug: str
) -> None:
    project = generate(project_name=escaped(name))
    assert project.name == slug
    assert f'name = "{slug}"' in (project / "pyproject.toml").read_text()
    assert f'name = "{slug}"\n' in (project / "uv.lock").read_text()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("project_slug=../../x", "The slug '../../x' does not fit"),
        ("project_slug=/tmp/x", "The slug '/tmp/x' does not fit"),
        ("project_slug=My App", "The slug 'My App' does not fit"),
        ("project_slug=flask", "The slug 'flask' is the name of a package"),
        ("project_slug=Flask_Login", "The slug 'Flask_Login' does not fit"),
        ("project_slug=flask_login", "The slug 'flask_login' is the name of a package"),
        ("project_slug=", "The slug must not be empty."),
        (f"project_slug={'a' * 51}", "The slug must not be longer than 50 characters."),
        ("project_name= ", "The name must not be empty."),
        ("project_name=two\nlines", "The name must be one line"),
        ("description=\x1b[31m", "The description must be one line"),
        ("author_name=", "The author must not be empty."),
        ("email=nobody", "The email 'nobody' does not fit"),
        ("email=a@b.de\nBcc: x@y.de", "The email must be one line"),
        ("domain_name=https://example.com", "The domain 'https://example.com' does not fit"),
        ("domain_name=localhost", "The domain 'localhost' does not fit"),
    ],
)
def test_impossible_answers_get_one_sentence(
    cookiecutter: Cookiecutter, repository: Path, tmp_path: Path, answer: str, sentence: str
) -> None:
    done = cookiecutter(str(repository), "--no-input", answer)
    assert done.returncode == 1
    said = (done.stdout + done.stderr).strip()
    assert said.startswith(sentence)
    assert "\n" not in said
    assert not list(tmp_path.rglob("wsgi.py"))


def test_a_bad_answer_is_told_before_the_next_question(
    cookiecutter: Cookiecutter, repository: Path
) -> None:
    done = cookiecutter(str(repository), answer="My Product\nMy Product!\n")
    assert done.returncode == 1
    assert "The slug 'My Product!' does not fit" in done.stdout
    assert "one sentence" not in done.stdout


def test_typed_answers_are_taken_as_they_are(
    cookiecutter: Cookiecutter, repository: Path, tmp_path: Path
) -> None:
    answers = ["{{ 7 * 7 }} 'x'", "typed", "It's {{ here }}.", "Me", "example.org", "", "2"]
    done = cookiecutter(str(repository), answer="\n".join(answers) + "\n")
    assert done.returncode == 0, done.stdout + done.stderr
    brand = runpy.run_path(str(tmp_path / "typed/saas/brand.py"))
    assert brand["NAME"] == "{{ 7 * 7 }} 'x'"
    assert brand["DESCRIPTION"] == "It's {{ here }}."
    assert brand["EMAIL"] == "hello@example.org"
    assert (tmp_path / "typed/LICENSE").read_text().startswith("MIT License")
