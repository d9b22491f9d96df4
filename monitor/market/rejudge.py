"""Our rules or the registers changed: held texts are judged again, and what that changes is told as our doing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor.approved import informed
from monitor.classify import JudgedClaim, judge_document
from monitor.classify import approvals as compared
from monitor.config import Config
from monitor.history import Chronicle
from monitor.knowledge import Knowledge
from monitor.lives import ClaimState
from monitor.market.claims import ClaimWriter, PageReading, folded_quote, product_named
from monitor.market.clusters import group
from monitor.market.products import offered_on, reread_products, stretches_of
from monitor.reading.text import Document
from monitor.tables.db import id_of, reading, transaction
from monitor.tables.models import NOT_THERE, Cause, Claim, ClaimPlace, EventKind, Finding, Page, PageVersion

_BATCH = 200
"""Pages in one transaction: long enough to be quick, short enough not to keep other writers waiting."""


def rejudge(engine: Engine, knowledge: Knowledge, config: Config, *, now: datetime) -> dict[str, int]:
    """Apply the knowledge to every page that was judged under another version of it. Gives events by kind.

    Pages whose statements of approval no longer agree with what the registers show are judged again too.
    """
    with reading(engine) as session:
        knowledge = informed(session, knowledge)
        stale = _stale_pages(session, knowledge)
        other = _otherwise_registered(session, knowledge) - stale
    counts: Counter[str] = Counter()
    for pages, occasion in ((stale, f"rules {knowledge.version}"), (other, f"registers as of {now.isoformat()}")):
        for batch in _batches(sorted(pages)):
            with transaction(engine) as session:
                for page_id in batch:
                    page = session.get_one(Page, page_id)
                    version = session.get_one(PageVersion, page.current_version_id)
                    made = rejudge_page(
                        session, page, version, knowledge, config.jurisdictions, at=now, occasion=occasion
                    )
                    counts.update(made)
    return dict(counts)


def _stale_pages(session: Session, knowledge: Knowledge) -> set[int]:
    """Pages judged under another version of the knowledge."""
    statement = select(Page.id).join(PageVersion, PageVersion.id == Page.current_version_id)  # type: ignore[arg-type]
    # what a page said that is not there any more stands nowhere, whatever the rules
    there = statement.where(col(Page.state).not_in(NOT_THERE))
    stale = there.where(PageVersion.knowledge_version != knowledge.version)
    return {page_id for page_id in session.exec(stale) if page_id is not None}


def _otherwise_registered(session: Session, knowledge: Knowledge) -> set[int]:
    """Pages with a claim of approval that was compared with a register which says otherwise now."""
    statement = select(Claim, Finding.jurisdiction).join(Finding, Finding.claim_id == Claim.id)  # type: ignore[arg-type]
    standing = statement.where(
        Claim.category == compared.CATEGORY, Claim.state == ClaimState.LIVE, col(Finding.current)
    )
    codes: dict[int, list[str]] = {}
    claims: dict[int, Claim] = {}
    for claim, code in session.exec(standing):
        claims[id_of(claim)] = claim
        codes.setdefault(id_of(claim), []).append(code)
    return {
        claim.page_id
        for key, claim in claims.items()
        if bool(compared.authorised(claim.quote, codes[key], knowledge.register)) != (compared.MATCHES in claim.why)
    }


def _batches(ids: Sequence[int]) -> Iterator[list[int]]:
    for first in range(0, len(ids), _BATCH):
        yield list(ids[first : first + _BATCH])


def rejudge_page(
    session: Session,
    page: Page,
    version: PageVersion,
    knowledge: Knowledge,
    jurisdictions: Sequence[str],
    *,
    at: datetime,
    occasion: str = "",
) -> dict[str, int]:
    """Judge a held text again and settle its claims under the new rules. Gives events by kind.

    `occasion`: what changed, so that it is told once; left out: the rules.
    """
    document = Document.from_json(version.text, version.document)
    judgement = judge_document(document, knowledge, url=page.url)
    version.knowledge_version = judgement.knowledge_version
    version.decision = judgement.decision
    version.dropped = [claim.to_json() for claim in judgement.dropped]
    page.reading = ""  # it was read under other rules
    page.role = judgement.role
    page.jurisdictions = [{"code": one.code, "why": one.why} for one in judgement.addressed]
    session.add_all([version, page])
    occasion = f"{occasion or f'rules {knowledge.version}'} page {page.id}"
    chronicle = Chronicle(session, run_id=None, source_id=page.source_id, baseline=False, occasion=occasion)
    offered = stretches_of(offered_on(page, version, judgement, knowledge))
    about = product_named(judgement, page.url, knowledge)
    read = PageReading(page, id_of(version), version.knowledge_version, judgement.findings, at, about, offered)
    _Rejudged(session, read, ClaimWriter(session, jurisdictions), chronicle).settle()
    reread_products(session, page, version, judgement, knowledge)
    return dict(Counter(event.kind for event in chronicle.events))


class _Rejudged:
    """One page's claims under new rules, beside those it had under the old ones."""

    def __init__(self, session: Session, read: PageReading, writer: ClaimWriter, chronicle: Chronicle) -> None:
        self._session = session
        self._read = read
        self._writer = writer
        self._chronicle = chronicle
        self._worded: list[Claim] = []
        """Claims that are new, or whose quote is another one now."""

    def settle(self) -> None:
        judged: dict[tuple[str, str], JudgedClaim] = {}
        for claim in self._read.findings or ():
            judged.setdefault((claim.category, folded_quote(claim.statement.text)), claim)
        held = self._held()
        unclaimed = {key: claim for key, claim in held.items() if key not in judged}
        for key, claim in judged.items():
            old = held.get(key) or self._elsewhere(key)
            if old is None:
                # The same words under another category are the same claim, judged otherwise.
                old = next((one for other, one in unclaimed.items() if other[1] == key[1]), None)
                unclaimed = {other: one for other, one in unclaimed.items() if one is not old}
            self._settle_one(key, claim, old)
        for claim_row in unclaimed.values():
            self._clear(claim_row)
        group(self._session, self._worded)

    def _held(self) -> dict[tuple[str, str], Claim]:
        statement = select(Claim).join(ClaimPlace, ClaimPlace.claim_id == Claim.id)  # type: ignore[arg-type]
        rows = self._session.exec(statement.where(ClaimPlace.page_id == self._read.page.id, ClaimPlace.lacking == 0))
        return {(row.category, row.folded): row for row in rows}

    def _elsewhere(self, key: tuple[str, str]) -> Claim | None:
        """The same claim on another page of the site, or one that older rules had cleared."""
        statement = select(Claim).where(Claim.source_id == self._read.page.source_id)
        return self._session.exec(statement.where(Claim.category == key[0], Claim.folded == key[1])).first()

    def _settle_one(self, key: tuple[str, str], judged: JudgedClaim, claim: Claim | None) -> None:
        if claim is None:
            claim = self._writer.make(judged, self._read, key[1], self._chronicle)
            self._put_place(claim, judged)
            self._worded.append(claim)
            self._tell(EventKind.CLAIM_FLAGGED, claim, {"before": "no claim under the rules until now"})
            return
        before = {
            "category": claim.category,
            "decision": claim.decision,
            "severity": claim.severity,
            "state": claim.state,
        }
        if claim.quote != judged.statement.text:
            self._worded.append(claim)
        self._writer.describe(claim, judged, self._read)
        claim.folded = key[1]
        if claim.state in (ClaimState.SUPERSEDED, ClaimState.WITHDRAWN):
            claim.state, claim.ended_at = ClaimState.LIVE, None
        self._put_place(claim, judged)
        after = {
            "category": claim.category,
            "decision": claim.decision,
            "severity": claim.severity,
            "state": claim.state,
        }
        if before != after:
            self._tell(EventKind.CLAIM_FLAGGED, claim, {"judged_before": before, "judged_after": after})

    def _clear(self, claim: Claim) -> None:
        """The place goes; the claim goes with its last place, as our doing."""
        place = self._session.get_one(ClaimPlace, (claim.id, self._read.page.id))
        self._session.delete(place)
        self._session.flush()
        standing = self._session.exec(
            select(ClaimPlace.claim_id).where(ClaimPlace.claim_id == claim.id, ClaimPlace.lacking == 0)
        ).first()
        if standing is None:
            claim.state, claim.ended_at, claim.pending = ClaimState.SUPERSEDED, self._read.seen, {}
            self._session.add(claim)
            self._tell(EventKind.CLAIM_CLEARED, claim, {})

    def _put_place(self, claim: Claim, judged: JudgedClaim) -> None:
        page, version_id = self._read.page, self._read.version_id
        place = self._session.get(ClaimPlace, (claim.id, page.id)) or ClaimPlace(
            claim_id=id_of(claim), page_id=id_of(page), version_id=0, start=0, end=0, last_seen=self._read.seen
        )
        place.version_id, place.start, place.end, place.lacking = (
            version_id,
            judged.statement.start,
            judged.statement.end,
            0,
        )
        self._session.add(place)
        if claim.page_id == page.id:
            claim.version_id, claim.quote = version_id, judged.statement.text
            claim.start, claim.end = judged.statement.start, judged.statement.end
        self._session.add(claim)
        self._session.flush()

    def _tell(self, kind: EventKind, claim: Claim, more: dict[str, object]) -> None:
        self._chronicle.write(
            kind,
            Cause.RULES,
            object_kind="claim",
            object_id=id_of(claim),
            at=self._read.seen,
            jurisdictions=self._writer.codes(claim),
            severity=claim.severity,
            detail={**self._writer.detail(claim), **more, "knowledge_version": self._read.knowledge_version},
        )
