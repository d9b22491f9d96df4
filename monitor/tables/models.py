"""The tables; those of registers and indexes are in `registers`.

Rows are made from wire records or judgements, which have been validated; a table model itself does not
validate. Nothing is overwritten without a revision: notices, pages and claims keep every version.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Column, Index, String, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from monitor.lives import ClaimState
from monitor.tables.db import UtcDateTime


def time_column(*, nullable: bool = False, index: bool = False) -> Any:
    return Column(UtcDateTime(), nullable=nullable, index=index)


def json_column() -> Any:
    return Column(JSON(), nullable=False)


def text_column() -> Any:
    return Column(Text(), nullable=False)


SHIPPED = "shipped"
"""Kind of the source that stands for what came with the software: nobody reads it, and no state is told of it."""
SHIPPED_SOURCE = "shipped_history"
UNREAD = "unread"
"""State of a source of which something is held and that was never read itself."""


class Source(SQLModel, table=True):
    """A source that has been read at least once, with its card as of the last run and its state of health."""

    id: str = Field(primary_key=True)
    title: str
    jurisdiction: str
    kind: str
    card: dict[str, Any] = Field(sa_column=json_column())
    state: str = "ok"
    """`ok`; `unread`: never read yet; `blind`: the last reading failed; `stale`: not read well for too long."""
    state_since: datetime = Field(sa_column=time_column())
    state_reason: str = ""
    baseline_run: str | None = None
    """The run that read it first. What that run brought is history, not news."""
    baseline_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    """When that was. What was published before is history too, however many runs it takes to read it all."""
    last_run_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    last_success_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    last_new_item_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))


class RunState(StrEnum):
    TAKEN_IN = "taken_in"
    QUARANTINED = "quarantined"


class Run(SQLModel, table=True):
    """One reading of one source, taken in or quarantined. `record` is its whole run.json."""

    id: str = Field(primary_key=True)
    source_id: str = Field(foreign_key="source.id", index=True)
    state: str
    reasons: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    """Problems found by `health`: {level, code, message}."""
    started_at: datetime = Field(sa_column=time_column())
    finished_at: datetime = Field(sa_column=time_column(index=True))
    taken_in_at: datetime = Field(sa_column=time_column())
    folder: str
    """Relative to the data folder."""
    record: dict[str, Any] = Field(sa_column=json_column())
    changes: dict[str, int] = Field(default_factory=dict, sa_column=json_column())
    """Events it caused, by kind."""
    filled: dict[str, float] = Field(
        default_factory=dict, sa_column=Column(JSON(), nullable=False, server_default="{}")
    )
    """Share of its records in which each field is filled: what later runs are held to."""


class SeenItem(SQLModel, table=True):
    """What the next run of a source may leave out: list entries by key, with the digest last seen."""

    source_id: str = Field(foreign_key="source.id", primary_key=True)
    key: str = Field(primary_key=True)
    digest: str = ""
    etag: str = ""
    last_modified: str = ""
    read_at: datetime = Field(sa_column=time_column())
    capture_id: str | None = Field(default=None, foreign_key="capture.id")
    """The answer that a page's `etag` or `last_modified` came with."""


class Capture(SQLModel, table=True):
    """A response in a run's WARC that some record rests on."""

    id: str = Field(primary_key=True)
    run_id: str = Field(foreign_key="run.id", index=True)
    url: str = Field(sa_column=text_column())
    fetched_at: datetime = Field(sa_column=time_column())
    status: int
    content_type: str = ""
    payload_sha256: str
    offset: int
    length: int


class Organisation(SQLModel, table=True):
    """Who is behind pages and notices."""

    id: int | None = Field(default=None, primary_key=True)
    name: str
    folded: str = Field(index=True, unique=True)
    """`organisations.fold_name(name)`: legal forms and punctuation gone."""
    country: str = ""
    first_seen: datetime = Field(sa_column=time_column())


class OrganisationAlias(SQLModel, table=True):
    """A name or a web host under which an organisation appears, and where we have it from."""

    __tablename__ = "organisation_alias"
    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisation.id", index=True)
    kind: str
    """`name` or `host`."""
    value: str = Field(index=True)
    basis: str
    """Why it is held to be the same: "named in notice …", "site configured as …"."""
    __table_args__ = (UniqueConstraint("organisation_id", "kind", "value"),)


