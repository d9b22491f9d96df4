"""Rules and model together: what each stretch is decided to be, and the words that are quoted for it.

The model has learnt how far to trust the rules (they are half of its input); what a sentence says of itself
(negated, attributed, asked) stays the rules' word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from monitor.classify.model import Model, Readings, model
from monitor.classify.shapes import SELLING_ROLES, JudgedClaim
from monitor.classify.spans import Span
from monitor.classify.windows import PRODUCTS, Reader, Window
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import Fusion

_SELLING_VOICES = ("seller", "patient")
_TELLING = 40  # characters of a stretch that tells who speaks
_CROWD = 40  # stretches beyond which a page counts as no longer
_ENOUGH = 5  # such stretches, all different
_EXCUSED_BY_WORDS = frozenset({"negated", "attributed", "quoted", "question"})


@dataclass(frozen=True)
class ModelClaim:
    """A statement that no rule met and the model takes for a claim. Offsets are folded."""

    start: int
    end: int
    category: str
    status: str
    sure: float
    decision: str
    window: Window
    why: str


_BESIDE = frozenset({"sentence", "block", "heading", "neighbour"})
_READ_AT_MOST = 2_000
"""Stretches of one document that the model reads; the rules read all of it, and stand alone for the rest."""
_PASSAGES = 8
"""Stretches from which on a text is a whole page, no passage."""
Make = Callable[[ModelClaim], JudgedClaim]


def fuse(reader: Reader, make: Make, knowledge: Knowledge, lang: str) -> list[JudgedClaim]:
    """The rules' claims with the model's say in them, and the model's own, by place."""
    windows = list(islice(reader.windows(), _READ_AT_MOST))
    if not windows:
        return list(reader.claims)
    many = len(windows)
    if many > _PASSAGES and reader.role in SELLING_ROLES:
        # The rest of a seller's page could become nothing, whatever the model made of it: it need not be read.
        windows = [window for window in windows if window.stretch.claims or _may_speak(window)]
    return _Fused(reader, windows, many, make, knowledge, lang).claims() if windows else list(reader.claims)


