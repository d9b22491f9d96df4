"""All that happened in a period, for the digest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from monitor.queries.coming import coming
from monitor.queries.corrections import corrections, detail_changes, told
from monitor.queries.facts import chunks, event_row, organisations_named, rehearsal_runs, severity_rank
from monitor.queries.reach import sites_of
from monitor.queries.rows import ClaimRow, EventRow, NoticeRow, SourceState
from monitor.queries.standing import run_row, source_states
from monitor.queries.then import claims_at, notices_at, waiting_at
from monitor.queries.week_rows import (
    BaselineRead,
    ClaimChange,
    NoticeNews,
    PageChange,
    ProductChange,
    RegisteredNews,
    WatchHit,
    Week,
)
from monitor.tables.db import reading
from monitor.tables.models import (
    SHIPPED_SOURCE,
    Cause,
    Claim,
    ClaimRevision,
    Event,
    EventKind,
    Notice,
    NoticeRevision,
    Page,
    PageVersion,
    Run,
    RunState,
    WatchMatch,
)

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
    watchlists: Collection[str] | None = None,
) -> Week:
    """What happened from `start` up to but not including `end`, as it was known then.

    `jurisdictions` keeps what touches any of them, `watchlists` what any of them met; None keeps all. `timezone` says
    which calendar days the period covers, for notices that are news by their own date.
    """
    wanted = None if jurisdictions is None else frozenset(jurisdictions)
    with reading(engine) as session:
        watch = _watch_hits(session, start, end, watchlists)
        events = _events(session, start, end, None if watchlists is None else {hit.event.id for hit in watch})
        changes = _claim_changes(session, events, wanted, end)
        by_source, by_rules, by_review = (
            _caused(changes, cause) for cause in (Cause.SOURCE, Cause.RULES, Cause.REVIEW)
        )
        updated = _updated_notices(session, events, wanted, end)
        days = _days(start, end, timezone)
        notices_new = _new_notices(session, events, days, wanted, end, by_date=watchlists is None)
        ahead = coming(session, days[1], end, wanted, watchlists)
        sources = _sources(session, start, end)
        rehearsed = rehearsal_runs(session)
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
            quarantined=tuple(
                run_row(run)
                for run in sorted(runs, key=lambda run: (run.finished_at, run.id))
                if run.state == RunState.QUARANTINED
            ),
            watch=watch,
            waiting=waiting_at(session, end),
            rehearsal=any(run.id in rehearsed for run in runs)
            or any(event.run_id in rehearsed for event in events)
            or any(news.notice.rehearsal for news in notices_new)
            or any(one.notice.rehearsal for one in ahead),
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


def _claim_changes(
    session: Session, events: Iterable[EventRow], wanted: frozenset[str] | None, end: datetime
) -> tuple[ClaimChange, ...]:
    relevant = [e for e in events if e.kind in CLAIM_KINDS and not e.baseline and e.object_id.isdigit()]
    ids = [int(event.object_id) for event in relevant]
    claims = claims_at(session, ids, end)
    wordings = wordings_of(session, ids)
    changes = []
    for event in relevant:
        claim = claims.get(int(event.object_id))
        if claim and (wanted is None or wanted & {finding.jurisdiction for finding in claim.findings}):
            changes.append(claim_change(event, claim, wordings.get(claim.id, [])))
    return tuple(
        sorted(changes, key=lambda c: (severity_rank(c.claim.severity), -c.claim.confidence, c.claim.id, c.event.id))
    )


Worded = tuple[ClaimRevision, str]
"""A wording, and the capture that first had it."""


def wordings_of(session: Session, claim_ids: Iterable[int]) -> dict[int, list[Worded]]:
    found: dict[int, list[Worded]] = {}
    for ids in chunks(claim_ids):
        statement = (
            select(ClaimRevision, PageVersion.capture_id)
            .join(PageVersion, col(PageVersion.id) == ClaimRevision.version_id)
            .where(col(ClaimRevision.claim_id).in_(ids))
            .order_by(col(ClaimRevision.number))
        )
        for revision, capture in session.exec(statement):
            found.setdefault(revision.claim_id, []).append((revision, capture))
    return found


def claim_change(event: EventRow, claim: ClaimRow, wordings: list[Worded]) -> ClaimChange:
    # A claim may have been reworded since: the wording of that time stands in the event or the revisions.
    known = [worded for worded in wordings if worded[0].seen_at <= event.at] or wordings[:1]
    said = [revision.quote for revision, _ in known] or [claim.quote]
    quote = str(event.detail.get("after") or event.detail.get("quote") or said[-1])
    claim = replace(claim, capture_id=known[-1][1] if known else claim.capture_id)
    if event.kind == EventKind.CLAIM_REWORDED:
        before = str(event.detail.get("before") or (said[-2] if len(said) > 1 else ""))
        return ClaimChange(event, claim, quote, before)
    return ClaimChange(
        event,
        claim,
        quote,
        reason=str(event.detail.get("reason") or event.detail.get("before") or ""),
        judged=_judged(event),
        state=str(event.detail.get("state") or ""),
    )


def _judged(event: EventRow) -> tuple[tuple[str, str, str], ...]:
    """What our rules made of the claim before and make of it now, where these differ."""
    before, after = event.detail.get("judged_before"), event.detail.get("judged_after")
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return ()
    return tuple((key, _said(before.get(key)), _said(after[key])) for key in after if before.get(key) != after[key])


def _said(value: object) -> str:
    """A value in words; empty for none."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(each)}" for key, each in sorted(value.items()))
    if isinstance(value, list | tuple):
        return ", ".join(_said(each) for each in value)
    return "" if value is None else str(value)


