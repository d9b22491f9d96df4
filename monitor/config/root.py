"""`config.yaml`, typed and frozen: the operator's choices, and nothing that a lawyer or a source owns."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from monitor.codes import JurisdictionCode
from monitor.config.delivery import Channel, Language, Mail, Recipient, Rhythm, Target, Webhook, delivery_flaws
from monitor.config.evidence import EvidenceChoice
from monitor.config.file import Flaw, Key, Marked, dotted, nearest, read_marked_file, validate, without_nothing
from monitor.config.parts import (
    ClockTime,
    Section,
    Severity,
    WebAddress,
    Weekday,
    ZoneName,
    clock_change_at,
    is_web_address,
)
from monitor.records import SourceId, UtcDatetime

CONFIG_VARIABLE = "EXOWATCH_CONFIG"
DATABASE_VARIABLE = "EXOWATCH_DATABASE_URL"


def _this_machine(address: str) -> str:
    if not re.fullmatch(r"(127\.0\.0\.1|\[::1\]|localhost):\d{2,5}", address):
        raise ValueError("must be a server on this machine, such as 127.0.0.1:8099")
    return address


class Schedule(Section):
    """When something is done. Times are UTC for crawls and the reader's zone for digests."""

    every: Literal["hour", "day", "week", "month"] = "day"
    on: Weekday | None = None
    day: int | None = Field(default=None, ge=1, le=28)
    at: ClockTime = time(5, 0)
    """For `every: hour`, its minutes alone count."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.every == "week" and self.on is None:
            raise ValueError("every: week needs a weekday; add on: mon (or tue … sun)")
        if self.every != "week" and self.on is not None:
            raise ValueError(f"a weekday (on: {self.on}) goes with every: week only; remove it or change every")
        if self.every == "month" and self.day is None:
            raise ValueError("every: month needs a day of the month; add day: 1 (to 28)")
        if self.every != "month" and self.day is not None:
            raise ValueError(f"a day of the month (day: {self.day}) goes with every: month only")
        return self


class SourceChoice(Section):
    """What the operator says of one source."""

    on: bool = True
    schedule: Schedule | None = None
    """Left out: by the card's frequency."""
    since: date | None = None
    """How far back the source is read; left out: as far as its list goes."""


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
    conditional: bool = True
    """Ask for known pages on condition that they have changed. Not of a server that says so wrongly."""
    script: bool = False
    """Its pages are built by script: let a browser show them. Needs the extra `script` and Chromium."""
    on: bool = True
    schedule: Schedule | None = None

    @property
    def source_id(self) -> str:
        return site_id(self.url)


