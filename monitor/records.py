"""The wire shapes: what a run folder holds, and nothing else.

The crawler writes them, the monitor takes them in; they are the only thing the two share.
Everything is frozen, refuses unknown keys, and refuses times without a zone: what is not
understood at this border must not get past it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from monitor.codes import JurisdictionCode

WIRE_VERSION = 1
"""Raised when a shape changes in a way that old run folders do not fit."""


def _to_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
SourceId = Annotated[str, Field(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$", max_length=80)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Wire(BaseModel):
    """Base of every wire shape."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nul(cls, data: Any) -> Any:
        """PostgreSQL stores no NUL character; a document that holds one is still a document."""
        return {key: _no_nul(value) for key, value in data.items()} if isinstance(data, dict) else data


def _no_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "\N{REPLACEMENT CHARACTER}") if "\x00" in value else value
    return [_no_nul(one) for one in value] if isinstance(value, (list, tuple)) else value


class NoticeType(StrEnum):
    """What kind of document a regulator published."""

    WARNING_LETTER = "warning_letter"
    UNTITLED_LETTER = "untitled_letter"
    ENFORCEMENT_REPORT = "enforcement_report"
    RECALL = "recall"
    ALERT = "alert"
    ADVISORY = "advisory"
    GUIDANCE = "guidance"
    RULE = "rule"
    RULING = "ruling"
    COURT_ACTION = "court_action"
    IMPORT_ALERT = "import_alert"
    CLOSE_OUT = "close_out"
    CONSULTATION = "consultation"
    ADVERSE_EVENT_REPORT = "adverse_event_report"
    """Unverified: nobody has established that the product caused the event."""
    NEWS = "news"


class OrganisationRef(Wire):
    """An organisation as a document names it."""

    name: str = Field(min_length=1)
    role: Literal["addressee", "recalling_firm", "seller", "maker", "other"] = "other"
    country: str = ""
    """As written by the source ("United States", "US"): never guessed."""
    address: str = ""


class NoticeRecord(Wire):
    """One notice as its source published it. Dates are calendar dates as printed, never shifted by a zone."""

    kind: Literal["notice"] = "notice"
    source: SourceId
    key: str = Field(min_length=1)
    """Stable id within the source; a re-read of the same document gives the same key."""
    notice_type: NoticeType
    title: str = Field(min_length=1)
    url: str
    authority: str
    """The issuing office as the document names it."""
    jurisdiction: JurisdictionCode
    language: str = "en"
    issued: date | None = None
    posted: date | None = None
    updated: date | None = None
    organisations: tuple[OrganisationRef, ...] = ()
    references: tuple[str, ...] = ()
    """The publisher's own numbers (MARCS-CMS, recall number, NID)."""
    products: tuple[str, ...] = ()
    comments_close: date | None = None
    """Last day on which anyone may comment on what it proposes, as the source's own field says."""
    effective: date | None = None
    """Day on which what it lays down takes effect, as the source's own field says."""
    status: str = ""
    classification: str = ""
    summary: str = ""
    """The source's own short text (subject, reason for recall), verbatim."""
    text: str = ""
    """The document's whole visible text, verbatim; empty if only the list entry was read."""
    quoted_urls: tuple[str, ...] = ()
    """Web addresses that the document quotes: where the sellers are."""
    unread: tuple[str, ...] = ()
    """Parts that exist and could not be read, each with its reason ("detail page: blocked")."""
    captures: tuple[str, ...] = Field(min_length=1)
    """Capture ids this was read from; the first is the document's own page."""


class PageState(StrEnum):
    """What a look at a page gave."""

    READ = "read"
    UNCHANGED = "unchanged"
    """The server answered 304, or its catalogue shows the same entry: read well, and the same as before."""
    GONE = "gone"
    """404 or 410 that is no block page, from a site that answers other addresses in the same run; or a redirect for
    good to another page of the site, which `canonical_url` then names."""


