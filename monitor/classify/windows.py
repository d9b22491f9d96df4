"""The stretches of a page that the model reads: a block, or three sentences of a long one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from monitor.classify.compose import Page, Part, leading
from monitor.classify.scan import Hit, between
from monitor.classify.shapes import JudgedClaim
from monitor.classify.spans import Span, sentences

READ_KINDS = frozenset({"paragraph", "list_item", "table_cell", "heading", "caption", "quote", "meta", "alt"})
_ITEM_KINDS = frozenset({"list_item", "table_cell", "button"})
PRODUCTS = frozenset({"product_exosome", "product_cell"})
_LONGEST = 700
_ITEM_LONGEST = 140
_LEAD_LONGEST = 200
_SENTENCES = 3
_SHORTEST = 3


@dataclass(eq=False)  # hundreds a page: a frozen one takes three times as long to make
class Stretch:
    """A passage of a page, by folded offsets, with what the rules know of it.

    `lead`: characters of `text` that stand before it and lead it in. `product`: where the nearest product word stands,
    as in `compose.Candidate`; empty: nowhere.
    """

    start: int
    end: int
    text: str
    hits: Sequence[Hit]
    claims: Sequence[JudgedClaim]
    product: str
    lead: int = 0


@dataclass(eq=False)
class Window:
    """A stretch with the sentences it is made of, `cut` already where its block has more than one window."""

    stretch: Stretch
    part: Part
    cut: tuple[Span, ...] | None = None

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """Cut up when first asked for: few stretches of a page are read."""
        return tuple(sentences(self.part.text, self.part.start, self.part.end)) if self.cut is None else self.cut


@dataclass(frozen=True)
class Reader:
    """What windows are made from: the page, what the rules made of it, who speaks on it."""

    page: Page
    claims: Sequence[JudgedClaim]
    role: str
    excuse: str  # the status of whatever is said on a page that does not sell; empty on others

    def windows(self) -> Iterator[Window]:
        """By place. Blocks that no reader takes for a statement (menus, footers, data) are passed over."""
        products = [index for index, part in enumerate(self.page.parts) if part.names and part.names & PRODUCTS]
        near_by = _Nearness(self.page, products)
        far = _far(self.page, products)
        by_block: dict[int, list[JudgedClaim]] = {}
        for claim in self.claims:
            by_block.setdefault(claim.block_id, []).append(claim)
        for index, part in enumerate(self.page.parts):
            if part.block.kind not in READ_KINDS or part.end - part.start < _SHORTEST:
                continue
            near = near_by.of(index) or far
            if not near:
                continue
            claims = by_block.get(part.block.id, [])
            leads = leading(self.page, index) if part.block.kind in _ITEM_KINDS else []
            if leads and part.end - part.start <= _ITEM_LONGEST:
                yield self._item(part, self.page.parts[leads[0]], near, claims)
            else:
                yield from self._cut(part, near, claims)

    def _item(self, part: Part, lead: Part, near: str, claims: list[JudgedClaim]) -> Window:
        """A short list item says what it says together with what leads it in."""
        text = self.page.folded.accented
        alone = self.window(part, [Span(part.start, part.end, False)], near, claims)
        first = max(lead.start, lead.end - _LEAD_LONGEST)
        hits = [*between(lead.hits, [hit.start for hit in lead.hits], first, lead.end), *alone.stretch.hits]
        before = f"{text[first : lead.end]} "
        said = before + alone.stretch.text
        return replace(alone, stretch=replace(alone.stretch, text=said, hits=hits, lead=len(before)))

    def _cut(self, part: Part, near: str, claims: list[JudgedClaim]) -> Iterator[Window]:
        text = self.page.folded.text
        if part.end - part.start <= _LONGEST and not text[part.start].isspace() and not text[part.end - 1].isspace():
            yield self.window(part, None, near, claims)
            return
        spans = sentences(text, part.start, part.end)
        if part.end - part.start <= _LONGEST or len(spans) <= _SENTENCES:
            yield self.window(part, spans, near, claims)
            return
        for start in range(0, len(spans), _SENTENCES - 1):  # one sentence in common, so that no thought is cut
            yield self.window(part, spans[start : start + _SENTENCES], near, claims)

    def window(self, part: Part, spans: Sequence[Span] | None, near: str, claims: Sequence[JudgedClaim]) -> Window:
        """`spans` None: all of the block, whose sentences fill it from end to end."""
        text = self.page.folded.accented
        start, end, hits = part.start, part.end, part.hits
        if spans:
            start, end = spans[0].start, spans[-1].end
            hits = between(hits, [hit.start for hit in hits], start, end) if hits else []
        inside: list[JudgedClaim] = []
        if claims:
            first, last = self.page.folded.span(start, max(end, start + 1))
            inside = [claim for claim in claims if claim.start < last and claim.end > first]
        stretch = Stretch(start, end, text[start:end], hits, inside, near)
        return Window(stretch, part, None if spans is None else tuple(spans))


class _Nearness:
    """Where product words stand on a page, given the numbers of the parts that hold one."""

    def __init__(self, page: Page, products: Sequence[int]) -> None:
        self._page = page
        self._products = frozenset(products)
        self._beside = frozenset(index + step for index in products for step in (-1, 1))
        places = frozenset(page.headings.values()).union(page.leads.values())
        self._leads = not self._products.isdisjoint(places)
        """Does anything that leads in name a product? Mostly nothing does."""

    def of(self, index: int) -> str:
        """Where a product word stands near a part; empty: not near."""
        if index in self._products:
            return "block"
        if self._leads and not self._products.isdisjoint(leading(self._page, index)):
            return "heading"
        return "neighbour" if index in self._beside else ""


def _far(page: Page, products: list[int]) -> str:
    """Where a product word stands for every block of a page that has none near; empty: nowhere."""
    first = [page.parts[one].block for one in products[:8]]
    if any(block.kind in ("title", "meta") or (block.kind, block.level) == ("heading", 1) for block in first):
        return "title"
    if page.product_context:
        return "context"
    return "page" if products else ""