class Notice(SQLModel, table=True):
    """A notice in its latest revision."""

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(foreign_key="source.id", index=True)
    key: str
    notice_type: str
    title: str = Field(sa_column=text_column())
    url: str = Field(sa_column=text_column())
    authority: str
    jurisdiction: str = Field(index=True)
    language: str = ""
    issued: date | None = Field(default=None, index=True)
    posted: date | None = Field(default=None, index=True)
    updated: date | None = None
    comments_close: date | None = Field(default=None, index=True)
    effective: date | None = Field(default=None, index=True)
    summary: str = Field(default="", sa_column=text_column())
    text: str = Field(default="", sa_column=text_column())
    tier: str = Field(index=True)
    """`core` (names exosomes or the like), `adjacent` (cell and tissue products, injectables), `other`."""
    tier_terms: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    """What put it in its tier: {term, quote, start, end, in: "text" | "title" | "summary"}."""
    unread: list[str] = Field(default_factory=list, sa_column=json_column())
    content_digest: str
    capture_id: str = Field(foreign_key="capture.id")
    first_seen: datetime = Field(sa_column=time_column(index=True))
    last_seen: datetime = Field(sa_column=time_column())
    baseline: bool = False
    __table_args__ = (UniqueConstraint("source_id", "key"),)


class NoticeRevision(SQLModel, table=True):
    """Each version of a notice that was read, whole."""

    __tablename__ = "notice_revision"
    id: int | None = Field(default=None, primary_key=True)
    notice_id: int = Field(foreign_key="notice.id", index=True)
    number: int
    run_id: str = Field(foreign_key="run.id")
    capture_id: str = Field(foreign_key="capture.id")
    seen_at: datetime = Field(sa_column=time_column())
    content_digest: str
    record: dict[str, Any] = Field(sa_column=json_column())
    __table_args__ = (UniqueConstraint("notice_id", "number"),)


class NoticeOrganisation(SQLModel, table=True):
    """An organisation named by a notice."""

    __tablename__ = "notice_organisation"
    notice_id: int = Field(foreign_key="notice.id", primary_key=True)
    organisation_id: int = Field(foreign_key="organisation.id", primary_key=True)
    role: str


NOT_THERE = ("gone", "moved")
"""States of a page that answers no more."""


class Page(SQLModel, table=True):
    """A seller's page: one address that is read again and again."""

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(foreign_key="source.id", index=True)
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id", index=True)
    url: str = Field(sa_column=text_column())
    host: str = Field(index=True)
    title: str = ""
    language: str = ""
    role: str = ""
    jurisdictions: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    """Addressed jurisdictions with the reasons: {code, why}."""
    state: str = "live"
    """`live`, `missing` (gone once, not yet confirmed), `gone`, or `moved`: gone, and all it said stands elsewhere."""
    current_version_id: int | None = None
    first_seen: datetime = Field(sa_column=time_column())
    last_read: datetime = Field(sa_column=time_column())
    """Last time it was read well, changed or not."""
    reading: str = Field(default="", sa_column=Column(String(), nullable=False, server_default=""))
    """Of which bytes that reading was, and what read them: `monitor.market.sameness`. Empty: it is to be read whole."""
    __table_args__ = (UniqueConstraint("source_id", "url"),)


class PageVersion(SQLModel, table=True):
    """A page's canonical text as read from one capture, with its blocks: what claims' offsets count in."""

    __tablename__ = "page_version"
    id: int | None = Field(default=None, primary_key=True)
    page_id: int = Field(foreign_key="page.id", index=True)
    number: int
    run_id: str = Field(foreign_key="run.id")
    capture_id: str = Field(foreign_key="capture.id")
    read_at: datetime = Field(sa_column=time_column())
    text: str = Field(sa_column=text_column())
    text_sha256: str
    document: dict[str, Any] = Field(sa_column=json_column())
    """`monitor.reading.text.Document` without its text: blocks and page marks, so that rules can be re-applied."""
    knowledge_version: str
    """Knowledge under which it was judged last."""
    decision: str
    dropped: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    """Candidates that were not flagged, with the status that dropped each."""
    __table_args__ = (UniqueConstraint("page_id", "number"),)


class Product(SQLModel, table=True):
    """A product as one seller names it."""

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id", index=True)
    host: str = Field(index=True)
    name: str
    folded: str
    first_seen: datetime = Field(sa_column=time_column())
    last_seen: datetime = Field(sa_column=time_column())
    __table_args__ = (UniqueConstraint("host", "folded"),)


