"""How sellers say where they deliver and where their premises are, as expressions.

The words are data: `knowledge/places/delivery.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from monitor.classify.places import places
from monitor.knowledge.wordlists import DELIVERY, Terms, any_of, in_use, words_of, written


class Delivering(NamedTuple):
    """`ships` and `premises` match at one of their anchors, `premises` with its `place`. `country`: any name of one."""

    ships: re.Pattern[str]
    ship_anchors: tuple[str, ...]
    excluding: re.Pattern[str]
    country: re.Pattern[str]
    premises: re.Pattern[str]
    premise_anchors: tuple[str, ...]


@lru_cache(maxsize=1)
def delivering() -> Delivering:
    lists = in_use(DELIVERY)
    names = places().names
    return Delivering(
        ships=re.compile("|".join(_ships(lists)), re.IGNORECASE),
        ship_anchors=_beginnings(lists[name] for name in ("delivers", "delivers_loosely", "free")),
        excluding=re.compile(rf"\b(?:{any_of(written(lists['excluding']))})\b|n['’]t\b", re.IGNORECASE),
        country=re.compile(rf"(?<![\w.])(?:{any_of(names)})(?!\w)"),
        premises=re.compile(
            rf"\b(?i:{any_of(written(lists['premises']))}) (?:{any_of(written(lists['premises_in']))})\s(?:the )?"
            rf"(?P<place>{any_of([*names, *places().cities])})(?!\w)"
        ),
        premise_anchors=_beginnings([lists["premises"]]),
    )


def _ships(lists: Mapping[str, Terms]) -> Iterable[str]:
    """Expressions for one language after the other: the words for "to" are no such words elsewhere."""
    for name, between in (("delivers", ""), ("delivers_loosely", r"(?: \w+){0,3}?")):
        for lang in lists[name]:
            to = any_of(words_of(lists["to"], lang))
            yield rf"\b(?:{any_of(words_of(lists[name], lang))}){between} (?:{to})\b"
    free, within, sending = (any_of(written(lists[name])) for name in ("free", "free_in", "sending"))
    yield rf"\b(?:{free}) (?=(?:{within}) (?:{sending}))"


def _beginnings(lists: Iterable[Terms]) -> tuple[str, ...]:
    """The letters that all spellings of a term begin with; none begins another."""
    terms = (term for one in lists for terms in one.values() for term in terms.split("|"))
    found = {" ".join(term.partition("{")[0].split()) for term in terms}
    found.discard("")
    return tuple(sorted(one for one in found if not any(other != one and one.startswith(other) for other in found)))
