import re
import subprocess

from tests.scripts import ROOT

TEXT = (ROOT / "Makefile").read_text(encoding="utf-8")


def test_help_lists_every_verb() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", TEXT, re.MULTILINE))
    shown = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make ([a-z-]+) +\S", shown, re.MULTILINE)) == verbs
    assert {"dev", "test", "test-browser", "lint", "fmt", "ci", "clean", "help"} <= verbs


def test_no_verb_is_mistaken_for_a_file() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", TEXT, re.MULTILINE))
    phony = {
        word
        for line in re.findall(r"^\.PHONY: ([a-z -]+)", TEXT, re.MULTILINE)
        for word in line.split()
    }
    assert phony == verbs


def test_python_that_does_not_fit_gets_a_sentence() -> None:
    done = subprocess.run(
        ["/bin/sh", ROOT / "scripts/python.sh", "--version"],
        env={"PATH": "/nonexistent", "HOME": "/nonexistent", "PYTHON": "/nonexistent/python"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:  # A Python in a well-known place is found without any PATH.
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("This project needs Python 3.11, 3.12 or 3.13")
