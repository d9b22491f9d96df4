"""Which of E5's quarter of a million pieces the encoder keeps: those our texts need, then the most frequent."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from monitor.classify.pieces import Pieces
from monitor.training.e5 import E5

COUNT = 35_800  # as many as leave the model under 20 MB
_SPECIAL = 4
_SCRIPTS = (
    "LATIN",
    "GREEK",
    "CYRILLIC",
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "HANGUL",
    "ARABIC",
    "HEBREW",
    "THAI",
    "DEVANAGARI",
    "BENGALI",
)
_DENSE = ("CJK", "HANGUL")
_DENSE_SINGLE = 2_500  # of the signs of these scripts, the most frequent
_MARK = "\N{LOWER ONE EIGHTH BLOCK}"
_WHOLE = 1_000_000


def choose(e5: E5, texts: Iterable[str], words: Iterable[str], count: int = COUNT) -> npt.NDArray[np.int64]:
    """Numbers in E5's own order.

    Pieces that occur thrice or more in `texts` or five times in `words` (the lexicon's and the diseases'), single
    characters, the likeliest of the other pieces of `texts`, then the likeliest in lower case of the scripts we read.
    """
    whole = Pieces(e5.pieces, e5.scores)
    used = Counter(number for text in texts for number in whole.read(text, _WHOLE)[0])
    named = Counter(number for word in words for number in whole.read(word, _WHOLE)[0])
    kept = set(range(_SPECIAL)) | {number for number, many in used.items() if many > 2}
    kept |= {number for number, many in named.items() if many > 4}
    order = [int(number) for number in np.argsort(-e5.scores, kind="stable") if _ours(e5.pieces[number])]
    single = [number for number in order if len(e5.pieces[number].lstrip(_MARK)) == 1]
    dense = [number for number in single if _script(e5.pieces[number][-1]).startswith(_DENSE)]
    kept |= set(single) - set(dense[_DENSE_SINGLE:])
    for number in (*(number for number in order if number in used), *order):
        if len(kept) >= count:
            break
        kept.add(number)
    return np.array(sorted(kept), np.int64)


def _ours(piece: str) -> bool:
    text = piece.lstrip(_MARK)
    return (
        bool(piece)
        and text == text.lower()
        and all(_script(char).startswith(_SCRIPTS) for char in text if char.isalpha())
    )


def _script(char: str) -> str:
    return unicodedata.name(char, "")
