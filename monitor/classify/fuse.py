"""Rules and model together: what each stretch is decided to be, and the words that are quoted for it.

What a sentence says of itself (negated, attributed, asked) stays the rules' word; whether it reads like a claim is
the model's, beside the rules' own confidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import get_args

import numpy as np

from monitor.classify.model import Model, Readings, Sifted, model
from monitor.classify.quotes import Marked, Quote, quotes
from monitor.classify.shapes import Cue, JudgedClaim, Statement
from monitor.classify.spans import Span
from monitor.classify.standing import of_other, product_share, standing, tells, warns
from monitor.classify.windows import Reader, Window
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import Fusion, Kind
from monitor.reading.flicker import counts

_CUES = frozenset(get_args(Kind))
_EXCUSED_BY_ASKING = frozenset({"question"})
_EXCUSED_FOR_SURE = _EXCUSED_BY_ASKING | {"attributed", "quoted"}
_EXCUSED_BY_WORDS = _EXCUSED_FOR_SURE | {"negated"}
_SIFTED_AT_MOST = 2_000
"""Stretches of one document that the model looks at; the rules read all of it, and stand alone for the rest."""
_READ_AT_MOST = 64
"""Stretches of one document that the model reads: those that look most like claims."""
_PASSAGES = 8
"""Stretches from which on a text is a whole page, no passage."""
_MOST_OF_IT = 0.85  # of a rule's sentence: to cut less off its statement is not worth it
_SUBJECTS = ("condition", "symptom", "illness", "hair_effect", "body_function", "vulnerable_condition")
_ASKING = ("?", "？", "؟")
_LOOPHOLE = "legal_loophole"
_APPROVAL = "approval_misrep"
_FEW_LETTERS = 4
_FEW_WORDS = 4
_FEW_SIGNS = 8  # in scripts that are written without spaces
_TRUSTED = 0.8
"""From this probability on the model is believed although a rule took a word of the sentence for a negation, or for
another product: "where nothing shows on a scan, exosomes help" is a claim. It is hardly ever so sure of "they do not
help".
"""
_TELLING = 2  # stretches that together tell whether a page makes claims
_LEAST = 1e-6
_SHORT, _SHORT_WORDS = 80, 10  # characters and words of a plain statement
_MET = 0.8  # how sure the rules are of one
_CERTAIN, _SELLS = 0.9, 0.9
"""From these probabilities of claim and seller's voice on, it is believed although a rule heard another speak."""
_REPORTS = 0.3  # a doubtful claim is none where a seller's voice is less likely than this
_CLEAR = 0.7  # from this probability on a word or two of a page's item is a claim whether the lexicon holds it or not
_FIRM = 1.0  # how firmly words must be marked to be a claim beside one that a rule met, which they may only echo
_FAINT = 0.3  # nor one less likely than this, in which no word of claims stands


@dataclass(frozen=True)
class ModelClaim:
    """A statement that no rule met and the model takes for a claim. The quote's offsets are folded."""

    quote: Quote
    category: str
    status: str
    sure: float
    decision: str
    window: Window
    why: str


Make = Callable[[ModelClaim], JudgedClaim]


@dataclass(frozen=True)
class Fused:
    """By place. `whole_page`: judged by the levels of pages, not of passages."""

    claims: list[JudgedClaim]
    whole_page: bool


def fuse(reader: Reader, make: Make, knowledge: Knowledge, lang: str) -> Fused:
    """The rules' claims with the model's say in them, and the model's own."""
    windows = list(islice(reader.windows(), _SIFTED_AT_MOST))
    if not windows:
        return Fused(list(reader.claims), whole_page=False)
    both = _Both(reader, windows, make, knowledge, lang)
    return Fused(both.claims(), both.whole_page)


