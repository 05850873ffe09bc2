"""Jobs of a kind that a test makes up."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from saas.extensions import db
from saas.jobs import enqueue, registry


@pytest.fixture
def job_of(queued_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """Make a kind of job out of a function and ask for one."""
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))

    def make(function: Callable[..., Any], **how: Any) -> int:
        registry.handler("test.job", **how)(function)
        job_id = enqueue("test.job")
        db.session.commit()
        assert job_id is not None
        return job_id

    with queued_app.app_context():
        yield make
