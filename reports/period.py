"""Periods of digests: an ISO week, or from one day to another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Period:
    """From the first day's midnight up to the midnight after the last, in the reader's zone; moments are UTC."""

    name: str
    first: date
    last: date
    timezone: str

    @property
    def start(self) -> datetime:
        return _midnight(self.first, self.timezone)

    @property
    def end(self) -> datetime:
        return _midnight(self.last + timedelta(days=1), self.timezone)


def _midnight(on: date, timezone: str) -> datetime:
    return datetime.combine(on, time(), ZoneInfo(timezone)).astimezone(UTC)


def week(name: str, timezone: str) -> Period:
    """The ISO 8601 week named like `2026-W47`. Raises ValueError with what to write instead."""
    found = re.fullmatch(r"(\d{4})-W(\d{2})", name)
    try:
        if not found:
            raise ValueError("wrong form")
        first = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        return Period(name, first, first + timedelta(days=6), timezone)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{name!r} is no ISO week; write the year and the week, such as 2026-W47") from error


def week_of(moment: datetime, timezone: str) -> Period:
    """The week in which a moment falls, in the reader's zone."""
    year, number, _ = moment.astimezone(ZoneInfo(timezone)).isocalendar()
    return week(f"{year}-W{number:02}", timezone)


def between(first: date, last: date, timezone: str) -> Period:
    """From one day to another, both included. Raises ValueError if they stand the wrong way round."""
    if last < first:
        raise ValueError(f"the period ends ({last}) before it begins ({first}); swap --from and --to")
    return Period(f"{first}--{last}", first, last, timezone)
