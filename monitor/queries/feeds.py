"""The history as feeds give it: one event an entry, newest first, in documents that never change once they are full.

The history is cut into blocks of event numbers. A full block is an archive document (RFC 5005, section 4): what is
in it stays as it is, whatever comes later. The newest document has all that stands in no full block yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, String, and_, cast, func, or_
from sqlmodel import Session, col, select

from monitor.queries.facts import chunks, event_row, organisations_named
from monitor.queries.rows import EventRow
from monitor.queries.week_claims import wordings_of
from monitor.tables.db import reading
from monitor.tables.models import (
    Claim,
    Event,
    EventKind,
    Notice,
    NoticeRevision,
    Page,
    Product,
    Run,
    Source,
    WatchMatch,
)
from monitor.tables.registers import Publication, RecordRevision, Trial

BLOCK = 250
"""Event numbers in an archive document: the most entries it can have."""
LEAST = 50
"""Entries of the newest document, where there are so many, even if they stand in an archive too."""


@dataclass(frozen=True)
class FeedAsk:
    """What a feed is about; empty is any. `news`: without what first readings brought, and without other matters."""

    news: bool = True
    jurisdictions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    watchlist: str = ""


@dataclass(frozen=True)
class FeedFrame:
    """Which events a document holds and what stands beside it, before anything else of them is read.

    `number` is None for the newest document; `older` and `newer` are the numbers of archive documents.
    """

    number: int | None
    events: tuple[int, ...]
    older: int | None
    newer: int | None
    newest_told: datetime | None
    root: str
    """Identity of the first event of all: tells one history from another. Empty while there is none."""


@dataclass(frozen=True)
class FeedEntry:
    """One event with what a reader needs to understand it. Texts are as they were when it happened."""

    event: EventRow
    identity: str
    """Of this event alone, here and anywhere; never changes."""
    told: datetime
    """When it became known here: a withdrawal is known later than it happened."""
    title: str = ""
    quote: str = ""
    before: str = ""
    summary: str = ""
    language: str = ""
    """Of the quote or the document, as far as it is known."""
    url: str = ""
    host: str = ""
    firms: tuple[str, ...] = ()
    product: str = ""
    category: str = ""
    decision: str = ""
    authority: str = ""
    notice_type: str = ""
    dated: date | None = None
    """The document's own date."""
    source_title: str = ""
    capture_id: str = ""
    why: tuple[dict[str, Any], ...] = ()
    """Reasons of the watchlist that was asked for."""
    rehearsal: bool = False


def feed_frame(engine: Engine, asked: FeedAsk, number: int | None = None) -> FeedFrame | None:
    """The document's frame; None if there is no such archive document (yet)."""
    with reading(engine) as session:
        return _frame(session, asked, number)


def feed_entries(engine: Engine, asked: FeedAsk, frame: FeedFrame) -> tuple[FeedEntry, ...]:
    """The entries of a frame, newest first."""
    with reading(engine) as session:
        return _entries(session, asked, frame.events)


def _conditions(asked: FeedAsk) -> list[ColumnElement[bool]]:
    given: list[ColumnElement[bool]] = []
    detail = col(Event.detail)
    if asked.news:
        given.append(col(Event.baseline).is_(False))
        given.append(func.coalesce(detail["tier"].as_string(), "") != "other")
    if asked.jurisdictions:
        held = cast(col(Event.jurisdictions), String)
        given.append(or_(*(held.contains(f'"{code}"', autoescape=True) for code in asked.jurisdictions)))
    if asked.categories:
        given.append(and_(col(Event.object_kind) == "claim", detail["category"].as_string().in_(asked.categories)))
    for column, wanted in (
        (Event.severity, asked.severities),
        (Event.source_id, asked.sources),
        (Event.kind, asked.kinds),
    ):
        if wanted:
            given.append(col(column).in_(wanted))
    if asked.watchlist:
        met = select(WatchMatch.event_id).where(WatchMatch.watchlist == asked.watchlist)
        given.append(col(Event.id).in_(met))
    return given


def _frame(session: Session, asked: FeedAsk, number: int | None) -> FeedFrame | None:
    matching = _conditions(asked)
    last = session.exec(select(func.max(Event.id))).one() or 0
    floor = last // BLOCK * BLOCK
    if number is None:
        events, start, newer = _newest(session, matching, floor), floor, None
    else:
        start = number * BLOCK
        if start + BLOCK > floor:
            return None
        found = select(col(Event.id)).where(*matching, col(Event.id) >= start, col(Event.id) < start + BLOCK)
        events = _numbers(session.exec(found.order_by(col(Event.id).desc())))
        if not events:
            return None
        newer = session.exec(
            select(func.min(Event.id)).where(*matching, col(Event.id) >= start + BLOCK, col(Event.id) < floor)
        ).one()
    older = session.exec(select(func.max(Event.id)).where(*matching, col(Event.id) < start)).one()
    return FeedFrame(
        number=number,
        events=tuple(events),
        older=None if older is None else older // BLOCK,
        newer=None if newer is None else newer // BLOCK,
        newest_told=_newest_told(session, events),
        root=_root(session),
    )


