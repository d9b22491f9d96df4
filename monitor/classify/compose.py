"""Candidate claims: word classes that meet in a sentence, a heading with its list, a question with its answer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from monitor.classify.context import Voice, voice
from monitor.classify.scan import Hit, between, names
from monitor.classify.spans import Span, sentences
from monitor.folding import Folded
from monitor.knowledge import Knowledge, Rule
from monitor.text import Block, Document

_PRODUCTS = frozenset({"product_exosome", "product_cell"})
_ITEM_KINDS = frozenset({"list_item", "table_cell", "button"})
_ITEM_LONGEST = 140
_PAIR_FIRST = frozenset({"condition", "condition_skin", "condition_hair", "symptom", "outbreak"})


@dataclass(frozen=True)
class Sentence:
    span: Span
    hits: list[Hit]
    names: frozenset[str]


@dataclass(frozen=True)
class Part:
    """A block with its folded offsets, sentences and class hits."""

    block: Block
    start: int
    end: int
    hits: list[Hit]
    names: frozenset[str]
    sentences: list[Sentence]
    voice: Voice


@dataclass(frozen=True)
class Candidate:
    """A rule met. Offsets are folded; `key` are the deciding words in the rule's order."""

    rule: Rule
    part: Part
    start: int
    end: int
    key: tuple[Hit, ...]
    sentence: Sentence
    product: str  # where the product is named: sentence block heading neighbour title context page
    lead: tuple[int, ...] = ()  # indexes of the parts that lead in
    answered: bool = False


@dataclass
class Page:
    """The document cut up and scanned, with what later steps ask of it."""

    document: Document
    folded: Folded
    parts: list[Part]
    names: frozenset[str]
    product_context: bool
    headings: dict[tuple[str, ...], int] = field(default_factory=dict)
    leads: dict[int, int] = field(default_factory=dict)


def cut(document: Document, folded: Folded, hits: list[Hit], product_context: bool) -> Page:
    """Sentences and hits by block. Blocks without a hit are passed over."""
    starts = [hit.start for hit in hits]
    page = Page(document, folded, [], names(hits), product_context)
    lead = -1
    cursor = _Cursor(folded)
    for block in document.blocks:
        start, end = cursor.find(block.start), cursor.find(block.end)
        own = between(hits, starts, start, end)
        if block.kind == "heading":
            page.headings[(*block.heading_path, document.text[block.start : block.end][:300])] = len(page.parts)
        part = _part(block, start, end, own, folded.text)
        if block.kind in _ITEM_KINDS:
            if lead >= 0:
                page.leads[len(page.parts)] = lead
        elif block.kind in ("paragraph", "heading", "caption", "quote"):
            lead = len(page.parts) if block.kind == "paragraph" else -1
        page.parts.append(part)
    return page


class _Cursor:
    """Unfolded offsets to folded ones, for offsets that only grow."""

    def __init__(self, folded: Folded) -> None:
        self._folded = folded
        self._plain = not folded.layers

    def find(self, offset: int) -> int:
        if self._plain:
            return offset
        low, high = 0, len(self._folded.text)
        while low < high:
            middle = (low + high) // 2
            if self._folded.at(middle) < offset:
                low = middle + 1
            else:
                high = middle
        return low


def _part(block: Block, start: int, end: int, own: list[Hit], text: str) -> Part:
    if not own:
        return Part(block, start, end, own, frozenset(), [], Voice())
    begins = [hit.start for hit in own]
    found = []
    for span in sentences(text, start, end):
        inside = between(own, begins, span.start, span.end)
        found.append(Sentence(span, inside, names(inside)))
    return Part(block, start, end, own, names(own), found, voice(own, text))


def candidates(page: Page, knowledge: Knowledge) -> Iterator[Candidate]:
    """Every rule met anywhere on the page."""
    by_structure: dict[str, list[Rule]] = {"sentence": [], "list": []}
    for rule in knowledge.claims:
        by_structure.setdefault(rule.row.structure, []).append(rule)
    products = [index for index, part in enumerate(page.parts) if part.names & _PRODUCTS]
    for index, part in enumerate(page.parts):
        if not part.names:
            continue
        for number, sentence in enumerate(part.sentences):
            if not sentence.names:
                continue
            fired = list(_in_sentence(page, index, sentence, by_structure["sentence"], products))
            yield from fired
            if sentence.span.question and sentence.names & _PAIR_FIRST and number + 1 < len(part.sentences):
                yield from _pair(page, index, sentence, part.sentences[number + 1], by_structure["sentence"], products)
        if part.block.kind in _ITEM_KINDS and part.end - part.start <= _ITEM_LONGEST:
            yield from _in_list(page, index, by_structure["list"], products)


