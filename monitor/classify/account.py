"""A reading retold step by step: where a statement stands, what met what, which excuses were looked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from monitor.classify.language import languages
from monitor.classify.scan import Hit, scanner
from monitor.classify.shapes import EXCUSED_STATUSES, Cue, JudgedClaim, Judgement, Verdict
from monitor.classify.spans import sentences
from monitor.folding import Folded, fold
from monitor.knowledge import Knowledge
from monitor.knowledge.precedents import Near, Precedents

_CUES = {
    "negated": ("negation", "denial"),
    "attributed": ("attribution",),
    "quoted": ("quoted",),
    "scientific": ("scientific",),
    "question": ("question",),
    "cosmetic": (),
}
_ALL_CUES = frozenset(kind for kinds in _CUES.values() for kind in kinds)
_WORDS_SHOWN = 12
_LOOKED_FOR = {
    "negated": "words that deny the statement",
    "attributed": "words that put it into others' mouths",
    "quoted": "the voice of a regulator that quotes or answers it",
    "scientific": "the voice of a study",
    "question": "a question that is not answered with yes",
    "cosmetic": "a statement about looks alone",
}


@dataclass(frozen=True)
class Word:
    """Words of the page and what they met: a word class, or a kind of context cue."""

    text: str
    start: int
    end: int
    meets: str


@dataclass(frozen=True)
class Excuse:
    """One status that would have excused the statement. `acted`: its words; `weak`: those that did not suffice."""

    status: str
    looked_for: str
    found: bool
    acted: tuple[Word, ...]
    weak: tuple[Word, ...]


@dataclass(frozen=True)
class RuleStep:
    """The claim rule that was met. A reading of the model has no row: `note` says so."""

    id: str
    note: str
    source: str
    needs: tuple[tuple[str, ...], ...]
    lead: tuple[tuple[str, ...], ...]
    """For list items: what must stand in the heading or sentence that leads the list in."""


@dataclass(frozen=True)
class Cited:
    """A provision as the law table holds it."""

    id: str
    provision: str
    summary: str
    source: str
    url: str
    read_on: str
    status: str
    signed_by: str


@dataclass(frozen=True)
class LawStep:
    code: str
    assessed: bool
    severity: str
    why: str
    cited: tuple[Cited, ...]
    disputed: tuple[str, ...]
    """Provisions whose sources contradict each other: a person has to decide."""


@dataclass(frozen=True)
class Account:
    """One statement, flagged or not, with all that was made of it. Offsets count in the document's text."""

    quote: str
    start: int
    end: int
    statement: str
    """The whole clauses that the quote stands in."""
    decision: str
    status: str
    category: str
    meaning: str
    block: str
    heading_path: tuple[str, ...]
    product: str
    rule: RuleStep
    words: tuple[Word, ...]
    excuses: tuple[Excuse, ...]
    hedges: tuple[Word, ...]
    disguised_as: str
    """The quote as it was read, where look-alike letters or hidden characters disguise it; else empty."""
    confidence: float
    flag_at: float
    review_at: float
    person_only: bool
    """In this language a person decides every finding."""
    law: tuple[LawStep, ...]
    precedents: tuple[Near, ...]
    why: str

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "precedents": [near.to_json() for near in self.precedents]}


def accounts(
    judgement: Judgement, claims: Iterable[JudgedClaim], knowledge: Knowledge, precedents: Precedents
) -> list[Account]:
    """The account of each of some claims of a judgement. `knowledge` is what it was judged under."""
    teller = _Teller(judgement, knowledge, precedents)
    return [teller.tell(claim) for claim in claims]


