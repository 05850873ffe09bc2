"""The pure rules: money, periods, cards, clock, store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from polar_emulator.clock import Clock, parse, stamp
from polar_emulator.pages import wording
from polar_emulator.rules import cards, money, periods
from polar_emulator.store import Store


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "country", "net", "tax", "behavior"),
    [
        (2000, "FR", 1667, 333, "inclusive"),  # recorded: orders-get-paid
        (9900, "DE", 8319, 1581, "inclusive"),  # recorded: orders-get-one-time
        (1500, "US", 1500, 0, "exclusive"),  # recorded: checkout-get-trial-succeeded
        (2000, None, 2000, None, None),
        (0, "FR", 0, 0, None),
    ],
)
def test_tax(amount: int, country: str | None, net: int, tax: int | None, behavior: str) -> None:
    found = money.tax_on(amount, {"country": country} if country else None)
    assert (found.net, found.tax, found.total, found.behavior) == (net, tax, amount, behavior)


@pytest.mark.parametrize(("total", "fee"), [(2000, 150), (9900, 545), (19000, 1000), (0, 0)])
def test_platform_fee_as_recorded(total: int, fee: int) -> None:
    assert money.platform_fee(total) == fee


@pytest.mark.parametrize(
    ("amount", "now", "start", "end", "left"),
    [
        # recorded in scenario 09: 20 of 30 days are left
        (2000, "2026-11-20", "2026-11-10", "2026-12-10", 1333),
        (5000, "2026-11-20", "2026-11-10", "2026-12-10", 3333),
        (2000, "2027-02-15", "2027-02-01", "2027-03-01", 1000),
        (2900, "2028-02-15", "2028-02-01", "2028-03-01", 1500),
        (36600, "2028-12-31", "2028-01-01", "2029-01-01", 100),
        (2000, "2027-04-01", "2027-02-01", "2027-03-01", 0),
    ],
)
def test_proration(amount: int, now: str, start: str, end: str, left: int) -> None:
    assert money.prorated(amount, day(now), day(start), day(end)) == left


@pytest.mark.parametrize(
    ("start", "interval", "count", "end"),
    [
        ("2026-11-20", "month", 1, "2026-12-20"),
        ("2027-01-31", "month", 1, "2027-02-28"),
        ("2028-01-31", "month", 1, "2028-02-29"),
        ("2026-12-15", "month", 3, "2027-03-15"),
        ("2028-02-29", "year", 1, "2029-02-28"),
        ("2026-11-20", "day", 14, "2026-12-04"),
        ("2026-11-20", "week", 2, "2026-12-04"),
    ],
)
def test_periods(start: str, interval: str, count: int, end: str) -> None:
    assert periods.add(day(start), interval, count) == day(end)


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("4242424242424242", True),
        ("4000000000000002", True),
        ("5555555555554444", True),
        ("4242424242424241", False),
        ("424242", False),
        ("", False),
        ("42424242424242ab", False),
    ],
)
def test_cards(number: str, valid: bool) -> None:
    assert cards.is_valid(number) is valid


def test_typed_cards() -> None:
    assert cards.digits(" 4242-4242 4242\t4242 ") == cards.PAYS
    assert cards.token_for("5555555555554444") is None
    assert cards.is_declined(cards.token_for(cards.DECLINES) or "")


def test_clock_never_repeats_and_only_moves_forward() -> None:
    clock = Clock()
    times = [clock.now() for _ in range(100)]
    assert times == sorted(set(times))
    target = clock.now() + timedelta(days=3)
    clock.move_to(target)
    assert target <= clock.now() < target + timedelta(seconds=5)
    clock.move_to(target - timedelta(days=1))
    assert clock.now() > target
    clock.reset()
    assert clock.now() < target


def test_stamps_sort_as_text() -> None:
    moment = day("2026-11-20")
    assert stamp(moment) == "2026-11-20T00:00:00.000000Z"
    assert parse(stamp(moment)) == moment
    assert stamp(moment) < stamp(moment + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (2000, "usd", "$20.00"),
        (-5, "eur", "-€0.05"),
        (500, "jpy", "¥500"),
        (1234, "kwd", "KWD 1.234"),
    ],
)
def test_money_in_words(amount: int, currency: str, words: str) -> None:
    assert wording.money(amount, currency) == words


def fail_half_way(store: Store) -> None:
    with store.transaction():
        store.put("thing", {"id": "2", "name": "two"})
        with store.transaction():
            store.put("thing", {"id": "3", "name": "three"})
        raise RuntimeError


def test_store_keeps_all_or_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "x.db")
    store = Store(path)
    store.put("thing", {"id": "1", "name": "one", "metadata": {"plan": "pro"}})
    with pytest.raises(RuntimeError):
        fail_half_way(store)
    store.close()
    store = Store(path)
    assert [doc["id"] for doc in store.find("thing")] == ["1"]
    assert store.count("thing", {"metadata.plan": ["pro", "team"]}) == 1
    assert store.count("thing", {"metadata.plan": []}) == 0
    assert store.first("thing", {"name like": "%N%"})
    assert store.find("thing", {"gone !=": None}) == []
    with pytest.raises(KeyError):
        store.need("thing", "9")
    store.clear()
    store.close()
