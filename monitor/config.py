"""`config.yaml`, typed and frozen: the operator's choices, and nothing that a lawyer or a source owns."""

from __future__ import annotations

import hashlib
import json
import os
import re
from datetime import date, datetime, time
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from monitor.records import JurisdictionCode, SourceId, UtcDatetime

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
"""By name: APScheduler's crontab numbers count from Monday = 0, cron's from Sunday = 0."""
Severity = Literal["High", "Medium", "Low"]


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise ValueError(f"no time zone named {name!r}; use a name such as Europe/Berlin") from error
    return name


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a web address beginning with http:// or https://")
    return url


ZoneName = Annotated[str, AfterValidator(_zone)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Schedule(Section):
    """When something is done. Times are UTC for crawls and the reader's zone for digests."""

    every: Literal["hour", "day", "week", "month"] = "day"
    on: Weekday | None = None
    day: int | None = Field(default=None, ge=1, le=28)
    at: time = time(5, 0)


class SourceChoice(Section):
    """What the operator says of one source."""

    on: bool = True
    schedule: Schedule | None = None
    """Left out: by the card's frequency."""


class Site(Section):
    """A seller's site to be read."""

    url: WebAddress
    name: str = ""
    """The organisation's name; left out: what the site calls itself."""
    country: str = ""
    start: tuple[WebAddress, ...] = ()
    """Pages to start from where there is no sitemap."""
    pages: int = Field(default=200, ge=1, le=100_000)
    depth: int = Field(default=4, ge=0, le=50)
    minutes: int = Field(default=30, ge=1, le=1440)
    delay: float = Field(default=5.0, gt=0)
    revisit_hours: float = Field(default=20.0, ge=0)
    """A page read well less than this long ago is not asked for again."""
    on: bool = True
    schedule: Schedule | None = None

    @property
    def source_id(self) -> str:
        """`site_follica_example` for https://www.follica.example/, with its port if it names one."""
        parts = urlsplit(self.url)
        host = (parts.hostname or "").removeprefix("www.")
        port = f"_{parts.port}" if parts.port else ""
        return "site_" + re.sub(r"[^a-z0-9]+", "_", host.lower()).strip("_") + port


class Rehearsal(Section):
    """Read from a server on this machine instead of the web: for the demo, for recordings, for tests.

    Every request goes to `address`, with its own host in the Host header; nothing goes anywhere else.
    """

    address: str = Field(pattern=r"^(127\.0\.0\.1|\[::1\]|localhost):\d{2,5}$")
    now: UtcDatetime | None = None
    """Moment to take as now; the clock runs on from there. Sent along as `X-Rehearsal-Date`."""


class Network(Section):
    """Bounds of every crawl."""

    timeout_seconds: float = Field(default=60.0, gt=0, le=600)
    max_body_mb: int = Field(default=32, ge=1, le=64)
    max_run_mb: int = Field(default=2048, ge=1)
    """Bytes received in one run, after which it stops."""
    retries: int = Field(default=2, ge=0, le=10)


class DigestChoice(Section):
    """The weekly digest."""

    title: str = "Exowatch weekly"
    timezone: ZoneName = "UTC"
    on: Weekday = "mon"
    at: time = time(6, 30)
    jurisdictions: tuple[JurisdictionCode, ...] = ()
    """Left out: all that are assessed."""


class Watchlist(Section):
    """What one team wants to be told about. An event matches when it meets every criterion given."""

    name: str = Field(min_length=1, max_length=80)
    owner: str = ""
    terms: tuple[str, ...] = ()
    """Words or phrases, matched whole, whatever the case, accents and look-alikes."""
    exclude: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    """Organisations, by any of their names."""
    domains: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    jurisdictions: tuple[JurisdictionCode, ...] = ()
    min_severity: Severity | None = None
    events: tuple[str, ...] = ()
    until: date | None = None

    @field_validator("terms", "exclude", "names", "domains")
    @classmethod
    def _no_blanks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if any(not value.strip() for value in values):
            raise ValueError("an empty term would match everything; remove it")
        return values


class Config(Section):
    """The whole of config.yaml."""

    contact: str = ""
    """Mail or web address of whoever runs this; part of the user agent. Needed before a live run."""
    data: Path = Path("var")
    database: str = ""
    """SQLAlchemy URL without password; left out: SQLite in the data folder. EXOWATCH_DATABASE_URL goes before it."""
    jurisdictions: tuple[JurisdictionCode, ...] = ("us", "uk", "eu", "ca")
    """Where findings are made. A page that addresses another one says "not assessed" for it."""
    sources: dict[SourceId, SourceChoice] = Field(default_factory=dict)
    sites: tuple[Site, ...] = ()
    network: Network = Network()
    digest: DigestChoice = DigestChoice()
    watchlists: tuple[Watchlist, ...] = ()
    parallel_runs: int = Field(default=2, ge=1, le=16)
    rehearsal: Rehearsal | None = None

    @property
    def database_url(self) -> str:
        return os.environ.get("EXOWATCH_DATABASE_URL") or self.database or f"sqlite:///{self.data / 'exowatch.db'}"

    @property
    def runs_folder(self) -> Path:
        return self.data / "runs"

    @property
    def digests_folder(self) -> Path:
        return self.data / "digests"

    def digest_of(self) -> str:
        """sha256 over the configuration, written into each run: what the run was told."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    def site_of(self, source_id: str) -> Site | None:
        return next((site for site in self.sites if site.source_id == source_id), None)


def now(config: Config) -> datetime:
    """This moment in UTC, or the rehearsed one."""
    from datetime import UTC

    if config.rehearsal and config.rehearsal.now:
        return config.rehearsal.now
    return datetime.now(UTC)
