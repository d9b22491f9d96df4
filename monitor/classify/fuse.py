"""Rules and model together: what each stretch is decided to be, and the words that are quoted for it.

What a sentence says of itself (negated, attributed, asked) stays the rules' word; whether it reads like a claim is
the model's, beside the rules' own confidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import get_args

import numpy as np

from monitor.classify.compose import PRODUCTS
from monitor.classify.model import Model, Readings, Sifted, model
from monitor.classify.pieces import Floats
from monitor.classify.shapes import SELLING_ROLES, JudgedClaim
from monitor.classify.spans import Span
from monitor.classify.windows import Reader, Window
from monitor.flicker import counts
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import Fusion, Kind

_CUES = frozenset(get_args(Kind))
_SELLING_VOICES = ("seller", "patient")
_TELLING = 40  # characters of a stretch that tells who speaks
_CROWD = 40  # stretches beyond which a page counts as no longer
_HEARD = 12  # stretches of a page that are read for their voice
_ENOUGH = 5  # such stretches, all different
_EXCUSED_BY_ASKING = frozenset({"question"})
_EXCUSED_FOR_SURE = _EXCUSED_BY_ASKING | {"attributed", "quoted"}
_EXCUSED_BY_WORDS = _EXCUSED_FOR_SURE | {"negated"}
_BESIDE = frozenset({"sentence", "block", "heading", "neighbour"})
_SIFTED_AT_MOST = 2_000
"""Stretches of one document that the model looks at; the rules read all of it, and stand alone for the rest."""
_READ_AT_MOST = 16
"""Stretches of one document that the model reads: those that look most like claims."""
_PASSAGES = 8
"""Stretches from which on a text is a whole page, no passage."""
_LONG_QUOTE = 72
_SUBJECTS = ("condition", "symptom", "illness", "hair_effect", "body_function", "vulnerable_condition")
_NO_WARNING = frozenset({"none", "absolute", "safe", "safe_and_effective", "guarantee", "act_treat", "act_reduce"})
_DENSE = "\u2e80"  # from here on scripts are written without spaces (but Hangul, whose words are short)
_ASKING = ("?", "？", "؟")
_LOOPHOLE = "legal_loophole"
_FEW_LETTERS = 4
_FEW_WORDS = 4
_FEW_SIGNS = 8  # in scripts that are written without spaces
_WORD = 9  # characters
_LEFT = 3  # words of a clause that are quoted with the rest of it
_CLAUSE = re.compile(r"[,;:.!?()\u2013\u2014\u2026、，。；：！？]")
_MARKED = 0.35  # how likely a piece must be part of the claim to be quoted
_TRUSTED = 0.8
"""From this probability on the model is believed although a rule took a word of the sentence for a negation, or for
another product: "where nothing shows on a scan, exosomes help" is a claim. It is hardly ever so sure of "they do not
help".
"""
_SHORT, _SHORT_WORDS = 80, 10  # characters and words of a plain statement
_MET = 0.8  # how sure the rules are of one
_CERTAIN, _SELLS = 0.95, 0.9
"""From these probabilities of claim and seller's voice on, it is believed although a rule heard another speak."""


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


Make = Callable[[ModelClaim], JudgedClaim]


def fuse(reader: Reader, make: Make, knowledge: Knowledge, lang: str) -> list[JudgedClaim]:
    """The rules' claims with the model's say in them, and the model's own, by place."""
    windows = list(islice(reader.windows(), _SIFTED_AT_MOST))
    return _Fused(reader, windows, make, knowledge, lang).claims() if windows else list(reader.claims)


