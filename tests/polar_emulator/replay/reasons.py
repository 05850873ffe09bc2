"""Where the recordings differ from what happens here, each place with the reason why that stays so."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """A place of a recording (both patterns match from the beginning), and why it may differ."""

    recording: str
    place: str
    why: str

    def covers(self, name: str, line: str) -> bool:
        """Whether a difference is the one that is meant."""
        return bool(re.match(self.recording, name) and re.match(self.place, line))


LATE_CUSTOMER = (
    "customer.created is told by a worker, here before the purchase goes on, as in most recordings; "
    "in this one it came after the purchase had changed the customer (facts, section 1)"
)
REASONS = (
    Reason(
        "02-",
        r"(customer\.state_changed|order\.\w+)\.data\..*\.modified_at: '\S+' became None",
        "the first purchase of the session took 3 s and changed its subscription on the way; "
        "none of the 13 purchases after it did",
    ),
    Reason("07a-|13a-", r"customer\.created\.data\.modified_at", LATE_CUSTOMER),
    Reason(
        "09-",
        r"order\.created\.data\.product_price",
        "an order shows the price of its first item, and the items of one moment have no order: the "
        "credit comes first here, as in this order's later events and in all other recordings",
    ),
    Reason(
        "webhooks-deliveries-list$",
        r"\.pagination\.",
        "it counts the deliveries of the whole recorded session, not of this story",
    ),
    Reason(
        "orders-invoice-get$", r"\.url: ", "the invoice lies in the local Polar, not in an S3 store"
    ),
)
# Recordings that no story compares, each with its reason.
LEFT_OUT: dict[str, str] = {}


def unexplained(name: str, lines: list[str]) -> list[str]:
    """The differences that no reason is given for."""
    return [line for line in lines if not any(reason.covers(name, line) for reason in REASONS)]
