"""What our Flask keeps is what Flask would say."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask, url_for
from jinja2 import DictLoader

from saas.kit import application
from saas.kit.application import Application


@pytest.fixture
def twins() -> tuple[Flask, Flask]:
    return tuple(with_routes(kind("twin")) for kind in (Application, Flask))  # type: ignore[return-value]


def things(**_: str) -> str:
    return ""


def with_routes(app: Flask) -> Flask:
    for method, rule in (("GET", "/things"), ("POST", "/things/new"), ("GET", "/<lang>/things")):
        app.add_url_rule(rule, "things", things, methods=[method])
    app.add_url_rule("/", "home", lambda: "")
    app.add_url_rule("/thing/<int:number>", "thing", lambda number: "")
    return app


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("base_url", ["http://a.example", "http://b.example/mounted/here"])
def test_addresses(twins: tuple[Flask, Flask], method: str, base_url: str) -> None:
    answers = []
    for app in twins:
        with app.test_request_context(method=method, base_url=base_url):
            for _ in range(2):
                answers.append(
                    (
                        url_for("home"), url_for("things"), url_for("things", lang="de"),
                        url_for("home", _external=True), url_for("home", _anchor="x", a=1),
                        url_for("thing", number=1), url_for("thing", number=2),
                    )
                )  # fmt: skip
        with app.test_request_context(method="GET", base_url="http://c.example/elsewhere"):
            assert url_for("home") == "/elsewhere/"
    assert len(set(answers)) == 1


def test_an_address_that_is_not_there(twins: tuple[Flask, Flask]) -> None:
    for app in twins:
        with app.test_request_context():
            for _ in range(2):
                with pytest.raises(Exception, match="Could not build url"):
                    url_for("nowhere")


def test_defaults_of_addresses_may_differ_each_time(twins: tuple[Flask, Flask]) -> None:
    for app in twins:
        speak(app, iter(["de", "fr"]))
        with app.test_request_context():
            assert [url_for("things"), url_for("things")] == ["/de/things", "/fr/things"]


def speak(app: Flask, languages: Iterator[str]) -> None:
    app.url_defaults(lambda _endpoint, values: values.update(lang=next(languages)))


def test_outside_of_requests_an_address_is_whole() -> None:
    app = with_routes(Application("twin"))
    app.config["SERVER_NAME"] = "a.example"
    with app.test_request_context():
        assert url_for("home") == "/"
    with app.app_context():
        assert url_for("home") == "http://a.example/"


def test_what_clients_invent_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "MAX_ADDRESSES", 3)
    app = with_routes(Application("twin"))
    for number in range(5):
        with app.test_request_context(base_url=f"http://a.example/{number}"):
            assert url_for("home") == f"/{number}/"
    assert len(app._addresses) == 3


def test_coroutines_are_treated_as_flask_does(twins: tuple[Flask, Flask]) -> None:
    async def later() -> str:
        return ""

    def now() -> str:
        return ""

    for app in twins:
        for _ in range(2):
            assert app.ensure_sync(now) is now
            assert outcome(app.ensure_sync, later) == outcome(twins[1].ensure_sync, later)


def outcome(ensure_sync: Callable[..., object], function: Callable[..., object]) -> str:
    """Without the extra "async" Flask refuses, with it it wraps."""
    try:
        return type(ensure_sync(function)).__name__
    except RuntimeError as error:
        return str(error)


def test_templates_have_their_globals_to_themselves() -> None:
    app = Application("twin")
    app.jinja_loader = DictLoader({"one": "{{ word }}{{ late }}", "two": "{{ word }}{{ late }}"})
    one = app.jinja_env.get_template("one", globals={"word": "mine"})
    two = app.jinja_env.get_template("two")
    app.jinja_env.globals["late"] = "!"
    assert (one.render(), two.render()) == ("mine!", "!")
    with pytest.raises(AttributeError):
        app.jinja_env.get_template("two", globals={"word": "theirs"})
    assert two.render() == "!"
