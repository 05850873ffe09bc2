"""The pages of accounts, by what a person comes to do."""

from saas.accounts.views import recovery, registration, session, settings

__all__ = ["recovery", "registration", "session", "settings"]
