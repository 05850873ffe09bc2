"""Ask Polar to send again what never arrived here."""

from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

from saas.billing import gateway
from saas.billing.gateway import Answer, PolarNotFound
from saas.kit.datetimes import parse_datetime


def ask(since: datetime) -> list[tuple[str, str]]:
    """Have every event sent again that failed until now. Returns their types and webhook ids.

    That includes those that Polar would still try by itself: who calls has mended the reason, and need not
    wait for up to twenty minutes. The id stays the same, so nothing counts twice. Only attempts after
    ``since`` are looked at, the newest first. Raises ``gateway.PolarError``.
    """
    asked = []
    for event in _failed(since):
        try:
            gateway.call("POST", f"/v1/webhooks/events/{quote(event['id'], safe='')}/redeliver")
        except PolarNotFound:  # Its endpoint is gone, or Polar has archived it.
            continue
        asked.append((str(event.get("type")), str(event["id"])))
    return asked


def attempts(since: datetime | None = None) -> Iterator[Answer]:
    """Yield what Polar noted about its attempts to deliver, the newest first."""
    for answer in gateway.pages("/v1/webhooks/deliveries"):
        made = parse_datetime(answer.data.get("created_at"))
        if since and made and made < since:
            return
        yield answer


def _failed(since: datetime) -> Iterator[dict[str, str]]:
    """Yield events none of whose attempts succeeded: ``succeeded`` is false, or null while Polar tries on."""
    seen: set[str] = set()
    for answer in list(attempts(since)):
        event = answer.data.get("webhook_event") or {}
        key = event.get("id")
        if not isinstance(key, str) or key in seen:
            continue
        seen.add(key)
        if not answer.data.get("succeeded") and not event.get("succeeded"):
            yield event
