"""How near a regulator's notice is to exosome products, by its words alone. Rests on `knowledge/relevance.yaml`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypedDict

from ahocorasick_rs import AhoCorasick

from monitor.folding import fold
from monitor.knowledge.relevance import Relevance, TermGroup

OTHER = "other"
SHOWN = 5
"""Hits kept for one term in one field; a long letter may name exosomes hundreds of times."""

TermHit = TypedDict("TermHit", {"term": str, "quote": str, "start": int, "end": int, "in": str})
"""One hit: `quote` is exactly `field[start:end]`, and `in` names the field: title, summary or text."""


@dataclass(frozen=True)
class Tier:
    """`core`, `adjacent` or `other`, with what put the notice there. `other` has no terms."""

    tier: str
    terms: tuple[TermHit, ...]


class _Pattern(NamedTuple):
    tier: int
    group: int
    word: str
    barring: bool


class _Scanner(NamedTuple):
    automaton: AhoCorasick
    patterns: tuple[_Pattern, ...]


class _Found(NamedTuple):
    """A hit in squeezed, folded text."""

    start: int
    end: int
    pattern: _Pattern


def tier(title: str, summary: str, text: str, relevance: Relevance) -> Tier:
    """The first tier with a term in any field. Hits are in the order title, summary, text, then by offset."""
    fields = (("title", title), ("summary", summary), ("text", text))
    hits: dict[int, list[TermHit]] = {}
    for name, value in fields:
        for number, hit in _hits(name, value, relevance):
            hits.setdefault(number, []).append(hit)
    if not hits:
        return Tier(OTHER, ())
    best = min(hits)
    return Tier(relevance.tiers[best].tier, tuple(_first(hits[best])))


def _first(hits: list[TermHit]) -> Iterator[TermHit]:
    seen: Counter[tuple[str, str]] = Counter()
    for hit in hits:
        key = (hit["term"], hit["in"])
        seen[key] += 1
        if seen[key] <= SHOWN:
            yield hit


@lru_cache(maxsize=8)
def _scanner(relevance: Relevance) -> _Scanner:
    by_words: dict[tuple[str, _Pattern], None] = {}
    for number, row in enumerate(relevance.tiers):
        for place, group in enumerate(row.groups):
            for word in group.words:
                by_words[(_normal(word), _Pattern(number, place, word, False))] = None
            for phrase in group.unless:
                by_words[(_normal(phrase), _Pattern(number, place, phrase, True))] = None
    return _Scanner(AhoCorasick([words for words, _ in by_words]), tuple(pattern for _, pattern in by_words))


def _normal(words: str) -> str:
    return _Squeezed(fold(words).text).text


_RUN = re.compile(r"\s+")


class _Squeezed:
    """Text with every run of white space as one blank, and the way back: a term may break over lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.new: list[int] = [0]
        self.old: list[int] = [0]
        parts: list[str] = []
        length = done = 0
        for run in _RUN.finditer(text):
            if run.group() == " ":
                continue
            parts += (text[done : run.start()], " ")
            length += run.start() - done + 1
            done = run.end()
            self.new.append(length)
            self.old.append(done)
        if parts:
            self.text = "".join((*parts, text[done:]))

    def at(self, index: int) -> int:
        place = bisect_right(self.new, index) - 1
        return self.old[place] + index - self.new[place]


def _hits(name: str, value: str, relevance: Relevance) -> Iterator[tuple[int, TermHit]]:
    folded = fold(value)
    squeezed = _Squeezed(folded.text)
    for found in _found(squeezed.text, relevance):
        group = _group(relevance, found.pattern)
        start, end = folded.span(squeezed.at(found.start), squeezed.at(found.end - 1) + 1)
        quote = value[start:end]
        if group.exact_case and quote != found.pattern.word:
            continue
        yield found.pattern.tier, {"term": group.term, "quote": quote, "start": start, "end": end, "in": name}


def _group(relevance: Relevance, pattern: _Pattern) -> TermGroup:
    return relevance.tiers[pattern.tier].groups[pattern.group]


def _found(text: str, relevance: Relevance) -> list[_Found]:
    """Hits by offset; of overlapping ones in a tier the longest stays, and none that an `unless` phrase covers."""
    scanner = _scanner(relevance)
    candidates: list[_Found] = []
    barred: list[_Found] = []
    for number, start, end in scanner.automaton.find_matches_as_indexes(text, overlapping=True):
        pattern = scanner.patterns[number]
        where = _group(relevance, pattern).where
        if _bounded(text, start, end, where):
            stop = _word_end(text, end) if where == "start" else end
            (barred if pattern.barring else candidates).append(_Found(start, stop, pattern))
    bars: dict[tuple[int, int], list[_Found]] = {}
    for bar in barred:
        bars.setdefault(bar.pattern[:2], []).append(bar)
    kept: list[_Found] = []
    last_end: dict[int, int] = {}
    for one in sorted(candidates, key=lambda found: (found.start, -found.end)):
        covered = any(bar.start <= one.start and one.end <= bar.end for bar in bars.get(one.pattern[:2], ()))
        if not covered and one.start >= last_end.get(one.pattern.tier, 0):
            kept.append(one)
            last_end[one.pattern.tier] = one.end
    return kept


def _bounded(text: str, start: int, end: int, where: str) -> bool:
    if where == "anywhere":
        return True
    free_before = start == 0 or not _joins(text[start - 1])
    return free_before and (where == "start" or end == len(text) or not _joins(text[end]))


def _word_end(text: str, end: int) -> int:
    while end < len(text) and _joins(text[end]):
        end += 1
    return end


def _joins(char: str) -> bool:
    """Whether a letter beside a word makes it part of a longer one. East Asian scripts do not part words."""
    return (char.isalnum() or char == "_") and ord(char) < 0x2E80
