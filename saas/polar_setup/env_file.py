"""Write one setting into ``.env`` and leave everything else in it as it is, byte for byte, its owner too.

Lines are found and read by python-dotenv itself, which reads the file when the application starts: quotes,
``export``, comments and values over several lines mean here what they mean there.
"""

import io
import os
import re
from pathlib import Path

from dotenv.parser import parse_stream

from saas.config import could_be_secret, words

NAME = "POLAR_WEBHOOK_SECRET"
MARK = "\ufeff"  # Some editors begin a file with it; python-dotenv passes over it.
HEAD = re.compile(rf"(\s*(?:export[^\S\r\n]+)?'?{NAME}'?)[^\S\r\n]*(=?)")
QUOTED = re.compile(r"""(['"])(?:\\.|(?!\1)[^\\])*\1""", re.DOTALL)
UNQUOTED = re.compile(r"[^\r\n]*?(?=\s+#|[^\S\r\n]*(?:[\r\n]|\Z))")


def add_secret(path: Path, secret: str) -> bool:
    """Put the webhook secret first in ``.env``, readable by its owner only. Returns whether it was new.

    Earlier secrets stay behind it, separated by a comma, so that nothing which is on its way is refused.
    A word that is too short to be a secret goes: it may be what is left of a comment.
    """
    # What is not UTF-8 goes out as it came in.
    text = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
    lines = list(parse_stream(io.StringIO(text)))
    numbers = [number for number, line in enumerate(lines) if line.key == NAME]
    old = words(lines[numbers[-1]].value or "") if numbers else ()  # The last one counts.
    known = [word for word in old if could_be_secret(word)]
    if secret in known and len(known) == len(old):
        path.chmod(0o600)
        return False
    value = ",".join([secret, *(word for word in known if word != secret)])
    parts = [line.original.string for line in lines]
    if numbers:
        parts[numbers[-1]] = _with_value(parts[numbers[-1]], value)
    else:
        end = "\r\n" if "\r\n" in text else "\n"
        parts += ["" if not text or text.endswith("\n") else end, f"{NAME}={value}{end}"]
    _write(path, (MARK if text.startswith(MARK) else "") + "".join(parts))
    return True


def _with_value(line: str, value: str) -> str:
    """Return a line with another value: what stands before it, its quotes and its comment stay."""
    head = next(HEAD.finditer(line))
    start = head.end()
    rest = line[start:]
    if not head[2]:
        rest = line[len(head[1]) :]
        return f"{head[1]}={value}{' ' if rest.startswith('#') else ''}{rest}"
    blank = len(rest) - len(rest.lstrip(" \t"))
    if blank and rest[blank:].startswith("#"):
        return line[:start] + value + rest  # Empty, and a comment.
    before, rest = line[: start + blank], rest[blank:]
    if quoted := QUOTED.match(rest):
        return f"{before}{quoted[1]}{value}{quoted[1]}{rest[quoted.end() :]}"
    plain = UNQUOTED.match(rest)
    return before + value + rest[plain.end() if plain else 0 :]


def _write(path: Path, text: str) -> None:
    scratch = path.with_name(f"{path.name}.new")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode=0o600)
    scratch.write_bytes(text.encode("utf-8", "surrogateescape"))
    if path.exists() and os.geteuid() == 0:  # The application reads it as its own user.
        os.chown(scratch, path.stat().st_uid, path.stat().st_gid)
    scratch.replace(path)
