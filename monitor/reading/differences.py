"""What changed between two versions of a page: block by block, and in a reworded block word by word. Pure.

A block that moved is no change, and neither is what flickers (see `flicker`). Time grows with the length of the
pages: blocks are matched by their words, what is left is paired within a window, and a block too long to be compared
word by word is shown as a whole.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from monitor.reading.flicker import Part, parts_of, steady
from monitor.reading.text import Document

ALIKE = 50.0
"""Least likeness (0–100, share of letters that agree) for a new block to be an old one in other words."""
_COMPARED = 1_000
"""Characters of a block by which it is held against others."""
_WINDOW = 20
"""Where very much changed, a block is held against so many neighbours on either side."""
_ALL_PAIRS = 40_000
_MOST_CELLS = 16_000_000
"""Words of one block times words of the other: beyond that they are not compared word by word."""


@dataclass(frozen=True)
class Piece:
    """A stretch of a reworded block. Same and removed pieces make the old words, same and inserted ones the new."""

    kind: Literal["same", "removed", "inserted"]
    text: str


@dataclass(frozen=True)
class Change:
    """A block that is new, gone, or worded otherwise."""

    kind: Literal["added", "removed", "reworded"]
    block: str
    """What kind of block: paragraph, heading, list_item …"""
    heading_path: tuple[str, ...]
    before: str
    after: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class Difference:
    """`same`: blocks on both sides; of them `moved` stand elsewhere, and in `flickered` only what flickers differs."""

    changes: tuple[Change, ...]
    same: int = 0
    moved: int = 0
    flickered: int = 0

    def of_kind(self, kind: str) -> int:
        return sum(change.kind == kind for change in self.changes)


def between(old: Document, new: Document) -> Difference:
    """What changed from one version of a page to the next."""
    return compare(parts_of(old), parts_of(new))


def compare(old: Sequence[Part], new: Sequence[Part]) -> Difference:
    """What changed from these blocks to those, in the order of the new ones; what went, where it stood."""
    matched = _matched(old, new)
    to_new = dict(matched)
    to_old = {after: before for before, after in matched}
    gone = [number for number in range(len(old)) if number not in to_new]
    come = [number for number in range(len(new)) if number not in to_old]
    reworded = _paired(gone, come, lambda one, other: _likeness(old[one].text, new[other].text))
    before_of = {after: before for before, after in reworded.items()}
    placed = [(float(number), _arrived(old, new, before_of.get(number), number)) for number in come]
    places = sorted([*matched, *reworded.items()])
    placed += [(_stood(number, places), _left(old[number])) for number in gone if number not in reworded]
    placed.sort(key=lambda pair: pair[0])
    return Difference(
        changes=tuple(change for _, change in placed),
        same=len(matched),
        moved=len(matched) - _longest_rise([after for _, after in sorted(matched)]),
        flickered=sum(old[before].text != new[after].text for before, after in matched),
    )


def _matched(old: Sequence[Part], new: Sequence[Part]) -> list[tuple[int, int]]:
    """Blocks that are the same on both sides: to the letter where they can be, else but for what flickers."""
    exact = _same(dict(enumerate(part.text for part in old)), dict(enumerate(part.text for part in new)))
    met_old, met_new = {before for before, _ in exact}, {after for _, after in exact}
    left = {number: steady(part.text) for number, part in enumerate(old) if number not in met_old}
    right = {number: steady(part.text) for number, part in enumerate(new) if number not in met_new}
    return [*exact, *_same(left, right)]


def _same(old: Mapping[int, str], new: Mapping[int, str]) -> list[tuple[int, int]]:
    """Numbers of equal texts, each used once, in the order in which each side has them."""
    waiting: dict[str, list[int]] = defaultdict(list)
    for number in sorted(old, reverse=True):
        waiting[old[number]].append(number)
    return [(waiting[text].pop(), number) for number, text in new.items() if waiting.get(text)]


def _arrived(old: Sequence[Part], new: Sequence[Part], before: int | None, after: int) -> Change:
    part = new[after]
    if before is None:
        return Change("added", part.kind, part.heading_path, "", part.text, (Piece("inserted", part.text),))
    pieces = words_between(old[before].text, part.text)
    return Change("reworded", part.kind, part.heading_path, old[before].text, part.text, pieces)


def _left(part: Part) -> Change:
    return Change("removed", part.kind, part.heading_path, part.text, "", (Piece("removed", part.text),))


def _stood(number: int, places: Sequence[tuple[int, int]]) -> float:
    """Where an old block belongs among the new ones: behind the last one before it that is still there."""
    at = bisect_left(places, (number, -1))
    return places[at - 1][1] + 0.5 if at else -0.5


def _longest_rise(numbers: Sequence[int]) -> int:
    """Length of the longest run of blocks that kept their order."""
    ends: list[int] = []
    for number in numbers:
        at = bisect_right(ends, number)
        ends[at : at + 1] = [number]
    return len(ends)


def _likeness(one: str, other: str) -> float:
    return fuzz.ratio(one[:_COMPARED], other[:_COMPARED], score_cutoff=ALIKE)


def _paired(gone: Sequence[int], come: Sequence[int], likeness: Callable[[int, int], float]) -> dict[int, int]:
    """Old blocks that are there in other words, each with its new one: the most alike first, near ones before far."""
    if not gone or not come:
        return {}
    window = max(_WINDOW, _ALL_PAIRS // max(len(gone), len(come)))
    found = []
    for at, one in enumerate(gone):
        across = at * len(come) // len(gone)
        for there in range(max(0, across - window), min(len(come), across + window + 1)):
            score = likeness(one, come[there])
            if score:
                found.append((-score, abs(there - across), one, come[there]))
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, _, one, other in sorted(found):
        if one not in pairs and other not in taken:
            pairs[one] = other
            taken.add(other)
    return pairs


_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U000323af"
)
"""Thai, Lao, Burmese, Khmer, Japanese and Chinese put no spaces between words: there a character is a word."""
_RIDING = (
    "\u0300-\u036f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ecd\u102b-\u103e\u17b4-\u17d3"
    "\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef"
)
"""Marks that stand on the character before them."""
_SIGNS = (
    r"!-/:-@\[-`{-~\u00a1-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u2010-\u205e\u3000-\u3004\u3006-\u303f"
    r"\uff00-\uff0f\uff1a-\uff20"
)
_LETTERS = rf"[^\s{_SIGNS}{_SPACELESS}]+"
_WORD = re.compile(rf"[{_SPACELESS}][{_RIDING}]*|\d+(?:[.,]\d+)+|{_LETTERS}(?:['’]{_LETTERS})*|\s+|.", re.DOTALL)


def words_between(before: str, after: str) -> tuple[Piece, ...]:
    """What was removed and inserted, word by word (character by character in writing without spaces)."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    start = _alike_at_start(old, new)
    end = _alike_at_start(old[start:][::-1], new[start:][::-1])
    middle_old, middle_new = old[start : len(old) - end], new[start : len(new) - end]
    spans = [
        ("same", "".join(old[:start])),
        *_spans(middle_old, middle_new),
        ("same", "".join(old[len(old) - end :])),
    ]
    return tuple(_tidied([(kind, text) for kind, text in spans if text]))


