"""What earlier digests told and what is said otherwise now.

The rule. An earlier digest is one of everything (no part for a jurisdiction or a watchlist) whose period was over when
this period began. It told a change of a claim that was learnt in its period and was no first reading; and a notice that
was published in its period. Such a claim is corrected if it was dismissed in review in this period, or if our changed
rules judge it otherwise or no longer see it; such a notice, if its publisher changed a field that a digest shows. A
digest that was written once its period was over, and then again in this period with other numbers, is corrected too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, select

from monitor.queries.facts import LEARNED, chunks
from monitor.queries.rows import EventRow
from monitor.queries.week_rows import ClaimChange, Correction, NoticeNews
from monitor.tables.models import Cause, DigestIssue, DigestRewriting, Event, EventKind, ReviewState, Run

WHOLE = re.compile(r"\d{4}-W\d{2}|\d{4}-\d{2}-\d{2}--\d{4}-\d{2}-\d{2}")
TELLING = (
    EventKind.CLAIM_APPEARED,
    EventKind.CLAIM_REWORDED,
    EventKind.CLAIM_REAPPEARED,
    EventKind.CLAIM_FLAGGED,
)
SHOWN = ("title", "issued", "posted", "status", "classification", "summary", "products", "organisations")
"""Fields of a notice that digests show: when its publisher changes one, what was told is not so any more."""


def told(start: datetime, end: datetime) -> ColumnElement[bool]:
    """Events that became known in a period."""
    return and_(start <= LEARNED, end > LEARNED)


def corrections(
    session: Session,
    changes: Iterable[ClaimChange],
    updated: Iterable[NoticeNews],
    start: datetime,
    end: datetime,
    timezone: str,
) -> tuple[Correction, ...]:
    """Corrections of a period, in the order: decided in review, our rules, publishers, digests written again."""
    issues = [
        issue
        for issue in session.exec(
            select(DigestIssue)
            .where(DigestIssue.period_to <= start)
            .order_by(col(DigestIssue.period_to).desc(), col(DigestIssue.name))
        )
        if WHOLE.fullmatch(issue.name)
    ]
    if not issues:
        return ()
    found = [
        *_claims(session, [change for change in changes if _unsays(change)], issues),
        *_notices(session, [news for news in updated if set(news.changed) & set(SHOWN)], issues, timezone),
        *_numbers(session, issues, start, end),
    ]
    order = ("dismissed", "rules", "notice", "numbers")
    return tuple(sorted(found, key=lambda one: (order.index(one.kind), one.at, one.object_id, one.digest)))


def _unsays(change: ClaimChange) -> bool:
    if change.event.cause == Cause.REVIEW:
        return change.state == ReviewState.DISMISSED
    return change.event.kind == EventKind.CLAIM_CLEARED or bool(change.judged)


def _claims(session: Session, changes: Sequence[ClaimChange], issues: Sequence[DigestIssue]) -> list[Correction]:
    known: dict[int, list[datetime]] = {}
    for ids in chunks(change.claim.id for change in changes):
        statement = (
            select(Event.object_id, LEARNED)
            .join(Run, col(Run.id) == Event.run_id, isouter=True)
            .where(
                Event.object_kind == "claim",
                col(Event.object_id).in_([str(key) for key in ids]),
                col(Event.kind).in_(TELLING),
                col(Event.baseline).is_(False),
            )
        )
        for key, at in session.execute(statement):
            known.setdefault(int(key), []).append(at)
    found = []
    for change in changes:
        issue = _issue_of(known.get(change.claim.id, ()), issues)
        if issue:
            dismissed = change.event.cause == Cause.REVIEW
            found.append(
                Correction(
                    kind="dismissed" if dismissed else "rules",
                    digest=issue.name,
                    at=change.event.at,
                    label=change.quote,
                    object_kind="claim",
                    object_id=str(change.claim.id),
                    reason=change.reason,
                    changes=change.judged,
                    language=change.claim.language,
                )
            )
    return found


def _issue_of(moments: Iterable[datetime], issues: Sequence[DigestIssue]) -> DigestIssue | None:
    """The latest digest in whose period any of these moments falls."""
    known = tuple(moments)
    return next((issue for issue in issues if any(issue.period_from <= at < issue.period_to for at in known)), None)


def _notices(
    session: Session, updated: Sequence[NoticeNews], issues: Sequence[DigestIssue], timezone: str
) -> list[Correction]:
    published: dict[int, datetime] = {}
    for ids in chunks(news.notice.id for news in updated):
        statement = (
            select(Event.object_id, LEARNED)
            .join(Run, col(Run.id) == Event.run_id, isouter=True)
            .where(
                Event.kind == EventKind.NOTICE_PUBLISHED,
                col(Event.object_id).in_([str(key) for key in ids]),
                col(Event.baseline).is_(False),
            )
        )
        published |= {int(key): at for key, at in session.execute(statement)}
    found = []
    for news in updated:
        issue = (
            _issue_of([published[news.notice.id]], issues)
            if news.notice.id in published
            else _issue_of_day(news.notice.posted or news.notice.issued, issues, timezone)
        )
        if issue:
            changes = tuple(change for change in news.changes if change[0] in SHOWN)
            found.append(
                Correction(
                    kind="notice",
                    digest=issue.name,
                    at=news.at,
                    label=news.notice.title,
                    object_kind="notice",
                    object_id=str(news.notice.id),
                    changes=changes,
                    language=news.notice.language,
                )
            )
    return found


def _issue_of_day(on: date | None, issues: Sequence[DigestIssue], timezone: str) -> DigestIssue | None:
    """The digest that told a notice by its own date, because it came with a first reading."""
    zone = ZoneInfo(timezone)
    days = (
        (issue, issue.period_from.astimezone(zone).date(), issue.period_to.astimezone(zone).date()) for issue in issues
    )
    return next((issue for issue, first, after in days if on and first <= on < after), None)


def _numbers(session: Session, issues: Sequence[DigestIssue], start: datetime, end: datetime) -> list[Correction]:
    names = {issue.name for issue in issues}
    rewritten = session.exec(
        select(DigestRewriting)
        .where(DigestRewriting.replaced_at >= start, DigestRewriting.replaced_at < end)
        .order_by(col(DigestRewriting.id))
    )
    return [
        Correction("numbers", each.name, each.replaced_at, each.name, changes=changed)
        for each in rewritten
        if each.name in names and (changed := differing(each.counts, each.counts_after))
    ]


def differing(before: dict[str, Any], after: dict[str, Any]) -> tuple[tuple[str, str, str], ...]:
    """Numbers that both versions have and that differ."""
    return tuple(
        (key, str(before[key]), str(after[key])) for key in before if key in after and before[key] != after[key]
    )


def detail_changes(event: EventRow) -> tuple[tuple[str, str, str], ...]:
    """Fields that an update changed, with what stood there before and stands there now, where the event tells."""
    changes = event.detail.get("changes") or {}
    return tuple(
        (str(name), _shown(change.get("before")), _shown(change.get("after")))
        for name, change in changes.items()
        if isinstance(change, dict) and ("before" in change or "after" in change)
    )


def _shown(value: Any) -> str:
    return ", ".join(_shown(each) for each in value) if isinstance(value, list) else "" if value is None else str(value)
