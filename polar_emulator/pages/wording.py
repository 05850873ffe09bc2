"""How amounts, dates and states read on the pages."""

from __future__ import annotations

import json

from polar_emulator.clock import parse
from polar_emulator.store import Doc

SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}
# As payment processors count: https://docs.stripe.com/currencies#zero-decimal
NO_DECIMALS = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv"}
    | {"xaf", "xof", "xpf"}
)
THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
STATUS_TONES = {"active": "good", "trialing": "good", "past_due": "warn", "paid": "good"}
COUNTRIES = {
    "AU": "Australia",
    "AT": "Austria",
    "BE": "Belgium",
    "BR": "Brazil",
    "CA": "Canada",
    "DK": "Denmark",
    "FI": "Finland",
    "FR": "France",
    "DE": "Germany",
    "IN": "India",
    "IE": "Ireland",
    "IT": "Italy",
    "JP": "Japan",
    "NL": "Netherlands",
    "NO": "Norway",
    "PL": "Poland",
    "PT": "Portugal",
    "ES": "Spain",
    "SE": "Sweden",
    "CH": "Switzerland",
    "GB": "United Kingdom",
    "US": "United States",
}


def decimals(currency: str) -> int:
    """How many digits of an amount are behind the point: 2 for usd, 0 for jpy, 3 for kwd."""
    code = currency.lower()
    return 0 if code in NO_DECIMALS else 3 if code in THREE_DECIMALS else 2


def money(amount: int, currency: str = "usd") -> str:
    """An amount in minor units as people write it: $20.00, ¥500, CHF 12.00."""
    code, places = currency.lower(), decimals(currency)
    sign = "-" if amount < 0 else ""
    number = f"{abs(amount) / 10**places:,.{places}f}"
    symbol = SYMBOLS.get(code, f"{code.upper()} ")
    return f"{sign}{symbol}{number}"


def date(text: str | None) -> str:
    """A moment as a date: 20 November 2026."""
    if not text:
        return "never"
    moment = parse(text)
    return f"{moment.day} {moment:%B %Y}"


def moment(text: str) -> str:
    """A moment to the second: 2026-11-20 17:26:13."""
    return f"{parse(text):%Y-%m-%d %H:%M:%S}"


def every(product: Doc) -> str:
    """The rhythm of a product: per month, every 3 months, once."""
    if not product["is_recurring"]:
        return "once"
    count = product["recurring_interval_count"] or 1
    interval = product["recurring_interval"]
    return f"per {interval}" if count == 1 else f"every {count} {interval}s"


def renewal(product: Doc) -> str:
    """How often a product renews: every month, every 3 months."""
    count = product["recurring_interval_count"] or 1
    interval = product["recurring_interval"]
    return f"every {interval}" if count == 1 else f"every {count} {interval}s"


def trial_length(interval: str | None, count: int | None) -> str:
    """A trial in words: 14-day."""
    return f"{count}-{interval}" if interval and count else ""


def subscription_words(doc: Doc) -> str:
    """What is going to happen with a subscription, in one sentence."""
    until = date(doc["current_period_end"])
    if doc["ended_at"]:
        return f"Ended on {date(doc['ended_at'])}."
    if doc["cancel_at_period_end"]:
        return f"Canceled. You keep access until {date(doc['ends_at'])}."
    if doc["status"] == "paused":
        resumes = f" It goes on on {date(doc['resumes_at'])}." if doc["resumes_at"] else ""
        return f"Paused. Nothing is charged.{resumes}"
    if doc["pause_at_period_end"]:
        return f"Pauses on {until}. You keep access until then."
    if doc["status"] == "trialing":
        return f"Free trial until {until}. The first payment is due then."
    if doc["status"] == "past_due":
        return "The last payment failed. Please check your payment method."
    if doc["amount"] == 0:
        return "Free of charge. There is nothing to pay."
    return f"Renews on {until}."


def subscription_status(doc: Doc) -> str:
    """The status of a subscription as a label."""
    if doc["cancel_at_period_end"] and not doc["ended_at"]:
        return "Canceled, still active"
    words = {"trialing": "Trial", "past_due": "Past due", "canceled": "Ended"}
    return words.get(doc["status"], str(doc["status"]).capitalize())


def tone(status: str) -> str:
    """The colour role of a status."""
    return STATUS_TONES.get(status, "plain")


def pretty(text: str) -> str:
    """JSON with line breaks."""
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
