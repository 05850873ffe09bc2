"""Settings: typed, read from the environment once, and refused when they are not safe to run with.

``settings`` has the fields, ``reading`` takes them from the environment, ``checks`` judges them, and
``flask_names`` hands them on to Flask; ``known`` has the names that they refer to.
"""

from flask import current_app

from saas.config.checks import could_be_secret
from saas.config.known import BILLING_MAILS, POLAR_URLS, ROOT
from saas.config.reading import from_environment, load_env_file, words
from saas.config.settings import ConfigurationError, Settings

__all__ = [
    "BILLING_MAILS",
    "POLAR_URLS",
    "ROOT",
    "ConfigurationError",
    "Settings",
    "could_be_secret",
    "current",
    "from_environment",
    "load_env_file",
    "words",
]


def current() -> Settings:
    """Return the settings of the running application."""
    settings: Settings = current_app.extensions["settings"]
    return settings
