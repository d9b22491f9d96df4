"""A static multilingual model: every word has a vector, a text is the weighted sum of its words'. numpy alone.

Words that are not in the vocabulary are cut into the longest known pieces, so that inflections, compounds and scripts
written without spaces are read too. Made by `python -m monitor.training build`; see `model/claims.json`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_WORD = re.compile(r"[^\W\d_]+|\d+")
_NUMBER = "0"  # every number reads alike
_LONGEST = 24
_SHORTEST = 3  # letters of a piece, in scripts that write words apart
_REMEMBERED = 60_000
_WORDS_READ = 4_000  # of one text: more say nothing new


def _dense(char: str) -> bool:
    """Is this a script in which one sign is a word or a syllable?"""
    return "\u0e00" <= char <= "\u0eff" or "\u3040" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7af"


class WordVectors:
    """`rows`: int8 (words, size); `scales`: float32 (words,), the word's weight and scale in one."""

    def __init__(self, words: Sequence[str], rows: npt.NDArray[np.int8], scales: Floats) -> None:
        if len(words) != len(rows) or len(words) != len(scales):
            raise ValueError(f"{len(words)} words, {len(rows)} vectors, {len(scales)} scales: these must be as many")
        self.rows = rows
        self.scales = scales
        self.size = int(rows.shape[1])
        self._at = {word: number for number, word in enumerate(words)}
        self._known: dict[str, tuple[int, ...]] = {}

    def pieces(self, word: str) -> tuple[int, ...]:
        """Row numbers of a word: its own, or those of the pieces it is made of. Empty if nothing is known."""
        found = self._known.get(word)
        if found is None:
            at = self._at.get(_NUMBER if word[0].isdigit() else word)
            found = (at,) if at is not None else tuple(self._cut(word))
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[word] = found
        return found

    def _cut(self, word: str) -> list[int]:
        found: list[int] = []
        start, size = 0, len(word)
        while start < size:
            least = 1 if _dense(word[start]) else _SHORTEST
            for end in range(min(size, start + _LONGEST), start + least - 1, -1):
                at = self._at.get(word[start:end])
                if at is not None:
                    found.append(at)
                    start = end
                    break
            else:
                if found and least > 1:  # what is left is an ending
                    break
                start += 1
        return found

    def numbers(self, folded: str) -> list[int]:
        """Row numbers of a folded text, in reading order."""
        found: list[int] = []
        for word in _WORD.findall(folded, 0, 40 * _WORDS_READ)[:_WORDS_READ]:
            found.extend(self.pieces(word))
        return found

    def texts(self, folded: Sequence[str]) -> Floats:
        """(texts, size): each row of length one, or zero where no word is known."""
        lists = [self.numbers(text) for text in folded]
        out = np.zeros((len(lists), self.size), np.float32)
        full = [index for index, numbers in enumerate(lists) if numbers]
        if not full:
            return out
        flat = np.fromiter((number for index in full for number in lists[index]), np.int64)
        starts = np.cumsum([0, *(len(lists[index]) for index in full[:-1])])
        weighted = self.rows[flat].astype(np.float32) * self.scales[flat, None]
        sums = np.add.reduceat(weighted, starts, axis=0)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        out[full] = sums / np.maximum(lengths, 1e-9)
        return out
