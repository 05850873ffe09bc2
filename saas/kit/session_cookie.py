"""The session of a browser, in a signed cookie."""

import hashlib

from flask import Flask, Response
from flask.sessions import SecureCookieSessionInterface, SessionMixin

from saas.kit.tokens import RememberingSerializer, Signer


class SignedSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, with SHA-256 where Flask still takes SHA-1, from any machine of ours."""

    digest_method = staticmethod(hashlib.sha256)

    def __init__(self) -> None:
        self._made: dict[tuple[str | bytes, ...], RememberingSerializer] = {}

    def get_signing_serializer(self, app: Flask) -> RememberingSerializer | None:
        """Return what signs and reads the cookie; made once for the keys there are."""
        keys = (*(app.config["SECRET_KEY_FALLBACKS"] or ()), app.config["SECRET_KEY"])
        if not keys[-1]:
            return None
        if keys not in self._made:
            how = {"key_derivation": self.key_derivation, "digest_method": self.digest_method}
            made = RememberingSerializer(
                list(keys),
                salt=self.salt,
                serializer=self.serializer,
                signer=Signer,
                signer_kwargs=how,
            )
            self._made = {keys: made}
        return self._made[keys]

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the cookie if something changed. Flask works out first what it would look like."""
        if session.modified or (session and self.should_set_cookie(app, session)):
            super().save_session(app, session, response)
        elif session.accessed:
            response.vary.add("Cookie")