def _newest(session: Session, matching: Sequence[ColumnElement[bool]], floor: int) -> list[int]:
    found = _numbers(session.exec(select(col(Event.id)).where(*matching).order_by(col(Event.id).desc()).limit(BLOCK)))
    return [event for place, event in enumerate(found) if event >= floor or place < LEAST]


def _numbers(found: Iterable[int | None]) -> list[int]:
    return [event for event in found if event is not None]


def _root(session: Session) -> str:
    first = session.exec(select(Event.at, Event.dedupe_key).order_by(col(Event.id)).limit(1)).first()
    return _identity(*first) if first else ""


def _identity(at: datetime, dedupe_key: str) -> str:
    # A run's name has its start and a random part; an occasion of ours has not, hence the time.
    return f"{at.isoformat()}|{dedupe_key}"


def _newest_told(session: Session, events: Sequence[int]) -> datetime | None:
    told = func.coalesce(Run.taken_in_at, Event.at)
    statement = select(func.max(told)).select_from(Event).join(Run, col(Run.id) == Event.run_id, isouter=True)
    return session.exec(statement.where(col(Event.id).in_(events))).one()


def _entries(session: Session, asked: FeedAsk, events: Sequence[int]) -> tuple[FeedEntry, ...]:
    found = session.exec(
        select(Event, func.coalesce(Run.taken_in_at, Event.at))
        .join(Run, col(Run.id) == Event.run_id, isouter=True)
        .where(col(Event.id).in_(events))
        .order_by(col(Event.id).desc())
    ).all()
    about = _About(session, [event for event, _ in found], asked.watchlist)
    return tuple(_entry(event, told, about) for event, told in found)


@dataclass(frozen=True)
class _Object:
    """What stands in the tables about an event's object; what the event tells of itself goes before it."""

    title: str = ""
    quote: str = ""
    url: str = ""
    host: str = ""
    firm: str = ""
    product: str = ""
    category: str = ""
    language: str = ""
    authority: str = ""
    summary: str = ""


class _About:
    """Look-ups for a document's events: a constant number of statements, whatever their number."""

    def __init__(self, session: Session, events: Sequence[Event], watchlist: str) -> None:
        ids: dict[str, set[int]] = defaultdict(set)
        for event in events:
            if event.object_id.isdigit():
                ids[event.object_kind].add(int(event.object_id))
        self.objects: dict[tuple[str, str], _Object] = {
            **_claims(session, ids["claim"]),
            **_pages(session, ids["page"]),
            **_notices(session, ids["notice"]),
            **_registered(session, ids),
        }
        self.captures = _captures(session, ids)
        self.titles = _source_titles(session, {event.source_id for event in events})
        self.rehearsed = _rehearsed(session, {event.run_id for event in events if event.run_id})
        self.why = _reasons(session, watchlist, [event.id or 0 for event in events]) if watchlist else {}

    def capture_at(self, event: Event) -> str:
        """The capture of the latest reading of the object by then."""
        held = self.captures.get((event.object_kind, event.object_id), ())
        return next((capture for seen, capture in reversed(held) if seen <= event.at), held[0][1] if held else "")


def _entry(event: Event, told: datetime, about: _About) -> FeedEntry:
    detail, held = event.detail, about.objects.get((event.object_kind, event.object_id), _Object())
    firms = detail.get("organisations") or [detail.get("organisation") or held.firm]
    return FeedEntry(
        event=event_row(event),
        identity=_identity(event.at, event.dedupe_key),
        told=told,
        title=str(detail.get("title") or held.title),
        quote=str(detail.get("after") or detail.get("quote") or held.quote),
        before=str(detail.get("before") or "") if event.kind == EventKind.CLAIM_REWORDED else "",
        summary=held.summary if event.kind == EventKind.NOTICE_PUBLISHED else "",
        language=held.language,
        url=str(detail.get("url") or held.url),
        host=str(detail.get("host") or held.host),
        firms=tuple(str(firm) for firm in firms if firm),
        product=str(detail.get("product") or held.product),
        category=str(detail.get("category") or held.category),
        decision=str(detail.get("decision") or ""),
        authority=str(detail.get("authority") or held.authority),
        notice_type=str(detail.get("notice_type") or ""),
        dated=_own_date(detail),
        source_title=about.titles.get(event.source_id, event.source_id),
        capture_id=about.capture_at(event),
        why=tuple(about.why.get(event.id or 0, ())),
        rehearsal=event.run_id in about.rehearsed,
    )


def _own_date(detail: dict[str, Any]) -> date | None:
    written = next((detail[key] for key in ("posted", "issued", "published", "authorised") if detail.get(key)), None)
    return date.fromisoformat(str(written)) if written else None


