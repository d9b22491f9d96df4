"""Claims that changed in a period, each worded as it was at that time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlmodel import Session, col, select

from monitor.queries.facts import chunks, severity_rank
from monitor.queries.rows import ClaimRow, EventRow
from monitor.queries.then import claims_at
from monitor.queries.week_rows import ClaimChange
from monitor.tables.models import ClaimRevision, EventKind, PageVersion

CLAIM_KINDS = (
    EventKind.CLAIM_APPEARED,
    EventKind.CLAIM_REWORDED,
    EventKind.CLAIM_REAPPEARED,
    EventKind.CLAIM_WITHDRAWN,
    EventKind.CLAIM_FLAGGED,
    EventKind.CLAIM_CLEARED,
    EventKind.CLAIM_REVIEWED,
)


Worded = tuple[ClaimRevision, str]
"""A wording, and the capture that first had it."""


def claim_changes(
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