def _new_notices(
    session: Session,
    events: Iterable[EventRow],
    days: tuple[date, date],
    wanted: frozenset[str] | None,
    end: datetime,
    *,
    by_date: bool,
) -> tuple[NoticeNews, ...]:
    published = {
        int(e.object_id): e.at
        for e in events
        if e.kind == EventKind.NOTICE_PUBLISHED and not e.baseline and e.object_id.isdigit()
    }
    notices = {notice.id or 0: notice for notice in notices_of(session, published)}
    # History by reading, news by date: what a first reading brought counts in the period of its own date.
    if by_date:
        dated = func.coalesce(Notice.posted, Notice.issued)
        read_later = select(Notice).where(col(Notice.baseline).is_(True), dated >= days[0], dated <= days[1])
        notices |= {notice.id or 0: notice for notice in session.exec(read_later)}
    rows = notices_at(session, list(notices.values()), end)
    news = (
        NoticeNews(row, published.get(key, row.first_seen), read_later=key not in published)
        for key, row in rows.items()
    )
    return tuple(sorted((n for n in news if _wanted(n.notice, wanted)), key=_notice_order))


def _updated_notices(
    session: Session, events: Iterable[EventRow], wanted: frozenset[str] | None, end: datetime
) -> tuple[NoticeNews, ...]:
    updates = [e for e in events if e.kind == EventKind.NOTICE_UPDATED and not e.baseline and e.object_id.isdigit()]
    rows = notices_at(session, notices_of(session, (int(event.object_id) for event in updates)), end)
    news = [
        NoticeNews(
            rows[key],
            event.at,
            updated=True,
            changed=changed_fields_of(session, key, event),
            changes=detail_changes(event),
        )
        for event in updates
        if (key := int(event.object_id)) in rows
    ]
    return tuple(sorted((n for n in news if _wanted(n.notice, wanted)), key=_notice_order))


def changed_fields_of(session: Session, notice_id: int, event: EventRow) -> tuple[str, ...]:
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


def notices_of(session: Session, keys: Iterable[int]) -> list[Notice]:
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


def _watch_hits(
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
