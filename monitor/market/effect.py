"""What edited knowledge would do to the findings that are held: what appears, vanishes, changes. Writes nothing.

Follows `rejudge` step by step over held texts, in memory; what it says is what `rejudge` then does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor.approved import informed
from monitor.classify import JudgedClaim, Judgement, judge_document
from monitor.knowledge import Knowledge
from monitor.lives import ClaimState
from monitor.market.claims import folded_quote, highest, limited
from monitor.reading.text import Document
from monitor.tables.db import id_of, reading
from monitor.tables.models import NOT_THERE, Claim, ClaimPlace, Finding, Page, PageVersion

_STANDING = frozenset({ClaimState.LIVE, ClaimState.MISSING, ClaimState.REWORDING})
Key = tuple[str, str]


@dataclass(frozen=True)
class View:
    """A claim as it is judged: what a change of rules may change. `law`: code → (severity, provisions)."""

    category: str
    decision: str
    severity: str
    rule_id: str
    law: tuple[tuple[str, str, tuple[str, ...]], ...]

    def differs(self, other: View) -> tuple[str, ...]:
        """Names of what is not the same."""
        names = ("category", "decision", "severity", "law")
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))

    def to_json(self) -> dict[str, Any]:
        return {
            "category": self.category,
            "decision": self.decision,
            "severity": self.severity,
            "rule_id": self.rule_id,
            "law": {code: {"severity": severity, "legal_basis": list(basis)} for code, severity, basis in self.law},
        }


@dataclass(frozen=True)
class Shift:
    """One claim that would be judged otherwise. `claim_id` None: there is none yet."""

    kind: str
    """`appears`, `vanishes` or `changes`."""
    claim_id: int | None
    quote: str
    url: str
    before: View | None
    after: View | None
    why: str

    @property
    def changed(self) -> tuple[str, ...]:
        return self.before.differs(self.after) if self.before and self.after else ()

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "claim": self.claim_id,
            "quote": self.quote,
            "url": self.url,
            "changed": list(self.changed),
            "before": self.before.to_json() if self.before else None,
            "after": self.after.to_json() if self.after else None,
            "why": self.why,
        }


@dataclass(frozen=True)
class Effect:
    """`pages`: texts judged again; `behind`: how many of them stand under other rules than those in use."""

    knowledge_version: str
    pages: int
    behind: int
    standing: int
    shifts: tuple[Shift, ...]

    def of(self, kind: str) -> tuple[Shift, ...]:
        return tuple(one for one in self.shifts if one.kind == kind)


@dataclass(eq=False)
class _Held:
    """A claim while rules are applied to it in memory."""

    order: int
    id: int | None
    folded: str
    quote: str
    url: str
    state: str
    now: View
    before: View | None
    places: dict[int, int] = field(default_factory=dict)
    """Page → good readings in a row without it."""
    why: str = ""

    @property
    def key(self) -> Key:
        return self.now.category, self.folded


def effect(
    engine: Engine,
    knowledge: Knowledge,
    jurisdictions: Sequence[str],
    *,
    in_use: str = "",
    told: Callable[[int, int], None] | None = None,
) -> Effect:
    """What `rejudge` would do under `knowledge`. `in_use`: version in use now; `told(done, all)` after each page."""
    shifts: list[Shift] = []
    done = behind = standing = 0
    with reading(engine) as session:
        knowledge = informed(session, knowledge)
        stale = _stale(session, knowledge.version)
        pages = sum(map(len, stale.values()))
        for source_id, page_ids in stale.items():
            source = _Source(session, source_id, jurisdictions)
            standing += source.standing
            for page_id in page_ids:
                page = session.get_one(Page, page_id)
                version = session.get_one(PageVersion, page.current_version_id)
                behind += bool(in_use) and version.knowledge_version != in_use
                document = Document.from_json(version.text, version.document)
                source.apply(page, judge_document(document, knowledge, url=page.url))
                session.expunge(version)
                done += 1
                if told:
                    told(done, pages)
            shifts += source.shifts()
    order = {"appears": 0, "vanishes": 1, "changes": 2}
    shifts.sort(key=lambda one: (order[one.kind], one.url, one.claim_id or 0, one.quote))
    return Effect(knowledge.version, done, behind, standing, tuple(shifts))


def _stale(session: Session, version: str) -> dict[str, list[int]]:
    """Pages judged under another version, by source. A claim never leaves its source, so each goes by itself."""
    statement = select(Page.source_id, Page.id).join(PageVersion, col(PageVersion.id) == Page.current_version_id)
    statement = statement.where(col(Page.state).not_in(NOT_THERE))
    found: dict[str, list[int]] = {}
    for source_id, page_id in session.exec(
        statement.where(PageVersion.knowledge_version != version).order_by(Page.source_id, col(Page.id))
    ):
        if page_id is not None:
            found.setdefault(source_id, []).append(page_id)
    return found


class _Source:
    """The claims of one source, in memory."""

    def __init__(self, session: Session, source_id: str, jurisdictions: Sequence[str]) -> None:
        self._jurisdictions = jurisdictions
        findings: dict[int, list[Finding]] = {}
        for finding in session.exec(
            select(Finding)
            .join(Claim, col(Claim.id) == Finding.claim_id)
            .where(Claim.source_id == source_id, col(Finding.current).is_(True))
        ):
            findings.setdefault(finding.claim_id, []).append(finding)
        urls = {page.id: page.url for page in session.exec(select(Page).where(Page.source_id == source_id))}
        self._claims: list[_Held] = []
        self._by_key: dict[Key, list[_Held]] = {}
        self._by_page: dict[int, list[_Held]] = {}
        by_id: dict[int, _Held] = {}
        for claim in session.exec(select(Claim).where(Claim.source_id == source_id).order_by(col(Claim.id))):
            view = _stored(claim, findings.get(id_of(claim), []))
            before = view if claim.state in _STANDING else None
            url = urls[claim.page_id]
            by_id[id_of(claim)] = self._add(claim.id, claim.folded, claim.quote, url, claim.state, view, before)
        for place in session.exec(
            select(ClaimPlace).join(Claim, col(Claim.id) == ClaimPlace.claim_id).where(Claim.source_id == source_id)
        ):
            by_id[place.claim_id].places[place.page_id] = place.lacking
            self._by_page.setdefault(place.page_id, []).append(by_id[place.claim_id])
        self.standing = sum(one.before is not None for one in self._claims)

    def _add(
        self, claim_id: int | None, folded: str, quote: str, url: str, state: str, view: View, before: View | None
    ) -> _Held:
        made = _Held(len(self._claims), claim_id, folded, quote, url, state, view, before)
        self._claims.append(made)
        self._by_key.setdefault(made.key, []).append(made)
        return made

    def apply(self, page: Page, judgement: Judgement) -> None:
        """One page under the new rules."""
        judged: dict[Key, JudgedClaim] = {}
        for claim in judgement.findings:
            judged.setdefault((claim.category, folded_quote(claim.statement.text)), claim)
        held = {one.key: one for one in self._by_page.get(id_of(page), []) if one.places.get(id_of(page)) == 0}
        unclaimed = {key: one for key, one in held.items() if key not in judged}
        for key, claim in judged.items():
            old = held.get(key) or min(self._by_key.get(key, []), key=lambda one: one.order, default=None)
            if old is None:
                old = next((one for other, one in unclaimed.items() if other[1] == key[1]), None)
                unclaimed = {other: one for other, one in unclaimed.items() if one is not old}
            self._settle(page, key, claim, old)
        for one in unclaimed.values():
            self._clear(page, one, judgement.dropped)

    def _settle(self, page: Page, key: Key, judged: JudgedClaim, old: _Held | None) -> None:
        view = self._judged(judged)
        if old is None:
            old = self._add(None, key[1], judged.statement.text, page.url, ClaimState.LIVE, view, None)
        if old.state in (ClaimState.SUPERSEDED, ClaimState.WITHDRAWN):
            old.state = ClaimState.LIVE
        self._by_key[old.key].remove(old)
        old.now, old.folded, old.why = view, key[1], judged.why
        self._by_key.setdefault(old.key, []).append(old)
        if id_of(page) not in old.places:
            self._by_page.setdefault(id_of(page), []).append(old)
        old.places[id_of(page)] = 0

    def _clear(self, page: Page, one: _Held, dropped: Iterable[JudgedClaim]) -> None:
        del one.places[id_of(page)]
        self._by_page[id_of(page)].remove(one)
        if 0 in one.places.values():
            return
        one.state = ClaimState.SUPERSEDED
        reasons = [claim.why for claim in dropped if folded_quote(claim.statement.text) == one.folded]
        one.why = reasons[0] if reasons else "No rule is met by it any more."

    def _judged(self, judged: JudgedClaim) -> View:
        law = tuple(limited(verdict, self._jurisdictions) for verdict in judged.jurisdictions)
        severity = highest(one.severity for one in law if one.assessed)
        return View(
            judged.category,
            judged.decision,
            severity,
            judged.rule_id,
            tuple(sorted({one.code: (one.code, one.severity, one.legal_basis) for one in law}.values())),
        )

    def shifts(self) -> Iterator[Shift]:
        for one in self._claims:
            after = one.now if one.state in _STANDING else None
            if one.before is None and after is not None:
                yield Shift("appears", one.id, one.quote, one.url, None, after, one.why)
            elif one.before is not None and after is None:
                yield Shift("vanishes", one.id, one.quote, one.url, one.before, None, one.why)
            elif one.before is not None and after is not None and one.before.differs(after):
                yield Shift("changes", one.id, one.quote, one.url, one.before, after, one.why)


def _stored(claim: Claim, findings: Iterable[Finding]) -> View:
    law = tuple(sorted((row.jurisdiction, row.severity, tuple(row.legal_basis)) for row in findings))
    return View(claim.category, claim.decision, claim.severity, claim.rule_id, law)
