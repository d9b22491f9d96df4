"""From a page to facts about the products it offers. Deterministic, thread-safe, linear in the page's length."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from monitor.knowledge import Knowledge
from monitor.knowledge.products import VALUE_KINDS
from monitor.products.doses import Dose, dose_reader
from monitor.products.markets import countries
from monitor.products.prices import prices_in
from monitor.products.shapes import Fact, ProductReading, Told
from monitor.products.stretches import Offered, Stretch, folded_name, offered
from monitor.products.words import PRODUCT, Mark, MarkedPage, ProductScanner, product_scanner
from monitor.reading.text import Block, Document

READER = "2"
"""Raised when this code reads other facts from the same text: what changes then is our doing, not the seller's."""
_MOST = 16
"""Facts of one kind kept of one product on one page."""
_PRICE_REACH = 400
"""Characters after a product's name in which its written price stands."""
_MOST_PRICES = 3
_FORM_REACH = 40
_TELLING = frozenset({"paragraph", "quote"})
_SHORT_TELLING = 40
"""Characters above which a paragraph tells of the product."""
_OPENING = 24
"""Characters from its beginning in which its form stands, if it begins with that."""
_DOSE_REACH = 60
_SHORT = 80
"""Characters of a paragraph so short that an amount in it is the product's own."""
_SHARE_REACH = 3
_OF_REACH = 40
"""Characters after `5 mg of` in which the product is named, if the amount is of the product."""
_LABELLED = 60
_LISTED = frozenset({"list_item", "table_cell", "caption", "alt", "button", "meta"})
_WORD_KINDS = frozenset({"name", "form", "source_material", "route", "country", "dose"})
"""Kinds that are read of a product without a name of its own, such as a clinic's treatment."""


def read_products(
    document: Document,
    told: Sequence[Told],
    knowledge: Knowledge,
    *,
    named: str = "",
    words: Sequence[str] = (),
    lang: str = "",
) -> tuple[ProductReading, ...]:
    """The exosome and cell products that a page offers, with what it says of them.

    `told`: what its capture tells of products; `named`: the product that the page is about, if it is about one;
    `words`: what the page calls its product (a claim's `product`), taken where nothing has a name of its own.
    """
    scanner = product_scanner(knowledge)
    page = MarkedPage(document, scanner)
    reader = _Reader(page, knowledge, lang)
    readings = [reader.read(one) for one in offered(page, told, named, words) if _is_ours(page, one, scanner)]
    return tuple(reading for reading in readings if reading is not None)


def _is_ours(page: MarkedPage, one: Offered, scanner: ProductScanner) -> bool:
    """Shops sell many things: a product counts if its name or what is said of it names exosomes or cells."""
    span = one.stretch.span
    if span and any(page.cues(PRODUCT, block.start, block.end) for block in one.stretch.blocks):
        return True
    said = " \n".join([one.name, *(words for words, _ in (one.told.words if one.told else ()))])
    return any(mark.value == PRODUCT for mark in scanner.marks(said))