def _alike_at_start(one: Sequence[str], other: Sequence[str]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _spans(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    if len(old) * len(new) > _MOST_CELLS:
        yield from (("removed", "".join(old)), ("inserted", "".join(new)))
        return
    for code in LCSseq.opcodes(old, new):
        if code.tag == "equal":
            yield "same", "".join(old[code.src_start : code.src_end])
        else:
            yield "removed", "".join(old[code.src_start : code.src_end])
            yield "inserted", "".join(new[code.dest_start : code.dest_end])


def _tidied(spans: Sequence[tuple[str, str]]) -> Iterator[Piece]:
    """Neighbouring changes as one, with the spaces and signs between them: whole phrases read better than crumbs."""
    removed, inserted = "", ""
    for number, (kind, text) in enumerate(spans):
        if kind == "removed":
            removed += text
        elif kind == "inserted":
            inserted += text
        elif (removed or inserted) and number + 1 < len(spans) and not any(map(str.isalnum, text)):
            removed, inserted = removed + text, inserted + text
        else:
            yield from _changed(removed, inserted)
            removed, inserted = "", ""
            yield Piece("same", text)
    yield from _changed(removed, inserted)


def _changed(removed: str, inserted: str) -> Iterator[Piece]:
    if removed:
        yield Piece("removed", removed)
    if inserted:
        yield Piece("inserted", inserted)
