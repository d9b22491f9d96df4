"""The tables of what is sent: the outbox, what was told to whom, who is subscribed since when, who wants no more."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from monitor.tables.models import json_column, text_column, time_column


class LetterState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    """A sender has it, until `lease_until`; if that passes, the sender died."""
    SENT = "sent"
    FAILED = "failed"
    """For good: a person has to look."""
    SUPPRESSED = "suppressed"
    """Not sent, and `error` says why: unsubscribed, recipient or list removed, nothing new."""


class OutboxLetter(SQLModel, table=True):
    """One digest or alert to one recipient. The unique key is why nothing is sent twice."""

    __tablename__ = "outbox"
    id: int | None = Field(default=None, primary_key=True)
    recipient: str = Field(index=True)
    """Mail address, or name of a channel or webhook."""
    way: str
    """`mail`, `chat` or `webhook`."""
    kind: str
    """`digest` or `alert`."""
    key: str
    """`digest-2026-W47`, or `alert-` and a digest of the matches that it tells."""
    reference: str = Field(unique=True)
    """Digest of recipient and key: left part of the Message-ID, id of a webhook, what an unsubscribe link names."""
    subject: str = Field(sa_column=text_column())
    payload: str = Field(sa_column=text_column())
    """The whole message, ready to be sent; emptied once it is sent."""
    watchlists: list[str] = Field(default_factory=list, sa_column=json_column())
    created_at: datetime = Field(sa_column=time_column(index=True))
    state: str = Field(default=LetterState.WAITING, index=True)
    attempts: int = 0
    doubts: int = 0
    """Times that it was handed over and nobody heard whether it was taken."""
    next_attempt: datetime = Field(sa_column=time_column(index=True))
    claimed_by: str = ""
    lease_until: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    handed_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    """Set just before the message itself goes out: before that, a dead sender has certainly sent nothing."""
    sent_at: datetime | None = Field(default=None, sa_column=time_column(nullable=True))
    error: str = Field(default="", sa_column=text_column())
    __table_args__ = (UniqueConstraint("recipient", "key"),)


class OutboxMatch(SQLModel, table=True):
    """A watchlist's match that a letter tells to a recipient: each once."""

    __tablename__ = "outbox_match"
    recipient: str = Field(primary_key=True)
    match_id: int = Field(foreign_key="watch_match.id", primary_key=True)
    letter_id: int = Field(foreign_key="outbox.id", index=True)


class Subscription(SQLModel, table=True):
    """Who gets what, and since when: what lies before is not sent to someone who joins later."""

    recipient: str = Field(primary_key=True)
    what: str = Field(primary_key=True)
    """`digest`, or `list ` and a watchlist's name."""
    since: datetime = Field(sa_column=time_column())
    after_match: int = Field(sa_column=Column(Integer(), nullable=False))
    """The newest match there was at that time."""


class Suppression(SQLModel, table=True):
    """An address that is sent nothing more, or no more digests or alerts."""

    address: str = Field(primary_key=True)
    """In lower case."""
    scope: str = Field(primary_key=True)
    """`all`, `digest` or `alert`."""
    cause: str
    """`unsubscribed`, `bounced` or `by hand`."""
    reason: str = Field(default="", sa_column=text_column())
    at: datetime = Field(sa_column=time_column())