class _Both:
    def __init__(self, reader: Reader, windows: list[Window], make: Make, knowledge: Knowledge, lang: str) -> None:
        self.reader = reader
        self.windows = windows
        self.make = make
        self.scoring: Fusion = knowledge.scoring.fusion
        self.denials = frozenset(
            rule.id for rule in knowledge.claims if rule.row.negation_is_claim or rule.category == _LOOPHOLE
        )
        self.ruled = frozenset(rule.category for rule in knowledge.claims)
        """Of a category without rules the model speaks no more than they do: someone took it out."""
        self.may_flag = lang not in knowledge.scoring.review_only
        self.model: Model = model(knowledge)
        self.whole_page = len(windows) > _PASSAGES
        self.levels = self.scoring.levels(self.whole_page)
        self.own_from = self.levels.flag if self.whole_page else self.scoring.own
        self.many = 0.0 if self.whole_page else float(np.log(len(windows)))
        self.sifted: Sifted = self.model.sift([window.stretch.text for window in windows])
        self.chosen = self._chosen()
        stretches = [window.stretch for window in windows]
        self.read: Readings = self.model.read(stretches, self.sifted, self.chosen)
        self.share = product_share(reader.page)
        self.sure = [self._sure(row, windows[number]) for row, number in enumerate(self.chosen)]
        self.said: dict[int, list[Quote]] = {}
        self.speaks = not self.whole_page or self._speaks()
        if self.whole_page and self.speaks:
            self.sure = [_shifted(sure, self.scoring.on_a_page.spoken) for sure in self.sure]

    def claims(self) -> list[JudgedClaim]:
        best: dict[int, tuple[float, int]] = {}
        for row, number in enumerate(self.chosen):
            for claim in self.windows[number].stretch.claims:
                best[id(claim)] = max((self.sure[row], row), best.get(id(claim), (0.0, row)))
        ruled = {id(claim): self._settled(claim, *best.get(id(claim), (None, 0))) for claim in self.reader.claims}
        own: list[JudgedClaim] = []
        for row, number in enumerate(self.chosen):
            window = self.windows[number]
            settled = [ruled[id(claim)] for claim in window.stretch.claims if claim.status == "affirmed"]
            own.extend(self._own(row, window, self.sure[row], settled))
        return sorted(
            [*ruled.values(), *own], key=lambda claim: (claim.start, claim.end, claim.category, claim.rule_id)
        )

    def _chosen(self) -> list[int]:
        """Which stretches are read: all of a passage; of a page those that could become or lose a claim."""
        if not self.whole_page:
            return list(range(len(self.windows)))
        promising = frozenset(np.flatnonzero(self.sifted.claim >= self.scoring.sift).tolist())
        found = []
        for number, window in enumerate(self.windows):
            claims = window.stretch.claims
            ruled = bool(claims) and any(claim.status == "affirmed" for claim in claims)
            if ruled or number in promising:
                found.append(number)
        likeliest = sorted(found, key=lambda number: (-float(self.sifted.claim[number]), number))
        return sorted(likeliest[:_READ_AT_MOST])

    def _sure(self, row: int, window: Window) -> float:
        """The model's probability; on a page with what speaks for or against it where it stands."""
        sure = float(self.read.claim[row])
        if self.whole_page:
            weights = self.scoring.on_a_page
            return _shifted(sure, standing(window, self.share, weights), weights.wording)
        return _shifted(sure, self.scoring.product_far) if window.stretch.product == "page" else sure

    def _speaks(self) -> bool:
        """Do a page's likeliest stretches together leave little doubt that it makes claims? One alone may mislead."""
        found: dict[str, float] = {}
        for row, number in enumerate(self.chosen):
            window = self.windows[number]
            claims = [claim.confidence for claim in window.stretch.claims if claim.status == "affirmed"]
            if claims or not window.stretch.claims:
                sure = self.sure[row]
                found[window.stretch.text] = self._joint(sure, max(claims)) if claims else sure
        likeliest = sorted(map(_odds, found.values()), reverse=True)[:_TELLING]
        needs = self.scoring.on_a_page
        return bool(likeliest) and (likeliest[0] >= needs.alone or float(np.mean(likeliest)) >= needs.speaks)

    def _joint(self, sure: float, ruled: float) -> float:
        """On a page: what a rule is sure of beside what the model is."""
        return _shifted(sure, self.scoring.on_a_page.rule * _odds(ruled))

    def _settled(self, claim: JudgedClaim, sure: float | None, row: int) -> JudgedClaim:
        if claim.status != "affirmed":
            return claim
        if sure is None:  # among the many stretches of a long page that the model did not read
            unread = replace(claim, decision="review", why=claim.why + self._held_back())
            return unread if claim.decision == "flag" and self._held_back() else claim
        if self.whole_page:
            joint = self._joint(sure, claim.confidence)
        else:
            share = self._share(claim, self.windows[self.chosen[row]])
            joint = share * claim.confidence + (1 - share) * sure
        decision = self._decide(joint, crowd=self.scoring.crowd_ruled)
        if claim.decision == "drop" and self._of_other(claim):
            decision = "drop"
        why = claim.why
        if decision == "drop" and claim.decision != "drop":
            why = f"{claim.why} But {self._teller} reads no claim in it ({sure:.2f}): left out."
        elif decision != "drop" and claim.decision == "drop":
            why = f"{claim.why} But {self._teller} reads a claim in it ({sure:.2f}): kept."
        if decision == "review" and joint >= self.levels.flag:
            why += self._held_back()
        settled = replace(claim, confidence=round(joint, 4), decision=decision, why=why)
        return settled if decision == "drop" else self._requoted(settled, row)

    @property
    def _teller(self) -> str:
        return "the model, by its wording and its place on the page," if self.whole_page else "the model"

    @property
    def _wording(self) -> str:
        return "its wording and its place on the page are those" if self.whole_page else "its wording is that"

    def _held_back(self) -> str:
        """Why likely statements of this page are not flagged, whichever they are. Empty: they are."""
        if self.reader.doubtful:
            return " The page may do no more than report: a person decides."
        return "" if self.speaks else " Its page as a whole leaves doubt that it makes claims: a person decides."

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
        """On a page nothing is flagged alone; of a longer passage a single statement must be surer."""
        may_flag = self.may_flag and not self._held_back()
        if may_flag and _shifted(sure, -crowd * self.many) >= self.levels.flag:
            return "flag"
        return "review" if sure >= self.levels.review else "drop"

    def _own(self, row: int, window: Window, sure: float, ruled: Sequence[JudgedClaim]) -> Iterator[JudgedClaim]:
        """What the model reads where no rule met anything, and beside the statements that `ruled` met."""
        decision = self._decide(sure, crowd=self.scoring.crowd)
        if decision == "drop" or sure < self.own_from:
            return
        if decision != "flag" and (self._sells(row) < _REPORTS or (sure < _FAINT and not tells(window.stretch))):
            return
        heads = self.model.heads
        category = self._category(row)
        if category not in self.ruled:
            return
        voice = heads.voices[int(self.read.voices[row].argmax())]
        met = "no rule met these words" if ruled else "no rule met"
        why = (
            f"Model {self.model.digest}: {met}; {self._wording} of a claim ({sure:.2f}), "
            f"most like {category}, in the voice of a {voice}."
        )
        if self.reader.excuse or self.reader.doubtful:
            decision = "drop"
            why += " Left out: the page does not speak for a seller."
        elif not self.may_flag:
            why += " In this language a person decides."
        else:
            why += self._held_back()
        status = self.reader.excuse or "affirmed"
        taken = [one.statement for one in ruled if one.decision != "drop"]
        for quote in self._quotes(row, window, sure):
            first, last = self.reader.page.folded.span(quote.since, quote.until)
            if ruled and (quote.worth < _FIRM or any(one.start < last and first < one.end for one in taken)):
                continue
            made = ModelClaim(quote, category, status, sure, decision, window, why)
            yield self.make(_of_another(made) if category == _APPROVAL and decision == "flag" else made)

    def _quotes(self, row: int, window: Window, sure: float) -> list[Quote]:
        """The words that are the claim, in each sentence that has some; none if what they say excuses every one."""
        trusted = sure >= _TRUSTED and not self.whole_page
        if not trusted and self._silenced(window, sure):
            return []
        excuses = self._excuses(row, window, sure) if trusted else _EXCUSED_BY_WORDS
        spans = [span for span in window.spans if not self._excused(span, window, excuses, trusted)]
        marked = self._marked(row, window)
        found = [quote for span in spans for quote in self._said(span, marked)]
        clear = bool(found) and self.whole_page and sure >= _CLEAR
        if not found and spans:
            likeliest = max(spans, key=lambda span: max((sure for at, _, sure in marked if _in(at, span)), default=0.0))
            found = [Quote(likeliest.start, likeliest.end, likeliest.start, likeliest.end)]
        return [quote for quote in found if self._says_something(window, quote.start, quote.end, clear)]

    def _silenced(self, window: Window, sure: float) -> bool:
        """Did the rules meet something here and excuse it, or does it warn of harm, or answer a question with no?"""
        if (window.stretch.claims and sure < self.scoring.flag) or warns(window):
            return True
        return any(hit.name == "cue:denying" and hit.start == window.part.start for hit in window.part.hits)

    def _says_something(self, window: Window, start: int, end: int, clear: bool) -> bool:
        """No price or counter is a claim, and a word or two of a heading or an item only if the lexicon holds them, or
        if it is clear without.
        """
        text = self.reader.page.folded.text[start:end]
        if (text.isascii() and sum(map(str.isalpha, text)) < _FEW_LETTERS) or counts(text):
            return False
        if clear or window.part.block.kind == "paragraph":
            return True
        if len(text.split()) >= _FEW_WORDS or (len(text) >= _FEW_SIGNS and not text.isascii() and " " not in text):
            return True
        return any(hit.name.startswith(_SUBJECTS) and start <= hit.start < end for hit in window.part.hits)

    def _requoted(self, claim: JudgedClaim, row: int) -> JudgedClaim:
        """A rule takes a whole sentence: of it, the clauses that hold what the rule met, and their marked words."""
        folded, window = self.reader.page.folded, self.windows[self.chosen[row]]
        met = [cue for cue in claim.cues if cue.kind not in _CUES]
        if row not in self.said:
            marked = self._marked(row, window)
            self.said[row] = [quote for span in window.spans for quote in self._said(span, marked)]
        for quote in self.said[row]:
            stated = self._statement(*folded.span(quote.since, quote.until))
            if stated.start < claim.end and stated.end > claim.start and _meets(met, stated.start, stated.end):
                return self._cut(claim, stated, *folded.span(quote.start, quote.end), met)
        return claim

    def _cut(self, claim: JudgedClaim, stated: Statement, start: int, end: int, met: list[Cue]) -> JudgedClaim:
        """What the rule met is among the words that are quoted, or all of the statement is."""
        if stated.end - stated.start > _MOST_OF_IT * (claim.end - claim.start):
            stated = claim.statement
        text = self.reader.page.folded.original
        left_out = text[stated.start : start] + text[end : stated.end]
        if not _meets(met, start, end) or not any(map(str.isalnum, left_out)):
            start, end = stated.start, stated.end
        quote = text[start:end]
        return replace(claim, quote=quote, start=start, end=end, statement=stated)

    def _statement(self, start: int, end: int) -> Statement:
        return Statement(self.reader.page.folded.original[start:end], start, end)

    def _said(self, span: Span, marked: list[Marked]) -> list[Quote]:
        return quotes(self.reader.page.folded.text, span.start, span.end, marked)

    def _marked(self, row: int, window: Window) -> list[Marked]:
        """The stretch's own pieces by folded offsets, with how likely each is part of the claim."""
        stretch = window.stretch
        moved = stretch.start - stretch.lead
        places = self.sifted.places[self.chosen[row]]
        pairs = zip(places, self.read.marks[row], strict=True)
        return [(first + moved, last + moved, float(sure)) for (first, last), sure in pairs if first >= stretch.lead]

    def _excuses(self, row: int, window: Window, sure: float) -> frozenset[str]:
        """A seller who names an agency for itself is not quoted by it, whatever the rules make of the name."""
        if sure < _CERTAIN and any(map(_denied, window.stretch.claims)):
            return _EXCUSED_BY_WORDS
        return _EXCUSED_BY_ASKING if sure >= _CERTAIN and self._sells(row) >= _SELLS else _EXCUSED_FOR_SURE

    def _category(self, row: int) -> str:
        return self.model.heads.categories[int(self.read.categories[row].argmax())]

    def _sells(self, row: int) -> float:
        return float(self.model.selling(self.read.voices[[row]])[0])

    def _excused(self, span: Span, window: Window, excuses: frozenset[str], trusted: bool) -> bool:
        names = (hit.name for hit in window.part.hits if span.start <= hit.start < span.end)
        if span.question or (not trusted and of_other(names)):
            return True
        first, last = self.reader.page.folded.span(span.start, span.end)
        claims = (claim for claim in window.stretch.claims if claim.start < last and claim.end > first)
        return any(claim.status in excuses for claim in claims)

    def _of_other(self, claim: JudgedClaim) -> bool:
        part = self.reader.page.parts[claim.block_id]
        at = self.reader.page.folded.span
        return of_other(hit.name for hit in part.hits if claim.start <= at(hit.start, hit.end)[0] < claim.end)


def _of_another(claim: ModelClaim) -> ModelClaim:
    """What names another product and not ours may be approved: then a person decides."""
    since, until = claim.quote.since, claim.quote.until
    if not of_other(hit.name for hit in claim.window.part.hits if since <= hit.start < until):
        return claim
    return replace(claim, decision="review", why=f"{claim.why} It names another product: a person decides.")


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


def _meets(cues: Iterable[Cue], start: int, end: int) -> bool:
    return any(cue.start < end and cue.end > start for cue in cues)


def _in(at: int, span: Span) -> bool:
    return span.start <= at < span.end


def _shifted(sure: float, by: float, times: float = 1.0) -> float:
    """A probability whose log odds are multiplied and moved."""
    return float(1 / (1 + np.exp(-(times * _odds(sure) + by))))


def _odds(sure: float) -> float:
    return float(np.log(max(sure, _LEAST) / max(1 - sure, _LEAST)))
