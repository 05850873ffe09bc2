"""Static files under a name that carries a hash of the content, served by WhiteNoise.

There is no build step. At start every file of ``static/`` is published once more as ``name.<hash>.ending``
(with a gzip twin where that helps) in a temporary folder, and ``asset("img/logo.svg")`` gives that
address, which browsers may keep for ever. ``css/app.css`` is made from the parts that
``static/css/order.txt`` lists, so that a page loads one style sheet.
"""

import atexit
import gzip
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from flask import Flask, Response, abort, send_from_directory
from whitenoise import WhiteNoise

from saas.config import ROOT

STATIC = ROOT / "static"
STYLE_SHEET = "css/app.css"
ORDER = STATIC / "css" / "order.txt"
HASH_LENGTH = 12  # hexadecimal digits: 48 bits, far beyond an accident between versions of one file
HASH_IN_NAME = rf"\.[0-9a-f]{{{HASH_LENGTH}}}(?=\.[a-z0-9]+$)"
HASHED_NAME = rf"{HASH_IN_NAME}\.[a-z0-9]+$"
COMPRESSIBLE = frozenset({".css", ".js", ".svg", ".txt", ".json", ".webmanifest", ".xml"})


class Assets:
    """Publishes files under hashed names and remembers the names."""

    def __init__(self, reread: bool) -> None:
        self.reread = reread
        self.folder = Path(tempfile.mkdtemp(prefix="static-"))
        self._names: dict[str, str] = {}
        _remove_at_exit(self.folder)

    def url(self, name: str) -> str:
        """Return the address of a file, named as below ``static/``. Raises ``FileNotFoundError``."""
        if self.reread or name not in self._names:
            self._names[name] = self._publish(name)
        return f"/static/{self._names[name]}"

    def publish_all(self) -> None:
        """Publish every file, so that the set is complete before the first request."""
        for path in sorted(STATIC.rglob("*")):
            if path.is_file() and path != ORDER:
                self.url(path.relative_to(STATIC).as_posix())
        self.url(STYLE_SHEET)

    def of_any_release(self, filename: str) -> Response:
        """Answer for the name that a file had in another release with what it is in this one.

        While machines are replaced one after the other, a page of one release asks another for its style
        sheet. Nobody may keep such an answer. What we published ourselves never gets here.
        """
        name = re.sub(HASH_IN_NAME, "", filename)
        if name == filename or name not in self._names:
            abort(404)
        response = send_from_directory(self.folder, self._names[name])
        response.headers["Cache-Control"] = "no-store"
        return response

    def _publish(self, name: str) -> str:
        content = _style_sheet() if name == STYLE_SHEET else (STATIC / name).read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:HASH_LENGTH]
        source = Path(name)
        target = self.folder / source.with_name(f"{source.stem}.{digest}{source.suffix}")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            if source.suffix in COMPRESSIBLE:
                target.with_name(target.name + ".gz").write_bytes(gzip.compress(content, mtime=0))
        return target.relative_to(self.folder).as_posix()


def init_app(app: Flask) -> None:
    """Publish the files, serve them, and give templates the function ``asset``.

    With the debugger on, files are read again on every page so that a change shows at once.
    """
    assets = Assets(reread=app.debug)
    assets.publish_all()
    app.jinja_env.globals["asset"] = assets.url
    app.view_functions["static"] = assets.of_any_release
    whitenoise = WhiteNoise(
        app.wsgi_app,
        autorefresh=app.debug,
        immutable_file_test=HASHED_NAME,
        allow_all_origins=False,
    )
    whitenoise.add_files(str(STATIC), "static/")
    whitenoise.add_files(str(assets.folder), "static/")
    app.wsgi_app = whitenoise  # type: ignore[method-assign]


def _style_sheet() -> bytes:
    names = ORDER.read_text(encoding="utf-8").split()
    return b"\n".join((STATIC / "css" / name).read_bytes() for name in names)


def _remove_at_exit(folder: Path) -> None:
    owner = os.getpid()

    def remove() -> None:
        if (
            os.getpid() == owner
        ):  # A forked worker that ends must not take the files from the others.
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)
