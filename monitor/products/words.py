"""One scan of a page for every word that facts are read by, with its place in the page's own text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from monitor.classify.automaton import Term, Terms, spaced
from monitor.folding import fold
from monitor.knowledge import Knowledge
from monitor.knowledge.products import Terms as Written
from monitor.knowledge.products import spellings
from monitor.knowledge.shapes import bare
from monitor.products.regions import names
from monitor.reading.text import Block, Document

PRODUCT = "product"
_LEXICON = ("product_exosome", "product_cell")
_REACH = 40
"""Characters before a word in which what denies it may stand."""
_NEAR = 60
"""Characters between a plain word and the product, or a word of deriving, that makes it count."""
_TOUCHING = 3
"""Characters between a word and what denies it from behind."""
_LONGEST = 60
"""Characters of the longest word that is looked for near another."""
_SENTENCE = 200
_ENDS = ".!?;。！？；\n"
_CLAUSE_ENDS = ".!?;:。！？；：、\n•|"


class Meaning(NamedTuple):
    """`kind`: form, source_material, route, cue, unless, market or country. `exact`: only as written in capitals."""

    kind: str
    value: str
    group: str = ""
    beside: bool = False
    exact: str = ""
    anywhere: bool = False


class Mark(NamedTuple):
    """A word found; offsets in the document's text."""

    start: int
    end: int
    meaning: Meaning

    @property
    def value(self) -> str:
        return self.meaning.value


class ProductScanner:
    """All words of the knowledge's `products/`, compiled. Thread-safe; made once for a `Knowledge`."""

    def __init__(self, knowledge: Knowledge) -> None:
        meant = list(dict.fromkeys(_meanings(knowledge)))
        self._meanings = [meaning for _, meaning in meant]
        self._terms = Terms(Term.of(words, fold(bare(words)).text) for words, _ in meant)

    def marks(self, text: str) -> list[Mark]:
        """Every word in a text, by its start and then the longest first, in the text's own offsets."""
        folded = fold(text)
        met = self._terms.find(folded.text, spaced(folded.text))
        plain = not folded.layers
        found = []
        for start, below, number in met:
            first, last = (start, -below) if plain else folded.span(start, -below)
            meaning = self._meanings[number]
            if meaning.kind != "country" or _is_name(text[first:last], meaning.exact):
                found.append(Mark(first, last, meaning))
        return list(_settled(sorted(found, key=lambda mark: (mark.start, -mark.end))))


def product_scanner(knowledge: Knowledge) -> ProductScanner:
    made = knowledge.compiled.get("products")
    if not isinstance(made, ProductScanner):
        made = knowledge.compiled["products"] = ProductScanner(knowledge)
    return made


def names_product(words: str, knowledge: Knowledge) -> bool:
    """Does it name exosomes or cells, in whatever number and language?"""
    return any(mark.value == PRODUCT for mark in product_scanner(knowledge).marks(words))


def _meanings(knowledge: Knowledge) -> Iterator[tuple[str, Meaning]]:
    known = knowledge.products
    for page in known.values:
        for value in page.values:
            for _, words in spellings(value.terms):
                yield words, Meaning(page.kind, value.value, value.group, anywhere=value.anywhere)
            for _, words in spellings(value.beside):
                yield words, Meaning(page.kind, value.value, value.group, beside=True, anywhere=value.anywhere)
        for _, words in spellings(page.unless):
            yield words, Meaning("unless", page.kind)
    for cue, row in known.cues.cues.items():
        for _, words in spellings(row.terms):
            yield words, Meaning("cue", cue)
    for term in knowledge.lexicon.named(_LEXICON):
        yield term.words, Meaning("cue", PRODUCT)
    said: tuple[tuple[str, Written], ...] = (
        ("serves", known.countries.serves),
        ("excluded", known.countries.excluded),
        ("worldwide", known.countries.worldwide),
    )
    for kind, terms in said:
        for _, words in spellings(terms):
            yield words, Meaning("market", kind)
    for name, code in names(known.countries):
        yield name, Meaning("country", code, exact=name if name.isupper() and name.isascii() else "")


def _is_name(said: str, exact: str) -> bool:
    """`US` is a country and `us` is not; nor is `turkey`."""
    return said == exact if exact else not said[:1].islower()


def _settled(marks: Sequence[Mark]) -> Iterator[Mark]:
    """Without what a longer word of its kind covers, and without what means something else there."""
    barred = [mark for mark in marks if mark.meaning.kind == "unless" or mark.value == "not_denied"]
    reach: dict[tuple[str, str], Mark] = {}
    for mark in marks:
        kind, group = mark.meaning.kind, mark.meaning.group
        if kind == "unless":
            continue
        # Tissue and species are said in one breath, and both hold: only within a group the longer word is meant alone.
        own = (kind, group if kind == "source_material" else mark.value if kind in ("cue", "market") else "")
        longer = reach.get(own)
        if longer is not None and mark.end <= longer.end and mark.end - mark.start < longer.end - longer.start:
            continue
        if _barred(mark, barred):
            continue
        if longer is None or mark.end > longer.end:
            reach[own] = mark
        yield mark


