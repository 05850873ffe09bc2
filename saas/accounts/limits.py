"""How often the doors of an account may be knocked on, counted by network and by e-mail address."""

import hashlib
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import request
from flask_limiter.util import get_remote_address

from saas.accounts import addresses
from saas.accounts.errors import InvalidAddress
from saas.accounts.sessions import require_user, signed_in_user
from saas.extensions import limiter

P = ParamSpec("P")
R = TypeVar("R")

# A whole office or classroom may share one address, and all of them may start on the same morning.
# This one stops a flood; guessing at one account is stopped by the other.
PER_NETWORK = "60 per minute; 600 per hour"

# Nobody mistypes a password or waits for a mail more often. NIST allows 100 failures in a row on
# one account (SP 800-63B, 3.2.2). A stranger can use your share up, for an hour; who is signed in
# stays so, and the link for a new password has a share of its own.
PER_ACCOUNT = "5 per minute; 30 per hour"

# What a whole network may ask of Polar through us, beside the share that each user has.
CALLS_PER_NETWORK = "300 per minute"


def limited(view: Callable[P, R]) -> Callable[P, R]:
    """Answer 429 with ``Retry-After`` to POSTs that come too often, whoever has the address."""
    by_account = limiter.limit(PER_ACCOUNT, key_func=_account, methods=["POST"])
    by_network = limiter.limit(PER_NETWORK, key_func=_network, methods=["POST"])
    return by_network(by_account(view))


def limited_by_user(view: Callable[P, R]) -> Callable[P, R]:
    """Answer 429 to POSTs of one signed-in user that come too often."""
    return limiter.limit(PER_ACCOUNT, key_func=_user, methods=["POST"])(view)


def limited_by_link(view: Callable[P, R]) -> Callable[P, R]:
    """Answer 429 to POSTs with one mailed link that come too often."""
    return limiter.limit(PER_ACCOUNT, key_func=_link, methods=["POST"])(view)


def limited_calls(limit: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Answer 429 when one user, or one network of visitors, asks more often than ``limit``."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        by_visitor = limiter.limit(limit, key_func=_visitor)
        by_network = limiter.limit(CALLS_PER_NETWORK, key_func=_network)
        return by_network(by_visitor(view))

    return decorate


def _visitor() -> str:
    return _user() if signed_in_user() else _network()


def _link() -> str:
    token = str((request.view_args or {}).get("token"))
    return "link:" + hashlib.sha256(token.encode()).hexdigest()


def _user() -> str:
    return f"user:{require_user().id}"


def _account() -> str:
    try:
        email = addresses.normalise(request.form.get("email", ""))
    except InvalidAddress:
        return _network()
    return "account:" + hashlib.sha256(email.encode()).hexdigest()


def _network() -> str:
    try:
        address = _address(get_remote_address())
    except ValueError:
        return "network:unknown"
    # One customer of an IPv6 provider has a whole /64 to choose addresses from.
    prefix = 64 if address.version == 6 else 32
    return f"network:{ip_network((address, prefix), strict=False)}"


def _address(text: str) -> IPv4Address | IPv6Address:
    """Return the address that a proxy names: some add the port, and some write IPv4 as IPv6."""
    try:
        address = ip_address(text)
    except ValueError:
        address = ip_address(urlsplit(f"//{text}").hostname or "")
    return getattr(address, "ipv4_mapped", None) or address
