"""Make ``.env`` from ``.env.example`` with fresh secrets, and fill in secrets that are empty.

Runs under any Python 3, because a project is also made by Pythons older than its own.
"""

import base64
import re
import secrets
from pathlib import Path


def ensure(root: Path) -> bool:
    """Make sure that ``root/.env`` has its secrets, readable by its owner only.

    Returns whether the file was made now. Existing values are never changed.
    """
    path = root / ".env"
    is_new = not path.exists()
    source = root / ".env.example" if is_new else path
    before = source.read_text(encoding="utf-8")
    after = fill(before)
    if is_new or after != before:
        _write_private(path, after)
    return is_new


def fill(text: str) -> str:
    """Return ``text`` with a fresh value in each empty ``SECRET_KEY=`` and webhook secret."""
    fresh = {
        "SECRET_KEY": secrets.token_hex(32),
        "POLAR_WEBHOOK_SECRET": "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode(),
    }
    return re.sub(
        r"^(SECRET_KEY|POLAR_WEBHOOK_SECRET)=[ \t]*$",
        lambda match: f"{match[1]}={fresh[match[1]]}",
        text,
        flags=re.MULTILINE,
    )


def _write_private(path: Path, text: str) -> None:
    """Replace the file in one step, with mode 600 from its first moment."""
    scratch = path.with_name(".env.new")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode=0o600)
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)
