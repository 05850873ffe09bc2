"""Flask-Limiter without what it does where no limit is declared."""

from typing import cast

from flask import Flask, Response
from flask_limiter import Limiter
from flask_limiter._compat import request_context


class DecoratedLimiter(Limiter):
    """A limiter that costs nothing where no limit is declared: each limit of ours is a decorator."""

    def init_app(self, app: Flask) -> None:
        """Bind it to the application, without the looks at every request that find nothing to do."""
        super().init_app(app)
        app.before_request_funcs[None].remove(self._check_request_limit)
        add_headers = app.after_request_funcs[None].pop()
        forget = app.teardown_request_funcs[None].pop()

        @app.after_request
        def after(response: Response) -> Response:
            return cast(Response, add_headers(response)) if _was_limited() else response

        @app.teardown_request
        def end(error: BaseException | None) -> None:
            if _was_limited():
                forget(error)


def _was_limited() -> bool:
    return hasattr(request_context(), "_limiter_request_context")
