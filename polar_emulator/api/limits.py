"""The limit of requests a minute, off until somebody switches it on."""

from __future__ import annotations

import re
import time
from collections import defaultdict, deque
from threading import Lock

from flask import Response, current_app, request

from polar_emulator.api.wire import answer, world
from polar_emulator.faults import PER_MINUTE

# Facts, section 4: what the sandbox allows strangers, and those who confirm checkouts.
STRANGERS_PER_MINUTE = 60
CONFIRMS_PER_MINUTE = 6
WINDOW_SECONDS = 60.0
CONFIRM = re.compile(r"/v1/checkouts/.+/confirm$")
SETTING = "rate_limit"


class Window:
    """The requests of the last minute, by whoever made them."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = defaultdict(deque)
        self._lock = Lock()

    def admits(self, who: str, most: int) -> bool:
        """Note a request; False when there were too many already."""
        now = time.monotonic()
        with self._lock:
            times = self._seen[who]
            while times and times[0] <= now - WINDOW_SECONDS:
                times.popleft()
            if len(times) >= most:
                return False
            times.append(now)
        return True


def switch(per_minute: int | None) -> None:
    """Allow a token so many requests a minute; None switches the limit off. Counting begins anew."""
    current_app.extensions["polar.window"] = Window()
    world().store.put("setting", {"id": SETTING, "per_minute": per_minute})


def refuse_many(token: str, *, known: bool) -> Response | None:
    """429 without a body when the limit is on and used up."""
    setting = world().store.get("setting", SETTING)
    if setting is None or setting["per_minute"] is None:
        return None
    who, most = token, int(setting["per_minute"])
    if CONFIRM.match(request.path):
        who, most = "confirm", CONFIRMS_PER_MINUTE
    elif not known:
        who, most = "stranger", STRANGERS_PER_MINUTE
    window: Window = current_app.extensions.setdefault("polar.window", Window())
    return None if window.admits(who, most) else too_many()


def too_many() -> Response:
    """The recorded answer: nothing but Retry-After and the version."""
    request.environ["polar.bare"] = True
    headers = {
        "Retry-After": "60",
        "Polar-Version": request.headers.get("Polar-Version", "2026-04"),
    }
    response = Response(status=429, headers=headers)
    response.headers.pop("Content-Type", None)
    return response


def answer_switch(given: object) -> Response:
    """Switch as a body says: `per_minute` is a number above 0, or null for no limit."""
    per_minute = given.get("per_minute", PER_MINUTE) if isinstance(given, dict) else PER_MINUTE
    if per_minute is not None and (not isinstance(per_minute, int) or per_minute < 1):
        return answer({"error": "per_minute must be a number above 0, or null."}, 422)
    switch(per_minute)
    return answer({"per_minute": per_minute})
