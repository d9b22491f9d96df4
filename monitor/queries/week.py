"""All that happened in a period, for the digest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Engine, and_, func
from sqlmodel import Session, col, select

from monitor.db import reading
from monitor.models import (
    Cause,
    Claim,
    ClaimRevision,
    Event,
    EventKind,
    Notice,
    NoticeRevision,
    Page,
    Run,
    RunState,
    WatchMatch,
)
from monitor.queries.facts import (
    chunks,
    claim_rows,
    event_row,
    notice_rows,
    organisations_named,
    rehearsal_runs,
    severity_rank,
)
from monitor.queries.rows import (
    BaselineRead,
    ClaimChange,
    ClaimRow,
    EventRow,
    NoticeNews,
    NoticeRow,
    PageChange,
    RegisteredNews,
    WatchHit,
    Week,
)
from monitor.queries.standing import run_row, source_states, waiting

CLAIM_KINDS = (
    EventKind.CLAIM_APPEARED,
    EventKind.CLAIM_REWORDED,
    EventKind.CLAIM_REAPPEARED,
    EventKind.CLAIM_WITHDRAWN,
    EventKind.CLAIM_FLAGGED,
    EventKind.CLAIM_CLEARED,
    EventKind.CLAIM_REVIEWED,
)
REGISTERED_KINDS = (
    EventKind.AUTHORISATION_GRANTED,
    EventKind.AUTHORISATION_CHANGED,
    EventKind.PUBLICATION_RETRACTED,
    EventKind.TRIAL_STATUS_CHANGED,
    EventKind.TRIAL_REGISTERED,
    EventKind.PUBLICATION_INDEXED,
)
"""In the order in which a digest tells of them."""
NOTICE_FIELDS = ("title", "issued", "posted", "updated", "status", "classification", "summary", "text", "products")
"""Fields of a notice whose change a reader wants named."""


def week(
    engine: Engine,
    start: datetime,
    end: datetime,
    jurisdictions: Collection[str] | None = None,
    timezone: str = "UTC",
) -> Week:
    """What happened from `start` up to but not including `end`.

    `jurisdictions` keeps what touches any of them; None keeps all. `timezone` says which calendar days the period
    covers, for notices that are news by their own date.
    """
    wanted = None if jurisdictions is None else frozenset(jurisdictions)
    with reading(engine) as session:
        told = session.exec(
            select(Event)
            .join(Run, col(Run.id) == Event.run_id, isouter=True)
            .where(_told(start, end))
            .order_by(col(Event.at), col(Event.id))
        )
        events = [event_row(event) for event in told]
        changes = _claim_changes(session, events, wanted)
        sources = source_states(session, start, end)
        titles = {source.id: source.title for source in sources}
        rehearsed = rehearsal_runs(session)
        runs = session.exec(select(Run).where(Run.finished_at >= start, Run.finished_at < end)).all()
        return Week(
            start=start,
            end=end,
            claims=_caused(changes, Cause.SOURCE),
            rules=_caused(changes, Cause.RULES),
            reviews=_caused(changes, Cause.REVIEW),
            notices_new=_new_notices(session, events, _days(start, end, timezone), wanted),
            notices_updated=_updated_notices(session, events, wanted),
            pages=_page_changes(session, events, wanted),
            baselines=_baselines(events, titles),
            sources=sources,
            quarantined=tuple(
                run_row(run)
                for run in sorted(runs, key=lambda run: run.finished_at)
                if run.state == RunState.QUARANTINED
            ),
            watch=_watch_hits(session, start, end),
            waiting=waiting(session),
            rehearsal=any(run.id in rehearsed for run in runs) or any(event.run_id in rehearsed for event in events),
            registered=tuple(_registered(events, wanted)),
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


def _told(start: datetime, end: datetime) -> ColumnElement[bool]:
    """Events of a period: by the end of the run that told them, which must be joined.

    A withdrawal bears the time of the first reading that lacked the claim, and is known only by the second. By its
    own time it would fall into a period whose digest is out already, and never be read by anyone.
    """
    learned = func.coalesce(Run.finished_at, Event.at)
    return and_(learned >= start, learned < end)


def _days(start: datetime, end: datetime, timezone: str) -> tuple[date, date]:
    """First and last calendar day of the period."""
    zone = ZoneInfo(timezone)
    return start.astimezone(zone).date(), (end - timedelta(microseconds=1)).astimezone(zone).date()


def _caused(changes: Iterable[ClaimChange], cause: Cause) -> tuple[ClaimChange, ...]:
    return tuple(change for change in changes if change.event.cause == cause)


def _claim_changes(
    session: Session, events: Iterable[EventRow], wanted: frozenset[str] | None
) -> tuple[ClaimChange, ...]:
    relevant = [e for e in events if e.kind in CLAIM_KINDS and not e.baseline and e.object_id.isdigit()]
    ids = [int(event.object_id) for event in relevant]
    claims = claim_rows(session, ids)
    wordings = _wordings(session, ids)
    changes = []
    for event in relevant:
        claim = claims.get(int(event.object_id))
        if claim and (wanted is None or wanted & {finding.jurisdiction for finding in claim.findings}):
            changes.append(_claim_change(event, claim, wordings.get(claim.id, [])))
    return tuple(
        sorted(changes, key=lambda c: (severity_rank(c.claim.severity), -c.claim.confidence, c.claim.id, c.event.id))
    )


def _wordings(session: Session, claim_ids: Iterable[int]) -> dict[int, list[ClaimRevision]]:
    found: dict[int, list[ClaimRevision]] = {}
    for ids in chunks(claim_ids):
        statement = (
            select(ClaimRevision).where(col(ClaimRevision.claim_id).in_(ids)).order_by(col(ClaimRevision.number))
        )
        for revision in session.exec(statement):
            found.setdefault(revision.claim_id, []).append(revision)
    return found


def _claim_change(event: EventRow, claim: ClaimRow, wordings: list[ClaimRevision]) -> ClaimChange:
    # A claim may have been reworded since: the wording of that time stands in the event or the revisions.
    known = [revision.quote for revision in wordings if revision.seen_at <= event.at] or [claim.quote]
    quote = str(event.detail.get("after") or event.detail.get("quote") or known[-1])
    if event.kind == EventKind.CLAIM_REWORDED:
        before = str(event.detail.get("before") or (known[-2] if len(known) > 1 else ""))
        return ClaimChange(event, claim, quote, before)
    return ClaimChange(event, claim, quote, reason=_reason(event))


def _reason(event: EventRow) -> str:
    """What an event says of itself: a reason, or what our rules made of the claim before and make of it now."""
    before, after = event.detail.get("judged_before"), event.detail.get("judged_after")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        changed = [key for key in after if before.get(key) != after[key]]
        return "; ".join(f"{key.replace('_', ' ')}: {_said(before.get(key))} → {_said(after[key])}" for key in changed)
    return str(event.detail.get("reason") or event.detail.get("before") or "")


def _said(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(each)}" for key, each in sorted(value.items())) or "nothing"
    if isinstance(value, list | tuple):
        return ", ".join(_said(each) for each in value) or "nothing"
    return str(value)


def _new_notices(
    session: Session, events: Iterable[EventRow], days: tuple[date, date], wanted: frozenset[str] | None
) -> tuple[NoticeNews, ...]:
    published = {
        int(e.object_id): e.at
        for e in events
        if e.kind == EventKind.NOTICE_PUBLISHED and not e.baseline and e.object_id.isdigit()
    }
    notices = {notice.id or 0: notice for notice in _notices(session, published)}
    # History by reading, news by date: what a first reading brought counts in the period of its own date.
    dated = func.coalesce(Notice.posted, Notice.issued)
    read_later = session.exec(
        select(Notice).where(col(Notice.baseline).is_(True), dated >= days[0], dated <= days[1])
    ).all()
    notices |= {notice.id or 0: notice for notice in read_later}
    rows = notice_rows(session, list(notices.values()))
    news = (
        NoticeNews(row, published.get(key, row.first_seen), read_later=key not in published)
        for key, row in rows.items()
    )
    return tuple(sorted((n for n in news if _wanted(n.notice, wanted)), key=_notice_order))


def _updated_notices(
    session: Session, events: Iterable[EventRow], wanted: frozenset[str] | None
) -> tuple[NoticeNews, ...]:
    updates = [e for e in events if e.kind == EventKind.NOTICE_UPDATED and not e.baseline and e.object_id.isdigit()]
    rows = notice_rows(session, _notices(session, (int(event.object_id) for event in updates)))
    news = [
        NoticeNews(rows[key], event.at, updated=True, changed=_changed_fields(session, key, event))
        for event in updates
        if (key := int(event.object_id)) in rows
    ]
    return tuple(sorted((n for n in news if _wanted(n.notice, wanted)), key=_notice_order))


def _changed_fields(session: Session, notice_id: int, event: EventRow) -> tuple[str, ...]:
    if isinstance(changes := event.detail.get("changes"), Mapping):
        return tuple(str(name) for name in changes)
    revisions = session.exec(
        select(NoticeRevision)
        .where(NoticeRevision.notice_id == notice_id, NoticeRevision.seen_at <= event.at)
        .order_by(col(NoticeRevision.number).desc())
        .limit(2)
    ).all()
    return changed_fields(revisions[1].record, revisions[0].record) if len(revisions) == 2 else ()


def changed_fields(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    """Names of the fields that differ between two records of a notice."""
    return tuple(name for name in NOTICE_FIELDS if before.get(name) != after.get(name))


def _notices(session: Session, keys: Iterable[int]) -> list[Notice]:
    return [n for ids in chunks(keys) for n in session.exec(select(Notice).where(col(Notice.id).in_(ids)))]


def _wanted(notice: NoticeRow, wanted: frozenset[str] | None) -> bool:
    return wanted is None or notice.jurisdiction in wanted


def _notice_order(news: NoticeNews) -> tuple[int, int, int]:
    tiers = ("core", "adjacent", "other")
    tier = tiers.index(news.notice.tier) if news.notice.tier in tiers else len(tiers)
    dated = news.notice.posted or news.notice.issued
    return tier, -(dated.toordinal() if dated else news.at.toordinal()), news.notice.id


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
        )
        for event in relevant
        if (page := pages.get(int(event.object_id)))
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


def _watch_hits(session: Session, start: datetime, end: datetime) -> tuple[WatchHit, ...]:
    pairs = session.exec(
        select(WatchMatch, Event)
        .join(Event, col(Event.id) == WatchMatch.event_id)
        .join(Run, col(Run.id) == Event.run_id, isouter=True)
        .where(_told(start, end))
        .order_by(col(WatchMatch.watchlist), col(Event.at), col(WatchMatch.id))
    ).all()
    labels = _labels(session, [event for _, event in pairs])
    return tuple(
        WatchHit(
            watchlist=match.watchlist,
            event=event_row(event),
            label=labels.get((event.object_kind, event.object_id), event.object_id),
            why=tuple(match.why),
        )
        for match, event in pairs
    )


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
