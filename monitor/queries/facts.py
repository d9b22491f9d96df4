"""Rows that several queries need, loaded in bulk: a constant number of statements whatever the number of rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from monitor.queries.rows import ClaimRow, EventRow, Evidence, FindingRow, Named, NoticeRow
from monitor.tables.models import (
    Capture,
    Claim,
    Event,
    Finding,
    Notice,
    NoticeOrganisation,
    Organisation,
    Page,
    PageVersion,
    Product,
    Run,
)

CHUNK = 900
"""Below SQLite's oldest limit of 999 bound values."""
SEVERITIES = ("High", "Medium", "Low")
LEARNED: ColumnElement[Any] = func.coalesce(Run.finished_at, Event.at)
"""When an event became known: at the end of the run that told it, which must be joined. Digests and landscapes both
count by it, so that their sums agree.

A withdrawal bears the time of the first reading that lacked the claim, and is known only by the second. By its own time
it would fall into a period whose digest is out already, and never be read by anyone.
"""


def severity_rank(severity: str) -> int:
    """0 for High; what has no severity comes last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def chunks(ids: Iterable[Any]) -> Iterator[list[Any]]:
    unique = sorted(set(ids))
    for start in range(0, len(unique), CHUNK):
        yield unique[start : start + CHUNK]


def rehearsal_runs(session: Session) -> frozenset[str]:
    """Runs that did not read the web: rehearsals, demo sources, and replays of either."""
    record = col(Run.record)
    rows = session.exec(
        select(Run.id, record["mode"].as_string(), record["replay_of"].as_string(), record["card"]["demo"].as_boolean())
    ).all()
    found = {run for run, mode, _, demo in rows if mode == "rehearsal" or demo}
    replays = {run: origin for run, _, origin, _ in rows if origin}
    while grown := {run for run, origin in replays.items() if origin in found} - found:
        found |= grown
    return frozenset(found)


def event_row(event: Event) -> EventRow:
    return EventRow(
        id=event.id or 0,
        at=event.at,
        kind=event.kind,
        cause=event.cause,
        source_id=event.source_id,
        run_id=event.run_id,
        object_kind=event.object_kind,
        object_id=event.object_id,
        jurisdictions=tuple(event.jurisdictions),
        severity=event.severity,
        baseline=event.baseline,
        detail=event.detail,
    )


def events_of(session: Session, object_kind: str, object_id: int) -> tuple[EventRow, ...]:
    """An object's history, oldest first."""
    statement = (
        select(Event)
        .where(Event.object_kind == object_kind, Event.object_id == str(object_id))
        .order_by(col(Event.at), col(Event.id))
    )
    return tuple(event_row(event) for event in session.exec(statement))


def _findings(session: Session, claim_ids: Iterable[int]) -> dict[int, list[FindingRow]]:
    """Current findings by claim; for a claim that has none any more, those of its last judgement."""
    found: dict[int, list[Finding]] = defaultdict(list)
    for ids in chunks(claim_ids):
        for finding in session.exec(select(Finding).where(col(Finding.claim_id).in_(ids)).order_by(col(Finding.id))):
            found[finding.claim_id].append(finding)
    return {claim: [finding_row(finding) for finding in _standing(rows)] for claim, rows in found.items()}


def _standing(findings: list[Finding]) -> list[Finding]:
    current = [finding for finding in findings if finding.current]
    last = findings[-1].knowledge_version
    return current or [finding for finding in findings if finding.knowledge_version == last]


def finding_row(finding: Finding) -> FindingRow:
    return FindingRow(
        jurisdiction=finding.jurisdiction,
        rule_id=finding.rule_id,
        severity=finding.severity,
        confidence=finding.confidence,
        decision=finding.decision,
        assessed=finding.assessed,
        legal_basis=tuple(finding.legal_basis),
        addressed_why=finding.addressed_why,
        knowledge_version=finding.knowledge_version,
    )


def organisations_named(session: Session, ids: Iterable[int | None]) -> dict[int, Named]:
    named: dict[int, Named] = {}
    for some in chunks(i for i in ids if i is not None):
        for key, name in session.exec(select(Organisation.id, Organisation.name).where(col(Organisation.id).in_(some))):
            named[key or 0] = Named(key or 0, name)
    return named


class _Joined(NamedTuple):
    claim: Claim
    page: Page
    capture_id: str
    run_id: str
    product: Product | None

    @property
    def owner(self) -> int | None:
        if self.product and self.product.organisation_id:
            return self.product.organisation_id
        return self.page.organisation_id


def claim_rows(session: Session, statement: Select[tuple[int]] | Sequence[int]) -> dict[int, ClaimRow]:
    """Claims by id, each with page, product, organisation and findings."""
    ids = statement if isinstance(statement, Sequence) else [row[0] for row in session.execute(statement)]
    rehearsed = rehearsal_runs(session)
    rows: list[_Joined] = []
    for some in chunks(ids):
        # Without the version's text, which may be long.
        found = session.execute(
            sa_select(Claim, Page, col(PageVersion.capture_id), col(PageVersion.run_id), Product)
            .join(Page, col(Page.id) == Claim.page_id)
            .join(PageVersion, col(PageVersion.id) == Claim.version_id)
            .join(Product, col(Product.id) == Claim.product_id, isouter=True)
            .where(col(Claim.id).in_(some))
        )
        rows += [_Joined(*row) for row in found]
    findings = _findings(session, ids)
    named = organisations_named(session, (row.owner for row in rows))
    return {
        row.claim.id or 0: _claim_row(
            row,
            organisation=named.get(row.owner or 0),
            findings=tuple(findings.get(row.claim.id or 0, ())),
            rehearsal=row.run_id in rehearsed,
        )
        for row in rows
    }


