"""Periods: adding months and years the way billing does."""

from __future__ import annotations

import calendar
from datetime import datetime, timedelta

MONTHS = {"month": 1, "year": 12}


def add(moment: datetime, interval: str, count: int = 1) -> datetime:
    """A moment some hours, days, weeks, months or years later; 31 January and a month is 28 February."""
    if interval == "hour":
        return moment + timedelta(hours=count)
    if interval == "day":
        return moment + timedelta(days=count)
    if interval == "week":
        return moment + timedelta(weeks=count)
    months = moment.month - 1 + MONTHS[interval] * count
    year, month = moment.year + months // 12, months % 12 + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return moment.replace(year=year, month=month, day=day)


def in_words(moment: datetime) -> str:
    """A date as order items show it: Nov 20, 2026."""
    return f"{moment:%b} {moment.day}, {moment.year}"
