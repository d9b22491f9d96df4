"""Which words of a name are somebody's own, and which name a kind of product only. Pure.

The words of kinds are data: `knowledge/generic_names.yaml`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from monitor.folding import fold
from monitor.knowledge.shapes import expand
from monitor.knowledge.wordlists import LISTS, NAMES, in_use
from monitor.products.stretches import folded_name

_UNPARTED = frozenset({"ja", "ko", "th", "zh"})
_FIRST_UNPARTED = "\u0e00"
"""From here on in Unicode (Thai, kana, Han, Hangul) one or two letters can be a word."""
_SHORTEST = 3
_KINDS: dict[str, str] = {"exosome": "exosomes", "cell": "stem cells"}
_SAYING_NO_MORE: tuple[str, ...] = ("thing", "little")
"""A name of these and a kind says no more than the kind."""


def own_words(folded: str) -> frozenset[str]:
    """Words of a folded name that name no kind of product: of “kelda exosome serum” it is “kelda”."""
    left = _generic().left_of(letters(folded)).split()
    return frozenset(word for word in left if not word.isdigit() and (len(word) >= _SHORTEST or _is_unparted(word)))


def letters(folded: str) -> str:
    """The words of a folded text between single blanks: letters, their marks, and numbers."""
    kept = "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in folded.casefold())
    return " ".join(kept.split())


@lru_cache(maxsize=10_000)
def is_generic(name: str) -> bool:
    """Does a name only say what kind of product it is: “Exosome serum”, “Stammzelltherapie”?"""
    words = letters(fold(name).text)
    return bool(words) and all(len(word) == 1 and not _is_unparted(word) for word in _generic().left_of(words).split())


@lru_cache(maxsize=10_000)
def name_on(host: str, name: str) -> tuple[str, str]:
    """By what a product is found again on its host, and how it is called.

    A generic name is called with its host, for elsewhere it is another product. Names that say no more than the kind
    (“exosomes”, “our exosome therapy”) are one on a host.
    """
    folded = folded_name(name)
    if not is_generic(name):
        return folded, name
    words = letters(folded)
    kinds = [kind for group, kind in _KINDS.items() if _of(group).left_of(words) != words]
    says_more = _of(*_KINDS, *_SAYING_NO_MORE).left_of(words)
    return " ".join(kinds) if kinds and not says_more else folded, f"{name} ({host})"


class _Words:
    """Words of some lists: whole ones, and any part of a word in languages that write no blanks between them."""

    def __init__(self, lists: Iterable[str]) -> None:
        spelt = [one for name in lists for one in _spelt(name)]
        self._inside = re.compile(_any_of(words for lang, words in spelt if lang in _UNPARTED))
        units = _any_of(words for lang, words in _spelt("unit") if lang not in _UNPARTED)
        whole = _any_of(words for lang, words in spelt if lang not in _UNPARTED)
        self._whole = re.compile(rf"(?<!\S)(?:{whole}|\d+ ?(?:{units})?)(?!\S)")

    def left_of(self, words: str) -> str:
        """What `letters` gave, without them and without sizes."""
        return " ".join(self._whole.sub(" ", self._inside.sub(" ", words)).split())


def _spelt(name: str) -> Iterator[tuple[str, str]]:
    """Language and spelling of every word of a list."""
    return ((lang, words) for lang, terms in in_use(NAMES)[name].items() for words in expand(terms))


def _any_of(spelt: Iterable[str]) -> str:
    words = sorted({letters(fold(one).text) for one in spelt} - {""}, key=len, reverse=True)
    return "|".join(map(re.escape, words)) or "(?!)"


@cache
def _of(*lists: str) -> _Words:
    return _Words(lists)


def _generic() -> _Words:
    return _of(*LISTS[NAMES])


def _is_unparted(word: str) -> bool:
    return word[0] >= _FIRST_UNPARTED
