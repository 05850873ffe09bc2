"""What comes by the clock, in one list. Times of the day are in UTC."""

from saas.accounts import housekeeping as accounts
from saas.billing import housekeeping as billing
from saas.jobs import housekeeping as jobs
from saas.jobs.periodic import at, daily, every
from saas.webhooks import housekeeping as webhooks


def init_app() -> None:
    """Register the list."""
    at(billing.NOTICES, every(minutes=15))
    at(billing.ADDRESSES, every(minutes=15))
    at(billing.CATALOGUE, every(minutes=60))
    at(billing.COMPARISON, daily(hour=3))
    at(billing.OLD_NOTICES, daily(hour=4))
    at(webhooks.OLD_DELIVERIES, daily(hour=4))
    at(accounts.OLD_SIGN_INS, daily(hour=4))
    at(jobs.OLD_JOBS, daily(hour=4))
