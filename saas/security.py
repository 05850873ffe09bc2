"""Who may address us, and what every answer tells the browser to allow: our own files and Polar's
pages, nothing inline, nobody else."""

from collections.abc import Callable, Iterable
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, ParamSpec
from urllib.parse import quote, urlsplit

from flask import Flask, Response, abort, make_response, redirect, request, session
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import Headers

from saas.config import Settings
from saas.config.hosts import Hosts
from saas.kit.session_cookie import SignedSessions

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

P = ParamSpec("P")

POLAR_PAGES = ("https://polar.sh", "https://*.polar.sh")

# Asked for by load balancers and monitors, by number; and by Polar, whose proof is its signature. None of
# them writes an address into its answer.
ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics", "/webhooks/polar"})

PRIVATE = "private, no-store"
MISDIRECTED = (
    "This host is not served here. The settings BASE_URL and ALLOWED_HOSTS name those that are.\n"
)
HSTS = "max-age=31536000; includeSubDomains"


def init_app(app: Flask, settings: Settings) -> None:
    """Check the host of every request and set the security headers of every answer.

    Called before anything else that looks at requests, so that nothing is done for a foreign host.
    """
    hosts = Hosts.of(settings)
    app.session_interface = SignedSessions()

    @app.before_request
    def check_host() -> ResponseReturnValue | None:
        if request.path in ANY_HOST or hosts.are_ours(request.host):
            return None
        if hosts.are_another_name(request.host) and request.method in {"GET", "HEAD"}:
            return redirect(
                settings.base_url + _what_was_asked_for(), HTTPStatus.TEMPORARY_REDIRECT
            )
        # No page: for a host that is no name Flask cannot even make the addresses on it.
        return Response(MISDIRECTED, HTTPStatus.MISDIRECTED_REQUEST, mimetype="text/plain")

    app.before_request(refuse_nonsense)

    @app.teardown_request
    def close_files(_error: BaseException | None) -> None:
        request.close()  # Flask leaves what was sent as a file open until the memory is tidied up.

    @app.after_request
    def keep_nothing(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", PRIVATE)
        return response


def refuse_nonsense() -> None:
    """Answer 400 to what no person types and no form sends: text with a NUL in it, which PostgreSQL does
    not store, and a part of a form without a name, which Flask-WTF does not stand."""
    if request.path in ANY_HOST or not (
        request.query_string or _has_body() or "\x00" in request.path
    ):
        return
    pairs = list(request.values.items(multi=True))
    names = [*(name for name, _ in pairs), *request.files]
    texts = [request.path, *names, *(text for _, text in pairs)]
    if any(text is None or "\x00" in text for text in texts):
        abort(HTTPStatus.BAD_REQUEST)


def _has_body() -> bool:
    environ = request.environ
    return environ.get("CONTENT_LENGTH", "") not in {"", "0"} or "HTTP_TRANSFER_ENCODING" in environ


def guard(wsgi: "WSGIApplication", settings: Settings) -> "WSGIApplication":
    """Return ``wsgi`` with the headers on every answer: pages, files, redirects and errors alike."""
    common = [(name.lower(), (name, value)) for name, value in headers(settings).items()]

    def guarded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, given: list[tuple[str, str]], *rest: object) -> object:
            names = {name.lower() for name, _ in given}
            given.extend(pair for name, pair in common if name not in names)
            return start_response(status, given, *rest)  # type: ignore[arg-type]

        return wsgi(environ, start)  # type: ignore[arg-type]

    return guarded


def headers(settings: Settings) -> Headers:
    """Return the headers that an answer has unless it sets its own."""
    found = Headers(
        {
            "Content-Security-Policy": content_security_policy(settings),
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "strict-origin-when-cross-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
    )
    if settings.base_url.startswith("https://"):
        found["Strict-Transport-Security"] = HSTS
    return found


def may_be_kept(policy: str) -> Callable[[Callable[P, ResponseReturnValue]], Callable[P, Response]]:
    """Let browsers keep the page of a view as ``policy`` says, but only what a visitor sees.

    For somebody who is signed in the page shows who they are, and stays out of every cache.
    """

    def decorate(view: Callable[P, ResponseReturnValue]) -> Callable[P, Response]:
        @wraps(view)
        def kept(*args: P.args, **kwargs: P.kwargs) -> Response:
            response = make_response(view(*args, **kwargs))
            if "_user_id" not in session:
                response.headers["Cache-Control"] = policy
            return response

        return kept

    return decorate


def content_security_policy(settings: Settings) -> str:
    """Return the policy.

    ``form-action`` names Polar's pages because Chromium applies it to the redirect that answers a
    form, too, and checkout and portal are exactly that (https://w3c.github.io/webappsec-csp/#directive-form-action).
    """
    pages = (_origin(settings.polar_url),) if settings.uses_local_polar else POLAR_PAGES
    return "; ".join(
        [
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self'",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "form-action 'self' " + " ".join(pages),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _what_was_asked_for() -> str:
    """Return path and query, quoted: Flask has decoded the path, line breaks included."""
    query = quote(request.query_string, safe="%/?:@!$&'()*+,;=")
    return quote(request.path) + (f"?{query}" if query else "")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
