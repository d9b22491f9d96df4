"""What watchlists met in a period, under the name that each thing had when it happened."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlmodel import Session, col, select

from monitor.queries.corrections import told
from monitor.queries.facts import chunks, event_row
from monitor.queries.week_claims import Worded, wordings_of
from monitor.queries.week_rows import WatchHit
from monitor.tables.models import Claim, Event, Notice, Page, Run, WatchMatch


def watch_hits(
    session: Session, start: datetime, end: datetime, watchlists: Collection[str] | None
) -> tuple[WatchHit, ...]:
    statement = (
        select(WatchMatch, Event)
        .join(Event, col(Event.id) == WatchMatch.event_id)
        .join(Run, col(Run.id) == Event.run_id, isouter=True)
        .where(told(start, end))
        .order_by(col(WatchMatch.watchlist), col(Event.at), col(WatchMatch.id))
    )
    if watchlists is not None:
        statement = statement.where(col(WatchMatch.watchlist).in_(watchlists))
    pairs = session.exec(statement).all()
    labels = _labels(session, [event for _, event in pairs])
    claims = [int(event.object_id) for _, event in pairs if event.object_kind == "claim" and event.object_id.isdigit()]
    wordings = wordings_of(session, claims)
    return tuple(
        WatchHit(
            watchlist=match.watchlist,
            event=event_row(event),
            label=_label(event, wordings) or labels.get((event.object_kind, event.object_id), event.object_id),
            why=tuple(match.why),
        )
        for match, event in pairs
    )


def _label(event: Event, wordings: Mapping[int, list[Worded]]) -> str:
    """What the object called itself when the event happened; empty where nobody kept that."""
    keys = {"claim": ("after", "quote"), "page": ("url",), "product": ("product",)}.get(event.object_kind, ("title",))
    told = next((str(event.detail[key]) for key in keys if event.detail.get(key)), "")
    if told or event.object_kind != "claim" or not event.object_id.isdigit():
        return told
    known = [revision.quote for revision, _ in wordings.get(int(event.object_id), ()) if revision.seen_at <= event.at]
    return known[-1] if known else ""


def _labels(session: Session, events: Iterable[Event]) -> dict[tuple[str, str], str]:
    """What each event's object calls itself: a claim by its wording, a notice by its title."""
    ids: dict[str, set[int]] = {"claim": set(), "notice": set(), "page": set()}
    for event in events:
        if event.object_kind in ids and event.object_id.isdigit():
            ids[event.object_kind].add(int(event.object_id))
    columns = (("claim", Claim.id, Claim.quote), ("notice", Notice.id, Notice.title), ("page", Page.id, Page.url))
    return {
        (kind, str(key)): label
        for kind, key_column, label_column in columns
        for some in chunks(ids[kind])
        for key, label in session.exec(select(key_column, label_column).where(col(key_column).in_(some)))
    }
