"""Settings: read once, refused in production when unsafe, with a sentence for each reason."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from saas.config import ConfigurationError, Settings, from_environment

ROOT = Path(__file__).parent.parent
SECRET = "0123456789abcdef0123456789abcdef"
GOOD = {
    "APP_ENV": "production",
    "SECRET_KEY": SECRET,
    "BASE_URL": "https://app.example.com",
    "POLAR_ACCESS_TOKEN": "polar_oat_x",
    "POLAR_WEBHOOK_SECRET": f"whsec_{SECRET}",
    "MAIL_SERVER": "smtp.example.com",
    "MAIL_FROM": "hello@example.com",
}


def test_good_settings_have_no_problem() -> None:
    assert from_environment(GOOD).problems() == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is missing"),
        ({"SECRET_KEY": "change-me"}, "SECRET_KEY is a placeholder"),
        ({"SECRET_KEY": "change-me-change-me-change-me-change-me"}, "SECRET_KEY is a placeholder"),
        ({"SECRET_KEY": "0" * 64}, "SECRET_KEY is a placeholder"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is a placeholder or shorter"),
        ({"SECRET_KEY_FALLBACKS": "old"}, "SECRET_KEY_FALLBACKS holds a word that can be guessed"),
        ({"SECRET_KEY_FALLBACKS": "0" * 64}, "SECRET_KEY_FALLBACKS holds a key that can be"),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG is on"),
        ({"POLAR_ACCESS_TOKEN": ""}, "POLAR_ACCESS_TOKEN is missing"),
        ({"POLAR_API_URL": "http://127.0.0.1:8001"}, "local Polar"),
        ({"POLAR_API_URL": "http://localhost:8001"}, "local Polar"),
        ({"POLAR_API_URL": "http://[::1]:8001"}, "local Polar"),
        ({"POLAR_API_URL": "http://127.0.0.2:8001"}, "local Polar"),
        ({"POLAR_API_URL": "http://api.polar.sh"}, "https://"),
        ({"POLAR_API_URL": "api.polar.sh"}, "POLAR_API_URL"),
        ({"POLAR_WEBHOOK_SECRET": ""}, "POLAR_WEBHOOK_SECRET is missing"),
        ({"POLAR_WEBHOOK_SECRET": "secret"}, "POLAR_WEBHOOK_SECRET holds a word"),
        ({"POLAR_WEBHOOK_SECRET": f"{SECRET} # {SECRET}"}, "No comment may stand behind it"),
        ({"POLAR_SERVER": "moon"}, "POLAR_SERVER"),
        ({"MAIL_SERVER": ""}, "MAIL_SERVER"),
        ({"MAIL_FROM": ""}, "MAIL_FROM"),
        ({"MAIL_BACKEND": "pigeon"}, "MAIL_BACKEND"),
        ({"BASE_URL": ""}, "BASE_URL is missing"),
        ({"BASE_URL": "app.example.com"}, "BASE_URL"),
        ({"APP_ENV": "staging"}, "APP_ENV"),
        ({"BASE_URL": "http://app.example.com"}, "BASE_URL must begin with https://"),
        ({"BASE_URL": "https://app.example.com/shop"}, "BASE_URL"),
        ({"BASE_URL": "https://app.example.com?x=1"}, "BASE_URL"),
        ({"BASE_URL": "https://ada@app.example.com"}, "BASE_URL"),
        ({"BASE_URL": "https://app.example.com:https"}, "BASE_URL"),
        ({"BASE_URL": "https://[app"}, "BASE_URL"),
        ({"POLAR_API_URL": "https://[api"}, "POLAR_API_URL"),
        ({"MAIL_BACKEND": "console"}, "MAIL_BACKEND must be smtp"),
        ({"MAIL_BACKEND": "file"}, "MAIL_BACKEND must be smtp"),
        ({"MAIL_BACKEND": "locmem"}, "MAIL_BACKEND must be smtp"),
        ({"MAIL_FROM": "garbage"}, "MAIL_FROM"),
        ({"MAIL_FROM": "Acme hello@acme.example"}, "MAIL_FROM"),
        ({"MAIL_FROM": "hello@acme.example\nBcc: ada@example.com"}, "MAIL_FROM"),
        ({"METRICS_TOKEN": "x"}, "METRICS_TOKEN is too short"),
        ({"JOBS_URL": "redis://"}, "JOBS_URL"),
        ({"JOBS_URL": "redis://host:port/1"}, "JOBS_URL"),
        ({"JOBS_URL": "inlined"}, "JOBS_URL"),
        ({"RATE_LIMIT_STORAGE": "foo://x"}, "RATE_LIMIT_STORAGE"),
        ({"RATE_LIMIT_STORAGE": "redis://"}, "RATE_LIMIT_STORAGE"),
        ({"DATABASE_URL": "mysql://a@b/c"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://a@b:port/c"}, "DATABASE_URL"),
        ({"LOG_LEVEL": "verbose"}, "LOG_LEVEL"),
        ({"SENTRY_DSN": "sentry"}, "SENTRY_DSN"),
        ({"SENTRY_DSN": "https://[key"}, "SENTRY_DSN"),
        (
            {"BASE_URL": "https://bücher.example"},
            "BASE_URL names the host 'bücher.example'; write xn--bcher-kva.example",
        ),
        (
            {"BASE_URL": "https://app example.com"},
            "BASE_URL names the host 'app example.com'; it must",
        ),
        ({"POLAR_ACCESS_TOKEN": "polar_oat_ä"}, "POLAR_ACCESS_TOKEN contains what no token has"),
        ({"POLAR_ACCESS_TOKEN": "polar_oat a"}, "POLAR_ACCESS_TOKEN contains what no token has"),
        ({"RATE_LIMIT_STORAGE": "redis+cluster://127.0.0.1:7000"}, "no cluster, one Redis"),
        ({"RATE_LIMIT_STORAGE": "redis://127.0.0.1/notanumber"}, "RATE_LIMIT_STORAGE must be"),
        ({"RATE_LIMIT_STORAGE": "redis+unix:///run/redis.sock?db=x"}, "RATE_LIMIT_STORAGE must be"),
        ({"JOBS_URL": "redis://127.0.0.1:6379/notanumber"}, "JOBS_URL must be"),
        ({"JOBS_URL": "rediss://127.0.0.1:6379/?db=one"}, "JOBS_URL must be"),
        (
            {"ALLOWED_HOSTS": "https://shop.example"},
            "'https://shop.example'; write shop.example, as",
        ),
        ({"ALLOWED_HOSTS": "a.example, b.example:8000"}, "'b.example:8000'; write b.example, as"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS names '*'; it must be a name"),
        ({"ALLOWED_HOSTS": "b.example."}, "ALLOWED_HOSTS names 'b.example.'"),
        ({"ALLOWED_HOSTS": "[::1"}, "ALLOWED_HOSTS names '[::1'; it must be a name"),
        ({"ALLOWED_HOSTS": "[::1]:8000"}, "'[::1]:8000'; write ::1, as"),
        ({"ALLOWED_HOSTS": "bücher.example"}, "write xn--bcher-kva.example"),
        ({"METRICS_TOKEN": "c7a1e2d3f4b5968790a1b2c3d4e5f60ü"}, "METRICS_TOKEN contains what no"),
        ({"MAIL_SERVER": "smtp://foo"}, "MAIL_SERVER is 'smtp://foo'; it must be a host alone"),
        ({"MAIL_SERVER": "smtp.example.com:587"}, "the port goes into MAIL_PORT"),
    ],
)
def test_each_unsafe_setting_is_named(change: dict[str, str], word: str) -> None:
    settings = from_environment(GOOD | change)
    assert any(word in problem for problem in settings.problems())
    with pytest.raises(ConfigurationError, match="not usable"):
        settings.require_usable()


@pytest.mark.parametrize(
    "change",
    [
        {"MAIL_FROM": "Acme <hello@acme.example>"},
        {"METRICS_TOKEN": "c7a1e2d3f4b5968790a1b2c3d4e5f607"},
        {"JOBS_URL": "inline"},
        {"JOBS_URL": "sqlite:///instance/jobs.db"},
        {"JOBS_URL": "unix:///run/redis.sock"},
        {"RATE_LIMIT_STORAGE": "redis+unix:///run/redis.sock"},
        {"RATE_LIMIT_STORAGE": "rediss://:word@host:6380/1"},
        {"RATE_LIMIT_STORAGE": "redis+sentinel://host:26379/mymaster"},
        {"RATE_LIMIT_STORAGE": "redis://host"},
        {"JOBS_URL": "unix:///run/redis.sock?db=2"},
        {"BASE_URL": "https://xn--bcher-kva.example:8443"},
        {"BASE_URL": "https://[::1]:8443"},
        {"ALLOWED_HOSTS": "a.example .b.example 10.0.0.1 ::1 web_1 localhost"},
        {"MAIL_SERVER": "10.0.0.1"},
        {"MAIL_SERVER": "mail_1"},
        {"DATABASE_URL": "postgresql:///app"},
        {"DATABASE_URL": "postgresql://app:p%40ss@db.internal:5432/app?sslmode=require"},
        {"LOG_LEVEL": "warning"},
        # A rehearsal on this machine, where no visitor comes by.
        {"BASE_URL": "http://127.0.0.1:8123", "MAIL_BACKEND": "locmem", "MAIL_SERVER": ""},
    ],
)
def test_what_is_safe_is_taken(change: dict[str, str]) -> None:
    assert from_environment(GOOD | change).problems() == []


@pytest.mark.parametrize("name", ["POLAR_WEBHOOK_SECRET", "SECRET_KEY_FALLBACKS"])
@pytest.mark.parametrize("value", ["short", f"{SECRET}  # the old one", f"{SECRET},#{SECRET}"])
def test_a_word_is_no_secret_in_development_either(name: str, value: str) -> None:
    environment = {"APP_ENV": "development", "SECRET_KEY": SECRET}
    assert from_environment(environment | {name: SECRET}).problems() == []
    [problem] = from_environment(environment | {name: value}).problems()
    assert problem.startswith(f"{name} holds a word")
    assert SECRET not in problem


def test_forgetting_app_env_is_the_safe_side() -> None:
    assert from_environment({}).is_production


def test_secrets_do_not_show_in_the_repr() -> None:
    shown = repr(from_environment(GOOD))
    assert SECRET not in shown
    assert "polar_oat_x" not in shown


def test_development_without_a_token_uses_the_local_polar() -> None:
    settings = from_environment({"APP_ENV": "development", "SECRET_KEY": SECRET})
    assert settings.uses_local_polar
    assert settings.problems() == []
    with_token = from_environment({"APP_ENV": "development", "POLAR_ACCESS_TOKEN": "polar_oat_x"})
    assert with_token.polar_url == "https://api.polar.sh"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u@h/d", "postgresql+psycopg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+psycopg://u@h/d"),
        ("sqlite:////tmp/x.db", "sqlite:////tmp/x.db"),
        ("sqlite:///instance/app.db", f"sqlite:///{ROOT / 'instance/app.db'}"),
    ],
)
def test_database_addresses(url: str, expected: str) -> None:
    assert Settings(database_url=url).sqlalchemy_url == expected


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"SECRET_KEY": "change-me"}, "SECRET_KEY"),
        ({"POLAR_ACCESS_TOKEN": ""}, "POLAR_ACCESS_TOKEN"),
    ],
)
def test_application_does_not_start_and_says_why(
    change: dict[str, str], word: str, tmp_path: Path
) -> None:
    environ = {"PATH": os.environ["PATH"], "FLASK_SKIP_DOTENV": "1"} | GOOD | change
    environ["DATABASE_URL"] = f"sqlite:///{tmp_path}/x.db"
    environ = {name: value or " " for name, value in environ.items()}  # " " beats a line of .env.
    run = subprocess.run(
        [sys.executable, "-c", "import wsgi"], env=environ, cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert word in run.stderr
    assert "Traceback" not in run.stderr


def test_flask_check_says_what_to_mend(tmp_path: Path) -> None:
    run = flask_check(tmp_path, SECRET_KEY="change-me")
    assert run.returncode == 1
    assert "SECRET_KEY is a placeholder" in run.stdout
    assert "flask db upgrade" in run.stdout
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("command", [("--help",), ("db", "--help"), ("billing", "--help")])
def test_help_is_there_before_there_are_settings(tmp_path: Path, command: tuple[str, ...]) -> None:
    run = flask_check(tmp_path, command, SECRET_KEY="", POLAR_ACCESS_TOKEN="", MAIL_FROM="")
    assert "Usage:" in run.stdout + run.stderr
    assert "Commands:" in run.stdout + run.stderr
    assert "SECRET_KEY" not in run.stdout + run.stderr
    assert flask_check(tmp_path, ("db", "current"), SECRET_KEY="").returncode == 1


def test_flask_check_warns_of_limits_that_each_process_counts_alone(tmp_path: Path) -> None:
    assert flask_check(tmp_path, command=("db", "upgrade")).returncode == 0
    warned = flask_check(tmp_path, WEB_CONCURRENCY="2")
    assert (warned.returncode, warned.stderr) == (0, "")
    assert "RATE_LIMIT_STORAGE" in warned.stdout
    assert "The configuration is fine" in warned.stdout
    assert "RATE_LIMIT_STORAGE" not in flask_check(tmp_path, WEB_CONCURRENCY="1").stdout


def test_flask_check_says_what_is_away(tmp_path: Path) -> None:
    assert flask_check(tmp_path, command=("db", "upgrade")).returncode == 0
    away = {
        "JOBS_URL": "redis://:hush@127.0.0.1:9/1",
        "RATE_LIMIT_STORAGE": "redis://127.0.0.1:9/1",
    }
    warned = flask_check(tmp_path, **away)
    assert (warned.returncode, warned.stderr) == (0, "")
    assert "The queue cannot be used (Error 111" in warned.stdout
    assert "Check JOBS_URL" in warned.stdout
    assert "each process counts alone" in warned.stdout
    assert "hush" not in warned.stdout
    assert "The configuration is fine" in warned.stdout


def test_flask_check_says_that_a_redis_has_no_such_database(tmp_path: Path) -> None:
    url = os.environ.get("REDIS_URL") or os.environ.get("TEST_REDIS_URL")
    if not url:
        pytest.skip("no Redis; REDIS_URL names one")
    assert flask_check(tmp_path, command=("db", "upgrade")).returncode == 0
    right = {"JOBS_URL": url, "RATE_LIMIT_STORAGE": url}
    assert "cannot be used" not in flask_check(tmp_path, **right).stdout
    beyond = f"{url.rpartition('/')[0]}/99999"
    warned = flask_check(tmp_path, JOBS_URL=beyond, RATE_LIMIT_STORAGE=beyond)
    assert "out of range" in warned.stdout
    assert "The store of rate limits cannot be used" in warned.stdout


def flask_check(
    folder: Path, command: tuple[str, ...] = ("check",), **changes: str
) -> "subprocess.CompletedProcess[str]":
    environ = {"PATH": os.environ["PATH"], "FLASK_SKIP_DOTENV": "1"} | GOOD
    environ |= {"DATABASE_URL": f"sqlite:///{folder}/x.db"} | changes
    flask = [sys.executable, "-m", "flask", "--app", "wsgi"]
    return subprocess.run([*flask, *command], env=environ, cwd=ROOT, capture_output=True, text=True)