def _claim_row(
    joined: _Joined, *, organisation: Named | None, findings: tuple[FindingRow, ...], rehearsal: bool
) -> ClaimRow:
    claim, page, product = joined.claim, joined.page, joined.product
    return ClaimRow(
        id=claim.id or 0,
        quote=claim.quote,
        category=claim.category,
        status=claim.status,
        rule_id=claim.rule_id,
        severity=claim.severity,
        confidence=claim.confidence,
        decision=claim.decision,
        review_state=claim.review_state,
        state=claim.state,
        hedged=claim.hedged,
        obfuscated=claim.obfuscated,
        why=claim.why,
        heading_path=tuple(claim.heading_path),
        page_id=claim.page_id,
        page_url=page.url,
        page_title=page.title,
        host=page.host,
        source_id=page.source_id,
        product=Named(product.id or 0, product.name) if product else None,
        organisation=organisation,
        first_seen=claim.first_seen,
        last_seen=claim.last_seen,
        ended_at=claim.ended_at,
        capture_id=joined.capture_id,
        baseline=claim.baseline,
        rehearsal=rehearsal,
        findings=findings,
        language=page.language,
    )


def in_order(claims: Iterable[ClaimRow]) -> tuple[ClaimRow, ...]:
    """Standing claims before ended ones, the most severe first."""
    return tuple(sorted(claims, key=lambda c: (c.ended_at is not None, severity_rank(c.severity), -c.confidence, c.id)))


def organisations_in(session: Session, notice_ids: Iterable[int]) -> dict[int, list[Named]]:
    """By notice, the organisations that it names, by name."""
    named: dict[int, list[Named]] = defaultdict(list)
    for ids in chunks(notice_ids):
        statement = (
            select(NoticeOrganisation.notice_id, Organisation.id, Organisation.name)
            .join(Organisation, col(Organisation.id) == NoticeOrganisation.organisation_id)
            .where(col(NoticeOrganisation.notice_id).in_(ids))
            .order_by(col(Organisation.name))
        )
        for notice_id, key, name in session.exec(statement):
            named[notice_id].append(Named(key or 0, name))
    return named


def notice_rows(session: Session, notices: Sequence[Notice]) -> dict[int, NoticeRow]:
    """Rows by notice id, with the organisations each names."""
    rehearsed = rehearsal_runs(session)
    named = organisations_in(session, (notice.id or 0 for notice in notices))
    rehearsals: set[str] = set()
    for ids in chunks(notice.capture_id for notice in notices):
        runs = session.exec(select(Capture.id, Capture.run_id).where(col(Capture.id).in_(ids)))
        rehearsals |= {capture for capture, run in runs if run in rehearsed}
    return {n.id or 0: _notice_row(n, tuple(named[n.id or 0]), n.capture_id in rehearsals) for n in notices}


def _notice_row(notice: Notice, organisations: tuple[Named, ...], rehearsal: bool) -> NoticeRow:
    terms = dict.fromkeys(str(term.get("term", "")) for term in notice.tier_terms)
    return NoticeRow(
        id=notice.id or 0,
        source_id=notice.source_id,
        key=notice.key,
        notice_type=notice.notice_type,
        title=notice.title,
        url=notice.url,
        authority=notice.authority,
        jurisdiction=notice.jurisdiction,
        language=notice.language,
        issued=notice.issued,
        posted=notice.posted,
        summary=notice.summary,
        tier=notice.tier,
        tier_terms=tuple(term for term in terms if term),
        organisations=organisations,
        unread=tuple(notice.unread),
        capture_id=notice.capture_id,
        first_seen=notice.first_seen,
        last_seen=notice.last_seen,
        baseline=notice.baseline,
        rehearsal=rehearsal,
    )


def notices_naming(session: Session, organisation_id: int | None) -> tuple[NoticeRow, ...]:
    """Notices that name an organisation, newest first."""
    if organisation_id is None:
        return ()
    found = session.exec(
        select(Notice)
        .join(NoticeOrganisation, col(NoticeOrganisation.notice_id) == Notice.id)
        .where(NoticeOrganisation.organisation_id == organisation_id)
    ).all()
    rows = notice_rows(session, found).values()
    return tuple(sorted(rows, key=lambda n: (n.posted or n.issued or n.first_seen.date(), n.id), reverse=True))


def evidence(session: Session, capture_id: str) -> Evidence | None:
    found = session.exec(
        select(Capture, Run.folder).join(Run, col(Run.id) == Capture.run_id).where(Capture.id == capture_id)
    ).first()
    if found is None:
        return None
    capture, folder = found
    return Evidence(
        capture_id=capture.id,
        url=capture.url,
        fetched_at=capture.fetched_at,
        status=capture.status,
        content_type=capture.content_type,
        payload_sha256=capture.payload_sha256,
        run_id=capture.run_id,
        run_folder=folder,
    )
