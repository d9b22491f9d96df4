"""Many words at once: by Hyperscan where it is installed, else by ahocorasick-rs. Both find the same.

EXOWATCH_SCAN=aho or EXOWATCH_SCAN=hyperscan forces the choice.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, Protocol

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

Match = tuple[int, int, int]
"""Number of the word, start, end."""

_CHOICE = "EXOWATCH_SCAN"
_UNBOUND = (  # scripts written without spaces, or with endings and articles glued on
    (0x0E00, 0x0E7F),  # Thai
    (0x0590, 0x06FF),  # Hebrew, Arabic
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x9FFF),  # Han
    (0xAC00, 0xD7AF),  # Hangul
)

_CONJUNCTIONS = frozenset("\u05d5\u05e9\u0648\u0641")  # Hebrew and, that; Arabic and, so


class Automaton(Protocol):
    def find(self, text: str) -> Sequence[Match]:
        """Every occurrence of every word, overlapping ones too, in any order."""
        ...


class _Aho:
    def __init__(self, words: Sequence[str]) -> None:
        # A full table (DFA) finds thousands of words no faster, and takes four times as long and as much room to make.
        self._automaton = AhoCorasick(words, implementation=Implementation.ContiguousNFA, store_patterns=False)

    def find(self, text: str) -> Sequence[Match]:
        found: Sequence[Match] = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return found


def engine() -> str:
    """`hyperscan` or `aho`. Raises ValueError where EXOWATCH_SCAN says something else, or what is not installed."""
    asked = os.environ.get(_CHOICE, "")
    if asked not in ("", "aho", "hyperscan"):
        raise ValueError(f"{_CHOICE}={asked}: there is no such scanner; set it to aho or hyperscan, or unset it")
    installed = importlib.util.find_spec("hyperscan") is not None
    if asked == "hyperscan" and not installed:
        raise ValueError(f"{_CHOICE}=hyperscan: it is not installed; install exowatch[fast], or unset {_CHOICE}")
    return asked or ("hyperscan" if installed else "aho")


def automaton(words: Sequence[str]) -> Automaton:
    """Compiles words, all different and none empty."""
    if words and engine() == "hyperscan":
        from monitor.classify.hyperscanned import Hyperscanned

        return Hyperscanned(words)
    return _Aho(words)


class Presence:
    """Does a folded text hold any of some words?"""

    def __init__(self, words: Iterable[str]) -> None:
        given = sorted(set(words))
        least = [word for word in given if not any(other != word and other in word for other in given)]
        self._plain = _presence([word for word in least if word.isascii()])
        self._other = _presence([word for word in least if not word.isascii()])

    def in_text(self, text: str) -> bool:
        return self._plain(text) or (not text.isascii() and self._other(text))


def _presence(words: Sequence[str]) -> Callable[[str], bool]:
    if not words:
        return lambda _: False
    if engine() == "hyperscan":
        scan = automaton(words)
        return lambda text: bool(scan.find(text))
    # Looked for one after the other, not overlapping, a few words are found twice as fast.
    automata = AhoCorasick(
        words, matchkind=MatchKind.LeftmostFirst, store_patterns=False, implementation=Implementation.DFA
    )
    return lambda text: bool(automata.find_matches_as_indexes(text))


_UNBOUND_LETTER = re.compile(f"[{''.join(f'{chr(low)}-{chr(high)}' for low, high in _UNBOUND)}]")


def unbound(words: str) -> bool:
    return not words.isascii() and _UNBOUND_LETTER.search(words) is not None


def joins(char: str) -> bool:
    """Does this letter make one word with a letter beside it?"""
    return char.isalnum() and (char < "\u0590" or not unbound(char))


class _Spaces(dict[int, str]):
    """For `str.translate`: a letter that makes one word with its neighbours stays, anything else is a space."""

    def __missing__(self, code: int) -> str:
        mark = self[code] = chr(code) if joins(chr(code)) else " "
        return mark


_SPACES = _Spaces()


def spaced(text: str) -> str:
    """The text one place on, with a space for whatever ends a word, and one more at either end."""
    return f" {text.translate(_SPACES)} "


Met = tuple[int, int, int]
"""Start, end below zero, number of the term: sorted, they stand by start and the longest first."""


class Term(NamedTuple):
    """Folded words; a side that is not `free` must be the end of a word.

    `alone`: free on both sides and no ASCII, for its script glues articles on, yet no part of a longer word: only
    *and* or *that* may be glued to it.
    """

    words: str
    free_left: bool
    free_right: bool
    alone: bool = False

    @classmethod
    def of(cls, written: str, plain: str) -> Term:
        """From a word as the lists write it, with its signs, and as it is looked for."""
        free = unbound(plain)
        left = written.startswith("*") or free or not plain[0].isalnum()
        right = written.endswith("*") or free or not plain[-1].isalnum()
        return cls(plain, left, right, written.startswith("="))


class Terms:
    """Terms with their word boundaries. Nine of ten raw occurrences of a word lie inside a longer one; looked for
    between spaces, in a text that has them wherever a word ends, they are never met."""

    def __init__(self, terms: Iterable[Term]) -> None:
        self._bound, self._plain, self._other = _Bound(), _Free(), _Free()
        self._alone: set[int] = set()
        for number, term in enumerate(terms):
            if not (term.free_left and term.free_right):
                self._bound.add(number, term)
            elif term.words.isascii():
                self._plain.add(number, term.words)
            else:
                self._other.add(number, term.words)
                if term.alone:
                    self._alone.add(number)
        for part in (self._bound, self._plain, self._other):
            part.compile()

    def find(self, text: str, between: str) -> list[Met]:
        """Every occurrence in a folded text, sorted. `between`: the same text `spaced`."""
        found = self._bound.find(text, between)
        found += self._plain.find(text)
        if not text.isascii():
            found += (met for met in self._other.find(text) if met[2] not in self._alone or _stands_alone(text, met))
        found.sort()
        return found


def _stands_alone(text: str, met: Met) -> bool:
    start, end = met[0], -met[1]
    if text[start - 1 : start] in _CONJUNCTIONS:
        start -= 1
    return not (text[start - 1 : start].isalpha() or text[end : end + 1].isalpha())


class _Free:
    def __init__(self) -> None:
        self._words: dict[str, tuple[int, ...]] = {}

    def add(self, number: int, words: str) -> None:
        self._words[words] = (*self._words.get(words, ()), number)

    def compile(self) -> None:
        self._automaton, self._numbers = automaton(list(self._words)), list(self._words.values())
        self._words.clear()

    def find(self, text: str) -> list[Met]:
        return [
            (start, -end, number)
            for index, start, end in (self._automaton.find(text) if self._numbers else ())
            for number in self._numbers[index]
        ]


class _Bound:
    """Terms with a side that ends a word."""

    def __init__(self) -> None:
        self._forms: dict[str, tuple[tuple[int, int, int, str], ...]] = {}

    def add(self, number: int, term: Term) -> None:
        core = term.words.translate(_SPACES)
        left, right = "" if term.free_left else " ", "" if term.free_right else " "
        form = f"{left}{core}{right}"
        # A space stands for any mark: which one it is in the text is looked at again.
        again = term.words if " " in core else ""
        self._forms[form] = (*self._forms.get(form, ()), (number, len(left) - 1, 1 + len(right), again))

    def compile(self) -> None:
        self._automaton, self._terms = automaton(list(self._forms)), list(self._forms.values())
        self._forms.clear()

    def find(self, text: str, between: str) -> list[Met]:
        terms = self._terms
        return [
            (first + left, right - last, number)
            for index, first, last in (self._automaton.find(between) if terms else ())
            for number, left, right, words in terms[index]
            if not words or text[first + left : last - right] == words
        ]
