"""Server-sent events: what happens, told as it happens, over one answer that does not end.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import Response, stream_with_context

from polar_emulator.store import Doc
from polar_emulator.world import World

# A comment is sent this often when nothing happens: writing is how a reader that is gone is noticed.
HEARTBEAT_SECONDS = 5.0
# What happens together is told together: a renewal is a dozen events within milliseconds.
GATHERING_SECONDS = 0.1
# How long a browser waits before it comes back after the stream has ended.
RETURN_MILLISECONDS = 500
BATCH = 500


def response(messages: Iterator[str]) -> Response:
    """An answer that sends messages as they come."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = stream_with_context(messages)
    return Response(stream, headers=headers, content_type="text/event-stream; charset=utf-8")


def events(world: World, after: str | None) -> Iterator[str]:
    """One message for each event since `after`, and for each to come; its id is the event's."""
    last = after

    def news() -> Iterator[str]:
        nonlocal last
        while found := since(world, last, BATCH):
            for event in found:
                last = event["id"]
                yield f"id: {last}\n{_data(summary(event))}"

    return _follow(world, news)


def changes(world: World, look: Callable[[], Any]) -> Iterator[str]:
    """What `look` returns, and again whenever it has changed."""
    told: Any = None

    def news() -> Iterator[str]:
        nonlocal told
        seen = look()
        if seen != told:
            told = seen
            yield _data(seen)

    return _follow(world, news)


def since(world: World, after: str | None, limit: int = -1) -> list[Doc]:
    """The events after one, oldest first; all of them when that one is not here (any more)."""
    last = world.store.get("event", after)
    where = {"created_at >": last["created_at"]} if last else {}
    return world.store.find("event", where, limit=limit)


def summary(event: Doc) -> dict[str, str]:
    """An event without its data."""
    return {"id": event["id"], "type": event["type"], "timestamp": event["created_at"]}


def _follow(world: World, news: Callable[[], Iterator[str]]) -> Iterator[str]:
    """The news at once and after everything that happens, until the process ends."""
    with world.watching() as something_happened:
        yield f"retry: {RETURN_MILLISECONDS}\n\n"
        while not world.stopping:
            something_happened.clear()
            yield from news()
            if something_happened.wait(HEARTBEAT_SECONDS):
                time.sleep(GATHERING_SECONDS)
            else:
                yield ": still here\n\n"


def _data(content: Any) -> str:
    return f"data: {json.dumps(content, separators=(',', ':'), ensure_ascii=False)}\n\n"