class PageRecord(Wire):
    """One reading of a seller's page. The bytes stay in the WARC: the monitor reads them from the capture."""

    kind: Literal["page"] = "page"
    source: SourceId
    url: str
    """The page's identity: final address without fragment and tracking parameters."""
    state: PageState = PageState.READ
    capture: str = Field(min_length=1)
    title: str = ""
    language: str = ""
    """As declared by the page (`html lang`), not detected."""
    canonical_url: str = ""
    etag: str = ""
    last_modified: str = ""
    site_name: str = ""
    part: str = ""
    """JSON pointer (RFC 6901) to the page within its capture, where the capture is a catalogue that holds many."""
    unread: tuple[str, ...] = ()
    """What is on the page and was not read, such as the text in its images."""
    body_sha256: Sha256 | Literal[""] = ""
    """Of the capture's body once its content encoding is undone; empty where the page is a part of it."""


class TrialRecord(Wire):
    """One clinical trial as its registry shows it. A registry lists what sponsors enter: no approval of any kind."""

    kind: Literal["trial"] = "trial"
    source: SourceId
    key: str = Field(min_length=1)
    """The registry's number, e.g. `NCT01234567`."""
    title: str = Field(min_length=1)
    url: str
    jurisdiction: JurisdictionCode
    language: str = "en"
    status: str
    """Recruitment status as the registry writes it."""
    why_stopped: str = ""
    study_type: str = ""
    phases: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    interventions: tuple[str, ...] = ()
    sponsor: str = ""
    countries: tuple[str, ...] = ()
    enrolment: int | None = None
    started: date | None = None
    completed: date | None = None
    """Primary completion: reached, or as foreseen."""
    posted: date | None = None
    updated: date | None = None
    has_results: bool = False
    references: tuple[str, ...] = ()
    """Other numbers of the same trial."""
    summary: str = ""
    text: str = ""
    unread: tuple[str, ...] = ()
    captures: tuple[str, ...] = Field(min_length=1)


class PublicationRecord(Wire):
    """One paper as an index of the literature shows it."""

    kind: Literal["publication"] = "publication"
    source: SourceId
    key: str = Field(min_length=1)
    """`doi:` in lower case where there is one, else `pmid:`, else the index's own id: one paper is one key."""
    title: str = Field(min_length=1)
    url: str
    language: str = "en"
    journal: str = ""
    authors: tuple[str, ...] = ()
    published: date | None = None
    """First of electronic and print; the first day of a month or year where no more is printed."""
    posted: date | None = None
    updated: date | None = None
    types: tuple[str, ...] = ()
    """The index's publication types ("Review", "Randomized Controlled Trial", "Retracted Publication")."""
    retracted: bool = False
    preprint: bool = False
    references: tuple[str, ...] = ()
    """`doi:…`, `pmid:…`, `pmcid:…`, registry numbers of trials that it reports."""
    abstract: str = ""
    unread: tuple[str, ...] = ()
    captures: tuple[str, ...] = Field(min_length=1)


class AuthorisationRecord(Wire):
    """One product that an authority has approved, licensed or refused, as its own register shows it."""

    kind: Literal["authorisation"] = "authorisation"
    source: SourceId
    key: str = Field(min_length=1)
    product: str = Field(min_length=1)
    """The name under which it is sold."""
    url: str
    authority: str
    jurisdiction: JurisdictionCode
    number: str = ""
    substance: str = ""
    """Proper name or active substance."""
    holder: str = ""
    status: Literal["authorised", "conditional", "suspended", "withdrawn", "refused", "unknown"]
    status_text: str = ""
    """As the register writes it."""
    authorised: date | None = None
    ended: date | None = None
    updated: date | None = None
    indication: str = ""
    kinds: tuple[str, ...] = ()
    """The register's own classes ("BLA", "Orphan", "Advanced therapy")."""
    captures: tuple[str, ...] = Field(min_length=1)


