"""Which part of a page speaks of which product."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from monitor.folding import fold
from monitor.products.prices import prices_in
from monitor.products.shapes import Told
from monitor.products.words import PRODUCT, MarkedPage
from monitor.reading.text import Block

_ASIDE = frozenset({"nav", "footer"})
_LONGEST_LABEL = 60
"""Characters of a heading that says that other products follow."""
_LONGEST_NAME = 90
_LITTLE = 300
"""Characters below which a page shows nothing without its scripts."""
_LONGEST_DATA_NAME = 120
_CARD = 600
"""Characters after a heading in which a card's price stands."""
_MOST_BLOCKS = 60
"""Blocks of one product on a page of several."""
_MOST_CARDS = 60


@dataclass(frozen=True)
class Stretch:
    """The blocks that speak of one product, and those among them that name it."""

    blocks: tuple[Block, ...] = ()
    naming: frozenset[int] = frozenset()

    @property
    def span(self) -> tuple[int, int] | None:
        return (self.blocks[0].start, self.blocks[-1].end) if self.blocks else None


@dataclass(frozen=True)
class Offered:
    """A product that a page offers. `named_by`: `told`, `page`, `card`, or `word` where it has no name of its own."""

    name: str
    stretch: Stretch
    told: Told | None = None
    named_by: str = "told"


@lru_cache(maxsize=10_000)
def folded_name(name: str) -> str:
    """A product's name as identity compares it. Remembered: the headings of a site's pages are much the same."""
    return " ".join(fold(name).text.casefold().split())


def own_blocks(page: MarkedPage, names: Collection[str] = ()) -> tuple[Block, ...]:
    """Blocks in which the page speaks of what it offers: no navigation, no footer, no other products, no reviews.

    `names`: its products in structured data, folded. What else that data says counts where hardly anything is shown.
    """
    kept: list[Block] = []
    shown = sum(block.end - block.start for block in page.document.blocks if block.kind not in (*_ASIDE, "jsonld"))
    skipping = 0
    for block in page.document.blocks:
        is_heading = block.kind == "heading"
        if skipping and is_heading and block.level <= skipping:
            skipping = 0
        if block.kind in _ASIDE or (block.kind == "jsonld" and not _tells(page, block, names, shown)):
            continue
        if not skipping and _turns_away(page, block):
            skipping = block.level if is_heading else 2
        if not skipping:
            kept.append(block)
    return tuple(kept)


def _tells(page: MarkedPage, block: Block, names: Collection[str], shown: int) -> bool:
    """Is this piece of structured data the product's own? Names of others and what reviewers say stand there too."""
    long = block.end - block.start > _LONGEST_DATA_NAME
    return shown < _LITTLE and (long or folded_name(page.text[block.start : block.end]) in names)


def _turns_away(page: MarkedPage, block: Block) -> bool:
    if block.end - block.start > _LONGEST_LABEL or block.kind not in ("heading", "paragraph"):
        return False
    found = page.cues("related", block.start, block.end)
    whole = bool(found) and found[0].start == block.start
    return whole and (block.kind == "heading" or found[0].end == block.end)


def offered(page: MarkedPage, told: Sequence[Told], named: str, words: Sequence[str]) -> list[Offered]:
    """The products of a page.

    `named`: what the page is about; `words`: what it calls its product where nothing has a name of its own.
    """
    merged = _merged(told)
    blocks = own_blocks(page, {folded_name(one.name) for one in merged})
    if len(merged) == 1 and (merged[0].entry or _about(page, blocks, merged[0].name, named)):
        return [Offered(merged[0].name, _whole(page, blocks, merged[0].name), merged[0])]
    main = next((one for one in merged if named and folded_name(one.name) == folded_name(named)), None)
    if main is None and len(merged) > 1:
        main = next((one for one in merged if _is_main_heading(page, blocks, one.name)), None)
    if merged:
        apart = _apart(page, blocks, [one.name for one in merged if one is not main])
        return [
            Offered(one.name, _whole(page, blocks, one.name) if one is main else apart[folded_name(one.name)], one)
            for one in merged
        ]
    cards = list(_cards(page, blocks))
    if len(cards) > 1 or (cards and not named):
        return cards
    if named:
        return [Offered(named, _whole(page, blocks, named), named_by="page")]
    return [Offered(word, Stretch(blocks, _titles(blocks)), named_by="word") for word in words]