class Claim(SQLModel, table=True):
    """A statement in a seller's own voice, followed over time and its site's pages. `quote` is its latest wording, in
    whole clauses; `words` are those of it that claim.
    """

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(foreign_key="source.id", index=True)
    page_id: int = Field(foreign_key="page.id", index=True)
    """The page it is shown on: where it was seen first, or last after it moved."""
    product_id: int | None = Field(default=None, foreign_key="product.id", index=True)
    category: str = Field(index=True)
    rule_id: str
    status: str
    quote: str = Field(sa_column=text_column())
    folded: str = Field(sa_column=text_column())
    """Wording without case, look-alikes and white space: what identity compares."""
    heading_path: list[str] = Field(default_factory=list, sa_column=json_column())
    decision: str = Field(index=True)
    """`flag` or `review`."""
    confidence: float
    hedged: bool = False
    obfuscated: bool = False
    severity: str = Field(index=True)
    """The highest over its findings: High, Medium or Low."""
    why: str = Field(default="", sa_column=text_column())
    state: str = Field(default=ClaimState.LIVE, index=True)
    pending: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """While `rewording`: the new wording that waits for its second reading."""
    version_id: int = Field(foreign_key="page_version.id")
    """Page version in which it was last seen; `start` and `end` count in that version's text."""
    start: int
    end: int
    words_start: int = 0
    """Where in the quote the words begin that claim."""
    words_end: int = 0
    first_seen: datetime = Field(sa_column=time_column(index=True))
    last_seen: datetime = Field(sa_column=time_column())
    missing_since: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    ended_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    baseline: bool = False
    review_state: str = "unreviewed"
    """A `ReviewState`."""

    @property
    def words(self) -> str:
        return self.quote[self.words_start : self.words_end]


class ClaimRevision(SQLModel, table=True):
    """Each wording of a claim, with the page version that first had it and the place in its text."""

    __tablename__ = "claim_revision"
    id: int | None = Field(default=None, primary_key=True)
    claim_id: int = Field(foreign_key="claim.id", index=True)
    number: int
    quote: str = Field(sa_column=text_column())
    version_id: int = Field(foreign_key="page_version.id")
    start: int
    end: int
    seen_at: datetime = Field(sa_column=time_column())
    __table_args__ = (UniqueConstraint("claim_id", "number"),)


class ClaimPlace(SQLModel, table=True):
    """A page on which a claim stands or stood. A claim that moves to another page of the site is the same claim."""

    __tablename__ = "claim_place"
    claim_id: int = Field(foreign_key="claim.id", primary_key=True)
    page_id: int = Field(foreign_key="page.id", primary_key=True, index=True)
    version_id: int = Field(foreign_key="page_version.id")
    """Version of the page that had it last."""
    start: int
    end: int
    lacking: int = 0
    """Good readings in a row without it: at 2 it no longer stands there."""
    last_seen: datetime = Field(sa_column=time_column())


class ReviewState(StrEnum):
    UNREVIEWED = "unreviewed"
    CONFIRMED = "confirmed"
    """A person read it as a claim that is flagged rightly. Not a finding that anyone broke the law."""
    DISMISSED = "dismissed"
    REOPENED = "reopened"
    """It was decided, and then its wording changed."""


class Review(SQLModel, table=True):
    """One decision about a claim. Decisions are added, never changed: the latest one holds."""

    id: int | None = Field(default=None, primary_key=True)
    claim_id: int = Field(foreign_key="claim.id", index=True)
    state: str
    reason: str = Field(default="", sa_column=text_column())
    reviewer: str
    at: datetime = Field(sa_column=time_column())
    quote: str = Field(sa_column=text_column())
    """The wording that was decided on."""
    category: str
    language: str = ""


class Finding(SQLModel, table=True):
    """Claim × jurisdiction × rule, under one version of the knowledge."""

    id: int | None = Field(default=None, primary_key=True)
    claim_id: int = Field(foreign_key="claim.id", index=True)
    jurisdiction: str = Field(index=True)
    rule_id: str
    severity: str
    confidence: float
    decision: str
    assessed: bool
    """False: no rule of this jurisdiction has a source, so nothing is asserted about it."""
    legal_basis: list[str] = Field(default_factory=list, sa_column=json_column())
    """Provision ids of the law table."""
    addressed_why: str = ""
    knowledge_version: str
    current: bool = Field(default=True, index=True)
    """False once a later judgement replaced it; the row stays."""
    made_at: datetime = Field(sa_column=time_column())


