"""The shapes that queries give: frozen, plain, and free of tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from monitor.queries.fact_rows import FactRow, unstated_of


@dataclass(frozen=True)
class Named:
    """An organisation or product by name, with its id where it has a page of its own."""

    id: int
    name: str


@dataclass(frozen=True)
class FindingRow:
    """What one jurisdiction's rules touch. `legal_basis` holds provision ids of the law table."""

    jurisdiction: str
    rule_id: str
    severity: str
    confidence: float
    decision: str
    assessed: bool
    legal_basis: tuple[str, ...]
    addressed_why: str
    knowledge_version: str


@dataclass(frozen=True)
class ClaimRow:
    """A claim as it stands, with whose it is and what it touches."""

    id: int
    quote: str
    category: str
    status: str
    rule_id: str
    severity: str
    confidence: float
    decision: str
    review_state: str
    state: str
    hedged: bool
    obfuscated: bool
    why: str
    heading_path: tuple[str, ...]
    page_id: int
    page_url: str
    page_title: str
    host: str
    source_id: str
    product: Named | None
    organisation: Named | None
    first_seen: datetime
    last_seen: datetime
    ended_at: datetime | None
    capture_id: str
    baseline: bool
    rehearsal: bool
    findings: tuple[FindingRow, ...]
    language: str = ""
    """Of the page, as it declares or as it was recognised."""


@dataclass(frozen=True)
class NoticeRow:
    """A notice in its latest revision, without its text."""

    id: int
    source_id: str
    key: str
    notice_type: str
    title: str
    url: str
    authority: str
    jurisdiction: str
    language: str
    issued: date | None
    posted: date | None
    summary: str
    tier: str
    tier_terms: tuple[str, ...]
    """The words that put it in its tier, each once."""
    organisations: tuple[Named, ...]
    unread: tuple[str, ...]
    capture_id: str
    first_seen: datetime
    last_seen: datetime
    baseline: bool
    rehearsal: bool


@dataclass(frozen=True)
class EventRow:
    """One line of the history."""

    id: int
    at: datetime
    kind: str
    cause: str
    source_id: str
    run_id: str | None
    object_kind: str
    object_id: str
    jurisdictions: tuple[str, ...]
    severity: str
    baseline: bool
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class SourceState:
    """How a source stood at a moment."""

    id: str
    title: str
    jurisdiction: str
    kind: str
    blind: bool
    since: datetime | None
    reason: str
    last_run_at: datetime | None
    last_success_at: datetime | None
    read: bool
    """Read well at least once in the period asked about."""
    start: str = ""
    home: str = ""
    """The authority's own site."""
    means: str = ""
    unverified: bool = False
    state: str = "ok"
    """`ok`, `quiet`, `stale` or `blind`; for a period, as it stood at its end."""
    last_new_item_at: datetime | None = None


@dataclass(frozen=True)
class SourceRow:
    """A source as `exowatch sources` shows it: its card, the operator's choice, and how its readings went."""

    id: str
    title: str
    authority: str
    jurisdiction: str
    language: str
    kind: str
    means: str
    address: str
    on: bool
    state: str
    """`ok`, `quiet`, `stale`, `blind` or `off`."""
    reason: str
    warnings: tuple[str, ...]
    """What its last good reading was warned of."""
    last_run_at: datetime | None
    last_success_at: datetime | None
    last_success_age: str
    last_new_item_at: datetime | None
    listed: int | None
    """Entries on its list in the last run."""
    records: int | None
    expected_min: int | None
    expected_max: int | None
    frequency: str
    delay: float | None
    """Seconds between two requests."""
    unverified: bool
    demo: bool
    terms_of_use: str
    backfilled_since: date | None
    backfill_done: bool


@dataclass(frozen=True)
class RunRow:
    """One reading of one source."""

    id: str
    source_id: str
    state: str
    outcome: str
    mode: str
    started_at: datetime
    finished_at: datetime
    reasons: tuple[str, ...]
    changes: Mapping[str, int]
    requests: int
    records: int


@dataclass(frozen=True)
class Waiting:
    """Standing claims that nobody has reviewed."""

    flag: int
    review: int
    high: int

    @property
    def total(self) -> int:
        return self.flag + self.review


@dataclass(frozen=True)
class Evidence:
    """The response that something was read from."""

    capture_id: str
    url: str
    fetched_at: datetime
    status: int
    content_type: str
    payload_sha256: str
    run_id: str
    run_folder: str


@dataclass(frozen=True)
class Context:
    """A quote inside the text it stands in. `holds` is False if the offsets do not give the quote."""

    before: str
    quote: str
    after: str
    start: int
    end: int
    text_sha256: str
    holds: bool
    words: tuple[str, str, str]
    """The quote, parted: before the words of it that claim, these, and after them."""


