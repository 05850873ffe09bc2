"""The pages of accounts, by what a person comes to do."""

from saas.accounts.views import devices, recovery, registration, session, settings

__all__ = ["devices", "recovery", "registration", "session", "settings"]
