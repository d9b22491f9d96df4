"""The words of a sentence that are its claim: the stretches whose pieces the model marks, and their clauses.

A stretch is worth the log odds of its pieces together, and more where it begins and ends with a clause: what breaks off
in the middle of one is hard to read. The best stretch is the one of the largest sum (Bentley 1984); beside it, before
and after, there may be others. Which words are the best may hang on what stands beside their clause, and changes with
it; the clauses that they stand in change with their own words alone, so that a statement is known again by those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, log

from monitor.classify.spans import parts_words

Marked = tuple[int, int, float]
"""A piece: where it begins, where it ends, how likely it is part of a claim."""

_LEANING = 0.6  # log odds: rather a word too many than a part of the claim too few
_CLAUSE_EDGE = 3.0  # log odds that it is worth to begin, or to end, with a clause
_LEFT = 1  # words before and after a quote that are quoted too, if its clause then ends
_MOST = 3.0  # log odds of one piece: none decides alone
_LEAST = 1e-3
_CLAUSE = re.compile(r"[,;:.!?()\u2013\u2014\u2026\u00b7\u2022|、，。；：！？]")
_EDGES = frozenset(" \t\n\u00a0\u3000.;,:、，。；：")


@dataclass(frozen=True)
class _Word:
    start: int
    end: int
    worth: float
    begins: bool  # a clause
    ends: bool


@dataclass(frozen=True)
class Quote:
    """The words that claim, text[start:end], and the whole clauses they stand in, text[since:until].

    `worth`: how firmly they are marked, as log odds of a word in the mean.
    """

    start: int
    end: int
    since: int
    until: int
    worth: float = 0.0


def quotes(text: str, start: int, end: int, marked: Iterable[Marked]) -> list[Quote]:
    """What is claimed in the sentence text[start:end], in order. Empty: no piece is marked."""
    words = _words(text, end, [one for one in marked if start <= one[0] < end])
    found, waiting = [], [(0, len(words))]
    while waiting:
        low, high = waiting.pop()
        first, last = _best(words[low:high])
        first, last = low + first, low + last
        worth = sum(word.worth for word in words[first:last])
        if worth <= 0:
            continue
        since, until = _begun(words, low, first, len(words)), _ended(words, last, high, len(words))
        said = words[_begun(words, low, first, _LEFT) : _ended(words, last, high, _LEFT)]
        stated = words[since:until]
        found.append(
            Quote(
                *_trimmed(text, said[0].start, said[-1].end),
                *_trimmed(text, stated[0].start, stated[-1].end),
                worth / (last - first),
            )
        )
        waiting += [(low, since), (until, high)]
    return sorted((quote for quote in found if quote.start < quote.end), key=lambda quote: quote.start)


def _best(words: Sequence[_Word]) -> tuple[int, int]:
    """The stretch of the largest sum, as a slice."""
    best, first, last = -inf, 0, 0
    worth, began = -inf, 0
    for number, word in enumerate(words):
        if (fresh := _CLAUSE_EDGE * word.begins) > worth:
            worth, began = fresh, number
        worth += word.worth
        if (whole := worth + _CLAUSE_EDGE * word.ends) > best:
            best, first, last = whole, began, number + 1
    return first, last


def _begun(words: Sequence[_Word], low: int, first: int, few: int) -> int:
    """Where the clause begins, if that is only a few words before: "our exosome | therapy treats"."""
    earlier = range(first, max(low, first - few) - 1, -1)
    return next((number for number in earlier if words[number].begins), first)


def _ended(words: Sequence[_Word], last: int, high: int, few: int) -> int:
    """The same at its end."""
    later = range(last, min(high, last + few) + 1)
    return next((number for number in later if words[number - 1].ends), last)


def _words(text: str, end: int, marked: Sequence[Marked]) -> list[_Word]:
    """Pieces put together to words: no quote begins or ends inside one."""
    held: list[tuple[int, int, float]] = []
    for begin, stop, sure in marked:
        piece = text[begin : min(stop, end)]
        first, last = begin + len(piece) - len(piece.lstrip()), begin + len(piece)
        if first == last:
            continue
        odds = log(max(sure, _LEAST) / max(1 - sure, _LEAST)) + _LEANING
        worth = min(max(odds, -_MOST), _MOST)
        if held and held[-1][1] == first and _joined(text[first - 1], text[first]):
            held[-1] = (held[-1][0], last, held[-1][2] + worth)
        else:
            held.append((first, last, worth))
    parted = (bool(_CLAUSE.search(text, one[1] - 1, other[0] + 1)) for one, other in pairwise(held))
    edges = [True, *parted, True]
    return [_Word(*one, edges[number], edges[number + 1]) for number, one in enumerate(held)]


def _joined(first: str, second: str) -> bool:
    """Do two neighbours stand in one word, with the marks on it, in a script that parts its words by blanks?"""
    return parts_words(first) and parts_words(second) and not (first.isspace() or second.isspace())


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[end - 1] in _EDGES:
        end -= 1
    while start < end and text[start] in _EDGES:
        start += 1
    return start, end
