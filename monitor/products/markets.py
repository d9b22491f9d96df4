"""Which countries a page says its products are brought to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from monitor.classify.automaton import unbound
from monitor.products.regions import WORLDWIDE
from monitor.products.shapes import Fact
from monitor.products.words import Mark, MarkedPage
from monitor.reading.text import Block

_AFTER = 160
"""Characters after a word of delivering in which the countries are named."""
_BEFORE = 30
_BEFORE_UNPARTED = 60
"""The same before it; in languages that put the verb last, more."""
_END = re.compile(r"[!?。！？\n]|\.(?=\s+[A-Z\u00c0-\u00de]|\s*\Z)")
_VERB_LAST = ("kargo", "gönder", "teslim")


def countries(page: MarkedPage) -> Iterator[Fact]:
    """Each country once, in the statement that names it first. A page's navigation is not read, its footer is."""
    found: dict[str, Fact] = {}
    for block in page.document.blocks if page.has("serves") else ():
        if block.kind == "nav":
            continue
        for cue in page.cues("serves", block.start, block.end):
            for fact in _statement(page, block, cue):
                found.setdefault(fact.value, fact)
    yield from found.values()


def _statement(page: MarkedPage, block: Block, cue: Mark) -> Iterator[Fact]:
    start, end = _window(page, block, cue)
    excluded = page.cues("excluded", start, end)
    if any(one.start <= cue.start < one.end or cue.start <= one.start < cue.end for one in excluded):
        return
    if any(one.end <= cue.start and one.end > cue.start - 12 for one in page.cues("denied_before", start, cue.start)):
        return
    named = [*page.inside(start, end, "country"), *page.cues("worldwide", start, end)]
    reached = 0
    for mark in sorted(named, key=lambda one: (one.start, -one.end)):
        if mark.start < reached or any(_excludes(page, one, mark) for one in excluded):
            continue
        reached = mark.end
        first, last = min(cue.start, mark.start), max(cue.end, mark.end)
        code = WORLDWIDE if mark.meaning.kind == "market" else mark.value
        yield Fact("country", code, page.text[first:last], first, last)


def _window(page: MarkedPage, block: Block, cue: Mark) -> tuple[int, int]:
    """The sentence of a word of delivering, as far as it is looked at."""
    words = page.text[cue.start : cue.end]
    back = _BEFORE_UNPARTED if unbound(words) or words.lower().startswith(_VERB_LAST) else _BEFORE
    low, high = max(block.start, cue.start - back), min(block.end, cue.end + _AFTER)
    before = [match.end() for match in _END.finditer(page.text, low, cue.start)]
    after = _END.search(page.text, cue.end, high)
    return (before[-1] if before else low), (after.start() if after else high)


def _excludes(page: MarkedPage, excluded: Mark, named: Mark) -> bool:
    """`except Brazil`; where the word stands last (ブラジルを除く), what stands before it."""
    words = page.text[excluded.start : excluded.end]
    if unbound(words) or words.lower() == "hariç":
        return named.end <= excluded.start <= named.end + 3
    return excluded.end <= named.start
