"""Things as they stood at a moment: what was learnt later changes nothing in what is said of an earlier period."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, func, select

from monitor.queries.facts import chunks, claim_rows, finding_row, notice_rows, severity_rank
from monitor.queries.reach import stood_at
from monitor.queries.rows import ClaimRow, FindingRow, NoticeRow, Waiting
from monitor.queries.week_rows import ComingKind
from monitor.tables.models import Claim, Finding, Notice, NoticeRevision, Review, ReviewState

DECIDED = (ReviewState.CONFIRMED, ReviewState.DISMISSED)


def claims_at(session: Session, ids: Sequence[int], at: datetime) -> dict[int, ClaimRow]:
    """Claims with the review state, findings and severity that they had."""
    rows = claim_rows(session, ids)
    states, findings = review_states(session, rows, at), _findings(session, rows, at)
    return {
        key: _claim_then(row, states.get(key, ReviewState.UNREVIEWED), findings.get(key, ()))
        for key, row in rows.items()
    }


def _claim_then(row: ClaimRow, state: str, findings: tuple[FindingRow, ...]) -> ClaimRow:
    if not findings:
        return replace(row, review_state=state)
    assessed = [finding.severity for finding in findings if finding.assessed and finding.severity]
    return replace(
        row,
        review_state=state,
        findings=findings,
        severity=min(assessed, key=severity_rank) if assessed else row.severity,
        confidence=findings[0].confidence,
        decision=findings[0].decision,
    )


def review_states(session: Session, ids: Iterable[int], at: datetime) -> dict[int, str]:
    """The latest decision before a moment, for claims that had one."""
    found: dict[int, str] = {}
    for some in chunks(ids):
        statement = select(Review.claim_id, Review.state).where(col(Review.claim_id).in_(some), Review.at < at)
        found |= dict(session.exec(statement.order_by(col(Review.at), col(Review.id))).all())
    return found


def _findings(session: Session, ids: Iterable[int], at: datetime) -> dict[int, tuple[FindingRow, ...]]:
    """Of each claim the last judgement before a moment."""
    made: dict[int, list[Finding]] = defaultdict(list)
    for some in chunks(ids):
        statement = select(Finding).where(col(Finding.claim_id).in_(some), Finding.made_at < at)
        for finding in session.exec(statement.order_by(col(Finding.id))):
            made[finding.claim_id].append(finding)
    return {
        claim: tuple(finding_row(finding) for finding in rows if finding.made_at == rows[-1].made_at)
        for claim, rows in made.items()
    }


def waiting_at(session: Session, at: datetime) -> Waiting:
    """Claims that stood at a moment and that nobody had reviewed by then."""
    standing: Counter[tuple[str, str]] = Counter()
    groups = select(Claim.decision, Claim.severity, func.count()).where(stood_at(at))
    for decision, severity, count in session.execute(groups.group_by(Claim.decision, Claim.severity)):
        standing[decision, severity] += count
    reviewed = session.exec(select(Review.claim_id).where(Review.at < at).distinct()).all()
    decided = {key for key, state in review_states(session, reviewed, at).items() if state in DECIDED}
    judged = set(session.exec(select(Finding.claim_id).where(Finding.made_at >= at).distinct()))
    # Counted as they stand now; those that were decided then go, and those judged since go back to what they were.
    for some in chunks(decided | judged):
        rows = select(Claim).where(col(Claim.id).in_(some), stood_at(at))
        standing.subtract((claim.decision, claim.severity) for claim in session.exec(rows))
    for row in claims_at(session, sorted(_standing(session, judged - decided, at)), at).values():
        standing[row.decision, row.severity] += 1
    return Waiting(
        flag=sum(count for (decision, _), count in standing.items() if decision == "flag"),
        review=sum(count for (decision, _), count in standing.items() if decision == "review"),
        high=sum(count for (_, severity), count in standing.items() if severity == "High"),
    )


def _standing(session: Session, ids: Iterable[int], at: datetime) -> set[int]:
    found: set[int] = set()
    for some in chunks(ids):
        found |= {key or 0 for key in session.exec(select(Claim.id).where(col(Claim.id).in_(some), stood_at(at)))}
    return found


def notices_at(session: Session, notices: Sequence[Notice], at: datetime) -> dict[int, NoticeRow]:
    """Notices as their last revision before a moment had them; one that was read later only, as it was read first."""
    rows = notice_rows(session, notices)
    for key, (record, capture) in _earlier(session, rows, at).items():
        rows[key] = _notice_then(rows[key], record, capture)
    return rows


def _earlier(session: Session, ids: Iterable[int], at: datetime) -> dict[int, tuple[Mapping[str, Any], str]]:
    found: dict[int, tuple[Mapping[str, Any], str]] = {}
    for some in chunks(ids):
        later = select(NoticeRevision.notice_id).where(
            col(NoticeRevision.notice_id).in_(some), NoticeRevision.seen_at >= at
        )
        changed = sorted(set(session.exec(later)))
        statement = (
            select(NoticeRevision)
            .where(col(NoticeRevision.notice_id).in_(changed))
            .order_by(col(NoticeRevision.notice_id), col(NoticeRevision.number))
        )
        for revision in session.exec(statement):
            if revision.seen_at < at or revision.notice_id not in found:
                found[revision.notice_id] = (revision.record, revision.capture_id)
    return found


def _notice_then(row: NoticeRow, record: Mapping[str, Any], capture: str) -> NoticeRow:
    return replace(
        row,
        title=str(record.get("title") or row.title),
        notice_type=str(record.get("notice_type") or row.notice_type),
        url=str(record.get("url") or row.url),
        authority=str(record.get("authority") or row.authority),
        summary=str(record.get("summary") or ""),
        unread=tuple(str(part) for part in record.get("unread") or ()),
        capture_id=capture,
        issued=_day(record.get("issued")),
        posted=_day(record.get("posted")),
    )


def _day(value: object) -> date | None:
    return date.fromisoformat(str(value)) if value else None


def dates_at(session: Session, notices: Sequence[Notice], at: datetime) -> dict[int, dict[ComingKind, date]]:
    """Days ahead that notices named at a moment: `comments_close`, `effective`."""
    named: tuple[ComingKind, ...] = ("comments_close", "effective")
    earlier = _earlier(session, (notice.id for notice in notices if notice.id), at)
    found = {}
    for notice in notices:
        record = earlier.get(notice.id or 0, ({}, ""))[0]
        held: dict[ComingKind, date | None] = {name: getattr(notice, name) for name in named}
        # A revision that was read before these fields had a place of their own does not have them.
        held |= {name: _day(record[name]) for name in named if name in record}
        found[notice.id or 0] = {name: day for name, day in held.items() if day}
    return found
