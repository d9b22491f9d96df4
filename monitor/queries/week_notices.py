"""Notices that are new or were updated in a period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from monitor.queries.corrections import detail_changes
from monitor.queries.facts import chunks
from monitor.queries.rows import EventRow, NoticeRow
from monitor.queries.then import notices_at
from monitor.queries.week_rows import NoticeNews
from monitor.tables.models import EventKind, Notice, NoticeRevision

NOTICE_FIELDS = ("title", "issued", "posted", "updated", "status", "classification", "summary", "text", "products")
"""Fields of a notice whose change a reader wants named."""


def new_notices(
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


def updated_notices(
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
