"""From a path, a git address and a zip: what comes out is a project of its own."""

import json
import re
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.template.conftest import environment, git

Generate = Callable[..., Path]
TELLS_OF_THE_STARTER = {"docs/runbooks/upgrade.md"}  # It takes over what the starter has learned.
LEFT_OVERS = re.compile(
    rb"(?i:saas.?starter|cookiecutter|template-only)|\bdecisions/[a-z]|\bTODO\b|\bFIXME\b|\[yyyy\]"
)


def files_of(project: Path) -> set[str]:
    return set(git(project, "ls-files").splitlines())


def test_from_a_path(generate: Generate, repository: Path) -> None:
    check_whole(generate(str(repository)), repository)


def test_from_a_git_address(generate: Generate, repository: Path) -> None:
    check_whole(generate(f"git+file://{repository}"), repository)


def test_from_a_zip(generate: Generate, repository: Path, tmp_path: Path) -> None:
    archive = tmp_path / "starter.zip"
    git(repository, "archive", "--prefix=starter/", f"--output={archive}", "HEAD")
    check_whole(generate(str(archive)), repository)


def check_whole(project: Path, repository: Path) -> None:
    """A project has everything but the template's own files, run bits, a commit and its secrets."""
    own = {"README.md", "LICENSE"}
    of_the_template = {
        *("cookiecutter.json", "scripts/stack_project.py", "scripts/template_tools.py")
    }
    folders = ("hooks/", "tests/template/", "docs/decisions/", "docs/img/")
    expected = {
        name
        for name in git(repository, "ls-files").splitlines()
        if name not in of_the_template and not name.startswith(folders)
    }
    assert files_of(project) == expected | own
    for name in ("saas", "templates", "static", "migrations", "tests", "polar_emulator", "wsgi.py"):
        assert (project / name).exists()
    assert git(project, "status", "--porcelain") == ""
    assert git(project, "log", "--format=%s").splitlines() == ["Begin"]
    assert git(project, "branch", "--show-current") == "main\n"
    assert stat.S_IMODE((project / ".env").stat().st_mode) == 0o600
    runnable = {name for name in files_of(project) if (project / name).stat().st_mode & 0o111}
    scripts = {n for n in files_of(project) if (project / n).read_bytes().startswith(b"#!")}
    assert runnable == scripts
    assert ".ci/run" in runnable


def test_nothing_is_left_over(generate: Generate) -> None:
    project = generate()
    found = [
        f"{name}: {match[0]!r}"
        for name in sorted(files_of(project))
        for match in LEFT_OVERS.finditer((project / name).read_bytes())
        if name not in TELLS_OF_THE_STARTER
    ]
    assert found == []


def test_each_project_has_its_own_secrets(generate: Generate, repository: Path) -> None:
    first = generate(project_slug="first")
    secrets = dotenv_values(first / ".env")
    others = dotenv_values(generate(project_slug="second") / ".env")
    for name in ("SECRET_KEY", "POLAR_WEBHOOK_SECRET"):
        assert secrets[name]
        assert secrets[name] != others[name]


def test_what_is_not_tracked_stays_behind(
    generate: Generate, repository: Path, tmp_path: Path
) -> None:
    used = tmp_path / "used"
    subprocess.run(["cp", "-r", repository, used], check=True)
    for name in (".env", "saas/.env", "notes.txt", "instance/app.db", "saas/scratch.py"):
        (used / name).parent.mkdir(exist_ok=True)
        (used / name).write_text("SECRET_KEY=of-the-developer\n")
    project = generate(str(used), project_slug="mine")
    assert not (project / "saas/.env").exists()
    assert not (project / "saas/scratch.py").exists()
    assert not (project / "notes.txt").exists()
    assert not (project / "instance").exists()
    assert "of-the-developer" not in (project / ".env").read_text()


def test_a_zip_of_a_working_folder_brings_no_secrets(
    generate: Generate, repository: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "folder.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("starter/", "")
        for name in git(repository, "ls-files").splitlines():
            zipped.write(repository / name, f"starter/{name}")
        for name in (
            ".env",
            "saas/.env",
            "saas/__pycache__/app.cpython-311.pyc",
            "instance/app.db",
        ):
            zipped.writestr(f"starter/{name}", "SECRET_KEY=of-the-developer")
    project = generate(str(archive))
    assert "of-the-developer" not in (project / ".env").read_text()
    assert not (project / "saas/.env").exists()
    assert not (project / "saas/__pycache__").exists()


def test_every_tracked_file_is_listed_or_left_out_on_purpose(repository: Path) -> None:
    lists = {}
    exec((repository / "hooks/pre_prompt.py").read_text(), {"__name__": "lists"}, lists)
    on_purpose = {"LICENSE", "README.md", "cookiecutter.json"}
    top_level = {name.split("/")[0] for name in git(repository, "ls-files").splitlines()}
    assert top_level - on_purpose - {"hooks"} == {*lists["FOLDERS"], *lists["FILES"]}
    for name in lists["LEFT_OUT"]:
        assert (repository / name).exists() or name == "docs/img"


def test_without_git(repository: Path, tmp_path: Path) -> None:
    program = Path(__file__).resolve().parents[2] / ".tools/cookiecutter-2.7.1/bin/cookiecutter"
    done = subprocess.run(
        [program, repository, "--no-input"],
        cwd=tmp_path,
        env=environment(tmp_path, PATH="/nonexistent"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Your project is in my-saas/.\n" in done.stdout
    assert not (tmp_path / "my-saas/.git").exists()
    assert (tmp_path / "my-saas/wsgi.py").exists()


def test_a_read_only_checkout_is_enough(
    generate: Generate, repository: Path, tmp_path: Path
) -> None:
    read_only = tmp_path / "read-only"
    subprocess.run(["cp", "-r", repository, read_only], check=True)
    subprocess.run(["chmod", "-R", "a-w", read_only], check=True)
    try:
        project = generate(str(read_only))
    finally:
        subprocess.run(["chmod", "-R", "u+w", read_only], check=True)
    assert (project / "saas/app.py").stat().st_mode & 0o200
    assert (project / "saas").stat().st_mode & 0o200


def test_replay_gives_the_same_project(
    cookiecutter: Callable[..., "subprocess.CompletedProcess[str]"],
    generate: Generate,
    repository: Path,
    tmp_path: Path,
) -> None:
    first = generate(project_name="Café Été", project_slug="first")
    replay = tmp_path / ".cookiecutter_replay/starter.json"
    answers = json.loads(replay.read_text())
    answers["cookiecutter"]["project_slug"] = "second"
    replay.write_text(json.dumps(answers))
    done = cookiecutter(str(repository), "--replay")
    assert done.returncode == 0, done.stderr
    brand = (tmp_path / "second/saas/brand.py").read_text()
    assert brand == (first / "saas/brand.py").read_text()


def test_the_next_commands_are_printed(
    cookiecutter: Callable[..., "subprocess.CompletedProcess[str]"], repository: Path
) -> None:
    done = cookiecutter(str(repository), "--no-input", "project_slug=app2go")
    assert "    cd app2go\n    make dev\n" in done.stdout
    assert "with a first commit" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("licence", ["MIT", "Apache-2.0", "Proprietary"])
def test_the_licence_is_the_chosen_one(generate: Generate, licence: str) -> None:
    project = generate(open_source_license=licence, author_name="Ada Lovelace")
    text = (project / "LICENSE").read_text()
    assert re.search(r"Copyright (\(c\) )?20\d\d Ada Lovelace", text)
    assert "<" not in text.replace("<http", "")