class EventKind(StrEnum):
    NOTICE_PUBLISHED = "notice_published"
    NOTICE_UPDATED = "notice_updated"
    CLAIM_APPEARED = "claim_appeared"
    CLAIM_REWORDED = "claim_reworded"
    CLAIM_WITHDRAWN = "claim_withdrawn"
    CLAIM_REAPPEARED = "claim_reappeared"
    CLAIM_FLAGGED = "claim_flagged"
    """Our rules changed: a standing text is now a claim, or is judged otherwise."""
    CLAIM_CLEARED = "claim_cleared"
    """Our rules changed: a standing text is no longer a claim."""
    CLAIM_REVIEWED = "claim_reviewed"
    """A person decided, or a decision was re-opened because the wording changed."""
    PRODUCT_CHANGED = "product_changed"
    """Another form, source material, route or country is said of it, on two readings in a row."""
    PAGE_GONE = "page_gone"
    PAGE_BACK = "page_back"
    SOURCE_BLIND = "source_blind"
    SOURCE_RECOVERED = "source_recovered"
    BASELINE_READ = "baseline_read"
    TRIAL_REGISTERED = "trial_registered"
    TRIAL_STATUS_CHANGED = "trial_status_changed"
    """Its recruitment status, why it was stopped, or whether it shows results."""
    PUBLICATION_INDEXED = "publication_indexed"
    PUBLICATION_RETRACTED = "publication_retracted"
    AUTHORISATION_GRANTED = "authorisation_granted"
    AUTHORISATION_CHANGED = "authorisation_changed"
    """Suspended, withdrawn, refused, extended to another use, or passed to another holder."""


class Cause(StrEnum):
    SOURCE = "source"
    RULES = "rules"
    REVIEW = "review"


class Event(SQLModel, table=True):
    """One line of the append-only history."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=time_column(index=True))
    """When it was seen to have happened: the capture's time, or the decision's."""
    kind: str = Field(index=True)
    cause: str
    source_id: str = Field(foreign_key="source.id", index=True)
    run_id: str | None = Field(default=None, foreign_key="run.id")
    object_kind: str
    """`notice`, `claim`, `product`, `page`, `source`, `trial`, `publication` or `authorisation`."""
    object_id: str = Field(index=True)
    jurisdictions: list[str] = Field(default_factory=list, sa_column=json_column())
    severity: str = ""
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """What a reader needs without another look-up: before and after wording, reason, counts."""
    baseline: bool = False
    """True for what a first reading brought: history, not this week's news."""
    dedupe_key: str = Field(unique=True)
    """The same happening can be written once only."""


class WatchMatch(SQLModel, table=True):
    """A watchlist that an event met, and why. Once per list and event."""

    __tablename__ = "watch_match"
    id: int | None = Field(default=None, primary_key=True)
    watchlist: str = Field(index=True)
    event_id: int = Field(foreign_key="event.id", index=True)
    why: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    """{criterion, term, quote, start, end}."""
    matched_at: datetime = Field(sa_column=time_column())
    __table_args__ = (UniqueConstraint("watchlist", "event_id"),)


class DigestIssue(SQLModel, table=True):
    """A digest that was written: its period, files and what it said in numbers."""

    __tablename__ = "digest_issue"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    """`2026-W47`, or `2026-01-01--2026-03-31`."""
    period_from: datetime = Field(sa_column=time_column())
    period_to: datetime = Field(sa_column=time_column())
    written_at: datetime = Field(sa_column=time_column())
    sha256: str
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())


class DigestRewriting(SQLModel, table=True):
    """What a digest said before it was written again, where it had been written after its period was over."""

    __tablename__ = "digest_rewriting"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(index=True)
    written_at: datetime = Field(sa_column=time_column())
    replaced_at: datetime = Field(sa_column=time_column(index=True))
    sha256: str
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    counts_after: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())


class SearchDocument(SQLModel, table=True):
    """What full-text search looks through. The index itself is made in the migration, for each database its own."""

    __tablename__ = "search_document"
    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(index=True)
    """`claim`, `notice`, `product`, `organisation`, `trial`, `publication` or `authorisation`."""
    object_id: int
    title: str = Field(sa_column=text_column())
    body: str = Field(sa_column=text_column())
    folded: str = Field(sa_column=text_column())
    """Title and body, folded (look-alikes, case, accents): what queries meet."""
    jurisdictions: str = ""
    """`,us,uk,`: with commas on both ends, so that one LIKE finds one code."""
    severity: str = ""
    seen_at: datetime = Field(sa_column=time_column(index=True))
    __table_args__ = (UniqueConstraint("kind", "object_id"), Index("ix_search_document_kind_seen", "kind", "seen_at"))
