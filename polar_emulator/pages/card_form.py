"""The form of the checkout page: what was typed, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from email_validator import EmailNotValidError

from polar_emulator.api.formats import normal_email
from polar_emulator.pages.wording import COUNTRIES, decimals, money
from polar_emulator.rules import cards
from polar_emulator.store import Doc

EXPIRY = re.compile(r"(0[1-9]|1[0-2])\s*/?\s*(?:20)?(\d\d)")
AMOUNT = re.compile(r"\d{1,12}(?:[.,]\d{1,3})?")
LONGEST_NAME = 256
Errors = dict[str, str]


def initial(doc: Doc) -> dict[str, str]:
    """The values of a fresh form: what the checkout knows of its buyer."""
    address = doc["customer_billing_address"] or {}
    return {
        "email": doc["customer_email"] or "",
        "name": doc["customer_name"] or "",
        "country": address.get("country") or "US",
        "amount": "",
        "card_number": "",
        "card_expiry": "",
        "card_cvc": "",
    }


def typed(form: Mapping[str, str], doc: Doc) -> dict[str, str]:
    """The values as they were typed; the e-mail of a linked customer cannot be changed."""
    values = {name: form.get(name, "").strip() for name in initial(doc)}
    if doc["customer_id"]:
        values["email"] = doc["customer_email"] or ""
    return values


def check(values: dict[str, str], doc: Doc, now: datetime) -> Errors:
    """A sentence for each field that is wrong."""
    errors: Errors = {}
    _check_buyer(values, errors)
    if doc["is_payment_form_required"]:
        _check_card(values, now, errors)
    if doc["price"]["amount_type"] == "custom" and amount(values, doc) is None:
        errors["amount"] = _amount_sentence(doc["price"])
    return errors


def amount(values: dict[str, str], doc: Doc) -> int | None:
    """The chosen amount in minor units, None when it is missing or out of bounds."""
    price = doc["price"]
    if not AMOUNT.fullmatch(values["amount"]):
        return None
    exact = Decimal(values["amount"].replace(",", ".")).scaleb(decimals(price["price_currency"]))
    chosen, most = int(exact), price["maximum_amount"]
    fits = chosen >= (price["minimum_amount"] or 0) and (most is None or chosen <= most)
    return chosen if fits and chosen == exact else None


def token(values: dict[str, str]) -> str | None:
    """What stands for the card when the checkout is confirmed."""
    return cards.token_for(cards.digits(values["card_number"]))


def wants_confirmation(values: dict[str, str]) -> bool:
    """Whether the card wants its owner to confirm the payment on a page of the bank."""
    return cards.wants_confirmation(cards.digits(values["card_number"]))


def _amount_sentence(price: Doc) -> str:
    currency, least, most = (
        price["price_currency"],
        price["minimum_amount"],
        price["maximum_amount"],
    )
    words = f"Enter an amount of at least {money(least or 0, currency)}"
    return f"{words} and at most {money(most, currency)}." if most is not None else f"{words}."


def _check_buyer(values: dict[str, str], errors: Errors) -> None:
    try:
        normal_email(values["email"])
    except EmailNotValidError:
        errors["email"] = "Enter an e-mail address, like jane@example.com."
    if not values["name"]:
        errors["name"] = "Enter your name."
    elif len(values["name"]) > LONGEST_NAME:
        errors["name"] = f"Use at most {LONGEST_NAME} characters."
    if values["country"] not in COUNTRIES:
        errors["country"] = "Choose a country."


def _check_card(values: dict[str, str], now: datetime, errors: Errors) -> None:
    number = cards.digits(values["card_number"])
    if not cards.is_valid(number):
        errors["card_number"] = "This card number is not valid."
    elif cards.token_for(number) is None:
        errors["card_number"] = f"No real cards here. {cards.TEST_CARDS_SENTENCE}"
    expiry = EXPIRY.fullmatch(values["card_expiry"])
    if not expiry:
        errors["card_expiry"] = "Enter month and year, like 12 / 34."
    elif (2000 + int(expiry[2]), int(expiry[1])) < (now.year, now.month):
        errors["card_expiry"] = "This card has expired."
    if not re.fullmatch(r"[0-9]{3,4}", values["card_cvc"]):
        errors["card_cvc"] = "Enter the 3 or 4 digits of the security code."
