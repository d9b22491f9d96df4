"""Periods of reports: an ISO week, a quarter, a year, or from one day to another."""

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


def quarter(name: str, timezone: str) -> Period:
    """The quarter named like `2026-Q4`. Raises ValueError with what to write instead."""
    found = re.fullmatch(r"(\d{4})-Q([1-4])", name)
    if not found or not date.min.year < int(found[1]) < date.max.year:
        raise ValueError(f"{name!r} is no quarter; write the year and the quarter, such as 2026-Q4")
    return _quarter(int(found[1]), int(found[2]), timezone)


def _quarter(year: int, number: int, timezone: str) -> Period:
    first = date(year, 3 * number - 2, 1)
    after = date(year + number // 4, 3 * number % 12 + 1, 1)
    return Period(f"{year}-Q{number}", first, after - timedelta(days=1), timezone)


def quarter_of(day: date, timezone: str) -> Period:
    """The quarter in which a day falls."""
    return _quarter(day.year, (day.month + 2) // 3, timezone)


def year(name: str, timezone: str) -> Period:
    """The year named like `2026`. Raises ValueError with what to write instead."""
    if not re.fullmatch(r"\d{4}", name) or not date.min.year < int(name) < date.max.year:
        raise ValueError(f"{name!r} is no year; write it with four digits, such as 2026")
    return Period(name, date(int(name), 1, 1), date(int(name), 12, 31), timezone)


def before(period: Period) -> Period:
    """The period of the same kind before: a quarter before a quarter, a year before a year, else as many days."""
    timezone, eve = period.timezone, period.first - timedelta(days=1)
    if period.name == quarter_of(period.first, timezone).name:
        return quarter_of(eve, timezone)
    if re.fullmatch(r"\d{4}", period.name):
        return year(f"{eve.year:04}", timezone)
    return between(period.first - (period.last - eve), eve, timezone)
