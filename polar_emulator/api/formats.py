"""What addresses, ids and metadata values look like, and what is said when they do not."""

from __future__ import annotations

import ipaddress
import re
import uuid
from typing import Any
from urllib.parse import urlsplit

from email_validator import validate_email

from polar_emulator.errors import Problem, problem

HEX_OR_HYPHEN = re.compile(r"[0-9a-fA-F-]")
LONGEST_METADATA_VALUE = 500
# ISO 3166-1, as far as Polar takes them.
_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS "
    "BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG "
    "EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN "
    "HR HT HU ID IE IL IM IN IO IQ IS IT JE JM JO JP KE KG KH KI KM KN KR KW KY KZ LA LB LC LI LK LR "
    "LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF "
    "NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RW SA SB SC SD "
    "SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ "
    "UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW "
)
COUNTRIES = tuple(_CODES.split())


def normal_email(text: str) -> str:
    """An address with its domain in lower case. EmailNotValidError says what is wrong with it."""
    checked = validate_email(text, check_deliverability=False)
    return f"{checked.local_part}@{checked.domain}"


def uuid_trouble(value: Any) -> str | None:
    """What is wrong with an id, None when it is fine."""
    if not isinstance(value, str):
        return "input should be a string"
    for place, letter in enumerate(value, start=1):
        if not HEX_OR_HYPHEN.fullmatch(letter):
            return f"invalid character: found `{letter}` at {place}"
    try:
        uuid.UUID(value)
    except ValueError:
        return f"invalid length: expected length 32 for simple format, found {len(value)}"
    return None


def url_trouble(value: Any) -> str | None:
    """What is wrong with an absolute http(s) address, None when it is fine."""
    try:
        parts = urlsplit(value if isinstance(value, str) else "")
    except ValueError:
        return "invalid international domain name"
    if not parts.scheme:
        return "relative URL without a base"
    return None if parts.scheme in {"http", "https"} and parts.hostname else "empty host"


def is_private(url: str, *, loopback: bool) -> bool:
    """Whether an address names a private network; this machine counts when `loopback` does.

    Names are not looked up: `localhost` is this machine, any other name is public.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return loopback
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return loopback if address.is_loopback else not address.is_global


def no_metadata_value(where: tuple[str, ...], entry: Any) -> list[Problem]:
    """One complaint per type that a value could have had."""
    if not isinstance(entry, str):
        return [
            problem(
                "string_type", (*where, "constrained-str"), "Input should be a valid string", entry
            ),
            problem("int_type", (*where, "int"), "Input should be a valid integer", entry),
            problem("float_type", (*where, "float"), "Input should be a valid number", entry),
            problem("bool_type", (*where, "bool"), "Input should be a valid boolean", entry),
        ]
    too_long = f"String should have at most {LONGEST_METADATA_VALUE} characters"
    no_integer = "Input should be a valid integer, unable to parse string as an integer"
    no_number = "Input should be a valid number, unable to parse string as a number"
    return [
        problem("string_too_long", (*where, "constrained-str"), too_long, entry, max_length=500),
        problem("int_parsing", (*where, "int"), no_integer, entry),
        problem("float_parsing", (*where, "float"), no_number, entry),
        problem(
            "bool_parsing",
            (*where, "bool"),
            "Input should be a valid boolean, unable to interpret input",
            entry,
        ),
    ]
