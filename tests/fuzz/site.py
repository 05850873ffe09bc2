"""The application under fire: sends a request at the WSGI door, and watches the database."""

import io
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import run_wsgi_app

from saas.accounts.models import SignIn, User
from saas.extensions import db, limiter
from saas.kit.datetimes import utcnow
from tests.browsing import csrf_token, sign_in
from tests.fuzz.inputs import Request

EMAIL = "ada@example.com"
NEUTRAL = {"csrf_token"}


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Any
    body: bytes
    seconds: float


class Site:
    """An application with one customer, staff as well, signed in anew whenever a request ended that."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.cookie = ""
        self.token = ""
        self.visitor = app.test_client()
        self.visitor_token = csrf_token(self.visitor, "/forgot-password")

    def send(self, request: Request) -> Answer:
        """Send a request as gunicorn would hand it over."""
        with self.app.app_context():
            limiter.reset()
        started = time.perf_counter()
        chunks, status, headers = run_wsgi_app(self.app, self._environ(request), buffered=True)
        body = b"".join(chunks)
        return Answer(int(status.split()[0]), headers, body, time.perf_counter() - started)

    def state(self) -> Any:
        """Return something that differs when any row of any table does."""
        with self.app.app_context(), db.engine.connect() as connection:
            if db.engine.dialect.name == "sqlite":
                rows = [
                    connection.execute(select(table)).all() for table in db.metadata.sorted_tables
                ]
                return hash(repr(rows))
            return connection.execute(text(self._digests())).all()

    def _digests(self) -> str:
        one = "SELECT '{0}', md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {0} t"
        return " UNION ALL ".join(one.format(table.name) for table in db.metadata.sorted_tables)

    def prepare(self, request: Request) -> None:
        """Sign in, when the request is to come from somebody who is."""
        if request.signed_in:
            self._sign_in()

    def _sign_in(self) -> None:
        with self.app.app_context():
            ada = db.session.scalar(select(User).where(User.email == EMAIL))
            signed_in = ada is not None and db.session.scalar(
                select(SignIn.id).where(SignIn.user_id == ada.id, SignIn.auth_key == ada.auth_key)
            )
            if self.cookie and signed_in:
                return
            if ada is not None:
                db.session.delete(ada)
                db.session.commit()
            db.session.remove()
        client, _ = sign_in(self.app, EMAIL, staff_since=utcnow())
        self.token = csrf_token(client, "/settings/password")
        self.cookie = _session(client)

    def _environ(self, request: Request) -> dict[str, Any]:
        body = request.body
        token = self.token if request.signed_in else self.visitor_token
        if request.with_token and request.headers.get("Content-Type", "").endswith("urlencoded"):
            body = (body + b"&" if body else b"") + urlencode({"csrf_token": token}).encode()
        raw_path = request.path.partition("?")[0]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
            "RAW_URI": request.path,
            "QUERY_STRING": request.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if request.with_token and request.method != "GET":
            environ["HTTP_X_CSRFTOKEN"] = token
        for name, value in request.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"] = value
        cookies = self.cookie if request.signed_in else _session(self.visitor)
        if "HTTP_COOKIE" not in environ or request.with_token:
            environ["HTTP_COOKIE"] = cookies
        return environ


def _session(client: FlaskClient) -> str:
    cookie = client.get_cookie("session")
    assert cookie is not None
    return f"session={cookie.value}"