class _Fused:
    def __init__(
        self, reader: Reader, windows: list[Window], many: int, make: Make, knowledge: Knowledge, lang: str
    ) -> None:
        self.reader = reader
        self.windows = windows
        self.make = make
        self.scoring: Fusion = knowledge.scoring.fusion
        self.may_flag = lang not in knowledge.scoring.review_only
        self.model: Model = model(knowledge)
        self.read: Readings = self.model.read([window.stretch for window in windows])
        self.reporting = self._reporting()
        self.whole_page = many > _PASSAGES
        self.many = float(np.log(min(many, _CROWD)))

    def claims(self) -> list[JudgedClaim]:
        sure: dict[int, float] = {}
        own: list[JudgedClaim] = []
        for number, window in enumerate(self.windows):
            said = self._sure(number)
            for claim in window.stretch.claims:
                sure[id(claim)] = max(said, sure.get(id(claim), 0.0))
            own.extend(self._own(number, said))
        ruled = [self._settled(claim, sure.get(id(claim))) for claim in self.reader.claims]
        return sorted([*ruled, *own], key=lambda claim: (claim.start, claim.end, claim.category, claim.rule_id))

    def _reporting(self) -> bool:
        """Does most of a page that does not look like a seller's speak in a voice that reports?"""
        long = [len(window.stretch.text) >= _TELLING for window in self.windows]
        different = {window.stretch.text for window, told in zip(self.windows, long, strict=True) if told}
        if self.reader.role in SELLING_ROLES or len(different) < _ENOUGH:
            return False
        selling = [number for number, voice in enumerate(self.model.heads.voices) if voice in _SELLING_VOICES]
        share = 1 - self.read.voices[:, selling].sum(axis=1)[long].mean()
        return bool(share >= self.scoring.reporting_page)

    def _sure(self, number: int) -> float:
        """The model's probability, less where the product is named far away."""
        sure = float(self.read.claim[number])
        far = self.windows[number].stretch.product == "page"
        return _shifted(sure, self.scoring.product_far) if far else sure

    def _settled(self, claim: JudgedClaim, sure: float | None) -> JudgedClaim:
        if claim.status != "affirmed" or sure is None:
            return claim
        share = self.scoring.rules_share
        joint = share * claim.confidence + (1 - share) * sure
        decision = self._decide(joint, crowd=self.scoring.crowd_ruled)
        if claim.decision == "drop" and self._of_other(claim):
            decision = "drop"
        why = claim.why
        if decision == "drop" and claim.decision != "drop":
            why = f"{claim.why} But the model reads no claim in it ({sure:.2f}): left out."
        return replace(claim, confidence=round(joint, 4), decision=decision, why=why)

    def _decide(self, sure: float, crowd: float) -> str:
        """A page with many statements is flagged for surer ones only; none is left out for the page's length."""
        if self.may_flag and not self.reporting and _shifted(sure, -crowd * self.many) >= self.scoring.flag:
            return "flag"
        return "review" if sure >= self.scoring.review else "drop"

    def _own(self, number: int, sure: float) -> Iterator[JudgedClaim]:
        window = self.windows[number]
        decision = self._decide(sure, crowd=self.scoring.crowd)
        ruled = any(claim.status == "affirmed" for claim in window.stretch.claims)
        if (
            ruled
            or decision == "drop"
            or sure < self.scoring.own
            or (self.whole_page and not self._plain(window, decision))
        ):
            return
        span = self._place(window, sure)
        if span is None:
            return
        heads = self.model.heads
        category = heads.categories[int(self.read.categories[number].argmax())]
        voice = heads.voices[int(self.read.voices[number].argmax())]
        why = (
            f"Model {self.model.digest}: no rule met; its wording is that of a claim ({sure:.2f}), "
            f"most like {category}, in the voice of a {voice}."
        )
        if self.reader.excuse or self.reporting:
            decision = "drop"
            why += " Left out: the page does not speak for a seller."
        elif not self.may_flag:
            why += " In this language a person decides."
        status = self.reader.excuse or "affirmed"
        yield self.make(ModelClaim(span.start, span.end, category, status, sure, decision, window, why))

    def _plain(self, window: Window, decision: str) -> bool:
        """On a whole page the model speaks for itself only where it is sure, of a statement beside the product.

        It learnt from passages that people chose; a page is mostly menus, counters, names and prices, none of which
        resembles anything that it was taught to leave alone.
        """
        return decision == "flag" and _may_speak(window)

    def _place(self, window: Window, sure: float) -> Span | None:
        """The sentence that is most of a claim; none if what they say of themselves excuses every one."""
        if window.stretch.claims and sure < self.scoring.flag:
            return None  # the rules met something here, and excused it
        if any(hit.name == "cue:denying" and hit.start == window.part.start for hit in window.part.hits):
            return None  # the answer to a question, and it is no
        spans = [span for span in window.spans if not self._excused(span, window)]
        if len(spans) <= 1:
            return spans[0] if spans else None
        near, claims = window.stretch.product, window.stretch.claims
        single = [self.reader.window(window.part, [span], near, claims).stretch for span in spans]
        return spans[int(self.model.read(single).place.argmax())]

    def _excused(self, span: Span, window: Window) -> bool:
        if span.question or _other(hit.name for hit in window.part.hits if span.start <= hit.start < span.end):
            return True
        first, last = self.reader.page.folded.span(span.start, span.end)
        claims = (claim for claim in window.stretch.claims if claim.start < last and claim.end > first)
        return any(claim.status in _EXCUSED_BY_WORDS for claim in claims)

    def _of_other(self, claim: JudgedClaim) -> bool:
        part = self.reader.page.parts[claim.block_id]
        at = self.reader.page.folded.span
        return _other(hit.name for hit in part.hits if claim.start <= at(hit.start, hit.end)[0] < claim.end)


def _may_speak(window: Window) -> bool:
    """Could a stretch of a whole page be a claim by the model's word alone? Beside the product, with a word we know."""
    stretch = window.stretch
    return stretch.product in _BESIDE and any(
        not hit.name.startswith("cue:") and hit.name not in PRODUCTS for hit in stretch.hits
    )


def _other(names: Iterable[str]) -> bool:
    """Does a sentence speak of another product, and of ours not at all?"""
    found = set(names)
    return "other_product" in found and not found & PRODUCTS


def _shifted(sure: float, by: float) -> float:
    """A probability whose log odds are moved."""
    odds = np.log(max(sure, 1e-6) / max(1 - sure, 1e-6)) + by
    return float(1 / (1 + np.exp(-odds)))