def site_id(url: str) -> str:
    """`site_follica_example` for https://www.follica.example/, with its port if it names one."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    port = f"_{parts.port}" if parts.port else ""
    return "site_" + re.sub(r"[^a-z0-9]+", "_", host.lower()).strip("_") + port


class Rehearsal(Section):
    """Read from a server on this machine instead of the web: for the demo, for recordings, for tests.

    Every request goes to `address`, with its own host in the Host header; nothing goes anywhere else.
    """

    address: Annotated[str, AfterValidator(_this_machine)]
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
    at: ClockTime = time(6, 30)
    jurisdictions: tuple[JurisdictionCode, ...] = ()
    """Left out: all that are assessed."""
    language: Language = "en"
    """Of the digest that is written for all; a recipient may have another."""
    empty: Literal["send", "skip"] = "send"
    """What is done with the digest of a period in which nothing happened: one line and the sources that were read."""

    @model_validator(mode="after")
    def _at_a_time_that_comes_once(self) -> Self:
        day = clock_change_at(self.at, self.timezone)
        if day:
            raise ValueError(
                f"at {self.at:%H:%M} the clocks change in {self.timezone} ({day}): that time is missing or comes "
                "twice; choose at: 06:30 or another time away from the night"
            )
        return self


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
    recipients: tuple[str, ...] = ()
    """Addresses of `recipients`, names of `channels` and `webhooks`."""
    rhythm: Rhythm = "at_once"
    until: date | None = None

    @field_validator("terms", "exclude", "names", "domains")
    @classmethod
    def _no_blanks(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if any(not value.strip() for value in values):
            raise ValueError("an empty term would match everything; remove it")
        return values


def _without_password(url: str) -> str:
    if not url:
        return url
    try:
        parts = urlsplit(url)
        password = parts.password or parse_qs(parts.query).get("password")
    except ValueError as error:
        raise ValueError("is no database address; write sqlite:///path or postgresql://user@host/name") from error
    if password:
        raise ValueError(
            f"holds a password; take it out, and put the whole address into the environment variable "
            f"{DATABASE_VARIABLE} (or the password into ~/.pgpass)"
        )
    if parts.scheme.partition("+")[0] not in ("sqlite", "postgresql"):
        raise ValueError("is no database that is known; write sqlite:///path or postgresql://user@host/name")
    return url


class Config(Section):
    """The whole of config.yaml."""

    contact: str = ""
    """Mail or web address of whoever runs this; part of the user agent. Needed before a live run."""
    data: Path = Path("var")
    database: Annotated[str, AfterValidator(_without_password)] = ""
    """SQLAlchemy URL without password; left out: SQLite in the data folder. EXOWATCH_DATABASE_URL goes before it."""
    jurisdictions: tuple[JurisdictionCode, ...] = ("us", "uk", "eu", "ca")
    """Where findings are made. A page that addresses another one says "not assessed" for it."""
    cards: tuple[Path, ...] = ()
    """Folders of source cards of one's own, beside those that are installed."""
    sources: dict[SourceId, SourceChoice] = Field(default_factory=dict)
    sites: tuple[Site, ...] = ()
    network: Network = Network()
    digest: DigestChoice = DigestChoice()
    evidence: EvidenceChoice = EvidenceChoice()
    watchlists: tuple[Watchlist, ...] = ()
    public_site: WebAddress | None = None
    """Under which readers reach the site: what links in mails and feeds lead to."""
    mail: Mail | None = None
    recipients: tuple[Recipient, ...] = ()
    channels: tuple[Channel, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    parallel_runs: int = Field(default=2, ge=1, le=16)
    rehearsal: Rehearsal | None = None

    @property
    def database_url(self) -> str:
        return os.environ.get(DATABASE_VARIABLE) or self.database or f"sqlite:///{self.data / 'exowatch.db'}"

    @property
    def database_is_missing(self) -> bool:
        """True if the database is a SQLite file that nothing has made yet."""
        kind, _, path = self.database_url.partition(":///")
        return kind.partition("+")[0] == "sqlite" and not Path(path.partition("?")[0]).is_file()

    @property
    def targets(self) -> tuple[Target, ...]:
        """Everyone and everything that is sent something."""
        return (*self.recipients, *self.channels, *self.webhooks)

    @property
    def outbox_folder(self) -> Path:
        return self.data / "outbox"

    @property
    def runs_folder(self) -> Path:
        return self.data / "runs"

    @property
    def site_address(self) -> str:
        """Where permalinks lead; where readers have no site, to `exowatch serve` on this machine."""
        return str(self.public_site or "http://127.0.0.1:8017").rstrip("/")

    @property
    def digests_folder(self) -> Path:
        return self.data / "digests"

    @property
    def landscapes_folder(self) -> Path:
        return self.data / "landscapes"

    @property
    def evidence_folder(self) -> Path:
        return self.data / "evidence"

    def digest_of(self) -> str:
        """sha256 over the configuration, written into each run: what the run was told."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

    def site_of(self, source_id: str) -> Site | None:
        return next((site for site in self.sites if site.source_id == source_id), None)


def live_flaw(config: Config) -> str:
    """Why this configuration may not read the web, or nothing. A rehearsal reads no web and needs no contact."""
    contact = config.contact.strip()
    if config.rehearsal is not None:
        return ""
    if not contact:
        return "contact: is empty; give a mail or web address at which the operators of the servers can reach you"
    if not (re.fullmatch(r"[!-~]+@[!-~]+\.[!-~]+", contact) or (contact.isascii() and is_web_address(contact))):
        return f"contact: {contact!r} is neither a mail nor a web address (plain ASCII); give one that reaches you"
    return ""


def now(config: Config) -> datetime:
    """This moment in UTC, or the rehearsed one."""
    if config.rehearsal and config.rehearsal.now:
        return config.rehearsal.now
    return datetime.now(UTC)


@dataclass(frozen=True)
class Vocabulary:
    """Names that a configuration may use and that it does not define itself. None: not checked."""

    sources: frozenset[str] | None = None
    categories: frozenset[str] | None = None
    events: frozenset[str] | None = None


class ConfigError(Exception):
    """The configuration cannot be used. Its text has one line for each flaw: file, line, key, what to do."""

    def __init__(self, file: str, flaws: Sequence[Flaw]) -> None:
        self.file = file
        self.flaws = tuple(sorted(flaws, key=lambda flaw: flaw.line))
        super().__init__("\n".join(flaw.text(file) for flaw in self.flaws))


def config_path(path: Path | None = None) -> Path:
    """The file to read: the one given, else EXOWATCH_CONFIG's, else ./config.yaml."""
    return path or Path(os.environ.get(CONFIG_VARIABLE) or "config.yaml")


def installed_sources(own: Iterable[Path] = ()) -> frozenset[str]:
    """Ids of the source cards that are installed or lie in folders of one's own, by their file names.

    The crawler itself is not imported.
    """
    found = importlib.util.find_spec("crawler")
    places = [Path(place) / "sources" for place in (found.submodule_search_locations if found else None) or ()]
    return own_sources((*places, *own))


def load(path: Path | None = None, vocabulary: Vocabulary | None = None) -> Config:
    """Read and check the configuration. Raises ConfigError with everything that is wrong with it at once.

    Without a vocabulary, names of sources are checked against the installed cards and nothing else is looked up.
    """
    file = config_path(path)
    marked = read_marked_file(file)
    values = without_nothing(marked.values, keep=frozenset({("sources",)}))
    config, flaws = validate(Config, values, marked)
    flaws += marked.flaws
    folders = _own_folders(values)
    for number, folder in folders.items():
        if not folder.is_dir():
            key = ("cards", number)
            message = f"no such folder: {folder}; make it, or name the folder that holds your cards"
            flaws.append(Flaw(marked.line_of(key), dotted(key), message))
    known = vocabulary or Vocabulary(sources=installed_sources())
    if known.sources is not None:
        known = replace(known, sources=known.sources | own_sources(folders.values()))
    names = _name_flaws(values, marked, known)
    named = {flaw.key for flaw in names}  # a name that is none is told once, with the nearest
    flaws = [flaw for flaw in flaws if flaw.key not in named] + names
    flaws += delivery_flaws(config, marked) if config else []
    if config is None or flaws:
        raise ConfigError(str(file), flaws)
    return config


def _own_folders(values: dict[str, Any]) -> dict[int, Path]:
    named = values.get("cards")
    found = named if isinstance(named, list) else []
    return {number: Path(folder) for number, folder in enumerate(found) if isinstance(folder, str)}


def own_sources(folders: Iterable[Path]) -> frozenset[str]:
    """Ids of the cards in these folders, by their file names."""
    return frozenset(card.stem for folder in folders for card in folder.glob("*.yaml"))


def _name_flaws(values: dict[str, Any], marked: Marked, vocabulary: Vocabulary) -> list[Flaw]:
    # Looked up in the raw values, so that a wrong type elsewhere hides none of them.
    sources = values.get("sources")
    watchlists = _mappings(values.get("watchlists"))
    flaws = _unknown(sources, ("sources",), "source", vocabulary.sources, marked) if isinstance(sources, dict) else []
    for number, watchlist in watchlists:
        for key, noun, valid in (
            ("categories", "category", vocabulary.categories),
            ("events", "event", vocabulary.events),
        ):
            if isinstance(watchlist.get(key), list):
                flaws += _unknown(watchlist[key], ("watchlists", number, key), noun, valid, marked)
    for place, codes in _jurisdictions_named(values, watchlists):
        flaws += _unknown(codes, place, "jurisdiction", jurisdiction_codes(), marked)
    names = [(number, str(each.get("name", ""))) for number, each in watchlists]
    flaws += _twice(names, "watchlists", "name", marked, lambda name: name.strip().casefold())
    sites = [(number, each.get("url")) for number, each in _mappings(values.get("sites"))]
    urls = [(number, url) for number, url in sites if isinstance(url, str) and is_web_address(url)]
    return flaws + _twice(urls, "sites", "url", marked, site_id)


def _jurisdictions_named(
    values: dict[str, Any], watchlists: list[tuple[int, dict[str, Any]]]
) -> Iterator[tuple[tuple[Key, ...], list[Any]]]:
    digest = values.get("digest")
    named: list[tuple[tuple[Key, ...], Any]] = [(("jurisdictions",), values.get("jurisdictions"))]
    named.append((("digest", "jurisdictions"), digest.get("jurisdictions") if isinstance(digest, dict) else None))
    named += [(("watchlists", number, "jurisdictions"), each.get("jurisdictions")) for number, each in watchlists]
    recipients = _mappings(values.get("recipients"))
    named += [(("recipients", number, "jurisdictions"), each.get("jurisdictions")) for number, each in recipients]
    return ((place, codes) for place, codes in named if isinstance(codes, list))


def jurisdiction_codes() -> frozenset[str]:
    """ISO 3166-1 alpha-2 in lower case, `uk` in the place of `gb`, and `eu`."""
    import pycountry  # its tables are read on first use: not for a configuration that names none

    codes = {country.alpha_2.lower() for country in pycountry.countries}
    return frozenset((codes - {"gb"}) | {"uk", "eu"})


def _mappings(values: Any) -> list[tuple[int, dict[str, Any]]]:
    found = values if isinstance(values, list) else []
    return [(number, each) for number, each in enumerate(found) if isinstance(each, dict)]


def _unknown(
    names: Iterable[Any], place: tuple[Key, ...], noun: str, valid: frozenset[str] | None, marked: Marked
) -> list[Flaw]:
    """`names` are a mapping's keys or a list's items at `place`."""
    if valid is None:
        return []
    flaws = []
    for number, name in enumerate(names):
        if isinstance(name, str) and name not in valid:
            key: tuple[Key, ...] = (*place, name) if isinstance(names, dict) else (*place, number)
            hint = _meant_code(name, valid) if noun == "jurisdiction" else nearest(name, valid)
            what = f"no such {noun}" if isinstance(names, dict) else f"no such {noun}: {name}"
            flaws.append(Flaw(marked.line_of(key), dotted(key), what + (hint or _valid_names(noun, valid))))
    return flaws


def _meant_code(name: str, valid: frozenset[str]) -> str:
    """British sellers write GB, and many write capitals; what else is two letters long is near to half the world."""
    code = name.strip().lower()
    code = "uk" if code == "gb" else code
    return f"; did you mean {code}?" if code in valid else ""


def _valid_names(noun: str, valid: frozenset[str]) -> str:
    if noun == "jurisdiction":
        return "; use an ISO 3166 code in lower case, uk or eu"
    return f"; valid: {', '.join(sorted(valid)[:30])}" if valid else ""


def _twice(
    values: list[tuple[int, str]], section: str, key: str, marked: Marked, identity: Callable[[str], str]
) -> list[Flaw]:
    first: dict[str, int] = {}
    flaws = []
    for number, value in values:
        same = first.setdefault(identity(value), number)
        if same != number:
            line = marked.line_of((section, same, key))
            message = f"{value!r} is already in line {line}; keep one"
            flaws.append(Flaw(marked.line_of((section, number, key)), dotted((section, number, key)), message))
    return flaws
