"""What a landscape counts: its period, the one before it, the steps it is divided into, the quarters up to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.queries.landscape_rows import Asked, Stretch
from reports import period
from reports.period import Period

QUARTERS = 12
"""How far back trends go, the quarter in which the period ends included."""
LONGEST_IN_WEEKS, LONGEST_IN_MONTHS = 100, 800
"""Days up to which a period is divided into weeks and into months; above, into quarters."""
DAY = timedelta(days=1)


def asked(of: Period, now: datetime, jurisdictions: Sequence[str] = ()) -> Asked:
    """What is to be counted. A period that is not over is counted up to now, and the one before for as many days.

    Raises ValueError for a period that has not begun.
    """
    today = now.astimezone(ZoneInfo(of.timezone)).date()
    if of.first > today:
        raise ValueError(f"{of.name} has not begun: it is {today}; name an earlier period")
    last = min(of.last, today)
    earlier = period.before(of)
    if last < of.last:
        until = min(earlier.last, earlier.first + (last - of.first))
        earlier = Period(earlier.name, earlier.first, until, of.timezone)
    here = _stretch(Period(of.name, of.first, last, of.timezone))
    return Asked(
        now=Stretch(here.name, here.first, here.last, here.start, min(here.end, now)),
        before=_stretch(earlier),
        steps=tuple(_steps(of, here)),
        quarters=tuple(_quarters(of)),
        timezone=of.timezone,
        jurisdictions=frozenset(jurisdictions) or None,
    )


def _stretch(of: Period, name: str = "") -> Stretch:
    return Stretch(name or of.name, of.first, of.last, of.start, of.end)


def _quarters(of: Period) -> Iterator[Stretch]:
    quarter = period.quarter_of(of.last, of.timezone)
    found = [quarter]
    while len(found) < QUARTERS:
        found.append(period.before(found[-1]))
    return (_stretch(one) for one in reversed(found))


def _steps(of: Period, here: Stretch) -> Iterator[Stretch]:
    """Equal parts of the period so far: weeks, months or quarters, the first and last cut where the period is."""
    first = here.first
    while first <= here.last:
        last = min(_step_end(of, first), here.last)
        yield _stretch(Period(of.name, first, last, of.timezone), _step_name(of, first))
        first = last + DAY


def _days(of: Period) -> int:
    return (of.last - of.first).days + 1


def _step_end(of: Period, first: date) -> date:
    if _days(of) <= LONGEST_IN_WEEKS:
        return first + (6 - first.weekday()) * DAY
    quarter = period.quarter_of(first, of.timezone)
    if _days(of) > LONGEST_IN_MONTHS:
        return quarter.last
    return (first.replace(day=1) + 32 * DAY).replace(day=1) - DAY


def _step_name(of: Period, first: date) -> str:
    if _days(of) <= LONGEST_IN_WEEKS:
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    return f"{first:%Y-%m}" if _days(of) <= LONGEST_IN_MONTHS else period.quarter_of(first, of.timezone).name