class _Fused:
    def __init__(self, reader: Reader, windows: list[Window], make: Make, knowledge: Knowledge, lang: str) -> None:
        self.reader = reader
        self.windows = windows
        self.make = make
        self.scoring: Fusion = knowledge.scoring.fusion
        self.denials = frozenset(
            rule.id for rule in knowledge.claims if rule.row.negation_is_claim or rule.category == _LOOPHOLE
        )
        self.may_flag = lang not in knowledge.scoring.review_only
        self.model: Model = model(knowledge)
        self.whole_page = len(windows) > _PASSAGES
        self.many = float(np.log(min(len(windows), _CROWD)))
        self.sifted: Sifted = self.model.sift([window.stretch.text for window in windows])
        self.chosen = self._chosen()
        stretches = [window.stretch for window in windows]
        self.read: Readings = self.model.read(stretches, self.sifted, self.chosen)

    def claims(self) -> list[JudgedClaim]:
        best: dict[int, tuple[float, int]] = {}
        own: list[JudgedClaim] = []
        for row, number in enumerate(self.chosen):
            window = self.windows[number]
            said = self._sure(row, window)
            for claim in window.stretch.claims:
                best[id(claim)] = max((said, row), best.get(id(claim), (0.0, row)))
            own.extend(self._own(row, window, said))
        ruled = [self._settled(claim, *best.get(id(claim), (None, 0))) for claim in self.reader.claims]
        return sorted([*ruled, *own], key=lambda claim: (claim.start, claim.end, claim.category, claim.rule_id))

    def _chosen(self) -> list[int]:
        """Which stretches are read: all of a passage; of a page those that could become or lose a claim."""
        if not self.whole_page:
            return list(range(len(self.windows)))
        promising = frozenset(np.flatnonzero(self.sifted.claim >= self.scoring.sift).tolist())
        found = []
        for number, window in enumerate(self.windows):
            claims = window.stretch.claims
            ruled = bool(claims) and any(claim.status == "affirmed" for claim in claims)
            if ruled or (number in promising and _may_speak(window)):
                found.append(number)
        likeliest = sorted(found, key=lambda number: (-float(self.sifted.claim[number]), number))
        return sorted(likeliest[:_READ_AT_MOST])

    @cached_property
    def reporting(self) -> bool:
        """Does a page that does not look like a seller's speak in voices that report?

        At first sight all of it is heard, and some of it is read: the mean of both decides.
        """
        long = [number for number, window in enumerate(self.windows) if len(window.stretch.text) >= _TELLING]
        different = {self.windows[number].stretch.text for number in long}
        if self.reader.role in SELLING_ROLES or len(different) < _ENOUGH:
            return False
        some = long[:: max(1, len(long) // _HEARD)][:_HEARD]
        read = self.model.read([window.stretch for window in self.windows], self.sifted, some)
        share = (self._reports(self.sifted.voices[long]) + self._reports(read.voices)) / 2
        return share >= self.scoring.reporting_page

    def _reports(self, voices: Floats) -> float:
        selling = [number for number, voice in enumerate(self.model.heads.voices) if voice in _SELLING_VOICES]
        return float(1 - voices[:, selling].sum(axis=1).mean())

    def _sure(self, row: int, window: Window) -> float:
        """The model's probability, less where the product is named far away."""
        sure = float(self.read.claim[row])
        return _shifted(sure, self.scoring.product_far) if window.stretch.product == "page" else sure

    def _settled(self, claim: JudgedClaim, sure: float | None, row: int) -> JudgedClaim:
        if claim.status != "affirmed" or sure is None:
            return claim
        share = self._share(claim, self.windows[self.chosen[row]])
        joint = share * claim.confidence + (1 - share) * sure
        decision = self._decide(joint, crowd=self.scoring.crowd_ruled)
        if claim.decision == "drop" and self._of_other(claim):
            decision = "drop"
        why = claim.why
        if decision == "drop" and claim.decision != "drop":
            why = f"{claim.why} But the model reads no claim in it ({sure:.2f}): left out."
        elif decision != "drop" and claim.decision == "drop":
            why = f"{claim.why} But the model reads a claim in it ({sure:.2f}): kept."
        settled = replace(claim, confidence=round(joint, 4), decision=decision, why=why)
        return settled if decision == "drop" else self._requoted(settled, row)

    def _share(self, claim: JudgedClaim, window: Window) -> float:
        """How far the rules are trusted: further where structure tells, which a reader of single stretches knows little
        of (an item under its heading, a question that the next sentence answers), and in a plain statement. Further,
        too, where the claim itself denies ("no side effects", "needs no approval"), or stands beside a denial ("not
        approved, yet it heals"): the model takes that for a disclaimer now and then.
        """
        if claim.rule_id in self.denials or _beside_denial(claim, window.stretch.claims):
            return self.scoring.rules_share_denial
        structure = window.stretch.lead or claim.quote.endswith(_ASKING) or _plain(claim, window)
        return self.scoring.rules_share_structure if structure else self.scoring.rules_share

    def _decide(self, sure: float, crowd: float) -> str:
        """A page with many statements is flagged for surer ones only; none is left out for the page's length."""
        if self.may_flag and _shifted(sure, -crowd * self.many) >= self.scoring.flag and not self.reporting:
            return "flag"
        return "review" if sure >= self.scoring.review else "drop"

    def _own(self, row: int, window: Window, sure: float) -> Iterator[JudgedClaim]:
        decision = self._decide(sure, crowd=self.scoring.crowd)
        ruled = any(claim.status == "affirmed" for claim in window.stretch.claims)
        if (
            ruled
            or decision == "drop"
            or sure < self.scoring.own
            or (self.whole_page and not (decision == "flag" and _may_speak(window)))
        ):
            return
        heads = self.model.heads
        category = heads.categories[int(self.read.categories[row].argmax())]
        voice = heads.voices[int(self.read.voices[row].argmax())]
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
        for start, end in self._quotes(row, window, sure):
            yield self.make(ModelClaim(start, end, category, status, sure, decision, window, why))

    def _quotes(self, row: int, window: Window, sure: float) -> list[tuple[int, int]]:
        """The words that are the claim, in each sentence that has some; none if what they say excuses every one."""
        trusted = sure >= _TRUSTED and not self.whole_page
        if not trusted and self._silenced(window, sure):
            return []
        excuses = self._excuses(row, window, sure) if trusted else _EXCUSED_BY_WORDS
        spans = [span for span in window.spans if not self._excused(span, window, excuses, trusted)]
        marked = self._marked(row, window)
        found = [quote for span in spans if (quote := self._within(span, marked))]
        if not found and spans:
            likeliest = max(spans, key=lambda span: max((sure for at, _, sure in marked if _in(at, span)), default=0.0))
            found = [(likeliest.start, likeliest.end)]
        return [quote for quote in found if self._says_something(window, *quote)]

    def _silenced(self, window: Window, sure: float) -> bool:
        """Did the rules meet something here and excuse it, or does it warn of harm, or answer a question with no?"""
        if (window.stretch.claims and sure < self.scoring.flag) or _warns(window):
            return True
        return any(hit.name == "cue:denying" and hit.start == window.part.start for hit in window.part.hits)

    def _says_something(self, window: Window, start: int, end: int) -> bool:
        """No price or counter is a claim, and a word or two of a heading or an item only if the lexicon holds them."""
        text = self.reader.page.folded.text[start:end]
        if (text.isascii() and sum(map(str.isalpha, text)) < _FEW_LETTERS) or counts(text):
            return False
        if window.part.block.kind == "paragraph":
            return True
        if len(text.split()) >= _FEW_WORDS or (len(text) >= _FEW_SIGNS and not text.isascii() and " " not in text):
            return True
        return any(hit.name.startswith(_SUBJECTS) and start <= hit.start < end for hit in window.part.hits)

    def _requoted(self, claim: JudgedClaim, row: int) -> JudgedClaim:
        """A rule quotes a whole sentence; of a long one, the words that the model marks are the claim."""
        if claim.end - claim.start < _LONG_QUOTE:
            return claim
        window, folded = self.windows[self.chosen[row]], self.reader.page.folded
        marked = self._marked(row, window)
        for span in window.spans:
            quote = self._within(span, marked)
            if quote is None:
                continue
            start, end = folded.span(*quote)
            if start < claim.end and end > claim.start:
                if not any(cue.start < end and cue.end > start for cue in claim.cues if cue.kind not in _CUES):
                    return claim  # what the rule met must be read in its quote
                return replace(claim, start=start, end=end, quote=folded.original[start:end])
        return claim

    def _marked(self, row: int, window: Window) -> list[tuple[int, int, float]]:
        """The stretch's own pieces by folded offsets, with how likely each is part of the claim."""
        stretch = window.stretch
        moved = stretch.start - stretch.lead
        places = self.sifted.places[self.chosen[row]]
        pairs = zip(places, self.read.marks[row], strict=True)
        return [(first + moved, last + moved, float(sure)) for (first, last), sure in pairs if first >= stretch.lead]

    def _within(self, span: Span, marked: list[tuple[int, int, float]]) -> tuple[int, int] | None:
        """From the first to the last marked piece of a sentence: whole words, to the clause's end if that is near."""
        inside = [(first, last) for first, last, sure in marked if sure >= _MARKED and _in(first, span)]
        if not inside:
            return None
        text, start, end = self.reader.page.folded.text, inside[0][0], min(inside[-1][1], span.end)
        while start > span.start and _joined(text[start - 1], text[start]):
            start -= 1
        while end < span.end and _joined(text[end - 1], text[end]):
            end += 1
        start = span.start if _few(text[span.start : start], 1) else start
        clause = _CLAUSE.search(text, end, span.end)
        stop = clause.start() if clause else span.end
        end = stop if _few(text[end:stop], _LEFT) else end
        while start < end and (text[end - 1].isspace() or text[end - 1] == "."):
            end -= 1
        while start < end and text[start].isspace():
            start += 1
        return (start, end) if start < end else None

    def _excuses(self, row: int, window: Window, sure: float) -> frozenset[str]:
        """A seller who names an agency for itself is not quoted by it, whatever the rules make of the name."""
        if sure < _CERTAIN and any(map(_denied, window.stretch.claims)):
            return _EXCUSED_BY_WORDS
        sells = 1 - self._reports(self.read.voices[[row]])
        return _EXCUSED_BY_ASKING if sure >= _CERTAIN and sells >= _SELLS else _EXCUSED_FOR_SURE

    def _excused(self, span: Span, window: Window, excuses: frozenset[str], trusted: bool) -> bool:
        of_other = _other(hit.name for hit in window.part.hits if span.start <= hit.start < span.end)
        if span.question or (of_other and not trusted):
            return True
        first, last = self.reader.page.folded.span(span.start, span.end)
        claims = (claim for claim in window.stretch.claims if claim.start < last and claim.end > first)
        return any(claim.status in excuses for claim in claims)

    def _of_other(self, claim: JudgedClaim) -> bool:
        part = self.reader.page.parts[claim.block_id]
        at = self.reader.page.folded.span
        return _other(hit.name for hit in part.hits if claim.start <= at(hit.start, hit.end)[0] < claim.end)


def _beside_denial(claim: JudgedClaim, others: Iterable[JudgedClaim]) -> bool:
    """Did the rules tell what the same sentence says from what it denies?"""
    return any(one.status == "negated" and one.start < claim.end and one.end > claim.start for one in others)


def _denied(claim: JudgedClaim) -> bool:
    """Is it said that nobody knows, has shown or has allowed it? That is firmer than a "not"."""
    return claim.status == "negated" and any(cue.kind == "denial" for cue in claim.cues)


def _plain(claim: JudgedClaim, window: Window) -> bool:
    """Is all of it one short sentence, the product beside it, in which a rule met what it wants?

    Of the plainest words the model is unsure: it has read them in many voices.
    """
    stretch = window.stretch
    short = len(stretch.text) <= _SHORT and len(stretch.text.split()) <= _SHORT_WORDS
    whole = short and len(window.spans) == 1 and not stretch.lead
    return whole and stretch.product in ("sentence", "block") and claim.confidence >= _MET


def _joined(first: str, second: str) -> bool:
    """Do two characters stand in one word, in a script that parts its words?"""
    return first.isalnum() and second.isalnum() and first < _DENSE and second < _DENSE


def _few(rest: str, words: int) -> bool:
    """Is it so little that a quote without it would break off?"""
    return len(rest.split()) <= words and len(rest.strip()) <= words * _WORD


def _in(at: int, span: Span) -> bool:
    return span.start <= at < span.end


def _may_speak(window: Window) -> bool:
    """Could a stretch of a whole page be a claim by the model's word alone? Beside the product, with a word we know.

    The model learnt from passages that people chose; a page is mostly menus, counters, names and prices.
    """
    stretch = window.stretch
    return stretch.product in _BESIDE and any(_telling(hit.name) for hit in stretch.hits)


def _telling(name: str) -> bool:
    """Is it a word of claims, and no cue or name of the product?"""
    return not name.startswith("cue:") and name not in PRODUCTS


def _warns(window: Window) -> bool:
    """Does it speak of harm, and not of its absence or of something that is treated?"""
    names = {hit.name for hit in window.stretch.hits}
    return "harm" in names and not names & _NO_WARNING


def _other(names: Iterable[str]) -> bool:
    """Does a sentence speak of another product, and of ours not at all?"""
    found = set(names)
    return "other_product" in found and not found & PRODUCTS


def _shifted(sure: float, by: float) -> float:
    """A probability whose log odds are moved."""
    odds = np.log(max(sure, 1e-6) / max(1 - sure, 1e-6)) + by
    return float(1 / (1 + np.exp(-odds)))
