"""Reads the mails that the file backend wrote instead of sending them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from flask import current_app

# How flask-mailman's file backend names and ends a message.
NAME = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9]{1,16}\.log")
SEPARATOR = b"\n" + b"-" * 79 + b"\n"
ADDRESS = re.compile(r"(https?://\S+)")
SHOWN = 100  # The newest ones; nobody looks for yesterday's link.


@dataclass(frozen=True)
class Mail:
    """A message as it would have been sent. ``name`` is the file's."""

    name: str
    written_at: datetime
    sender: str
    recipient: str
    subject: str
    text: str
    html: str

    @property
    def paragraphs(self) -> list[list[str]]:
        """Return the text, cut into paragraphs and these into words and web addresses."""
        return [ADDRESS.split(paragraph) for paragraph in self.text.strip().split("\n\n")]


def newest() -> list[Mail]:
    """Return the messages in the outbox, the newest first."""
    folder = _folder()
    if not folder.is_dir():
        return []
    paths = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
    paths.sort(key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True)
    return [_read(path) for path in paths[:SHOWN]]


def find(name: str) -> Mail | None:
    """Return the message in this file, or ``None``. Only names that a mail can have are tried."""
    path = _folder() / name
    return _read(path) if NAME.fullmatch(name) and path.is_file() else None


def _folder() -> Path:
    return Path(current_app.config["MAIL_FILE_PATH"])


def _read(path: Path) -> Mail:
    raw = path.read_bytes().partition(SEPARATOR)[0]
    message = message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
    return Mail(
        name=path.name,
        written_at=datetime.fromtimestamp(path.stat().st_mtime, UTC),
        sender=str(message["From"] or ""),
        recipient=str(message["To"] or ""),
        subject=str(message["Subject"] or ""),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body else ""
