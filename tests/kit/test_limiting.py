"""Where no limit is declared the limiter does nothing, and where one is it does all that it did."""

from flask import Flask
from flask_limiter.util import get_remote_address

from saas.kit.limiting import DecoratedLimiter, _was_limited

SOMEBODY = {"REMOTE_ADDR": "203.0.113.7"}


def limited() -> tuple[Flask, list[bool]]:
    app, seen = Flask("limited"), []
    app.config.update(RATELIMIT_HEADERS_ENABLED=True, RATELIMIT_STORAGE_URI="memory://")

    @app.after_request
    def look(response: object) -> object:
        seen.append(_was_limited())
        return response

    limiter = DecoratedLimiter(key_func=get_remote_address)
    limiter.init_app(app)
    app.add_url_rule("/free", "free", lambda: "free")
    app.add_url_rule("/once", "once", limiter.limit("1 per hour")(lambda: "once"))
    return app, seen


def test_a_view_without_limit_costs_nothing() -> None:
    app, seen = limited()
    answer = app.test_client().get("/free")
    assert (answer.text, seen) == ("free", [False])
    assert not [name for name, _ in answer.headers if name.startswith("X-RateLimit")]


def test_a_view_with_a_limit_has_it_and_says_so() -> None:
    app, seen = limited()
    first, second = (app.test_client().get("/once", environ_base=SOMEBODY) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    assert [each.headers["X-RateLimit-Remaining"] for each in (first, second)] == ["0", "0"]
    assert int(second.headers["Retry-After"]) > 0
    assert seen == [True, True]
    assert app.test_client().get("/free").status_code == 200
