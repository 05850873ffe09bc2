"""The audit finds what it is there for, and says when it cannot look."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scripts import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import audit

sys.path.pop(0)
GITHUB = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"
OURS = "polar_" + "oat_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hI6"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    audit._lines.cache_clear()
    subprocess.run(["git", "init", "--quiet"], check=True)
    return tmp_path


def has(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not (audit.BIN / tool).exists(), reason=f"{tool} comes with make audit"
    )


@has("detect-secrets")
@pytest.mark.parametrize("secret", [GITHUB, OURS])
def test_a_secret_is_found_and_can_be_excused(folder: Path, secret: str) -> None:
    (folder / "settings.py").write_text(f'TOKEN = "{secret}"\n')
    subprocess.run(["git", "add", "."], check=True)
    assert {line.partition(": ")[0] for line in audit.secrets()} == {"settings.py:1"}
    (folder / "settings.py").write_text(f'TOKEN = "{secret}"  # {audit.MARK}\n')
    audit._lines.cache_clear()
    assert list(audit.secrets()) == []


@has("zizmor")
def test_a_careless_workflow_is_found(folder: Path) -> None:
    workflow = folder / ".github/workflows/ci.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(
        "on: pull_request_target\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        "      - run: echo ${{ github.event.pull_request.title }}\n"
    )
    assert any("template-injection" in line for line in audit.workflows())


@pytest.mark.parametrize("check", [audit.workflows, audit.secrets])
def test_what_cannot_be_looked_at_is_said(
    folder: Path, check: Callable[[], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(audit.Unreachable):
        list(check())


def test_a_missing_list_of_holes_is_a_reason_and_no_success(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = folder / "pip-audit"
    tool.write_text("#!/bin/sh\necho no route to host >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setattr(audit, "BIN", folder)
    with pytest.raises(audit.Unreachable, match="no route to host"):
        list(audit.dependencies())


def test_a_known_hole_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = folder / "pip-audit"
    tool.write_text(
        "#!/bin/sh\ncat <<X\n"
        '{"dependencies": [{"name": "a", "version": "1", "vulns":'
        ' [{"id": "CVE-1", "fix_versions": ["2"]}]}, {"name": "b", "version": "1", "vulns": []}]}\nX\n'
    )
    tool.chmod(0o755)
    monkeypatch.setattr(audit, "BIN", folder)
    assert list(audit.dependencies()) == ["a 1: CVE-1, mended in 2"]
