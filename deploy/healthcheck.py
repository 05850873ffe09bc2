"""Ask the application in this container how it is: ends with 0 when it answers, for HEALTHCHECK.

``python deploy/healthcheck.py [PATH]``; the path is /healthz. The image has no curl.
"""

import os
import sys
import urllib.error
import urllib.request
from urllib.parse import urlsplit

# A proxy that the environment names is for the world outside of this container.
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def main(path: str) -> int:
    """Return 0 when the path is answered with success."""
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}{path}"
    base = urlsplit(os.environ.get("BASE_URL", address))
    headers = {"Host": base.netloc, "X-Forwarded-Proto": base.scheme}
    try:
        request = urllib.request.Request(address, headers=headers)
        with DIRECTLY.open(request, timeout=4):
            return 0
    except OSError as error:
        print(f"{path}: {error}", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "/healthz"))
