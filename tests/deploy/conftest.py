"""The image, built once for all its tests."""

from pathlib import Path

import pytest

from tests.deploy.building import Builder, Stage, why_not
from tests.deploy.context import copy_context
from tests.scripts import ROOT


@pytest.fixture(scope="session")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a build sees it."""
    return copy_context(ROOT, tmp_path_factory.mktemp("context"))


@pytest.fixture(scope="session")
def built(context: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, Path]:
    """The last stage of the image, and the folder it was built in."""
    if reason := why_not():
        pytest.skip(f"The image cannot be built without an engine here: {reason}.")
    scratch = tmp_path_factory.mktemp("image")
    return Builder(ROOT / "Dockerfile", context, scratch).build(), scratch
