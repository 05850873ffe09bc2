"""Flask with what it works out anew for each request, although the answer never changes, kept."""

from collections.abc import Callable, MutableMapping
from types import MappingProxyType
from typing import Any

from flask import Flask, request
from flask.templating import Environment

MAX_ADDRESSES = (
    1000  # A client invents methods and a proxy names mounts; neither may fill the memory.
)


class Templates(Environment):
    """Jinja whose globals are one plain mapping: for each template that a page is put together from, Jinja
    compares their names, and a chain of mappings is compared name by name, in Python."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Return the globals of a template. Not to be written to, unless it has some of its own."""
        if d:
            return super().make_globals(d)
        return MappingProxyType(self.globals)  # type: ignore[return-value]


class Application(Flask):
    """Remembers which functions are coroutines, and the addresses that need no argument.

    Both are asked for a few dozen times for a page: hooks and views are looked at on each call, and a
    layout links to the same pages every time.
    """

    jinja_environment = Templates

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._callables: dict[Callable[..., Any], Callable[..., Any]] = {}
        self._addresses: dict[tuple[str, str, str], str] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``func``, or what runs it when it is a coroutine function. Looked at once."""
        try:
            return self._callables[func]
        except KeyError:
            found = self._callables[func] = super().ensure_sync(func)
            return found

    def url_for(self, /, endpoint: str, **given: Any) -> str:
        """Return the address of an endpoint. One without arguments, asked for in a request, is kept.

        Not where defaults are put into addresses or the host is part of them: those may differ each time.
        """
        if any(value is not None for value in given.values()) or not self._keeps(endpoint):
            return super().url_for(endpoint, **given)
        here = request._get_current_object()  # type: ignore[attr-defined]
        key = (endpoint, here.method, here.root_path)
        if (address := self._addresses.get(key)) is None:
            address = super().url_for(endpoint)
            if len(self._addresses) < MAX_ADDRESSES:
                self._addresses[key] = address
        return address

    def _keeps(self, endpoint: str) -> bool:
        depends = (
            self.url_default_functions or self.subdomain_matching or self.url_map.host_matching
        )
        return bool(request) and endpoint[:1] != "." and not depends
