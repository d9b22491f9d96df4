"""What differs from one look at a page to the next though nobody changed it: dates, clocks, counters, banners. Pure.

Prices, doses and quantities are no flicker. What a claim says is none either: who compares readings by `steady`
has to hold the claims of both against each other too, since a banner could say anything. The words are data:
`knowledge/passing/`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache

from monitor.knowledge.wordlists import COUNTERS, DATES, Terms, in_use, pattern, spelt
from monitor.reading.banners import asks_consent, in_banners, leads_elsewhere, may_ask
from monitor.reading.text import Document

_Block = tuple[str, str, tuple[str, ...]]
"""Words, kind and headings, as of a `Part`."""
PASSING = "\N{MIDDLE DOT}"
"""Stands for what flickers."""


@dataclass(frozen=True)
class Part:
    """A block of a page: its words, what kind of block it is, and under which headings it stands."""

    text: str
    kind: str = "paragraph"
    heading_path: tuple[str, ...] = ()


def parts_of(document: Document) -> tuple[Part, ...]:
    """A page's blocks, without those that are there for the visit alone (cookie banners, "you may also like")."""
    parts = [Part(document.text[each.start : each.end], each.kind, each.heading_path) for each in document.blocks]
    asked = enumerate(parts) if may_ask(document.text) else ()
    asking = [number for number, part in asked if part.kind != "title" and asks_consent(part.text)]
    banners = in_banners([part.text for part in parts], asking) if asking else frozenset()
    return tuple(part for number, part in enumerate(parts) if number not in banners and not _is_aside(part))


def same_but_for_flicker(one: Document, other: Document) -> bool:
    """True if both show the same blocks, whatever their order, and only what flickers differs."""
    shown, seen = (Counter(_blocks_of(document)) for document in (one, other))
    gone, new = shown - seen, seen - shown
    if may_ask(one.text) or any(may_ask(block[0]) for block in new):
        # a banner's buttons are known by what stands beside them, so that every block counts
        here, there = (Counter(part.text for part in parts_of(document)) for document in (one, other))
    else:
        here, there = _own_texts(gone), _own_texts(new)
    # most blocks are the same to the letter, and need no closer look
    return _steady_blocks(here - there) == _steady_blocks(there - here)


def _blocks_of(document: Document) -> Iterator[_Block]:
    text = document.text
    return ((text[each.start : each.end], each.kind, each.heading_path) for each in document.blocks)


def _own_texts(blocks: Counter[_Block]) -> Counter[str]:
    """Texts of the blocks that do not stand among what leads elsewhere."""
    return Counter(block[0] for block in blocks.elements() if not _is_aside(Part(*block)))


def _steady_blocks(texts: Counter[str]) -> Counter[str]:
    return Counter(map(steady, texts.elements()))


_UNPARTED = ("ja", "ko", "zh")
"""Languages that write no blanks between words: theirs stand right behind the number, and anything behind them."""
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d{1,6})?(?: ?[ap]\.?m\b\.?)?"
_NUMBER = r"(?<![\d.,])\d{1,9}(?:[., ]\d{3}){0,3}(?:[.,]\d{1,2})? ?[km]?\+?"
_COUNT = r"(?<![\d,])\d[\d,]{0,12}"
_STARS = r"(?:[★☆⭐] ?|\b)[1-5](?:[.,]\d{1,2})? ?(?:/ ?5 ?)?\( ?\d[\d.,]{0,12} ?\)|[★☆⭐] ?\(? ?\d[\d.,]{0,12} ?\)?"
_MARK = r"(?:©|\(c\)|\bcopyright\b)"
_YEARS = rf"{_MARK} ?{_MARK}? ?(?:\d{{4}} ?[-–—] ?)?\d{{4}}|\b\d{{4}}(?: ?[-–—] ?\d{{4}})? ?©"
_NUMBER_OF_VISIT = (
    r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{16,64}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
)
_NOTHING = "(?!)"
_SPACE = re.compile(r"\s+")
_NUMERAL = re.compile(r"\d")
"""Without one nothing is counted, and the words need not be read."""


def _any_of(terms: Terms, langs: Collection[str] | None = None) -> str:
    """Alternatives of a regular expression. Without `langs`: of every language that parts its words."""
    unparted = () if langs else _UNPARTED
    return "|".join(pattern(words) for words in spelt(terms, langs, but=unparted)) or _NOTHING


def _date() -> str:
    rows = in_use(DATES)
    words = {name: _any_of(terms) for name, terms in rows.items()}
    month, any_month = words["month"], f"{words['month']}|{words['month_beside_year']}"
    nth = rf" ?(?:{words['ordinal']})? ?(?:(?:{words['of']}) )?"
    year, month_sign, day_sign = (
        f"(?:{_any_of(rows[name], _UNPARTED)})" for name in ("year_sign", "month_sign", "day_sign")
    )
    return (
        rf"\b\d{{4}}-\d{{2}}-\d{{2}}(?:[t ]{_CLOCK}(?:z|[+-]\d{{2}}:?\d{{2}})?)?"
        r"|\b\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})\b|\b\d{4}[./]\d{1,2}[./]\d{1,2}\b"
        rf"|\b\d{{1,2}}{nth}(?:{any_month})\b\.?,? ?(?:(?:{words['of']}) )?\d{{4}}\b|\b\d{{1,2}}{nth}(?:{month})\b"
        rf"|\b(?:{any_month})\.? ?\d{{1,2}}(?:{words['ordinal']})?,? ?\d{{4}}\b"
        rf"|\b(?:{month}) \d{{1,2}}(?:{words['ordinal']})?\b"
        rf"|(?<!\d)\d{{4}} ?{year} ?\d{{1,2}} ?{month_sign}(?: ?\d{{1,2}} ?{day_sign})?"
    )


