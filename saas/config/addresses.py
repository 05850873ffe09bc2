"""What is wrong with the names of machines in the settings, each told in one sentence."""

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from saas.config.settings import Settings

LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
HOST = re.compile(rf"{LABEL}(?:\.{LABEL})*", re.ASCII)
NUMBERED = ("redis", "rediss")  # Redis has databases with numbers; the client takes 0 for a word.


def problems(settings: "Settings") -> list[str]:
    """Return one sentence for each name that no request and no connection will ever match."""
    return [
        *_base_url(settings),
        *_allowed_hosts(settings),
        *_mail_server(settings),
        *_server(settings),
    ]


def is_redis(url: str) -> bool:
    """True for an address of Redis that its clients understand, options and number included."""
    from redis import ConnectionPool, RedisError  # Only where there is one.

    plain = url.removeprefix("redis+")  # Which is what one of the clients calls it.
    if plain.startswith("sentinel://"):
        return bool(urlsplit(plain).path.strip("/"))  # The name of the service.
    try:
        ConnectionPool.from_url(plain).make_connection()  # It connects later.
    except (RedisError, TypeError, ValueError):
        return False
    return _is_redis_number(url)


def _is_redis_number(url: str) -> bool:
    parts = urlsplit(url)
    asked = parse_qs(parts.query, keep_blank_values=True).get("db", [])
    path = [parts.path.strip("/")] if parts.scheme in NUMBERED and parts.path.strip("/") else []
    return all(name.isascii() and name.isdigit() for name in (*asked, *path))


def _base_url(settings: "Settings") -> list[str]:
    host = urlsplit(settings.base_url).hostname or ""
    if _is_host(host):
        return []
    return [f"BASE_URL names the host {host!r}; {_cure(host)}."]


def _allowed_hosts(settings: "Settings") -> list[str]:
    found = []
    for name in settings.allowed_hosts:
        if not _is_host(name.removeprefix(".")):
            found.append(
                f"ALLOWED_HOSTS names {name!r}; {_cure(_host_in(name))}, without scheme, port and path, "
                "and .example.com for all below example.com."
            )
    return found


def _mail_server(settings: "Settings") -> list[str]:
    server = settings.mail_server
    if not server or _is_host(server):
        return []
    words = "it must be a host alone, like smtp.example.com; the port goes into MAIL_PORT."
    return [f"MAIL_SERVER is {server!r}; {words}"]


def _server(settings: "Settings") -> list[str]:
    found = []
    if not _is_host(settings.host):
        found.append(f"HOST is {settings.host!r}; it must be an address or a name, without a port.")
    for network in settings.forwarded_allow_ips:
        try:
            network == "*" or ipaddress.ip_network(network)
        except ValueError:
            words = "it may name addresses, networks like 10.0.0.0/8, or * for any."
            found.append(f"FORWARDED_ALLOW_IPS names {network!r}; {words}")
    return found


def _host_in(name: str) -> str:
    try:
        return urlsplit(name if "//" in name else f"//{name}").hostname or ""
    except ValueError:  # Half a bracket, for example.
        return ""


def _is_host(name: str) -> bool:
    if HOST.fullmatch(name):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _cure(host: str) -> str:
    """Say how the name is written so that it is what browsers send."""
    import idna  # Commands start sooner without it.

    if _is_host(host):
        return f"write {host}, as browsers send it"
    try:
        ours = idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        ours = ""
    if not _is_host(ours):
        return "it must be a name like app.example.com"
    return f"write {ours}, as browsers send it"
