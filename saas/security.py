"""Response headers. The policy allows our own files and Polar's pages, nothing inline, nobody else."""

from urllib.parse import urlsplit

from flask import Flask, Response, request

from saas.config import Settings

POLAR_PAGES = ("https://polar.sh", "https://*.polar.sh")


def init_app(app: Flask, settings: Settings) -> None:
    """Set the security headers on every answer."""
    policy = content_security_policy(settings)
    https = settings.base_url.startswith("https://")

    @app.after_request
    def set_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", policy)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        if https:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        if request.endpoint != "static":
            headers.setdefault("Cache-Control", "private, no-store")
        return response


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


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
