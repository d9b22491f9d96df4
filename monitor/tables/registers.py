"""Tables of what registers and indexes hold (trials, publications, authorisations), and of a notice's other places."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from monitor.tables.models import json_column, text_column, time_column


class NoticeMark(SQLModel, table=True):
    """What two sources would have in common if they carry the same notice."""

    __tablename__ = "notice_mark"
    notice_id: int = Field(foreign_key="notice.id", primary_key=True)
    kind: str = Field(primary_key=True)
    """`url` or `reference`."""
    value: str = Field(primary_key=True, index=True)
    """In the form that `same` compares."""


class NoticePlace(SQLModel, table=True):
    """Another source that carries a notice: its own entry of it, as last read. Makes no notice of its own."""

    __tablename__ = "notice_place"
    source_id: str = Field(foreign_key="source.id", primary_key=True)
    key: str = Field(primary_key=True)
    notice_id: int = Field(foreign_key="notice.id", index=True)
    url: str = Field(sa_column=text_column())
    why: str
    """What the two have in common."""
    record: dict[str, Any] = Field(sa_column=json_column())
    content_digest: str
    capture_id: str = Field(foreign_key="capture.id")
    first_seen: datetime = Field(sa_column=time_column())
    last_seen: datetime = Field(sa_column=time_column())


class RecordRevision(SQLModel, table=True):
    """Each version of a trial, a publication or an authorisation that was read, whole, by the source that had it."""

    __tablename__ = "record_revision"
    id: int | None = Field(default=None, primary_key=True)
    object_kind: str
    """`trial`, `publication` or `authorisation`."""
    object_id: int
    source_id: str = Field(foreign_key="source.id")
    number: int
    run_id: str = Field(foreign_key="run.id")
    capture_id: str = Field(foreign_key="capture.id")
    seen_at: datetime = Field(sa_column=time_column())
    content_digest: str
    record: dict[str, Any] = Field(sa_column=json_column())
    __table_args__ = (UniqueConstraint("object_kind", "object_id", "source_id", "number"),)


class Trial(SQLModel, table=True):
    """A clinical trial in its latest revision, as its registry shows it: no approval of any kind."""

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(foreign_key="source.id", index=True)
    key: str
    title: str = Field(sa_column=text_column())
    url: str = Field(sa_column=text_column())
    jurisdiction: str = Field(index=True)
    language: str = ""
    status: str = Field(index=True)
    why_stopped: str = Field(default="", sa_column=text_column())
    study_type: str = ""
    phases: list[str] = Field(default_factory=list, sa_column=json_column())
    conditions: list[str] = Field(default_factory=list, sa_column=json_column())
    interventions: list[str] = Field(default_factory=list, sa_column=json_column())
    sponsor: str = ""
    countries: list[str] = Field(default_factory=list, sa_column=json_column())
    enrolment: int | None = None
    started: date | None = None
    completed: date | None = None
    posted: date | None = Field(default=None, index=True)
    updated: date | None = None
    has_results: bool = False
    summary: str = Field(default="", sa_column=text_column())
    text: str = Field(default="", sa_column=text_column())
    tier: str = Field(index=True)
    tier_terms: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    unread: list[str] = Field(default_factory=list, sa_column=json_column())
    content_digest: str
    capture_id: str = Field(foreign_key="capture.id")
    first_seen: datetime = Field(sa_column=time_column(index=True))
    last_seen: datetime = Field(sa_column=time_column())
    baseline: bool = False
    __table_args__ = (UniqueConstraint("source_id", "key"),)


class Publication(SQLModel, table=True):
    """A paper in its latest revision, as the index that had it first shows it; its places say who else has it."""

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(foreign_key="source.id", index=True)
    """The index that had it first."""
    key: str = Field(unique=True)
    title: str = Field(sa_column=text_column())
    url: str = Field(sa_column=text_column())
    language: str = ""
    journal: str = Field(default="", sa_column=text_column())
    authors: list[str] = Field(default_factory=list, sa_column=json_column())
    published: date | None = Field(default=None, index=True)
    posted: date | None = None
    updated: date | None = None
    types: list[str] = Field(default_factory=list, sa_column=json_column())
    retracted: bool = Field(default=False, index=True)
    """True once any index says so."""
    preprint: bool = False
    abstract: str = Field(default="", sa_column=text_column())
    tier: str = Field(index=True)
    tier_terms: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    unread: list[str] = Field(default_factory=list, sa_column=json_column())
    content_digest: str
    capture_id: str = Field(foreign_key="capture.id")
    first_seen: datetime = Field(sa_column=time_column(index=True))
    last_seen: datetime = Field(sa_column=time_column())
    baseline: bool = False


class PublicationName(SQLModel, table=True):
    """A name of a paper that no other paper has: its doi, its number in an index."""

    __tablename__ = "publication_name"
    value: str = Field(primary_key=True)
    """`doi:…`, `pmid:…`, `pmcid:…`, or `<source>:<key>` where an index gives none of them."""
    publication_id: int = Field(foreign_key="publication.id", index=True)


class PublicationPlace(SQLModel, table=True):
    """An index that has a paper."""

    __tablename__ = "publication_place"
    publication_id: int = Field(foreign_key="publication.id", primary_key=True)
    source_id: str = Field(foreign_key="source.id", primary_key=True)
    url: str = Field(sa_column=text_column())
    capture_id: str = Field(foreign_key="capture.id")
    first_seen: datetime = Field(sa_column=time_column())
    last_seen: datetime = Field(sa_column=time_column())


class Authorisation(SQLModel, table=True):
    """A product in an authority's register, in its latest revision: approved, refused, or no longer approved."""

    id: int | None = Field(default=None, primary_key=True)
    source_id: str = Field(foreign_key="source.id", index=True)
    key: str
    product: str = Field(sa_column=text_column())
    url: str = Field(sa_column=text_column())
    authority: str
    jurisdiction: str = Field(index=True)
    number: str = ""
    substance: str = Field(default="", sa_column=text_column())
    holder: str = ""
    status: str = Field(index=True)
    status_text: str = ""
    authorised: date | None = None
    ended: date | None = None
    updated: date | None = None
    indication: str = Field(default="", sa_column=text_column())
    kinds: list[str] = Field(default_factory=list, sa_column=json_column())
    content_digest: str
    capture_id: str = Field(foreign_key="capture.id")
    first_seen: datetime = Field(sa_column=time_column(index=True))
    last_seen: datetime = Field(sa_column=time_column())
    baseline: bool = False
    __table_args__ = (UniqueConstraint("source_id", "key"),)


class Backfill(SQLModel, table=True):
    """How far a source's past has been read, step by step."""

    source_id: str = Field(foreign_key="source.id", primary_key=True)
    since: date
    started_at: datetime = Field(sa_column=time_column())
    updated_at: datetime = Field(sa_column=time_column())
    steps: int = 0
    records: int = 0
    requests: int = 0
    reached: date | None = None
    """The earliest day that was read."""
    done_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
