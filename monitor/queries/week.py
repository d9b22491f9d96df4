"""All that happened in a period, for the digest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from monitor.queries.coming import coming
from monitor.queries.corrections import corrections, told
from monitor.queries.facts import chunks, event_row, organisations_named, rehearsal_runs
from monitor.queries.reach import sites_of
from monitor.queries.rows import EventRow, RunRow, SourceState
from monitor.queries.standing import run_row, source_states
from monitor.queries.then import waiting_at
from monitor.queries.week_claims import claim_changes
from monitor.queries.week_notices import new_notices, updated_notices
from monitor.queries.week_rows import (
    BaselineRead,
    ClaimChange,
    Coming,
    NoticeNews,
    PageChange,
    ProductChange,
    RegisteredNews,
    Week,
)
from monitor.queries.week_watch import watch_hits
from monitor.tables.db import reading
from monitor.tables.models import SHIPPED_SOURCE, Cause, Event, EventKind, Page, Run, RunState

REGISTERED_KINDS = (
    EventKind.AUTHORISATION_GRANTED,
    EventKind.AUTHORISATION_CHANGED,
    EventKind.PUBLICATION_RETRACTED,
    EventKind.TRIAL_STATUS_CHANGED,
    EventKind.TRIAL_REGISTERED,
    EventKind.PUBLICATION_INDEXED,
)
"""In the order in which a digest tells of them."""


def week(
    engine: Engine,
    start: datetime,
    end: datetime,
    jurisdictions: Collection[str] | None = None,
    timezone: str = "UTC",
    watchlists: Collection[str] | None = None,
) -> Week:
    """What happened from `start` up to but not including `end`, as it was known then.

    `jurisdictions` keeps what touches any of them, `watchlists` what any of them met; None keeps all. `timezone` says
    which calendar days the period covers, for notices that are news by their own date.
    """
    wanted = None if jurisdictions is None else frozenset(jurisdictions)
    with reading(engine) as session:
        watch = watch_hits(session, start, end, watchlists)
        events = _events(session, start, end, None if watchlists is None else {hit.event.id for hit in watch})
        changes = claim_changes(session, events, wanted, end)
        by_source, by_rules, by_review = (
            _caused(changes, cause) for cause in (Cause.SOURCE, Cause.RULES, Cause.REVIEW)
        )
        updated = updated_notices(session, events, wanted, end)
        days = _days(start, end, timezone)
        notices_new = new_notices(session, events, days, wanted, end, by_date=watchlists is None)
        ahead = coming(session, days[1], end, wanted, watchlists)
        sources = _sources(session, start, end)
        runs = session.exec(select(Run).where(Run.finished_at >= start, Run.finished_at < end)).all()
        return Week(
            start=start,
            end=end,
            claims=by_source,
            rules=by_rules,
            reviews=by_review,
            notices_new=notices_new,
            notices_updated=updated,
            pages=_page_changes(session, events, wanted),
            baselines=_baselines(events, {source.id: source.title for source in sources}),
            sources=sources,
            quarantined=_quarantined(runs),
            watch=watch,
            waiting=waiting_at(session, end),
            rehearsal=_rehearsal(session, runs, events, (*notices_new, *ahead)),
            registered=tuple(_registered(events, wanted)),
            corrections=corrections(session, (*by_rules, *by_review), updated, start, end, timezone),
            coming=ahead,
            products=_product_changes(session, events, wanted),
            reach={key: len(sites) for key, sites in sites_of(session, (c.claim.id for c in by_source), end).items()},
        )


def was_read(engine: Engine, start: datetime, end: datetime) -> bool:
    """True if anything was read from `start` up to but not including `end`, well or not."""
    with reading(engine) as session:
        runs = select(Run.id).where(Run.finished_at >= start, Run.finished_at < end, Run.source_id != SHIPPED_SOURCE)
        return session.exec(runs.limit(1)).first() is not None


def last_learnt(engine: Engine, end: datetime) -> datetime | None:
    """When the latest thing was learnt that a digest up to `end` can tell of; None if nothing was."""
    with reading(engine) as session:
        run: datetime | None = session.exec(select(func.max(Run.finished_at)).where(Run.finished_at < end)).one()
        event: datetime | None = session.exec(select(func.max(Event.at)).where(Event.at < end)).one()
        return max((moment for moment in (run, event) if moment), default=None)


def _events(session: Session, start: datetime, end: datetime, only: set[int] | None) -> list[EventRow]:
    found = session.exec(
        select(Event)
        .join(Run, col(Run.id) == Event.run_id, isouter=True)
        .where(told(start, end))
        .order_by(col(Event.at), col(Event.id))
    )
    return [event_row(event) for event in found if only is None or event.id in only]


def _sources(session: Session, start: datetime, end: datetime) -> tuple[SourceState, ...]:
    """Sources that had been asked by then; one that was added later was no source of this period."""
    asked = set(session.exec(select(Run.source_id).where(Run.finished_at < end).distinct()))
    return tuple(source for source in source_states(session, start, end) if source.id in asked)


def _quarantined(runs: Iterable[Run]) -> tuple[RunRow, ...]:
    refused = [run for run in runs if run.state == RunState.QUARANTINED]
    return tuple(run_row(run) for run in sorted(refused, key=lambda run: (run.finished_at, run.id)))


def _rehearsal(
    session: Session, runs: Iterable[Run], events: Iterable[EventRow], told_of: Iterable[NoticeNews | Coming]
) -> bool:
    """Whether anything that a digest tells of was read from a rehearsal server."""
    rehearsed = rehearsal_runs(session)
    return (
        any(run.id in rehearsed for run in runs)
        or any(event.run_id in rehearsed for event in events)
        or any(one.notice.rehearsal for one in told_of)
    )


def _registered(events: Iterable[EventRow], wanted: frozenset[str] | None) -> list[RegisteredNews]:
    """What changed in registers and indexes. Papers belong to no jurisdiction: a part of a digest leaves them out."""
    news = [
        RegisteredNews(
            event=event,
            title=str(event.detail.get("title") or event.object_id),
            url=str(event.detail.get("url") or ""),
            tier=str(event.detail.get("tier") or ""),
            organisations=tuple(str(name) for name in event.detail.get("organisations") or ()),
            changes=event.detail.get("changes") or {},
        )
        for event in events
        if event.kind in REGISTERED_KINDS and not event.baseline
        if wanted is None or wanted & set(event.jurisdictions)
    ]
    return sorted(news, key=lambda one: (REGISTERED_KINDS.index(EventKind(one.event.kind)), one.event.at, one.event.id))


def _days(start: datetime, end: datetime, timezone: str) -> tuple[date, date]:
    """First and last calendar day of the period."""
    zone = ZoneInfo(timezone)
    return start.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()


def _caused(changes: Iterable[ClaimChange], cause: Cause) -> tuple[ClaimChange, ...]:
    return tuple(change for change in changes if change.event.cause == cause)


def _page_changes(
    session: Session, events: Iterable[EventRow], wanted: frozenset[str] | None
) -> tuple[PageChange, ...]:
    relevant = [
        e
        for e in events
        if e.kind in (EventKind.PAGE_GONE, EventKind.PAGE_BACK)
        and not e.baseline
        and e.object_id.isdigit()
        and (wanted is None or wanted & set(e.jurisdictions))
    ]
    pages = {
        page.id or 0: page
        for ids in chunks(int(event.object_id) for event in relevant)
        for page in session.exec(select(Page).where(col(Page.id).in_(ids)))
    }
    named = organisations_named(session, (page.organisation_id for page in pages.values()))
    return tuple(
        PageChange(
            event_id=event.id,
            kind=event.kind,
            at=event.at,
            page_id=page.id or 0,
            url=page.url,
            title=page.title,
            organisation=named.get(page.organisation_id or 0),
            jurisdictions=event.jurisdictions,
            severity=event.severity,
            claims=tuple(str(quote) for quote in event.detail.get("claims") or ()),
            language=page.language,
        )
        for event in relevant
        if (page := pages.get(int(event.object_id)))
    )


def _product_changes(
    session: Session, events: Iterable[EventRow], wanted: frozenset[str] | None
) -> tuple[ProductChange, ...]:
    relevant = [
        e
        for e in events
        if e.kind == EventKind.PRODUCT_CHANGED and not e.baseline and (wanted is None or wanted & set(e.jurisdictions))
    ]
    languages = {
        key: language
        for ids in chunks(int(event.detail.get("page_id") or 0) for event in relevant)
        for key, language in session.exec(select(Page.id, Page.language).where(col(Page.id).in_(ids)))
    }
    return tuple(
        ProductChange(
            event=event,
            name=str(event.detail.get("product") or event.object_id),
            organisation=str(event.detail.get("organisation") or event.detail.get("host") or ""),
            url=str(event.detail.get("url") or ""),
            language=languages.get(event.detail.get("page_id"), ""),
            changed=event.detail.get("changed") or {},
            said=tuple(event.detail.get("said") or ()),
        )
        for event in relevant
    )


def _baselines(events: Iterable[EventRow], titles: Mapping[str, str]) -> tuple[BaselineRead, ...]:
    """What each source that was read for the first time brought, by its own event."""
    found = []
    for event in events:
        if event.kind == EventKind.BASELINE_READ:
            brought = event.detail.get("brought") or {}
            found.append(
                BaselineRead(
                    source_id=event.source_id,
                    title=titles.get(event.source_id, event.source_id),
                    at=event.at,
                    notices=int(brought.get(EventKind.NOTICE_PUBLISHED, 0)),
                    claims=int(brought.get(EventKind.CLAIM_APPEARED, 0)),
                )
            )
    return tuple(sorted(found, key=lambda first: (first.source_id, first.at)))
