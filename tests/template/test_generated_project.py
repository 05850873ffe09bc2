"""A generated project with an awkward name does all that its README promises."""

import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tests.scripts.running import answers, free_ports, is_free, processes_in, wait_until
from tests.template.conftest import environment

NAME = """O'Reilly & "Söhne" <b>"""


def test_its_own_verbs(generate: Callable[..., Path], tmp_path: Path) -> None:
    project = generate(project_name=NAME, project_slug="app2go")
    make_test(project, tmp_path)
    make_dev(project, tmp_path)
    make_lint(project, tmp_path)
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=project, capture_output=True, text=True, check=True
    )
    assert status.stdout == ""


def make_test(project: Path, home: Path) -> None:
    done = run(["make", "test"], project, home)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout.splitlines()[-1]


def make_dev(project: Path, home: Path) -> None:
    port, polar_port = free_ports(2)
    settings = {"PORT": str(port), "POLAR_EMULATOR_PORT": str(polar_port)}
    with subprocess.Popen(
        ["make", "dev"],
        cwd=project,
        env=environment(home, **settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            assert wait_until(lambda: answers(f"http://127.0.0.1:{port}/"), 60)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
                text = page.read().decode()
            assert "O&#39;Reilly &amp; &#34;Söhne&#34; &lt;b&gt;" in text
            assert "<b>" not in text.partition("</title>")[0]
            assert answers(f"http://127.0.0.1:{port}/pricing")
            assert answers(f"http://127.0.0.1:{polar_port}/")
        finally:
            os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=15)
    assert wait_until(lambda: not processes_in(project), 5)
    assert is_free(port)
    assert is_free(polar_port)


def make_lint(project: Path, home: Path) -> None:
    done = run(["make", "lint"], project, home)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def run(command: list[str], project: Path, home: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=project, env=environment(home), capture_output=True, text=True, check=False
    )
