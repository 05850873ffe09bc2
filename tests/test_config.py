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
        ({"SECRET_KEY_FALLBACKS": "old"}, "SECRET_KEY_FALLBACKS holds a key that can be guessed"),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG is on"),
        ({"POLAR_ACCESS_TOKEN": ""}, "POLAR_ACCESS_TOKEN is missing"),
        ({"POLAR_API_URL": "http://127.0.0.1:8001"}, "local Polar"),
        ({"POLAR_API_URL": "http://localhost:8001"}, "local Polar"),
        ({"POLAR_API_URL": "http://[::1]:8001"}, "local Polar"),
        ({"POLAR_API_URL": "http://127.0.0.2:8001"}, "local Polar"),
        ({"POLAR_API_URL": "http://api.polar.sh"}, "https://"),
        ({"POLAR_API_URL": "api.polar.sh"}, "POLAR_API_URL"),
        ({"POLAR_WEBHOOK_SECRET": ""}, "POLAR_WEBHOOK_SECRET is missing"),
        ({"POLAR_WEBHOOK_SECRET": "secret"}, "POLAR_WEBHOOK_SECRET"),
        ({"POLAR_SERVER": "moon"}, "POLAR_SERVER"),
        ({"MAIL_SERVER": ""}, "MAIL_SERVER"),
        ({"MAIL_FROM": ""}, "MAIL_FROM"),
        ({"MAIL_BACKEND": "pigeon"}, "MAIL_BACKEND"),
        ({"BASE_URL": ""}, "BASE_URL is missing"),
        ({"BASE_URL": "app.example.com"}, "BASE_URL"),
        ({"APP_ENV": "staging"}, "APP_ENV"),
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
        {"MAIL_PORT": "smtp"},
        {"TRUSTED_PROXIES": "-1"},
        {"MAIL_USE_TLS": "perhaps"},
        {"PAST_DUE_GRACE_DAYS": "inf"},
    ],
)
def test_what_cannot_be_read_is_named(change: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(change))):
        from_environment(GOOD | change)


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
    environ = {"PATH": os.environ["PATH"], "FLASK_SKIP_DOTENV": "1"} | GOOD
    environ |= {"SECRET_KEY": "change-me", "DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "check"]
    run = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert "SECRET_KEY is a placeholder" in run.stdout
    assert "flask db upgrade" in run.stdout
    assert "Traceback" not in run.stderr
