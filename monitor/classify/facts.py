"""What the page says of its product: source, route, names. Facts for the law, not claims."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from monitor.classify.compose import Page
from monitor.classify.shapes import ProductFacts

_SOURCES = (
    ("human_source", "human"),
    ("animal_source", "animal"),
    ("plant_source", "plant"),
    ("synthetic_source", "synthetic"),
)
_ROUTES = (
    ("route_inject", "injection"),
    ("route_iv", "iv"),
    ("route_inhaled", "inhaled"),
    ("route_needle", "needling"),
    ("topical", "topical"),
)
_TELLING = frozenset(name for name, _ in (*_SOURCES, *_ROUTES))
_NAMES_KEPT = 20
_EXO = ("exo", "Exo", "EXO")
_WORD = re.compile(r"[\w+-]+")
_NAME_WORD = re.compile(r"[A-Z][\w+-]*(?:exo|Exo|EXO)[\w+-]*|\b(?:Exo|EXO)[A-Z0-9][\w+-]*")


def product_facts(page: Page) -> ProductFacts:
    """The most frequent source; the most invasive route the page names."""
    telling = (part.hits for part in page.parts if part.names and part.names & _TELLING)
    counts = Counter(hit.name for hits in telling for hit in hits)
    named = [(counts[name], source) for name, source in _SOURCES if counts[name]]
    source = max(named, key=lambda pair: pair[0])[1] if named else "unstated"
    route = next((route for name, route in _ROUTES if counts[name]), "unstated")
    form = "topical" if counts["topical"] else ""
    return ProductFacts(source, route, form)


def product_names(page: Page) -> tuple[str, ...]:
    """Names that the page gives its products: structured data first, then coined words with Exo in them."""
    found: dict[str, None] = dict.fromkeys(page.document.marks.get("product_names", []))
    for word in _words_with_exo(page):
        if len(found) >= _NAMES_KEPT:
            break
        if _NAME_WORD.fullmatch(word) and word.lower() not in ("exosome", "exosomes", "exosomal"):
            found[word] = None
    return tuple(found)


def _words_with_exo(page: Page) -> Iterator[str]:
    """Block by block: folded, those that hold such a word are quickly told."""
    for block, words in zip(page.document.blocks, page.words, strict=True):
        if "exo" in words:
            yield from _in_block(page.document.text[block.start : block.end])


def _in_block(text: str) -> Iterator[str]:
    at = 0
    for place in sorted(place for spelling in _EXO for place in _places(text, spelling)):
        if place < at:
            continue
        start = place
        while start > at and (text[start - 1].isalnum() or text[start - 1] in "_+-"):
            start -= 1
        found = _WORD.match(text, start)
        if found:
            at = found.end()
            yield found.group()


def _places(text: str, words: str) -> Iterator[int]:
    at = text.find(words)
    while at >= 0:
        yield at
        at = text.find(words, at + 1)
