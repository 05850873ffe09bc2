"""The staff pages, by what they are about."""

from saas.backoffice.views import deliveries, log, start, users

__all__ = ["deliveries", "log", "start", "users"]