def _merged(told: Sequence[Told]) -> list[Told]:
    """The same product told in two ways is one."""
    by_name: dict[str, Told] = {}
    for one in told:
        key = folded_name(one.name)
        held = by_name.get(key)
        if held is None:
            by_name[key] = one
            continue
        known = {fact.key for fact in held.facts}
        facts = (*held.facts, *(fact for fact in one.facts if fact.key not in known and fact.kind != "name"))
        by_name[key] = Told(held.name, facts, (*held.words, *one.words), held.entry or one.entry)
    return list(by_name.values())


def _about(page: MarkedPage, blocks: Sequence[Block], name: str, named: str) -> bool:
    """Is the page about the one product that it tells of?"""
    return not named or folded_name(named) == folded_name(name) or _is_main_heading(page, blocks, name)


def _is_main_heading(page: MarkedPage, blocks: Sequence[Block], name: str) -> bool:
    main = next((block for block in blocks if block.kind == "heading" and block.level == 1), None)
    return main is not None and folded_name(name) == folded_name(page.text[main.start : main.end])


def _titles(blocks: Sequence[Block]) -> frozenset[int]:
    """Blocks that say what the whole page is about."""
    main = next((block for block in blocks if block.kind == "heading" and block.level == 1), None)
    title = next((block for block in blocks if block.kind == "title"), None)
    return frozenset(block.id for block in (main, title) if block is not None)


def _whole(page: MarkedPage, blocks: tuple[Block, ...], name: str) -> Stretch:
    wanted = folded_name(name)
    naming = {
        block.id
        for block in blocks
        if block.end - block.start <= len(name) * 2 + 20 and folded_name(page.text[block.start : block.end]) == wanted
    }
    return Stretch(blocks, frozenset(naming) | (_titles(blocks) if not naming else frozenset()))


def _apart(page: MarkedPage, blocks: tuple[Block, ...], names: Sequence[str]) -> dict[str, Stretch]:
    """Each name's own blocks: from where it stands first to where the next name or section begins."""
    wanted = {folded_name(name): Stretch() for name in names}
    longest = max((len(name) for name in names), default=0) * 2 + 20
    places = {
        index: words
        for index, block in enumerate(blocks)
        if block.kind not in ("title", "meta", "jsonld")
        and block.end - block.start <= longest
        and (words := folded_name(page.text[block.start : block.end])) in wanted
    }
    for index, words in places.items():
        if wanted[words].blocks:
            continue
        first, last = blocks[index], index + 1
        while last < min(len(blocks), index + _MOST_BLOCKS) and places.get(last, words) == words:
            if blocks[last].kind == "heading" and first.kind == "heading" and blocks[last].level <= first.level:
                break
            last += 1
        wanted[words] = Stretch(blocks[index:last], frozenset({first.id}))
    return wanted


def _cards(page: MarkedPage, blocks: tuple[Block, ...]) -> Iterator[Offered]:
    """Headings that name the product, each with a price under it: a list of products without structured data."""
    found = 0
    for index, block in enumerate(blocks):
        named = block.kind == "heading" and block.level > 1 and block.end - block.start <= _LONGEST_NAME
        if not named or not page.cues(PRODUCT, block.start, block.end) or found >= _MOST_CARDS:
            continue
        last = index + 1
        while last < min(len(blocks), index + _MOST_BLOCKS) and not (
            blocks[last].kind == "heading" and blocks[last].level <= block.level
        ):
            last += 1
        end = min(blocks[last - 1].end, block.end + _CARD)
        if next(prices_in(page.text, block.end, end), None) is not None:
            found += 1
            name = page.text[block.start : block.end]
            yield Offered(name, Stretch(blocks[index:last], frozenset({block.id})), named_by="card")
