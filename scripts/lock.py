"""``make lock``: choose the versions of the dependencies anew and export them for pip.

Arguments are passed to ``uv lock``, for example ``--upgrade`` or ``--upgrade-package flask``.
"""

import subprocess
import sys

from get_uv import ROOT, ToolError, find_uv
from setup import uv_environment

EXPORT = ["export", "--locked", "--quiet", "--no-emit-project", "--no-header", "--no-annotate"]
EXPORTED = {
    "requirements.txt": ["--no-default-groups"],
    "requirements-dev.txt": ["--all-groups"],
}


def main(arguments: list[str]) -> None:
    """Write ``uv.lock`` and the two lists for pip."""
    uv = find_uv()
    if not uv:
        raise ToolError("Choosing versions needs uv, and it could not be fetched.")
    exports = [[*EXPORT, *which, "--output-file", name] for name, which in EXPORTED.items()]
    for command in (["lock", *arguments], *exports):
        subprocess.run([uv, *command], cwd=ROOT, env=uv_environment(), check=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ToolError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