def _in_sentence(
    page: Page, index: int, sentence: Sentence, rules: Sequence[Rule], products: list[int]
) -> Iterator[Candidate]:
    part = page.parts[index]
    for rule in rules:
        row = rule.row
        if not all(any(name in sentence.names for name in slot) for slot in row.needs):
            continue
        if any(name in sentence.names for name in row.veto):
            continue
        key = meet(rule, sentence.hits, page.folded.text)
        if key is None:
            continue
        product = _product(page, index, sentence, products, rule)
        if product:
            yield Candidate(rule, part, sentence.span.start, sentence.span.end, key, sentence, product)


def _pair(
    page: Page, index: int, asked: Sentence, answer: Sentence, rules: Sequence[Rule], products: list[int]
) -> Iterator[Candidate]:
    """"Suffering from X? Our exosomes help." The answer must hold a verb and the question the complaint."""
    if answer.span.question or not any(name.startswith("act_") for name in answer.names):
        return
    hits = [*(hit for hit in asked.hits if not hit.name.startswith("act_")), *answer.hits]
    joint = Sentence(Span(asked.span.start, answer.span.end, False), hits, names(hits))
    for found in _in_sentence(page, index, joint, rules, products):
        if found.key[-1].start < answer.span.start or found.key[0].start < answer.span.start:
            yield Candidate(
                found.rule, found.part, found.start, found.end, found.key, joint, found.product, answered=True
            )


def _in_list(page: Page, index: int, rules: Sequence[Rule], products: list[int]) -> Iterator[Candidate]:
    part = page.parts[index]
    leads = leading(page, index)
    if not leads:
        return
    said: frozenset[str] = frozenset().union(*(page.parts[lead].names for lead in leads))
    whole = Sentence(Span(part.start, part.end, False), part.hits, part.names)
    for rule in rules:
        row = rule.row
        if not all(any(name in said for name in slot) for slot in row.lead):
            continue
        if not all(any(name in part.names for name in slot) for slot in row.needs):
            continue
        if any(name in part.names for name in row.veto):
            continue
        key = meet(rule, part.hits, page.folded.text)
        if key is None:
            continue
        product = "heading" if said & _PRODUCTS else _product(page, index, whole, products, rule)
        if product:
            yield Candidate(rule, part, part.start, part.end, key, whole, product, lead=tuple(leads))


def leading(page: Page, index: int) -> list[int]:
    """Parts that lead a list item in: the sentence before its list, its two nearest headings."""
    found = [page.leads[index]] if index in page.leads else []
    path = page.parts[index].block.heading_path
    for depth in range(len(path), max(len(path) - 2, 0), -1):
        heading = page.headings.get(path[:depth])
        if heading is not None:
            found.append(heading)
    return found


def meet(rule: Rule, hits: Sequence[Hit], text: str) -> tuple[Hit, ...] | None:
    """One hit for each slot, apart from each other, all within the rule's stretch; the tightest such set."""
    row = rule.row
    slots = [[hit for hit in hits if hit.name in slot] for slot in row.needs]
    best: tuple[int, tuple[Hit, ...]] | None = None
    for first in slots[0][:40]:
        if row.number and not _number_before(text, first.start, hits):
            continue
        chosen = [first]
        for slot in slots[1:]:
            fitting = [hit for hit in slot if _apart(hit, chosen) and not (row.ordered and hit.start < chosen[-1].end)]
            if not fitting:
                break
            chosen.append(min(fitting, key=lambda hit: (_gap(hit, first), hit.start)))
        else:
            extent = max(hit.end for hit in chosen) - min(hit.start for hit in chosen)
            if extent <= row.within and (best is None or extent < best[0]):
                best = (extent, tuple(chosen))
    return None if best is None else best[1]


def _gap(one: Hit, other: Hit) -> int:
    return max(one.start - other.end, other.start - one.end, 0)


def _apart(hit: Hit, chosen: Sequence[Hit]) -> bool:
    return all(hit.start >= other.end or hit.end <= other.start for other in chosen)


def _number_before(text: str, at: int, hits: Sequence[Hit]) -> bool:
    """A digit, or a number in words, right before."""
    before = text[max(0, at - 12) : at].rstrip(" -")
    end = at - (len(text[max(0, at - 12) : at]) - len(before))
    return bool(before) and (before[-1].isdigit() or any(hit.name == "number_word" and hit.end == end for hit in hits))


def _product(page: Page, index: int, sentence: Sentence, products: list[int], rule: Rule) -> str:
    """Where the nearest product word stands; empty if not as near as the rule asks."""
    if sentence.names & _PRODUCTS:
        return "sentence"
    if rule.row.product == "sentence":
        return ""
    part = page.parts[index]
    if part.names & _PRODUCTS:
        return "block"
    if any(page.parts[lead].names & _PRODUCTS for lead in leading(page, index)):
        return "heading"
    at = bisect_left(products, index)
    if any(abs(products[near] - index) == 1 for near in (at - 1, at) if 0 <= near < len(products)):
        return "neighbour"
    if any(page.parts[one].block.kind in ("title", "meta") or page.parts[one].block.level == 1 for one in products[:8]):
        return "title"
    if page.product_context:
        return "context"
    return "page" if products else ""
