"""What is in the outbox, for people: what waits, what failed, who wants no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func
from sqlmodel import col, select

from monitor.tables.db import reading
from monitor.tables.outbox import LetterState, OutboxLetter, Suppression


@dataclass(frozen=True)
class LetterRow:
    """A letter without its text."""

    id: int
    recipient: str
    way: str
    kind: str
    key: str
    subject: str
    state: str
    attempts: int
    created_at: datetime
    next_attempt: datetime | None
    """None unless it waits."""
    sent_at: datetime | None
    error: str
    message_id: str

    @property
    def recipient_masked(self) -> str:
        """`a…@example.org`: for pages that others may read."""
        local, at, domain = self.recipient.rpartition("@")
        return f"{local[:1]}…@{domain}" if at else self.recipient


@dataclass(frozen=True)
class Outbox:
    """How the outbox stands: letters by state, those that failed and those that wait although they were tried."""

    counts: dict[str, int]
    failed: tuple[LetterRow, ...]
    delayed: tuple[LetterRow, ...]

    @property
    def waiting(self) -> int:
        return self.counts.get(LetterState.WAITING, 0) + self.counts.get(LetterState.SENDING, 0)


@dataclass(frozen=True)
class SuppressionRow:
    address: str
    scope: str
    cause: str
    reason: str
    at: datetime


def letters(engine: Engine, *, states: tuple[str, ...] = (), limit: int = 50) -> tuple[LetterRow, ...]:
    """The newest first."""
    statement = select(OutboxLetter).order_by(col(OutboxLetter.id).desc()).limit(limit)
    if states:
        statement = statement.where(col(OutboxLetter.state).in_(states))
    with reading(engine) as session:
        return tuple(_row(letter) for letter in session.exec(statement))


def outbox_standing(engine: Engine, *, shown: int = 20) -> Outbox:
    with reading(engine) as session:
        counts = dict(session.exec(select(OutboxLetter.state, func.count()).group_by(OutboxLetter.state)).all())
        newest = select(OutboxLetter).order_by(col(OutboxLetter.id).desc()).limit(shown)
        failed = session.exec(newest.where(OutboxLetter.state == LetterState.FAILED)).all()
        delayed = session.exec(newest.where(OutboxLetter.state == LetterState.WAITING, OutboxLetter.attempts > 0)).all()
        return Outbox(counts, tuple(map(_row, failed)), tuple(map(_row, delayed)))


@dataclass(frozen=True)
class WholeLetter:
    """A letter that waits, with its text."""

    recipient: str
    way: str
    key: str
    payload: str


def waiting_letters(engine: Engine) -> tuple[WholeLetter, ...]:
    """Everything that waits to be sent, oldest first."""
    statement = select(OutboxLetter).where(OutboxLetter.state == LetterState.WAITING).order_by(col(OutboxLetter.id))
    with reading(engine) as session:
        return tuple(WholeLetter(row.recipient, row.way, row.key, row.payload) for row in session.exec(statement))


def letter_of(engine: Engine, reference: str) -> tuple[str, str] | None:
    """Recipient and kind of the letter with this reference; None if there is none."""
    with reading(engine) as session:
        statement = select(OutboxLetter.recipient, OutboxLetter.kind).where(OutboxLetter.reference == reference)
        return session.exec(statement).first()


def suppressions(engine: Engine) -> tuple[SuppressionRow, ...]:
    with reading(engine) as session:
        rows = session.exec(select(Suppression).order_by(col(Suppression.address), col(Suppression.scope)))
        return tuple(SuppressionRow(row.address, row.scope, row.cause, row.reason, row.at) for row in rows)


def _row(letter: OutboxLetter) -> LetterRow:
    return LetterRow(
        id=letter.id or 0,
        recipient=letter.recipient,
        way=letter.way,
        kind=letter.kind,
        key=letter.key,
        subject=letter.subject,
        state=letter.state,
        attempts=letter.attempts,
        created_at=letter.created_at,
        next_attempt=letter.next_attempt if letter.state == LetterState.WAITING else None,
        sent_at=letter.sent_at,
        error=letter.error,
        message_id=letter.reference,
    )
