"""What each block of a page says: its hits and their classes, remembered from page to page.

No term holds a line's end, so that a block alone says what it says on its page. Only a name that is a disease or an
everyday word ("als") depends on what stands around it, and is settled on each page anew.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from monitor.classify.automaton import spaced
from monitor.classify.conditions import Found, Named, condition_scanner, settled
from monitor.classify.remembered import Remembered
from monitor.classify.scan import Hit, complaints, names, scanner, with_diseases
from monitor.knowledge import Knowledge
from monitor.knowledge.conditions import plain

Span = tuple[int, int]


class _Open(NamedTuple):
    """What can be settled on the page only. `words`: the hits without names of diseases."""

    words: list[Hit]
    named: list[Named]


class Said(NamedTuple):
    """Of one block, by offsets from its beginning. `diseases`: what an ambiguous name near by may lean on."""

    hits: tuple[Hit, ...]
    names: frozenset[str]
    diseases: tuple[Span, ...]
    open: _Open | None = None


class Blocks:
    """Reads the blocks of pages in some languages. Thread-safe; made once for a `Knowledge` and its languages."""

    def __init__(self, knowledge: Knowledge, langs: frozenset[str]) -> None:
        self._scanner = scanner(knowledge, langs)
        self._diseases = condition_scanner(knowledge)
        self._langs = langs
        self._alone = Remembered(self._read)

    def said(self, text: str, spans: Sequence[Span], words: Sequence[str]) -> list[Said]:
        """Each block of a folded text, given by its span and its words."""
        found = self._alone.of(words)
        if not any(one.open for one in found):
            return found
        placed = list(zip(found, (start for start, _ in spans), strict=True))
        diseases = sorted({(start + at, end + at) for one, at in placed for start, end in one.diseases})
        even = plain(text)
        return [_settled(one, at, even, diseases) for one, at in placed]

    def _read(self, blocks: Sequence[str]) -> list[Said]:
        """All at once: for an automaton one long text is quicker than many short ones."""
        text = "\n".join(blocks)
        between = spaced(text)
        ends = list(accumulate(len(block) + 1 for block in blocks))
        words = self._scanner.words(text, between)
        named = sorted(self._diseases.named(text, between, self._langs), key=_place)
        shares = zip(_cut([hit.start for hit in words], ends), _cut([_place(one) for one in named], ends), strict=True)
        return [
            _said([moved(hit, -at) for hit in words[own]], [_from(one, at) for one in named[its]])
            for at, (own, its) in zip([0, *ends], shares, strict=False)
        ]


def blocks(knowledge: Knowledge, langs: frozenset[str]) -> Blocks:
    made = knowledge.compiled.get(("blocks", langs))
    if not isinstance(made, Blocks):
        made = knowledge.compiled["blocks", langs] = Blocks(knowledge, langs)
    return made


def _cut(starts: Sequence[int], ends: Iterable[int]) -> Iterator[slice]:
    """Which of some starts lie before each end and after the one before it."""
    first = 0
    for end in ends:
        last = bisect_left(starts, end, first)
        yield slice(first, last)
        first = last


def _said(words: list[Hit], named: list[Named]) -> Said:
    if any(one.beside for one in named):
        sure = [(found.start, found.end) for found, beside in named if beside is None]
        return Said((), frozenset(), (*complaints(words), *sure), _Open(words, named))
    hits = with_diseases(words, settled(named, "", ())) if named else words
    return Said(tuple(hits), names(hits), (*complaints(words), *((one.found.start, one.found.end) for one in named)))


def _settled(said: Said, at: int, even: str, diseases: Sequence[Span]) -> Said:
    """A block that begins at `at`, with the names that are diseases there."""
    if said.open is None:
        return said
    found = settled([_from(one, -at) for one in said.open.named], even, diseases)
    hits = with_diseases(said.open.words, [Found(start - at, end - at, name) for start, end, name in found])
    return said._replace(hits=tuple(hits), names=names(hits))


def moved(hit: Hit, by: int) -> Hit:
    start, end, name, cue = hit
    return _new_hit(Hit, (start + by, end + by, name, cue))


_new_hit = tuple.__new__  # a third quicker than Hit(…), and there are hundreds a page


def _from(one: Named, at: int) -> Named:
    """Counted from `at` on."""
    (start, end, name), beside = one
    return Named(Found(start - at, end - at, name), beside)


def _place(one: Named) -> int:
    return one.found.start
