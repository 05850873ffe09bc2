"""What HTTP asks of a server that frameworks leave to the application."""

from contextlib import suppress
from typing import IO

from gunicorn.http.errors import ParseException
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request

DRAINED_BYTES = 32 * 1024 * 1024  # Who sends more than this learns from the closed connection.
CHUNK_BYTES = 64 * 1024


def read_body(request: Request) -> bytes:
    """Return the body. Raises ``RequestEntityTooLarge`` beyond ``request.max_content_length``.

    Werkzeug cuts a body that comes in chunks at the limit and says nothing.
    """
    body = request.get_data(cache=False)
    if request.content_length is None and len(body) == request.max_content_length:
        raise RequestEntityTooLarge
    return body


def drain(request: Request) -> None:
    """Read a refused body to its end and throw it away.

    A server that answers and closes while the client is still sending resets the connection, and most
    clients then report the broken pipe instead of the answer.
    """
    stream: IO[bytes] = request.environ["wsgi.input"]
    left = min(request.content_length or DRAINED_BYTES, DRAINED_BYTES)
    with suppress(OSError, ParseException):  # It breaks off, and nobody reads the answer.
        while left > 0 and (chunk := stream.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
