"""The health check of the image, asked while the application answers."""

import subprocess
import sys
from urllib.parse import urlsplit

from flask import Flask

from tests.scripts import ROOT
from tests.serving import served


def test_it_asks_the_application_and_no_proxy(app: Flask) -> None:
    """Docker sets the proxy that is for the world in every container."""
    with served(app) as address:
        environment = {"PORT": str(urlsplit(address).port), "http_proxy": "http://127.0.0.1:9"}
        done = subprocess.run(
            [sys.executable, "deploy/healthcheck.py"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, "")
