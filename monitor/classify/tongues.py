"""Languages that share a script, told apart by the letters that not all of them have, and by small words.

Letters and words are data: `knowledge/languages/scripts.yaml`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from monitor.folding import fold
from monitor.knowledge.wordlists import SCRIPTS, in_use, words_of


class _Tongue(NamedTuple):
    """`letters`: those of its script that others lack; `words`: frequent small ones."""

    lang: str
    letters: frozenset[str]
    words: frozenset[str]


_LETTER, _WORD = 3, 2  # a letter is surer than a word, of which many are shared


@lru_cache(maxsize=1)
def shared_scripts() -> Mapping[str, tuple[_Tongue, ...]]:
    """By the language that is meant where nothing tells; it stands first."""
    lists = in_use(SCRIPTS)
    return {
        script: tuple(
            _Tongue(
                lang,
                frozenset(words_of(lists["letter"], lang)),
                frozenset(fold(" ".join(words_of(lists["word"], lang))).text.split()),
            )
            for lang in words_of(lists["together"], script)
        )
        for script in lists["together"]
    }


_WORDS = re.compile(r"[^\s!-/:-@\[-`{-~«»“”„…–—،؛؟।]+")


def tongue(script: str, text: str, declared: str) -> str:
    """Which language of a shared script a text speaks; where that is open, the declared one if it is of that script."""
    letters, words = Counter(text.lower()), Counter(_WORDS.findall(fold(text).text))

    def weight(one: _Tongue) -> tuple[int, bool]:
        own, small = sum(letters[char] for char in one.letters), sum(words[word] for word in one.words)
        return _LETTER * own + _WORD * small, one.lang == declared

    return max(shared_scripts()[script], key=weight).lang
