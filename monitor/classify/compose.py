"""Candidate claims: word classes that meet in a sentence, a heading with its list, a question with its answer."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain

from monitor.classify.context import REPORTING, Voice, voice
from monitor.classify.said import Blocks, Said, moved
from monitor.classify.scan import Hit, between, names
from monitor.classify.spans import Span, sentences
from monitor.folding import Folded
from monitor.knowledge import Knowledge, Rule
from monitor.reading.text import Block, Document

PRODUCTS = frozenset({"product_exosome", "product_cell"})
_ITEM_KINDS = frozenset({"list_item", "table_cell", "button"})
_ITEM_LONGEST = 140
_MASKS_KEPT = 50_000
_PAIR_FIRST = frozenset({"condition", "condition_skin", "condition_hair", "symptom", "outbreak"})


@dataclass(frozen=True)
class Sentence:
    span: Span
    hits: list[Hit]
    names: frozenset[str]


@dataclass(frozen=True)
class _Compiled:
    """A rule with its classes as bits: each slot and the veto is one integer."""

    rule: Rule
    slots: tuple[int, ...]
    lead: tuple[int, ...]
    veto: int

    def met(self, mask: int) -> bool:
        return not mask & self.veto and self.has_all(mask)

    def has_all(self, mask: int) -> bool:
        return all(mask & slot for slot in self.slots)


class _Rules:
    """All rules of a `Knowledge`, by structure, and the bit of each class they ask for."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        asked = {name for rule in rules for slot in (*rule.row.needs, *rule.row.lead, rule.row.veto) for name in slot}
        self._bits = {name: 1 << number for number, name in enumerate(sorted(asked))}
        self.sentence = [self._compile(rule) for rule in rules if rule.row.structure == "sentence"]
        self.list = [self._compile(rule) for rule in rules if rule.row.structure == "list"]
        self._masks: dict[frozenset[str], int] = {}
        self._met: dict[int, list[_Compiled]] = {}
        self._reach: dict[frozenset[str], bool] = {}

    def met(self, mask: int) -> list[_Compiled]:
        """Sentence rules whose classes are all there. Remembered: few of the possible masks occur."""
        found = self._met.get(mask)
        if found is None:
            if len(self._met) >= _MASKS_KEPT:
                self._met.clear()
            found = self._met[mask] = [compiled for compiled in self.sentence if compiled.met(mask)]
        return found

    def within_reach(self, names: frozenset[str]) -> bool:
        """Could a sentence of a block with these classes meet a rule? It has no class that its block lacks."""
        found = self._reach.get(names)
        if found is None:
            if len(self._reach) >= _MASKS_KEPT:
                self._reach.clear()
            mask = self.mask_of(names)
            found = self._reach[names] = any(compiled.has_all(mask) for compiled in self.sentence)
        return found

    def _compile(self, rule: Rule) -> _Compiled:
        row = rule.row
        slots, lead = tuple(map(self.mask, row.needs)), tuple(map(self.mask, row.lead))
        return _Compiled(rule, slots, lead, self.mask(row.veto))

    def mask(self, found: Iterable[str]) -> int:
        mask = 0
        for name in found:
            mask |= self._bits.get(name, 0)
        return mask

    def mask_of(self, found: frozenset[str]) -> int:
        """The same, remembered."""
        mask = self._masks.get(found)
        if mask is None:
            if len(self._masks) >= _MASKS_KEPT:
                self._masks.clear()
            mask = self._masks[found] = self.mask(found)
        return mask


def _rules(knowledge: Knowledge) -> _Rules:
    made = knowledge.compiled.get("rules")
    if not isinstance(made, _Rules):
        made = knowledge.compiled["rules"] = _Rules(knowledge.claims)
    return made


@dataclass(eq=False)  # hundreds a page: a frozen one takes three times as long to make
class Part:
    """A block with its folded offsets, sentences and class hits. `names`: the classes of its hits."""

    block: Block
    start: int
    end: int
    said: Said
    names: frozenset[str]
    text: str
    """The whole folded text, which `start` and `end` count in."""

    @cached_property
    def hits(self) -> list[Hit]:
        """Placed on the page when first asked for: of most blocks the names are enough."""
        return [moved(hit, self.start) for hit in self.said.hits]

    @cached_property
    def voice(self) -> Voice:
        return voice(self.hits, self.text)

    @cached_property
    def sentences(self) -> list[Sentence]:
        """Cut up when first asked for: most blocks of a page hold nothing that a rule could meet."""
        begins = [hit.start for hit in self.hits]
        found = []
        for span in sentences(self.text, self.start, self.end) if self.names else ():
            inside = between(self.hits, begins, span.start, span.end)
            found.append(Sentence(span, inside, names(inside)))
        return found


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
    """The document cut up and scanned, with what later steps ask of it. `words`: each block's, folded."""

    document: Document
    folded: Folded
    parts: list[Part]
    words: list[str]
    product_context: bool
    leads: dict[int, int] = field(default_factory=dict)

    @cached_property
    def headings(self) -> dict[tuple[str, ...], int]:
        """Numbers of the parts that are headings, by their own path."""
        return {
            (*path, self.document.text[start:end][:300]): index
            for index, (_, kind, start, end, path, _) in enumerate(self.document.blocks)
            if kind == "heading"
        }

    @cached_property
    def products(self) -> list[int]:
        """Numbers of the parts that name the product."""
        return [index for index, part in enumerate(self.parts) if part.names and part.names & PRODUCTS]

    def voice(self) -> Voice:
        """Who is heard reporting on all of the page. Its seller's cues are not counted."""
        telling = (part.hits for part in self.parts if part.names and part.names & REPORTING)
        return voice(chain.from_iterable(telling), self.folded.text)


