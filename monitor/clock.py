"""When a source is due: the arithmetic of schedules, in UTC. Pure but for the frequency that a card's file names."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from monitor.config import Config, DigestChoice, Schedule

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_BY_FREQUENCY = {
    "hourly": Schedule(every="hour"),
    "daily": Schedule(every="day"),
    "weekly": Schedule(every="week", on="mon"),
    "monthly": Schedule(every="month", day=1),
}


@dataclass(frozen=True)
class Plan:
    """When a source is read."""

    source_id: str
    schedule: Schedule


def plans(config: Config) -> tuple[Plan, ...]:
    """Every source that is on, with its schedule: the configuration's or, failing that, its card's frequency."""
    found = [
        Plan(source_id, choice.schedule or _BY_FREQUENCY[frequency_of(source_id, config.cards)])
        for source_id, choice in config.sources.items()
        if choice.on
    ]
    found += [Plan(site.source_id, site.schedule or _BY_FREQUENCY["daily"]) for site in config.sites if site.on]
    return tuple(found)


@cache
def card_facts(source_id: str, own: tuple[Path, ...] = ()) -> Mapping[str, Any]:
    """A source's card as its file says it; empty where there is none. Read as a file: no crawler is imported.

    `own` are the configuration's folders of cards.
    """
    spec = importlib.util.find_spec("crawler")
    installed = [Path(place) / "sources" for place in (spec.submodule_search_locations if spec else None) or ()]
    for folder in (*installed, *own):
        card = folder / f"{source_id}.yaml"
        if card.is_file():
            return dict(yaml.safe_load(card.read_text(encoding="utf-8")) or {})
    return {}


def frequency_of(source_id: str, own: tuple[Path, ...] = ()) -> str:
    """What a source's card says; `daily` where it says nothing."""
    return str(card_facts(source_id, own).get("frequency", "daily"))


_LONGEST = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}


def cadence_of(config: Config, source_id: str) -> timedelta:
    """The longest time between two readings of a source, as the configuration or its card has it."""
    site, choice = config.site_of(source_id), config.sources.get(source_id)
    schedule = (site.schedule if site else choice.schedule if choice else None) or _BY_FREQUENCY[
        "daily" if site else frequency_of(source_id, config.cards)
    ]
    return _LONGEST[schedule.every]


def is_on(config: Config, source_id: str) -> bool:
    """True if the clock reads it."""
    site, choice = config.site_of(source_id), config.sources.get(source_id)
    return bool((choice and choice.on) or (site and site.on))


def next_time(schedule: Schedule, after: datetime) -> datetime:
    """The first moment later than `after` at which this schedule falls due."""
    after = after.astimezone(UTC)
    if schedule.every == "hour":
        moment = after.replace(minute=schedule.at.minute, second=0, microsecond=0)
        return moment if moment > after else moment + timedelta(hours=1)
    day = after.date()
    while True:
        moment = datetime.combine(day, schedule.at, UTC)
        if moment > after and _falls_on(schedule, day):
            return moment
        day += timedelta(days=1)


def _falls_on(schedule: Schedule, day: date) -> bool:
    if schedule.every == "week":
        return WEEKDAYS[day.weekday()] == schedule.on
    return schedule.every != "month" or day.day == schedule.day


def is_overdue(schedule: Schedule, last: datetime | None, now: datetime) -> bool:
    """True if a reading fell due since the last one; a source never read is overdue at once."""
    return last is None or next_time(schedule, last) <= now


def next_reading(
    config: Config, last: Mapping[str, datetime | None], now: datetime
) -> tuple[str, datetime, bool] | None:
    """The source that is due next: its id, when, and whether that has passed already."""
    due = [
        (now, plan.source_id, True)
        if is_overdue(plan.schedule, last.get(plan.source_id), now)
        else (next_time(plan.schedule, now), plan.source_id, False)
        for plan in plans(config)
    ]
    if not due:
        return None
    at, source_id, overdue = min(due, key=lambda each: (not each[2], each[0], each[1]))
    return source_id, at, overdue


def last_digest_time(choice: DigestChoice, now: datetime) -> datetime:
    """The latest moment, not after `now`, at which the digest fell due. In UTC."""
    zone = ZoneInfo(choice.timezone)
    day = now.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, choice.at, zone).astimezone(UTC)
        if WEEKDAYS[day.weekday()] == choice.on and moment <= now:
            return moment
        day -= timedelta(days=1)


def finished_week(moment: datetime, zone: str) -> str:
    """The last ISO week that is over at `moment` in that zone: `2026-W47`."""
    year, week, _ = (moment.astimezone(ZoneInfo(zone)) - timedelta(days=7)).isocalendar()
    return f"{year}-W{week:02d}"