def _barred(mark: Mark, barred: Sequence[Mark]) -> bool:
    if not barred or mark.value == "not_denied":
        return False
    low = bisect_left(barred, mark.start - _SENTENCE, key=lambda one: one.start)
    for one in barred[low:]:
        if one.start > mark.start:
            return False
        names_it = one.value == mark.meaning.kind or (one.value == "not_denied" and mark.value.startswith("denied"))
        if names_it and mark.end <= one.end:
            return True
    return False


class MarkedPage:
    """A document with its words found. Everything is asked by offsets in the document's text."""

    def __init__(self, document: Document, scanner: ProductScanner) -> None:
        self.document = document
        self.text = document.text
        self.marks = scanner.marks(document.text)
        self._starts = [mark.start for mark in self.marks]

    @cached_property
    def _cues(self) -> dict[str, tuple[list[int], list[Mark]]]:
        found: dict[str, list[Mark]] = {}
        for mark in self.marks:
            if mark.meaning.kind in ("cue", "market"):
                found.setdefault(mark.value, []).append(mark)
        return {name: ([mark.start for mark in marks], marks) for name, marks in found.items()}

    @cached_property
    def of_blocks(self) -> dict[int, list[Mark]]:
        """Words by the number of the block that they begin and end in; most blocks hold none."""
        blocks = self.document.blocks
        starts = [block.start for block in blocks]
        found: dict[int, list[Mark]] = {}
        for mark in self.marks:
            block = blocks[max(bisect_right(starts, mark.start) - 1, 0)]
            if block.start <= mark.start and mark.end <= block.end:
                found.setdefault(block.id, []).append(mark)
        return found

    def has(self, name: str) -> bool:
        """Does this cue stand anywhere on the page?"""
        return name in self._cues

    def inside(self, start: int, end: int, kind: str = "") -> list[Mark]:
        """Words that begin and end in a stretch."""
        low = bisect_left(self._starts, start)
        some = self.marks[low : bisect_left(self._starts, end, low)]
        return [mark for mark in some if mark.end <= end and (not kind or mark.meaning.kind == kind)]

    def cues(self, name: str, start: int, end: int) -> list[Mark]:
        if name not in self._cues:  # asked for every block, and mostly nowhere on the page
            return []
        starts, marks = self._cues[name]
        low = bisect_left(starts, start)
        return [mark for mark in marks[low : bisect_left(starts, end, low)] if mark.end <= end]

    def counts(self, mark: Mark, block: Block, naming: bool) -> bool:
        """Is a word said of the product: affirmed, asked by nobody, and near enough where that is needed?"""
        if self.denied(mark, block) or (not naming and self._asked(mark, block)):
            return False
        return naming or not mark.meaning.beside or self.near_product(mark.start, mark.end, block, _NEAR, ("deriving",))

    def near_product(self, start: int, end: int, block: Block, reach: int, more: tuple[str, ...] = ()) -> bool:
        low, high = max(block.start, start - reach - _LONGEST), min(block.end, end + reach + _LONGEST)
        for name in (PRODUCT, *more):
            for cue in self.cues(name, low, high):
                if cue.end < start - reach or cue.start > end + reach:
                    continue
                between = self.text[cue.end : start] if cue.end <= start else self.text[end : cue.start]
                if not any(mark in between for mark in _ENDS):
                    return True
        return False

    def denied(self, mark: Mark, block: Block) -> bool:
        left = max(block.start, mark.start - _REACH)
        said = self.text[left : mark.start]
        left += 1 + max(said.rfind(sign) for sign in _CLAUSE_ENDS)
        denials = self.cues("denied_before", left, mark.start)
        if denials and not any(self.cues("contrast", denials[-1].end, mark.start)):
            return True
        if any(cue.end >= mark.start - 1 for cue in self.cues("denied_right_before", left, mark.start)):
            return True
        following = self.cues("denied_after", mark.end, min(block.end, mark.end + _SENTENCE))
        return bool(following) and following[0].start - mark.end <= _TOUCHING

    def _asked(self, mark: Mark, block: Block) -> bool:
        rest = self.text[mark.end : min(block.end, mark.end + _SENTENCE)]
        end = min((place for sign in _ENDS if (place := rest.find(sign)) >= 0), default=-1)
        return end >= 0 and rest[end] in "?？"
