"""Who is due what: digests at each recipient's own time, alerts in each list's rhythm. All of it is worked out from
the configuration and from what is in the outbox; no other memory is kept, so that nothing missed is lost and nothing
done is done again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Engine, exists, func, or_
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from monitor.clock import finished_week, last_digest_time
from monitor.config import Config, DigestChoice
from monitor.config.delivery import Channel, Recipient, Rhythm, Target
from monitor.tables.db import reading, transaction
from monitor.tables.models import WatchMatch
from monitor.tables.outbox import LetterState, OutboxLetter, OutboxMatch, Subscription

RHYTHMS: tuple[Rhythm, ...] = ("at_once", "daily", "weekly")
DIGEST = "digest"


@dataclass(frozen=True)
class DueDigest:
    """The digest of a week, for one target."""

    target: Target
    week: str

    @property
    def key(self) -> str:
        return f"digest-{self.week}"


@dataclass(frozen=True)
class DueAlert:
    """Matches that a target was not told yet, and is told together."""

    target: Target
    rhythm: Rhythm
    watchlists: tuple[str, ...]
    matches: tuple[int, ...]

    @property
    def key(self) -> str:
        told = ",".join(map(str, sorted(self.matches)))
        return f"alert-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


Due = DueDigest | DueAlert


def time_of(config: Config, target: Target) -> DigestChoice:
    """When a target is sent what is not sent at once; what it leaves out is the digest's."""
    choice = config.digest
    if not isinstance(target, Recipient):
        return choice
    return choice.model_copy(
        update={
            "timezone": target.timezone or choice.timezone,
            "on": target.on or choice.on,
            "at": target.at or choice.at,
        }
    )


def way_of(target: Target) -> str:
    if isinstance(target, Recipient):
        return "mail"
    return "chat" if isinstance(target, Channel) else "webhook"


def _what(config: Config, target: Target) -> Iterator[str]:
    if target.digest:
        yield DIGEST
    for watchlist in config.watchlists:
        if target.key in watchlist.recipients:
            yield f"list {watchlist.name}"


def note(engine: Engine, config: Config, *, now: datetime) -> None:
    """Write down who is subscribed to what since when. Who leaves and comes back begins anew."""
    wanted = {(target.key, what) for target in config.targets for what in _what(config, target)}
    with reading(engine) as session:
        if set(session.exec(select(Subscription.recipient, Subscription.what)).all()) == wanted:
            return
    try:
        _renew(engine, wanted, now)
    except IntegrityError:
        return  # another process noted the same at the same moment


def _renew(engine: Engine, wanted: set[tuple[str, str]], now: datetime) -> None:
    with transaction(engine) as session:
        held = {(row.recipient, row.what): row for row in session.exec(select(Subscription))}
        newest = session.exec(select(func.max(WatchMatch.id))).one() or 0
        for gone in held.keys() - wanted:
            session.delete(held[gone])
        for recipient, what in sorted(wanted - held.keys()):
            session.add(Subscription(recipient=recipient, what=what, since=now, after_match=newest))


def due(engine: Engine, config: Config, *, now: datetime) -> list[Due]:
    """Everything that is due now and not in the outbox."""
    if not config.targets:
        return []
    with reading(engine) as session:
        held = {(row.recipient, row.what): row for row in session.exec(select(Subscription))}
        found: list[Due] = []
        for target in config.targets:
            joined = held.get((target.key, DIGEST))
            if joined is not None and target.digest:
                found += _digest(session, config, target, joined.since, now)
            for rhythm in RHYTHMS:
                found += _alert(session, config, target, rhythm, held, now)
        return found


def of_week(config: Config, week: str, *, now: datetime) -> list[DueDigest]:
    """That week's digest for everyone who gets digests and whose week is over, whatever their time.

    Not for others: they would get a part of it, and never the whole.
    """
    return [
        DueDigest(target, week)
        for target in config.targets
        if target.digest and week <= finished_week(now, time_of(config, target).timezone)
    ]


def _digest(session: Session, config: Config, target: Target, since: datetime, now: datetime) -> Iterator[DueDigest]:
    choice = time_of(config, target)
    fell_due = last_digest_time(choice, now)
    if fell_due <= since:
        return
    digest = DueDigest(target, finished_week(fell_due, choice.timezone))
    statement = select(OutboxLetter.id).where(OutboxLetter.recipient == target.key, OutboxLetter.key == digest.key)
    if session.exec(statement).first() is None:
        yield digest


def _alert(
    session: Session,
    config: Config,
    target: Target,
    rhythm: Rhythm,
    held: dict[tuple[str, str], Subscription],
    now: datetime,
) -> Iterator[DueAlert]:
    lists = [each.name for each in config.watchlists if each.rhythm == rhythm and target.key in each.recipients]
    joined = {name: held[target.key, f"list {name}"] for name in lists if (target.key, f"list {name}") in held}
    if not joined:
        return
    until = _told_until(time_of(config, target), rhythm, now)
    told = exists().where(col(OutboxMatch.match_id) == WatchMatch.id, col(OutboxMatch.recipient) == target.key)
    statement = (
        select(WatchMatch.watchlist, WatchMatch.id)
        .where(or_(*(_after(name, row.after_match) for name, row in joined.items())))
        .where(WatchMatch.matched_at <= until, ~told)
        .order_by(col(WatchMatch.id))
    )
    found = session.exec(statement).all()
    if found:
        names = tuple(sorted({name for name, _ in found}))
        yield DueAlert(target, rhythm, names, tuple(match or 0 for _, match in found))


def _after(name: str, match: int) -> ColumnElement[bool]:
    return (col(WatchMatch.watchlist) == name) & (col(WatchMatch.id) > match)


def _told_until(choice: DigestChoice, rhythm: Rhythm, now: datetime) -> datetime:
    if rhythm == "at_once":
        return now
    return last_digest_time(choice, now) if rhythm == "weekly" else _last_daily_time(choice, now)


def _last_daily_time(choice: DigestChoice, now: datetime) -> datetime:
    """The latest moment, not after `now`, that is this time of day there."""
    zone = ZoneInfo(choice.timezone)
    today = now.astimezone(zone).date()
    moments = (datetime.combine(today - timedelta(days=back), choice.at, zone) for back in (0, 1))
    return max(moment for moment in moments if moment <= now).astimezone(now.tzinfo)


def has_work(engine: Engine, config: Config, *, now: datetime, clock: datetime) -> bool:
    """True if something is due, waits and may go, or was left by a sender that died. `clock`: the real time."""
    with reading(engine) as session:
        waits = (col(OutboxLetter.state) == LetterState.WAITING) & (col(OutboxLetter.next_attempt) <= clock)
        left = (col(OutboxLetter.state) == LetterState.SENDING) & (col(OutboxLetter.lease_until) < clock)
        if session.exec(select(OutboxLetter.id).where(waits | left).limit(1)).first() is not None:
            return True
    return bool(due(engine, config, now=now))
