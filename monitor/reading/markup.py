"""A parsed page, written out again by its parser and read from there: quicker than asking for its nodes one by one.

What the parser writes is regular (HTML standard, "Serializing HTML fragments"): every element is closed, attributes
stand in double quotes, and neither texts nor attributes hold a `<` or `>`. So it is a row of texts with markup between
them, and what lies between two texts is much the same all over a page, and on all pages of a site. `Place` remembers
where it leads. Where content could break the rule, `IrregularError` is raised: the nodes have to be asked after all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from monitor.reading.marks import may_tell

_HIDDEN = frozenset("script style template head title meta link base svg math iframe object noembed noframes".split())
_KINDS = {
    **{f"h{level}": "heading" for level in range(1, 7)},
    "dt": "heading",
    "summary": "heading",
    "li": "list_item",
    "dd": "paragraph",
    "td": "table_cell",
    "th": "table_cell",
    "figcaption": "caption",
    "caption": "caption",
    "legend": "caption",
    "button": "button",
    "option": "button",
    "blockquote": "quote",
    "nav": "nav",
    "footer": "footer",
}
_LEVELS = {**{f"h{level}": level for level in range(1, 7)}, "dt": 7, "summary": 7}
_BREAKING = frozenset(
    (
        "address article aside body center details dialog dir div dl fieldset figure form header hgroup hr html main "
        "menu noscript ol optgroup p pre section select table tbody textarea tfoot thead tr ul br"
    ).split()
)
_EMPTY = frozenset(
    "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr".split()
)
_ROLES = {"button": "button", "navigation": "nav", "contentinfo": "footer", "heading": "heading"}
_WORDS_IN_ATTRIBUTES = frozenset(["img", "area", "input"])
# A kind met inside these stays what its surrounding is, so that a list in a footer is footer.
_HOLDING = frozenset({"nav", "footer", "quote"})
_IN_PARTS = frozenset(["nav", "footer"])


class IrregularError(Exception):
    """The markup is not as regular as it has to be."""


class Element(NamedTuple):
    """What an element means for the text. `empty`: it holds nothing. `breaks`: a block ends at either end of it."""

    name: str
    passed_over: bool
    empty: bool
    kind: str | None
    level: int
    breaks: bool
    shown: tuple[tuple[str, str], ...]
    """Words that stand in attributes, by the kind of their block."""
    told: Mapping[str, str | None]
    """Its attributes, if they may show something of the page."""


def asked_for_attributes(name: str) -> bool:
    return name not in _KINDS or name == "button"


def element(name: str, attributes: Mapping[str, str | None], tells: bool) -> Element:
    """`tells`: whether the attributes may show something of the page."""
    kind = _KINDS.get(name)
    if kind is None and attributes:
        kind = _ROLES.get(attributes.get("role") or "")
    return Element(
        name,
        passed_over=name in _HIDDEN or name[:1] in "-!",
        empty=name in _EMPTY,
        kind=kind,
        level=_LEVELS.get(name, 2 if kind == "heading" else 0),
        breaks=kind is not None or name in _BREAKING,
        shown=tuple(_shown(name, attributes)) if attributes else (),
        told=attributes if tells else {},
    )


def _shown(name: str, attributes: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    if name in _WORDS_IN_ATTRIBUTES and attributes.get("alt"):
        yield "alt", attributes["alt"] or ""
    if name == "input" and attributes.get("type") in ("submit", "button"):
        yield "button", attributes.get("value") or ""


class Flush(NamedTuple):
    """What was said up to here is a block. `in_cell`: its level is the row of the table."""

    kind: str
    level: int
    in_cell: bool


class Shown(NamedTuple):
    """Words of an attribute: a block of their own."""

    kind: str
    words: str


BLANK, ROW, CELL, CELL_ENDS = "blank", "row", "cell", "cell ends"
Act = str | Shown


class Step(NamedTuple):
    """What markup between two texts does. `flush` comes first: nothing before it touches what was said."""

    to: Place
    flush: Flush | None
    acts: tuple[Act, ...]
    told: tuple[Element, ...]


class Place:
    """Where a text stands: the elements around it, as far as they matter to it."""

    def __init__(
        self, outer: Place | None, name: str, block: Flush, breaks: bool, owns: bool, passed_over: bool
    ) -> None:
        self.outer = outer
        self.name = name
        self.block = block
        self.breaks = breaks
        self.owns = owns
        """Has the element a kind of its own?"""
        self.passed_over = passed_over
        self.known: dict[str, Step] = {}
        self.inner: dict[tuple[str, Flush, bool, bool, bool], Place] = {}

    @classmethod
    def outermost(cls) -> Place:
        return cls(None, "", Flush("paragraph", 0, False), False, False, False)


class Places:
    """What is known of the markup of pages, up to a limit: a page may make up as many elements as it likes."""

    def __init__(self) -> None:
        self._taken = 0
        self._start = Place.outermost()

    def start(self) -> Place:
        if self._taken >= _MOST:
            self._taken, self._start = 0, Place.outermost()
        return self._start

    def step(self, place: Place, markup: str) -> Step:
        """From one text to the next. Raises IrregularError."""
        walk = Walk(self, place)
        pieces = markup.split("<")
        for number, piece in enumerate(pieces, 1):
            tag, ends, blank = piece.partition(">")
            if not ends and number < len(pieces):
                raise IrregularError(f"<{tag[:80]} without an end")
            if tag.startswith("/"):
                walk.leave(tag[1:])
            elif tag:
                walk.enter(_read(tag))
            if blank:
                walk.blank()
        made = walk.step()
        if self._taken < _MOST:
            self._taken += len(markup) + _TAKEN
            place.known[markup] = made
        return made

    def inside(self, place: Place, one: Element) -> Place:
        passed_over = place.passed_over or one.passed_over
        owns = one.kind is not None and not passed_over
        block = place.block
        if one.kind is not None and owns:
            kind = block.kind if block.kind in _HOLDING and one.kind != "nav" else one.kind
            block = Flush(kind, one.level, one.kind == "table_cell")
        key = (one.name, block, one.breaks, owns, passed_over)
        found = place.inner.get(key)
        if found is None:
            found = Place(place, *key)
            if self._taken < _MOST:
                self._taken += _TAKEN
                place.inner[key] = found
        return found


class Walk:
    """From one text to the next, and what that does to what was said."""

    def __init__(self, places: Places, start: Place) -> None:
        self._places = places
        self.place = start
        self._flush: Flush | None = None
        self._acts: list[Act] = []
        self._told: list[Element] = []

    def step(self) -> Step:
        return Step(self.place, self._flush, tuple(self._acts), tuple(self._told))

    def enter(self, one: Element) -> None:
        """An empty element is not entered."""
        place = self.place
        if not place.passed_over and not one.passed_over:
            held = place.block.kind
            if one.name == "br" and held == "heading":
                self.blank()
                return
            if one.breaks or (one.name == "a" and held in _IN_PARTS):
                self._end_block()
            if one.name == "tr":
                self._acts.append(ROW)
            if one.told:
                self._told.append(one)
            for kind, words in one.shown:
                self._end_block()
                self._acts.append(Shown(kind, words))
        if not one.empty:
            self.place = self._places.inside(place, one)
            if self.place.owns and self.place.block.in_cell:
                self._acts.append(CELL)

    def leave(self, name: str) -> None:
        """Raises IrregularError where another element ends."""
        place = self.place
        if place.name != name or place.outer is None:
            raise IrregularError(f"</{name[:80]}> in <{place.name}>")
        if place.breaks and not place.passed_over:
            self._end_block()
        if place.owns and place.block.in_cell:
            self._acts.append(CELL_ENDS)
        self.place = place.outer

    def blank(self) -> None:
        """White space parts words; at the beginning of a block it is nothing."""
        if self._flush is None and not self.place.passed_over:
            self._acts.append(BLANK)

    def _end_block(self) -> None:
        if self._flush is None:
            self._flush = self.place.block
            self._acts.clear()


_MOST = 3_000_000  # characters of markup that are remembered, with what each step and place takes besides
_TAKEN = 200
_OPENING = re.compile(r'([a-z][a-z0-9:._-]*)((?: [^\s="<>/]+="[^"]*")*)')
_ATTRIBUTE = re.compile(r' ([^\s="<>/]+)="([^"]*)"')


@lru_cache(maxsize=500)
def _bare(name: str) -> Element:
    return element(name, {}, False)


def _read(tag: str) -> Element:
    """From a tag without its brackets. Raises IrregularError."""
    found = _OPENING.fullmatch(tag)
    if found is None:
        raise IrregularError(f"<{tag[:80]}>")
    name, attributes = found.groups()
    if name in _RAW:
        raise IrregularError(f"<{name}> holds what may look like markup")
    if not attributes or not asked_for_attributes(name):
        return _bare(name)
    tells = may_tell(name, attributes)
    if not (tells or name in _WORDS_IN_ATTRIBUTES or ' role="' in attributes):
        return _bare(name)
    return element(name, {key: plain(value) for key, value in _ATTRIBUTE.findall(attributes)}, tells)


def plain(written: str) -> str:
    """Text or the value of an attribute, as the page meant it."""
    if "&" in written:
        for sign, char in (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", "\u00a0"), ("&quot;", '"'), ("&amp;", "&")):
            written = written.replace(sign, char)
    return written


_RAW = frozenset("script style iframe noembed noframes xmp plaintext".split())
"""Elements whose text is written as it is, whatever it looks like."""
_SEEN_RAW = frozenset(["xmp", "plaintext"])
_ANY_RAW = "|".join(sorted(_RAW))
_UNREAD = re.compile(rf"<!--|<({_ANY_RAW}|svg|math)(?=[\s>])")
_IN_DRAWINGS = re.compile(rf"<(?:{_ANY_RAW}|svg|math)\b")
_TEXT = re.compile(r">(\s*[^<\s][^<]*)<")


def texts(markup: str) -> list[str]:
    """Markup and texts by turns, markup first and last."""
    return _TEXT.split(f">{markup}<")


def without_unread(markup: str) -> str:
    """Without comments and what is no text though it stands where one would. Raises IrregularError."""
    kept: list[str] = []
    done = at = 0
    while found := _UNREAD.search(markup, at):
        name, begin = found.group(1), found.end()
        end = markup.find(f"</{name}>" if name else "-->", begin)
        if end < 0 or name in _SEEN_RAW:
            raise IrregularError(f"<{name or '!--'}> holds what may look like markup")
        at = end + (len(name) + 3 if name else 3)
        if name in ("svg", "math"):  # passed over later on, by its tags
            if _IN_DRAWINGS.search(markup, begin, end):
                raise IrregularError(f"a text of another kind in <{name}>")
            continue
        if name and markup.find("<!--", begin, end) >= 0 and markup.find(f"<{name}", begin, end) >= 0:
            raise IrregularError(f"<{name}> in a comment of <{name}>")
        kept.append(markup[done : found.start()])
        done = at
    return "".join([*kept, markup[done:]])
