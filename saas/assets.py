"""Static files under a name that carries a hash of the content, served by WhiteNoise from memory.

There is no build step. At start every file of ``static/`` is published once more as ``name.<hash>.ending``
(with a gzip twin where that helps), and ``asset("img/logo.svg")`` gives that address, which browsers may keep
for ever. ``css/app.css`` is made from the parts that ``static/css/order.txt`` lists, so that a page loads one
style sheet. Nothing is written anywhere, and nothing that changes on the disk changes what is served.
"""

import gzip
import hashlib
import re
import stat
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple
from wsgiref.headers import Headers

from flask import Flask, Response, abort
from whitenoise import WhiteNoise
from whitenoise.responders import Response as Found
from whitenoise.responders import StaticFile

from saas.config import ROOT

STATIC = ROOT / "static"
STYLE_SHEET = "css/app.css"
ORDER = STATIC / "css" / "order.txt"
HASH_LENGTH = 12  # hexadecimal digits: 48 bits, far beyond an accident between versions of one file
HASH_IN_NAME = rf"\.[0-9a-f]{{{HASH_LENGTH}}}(?=\.[a-z0-9]+$)"
HASHED_NAME = rf"{HASH_IN_NAME}\.[a-z0-9]+$"
COMPRESSIBLE = frozenset({".css", ".js", ".svg", ".txt", ".json", ".webmanifest", ".xml"})
LARGEST_KEPT = 1_000_000  # Bytes. Ours are 80 kB together; a film stays on the disk.


class Entry(NamedTuple):
    """What WhiteNoise wants to know of a file."""

    st_size: int
    st_mtime: float
    st_mode: int = stat.S_IFREG


class Kept(StaticFile):  # type: ignore[misc]
    """A file in memory: all that WhiteNoise answers, without opening anything."""

    def __init__(self, contents: dict[str, bytes], modified: float, headers: Any) -> None:
        """``contents`` has the file under its encoding, that of the plain one being empty."""
        self.contents = contents
        entries = {name: Entry(len(content), modified) for name, content in contents.items()}
        encodings = {name: name for name in contents if name}
        super().__init__("", headers, encodings, entries)

    def get_response(self, method: str, request_headers: dict[str, str]) -> Found:
        """Answer a request, or a part of it, or that nothing has changed."""
        answer = super().get_response("HEAD" if method == "GET" else method, request_headers)
        if method != "GET" or answer.status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            return answer
        content = self.contents[self.get_path_and_headers(request_headers)[0]]
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            start, end = self.get_byte_range(request_headers["HTTP_RANGE"], len(content))
            content = content[start : end + 1]
        answer.file = BytesIO(content)
        return answer


class Assets(WhiteNoise):  # type: ignore[misc]
    """Publishes files under hashed names, remembers the names and serves them."""

    def __init__(self, app: Flask) -> None:
        """With the debugger on, files are read again on every page so that a change shows at once."""
        super().__init__(
            app.wsgi_app,
            autorefresh=app.debug,
            immutable_file_test=HASHED_NAME,
            allow_all_origins=False,
        )
        self._names: dict[str, str] = {}
        if app.debug:
            self.add_files(str(STATIC), "static/")
        for path in sorted(STATIC.rglob("*")):
            if path.is_file():
                self.url(path.relative_to(STATIC).as_posix())
        self.url(STYLE_SHEET)

    def url(self, name: str) -> str:
        """Return the address of a file, named as below ``static/``. Raises ``FileNotFoundError``."""
        if self.autorefresh or name not in self._names:
            self._names[name] = self._publish(name)
        return f"/static/{self._names[name]}"

    def find_file(self, url: str) -> StaticFile | None:
        """Return what was published under this address, and with the debugger on what is there now."""
        return self.files.get(url) or super().find_file(url)

    def serve(self, static_file: StaticFile, environ: Any, start_response: Any) -> Any:
        """Serve a file. Where one on the disk is gone, the application has the word."""
        try:
            return super().serve(static_file, environ, start_response)
        except OSError:
            return self.application(environ, start_response)

    def of_any_release(self, filename: str) -> Response:
        """Answer for the name that a file had in another release with what it is in this one.

        While machines are replaced one after the other, a page of one release asks another for its style
        sheet. Nobody may keep such an answer. What we published ourselves never gets here.
        """
        name = re.sub(HASH_IN_NAME, "", filename)
        if name == filename or name not in self._names:
            abort(HTTPStatus.NOT_FOUND)
        try:
            answer = self.files[f"/static/{self._names[name]}"].get_response("GET", {})
        except OSError:
            abort(HTTPStatus.NOT_FOUND)
        with answer.file as content:
            response = Response(content.read(), content_type=dict(answer.headers)["Content-Type"])
        response.headers["Cache-Control"] = "no-store"
        return response

    def _publish(self, name: str) -> str:
        """Keep a file under the name with its hash, and in production under its own name as well."""
        path = STATIC / name
        parts = _parts() if name == STYLE_SHEET else [path]
        content = b"\n".join(part.read_bytes() for part in parts)
        modified = max(part.stat().st_mtime for part in parts)
        digest = hashlib.sha256(content).hexdigest()[:HASH_LENGTH]
        hashed = path.with_name(f"{path.stem}.{digest}{path.suffix}").relative_to(STATIC).as_posix()
        contents = {"": content}
        if path.suffix in COMPRESSIBLE:
            contents["gzip"] = gzip.compress(content, mtime=0)
        served = [hashed] if self.autorefresh or name == STYLE_SHEET else [hashed, name]
        for each in served:
            url = f"/static/{each}"
            if len(content) > LARGEST_KEPT and name != STYLE_SHEET:
                self.files[url] = self.get_static_file(str(path), url)
            elif url not in self.files:
                self.files[url] = Kept(contents, modified, self._headers(url, digest))
        return hashed

    def _headers(self, url: str, digest: str) -> list[tuple[str, str]]:
        """The type, how long it may be kept, and by what it is known: the same on every machine."""
        headers = Headers([("ETag", f'"{digest}"')])
        self.add_mime_headers(headers, url, url)
        self.add_cache_headers(headers, url, url)
        return headers.items()


def init_app(app: Flask) -> None:
    """Publish the files, serve them, and give templates the function ``asset``."""
    assets = Assets(app)
    app.jinja_env.globals["asset"] = assets.url
    app.view_functions["static"] = assets.of_any_release
    app.wsgi_app = assets  # type: ignore[method-assign]


def _parts() -> list[Path]:
    names = ORDER.read_text(encoding="utf-8").split()
    return [STATIC / "css" / name for name in names]
