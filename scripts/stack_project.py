"""A project generated from this template as it is now, to rehearse what users will run."""

import subprocess
from pathlib import Path

import template_tools
from stack_parts import StackError

ROOT = Path(__file__).resolve().parent.parent
ME = ["-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.com"]


def generate(folder: Path) -> Path:
    """Generate a project with the default answers into ``folder`` and return where it is."""
    template_tools.main()
    template = folder / "template"
    listing = _run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listing.split("\0")):
        if (ROOT / name).is_file():
            (template / name).parent.mkdir(parents=True, exist_ok=True)
            (template / name).write_bytes((ROOT / name).read_bytes())
    _run(template, "git", "init", "--quiet")
    _run(template, "git", "add", "--all")
    _run(template, "git", *ME, "commit", "--quiet", "--message", "As it is now")
    program = ROOT / f".tools/cookiecutter-{template_tools.VERSIONS[0]}/bin/cookiecutter"
    _run(folder, str(program), str(template), "--no-input", "author_name=Rehearsal")
    (project,) = [path.parent for path in folder.glob("*/wsgi.py") if path.parent != template]
    return project


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"{' '.join(command)} failed: {done.stdout}{done.stderr}"[-2000:])
    return done.stdout
