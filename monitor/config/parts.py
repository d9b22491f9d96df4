"""What sections of the configuration are made of: the types of their values, each with its own complaint."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""By name: APScheduler's crontab numbers count from Monday = 0, cron's from Sunday = 0."""
Severity = Literal["High", "Medium", "Low"]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise ValueError(f"no time zone named {name!r}; use a name such as Europe/Berlin") from error
    return name


def is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        return False


def _web_address(url: str) -> str:
    if not is_web_address(url):
        raise ValueError("must be a web address beginning with http:// or https://")
    if "@" in urlsplit(url).netloc:
        raise ValueError("holds a user name or password; only pages that anyone can read are read")
    return url


def _clock_time(at: time) -> time:
    if at.tzinfo is not None or at.second or at.microsecond:
        raise ValueError('must be hours and minutes without a zone, such as "06:30"')
    return at


ClockTime = Annotated[time, AfterValidator(_clock_time)]
ZoneName = Annotated[str, AfterValidator(_zone)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


def clock_change_at(at: time, zone: str) -> date | None:
    """A day in the coming three years on which this time of day is missing or comes twice there."""
    place = ZoneInfo(zone)
    today = datetime.now(UTC).date()
    for ahead in range(3 * 366):
        moment = datetime.combine(today + timedelta(days=ahead), at, place)
        if moment.utcoffset() != moment.replace(fold=1).utcoffset():
            return moment.date()
    return None
