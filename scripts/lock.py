"""``make lock``: choose the versions of the dependencies anew and export them for pip.

Arguments are passed to ``uv lock``, for example ``--upgrade`` or ``--upgrade-package flask``.
"""

import subprocess
import sys

from get_uv import ROOT, ToolError, find_uv
from setup import uv_environment

EXPORT = ["export", "--locked", "--quiet", "--no-default-groups", "--no-emit-project"]
EXPORT += ["--no-header", "--no-annotate", "--output-file", "requirements.txt"]


def main(arguments: list[str]) -> None:
    """Write ``uv.lock`` and ``requirements.txt``."""
    uv = find_uv()
    if not uv:
        raise ToolError("Choosing versions needs uv, and it could not be fetched.")
    for command in (["lock", *arguments], EXPORT):
        subprocess.run([uv, *command], cwd=ROOT, env=uv_environment(), check=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ToolError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
