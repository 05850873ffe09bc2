"""The Flask application: the API, the pages people see, and the remote control."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from polar_emulator import api as api_package
from polar_emulator import catalogue
from polar_emulator.api import gate
from polar_emulator.api.wire import answer
from polar_emulator.errors import ApiError
from polar_emulator.pages import frame
from polar_emulator.remote import remote
from polar_emulator.settings import LOOPBACK_HOSTS
from polar_emulator.world import World

# These move the clock or reset the store, which must not wait for jobs inside a transaction.
OUTSIDE = frozenset({"remote", "control"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_BODY_BYTES = 4 * 1024 * 1024


class Application(Flask):
    """Flask with one transaction around each request of the API and the pages."""

    def dispatch_request(self) -> ResponseReturnValue:
        """Run the view. An error that `keeps` commits what was done before it."""
        if request.blueprint in OUTSIDE or request.routing_exception is not None:
            return super().dispatch_request()
        world: World = self.extensions["polar"]
        request.get_data()  # Now: whoever is slow to send must not hold the store meanwhile.
        with world.store.transaction():
            try:
                return super().dispatch_request()
            except ApiError as error:
                if not error.keeps:
                    raise
                kept = error
        raise kept


def create_app(world: World) -> Application:
    """An application on a world. An empty store gets the demo state."""
    app = Application(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY_BYTES
    app.extensions["polar"] = world
    if world.store.count("organization") == 0:
        catalogue.seed(world)
    else:
        catalogue.ensure_endpoint(world)
    app.before_request(_refuse_strangers)
    api_package.install(app)
    app.register_blueprint(remote)
    frame.install(app)
    app.register_error_handler(HTTPException, _http_error)
    return app


def _refuse_strangers() -> Response | None:
    """Keep web pages from other sites away: no foreign host names, no foreign form posts."""
    host = urlsplit(f"//{request.host}").hostname
    exposed = _world().settings.exposed
    if not exposed and host not in LOOPBACK_HOSTS and host != _public_host():
        return Response("This address belongs to another machine.\n", 400, mimetype="text/plain")
    origin = request.headers.get("Origin")
    if origin and request.method not in SAFE_METHODS and not _is_own(origin):
        return answer({"error": "Forbidden", "detail": "This request came from another site."}, 403)
    return None


def _is_own(origin: str) -> bool:
    try:
        return urlsplit(origin).netloc == request.host
    except ValueError:
        return False


def _public_host() -> str | None:
    return urlsplit(_world().public_url).hostname


def _world() -> World:
    found: World = current_app.extensions["polar"]
    return found


def _http_error(error: HTTPException) -> ResponseReturnValue:
    found = gate.routing_error(error)
    return found if found is not None else frame.error_page(error)
