"""What is found when everything has calmed down, held against what everybody was promised."""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
from stack_parts import Mail
from stack_visitors import Asked, Ledger

AT_ONCE = 8  # More than these two processes of four threads cannot be in flight on an instance.
SETTLE_SECONDS = 120.0  # A job whose worker was killed is taken up after half a minute.
MARGIN_SECONDS = 0.3  # From the kill until the kernel has closed the last connection.
HALF_A_PAGE = "peer closed connection without sending complete message body"
CONFIRM, WELCOME = "Confirm your address", "Welcome to"


@dataclass(frozen=True)
class Line:
    """One line of the table: a promise, what was found, and whether it was held."""

    promise: str
    found: str
    is_held: bool


def settle(database_url: str, polar: Any) -> None:
    """Return when Polar has delivered everything and no delivery or job is left to do, or when time is up."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        with suppress(TimeoutError):
            polar.wait_idle(20)
            break
    with psycopg.connect(database_url, autocommit=True) as database:
        while time.monotonic() < deadline:
            if not (_unhandled(database) or _unfinished(database)):
                return
            time.sleep(0.5)


def judge(
    database_url: str, polar: Any, ledger: Ledger, mails: list[Mail], kills: list[float]
) -> list[Line]:
    """Return the table."""
    with psycopg.connect(database_url, autocommit=True) as database:
        return [
            *_requests(ledger, kills),
            *_deliveries(database, polar),
            *_people(database, ledger),
            *_mails(database, mails),
            *_jobs(database),
        ]


def _requests(ledger: Ledger, kills: list[float]) -> list[Line]:
    failures = ledger.failures()
    excused = [one for one in failures if _was_in_flight(one, kills)]
    other = [one for one in failures if one not in excused]
    examples = "; ".join(f"{one.method} {one.path} {one.note}"[:120] for one in other[:3])
    visits = [note for note in ledger.broken_off if not any(note == f.note for f in failures)]
    return [
        Line("requests that failed", f"{len(other)} of {len(ledger.asked)} {examples}", not other),
        Line(
            "requests in flight on what was killed",
            f"{len(excused)} failed",
            len(excused) <= AT_ONCE,
        ),
        Line("visits that could not go on", f"{len(visits)} {visits[:2] or ''}", not visits),
    ]


def _was_in_flight(asked: Asked, kills: list[float]) -> bool:
    """True for what was on its way when an instance died and could not be given to the other one.

    That is a form, which may have had its effect, and a page whose first half was here already.
    """
    cannot_go_elsewhere = asked.method == "POST" or HALF_A_PAGE in asked.note
    return cannot_go_elsewhere and any(
        asked.began - MARGIN_SECONDS <= kill <= asked.ended for kill in kills
    )


def _deliveries(database: "psycopg.Connection[Any]", polar: Any) -> list[Line]:
    promised = _webhook_ids(polar)
    kept = {row[0] for row in database.execute("SELECT webhook_id FROM webhook_deliveries")}
    repeated = _count(database, "SELECT count(*) FROM webhook_deliveries WHERE attempts > 1")
    outcomes = dict(
        database.execute("SELECT outcome, count(*) FROM webhook_deliveries GROUP BY 1").fetchall()
    )
    lost, strange = len(promised - kept), len(kept - promised)
    return [
        Line("deliveries lost", f"{lost} of {len(promised)}", not lost and not strange),
        Line("deliveries not applied", f"{_unhandled(database)} ({_words(outcomes)})",
             not _unhandled(database) and not outcomes.get("failed")),
        Line("deliveries tried more than once", str(repeated), True),
    ]  # fmt: skip


def _people(database: "psycopg.Connection[Any]", ledger: Ledger) -> list[Line]:
    users = {row[0] for row in database.execute("SELECT email FROM users")}
    missing = set(ledger.signed_up) - users
    paying = {
        row[0]
        for row in database.execute(
            "SELECT u.email FROM users u JOIN billing_customers c ON c.user_id = u.id "
            "JOIN billing_subscriptions s ON s.customer_id = c.polar_id AND s.status = 'active'"
        )
    }
    unpaid = set(ledger.bought) - paying
    doubled = sum(
        _count(database, f"SELECT count(*) - count(DISTINCT customer_id) FROM {table}")
        for table in ("billing_subscriptions", "billing_orders")
    )
    return [
        Line("sign-ups lost", f"{len(missing)} of {len(ledger.signed_up)}", not missing),
        Line("purchases without a plan", f"{len(unpaid)} of {len(ledger.bought)}",
             not unpaid and bool(ledger.bought)),
        Line("subscriptions or orders twice", str(doubled), not doubled),
    ]  # fmt: skip


def _mails(database: "psycopg.Connection[Any]", mails: list[Mail]) -> list[Line]:
    # A worker that is killed between handing a mail over and noting that is no different from one that
    # did not: who takes over hands the same mail over again, and a mailbox shows it once.
    distinct = {mail.message_id: mail for mail in mails}.values()
    again = len(mails) - len(distinct)
    sent = Counter((mail.to, mail.subject.partition(" for ")[0][:20]) for mail in distinct)
    users = {row[0] for row in database.execute("SELECT email FROM users")}
    buyers = {
        row[0]
        for row in database.execute(
            "SELECT u.email FROM users u JOIN billing_notices n ON n.user_id = u.id "
            "WHERE n.kind = 'welcome'"
        )
    }
    unsent = [name for name in users if not sent[name, CONFIRM[:20]]]
    unsent += [name for name in buyers if not any(key[0] == name and key[1].startswith(WELCOME)
                                                  for key in sent)]  # fmt: skip
    twice = [key for key, count in sent.items() if count > 1]
    return [
        Line("mails lost", f"{len(unsent)} of {len(users) + len(buyers)}", not unsent),
        Line("mails sent twice", f"{len(twice)} of {len(distinct)} {twice[:2] or ''}", not twice),
        Line("a mail handed over again, one id", str(again), again <= _taken_over(database)),
    ]


def _jobs(database: "psycopg.Connection[Any]") -> list[Line]:
    states = dict(database.execute("SELECT state, count(*) FROM jobs GROUP BY 1").fetchall())
    undone = sum(count for state, count in states.items() if state != "done")
    return [
        Line("jobs not done", f"{undone} ({_words(states)})", not undone),
        Line("jobs taken over from the dead", str(_taken_over(database)), True),
    ]


def _taken_over(database: "psycopg.Connection[Any]") -> int:
    return _count(database, "SELECT count(*) FROM jobs WHERE attempts > 1 AND state = 'done'")


def _webhook_ids(polar: Any) -> set[str]:
    """The ids of everything that Polar has delivered, or tried to."""
    found: set[str] = set()
    with httpx.Client(headers={"Authorization": f"Bearer {polar.token}"}) as client:
        page, last = 1, 1
        while page <= last:
            options = {"page": page, "limit": 100}
            answer = client.get(f"{polar.url}/v1/webhooks/deliveries", params=options)
            body = answer.raise_for_status().json()
            found |= {item["webhook_event"]["id"] for item in body["items"]}
            page, last = page + 1, body["pagination"]["max_page"]
    return found


def _unhandled(database: "psycopg.Connection[Any]") -> int:
    return _count(database, "SELECT count(*) FROM webhook_deliveries WHERE handled_at IS NULL")


def _unfinished(database: "psycopg.Connection[Any]") -> int:
    """Jobs that are due or running; one that waits for its time of day is no concern of ours."""
    return _count(
        database,
        "SELECT count(*) FROM jobs WHERE state = 'running' "
        "OR state = 'waiting' AND run_after < now() + interval '2 minutes'",
    )


def _count(database: "psycopg.Connection[Any]", query: Any) -> int:
    row = database.execute(query).fetchone()
    return int(row[0]) if row else 0


def _words(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