AnyRecord = NoticeRecord | PageRecord | TrialRecord | PublicationRecord | AuthorisationRecord
Record = Annotated[AnyRecord, Field(discriminator="kind")]
RECORD: TypeAdapter[AnyRecord] = TypeAdapter(Record)
"""Reads one line of `items.jsonl`."""


def captures_of(record: AnyRecord) -> tuple[str, ...]:
    """The captures a record was read from."""
    return (record.capture,) if isinstance(record, PageRecord) else record.captures


class CaptureRecord(Wire):
    """One HTTP response as received: a line of `captures.jsonl`, pointing into `run.warc.gz`."""

    id: str = Field(min_length=1)
    url: str
    fetched_at: UtcDatetime
    status: int
    content_type: str = ""
    payload_sha256: Sha256
    """Of the body as received, before any decoding of transfer or content encodings by us."""
    offset: int = Field(ge=0)
    """Where the WARC record's gzip member begins in `run.warc.gz`, in bytes."""
    length: int = Field(gt=0)
    redirected_from: str = ""
    ip: str = ""
    replay_of: str = ""
    """In a replay: the capture that this is a copy of. Its time and bytes are that one's."""
    rendered_from: str = ""
    """What a browser showed once scripts had built the page: the capture of the answer that it was built from. No
    answer of a server, but a `conversion` record of one."""


class Range(Wire):
    """An envelope. Below `min` a run is not taken in; above `max` it is, with a warning."""

    min: int = Field(ge=0)
    max: int | None = None


class Expectation(Wire):
    """What a healthy run of a source looks like. Bounds are explained in the card, not fitted to a bad run."""

    listed: Range | None = None
    """Entries on the source's own list, before any of them is left out."""
    records: Range | None = None
    """Records in `items.jsonl`, for full sweeps only (an incremental run may well bring none)."""
    filled: dict[str, float] = Field(default_factory=dict)
    """Least share of records in which a field is not empty."""
    newest_within_days: int | None = None


class Authority(Wire):
    """Who publishes a source."""

    name: str
    url: str = ""


class Pace(Wire):
    """How politely a source is read."""

    delay: float = Field(default=2.0, gt=0)
    """Seconds between two requests to one host. Above zero: at zero Scrapy does not hold its own limit."""
    daily_requests: int | None = None


class SourceCard(Wire):
    """What a source is, what inclusion in it means, and how it is read. One YAML file each."""

    id: SourceId
    title: str
    authority: Authority
    jurisdiction: JurisdictionCode
    language: str = "en"
    kind: Literal["notice", "page", "trial", "publication", "authorisation"]
    means: str = Field(min_length=20)
    start: str
    spider: str
    """Module below `crawler` that reads it, e.g. `sources.us_fda_warning_letters`."""
    frequency: Literal["hourly", "daily", "weekly", "monthly"] = "daily"
    pace: Pace = Pace()
    expect: Expectation = Expectation()
    options: dict[str, Any] = Field(default_factory=dict)
    """Read by the spider, checked by its own model: terms, filters, page sizes."""
    terms_of_use: str = ""
    unverified: bool = False
    """True where the markup was never seen: the first live run decides."""
    grants: bool = True
    """Of a register: False where standing in it is a firm's own notification, which nobody examined."""
    demo: bool = False
    """An invented source of the demo web; never read live."""


LIST_KEY = "list "
"""Begins the key under which the state of a list is known: its address follows."""


class HeldCapture(Wire):
    """A capture of an earlier run."""

    id: str = Field(min_length=1)
    url: str
    fetched_at: UtcDatetime


class KnownItem(Wire):
    """What the monitor already holds of a source; a line of the file given by `--known`."""

    key: str
    """A notice's key, a page's url, or `LIST_KEY` and a list's address."""
    digest: str = ""
    """The list entry's digest as the spider gave it in an earlier run (`RunRecord.seen`)."""
    etag: str = ""
    last_modified: str = ""
    read_at: UtcDatetime | None = None
    capture: HeldCapture | None = None
    """The answer that came with `etag` and `last_modified`: what a server means that says that nothing changed."""


