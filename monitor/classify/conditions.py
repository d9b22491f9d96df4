"""The second scan: names of diseases, only on pages that name the product. One scanner for all languages.

The automaton knows how names begin; whether a whole one stands there is then looked up. An automaton of whole names
takes ten times as long to make, and there is a program for each page that somebody asks about.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from monitor.classify.automaton import automaton, spaced
from monitor.knowledge import Knowledge
from monitor.knowledge.conditions import Ambiguous, plain, spellings

_BEGINNING = 9
"""Characters of a name that are looked for: with fewer, words of every page begin too many names."""
_ENGLISH_ENOUGH = frozenset({"en", "ja", "ko", "zh", "ar", "ru"})  # no Latin words of their own to be taken for English


class Found(NamedTuple):
    """A disease named: offsets in the folded text, and its word class."""

    start: int
    end: int
    name: str


@dataclass(frozen=True)
class _Sense:
    """What a spelling means in some language; shared by all spellings alike."""

    cls: str
    lang: str
    home_only: bool  # too short to be believed on a page in another language
    ambiguous: _Beside | None = None

    def counts(self, langs: frozenset[str], abroad: bool) -> bool:
        return self.lang in langs and not (self.home_only and abroad)


@dataclass(frozen=True)
class _Beside:
    words: re.Pattern[str]
    reach: int
    or_condition: bool


class ConditionScanner:
    """All names, compiled. Thread-safe."""

    def __init__(self, knowledge: Knowledge) -> None:
        review = knowledge.conditions.review
        alone: dict[tuple[str, str, bool], tuple[_Sense, ...]] = {}
        by_words: dict[str, tuple[_Sense, ...]] = {}
        for names, cls, lang, _ in knowledge.conditions.groups():
            for words in names:
                kind = (cls, lang, lang == "en" and len(words) < review.shortest_abroad and " " not in words)
                if kind not in alone:
                    alone[kind] = (_Sense(*kind),)
                if by_words.setdefault(words, alone[kind]) is not alone[kind]:
                    self._add(by_words, words, alone[kind])
        for row in review.ambiguous:
            sense = _Sense(row.cls, "en", True, _Beside(_whole_words(row), row.reach, row.or_condition))
            for words in spellings(row.names):
                self._add(by_words, words, (sense,))
        self._senses = by_words
        beginnings = _beginnings(by_words)
        self._automaton, self._lengths = automaton(list(beginnings)), list(map(tuple, beginnings.values()))

    @staticmethod
    def _add(by_words: dict[str, tuple[_Sense, ...]], words: str, sense: tuple[_Sense, ...]) -> None:
        there = by_words.get(words)
        if there is None:
            by_words[words] = sense  # one object for thousands of names
        elif sense[0] not in there:
            by_words[words] = there + sense

    def find(self, text: str, between: str, langs: frozenset[str], known: Iterable[tuple[int, int]]) -> list[Found]:
        """By start; of overlapping names the longest, then the first. `between`: the text `spaced`; `known`: spans of
        the diseases that the lexicon found, which an ambiguous name may lean on."""
        sure: list[Found] = []
        unsure: list[tuple[Found, _Beside]] = []
        abroad = not langs <= _ENGLISH_ENOUGH
        folded = plain(text)
        for start, end, senses in self._met(folded, between):
            for sense in senses:
                if sense.counts(langs, abroad):
                    found = Found(start, end, sense.cls)
                    if sense.ambiguous is None:
                        sure.append(found)
                    else:
                        unsure.append((found, sense.ambiguous))
                    break
        if unsure:
            spans = sorted({*known, *((one.start, one.end) for one in sure)})
            sure += [found for found, beside in unsure if _leans(found, beside, folded, spans)]
        return _longest(sure)

    def _met(self, text: str, between: str) -> Iterator[tuple[int, int, tuple[_Sense, ...]]]:
        """Every name that stands in the text as whole words."""
        for index, start, _ in self._automaton.find(between):
            for length in self._lengths[index]:
                end = start + length
                senses = self._senses.get(text[start:end])
                if senses and between[end + 1 : end + 2] == " ":
                    yield start, end, senses


def _beginnings(names: Iterable[str]) -> dict[str, set[int]]:
    """How names begin in a text that is `spaced`, from the space before them, and the lengths of those that do so."""
    cut: dict[str, set[int]] = {}
    for words in names:
        cut.setdefault(words[:_BEGINNING], set()).add(len(words))
    found: dict[str, set[int]] = {}
    for beginning, lengths in cut.items():
        found.setdefault(spaced(beginning)[: _BEGINNING + 1], set()).update(lengths)
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
