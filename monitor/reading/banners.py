"""Cookie and consent banners, by their words in many languages and by where their buttons stand. Pure.

A banner is a block that asks for consent, with the headings, buttons and names of purposes beside it. The same button
elsewhere ("Settings", "Marketing") is the page's own. The words are data: `knowledge/passing/banners.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

from ahocorasick_rs import AhoCorasick

from monitor.knowledge.wordlists import BANNERS, GAP, Terms, in_use, pattern, spelt

LONGEST = 2_000
"""Characters of a block beyond which it is the page's own, whatever it names."""
_LONGEST_LABEL = 60
_SPACE = re.compile(r"[\s\u200b]+")
_EDGES = " .!:…×✕✓›»→*|"


class _Wordings:
    """Wordings that are looked for anywhere in a text without case, all in one scan."""

    def __init__(self, terms: Terms) -> None:
        plain: list[str] = []
        gapped: dict[str, list[re.Pattern[str]]] = {}
        for words in spelt(terms):
            pieces = GAP.split(words)
            if len(pieces) == 1:
                plain.append(words)
            else:  # its longest piece is looked for first
                gapped.setdefault(max(pieces[::2], key=len), []).append(re.compile(pattern(words)))
        self._plain = len(plain)
        self._gapped = list(gapped.values())
        self._sought = AhoCorasick([*plain, *gapped])

    def may_stand_in(self, low: str) -> bool:
        """False if none does: for a whole page's text, one look spares one at each block."""
        return bool(self._sought.find_matches_as_indexes(low))

    def stand_in(self, low: str) -> bool:
        met = {number for number, _, _ in self._sought.find_matches_as_indexes(low, overlapping=True)}
        if any(number < self._plain for number in met):
            return True
        return any(gapped.search(low) for number in met for gapped in self._gapped[number - self._plain])


@cache
def _asking() -> _Wordings:
    return _Wordings(in_use(BANNERS)["asks"])


@cache
def _labels() -> frozenset[str]:
    return frozenset(spelt(in_use(BANNERS)["buttons"]))


@cache
def _elsewhere() -> _Wordings:
    return _Wordings(in_use(BANNERS)["elsewhere"])


def may_ask(text: str) -> bool:
    """False for a whole page's text of which no block asks for consent: one look spares one at each block."""
    return _asking().may_stand_in(text.casefold())


def asks_consent(text: str) -> bool:
    """Is it a banner's own sentence or heading?"""
    return len(text) <= LONGEST and _asking().stand_in(text.casefold())


@lru_cache(maxsize=10_000)
def leads_elsewhere(heading: str) -> bool:
    """Is it the heading of a list of other things, such as "you may also like"?"""
    return _elsewhere().stand_in(heading.casefold())


def in_banners(texts: Sequence[str], asking: Iterable[int]) -> frozenset[int]:
    """Which of a page's blocks belong to banners: those that ask, and the buttons and purposes in a row beside them."""
    found = set(asking)
    for start in sorted(found):
        for step in (-1, 1):
            at = start + step
            while 0 <= at < len(texts) and at not in found and _is_label(texts[at]):
                found.add(at)
                at += step
    return frozenset(found)


def _is_label(text: str) -> bool:
    return len(text) <= _LONGEST_LABEL and _SPACE.sub(" ", text.casefold().replace("’", "'")).strip(_EDGES) in _labels()
