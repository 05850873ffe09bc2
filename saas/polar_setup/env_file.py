"""Write one setting into ``.env`` and leave everything else in it as it is, its owner too."""

import os
import re
from pathlib import Path

NAME = "POLAR_WEBHOOK_SECRET"


def add_secret(path: Path, secret: str) -> bool:
    """Put the webhook secret first in ``.env``, readable by its owner only. Returns whether it was new.

    Earlier secrets stay behind it, separated by a comma, so that nothing which is on its way is refused.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    line = re.compile(rf"^(?:export[ \t]+)?{NAME}[ \t]*=[ \t]*(.*)$", re.MULTILINE)
    found = list(line.finditer(text))
    old = found[-1][1].strip().strip("'\"") if found else ""  # The last one counts.
    known = old.replace(",", " ").split()
    if secret in known:
        _make_private(path)
        return False
    new = f"{NAME}={','.join([secret, *known])}"
    if found:
        text = text[: found[-1].start()] + new + text[found[-1].end() :]
    else:
        text += ("" if not text or text.endswith("\n") else "\n") + new + "\n"
    _write(path, text)
    return True


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(f"{path.name}.new")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode=0o600)
    scratch.write_text(text, encoding="utf-8")
    if path.exists() and os.geteuid() == 0:  # The application reads it as its own user.
        os.chown(scratch, path.stat().st_uid, path.stat().st_gid)
    scratch.replace(path)


def _make_private(path: Path) -> None:
    path.chmod(0o600)
