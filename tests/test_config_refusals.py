"""What is refused before it does harm: numbers out of range, and what no application can be built with."""

from pathlib import Path

import pytest

from saas.config import ConfigurationError, from_environment
from tests.test_config import GOOD, flask_check


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("MAIL_PORT", "smtp", "a whole number from 1 to 65535"),
        ("MAIL_PORT", "0", "a whole number from 1 to 65535"),
        ("MAIL_PORT", "99999", "a whole number from 1 to 65535"),
        ("PORT", "99999", "a whole number from 1 to 65535"),
        ("PORT", "web", "a whole number from 1 to 65535"),
        ("TRUSTED_PROXIES", "-1", "a whole number from 0 to 100"),
        ("TRUSTED_PROXIES", "1.7", "a whole number from 0 to 100"),
        ("WEB_CONCURRENCY", "two", "a whole number from 1 to 1000"),
        ("WEB_CONCURRENCY", "0", "a whole number from 1 to 1000"),
        ("WEB_THREADS", "0", "a whole number from 1 to 1000"),
        ("WEB_THREADS", "1000000", "a whole number from 1 to 1000"),
        ("WORKER_THREADS", "0", "a whole number from 1 to 1000"),
        ("POLAR_TIMEOUT_SECONDS", "0", "a number from 0.5 to 120"),
        ("POLAR_TIMEOUT_SECONDS", "nan", "a number from 0.5 to 120"),
        ("WEBHOOK_RETENTION_DAYS", "1e9", "a whole number from 0 to 36500"),
        ("MAIL_USE_TLS", "perhaps", "1 or 0"),
        ("PAST_DUE_GRACE_DAYS", "inf", "a whole number from 0 to 3650"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, value: str, wanted: str) -> None:
    with pytest.raises(ConfigurationError) as trouble:
        from_environment(GOOD | {name: value})
    assert trouble.value.problems == [f"{name} is {value!r}; it must be {wanted}."]


@pytest.mark.parametrize(
    "change",
    [
        {"LOG_LEVEL": "verbose"},
        {"RATE_LIMIT_STORAGE": "foo://x"},
        {"RATE_LIMIT_STORAGE": "redis://host:port"},
        {"DATABASE_URL": "mysql://a@b/c"},
        {"JOBS_URL": "foo://x"},
        {"SENTRY_DSN": "sentry"},
        {"BASE_URL": "https://[app"},
        {"POLAR_API_URL": "https://[api"},
        {"TRUSTED_PROXIES": "1.7"},
        {"WEB_CONCURRENCY": "two"},
        {"PORT": "99999"},
        {"BASE_URL": "https://bücher.example"},
        {"POLAR_ACCESS_TOKEN": "polar_oat_ä"},
        {"RATE_LIMIT_STORAGE": "redis+cluster://127.0.0.1:9"},
        {"JOBS_URL": "redis://127.0.0.1:9/notanumber"},
        {"JOBS_URL": "redis://127.0.0.1:9/0?socket_timeout=soon"},
        {"JOBS_URL": "redis://127.0.0.1:9/0?no_such_option=1"},
        {"RATE_LIMIT_STORAGE": "rediss://127.0.0.1:9/0?ssl_cert_reqs=perhaps"},
        {"RATE_LIMIT_STORAGE": "redis+unix:///run/redis.sock?socket_timeout=soon"},
        {"RATE_LIMIT_STORAGE": "redis+sentinel://127.0.0.1:9"},
        {"DATABASE_URL": "sqlite:///instance/app.db?timeout=soon"},
        {"HOST": "foo bar"},
        {"HOST": "http://0.0.0.0"},
        {"FORWARDED_ALLOW_IPS": "the proxy"},
        {"FORWARDED_ALLOW_IPS": "10.0.0.0/33"},
    ],
)
def test_flask_check_stands_what_no_application_can_be_built_with(
    change: dict[str, str], tmp_path: Path
) -> None:
    run = flask_check(tmp_path, **change)
    assert run.returncode == 1
    assert next(iter(change)) in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert "No such command" not in run.stderr


@pytest.mark.parametrize("command", [("polar", "doctor"), ("billing", "sync")])
def test_a_token_that_cannot_be_sent_is_told_before_anybody_sends_it(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    run = flask_check(tmp_path, command, POLAR_ACCESS_TOKEN="polar_oat_ä")
    assert run.returncode == 1
    assert "POLAR_ACCESS_TOKEN contains what no token has" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