class Outcome(StrEnum):
    """How a run ended. Its value decides the crawler's exit code: see `EXIT_CODES`."""

    OK = "ok"
    EMPTY = "empty"
    ERRORS = "errors"
    BLOCKED = "blocked"
    STOPPED = "stopped"
    NOT_STARTED = "not_started"


EXIT_CODES: dict[Outcome, int] = {
    Outcome.OK: 0,
    Outcome.EMPTY: 1,
    Outcome.ERRORS: 2,
    Outcome.NOT_STARTED: 3,
    Outcome.STOPPED: 4,
    Outcome.BLOCKED: 5,
}


class Problem(Wire):
    """Something that went wrong in a run, in words that a person can act on."""

    kind: Literal[
        "blocked",
        "layout_changed",
        "wrong_content_type",
        "parse_error",
        "http_error",
        "download_error",
        "refused_address",
        "robots",
        "too_large",
        "limit_reached",
        "soft_404",
    ]
    message: str
    url: str = ""
    capture: str = ""


class RunRequest(Wire):
    """What was asked of a run."""

    since: date | None = None
    pages: tuple[str, ...] = ()
    """If given, just these addresses are read and no link is followed: a second look."""
    full: bool = False
    """Read everything again, known or not."""
    limit: int | None = None
    most_requests: int | None = Field(default=None, ge=1)
    """What is left of the source's daily budget: the run ends after so many requests."""
    sweep: bool = False
    """Go through the whole list, back to `since`, instead of stopping where everything is known."""


class ListState(Wire):
    """By what a server says whether a list has changed since it was read as a whole."""

    asked: str
    """Digest of what was asked of the list: with other terms an unchanged list is another one."""
    etag: str = ""
    last_modified: str = ""


class RunRecord(Wire):
    """`run.json`: what a run was, did and met. Written last, before the folder loses its `.part`."""

    wire_version: int = WIRE_VERSION
    run_id: str
    source: SourceId
    card: SourceCard
    mode: Literal["live", "rehearsal", "replay", "shipped"]
    """`shipped`: facts that came with the software, not a reading."""
    replay_of: str = ""
    request: RunRequest = RunRequest()
    started_at: UtcDatetime
    finished_at: UtcDatetime
    finish_reason: str
    outcome: Outcome
    software: str
    config_digest: str = ""
    items: dict[str, int] = Field(default_factory=dict)
    """Records by kind."""
    listed: int | None = None
    """Entries seen on the source's list; None if no list was read."""
    newest: date | None = None
    """Newest posted date seen on the list."""
    known: int = 0
    """Entries that were known and unchanged, so not fetched again."""
    not_kept: dict[str, int] = Field(default_factory=dict)
    """Entries left out, by reason: nothing disappears without a count."""
    lists: dict[str, ListState] = Field(default_factory=dict)
    """Address → state of every list whose server told one."""
    unchanged: int = 0
    """Lists of which the server said that nothing had changed (304): read well, and nothing new."""
    seen: dict[str, str] = Field(default_factory=dict)
    """key → digest of every list entry seen, kept or known."""
    requests: int = 0
    responses: dict[str, int] = Field(default_factory=dict)
    """Responses by HTTP status."""
    received_bytes: int = 0
    platforms: tuple[str, ...] = ()
    """What a seller's site is built with, told by its home page: `shopify`, `woocommerce`, `wordpress` …"""
    catalogues: dict[str, str] = Field(default_factory=dict)
    """What each catalogue of the site gave: `catalog`, `empty`, `rate_limited`, `unavailable`, `not_json`, …"""
    problems: tuple[Problem, ...] = ()
    files: dict[str, Sha256] = Field(default_factory=dict)
    """sha256 of each other file in the folder."""
