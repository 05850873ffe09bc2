"""Parts of pages that are the same for everybody, rendered once in a while and kept in memory.

``{{ fixed("layouts/_footer.html") }}`` in a template. Such a part is rendered for a blank request of a
stranger and not for the one at hand, so that nothing of a visitor can get into it, and what asks for the
visitor in there is an error. What it may depend on is handed to it by name:
``{{ fixed("layouts/_app_nav.html", here=request.endpoint) }}``.
"""

import time
from contextvars import Context
from typing import Any

from flask import Flask, g, has_request_context, render_template, request
from markupsafe import Markup

from saas.config import Settings

MAX_PARTS = (
    200  # A few parts for each page there is; whoever invents arguments must not fill the memory.
)

ABOUT_VISITORS = (
    "current_user",
    "plan",
    "can",
    "limit",
    "owed_payment",
    "csrf_token",
    "request",
    "session",
    "g",
)


class NoVisitor(RuntimeError):
    """A fixed part has asked for the visitor."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A fixed part is the same for everybody, so it has no {name}. "
            "Hand in what it needs by name, or include it instead."
        )


class Nobody:
    """Stands in a fixed part for what belongs to a visitor: whatever is done with it is an error."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _refuse(self, *_: object, **__: object) -> Any:
        raise NoVisitor(self._name)

    __getattr__ = __getitem__ = __call__ = __iter__ = __bool__ = __str__ = __len__ = __eq__ = (
        _refuse
    )


NOBODY = {name: Nobody(name) for name in ABOUT_VISITORS}


class FixedParts:
    """The kept parts of one process, each for as long as a kept page."""

    def __init__(self, app: Flask, seconds: float) -> None:
        self.app, self.seconds = app, seconds
        self._parts: dict[tuple[object, ...], tuple[float, Markup]] = {}

    def get(self, template: str, **given: str | bool | None) -> Markup:
        """Return a part, rendered with ``given`` and what every template has."""
        mount = request.root_path if has_request_context() else ""
        key = (template, mount, *given.items())
        until, part = self._parts.get(key, (0.0, Markup()))
        if until < time.monotonic():
            part = Context().run(self._render, template, mount, given)
            self._keep(key, part)
        return part

    def _render(self, template: str, mount: str, given: dict[str, str | bool | None]) -> Markup:
        with self.app.test_request_context(base_url=f"http://localhost{mount}/"):
            g.csrf_token = NOBODY["csrf_token"]  # Macros ask for it, and it is looked for here.
            return Markup(render_template(template, **NOBODY | given))  # noqa: S704 - a template of ours

    def _keep(self, key: tuple[object, ...], part: Markup) -> None:
        if self.seconds:
            if len(self._parts) >= MAX_PARTS:
                self._parts.clear()
            self._parts[key] = (time.monotonic() + self.seconds, part)


def init_app(app: Flask, settings: Settings) -> None:
    """Give templates the function ``fixed``."""
    app.jinja_env.globals["fixed"] = FixedParts(app, settings.page_cache_seconds).get
