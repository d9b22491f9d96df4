"""Text cut into the pieces that the encoder knows, each with its place.

A unigram model after Kudo 2018 ("Subword Regularization"): of all ways to cut a word into known pieces the likeliest.
Words are cut one by one and remembered, so that a page's text is mostly looked up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Cut = tuple[tuple[int, ...], tuple[tuple[int, int], ...]]
"""Of one word: its pieces' numbers, and where each stands in it."""

_WORD = re.compile(r"\S+")
_MARK = "\N{LOWER ONE EIGHTH BLOCK}"  # how the pieces write the beginning of a word
_LONGEST = 16  # characters of a piece that is looked for
_LONGEST_WORD = 400  # of which the beginning is read
_REMEMBERED = 60_000
_UNLIKELY = 10.0  # how much less likely than the rarest piece an unknown character is
START, PAD, END, UNKNOWN = range(4)
"""The first four pieces, which stand for no text."""


class Pieces:
    """`pieces` by number, the first four without a text; `scores`: log probabilities."""

    def __init__(self, pieces: Sequence[str], scores: Floats) -> None:
        if len(pieces) != len(scores):
            raise ValueError(f"{len(pieces)} pieces and {len(scores)} scores: these must be as many")
        self.count = len(pieces)
        self._known = dict(zip(pieces[UNKNOWN + 1 :], range(UNKNOWN + 1, self.count), strict=True))
        self._scores: list[float] = scores.tolist()
        self._unknown = float(scores.min(initial=0.0)) - _UNLIKELY
        self._cuts: dict[str, Cut] = {}

    def read(self, text: str, most: int) -> tuple[list[int], list[tuple[int, int]]]:
        """Numbers of the first `most` pieces, and where each stands in the text."""
        numbers: list[int] = []
        places: list[tuple[int, int]] = []
        known = self._cuts
        for match in _WORD.finditer(text):
            start, word = match.start(), match[0]
            own, spans = known.get(word) or self._word(word[:_LONGEST_WORD])
            numbers += own
            places += [(start + first, start + last) for first, last in spans]
            if len(numbers) >= most:
                break
        return numbers[:most], places[:most]

    def _word(self, word: str) -> Cut:
        found = self._cuts.get(word)
        if found is None:
            cut = self._cut(word)
            found = tuple(number for number, _, _ in cut), tuple((first, last) for _, first, last in cut)
            if len(self._cuts) >= _REMEMBERED:
                self._cuts.clear()
            self._cuts[word] = found
        return found

    def _cut(self, word: str) -> list[tuple[int, int, int]]:
        marked = _MARK + word
        size = len(marked)
        best = [0.0] + [-np.inf] * size
        back = [(0, UNKNOWN)] * (size + 1)
        known, scores = self._known, self._scores
        for start in range(size):
            reached = best[start]
            for end in range(start + 1, min(size, start + _LONGEST) + 1):
                piece = known.get(marked[start:end])
                if piece is not None and reached + scores[piece] > best[end]:
                    best[end], back[end] = reached + scores[piece], (start, piece)
            if reached + self._unknown > best[start + 1]:
                best[start + 1], back[start + 1] = reached + self._unknown, (start, UNKNOWN)
        return self._back(back, size)

    @staticmethod
    def _back(back: list[tuple[int, int]], end: int) -> list[tuple[int, int, int]]:
        """The pieces from the last to the first, turned round. Places leave the mark out."""
        found: list[tuple[int, int, int]] = []
        while end > 0:
            start, number = back[end]
            found.append((number, max(start - 1, 0), end - 1))
            end = start
        return found[::-1]
