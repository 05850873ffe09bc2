"""The names under which this installation answers."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from saas.config.settings import Settings
from saas.kit.urls import is_loopback


@dataclass(frozen=True)
class Hosts:
    """The name in ``BASE_URL``, those of ``ALLOWED_HOSTS``, and other names that lead to the first."""

    ours: frozenset[str]
    endings: tuple[str, ...]
    aliases: frozenset[str]
    local: bool

    @classmethod
    def of(cls, settings: Settings) -> "Hosts":
        """Read them from the settings."""
        name = host_name(urlsplit(settings.base_url).netloc)
        allowed = [each.lower() for each in settings.allowed_hosts]
        twin = name.removeprefix("www.") if name.startswith("www.") else f"www.{name}"
        return cls(
            ours=frozenset([name, *(each for each in allowed if not each.startswith("."))]),
            endings=tuple(each for each in allowed if each.startswith(".")),
            aliases=frozenset([twin]),
            local=not settings.is_production and is_loopback(settings.base_url),
        )

    def are_ours(self, host: str) -> bool:
        """True when a request with this ``Host`` is for us, whatever its port."""
        name = host_name(host)
        return bool(name) and (name in self.ours or name.endswith(self.endings or ("\0",)))

    def are_another_name(self, host: str) -> bool:
        """True for ``www.`` more or less, and in development for the other names of this machine.

        A browser keeps the cookies of ``localhost`` and ``127.0.0.1`` apart: who begins at the one and
        comes back from the checkout to the other would be signed out.
        """
        name = host_name(host)
        return name in self.aliases or (self.local and bool(name) and is_loopback(f"http://{host}"))


@lru_cache(maxsize=128)
def host_name(host: str) -> str:
    """Return the name of a ``Host`` header without its port, in lower case; empty when it has none."""
    try:
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return ""
    if parts.username is not None or parts.path:
        return ""
    return (parts.hostname or "").rstrip(".")
