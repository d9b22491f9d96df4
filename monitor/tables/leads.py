"""Tables of discovery: what points to sites that nobody reads yet, and what people decided about them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from monitor.tables.models import json_column, text_column, time_column


class LeadKind(StrEnum):
    LINKED = "linked"
    """A page of a known seller links there."""
    SWEPT = "swept"
    """A page of it in an archive may sell exosome products."""
    CAPTURED = "captured"
    """Common Crawl has an address of it that tells of them."""


class SiteLead(SQLModel, table=True):
    """One thing that points to a site. What regulators' notices quote is not here: it is asked from the notices."""

    __tablename__ = "site_lead"
    id: int | None = Field(default=None, primary_key=True)
    site: str = Field(index=True)
    """The registered name: `kelda.example`."""
    kind: str
    key: str
    """Digest of what makes it another lead of its kind: the same is written once."""
    url: str = Field(sa_column=text_column())
    """The address of the site that was linked, swept or captured."""
    found_on: str = Field(default="", sa_column=text_column())
    """The page that links, the archive, or the crawl."""
    strong: bool
    """It names exosomes or stem cells itself, in its words or its address."""
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    seen_at: datetime = Field(sa_column=time_column())
    __table_args__ = (UniqueConstraint("site", "kind", "key"),)


class LinksRead(SQLModel, table=True):
    """A page version whose links have been looked at: the next look leaves it out."""

    __tablename__ = "links_read"
    version_id: int = Field(foreign_key="page_version.id", primary_key=True)


class Choice(StrEnum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


class SiteChoice(SQLModel, table=True):
    """A person's decision about a proposed site. Decisions are added, never changed: the latest one holds."""

    __tablename__ = "site_choice"
    id: int | None = Field(default=None, primary_key=True)
    site: str = Field(index=True)
    choice: str
    reason: str = Field(sa_column=text_column())
    decided_by: str
    at: datetime = Field(sa_column=time_column())
    shown: list[str] = Field(default_factory=list, sa_column=json_column())
    """The reasons for proposing it, as they stood then."""