def cut(document: Document, folded: Folded, blocks: Blocks, product_context: bool) -> Page:
    """The document's blocks, each with its hits."""
    spans = [(block.start, block.end) for block in document.blocks]
    if folded.layers:
        spans = [(folded.place(start), folded.place(end)) for start, end in spans]
    text = folded.text
    words = [text[start:end] for start, end in spans]
    page = Page(document, folded, [], words, product_context)
    lead = -1
    for block, (start, end), said in zip(document.blocks, spans, blocks.said(text, spans, words), strict=True):
        if block.kind in _ITEM_KINDS:
            if lead >= 0:
                page.leads[len(page.parts)] = lead
        elif block.kind in ("paragraph", "heading", "caption", "quote"):
            lead = len(page.parts) if block.kind == "paragraph" else -1
        page.parts.append(Part(block, start, end, said, said.names, text))
    return page


def candidates(page: Page, knowledge: Knowledge) -> Iterator[Candidate]:
    """Every rule met anywhere on the page."""
    rules = _rules(knowledge)
    products = page.products
    for index, part in enumerate(page.parts):
        if not part.names:
            continue
        for number, sentence in enumerate(part.sentences if rules.within_reach(part.names) else ()):
            if not sentence.names:
                continue
            yield from _in_sentence(page, index, sentence, rules, products)
            if sentence.span.question and sentence.names & _PAIR_FIRST and number + 1 < len(part.sentences):
                yield from _pair(page, index, sentence, part.sentences[number + 1], rules, products)
        if part.block.kind in _ITEM_KINDS and part.end - part.start <= _ITEM_LONGEST:
            yield from _in_list(page, index, rules, products)


def _in_sentence(page: Page, index: int, sentence: Sentence, rules: _Rules, products: list[int]) -> Iterator[Candidate]:
    found = []
    part = page.parts[index]
    for compiled in rules.met(rules.mask_of(sentence.names)):
        rule = compiled.rule
        product = _product(page, index, sentence, products, rule)
        key = meet(rule, sentence.hits, page.folded.text) if product else None
        if key is not None:
            lead = tuple(leading(page, index)) if part.block.kind in _ITEM_KINDS else ()
            found.append(Candidate(rule, part, sentence.span.start, sentence.span.end, key, sentence, product, lead))
    spoken_for = {hit for one in found if not one.rule.row.fallback for hit in one.key}
    yield from (one for one in found if not (one.rule.row.fallback and spoken_for & set(one.key[1:])))


def _pair(
    page: Page, index: int, asked: Sentence, answer: Sentence, rules: _Rules, products: list[int]
) -> Iterator[Candidate]:
    """Suffering from X? Our exosomes help. The answer must hold a verb and the question the complaint."""
    if answer.span.question or not any(name.startswith("act_") for name in answer.names):
        return
    hits = [*(hit for hit in asked.hits if not hit.name.startswith("act_")), *answer.hits]
    joint = Sentence(Span(asked.span.start, answer.span.end, False), hits, names(hits))
    for found in _in_sentence(page, index, joint, rules, products):
        if min(hit.start for hit in found.key) < answer.span.start:
            yield replace(found, answered=True)


def _in_list(page: Page, index: int, rules: _Rules, products: list[int]) -> Iterator[Candidate]:
    part = page.parts[index]
    leads = leading(page, index)
    if not leads:
        return
    said: frozenset[str] = frozenset().union(*(page.parts[lead].names for lead in leads))
    whole = Sentence(Span(part.start, part.end, False), part.hits, part.names)
    mask, lead_mask = rules.mask_of(part.names), rules.mask_of(said)
    for compiled in rules.list:
        if not compiled.met(mask) or not all(lead_mask & slot for slot in compiled.lead):
            continue
        rule = compiled.rule
        product = "heading" if said & PRODUCTS else _product(page, index, whole, products, rule)
        key = meet(rule, part.hits, page.folded.text) if product else None
        if key is not None:
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
    if sentence.names & PRODUCTS:
        return "sentence"
    if rule.row.product == "sentence":
        return ""
    if page.parts[index].names & PRODUCTS:
        return "block"
    if any(page.parts[lead].names & PRODUCTS for lead in leading(page, index)):
        return "heading"
    return _farther(page, index, products)


def _farther(page: Page, index: int, products: list[int]) -> str:
    at = bisect_left(products, index)
    if any(abs(products[near] - index) == 1 for near in (at - 1, at) if 0 <= near < len(products)):
        return "neighbour"
    first = (page.parts[one].block for one in products[:8])
    if any(block.kind in ("title", "meta") or (block.kind, block.level) == ("heading", 1) for block in first):
        return "title"
    if page.product_context:
        return "context"
    return "page" if products else ""
