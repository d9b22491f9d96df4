"""Where things stand: sources, runs, and what waits for a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from monitor.lives import ClaimState
from monitor.queries.facts import chunks, rehearsal_runs
from monitor.queries.rows import DigestRow, RunRow, SourceState, Standing, Waiting
from monitor.tables.db import reading
from monitor.tables.models import (
    SHIPPED,
    SHIPPED_SOURCE,
    UNREAD,
    Claim,
    DigestIssue,
    Event,
    EventKind,
    Notice,
    Organisation,
    Run,
    RunState,
    Source,
)

UNSEEING = ("blind", "stale")
STANDING_STATES = (ClaimState.LIVE, ClaimState.MISSING, ClaimState.REWORDING)


def run_row(run: Run) -> RunRow:
    record = run.record
    return RunRow(
        id=run.id,
        source_id=run.source_id,
        state=run.state,
        outcome=str(record.get("outcome", "")),
        mode=str(record.get("mode", "")),
        started_at=run.started_at,
        finished_at=run.finished_at,
        reasons=tuple(str(reason.get("message") or reason.get("code") or "") for reason in run.reasons),
        changes=run.changes,
        requests=int(record.get("requests") or 0),
        records=sum((record.get("items") or {}).values()),
    )


def digest_row(issue: DigestIssue) -> DigestRow:
    return DigestRow(issue.name, issue.period_from, issue.period_to, issue.written_at, issue.sha256, issue.counts)


def waiting(session: Session) -> Waiting:
    """Standing claims that nobody has reviewed, by decision."""
    rows = session.execute(
        select(Claim.decision, Claim.severity, func.count())
        .where(col(Claim.review_state).in_(("unreviewed", "reopened")), col(Claim.state).in_(STANDING_STATES))
        .group_by(Claim.decision, Claim.severity)
    ).all()
    return Waiting(
        flag=sum(count for decision, _, count in rows if decision == "flag"),
        review=sum(count for decision, _, count in rows if decision == "review"),
        high=sum(count for _, severity, count in rows if severity == "High"),
    )


def source_states(
    session: Session, start: datetime | None = None, end: datetime | None = None
) -> tuple[SourceState, ...]:
    """Every source as it stood at `end` (left out: now); `read` says whether it was read well since `start`."""
    turns = _turns(session, end)
    taken_in = select(Run.source_id, func.max(Run.finished_at)).where(Run.state == RunState.TAKEN_IN)
    every = select(Run.source_id, func.max(Run.finished_at))
    if end is not None:
        taken_in, every = taken_in.where(Run.finished_at < end), every.where(Run.finished_at < end)
    success: dict[str, datetime] = dict(session.exec(taken_in.group_by(Run.source_id)).all())
    last_run: dict[str, datetime] = dict(session.exec(every.group_by(Run.source_id)).all())
    quiet = _quiet(session, success)
    return tuple(
        _source_state(
            source,
            turns.get(source.id),
            last_run=last_run.get(source.id),
            success=success.get(source.id),
            start=start,
            end=end,
            quiet=source.id in quiet,
        )
        for source in session.exec(
            select(Source).where(Source.kind != SHIPPED, Source.state != UNREAD).order_by(col(Source.id))
        )
    )


def _quiet(session: Session, success: Mapping[str, datetime]) -> set[str]:
    """Sources whose last good reading found nothing as new as usual."""
    found = set()
    for some in chunks(success):
        statement = select(Run.source_id, Run.finished_at, Run.reasons).where(
            col(Run.source_id).in_(some), Run.state == RunState.TAKEN_IN
        )
        for source_id, at, reasons in session.exec(statement):
            if at == success[source_id] and any(reason.get("code") == "quiet" for reason in reasons):
                found.add(source_id)
    return found


def _turns(session: Session, end: datetime | None) -> dict[str, Event]:
    """The last time each source went blind or recovered."""
    statement = select(Event).where(col(Event.kind).in_((EventKind.SOURCE_BLIND, EventKind.SOURCE_RECOVERED)))
    if end is not None:
        statement = statement.where(Event.at < end)
    return {event.source_id: event for event in session.exec(statement.order_by(col(Event.at), col(Event.id)))}


def _source_state(
    source: Source,
    turn: Event | None,
    *,
    last_run: datetime | None,
    success: datetime | None,
    start: datetime | None,
    end: datetime | None,
    quiet: bool,
) -> SourceState:
    blind = source.state in UNSEEING and (end is None or source.state_since < end)
    state = source.state if blind else "ok"
    since, reason = source.state_since, source.state_reason
    if turn is not None and end is not None:
        # What happened after the period must not change what is said of it.
        blind = turn.kind == EventKind.SOURCE_BLIND
        state = "ok" if not blind else "stale" if turn.detail.get("code") == "stale" else "blind"
        since, reason = turn.at, str(turn.detail.get("reason") or source.state_reason)
    return SourceState(
        id=source.id,
        title=source.title,
        jurisdiction=source.jurisdiction,
        kind=source.kind,
        blind=blind,
        since=since if blind else None,
        reason=reason if blind else "",
        last_run_at=last_run or (source.last_run_at if end is None else None),
        last_success_at=success or (source.last_success_at if end is None else None),
        read=success is not None and (start is None or success >= start),
        start=str(source.card.get("start", "")),
        home=str((source.card.get("authority") or {}).get("url") or ""),
        means=str(source.card.get("means", "")),
        unverified=bool(source.card.get("unverified", False)),
        state="quiet" if quiet and not blind else state,
        last_new_item_at=source.last_new_item_at if end is None else None,
    )


def sources(engine: Engine) -> tuple[SourceState, ...]:
    """Every source as it stands now."""
    with reading(engine) as session:
        return source_states(session)


def runs(engine: Engine, limit: int = 50) -> tuple[RunRow, ...]:
    """The latest runs, newest first."""
    with reading(engine) as session:
        return tuple(
            run_row(run)
            for run in session.exec(
                select(Run)
                .where(Run.source_id != SHIPPED_SOURCE)
                .order_by(col(Run.finished_at).desc(), col(Run.id))
                .limit(limit)
            )
        )


def standing(engine: Engine) -> Standing:
    """Where things stand now."""
    with reading(engine) as session:
        newest = select(Run.source_id, func.max(Run.finished_at).label("at")).group_by(Run.source_id).subquery()
        latest = session.exec(
            select(Run)
            .join(newest, (Run.source_id == newest.c.source_id) & (Run.finished_at == newest.c.at))  # type: ignore[arg-type]
            .where(Run.source_id != SHIPPED_SOURCE)
            .order_by(col(Run.finished_at).desc(), col(Run.id))
        ).all()
        last_runs = tuple(run_row(run) for run in latest)
        issue = session.exec(select(DigestIssue).order_by(col(DigestIssue.written_at).desc()).limit(1)).first()
        rehearsed = rehearsal_runs(session)
        return Standing(
            sources=source_states(session),
            last_runs=last_runs,
            quarantined=tuple(run for run in last_runs if run.state == RunState.QUARANTINED),
            waiting=waiting(session),
            notices=session.exec(select(func.count()).select_from(Notice)).one(),
            claims_live=session.exec(
                select(func.count()).select_from(Claim).where(col(Claim.state).in_(STANDING_STATES))
            ).one(),
            organisations=session.exec(select(func.count()).select_from(Organisation)).one(),
            last_digest=digest_row(issue) if issue else None,
            rehearsal=any(run.id in rehearsed for run in last_runs),
        )
