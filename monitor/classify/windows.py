"""The stretches of a page that the model reads: a block, or three sentences of a long one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from monitor.classify.compose import Page, Part, leading
from monitor.classify.scan import Hit, between
from monitor.classify.shapes import JudgedClaim
from monitor.classify.spans import Span, sentences

READ_KINDS = frozenset({"paragraph", "list_item", "table_cell", "heading", "caption", "quote", "meta", "alt"})
_ITEM_KINDS = frozenset({"list_item", "table_cell", "button"})
_LONGEST = 700
_ITEM_LONGEST = 140
_LEAD_LONGEST = 200
_SENTENCES = 3
_SHORTEST = 3
_UNDER_HEADINGS = frozenset({"paragraph", "list_item", "table_cell", "caption", "quote", "alt"})
_HEADING_LONGEST = 100
_AFTER_HEADING = " | "


@dataclass(eq=False)  # hundreds a page: a frozen one takes three times as long to make
class Stretch:
    """A passage of a page, by folded offsets, with what the rules know of it.

    `lead`: characters of `text` that stand before it and lead it in; `led_by`: the part that they are from.
    `product`: where the nearest product word stands, as in `compose.Candidate`; empty: nowhere.
    `part`: the block that it is of; None for a text that is of no page.
    `page`: that block's; None where `lead` has what stands before it.
    """

    start: int
    end: int
    text: str
    claims: Sequence[JudgedClaim]
    product: str
    part: Part | None = None
    lead: int = 0
    led_by: Part | None = None
    page: Page | None = None

    @property
    def under(self) -> str:
        """What is read before the text, though not at first sight: the end of the heading it stands under."""
        return "" if self.page is None or self.part is None else under(self.page, self.part)

    @property
    def hits(self) -> list[Hit]:
        """Its own and those of its lead. Looked up when asked for: most stretches of a page are never read."""
        if self.part is None:
            return []
        own = _inside(self.part, self.start, self.end)
        return own if self.led_by is None else [*_inside(self.led_by, _lead_from(self.led_by), self.led_by.end), *own]


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
    doubtful: bool = False  # perhaps it does not

    def windows(self) -> Iterator[Window]:
        """By place. Blocks that no reader takes for a statement (menus, footers, data) are passed over."""
        near_by = _Nearness(self.page)
        far = _far(self.page)
        by_block: dict[int, list[JudgedClaim]] = {}
        for claim in self.claims:
            by_block.setdefault(claim.block_id, []).append(claim)
        for index, part in enumerate(self.page.parts):
            if part.block.kind not in READ_KINDS or part.end - part.start < _SHORTEST:
                continue
            near = near_by.of(index) or far
            if not near:
                continue
            claims = by_block.get(part.block.id, ())
            leads = leading(self.page, index) if part.block.kind in _ITEM_KINDS else ()
            if leads and part.end - part.start <= _ITEM_LONGEST:
                yield self._item(part, self.page.parts[leads[0]], near, claims)
            elif part.end - part.start <= _LONGEST and _full(part):
                yield self.window(part, None, near, claims)
            else:
                yield from self._cut(part, near, claims)

    def _item(self, part: Part, lead: Part, near: str, claims: Sequence[JudgedClaim]) -> Window:
        """A short list item says what it says together with what leads it in."""
        start, end, text = part.start, part.end, self.page.folded.accented
        before = f"{text[_lead_from(lead) : lead.end]} "
        inside = self._about(claims, start, end)
        stretch = Stretch(start, end, before + text[start:end], inside, near, part, len(before), lead)
        return Window(stretch, part, (Span(start, end, False),))

    def _cut(self, part: Part, near: str, claims: Sequence[JudgedClaim]) -> Iterator[Window]:
        spans = sentences(self.page.folded.text, part.start, part.end)
        if part.end - part.start <= _LONGEST or len(spans) <= _SENTENCES:
            yield self.window(part, spans, near, claims)
            return
        for start in range(0, len(spans), _SENTENCES - 1):  # one sentence in common, so that no thought is cut
            yield self.window(part, spans[start : start + _SENTENCES], near, claims)

    def window(self, part: Part, spans: Sequence[Span] | None, near: str, claims: Sequence[JudgedClaim]) -> Window:
        """`spans` None: all of the block, whose sentences fill it from end to end."""
        start, end = (spans[0].start, spans[-1].end) if spans else (part.start, part.end)
        inside = self._about(claims, start, end) if claims else claims
        stretch = Stretch(start, end, self.page.folded.accented[start:end], inside, near, part, page=self.page)
        return Window(stretch, part, None if spans is None else tuple(spans))

    def _about(self, claims: Sequence[JudgedClaim], start: int, end: int) -> Sequence[JudgedClaim]:
        """Those with words between two folded offsets."""
        first, last = self.page.folded.span(start, max(end, start + 1))
        return [claim for claim in claims if claim.start < last and claim.end > first]


def under(page: Page, part: Part) -> str:
    """The end of the heading that a block stands under, or of what leads its list in; empty: there is none."""
    leads = leading(page, part.block.id) if part.block.kind in _UNDER_HEADINGS else ()
    if not leads:
        return ""
    head = page.parts[leads[0]]
    return page.folded.accented[max(head.start, head.end - _HEADING_LONGEST) : head.end] + _AFTER_HEADING


def _full(part: Part) -> bool:
    """Do its sentences fill it from end to end?"""
    return not part.text[part.start].isspace() and not part.text[part.end - 1].isspace()


def _inside(part: Part, start: int, end: int) -> list[Hit]:
    hits = part.hits
    return hits if (start, end) == (part.start, part.end) else between(hits, [hit.start for hit in hits], start, end)


def _lead_from(lead: Part) -> int:
    """Where of a part begins what leads an item in."""
    return max(lead.start, lead.end - _LEAD_LONGEST)


class _Nearness:
    """Where product words stand on a page."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._products = frozenset(page.products)
        self._near = {index + step: "neighbour" for index in page.products for step in (-1, 1)}
        self._near |= dict.fromkeys(page.products, "block")
        self._leads = not self._products.isdisjoint(page.leads.values()) or any(
            page.parts[index].block.kind == "heading" for index in page.products
        )
        """Does anything that may lead in name a product? Mostly nothing does."""

    def of(self, index: int) -> str:
        """Where a product word stands near a part; empty: not near."""
        found = self._near.get(index, "")
        if found != "block" and self._leads and not self._products.isdisjoint(leading(self._page, index)):
            return "heading"
        return found


def _far(page: Page) -> str:
    """Where a product word stands for every block of a page that has none near; empty: nowhere."""
    first = [page.parts[one].block for one in page.products[:8]]
    if any(block.kind in ("title", "meta") or (block.kind, block.level) == ("heading", 1) for block in first):
        return "title"
    if page.product_context:
        return "context"
    return "page" if page.products else ""