def _ago() -> str:
    rows = in_use(DATES)
    unit, one = _any_of(rows["unit"]), _any_of(rows["one"])
    after, before = _any_of(rows["ago_after"]), _any_of(rows["ago_before"])
    how_long = rf"(?:{one}|\d{{1,4}}) ?(?:{unit})"
    parted = rf"\b{how_long} (?:{after})\b|\b(?:{before}) {how_long}\b"
    unparted = (
        rf"(?<!\d)\d{{1,4}} ?(?:{_any_of(rows['unit'], (lang,))}) ?(?:{_any_of(rows['ago_after'], (lang,))})"
        for lang in _UNPARTED
    )
    return "|".join((parted, *unparted))


def _countdown() -> str:
    rows = in_use(DATES)
    unit, ends = _any_of(rows["unit"]), _any_of(rows["ends"])
    return (
        rf"\b(?:{ends}) ?:? ?(?:\d{{1,4}} ?(?:{unit}|[dhms])\b[:,]? ?){{1,4}}"
        r"|\b\d{1,4} ?d ?:? ?\d{1,2} ?h ?:? ?\d{1,2} ?m(?: ?:? ?\d{1,2} ?s)?\b"
        r"|\b\d{1,3} ?: ?\d{2} ?: ?\d{2}(?: ?: ?\d{2})?\b"
    )


def _counter() -> str:
    rows = in_use(COUNTERS)
    words = {name: _any_of(terms) for name, terms in rows.items()}
    visitors = f"{words['people']}|{words['visitors']}"
    doing = rf"(?:(?:{words['helping']}) )?(?:(?:{words['lately']}) )?"
    return (
        rf"{_NUMBER} ?(?:{visitors}) {doing}(?:{words['looked']})\b"
        rf"|{_NUMBER} ?(?:{visitors}) (?:{words['helping']}) (?:\w+ ){{0,3}}(?:{words['looked_last']})\b"
        rf"|\b(?:{words['looked_by']}) (?:{words['by']}) {_NUMBER} ?(?:{visitors})\b"
        rf"|{_NUMBER} ?(?:{words['people']}) {doing}(?:{words['looking']})"
        rf"|{_NUMBER} ?(?:{words['counted']})\b|\b(?:{words['counted']}) ?[(:] ?{_NUMBER}\)?"
        rf"|{_NUMBER} ?(?:{words['left']})\b"
        rf"|\b(?:{words['cart']}|{_any_of(rows['cart'], _UNPARTED)}) ?[(:] ?\d{{1,4}}"
        rf"|{_COUNT} ?(?:{_any_of(rows['counted'], _UNPARTED)})|{_STARS}"
    )


@cache
def _flickers() -> re.Pattern[str]:
    return re.compile("|".join((_NUMBER_OF_VISIT, _YEARS, _ago(), _countdown(), _counter(), _date(), rf"\b{_CLOCK}")))


@cache
def _may_flicker() -> re.Pattern[str]:
    rows = in_use(DATES)
    return re.compile(rf"\d|\b(?:{_any_of(rows['ago_after'])}|{_any_of(rows['ago_before'])})\b")


@cache
def _dated() -> re.Pattern[str]:
    return re.compile(_date())


@cache
def _counts() -> re.Pattern[str]:
    return re.compile(_counter())


def steady(text: str) -> str:
    """A block's words without what flickers in them: two readings of an unchanged block give the same."""
    low = _SPACE.sub(" ", text.casefold()).strip()
    return _flickers().sub(PASSING, low) if _may_flicker().search(low) else low


def counts(text: str) -> bool:
    """Does it begin with how many look, bought or rated, or how many are left?"""
    return _NUMERAL.search(text) is not None and _counts().match(text.lower()) is not None


def is_dated(text: str) -> bool:
    """Does a line hold a date: `3 October 2026`, `2026-10-03`?"""
    return _dated().search(_SPACE.sub(" ", text.casefold())) is not None


def is_passing(part: Part) -> bool:
    """True for a block that belongs to the visit and not to the page, whatever stands beside it."""
    return (part.kind != "title" and asks_consent(part.text)) or _is_aside(part)


def _is_aside(part: Part) -> bool:
    """Does it stand among what leads elsewhere, such as "you may also like"?"""
    own = (part.text,) if part.kind == "heading" else ()
    return any(leads_elsewhere(heading) for heading in (*part.heading_path, *own))