def _claims(session: Session, ids: Iterable[int]) -> dict[tuple[str, str], _Object]:
    found = {}
    for some in chunks(ids):
        statement: Select[Any] = (
            select(Claim.id, Claim.quote, Claim.category, Page.url, Page.host, Page.language, Product.name)  # type: ignore[call-overload]
            .select_from(Claim)
            .join(Page, col(Page.id) == Claim.page_id)
            .join(Product, col(Product.id) == Claim.product_id, isouter=True)
            .where(col(Claim.id).in_(some))
        )
        for key, quote, category, url, host, language, product in session.execute(statement):
            found["claim", str(key)] = _Object(
                quote=quote, category=category, url=url, host=host, language=language, product=product or ""
            )
    return found


def _pages(session: Session, ids: Iterable[int]) -> dict[tuple[str, str], _Object]:
    found = {}
    for some in chunks(ids):
        pages = session.exec(select(Page).where(col(Page.id).in_(some))).all()
        named = organisations_named(session, (page.organisation_id for page in pages))
        for page in pages:
            firm = named.get(page.organisation_id or 0)
            found["page", str(page.id)] = _Object(
                title=page.title, url=page.url, host=page.host, language=page.language, firm=firm.name if firm else ""
            )
    return found


def _notices(session: Session, ids: Iterable[int]) -> dict[tuple[str, str], _Object]:
    found = {}
    for some in chunks(ids):
        statement: Select[Any] = (
            select(  # type: ignore[call-overload]
                Notice.id,
                Notice.title,
                Notice.url,
                Notice.language,
                Notice.authority,
                col(NoticeRevision.record)["summary"].as_string(),
            )
            .select_from(Notice)
            .join(NoticeRevision, and_(col(NoticeRevision.notice_id) == Notice.id, col(NoticeRevision.number) == 1))
            .where(col(Notice.id).in_(some))
        )
        for key, title, url, language, authority, summary in session.execute(statement):
            found["notice", str(key)] = _Object(
                title=title, url=url, language=language, authority=authority, summary=summary or ""
            )
    return found


def _registered(session: Session, ids: dict[str, set[int]]) -> dict[tuple[str, str], _Object]:
    found = {}
    for kind, table in (("trial", Trial), ("publication", Publication)):
        for some in chunks(ids[kind]):
            for key, language in session.execute(select(table.id, table.language).where(col(table.id).in_(some))):
                found[kind, str(key)] = _Object(language=language)
    return found


def _captures(session: Session, ids: dict[str, set[int]]) -> dict[tuple[str, str], list[tuple[datetime, str]]]:
    """Object → time and capture of each of its readings that brought something new, oldest first."""
    found: dict[tuple[str, str], list[tuple[datetime, str]]] = defaultdict(list)
    for claim, wordings in wordings_of(session, ids["claim"]).items():
        found["claim", str(claim)] = [(revision.seen_at, capture) for revision, capture in wordings]
    for some in chunks(ids["notice"]):
        revisions = select(NoticeRevision.notice_id, NoticeRevision.seen_at, NoticeRevision.capture_id)
        revisions = revisions.where(col(NoticeRevision.notice_id).in_(some)).order_by(col(NoticeRevision.number))
        for key, seen, capture in session.execute(revisions):
            found["notice", str(key)].append((seen, capture))
    for kind in ("trial", "publication", "authorisation"):
        for some in chunks(ids[kind]):
            records = select(RecordRevision.object_id, RecordRevision.seen_at, RecordRevision.capture_id).where(
                RecordRevision.object_kind == kind, col(RecordRevision.object_id).in_(some)
            )
            for key, seen, capture in session.execute(records.order_by(col(RecordRevision.seen_at))):
                found[kind, str(key)].append((seen, capture))
    return found


def _source_titles(session: Session, ids: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in chunks(ids):
        found |= dict(session.exec(select(Source.id, Source.title).where(col(Source.id).in_(some))).all())
    return found


def _rehearsed(session: Session, ids: Iterable[str]) -> frozenset[str]:
    """Those of the runs that did not read the web, without looking at any other run."""
    record = col(Run.record)
    origins = {run: run for run in ids}
    found = set()
    while origins:
        following: dict[str, str] = {}
        for some in chunks(origins.values()):
            rows = session.execute(
                select(
                    Run.id,
                    record["mode"].as_string(),
                    record["card"]["demo"].as_boolean(),
                    record["replay_of"].as_string(),
                ).where(col(Run.id).in_(some))
            )
            for run, mode, demo, origin in rows:
                asked = [first for first, now in origins.items() if now == run]
                if mode == "rehearsal" or demo:
                    found.update(asked)
                elif origin:
                    following.update(dict.fromkeys(asked, origin))
        origins = following
    return frozenset(found)


def _reasons(session: Session, watchlist: str, events: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    statement = select(WatchMatch.event_id, WatchMatch.why)
    met = statement.where(WatchMatch.watchlist == watchlist, col(WatchMatch.event_id).in_(events))
    return {event: list(why) for event, why in session.exec(met)}
