"""The staff pages, by what they are about."""

from saas.backoffice.views import deliveries, jobs, log, start, users

__all__ = ["deliveries", "jobs", "log", "start", "users"]
