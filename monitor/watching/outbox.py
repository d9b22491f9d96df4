"""The outbox: each digest and alert once for each recipient, across crashes, retries and senders at the same time.

What can be promised. A letter is put in once (unique key), and one sender at a time has it (a claim in the row, with
a lease). It is marked as handed over just before the message goes out. If the sender dies before that mark, nothing
was sent and the letter goes again. If it dies after it, or the connection breaks before the answer, nobody can know
whether it was taken: SMTP has no way to ask (RFC 1047). Then a mail goes once more with the same Message-ID, and a
webhook with the same id, by which receivers drop the second; a chat has no such mark and is not posted to again. In
doubt a second time, the letter has failed and a person decides.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, select

from monitor.config import Config
from monitor.tables.db import id_of, reading, transaction
from monitor.tables.outbox import LetterState, OutboxLetter, OutboxMatch, Suppression

LEASE = timedelta(minutes=15)
"""Longer than the ten minutes for which a mail server may keep us waiting (RFC 5321, 4.5.3.2.6)."""
FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)
MOST_ATTEMPTS = 25
"""With the waits above about five days: a sender goes on for four to five at least (RFC 5321, 4.5.4.1)."""
MOST_DOUBTS = {"mail": 1, "webhook": 1, "chat": 0}
"""How often a letter goes again although it may have arrived: where the receiver can tell a second copy."""
IN_DOUBT = "it was handed over, and whether it was taken is not known"
SCOPES = ("all", "digest", "alert")


@dataclass(frozen=True)
class Letter:
    """What is put in. `payload` is the whole message; `matches` are the watchlist matches that it tells."""

    recipient: str
    way: str
    kind: str
    key: str
    subject: str
    payload: str
    watchlists: tuple[str, ...] = ()
    matches: tuple[int, ...] = ()
    held_back: str = ""
    """Why it is not to be sent at all; it is noted all the same, so that it is not made again."""


@dataclass(frozen=True)
class Claimed:
    """A letter that this sender has, until its lease ends."""

    id: int
    recipient: str
    way: str
    kind: str
    reference: str
    subject: str
    payload: str
    attempts: int
    claim: str


class LostClaimError(Exception):
    """Another sender has the letter by now: the lease had run out."""


def reference_of(recipient: str, key: str) -> str:
    """The same for the same recipient and key, and telling neither."""
    return hashlib.sha256(f"{recipient}\0{key}".encode()).hexdigest()[:32]


def put(engine: Engine, letter: Letter, *, now: datetime, ready: datetime | None = None) -> bool:
    """Put a letter in; False if it, or something that it tells, is in already. `ready`: when it may go."""
    try:
        with transaction(engine) as session:
            if _is_in(session, letter.recipient, letter.key):
                return False
            why = letter.held_back or _suppressed(session, letter.recipient, letter.kind)
            row = OutboxLetter(
                recipient=letter.recipient,
                way=letter.way,
                kind=letter.kind,
                key=letter.key,
                reference=reference_of(letter.recipient, letter.key),
                subject=letter.subject,
                payload=letter.payload,
                watchlists=list(letter.watchlists),
                created_at=now,
                state=LetterState.SUPPRESSED if why else LetterState.WAITING,
                next_attempt=ready or now,
                error=why,
            )
            session.add(row)
            session.flush()
            for match in letter.matches:
                session.add(OutboxMatch(recipient=letter.recipient, match_id=match, letter_id=id_of(row)))
    except IntegrityError:  # another process put the same in at the same moment
        return False
    return True


def is_in(engine: Engine, recipient: str, key: str) -> bool:
    with reading(engine) as session:
        return _is_in(session, recipient, key)


def _is_in(session: Session, recipient: str, key: str) -> bool:
    statement = select(OutboxLetter.id).where(OutboxLetter.recipient == recipient, OutboxLetter.key == key)
    return session.exec(statement).first() is not None


def claim(engine: Engine, *, now: datetime, without: Collection[str] = ()) -> Claimed | None:
    """Take the letter that has waited longest and is due; None if there is none. `without`: ways that are down."""
    with transaction(engine) as session:
        statement = (
            select(OutboxLetter)
            .where(OutboxLetter.state == LetterState.WAITING, OutboxLetter.next_attempt <= now)
            .where(col(OutboxLetter.way).not_in(list(without)))
            .order_by(col(OutboxLetter.next_attempt), col(OutboxLetter.id))
            .limit(1)
            # PostgreSQL: two senders pass one another. SQLite lets one transaction write at a time anyway.
            .with_for_update(skip_locked=True)
        )
        row = session.exec(statement).first()
        if row is None:
            return None
        row.state = LetterState.SENDING
        row.claimed_by = uuid.uuid4().hex
        row.lease_until = now + LEASE
        row.handed_at = None
        row.attempts += 1
        return Claimed(
            id=id_of(row),
            recipient=row.recipient,
            way=row.way,
            kind=row.kind,
            reference=row.reference,
            subject=row.subject,
            payload=row.payload,
            attempts=row.attempts,
            claim=row.claimed_by,
        )


def hand_over(engine: Engine, letter: Claimed, *, now: datetime) -> None:
    """Note that the message goes out now. Raises LostClaimError if it is no longer ours to send."""
    _change(engine, letter, handed_at=now, lease_until=now + LEASE)


def note_sent(engine: Engine, letter: Claimed, *, now: datetime) -> None:
    _change(engine, letter, state=LetterState.SENT, sent_at=now, payload="", error="", lease_until=None)


def note_failed(engine: Engine, letter: Claimed, reason: str) -> None:
    """Refused for good."""
    _change(engine, letter, state=LetterState.FAILED, error=reason, lease_until=None)


def note_held_back(engine: Engine, letter: Claimed, reason: str) -> None:
    _change(engine, letter, state=LetterState.SUPPRESSED, error=reason, lease_until=None)


def note_later(
    engine: Engine, letter: Claimed, reason: str, *, now: datetime, at_least: timedelta = timedelta(0)
) -> None:
    """Not taken this time. Tried again later, and given up after about five days."""
    if letter.attempts >= MOST_ATTEMPTS:
        note_failed(engine, letter, f"{reason}; given up after {letter.attempts} attempts")
        return
    due = now + max(wait_before(letter.id, letter.attempts), min(at_least, LONGEST_WAIT))
    _change(engine, letter, state=LetterState.WAITING, error=reason, next_attempt=due, lease_until=None)


def postpone(engine: Engine, way: str, *, now: datetime) -> None:
    """A whole way is closed: nothing that waits for it goes before the first wait is over."""
    with transaction(engine) as session:
        statement = update(OutboxLetter).where(
            col(OutboxLetter.way) == way,
            col(OutboxLetter.state) == LetterState.WAITING,
            col(OutboxLetter.next_attempt) < now + FIRST_WAIT,
        )
        session.connection().execute(statement.values(next_attempt=now + FIRST_WAIT))


def note_in_doubt(engine: Engine, letter: Claimed, reason: str, *, now: datetime) -> bool:
    """Handed over, and nobody heard whether it was taken. True if it goes once more, False if it has failed."""
    with transaction(engine) as session:
        row = session.get_one(OutboxLetter, letter.id, with_for_update=True)
        if row.claimed_by != letter.claim or row.state != LetterState.SENDING:
            raise LostClaimError(letter.id)
        _doubt(row, reason, now)
        return row.state == LetterState.WAITING


def _doubt(row: OutboxLetter, reason: str, now: datetime) -> None:
    row.doubts += 1
    row.lease_until = None
    if row.doubts > MOST_DOUBTS[row.way]:
        row.state = LetterState.FAILED
        row.error = f"{reason}; ask the recipient, and if it is missing: exowatch outbox retry {row.id}"
    else:
        row.state = LetterState.WAITING
        row.error = f"{reason}; it goes once more, marked as the same"
        row.next_attempt = now + wait_before(id_of(row), row.attempts)


def recover(engine: Engine, *, now: datetime) -> int:
    """Take letters back from senders that died; gives their number."""
    with transaction(engine) as session:
        statement = (
            select(OutboxLetter)
            .where(OutboxLetter.state == LetterState.SENDING, col(OutboxLetter.lease_until) < now)
            .with_for_update(skip_locked=True)
        )
        rows = session.exec(statement).all()
        for row in rows:
            if row.handed_at is None:
                row.state, row.lease_until, row.next_attempt = LetterState.WAITING, None, now
            else:
                _doubt(row, f"the sender was killed: {IN_DOUBT}", now)
        return len(rows)


def wait_before(letter_id: int, attempts: int) -> timedelta:
    """How long before the next attempt: doubling, bounded, and spread by the letter itself, not by chance."""
    whole = min(FIRST_WAIT * float(2 ** min(attempts - 1, 20)), LONGEST_WAIT)
    spread = hashlib.sha256(f"{letter_id}/{attempts}".encode()).digest()[0] / 255
    return whole * (0.8 + 0.4 * spread)


def _change(engine: Engine, letter: Claimed, **values: object) -> None:
    with transaction(engine) as session:
        statement = update(OutboxLetter).where(
            col(OutboxLetter.id) == letter.id,
            col(OutboxLetter.claimed_by) == letter.claim,
            col(OutboxLetter.state) == LetterState.SENDING,
        )
        if session.connection().execute(statement.values(**values)).rowcount != 1:
            raise LostClaimError(letter.id)


def withdraw(engine: Engine, config: Config) -> int:
    """Hold back what waits for recipients or watchlists that the configuration no longer has; gives their number.

    What a held-back alert told of lists that still stand is told anew, in an alert of its own.
    """
    targets = {target.key for target in config.targets}
    wanted = {(list_.name, key) for list_ in config.watchlists for key in list_.recipients}
    count = 0
    with transaction(engine) as session:
        rows = session.exec(
            select(OutboxLetter).where(OutboxLetter.state == LetterState.WAITING).with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            gone = [name for name in row.watchlists if (name, row.recipient) not in wanted]
            if row.recipient in targets and not gone:
                continue
            count += 1
            row.state = LetterState.SUPPRESSED
            row.error = (
                f"no longer sent to {row.recipient}: {', '.join(gone)}"
                if row.recipient in targets
                else f"{row.recipient} is no longer in the configuration"
            )
            if row.recipient in targets and row.doubts == 0:
                session.exec(delete(OutboxMatch).where(col(OutboxMatch.letter_id) == row.id))
    return count


def retry(engine: Engine, letter_id: int, *, now: datetime) -> str:
    """Let a failed or held-back letter go again; gives what is wrong, or nothing."""
    with transaction(engine) as session:
        row = session.get(OutboxLetter, letter_id, with_for_update=True)
        if row is None:
            return "there is no such letter"
        if row.state not in (LetterState.FAILED, LetterState.SUPPRESSED, LetterState.WAITING):
            return f"it is {row.state}"
        if not row.payload:
            return "it was held back before it was written"
        if why := _suppressed(session, row.recipient, row.kind):
            return f"{why}; exowatch outbox unsuppress {row.recipient}"
        row.state, row.next_attempt = LetterState.WAITING, now
        row.doubts, row.attempts, row.error = 0, 0, ""
        return ""


def suppress(engine: Engine, address: str, scope: str, *, cause: str, reason: str = "", now: datetime) -> None:
    """Send an address nothing more, or no more of one kind; what waits for it is held back. Twice is once."""
    with transaction(engine) as session:
        if session.get(Suppression, (address.casefold(), scope)) is None:
            session.add(Suppression(address=address.casefold(), scope=scope, cause=cause, reason=reason, at=now))
            session.flush()
        kinds = ("digest", "alert") if scope == "all" else (scope,)
        waiting = select(OutboxLetter).where(
            OutboxLetter.state == LetterState.WAITING, col(OutboxLetter.kind).in_(kinds)
        )
        for row in session.exec(waiting):
            if row.recipient.casefold() == address.casefold():
                row.state, row.error = LetterState.SUPPRESSED, _suppressed(session, row.recipient, row.kind)


def unsuppress(engine: Engine, address: str) -> int:
    """Let an address be sent to again; gives the number of entries removed. What was held back stays so."""
    with transaction(engine) as session:
        rows = session.exec(select(Suppression).where(Suppression.address == address.casefold())).all()
        for row in rows:
            session.delete(row)
        return len(rows)


def is_suppressed(engine: Engine, address: str, kind: str) -> str:
    """Why an address is not sent this kind, or nothing."""
    with reading(engine) as session:
        return _suppressed(session, address, kind)


def _suppressed(session: Session, address: str, kind: str) -> str:
    statement = select(Suppression).where(
        Suppression.address == address.casefold(), col(Suppression.scope).in_(("all", kind))
    )
    found: Sequence[Suppression] = session.exec(statement.order_by(col(Suppression.scope))).all()
    return f"{found[0].cause} on {found[0].at:%Y-%m-%d}{_said(found[0].reason)}" if found else ""


def _said(reason: str) -> str:
    return f": {reason}" if reason else ""
