"""A browser that visits the application at its own address, as ``BASE_URL`` names it."""

from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import Cookie, TestResponse


class Visitor(FlaskClient):
    """Flask's test client, but for requests that name no host it is not ``localhost``."""

    @property
    def home(self) -> str:
        parts = urlsplit(self.application.extensions["settings"].base_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host(self) -> str:
        return urlsplit(self.home).hostname or ""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        if args and isinstance(args[0], str):
            kwargs.setdefault("base_url", self.home)
        return super().open(*args, **kwargs)

    def session_transaction(self, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("base_url", self.home)
        return super().session_transaction(*args, **kwargs)

    def get_cookie(self, key: str, domain: str | None = None, path: str = "/") -> Cookie | None:
        return super().get_cookie(key, domain or self.host, path)

    def set_cookie(self, key: str, value: str = "", **kwargs: Any) -> None:  # type: ignore[override]
        super().set_cookie(key, value, **({"domain": self.host} | kwargs))

    def delete_cookie(self, key: str, **kwargs: Any) -> None:  # type: ignore[override]
        super().delete_cookie(key, **({"domain": self.host} | kwargs))
