"""Bring the cookiecutters that ``make test-template`` needs into ``.tools/``, one folder for each.

The newest is the one we promise to work with; the oldest is the first that knows ``pre_prompt``; the
others are too old and must say so.
"""

import subprocess
import sys

from get_uv import ROOT, ToolError, find_uv
from setup import uv_environment

VERSIONS = ("2.7.1", "2.4.0", "2.3.1", "1.7.3")


def main() -> None:
    """Make a virtual environment for each version that is not there yet."""
    for version in VERSIONS:
        home = ROOT / ".tools" / f"cookiecutter-{version}"
        if not (home / "bin/cookiecutter").exists():
            print(f"Fetching cookiecutter {version} into .tools/ ...", flush=True)
            uv = find_uv()
            if not uv:
                raise ToolError("The template tests need uv, and it could not be fetched.")
            _run(uv, "venv", "--quiet", "--clear", str(home))
            requirements = [f"cookiecutter=={version}", "setuptools<81"]
            _run(uv, "pip", "install", "--quiet", "--python", str(home), *requirements)


def _run(uv: str, *arguments: str) -> None:
    environment = uv_environment()
    if subprocess.run([uv, *arguments], cwd=ROOT, env=environment, check=False).returncode:
        raise ToolError("cookiecutter could not be installed (the reason is above).")


if __name__ == "__main__":
    try:
        main()
    except ToolError as error:
        sys.exit(str(error))
