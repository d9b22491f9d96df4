"""A person's decision beside the machine's: kept through re-reading and changed rules, re-opened with the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor.history import Chronicle
from monitor.lives import ClaimState
from monitor.tables.db import id_of, reading, transaction
from monitor.tables.models import Cause, Claim, EventKind, Finding, Page, Review, ReviewState

DECISIONS = (ReviewState.CONFIRMED, ReviewState.DISMISSED)
_MACHINE = "Exowatch"


class NoSuchClaimError(LookupError):
    """No claim has this number."""


@dataclass(frozen=True)
class Waiting:
    """A claim as a reviewer's list shows it."""

    id: int
    quote: str
    category: str
    severity: str
    decision: str
    confidence: float
    review_state: str
    url: str
    why: str


def decide(engine: Engine, claim_id: int, state: ReviewState, *, reviewer: str, reason: str, at: datetime) -> None:
    """Add a decision about a claim. Raises NoSuchClaimError; ValueError for a decision without reviewer or reason."""
    if state not in DECISIONS:
        raise ValueError(f"a decision is one of {', '.join(DECISIONS)}, not {state}")
    if not reviewer.strip() or not reason.strip():
        raise ValueError("a decision needs a reviewer and a reason: others will read it, and so will you in a year")
    with transaction(engine) as session:
        claim = session.get(Claim, claim_id)
        if claim is None:
            raise NoSuchClaimError(f"no claim {claim_id}")
        row = _add(session, claim, state, reviewer=reviewer.strip(), reason=reason.strip(), at=at)
        chronicle = Chronicle(
            session, run_id=None, source_id=claim.source_id, baseline=False, occasion=f"review {id_of(row)}"
        )
        _tell(session, chronicle, claim, row)


def reopen(session: Session, claim: Claim, chronicle: Chronicle) -> None:
    """The wording changed: what was decided was decided about other words."""
    if claim.review_state in DECISIONS:
        reason = f"the wording changed after it was {claim.review_state}"
        row = _add(session, claim, ReviewState.REOPENED, reviewer=_MACHINE, reason=reason, at=claim.last_seen)
        _tell(session, chronicle, claim, row)


def _add(session: Session, claim: Claim, state: ReviewState, *, reviewer: str, reason: str, at: datetime) -> Review:
    page = session.get_one(Page, claim.page_id)
    row = Review(
        claim_id=id_of(claim),
        state=state,
        reason=reason,
        reviewer=reviewer,
        at=at,
        quote=claim.quote,
        category=claim.category,
        language=page.language,
    )
    claim.review_state = state
    session.add_all([row, claim])
    session.flush()
    return row


def _tell(session: Session, chronicle: Chronicle, claim: Claim, row: Review) -> None:
    page = session.get_one(Page, claim.page_id)
    current = select(Finding.jurisdiction).where(Finding.claim_id == claim.id, col(Finding.current).is_(True))
    chronicle.write(
        EventKind.CLAIM_REVIEWED,
        Cause.REVIEW,
        object_kind="claim",
        object_id=id_of(claim),
        at=row.at,
        jurisdictions=sorted(session.exec(current)),
        severity=claim.severity,
        detail={
            "quote": row.quote,
            "category": row.category,
            "state": row.state,
            "reviewer": row.reviewer,
            "reason": row.reason,
            "url": page.url,
        },
    )


def waiting(engine: Engine, *, states: Sequence[str], limit: int) -> list[Waiting]:
    """Standing claims in these review states: High severity first, then what the machine is least sure of."""
    standing = (ClaimState.LIVE, ClaimState.MISSING, ClaimState.REWORDING)
    with reading(engine) as session:
        statement = select(Claim, Page.url).join(Page, col(Page.id) == Claim.page_id)
        statement = statement.where(col(Claim.state).in_(standing), col(Claim.review_state).in_(states))
        rows = [_waiting(claim, url) for claim, url in session.exec(statement)]
    order = {"High": 0, "Medium": 1, "Low": 2}
    return sorted(rows, key=lambda row: (order.get(row.severity, 3), row.confidence, row.id))[:limit]


def _waiting(claim: Claim, url: str) -> Waiting:
    return Waiting(
        id=id_of(claim),
        quote=claim.quote,
        category=claim.category,
        severity=claim.severity,
        decision=claim.decision,
        confidence=claim.confidence,
        review_state=claim.review_state,
        url=url,
        why=claim.why,
    )


def decisions(engine: Engine, claim_id: int) -> list[Review]:
    """Every decision about a claim, oldest first."""
    with reading(engine) as session:
        return list(session.exec(select(Review).where(Review.claim_id == claim_id).order_by(col(Review.id))))


def labelled(engine: Engine) -> Iterator[dict[str, Any]]:
    """The latest decision about each wording, as labelled passages: what people taught."""
    with reading(engine) as session:
        latest: dict[tuple[int, str], Review] = {}
        for row in session.exec(select(Review).where(col(Review.state).in_(DECISIONS)).order_by(col(Review.id))):
            latest[row.claim_id, row.quote] = row
    for row in latest.values():
        positive = row.state == ReviewState.CONFIRMED
        yield {
            "id": f"review-{row.id}",
            "lang": row.language,
            "text": row.quote,
            "product_context": True,
            "positive": positive,
            "kind": "marketing claim" if positive else "reviewed",
            "role": "seller",
            "status": "affirmed" if positive else "none",
            "spans": [{"quote": row.quote, "category": row.category}] if positive else [],
        }