class _Reader:
    """Reads the facts of one page's products."""

    def __init__(self, page: MarkedPage, knowledge: Knowledge, lang: str) -> None:
        self._page = page
        self._scanner = product_scanner(knowledge)
        self._doses = dose_reader(knowledge)
        self._lang = lang
        self._countries = list(countries(page))
        codes = {code for code in page.document.marks.get("currencies", ()) if len(code) == 3 and code.isalpha()}
        self._currency = next(iter(codes)).upper() if len(codes) == 1 else ""

    def read(self, one: Offered) -> ProductReading | None:
        told = one.told.facts if one.told else ()
        facts = [*self._name(one), *(fact for fact in told if fact.kind != "name")]
        if not any(fact.kind == "brand" for fact in facts):
            facts += self._brand(one.stretch)
        if not any(fact.kind == "price" for fact in facts) and one.named_by != "word":
            facts += self._prices(one.stretch)
        facts += self._of_words(one)
        facts += self._amounts(one.stretch)
        facts += self._countries
        if one.named_by == "word":
            facts = [fact for fact in facts if fact.kind in _WORD_KINDS]
        kept = tuple(_first(facts))
        return ProductReading(one.name, kept, one.stretch.span) if any(fact.kind == "name" for fact in kept) else None

    def _name(self, one: Offered) -> Iterator[Fact]:
        """In the page's own words where it stands there, else where the data has it."""
        wanted = folded_name(one.name)
        for block in one.stretch.blocks:
            words = self._page.text[block.start : block.end]
            if block.id in one.stretch.naming and folded_name(words) == wanted:
                yield Fact("name", one.name, words, block.start, block.end)
                return
        if one.told:
            yield from (fact for fact in one.told.facts if fact.kind == "name")
            return
        for block in one.stretch.blocks:
            start = self._page.text.find(one.name, block.start, block.end)
            if start >= 0:
                yield Fact("name", one.name, one.name, start, start + len(one.name))
                return

    def _brand(self, stretch: Stretch) -> Iterator[Fact]:
        """`Brand: X`, in one block or in a table's two cells."""
        if not self._page.has("brand_label"):
            return
        for block, following in zip(stretch.blocks, [*stretch.blocks[1:], None], strict=False):
            label = next(iter(self._page.cues("brand_label", block.start, min(block.end, block.start + 30))), None)
            if label is None or label.start != block.start:
                continue
            start = label.end
            rest = self._page.text[start : block.end]
            if not rest and following is not None and block.kind in ("table_cell", "heading"):
                start, rest = following.start, self._page.text[following.start : following.end]
            elif not rest.lstrip().startswith((":", "：")):
                continue
            name = rest.lstrip(" :：\u00a0").split("|")[0].split(";")[0].rstrip(" .")
            start += rest.find(name)
            if 0 < len(name) <= _LABELLED:
                yield Fact("brand", name, name, start, start + len(name))
                return

    def _prices(self, stretch: Stretch) -> Iterator[Fact]:
        if not stretch.blocks:
            return
        named = [block for block in stretch.blocks if block.id in stretch.naming and block.kind != "title"]
        start = named[0].start if named else stretch.blocks[0].start
        end = min(stretch.blocks[-1].end, (named[0].end if named else start) + _PRICE_REACH)
        found: dict[str, Fact] = {}
        inside = [block for block in stretch.blocks if start <= block.start < end]
        for block in inside:
            for price in prices_in(self._page.text, block.start, min(block.end, end), self._currency):
                quote = self._page.text[price.start : price.end]
                found.setdefault(price.value, Fact("price", price.value, quote, price.start, price.end))
        yield from list(found.values())[:_MOST_PRICES]

    def _of_words(self, one: Offered) -> Iterator[Fact]:
        """Form, source and route. A form is looked for in name and kind first: a serum's page speaks of creams too."""
        named: list[tuple[Mark, Block]] = []
        body: list[tuple[Mark, Block]] = []
        for block in one.stretch.blocks:
            naming = block.id in one.stretch.naming
            for mark in self._page.of_blocks.get(block.id, ()):
                if mark.meaning.kind in VALUE_KINDS and self._page.counts(mark, block, naming):
                    (named if naming else body).append((mark, block))
        said = list(self._of_told(one))
        forms = [_fact(self._page, mark) for mark, _ in named if mark.meaning.kind == "form"]
        forms += [fact for fact in said if fact.kind == "form"]
        yield from forms
        for mark, block in body:
            wanted = mark.meaning.kind == "form" and (mark.meaning.anywhere or not forms)
            if wanted and (
                self._page.near_product(mark.start, mark.end, block, _FORM_REACH)
                or self._opens(mark, block, one.stretch)
            ):
                yield _fact(self._page, mark)
        yield from (_fact(self._page, mark) for mark, _ in (*named, *body) if mark.meaning.kind != "form")
        yield from (fact for fact in said if fact.kind != "form")

    def _opens(self, mark: Mark, block: Block, stretch: Stretch) -> bool:
        """`A light serum that …`: a description begins with what the thing is."""
        told = (each for each in stretch.blocks if each.kind in _TELLING and each.id not in stretch.naming)
        first = next((each for each in told if each.end - each.start > _SHORT_TELLING), None)
        if first is None or block.id != first.id or mark.start - block.start > _OPENING:
            return False
        return not any(sign in self._page.text[block.start : mark.start] for sign in ".,;:!?。、")

    def _of_told(self, one: Offered) -> Iterator[Fact]:
        """Facts in the words of structured data, the name among them where the page does not show it."""
        told = one.told
        if told is None:
            return
        name = [(fact.quote, fact.place) for fact in told.facts if fact.kind == "name"]
        for words, place in (*told.words, *name):
            for mark in self._scanner.marks(words):
                if mark.meaning.kind in VALUE_KINDS:
                    yield Fact(mark.meaning.kind, mark.value, words, place=place)

    def _amounts(self, stretch: Stretch) -> Iterator[Fact]:
        named: list[Fact] = []
        body: list[Fact] = []
        for block in stretch.blocks:
            naming = block.id in stretch.naming
            for dose in self._doses.find(self._page.text, block.start, block.end, self._lang):
                if self._is_dose(dose, block, naming):
                    quote = self._page.text[dose.start : dose.end]
                    (named if naming else body).append(Fact("dose", dose.value, quote, dose.start, dose.end))
        yield from (*named, *body)

    def _is_dose(self, dose: Dose, block: Block, naming: bool) -> bool:
        if dose.kind == "count":
            return True
        if dose.kind == "share":
            return self._page.near_product(dose.start, dose.end, block, _SHARE_REACH)
        if self._of_another(dose, block):
            return False
        if naming or block.kind in _LISTED or block.end - block.start <= _SHORT:
            return True
        return self._page.near_product(dose.start, dose.end, block, _DOSE_REACH)

    def _of_another(self, dose: Dose, block: Block) -> bool:
        """`165 mg of caffeine`, `2 % of niacinamide`: what is in the product, not how much of it there is."""
        if dose.kind == "piece":
            return False
        start = self._doses.named_after(self._page.text, dose.end, block.end)
        if start is None:
            return False
        end = min(block.end, start + _OF_REACH)
        forms = self._page.inside(start, end, "form")
        return not forms and not self._page.cues(PRODUCT, start, end)


def _fact(page: MarkedPage, mark: Mark) -> Fact:
    return Fact(mark.meaning.kind, mark.value, page.text[mark.start : mark.end], mark.start, mark.end)


def _first(facts: Iterable[Fact]) -> Iterator[Fact]:
    """Each value once, as it was said first; a page that names everything names nothing."""
    seen: set[tuple[str, str]] = set()
    counts: dict[str, int] = {}
    for fact in facts:
        if fact.key in seen or counts.get(fact.kind, 0) >= _MOST:
            continue
        seen.add(fact.key)
        counts[fact.kind] = counts.get(fact.kind, 0) + 1
        yield fact
