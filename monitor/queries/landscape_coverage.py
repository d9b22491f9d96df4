"""Which sources were read for how much of a period: blind spans, and days before the first reading."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from monitor.queries.landscape_rows import Asked, Coverage, Stretch
from monitor.tables.models import Event, EventKind, Run, RunState, Source

Gap = tuple[date, date, str]
DAY = timedelta(days=1)


def coverage(session: Session, asked: Asked, sources: Iterable[Source]) -> tuple[Coverage, ...]:
    """Every source that was ever asked, by kind and id. Configuration and cards know of those that never were."""
    zone = ZoneInfo(asked.timezone)
    turns = _turns(session, asked)
    readings = _readings(session, asked)
    firsts, first_good = _first_readings(session, asked), _first_good(session)
    found = []
    for source in sorted(sources, key=lambda one: (one.kind == "page", one.jurisdiction, one.id)):
        if asked.jurisdictions is not None and source.jurisdiction not in asked.jurisdictions:
            continue
        first = source.baseline_at or first_good.get(source.id)
        gaps = _gaps(first, turns.get(source.id, ()), asked.now, zone)
        good, failed = readings.get(source.id, (0, 0))
        at, brought = firsts.get(source.id, (None, {}))
        found.append(
            Coverage(
                id=source.id,
                title=source.title,
                authority=str((source.card.get("authority") or {}).get("name") or source.title),
                jurisdiction=source.jurisdiction,
                kind=source.kind,
                readings=good,
                failed=failed,
                gaps=gaps,
                days=asked.now.days - sum((last - begin).days + 1 for begin, last, _ in gaps),
                first_read=at.astimezone(zone).date() if at else None,
                brought=brought,
            )
        )
    return tuple(found)


def _first_good(session: Session) -> dict[str, datetime]:
    """When each source was read well for the first time, by its runs."""
    statement = (
        select(col(Run.source_id), func.min(col(Run.finished_at)))
        .where(col(Run.state) == RunState.TAKEN_IN)
        .group_by(col(Run.source_id))
    )
    return {source_id: at for source_id, at in session.execute(statement)}  # noqa: C416 - rows are no pairs to mypy


def _turns(session: Session, asked: Asked) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = defaultdict(list)
    statement = (
        select(Event)
        .where(
            col(Event.kind).in_((EventKind.SOURCE_BLIND, EventKind.SOURCE_RECOVERED)),
            col(Event.at) < asked.now.end,
        )
        .order_by(col(Event.at), col(Event.id))
    )
    for event in session.execute(statement).scalars():
        found[event.source_id].append(event)
    return found


def _readings(session: Session, asked: Asked) -> dict[str, tuple[int, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    statement = (
        select(col(Run.source_id), col(Run.state), func.count())
        .where(col(Run.finished_at) >= asked.now.start, col(Run.finished_at) < asked.now.end)
        .group_by(col(Run.source_id), col(Run.state))
    )
    for source_id, state, number in session.execute(statement):
        found[source_id][state] = number
    return {key: (n.get(RunState.TAKEN_IN, 0), n.get(RunState.QUARANTINED, 0)) for key, n in found.items()}


def _first_readings(session: Session, asked: Asked) -> dict[str, tuple[datetime, dict[str, int]]]:
    statement = select(Event).where(
        col(Event.kind) == EventKind.BASELINE_READ,
        col(Event.at) >= asked.now.start,
        col(Event.at) < asked.now.end,
    )
    return {
        event.source_id: (event.at, {str(kind): int(n) for kind, n in (event.detail.get("brought") or {}).items()})
        for event in session.execute(statement.order_by(col(Event.id).desc())).scalars()
    }


def _gaps(first: datetime | None, turns: Sequence[Event], now: Stretch, zone: ZoneInfo) -> tuple[Gap, ...]:
    """Days on which nothing can be said of a source, clipped to the period, in order and apart from one another."""
    found: list[Gap] = []
    if first is None or first >= now.end:
        return ((now.first, now.last, "unread"),)
    begun = first.astimezone(zone).date()
    if begun > now.first:
        found.append((now.first, begun - DAY, "unread"))
    since: date | None = None
    for event in turns:
        if event.kind == EventKind.SOURCE_BLIND:
            since = since or _blind_from(event, zone)
        elif since is not None:
            found.append((since, event.at.astimezone(zone).date() - DAY, "blind"))
            since = None
    if since is not None:
        found.append((since, now.last, "blind"))
    return tuple(_clipped(found, now))


def _blind_from(event: Event, zone: ZoneInfo) -> date:
    """The day after the last good reading: what was published since may be missed."""
    told = str(event.detail.get("last_success") or "")
    try:
        return datetime.fromisoformat(told).astimezone(zone).date() + DAY
    except ValueError:  # never read well before, or an event that does not say
        return event.at.astimezone(zone).date()


def _clipped(gaps: Iterable[Gap], now: Stretch) -> Iterable[Gap]:
    done = now.first - DAY
    for first, last, why in sorted(gaps):
        begin, end = max(first, done + DAY), min(last, now.last)
        if begin <= end:
            yield begin, end, why
            done = end
