"""Pages that are the same for every visitor are rendered once in a while and kept in memory.

Only somebody who is not signed in, with nothing in the session but a CSRF token, gets a kept page; the
token in its forms is that visitor's own. Each process keeps its own copies, ``PAGE_CACHE_SECONDS`` long.
"""

import time
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import ParamSpec, cast

from flask import Flask, current_app, g, request, session
from flask.typing import ResponseReturnValue
from flask_login import COOKIE_NAME

from saas.config import Settings
from saas.kit.csrf import csrf_token

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]

TOKEN_ONLY = {"csrf_token"}
MAX_PAGES = 100  # A handful is what there is; whoever invents keys must not fill the memory.


class PageCache:
    """The kept pages of one process: each one cut where the CSRF token of a visitor belongs."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._pages: dict[tuple[str, ...], tuple[float, list[str]]] = {}

    def get(self, key: tuple[str, ...]) -> str | None:
        """Return the page with this visitor's token, or ``None`` when it is not kept any more."""
        until, parts = self._pages.get(key, (0.0, []))
        if until < time.monotonic():
            return None
        return parts[0] if len(parts) == 1 else csrf_token().join(parts)

    def keep(self, key: tuple[str, ...], page: str) -> None:
        """Remember a page that was rendered for this visitor, without their token."""
        if len(self._pages) >= MAX_PAGES:
            self._pages.clear()
        token = g.get(current_app.config["WTF_CSRF_FIELD_NAME"])
        parts = page.split(token) if token else [page]
        self._pages[key] = (time.monotonic() + self.seconds, parts)


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its cache."""
    app.extensions["page_cache"] = PageCache(settings.page_cache_seconds)


def same_for_visitors(variant: Callable[[], str | None] = str) -> Callable[[View[P]], View[P]]:
    """Keep what the view answers to visitors.

    ``variant`` names the kinds of the page there are, from the request; with ``None`` it is not kept.
    To be the outermost decorator but for the route: a kept page does not run what is below.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def kept(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            cache: PageCache = current_app.extensions["page_cache"]
            name = variant() if cache.seconds and _is_anybody() else None
            if name is None:
                return view(*args, **kwargs)
            key = (request.root_path, str(request.endpoint), name)
            if (page := cache.get(key)) is not None:
                return page
            answer = view(*args, **kwargs)
            if (page := _page_of(answer)) is not None and session.keys() <= TOKEN_ONLY:
                cache.keep(key, page)
            return answer

        return kept

    return decorate


def plain() -> str | None:
    """The variant of a page that takes an address to go on to: it is kept without one only."""
    return None if request.args else ""


def _is_anybody() -> bool:
    """True for a visitor of whom we know nothing: not signed in, not remembered, nothing to tell."""
    if request.method not in {"GET", "HEAD"}:
        return False
    remembered = current_app.config.get("REMEMBER_COOKIE_NAME", COOKIE_NAME) in request.cookies
    return not remembered and session.keys() <= TOKEN_ONLY


def _page_of(answer: ResponseReturnValue) -> str | None:
    """Return the text of an answer that is a page and nothing more."""
    if isinstance(answer, tuple) and len(answer) == 2 and answer[1] == HTTPStatus.OK:
        answer = cast(str, answer[0])
    return answer if isinstance(answer, str) else None