@dataclass(frozen=True)
class Wording:
    """One wording of a claim."""

    number: int
    quote: str
    seen_at: datetime
    capture_id: str


@dataclass(frozen=True)
class Dropped:
    """A candidate on the same page that was not flagged, and what dropped it."""

    quote: str
    status: str
    category: str
    why: str


@dataclass(frozen=True)
class ClaimPage:
    """Everything about one claim."""

    claim: ClaimRow
    context: Context
    wordings: tuple[Wording, ...]
    history: tuple[EventRow, ...]
    evidence: Evidence | None
    dropped: tuple[Dropped, ...]
    page_role: str
    addressed: tuple[tuple[str, str], ...]
    """Jurisdiction code, why the page is held to address it."""
    notices: tuple[NoticeRow, ...]
    """What regulators said to the same organisation."""


@dataclass(frozen=True)
class ProductPage:
    """A product, its claims and its firm."""

    id: int
    name: str
    host: str
    organisation: Named | None
    first_seen: datetime
    last_seen: datetime
    claims: tuple[ClaimRow, ...]
    notices: tuple[NoticeRow, ...]
    rehearsal: bool
    facts: tuple[FactRow, ...] = ()
    """What is said of it, then what was said once and is not any more."""

    @property
    def unstated(self) -> tuple[str, ...]:
        """What its pages leave unsaid."""
        return unstated_of(self.facts)


@dataclass(frozen=True)
class NoticeRevisionRow:
    number: int
    seen_at: datetime
    capture_id: str
    changed: tuple[str, ...]
    """Fields that differ from the revision before."""


@dataclass(frozen=True)
class Seller:
    """A host that a notice quotes, and whose it is if pages of it are read."""

    host: str
    urls: tuple[str, ...]
    organisation: Named | None


@dataclass(frozen=True)
class NoticePage:
    """Everything about one notice. `marks` are (start, end) offsets in `text`."""

    notice: NoticeRow
    text: str
    marks: tuple[tuple[int, int], ...]
    references: tuple[str, ...]
    products: tuple[str, ...]
    status: str
    classification: str
    roles: Mapping[int, str] = field(default_factory=dict)
    """Organisation id → role in the notice."""
    revisions: tuple[NoticeRevisionRow, ...] = ()
    sellers: tuple[Seller, ...] = ()
    history: tuple[EventRow, ...] = ()
    evidence: Evidence | None = None
    places: tuple[Place, ...] = ()
    """Other sources that carry it."""


@dataclass(frozen=True)
class Place:
    """Another source that carries the same thing."""

    source_id: str
    url: str
    why: str
    first_seen: datetime


@dataclass(frozen=True)
class RegisteredPage:
    """Everything about one trial, publication or authorisation. `facts` are (name, value as shown)."""

    kind: str
    id: int
    title: str
    url: str
    source_id: str
    tier: str
    tier_terms: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    text: str
    unread: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime
    baseline: bool
    rehearsal: bool
    places: tuple[Place, ...]
    history: tuple[EventRow, ...]
    evidence: Evidence | None
    language: str = ""

    @property
    def path(self) -> str:
        return f"/{self.kind}s/{self.id}"


@dataclass(frozen=True)
class Alias:
    kind: str
    value: str
    basis: str


@dataclass(frozen=True)
class OrganisationPage:
    """A firm: its names, products, claims, and the notices that name it."""

    id: int
    name: str
    country: str
    first_seen: datetime
    aliases: tuple[Alias, ...]
    products: tuple[Named, ...]
    claims: tuple[ClaimRow, ...]
    notices: tuple[NoticeRow, ...]
    rehearsal: bool


@dataclass(frozen=True)
class DigestRow:
    """A digest that was written."""

    name: str
    period_from: datetime
    period_to: datetime
    written_at: datetime
    sha256: str
    counts: Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """Where things stand, for the command line and the site's first page."""

    sources: tuple[SourceState, ...]
    last_runs: tuple[RunRow, ...]
    """The latest run of each source, newest first."""
    quarantined: tuple[RunRow, ...]
    """Latest runs that were not taken in."""
    waiting: Waiting
    notices: int
    claims_live: int
    organisations: int
    last_digest: DigestRow | None
    rehearsal: bool

    @property
    def blind(self) -> tuple[SourceState, ...]:
        return tuple(source for source in self.sources if source.blind)

    @property
    def last_run_at(self) -> datetime | None:
        return max((run.finished_at for run in self.last_runs), default=None)
