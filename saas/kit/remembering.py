"""Flask-Login with more than one key: who was remembered by an earlier one stays so."""

from typing import Any

from flask import current_app, session
from flask_login import LoginManager as FlaskLoginManager
from flask_login.utils import decode_cookie


class LoginManager(FlaskLoginManager):  # type: ignore[misc]
    """Reads cookies that a key of ``SECRET_KEY_FALLBACKS`` signed, too. They end by their age."""

    def _session_protection_failed(self) -> bool:
        # Flask-Login describes the browser for each request, also where nothing is compared with it.
        is_wanted = current_app.config.get("SESSION_PROTECTION", self.session_protection)
        return bool(is_wanted and super()._session_protection_failed())

    def _load_user_from_remember_cookie(self, cookie: str) -> Any:
        # Flask-Login has no other place for this, and knows one key only.
        if not cookie.isascii():  # None of ours, and Flask-Login cannot compare it.
            return None
        user = super()._load_user_from_remember_cookie(cookie)
        for key in current_app.config["SECRET_KEY_FALLBACKS"] if user is None else ():
            if token := decode_cookie(cookie, key=key):
                session["_user_id"], session["_fresh"] = token, False
                return self._user_callback(token)
        return user
