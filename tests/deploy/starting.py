"""With which command each file of a deployment begins a start: the migration."""

import re
import shlex

import yaml

from tests.scripts import ROOT


def migrations() -> dict[str, list[str]]:
    """Return the command of each file. Those of the image rely on its FLASK_APP."""
    unit = (ROOT / "deploy/app.service").read_text()
    before = re.search(r"^ExecStartPre=(.*)$", unit, re.MULTILINE)
    release = re.search(r"^release: (.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    assert before
    assert release
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    render = yaml.safe_load((ROOT / "render.yaml").read_text())
    return {
        "app.service": shlex.split(before[1]),
        "Procfile": shlex.split(release[1]),
        "compose.yaml": compose["services"]["migrate"]["command"],
        "render.yaml": shlex.split(render["services"][0]["preDeployCommand"]),
    }
