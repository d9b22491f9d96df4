"""The second scan: names of diseases, only on pages that name the product. One scanner for all languages.

The automaton knows how names begin; whether a whole one stands there is then looked up. An automaton of whole names
takes ten times as long to make, and there is a program for each page that somebody asks about. For the same reason
the names are kept in the order of their beginnings, and those of a beginning are only taken in when it is met.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

from monitor import folding
from monitor.classify import automaton as automata
from monitor.classify.automaton import automaton, spaced
from monitor.kept import code_of, kept
from monitor.knowledge import Knowledge, conditions, shapes
from monitor.knowledge.conditions import Ambiguous, ConditionNames, plain, spellings

_BEGINNING = 9
"""Characters of a name that are looked for: with fewer, words of every page begin too many names."""
_ENGLISH_ENOUGH = frozenset({"en", "ja", "ko", "zh", "ar", "ru"})  # no Latin words of their own to be taken for English


class Found(NamedTuple):
    """A disease named: offsets in the folded text, and its word class."""

    start: int
    end: int
    name: str


class _Sense(NamedTuple):
    """What a spelling means in some language; shared by all spellings alike."""

    cls: str
    lang: str
    home_only: bool  # too short to be believed on a page in another language
    ambiguous: _Beside | None = None

    def counts(self, langs: frozenset[str], abroad: bool) -> bool:
        return self.lang in langs and not (self.home_only and abroad)


class _Beside:
    """What an ambiguous name has to stand beside."""

    def __init__(self, row: Ambiguous) -> None:
        self._row = row
        self.reach = row.reach
        self.or_condition = row.or_condition

    @cached_property
    def words(self) -> re.Pattern[str]:
        return _whole_words(self._row)


class Named(NamedTuple):
    """A name that stands in a text; one that is ambiguous counts beside certain words only."""

    found: Found
    beside: _Beside | None


_Senses = tuple[_Sense, ...]
_Names = tuple[tuple[int, ...], dict[str, _Senses]]
"""Of one beginning: how long its names are, and what each means."""


class ConditionScanner:
    """All names, compiled. Thread-safe."""

    def __init__(self, knowledge: Knowledge) -> None:
        names = knowledge.conditions
        code = code_of(__file__, folding.__file__, automata.__file__, conditions.__file__, shapes.__file__)
        found = kept("conditions", (names.digest, code), lambda: _packed(names))
        senses, beginnings, *rows = bytes(found or b"".join(_packed(names))).decode().split("\n")
        beside = [_Beside(row) for row in names.review.ambiguous]
        self._senses: list[_Senses] = [
            tuple(_Sense(cls, lang, home, None if row is None else beside[row]) for cls, lang, home, row in kinds)
            for kinds in json.loads(senses)
        ]
        self._automaton = automaton(beginnings.split(_CELL))
        self._names: list[str | _Names] = [*rows]

    def _opened(self, index: int) -> _Names:
        """The names of a beginning, taken in when it is first met."""
        row = self._names[index]
        if isinstance(row, str):  # else another thread was first
            cells = row.split(_CELL)
            senses = {
                words: self._senses[int(number)]
                for number, names in zip(cells[::2], cells[1::2], strict=True)
                for words in names.split("|")
            }
            row = self._names[index] = (tuple({len(words) for words in senses}), senses)
        return row

    def find(self, text: str, between: str, langs: frozenset[str], known: Iterable[tuple[int, int]]) -> list[Found]:
        """By start; of overlapping names the longest, then the first. `between`: the text `spaced`; `known`: spans of
        the diseases that the lexicon found, which an ambiguous name may lean on."""
        named = self.named(text, between, langs)
        diseases = {*known, *((start, end) for (start, end, _), beside in named if beside is None)}
        return settled(named, plain(text), sorted(diseases))

    def named(self, text: str, between: str, langs: frozenset[str]) -> list[Named]:
        """Names in any order, overlapping ones too. `between`: the text `spaced`."""
        named: list[Named] = []
        abroad = not langs <= _ENGLISH_ENOUGH
        for start, end, senses in self._met(plain(text), between):
            for sense in senses:
                if sense.counts(langs, abroad):
                    named.append(Named(Found(start, end, sense.cls), sense.ambiguous))
                    break
        return named

    def _met(self, text: str, between: str) -> Iterator[tuple[int, int, _Senses]]:
        """Every name that stands in the text as whole words."""
        for index, start, _ in self._automaton.find(between):
            row = self._names[index]
            lengths, names = self._opened(index) if isinstance(row, str) else row
            for length in lengths:
                end = start + length
                senses = names.get(text[start:end])
                if senses and between[end + 1 : end + 2] == " ":
                    yield start, end, senses


def settled(named: Iterable[Named], text: str, diseases: Sequence[tuple[int, int]]) -> list[Found]:
    """The names that count, by start; of overlapping ones the longest, then the first. An ambiguous one leans on words
    of the `plain` text, or on `diseases`: spans of those that are sure, in order."""
    sure: list[Found] = []
    unsure: list[tuple[Found, _Beside]] = []
    for found, beside in named:
        if beside is None:
            sure.append(found)
        else:
            unsure.append((found, beside))
    sure += [found for found, beside in unsure if _leans(found, beside, text, diseases)]
    return _longest(sure)


_Kind = tuple[str, str, bool, int | None]
"""A sense as it is kept: class, language, `home_only`, the row of an ambiguous name."""
_CELL = "\t"


def _packed(names: ConditionNames) -> Iterator[bytes]:
    """All kinds of senses as JSON; all beginnings; for each of these its names, by the number of their senses."""
    numbers: dict[tuple[_Kind, ...], int] = {}
    by_cut: dict[str, dict[int, list[str]]] = {}
    for words, kinds in _kinds(names).items():
        own = by_cut.setdefault(words[:_BEGINNING], {})
        own.setdefault(numbers.setdefault(kinds, len(numbers)), []).append(words)
    cells: dict[str, list[str]] = {}
    for cut, own in by_cut.items():
        cells.setdefault(spaced(cut)[: _BEGINNING + 1], []).extend(
            f"{number}{_CELL}{'|'.join(some)}" for number, some in own.items()
        )
    yield "\n".join([json.dumps(list(numbers)), _CELL.join(cells), *map(_CELL.join, cells.values())]).encode()


def _kinds(names: ConditionNames) -> dict[str, tuple[_Kind, ...]]:
    """Every spelling with what it means, in the order of the lists."""
    review = names.review
    found: dict[str, tuple[_Kind, ...]] = {}
    alone: dict[_Kind, tuple[_Kind, ...]] = {}

    def add(words: str, kind: _Kind) -> None:
        one = alone.setdefault(kind, (kind,))
        there = found.setdefault(words, one)
        if there is not one and kind not in there:
            found[words] = there + one

    for some, cls, lang, _ in names.groups():
        english = lang == "en"
        for words in some:
            add(words, (cls, lang, english and len(words) < review.shortest_abroad and " " not in words, None))
    for number, row in enumerate(review.ambiguous):
        for words in spellings(row.names):
            add(words, (row.cls, "en", True, number))
    return found


def _whole_words(row: Ambiguous) -> re.Pattern[str]:
    choices = "|".join(map(re.escape, sorted(spellings(row.beside), key=lambda words: (-len(words), words))))
    return re.compile(rf"(?<!\w)(?:{choices})(?!\w)")


def _leans(found: Found, beside: _Beside, text: str, spans: Sequence[tuple[int, int]]) -> bool:
    first, last = max(0, found.start - beside.reach), found.end + beside.reach
    if beside.words.search(text, first, last):
        return True
    near = spans[bisect_left(spans, (first, 0)) : bisect_left(spans, (last, 0))] if beside.or_condition else ()
    return any(end <= last and (end <= found.start or start >= found.end) for start, end in near)


def _longest(found: list[Found]) -> list[Found]:
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def condition_scanner(knowledge: Knowledge) -> ConditionScanner:
    made = knowledge.compiled.get("conditions")
    if not isinstance(made, ConditionScanner):
        made = knowledge.compiled["conditions"] = ConditionScanner(knowledge)
    return made
