"""Periods: ISO weeks in the reader's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from reports import period


def test_a_week_runs_from_monday_to_sunday() -> None:
    week = period.week("2026-W47", "UTC")
    assert (week.first, week.last) == (date(2026, 11, 16), date(2026, 11, 22))
    assert week.start == datetime(2026, 11, 16, tzinfo=UTC)
    assert week.end == datetime(2026, 11, 23, tzinfo=UTC)


def test_midnight_is_the_readers() -> None:
    week = period.week("2026-W43", "Europe/Berlin")
    assert week.start == datetime(2026, 10, 18, 22, tzinfo=UTC)
    assert week.end == datetime(2026, 10, 25, 23, tzinfo=UTC), "the clocks went back on that Sunday"


def test_the_week_of_a_moment_is_that_of_the_readers_day() -> None:
    late_sunday = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert period.week_of(late_sunday, "UTC").name == "2026-W47"
    assert period.week_of(late_sunday, "Europe/Berlin").name == "2026-W48"


def test_a_year_of_53_weeks() -> None:
    assert period.week("2026-W53", "UTC").last == date(2027, 1, 3)
    assert period.week_of(datetime(2027, 1, 1, tzinfo=UTC), "UTC").name == "2026-W53"


@pytest.mark.parametrize("name", ["2025-W53", "2026-W00", "2026-47", "W47", "2026-W47x", "0000-W01", "9999-W53"])
def test_what_is_no_week_says_what_to_write(name: str) -> None:
    with pytest.raises(ValueError, match="such as 2026-W47"):
        period.week(name, "UTC")


def test_from_one_day_to_another() -> None:
    found = period.between(date(2026, 1, 1), date(2026, 3, 31), "UTC")
    assert found.name == "2026-01-01--2026-03-31"
    assert found.end == datetime(2026, 4, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="swap"):
        period.between(date(2026, 3, 31), date(2026, 1, 1), "UTC")
