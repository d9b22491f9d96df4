"""The second scan: names of diseases, only on pages that name the product. One automaton for all languages."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, Implementation

from monitor.knowledge import Knowledge
from monitor.knowledge.conditions import Ambiguous, plain, spellings

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
    """All names, compiled: a quarter of a second. Thread-safe."""

    def __init__(self, knowledge: Knowledge) -> None:
        review = knowledge.conditions.review
        shared: dict[_Sense, _Sense] = {}
        by_words: dict[str, tuple[_Sense, ...]] = {}
        for words, cls, lang, _ in knowledge.conditions.names():
            home_only = lang == "en" and " " not in words and len(words) < review.shortest_abroad
            self._add(by_words, words, shared, _Sense(cls, lang, home_only))
        for row in review.ambiguous:
            beside = _Beside(_whole_words(row), row.reach, row.or_condition)
            for words in spellings(row.names):
                self._add(by_words, words, shared, _Sense(row.cls, "en", True, beside))
        self._senses = list(by_words.values())
        self._automaton = AhoCorasick(list(by_words), implementation=Implementation.ContiguousNFA)

    @staticmethod
    def _add(by_words: dict[str, tuple[_Sense, ...]], words: str, shared: dict[_Sense, _Sense], sense: _Sense) -> None:
        one = shared.setdefault(sense, sense)
        there = by_words.get(words, ())
        if one not in there:
            by_words[words] = (*there, one)

    def find(self, text: str, joined: str, langs: frozenset[str], known: Iterable[tuple[int, int]]) -> list[Found]:
        """By start; of overlapping names the longest, then the first. `joined`: see `scan`; `known`: spans of the
        diseases that the lexicon found, which an ambiguous name may lean on."""
        sure: list[Found] = []
        unsure: list[tuple[Found, _Beside]] = []
        abroad = not langs <= _ENGLISH_ENOUGH
        folded = plain(text)
        for index, start, end in self._automaton.find_matches_as_indexes(folded, overlapping=True):
            if joined[start] != " " or joined[end + 1] != " ":
                continue
            for sense in self._senses[index]:
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
