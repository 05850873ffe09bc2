"""Flask-WTF's protection of forms, without what it does for nothing."""

import secrets
from functools import lru_cache

from flask import Flask, current_app, g, request, session
from flask_wtf.csrf import CSRFProtect, generate_csrf
from itsdangerous import Signer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_encode

from saas.kit import tokens

SALT = "wtf-csrf-token"  # Flask-WTF's, which reads what is signed here.


class SparingCSRFProtect(CSRFProtect):  # type: ignore[misc]
    """Looks at the method first, since whoever asks for a page changes nothing; and signs for less."""

    def init_app(self, app: Flask) -> None:
        """Protect the forms of ``app``, and give its templates ``csrf_token()``."""
        super().init_app(app)
        app.template_context_processors[None].pop()  # Flask-WTF's: globals are in macros as well.
        app.jinja_env.globals["csrf_token"] = csrf_token

    def protect(self, apply_exemptions: bool = False) -> None:
        """Answer 400 to a request that could change something and does not come from a page of ours."""
        if request.method in current_app.config["WTF_CSRF_METHODS"]:
            super().protect(apply_exemptions)


def csrf_token() -> str:
    """Return this visitor's token for the forms of a page.

    Flask-WTF would make what signs anew for each page, and try to compress random digits.
    """
    config = current_app.config
    name = config["WTF_CSRF_FIELD_NAME"]
    if name in g:
        return str(g.get(name))
    kept = session.get(name)
    if kept is None:
        kept = session[name] = secrets.token_hex(20)
    if isinstance(kept, str) and kept.isalnum():
        keys = config.get("WTF_CSRF_SECRET_KEY") or current_app.secret_key
        signer = _signer(tuple(keys) if isinstance(keys, list | tuple) else (keys,))
        token = signer.sign(base64_encode(f'"{kept}"')).decode()
        setattr(g, name, token)
        return token
    return str(generate_csrf())


@lru_cache(maxsize=4)
def _signer(keys: tuple[str, ...]) -> Signer:
    return URLSafeTimedSerializer(list(keys), salt=SALT, signer=tokens.Signer).make_signer(SALT)