class _Teller:
    def __init__(self, judgement: Judgement, knowledge: Knowledge, precedents: Precedents) -> None:
        self._judgement = judgement
        self._knowledge = knowledge
        self._precedents = precedents
        self._folded = fold(judgement.document.text)
        self._rules = {rule.id: rule.row for rule in knowledge.claims}
        hits = scanner(knowledge, languages(judgement.lang, self._folded.text)).hits(self._folded.text)
        self._context = [_cue(hit, self._folded) for hit in hits if hit.name.removeprefix("cue:") in _ALL_CUES]
        self._classes = [_cue(hit, self._folded) for hit in hits if hit.cue is None]

    def tell(self, claim: JudgedClaim) -> Account:
        scoring, category = self._knowledge.scoring, self._knowledge.categories.get(claim.category)
        levels = scoring.fusion.levels(self._judgement.whole_page)
        own = [self._word(cue) for cue in claim.cues]
        words = [word for word in own if word.meets not in _ALL_CUES and word.meets != "hedge"]
        return Account(
            quote=claim.quote,
            start=claim.start,
            end=claim.end,
            statement=claim.statement.text,
            decision=claim.decision,
            status=claim.status,
            category=claim.category,
            meaning=category.meaning if category else "",
            block=self._judgement.document.blocks[claim.block_id].kind,
            heading_path=claim.heading_path,
            product=claim.product,
            rule=self._rule(claim),
            words=tuple(words) if claim.rule_id in self._rules else self._met_inside(claim),
            excuses=tuple(self._excuse(status, claim, own) for status in EXCUSED_STATUSES),
            hedges=tuple(word for word in own if word.meets == "hedge"),
            disguised_as=fold(claim.statement.text).text if claim.obfuscated else "",
            confidence=claim.confidence,
            flag_at=levels.flag,
            review_at=levels.review,
            person_only=self._judgement.lang in scoring.review_only,
            law=tuple(self._law(verdict) for verdict in claim.jurisdictions),
            precedents=self._precedents.nearest(claim.statement.text, claim.category),
            why=claim.why,
        )

    def _word(self, cue: Cue) -> Word:
        return Word(self._judgement.document.text[cue.start : cue.end], cue.start, cue.end, cue.kind)

    def _met_inside(self, claim: JudgedClaim) -> tuple[Word, ...]:
        """The model decides by the whole wording; these are the classes that its words belong to."""
        inside = (cue for cue in self._classes if claim.start <= cue.start and cue.end <= claim.end)
        return tuple(self._word(cue) for cue in inside)[:_WORDS_SHOWN]

    def _rule(self, claim: JudgedClaim) -> RuleStep:
        row = self._rules.get(claim.rule_id)
        if row is None:
            return RuleStep(claim.rule_id, "no rule of the claims files: the model reads a claim in it", "", (), ())
        return RuleStep(row.id, row.note, row.source, tuple(tuple(slot) for slot in row.needs), row.lead)

    def _excuse(self, status: str, claim: JudgedClaim, own: Sequence[Word]) -> Excuse:
        kinds = _CUES[status]
        acted = tuple(word for word in own if word.meets in kinds) if claim.status == status else ()
        start, end = self._sentence(claim)
        weak = tuple(
            self._word(cue)
            for cue in self._context
            if cue.kind in kinds
            and start <= cue.start
            and cue.end <= end
            and all((cue.start, cue.end) != (word.start, word.end) for word in acted)
        )
        return Excuse(status, _LOOKED_FOR[status], claim.status == status, acted, weak)

    def _sentence(self, claim: JudgedClaim) -> tuple[int, int]:
        """Around its quote: what excuses a claim often stands before or after it."""
        block = self._judgement.document.blocks[claim.block_id]
        for span in sentences(self._judgement.document.text, block.start, block.end):
            if span.start <= claim.start < span.end:
                return span.start, max(span.end, claim.end)
        return claim.start, claim.end

    def _law(self, verdict: Verdict) -> LawStep:
        cited = tuple(self._cited(one) for one in verdict.legal_basis)
        return LawStep(verdict.code, verdict.assessed, verdict.severity, verdict.why, cited, verdict.disputed)

    def _cited(self, provision_id: str) -> Cited:
        row = self._knowledge.law.provision(provision_id)
        return Cited(
            id=row.id,
            provision=f"{row.instrument}, {row.provision}",
            summary=row.summary,
            source=f"{row.source.title} ({row.source.kind})" if row.source else "",
            url=row.source.url if row.source else "",
            read_on=row.read_on.isoformat() if row.read_on else "",
            status=row.status,
            signed_by=row.signed_by or "",
        )


def _cue(hit: Hit, folded: Folded) -> Cue:
    start, end = folded.span(hit.start, hit.end)
    return Cue(start, end, hit.name.removeprefix("cue:"))
