"""Shortcuts for what most pages are like give what the long way gives, whatever a page is like."""

from __future__ import annotations

import gc
import hashlib
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.classify import remembered
from monitor.classify.addressed import _anchors_in, _spots_on
from monitor.classify.automaton import joins, spaced, unbound
from monitor.classify.compose import PRODUCTS, Page, cut, leading
from monitor.classify.conditions import condition_scanner
from monitor.classify.gate import gate
from monitor.classify.postal import spots
from monitor.classify.remembered import Remembered
from monitor.classify.role import role_reader
from monitor.classify.said import Blocks
from monitor.classify.scan import between, scanner
from monitor.classify.shapes import ProductFacts
from monitor.classify.verdict import Verdicts, verdicts
from monitor.classify.windows import Reader, _Nearness
from monitor.folding import _CHARACTERS, _EVEN, _characters, _leet_signs, _replaced, fold
from monitor.intake import runs as intake
from monitor.knowledge import load
from monitor.knowledge.conditions import spellings
from monitor.products.doses import dose_reader
from monitor.products.words import MarkedPage, product_scanner
from monitor.reading.marks import Marks, may_tell
from monitor.reading.text import Document, read_html, read_text

KNOWLEDGE = load()
ENGLISH = frozenset({"en"})
REMEMBERING = Blocks(KNOWLEDGE, ENGLISH)
FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ATTRIBUTES = st.dictionaries(
    st.sampled_from(["href", "action", "class", "name", "id", "rel", "itemprop", "content", "datetime", "style"]),
    st.sampled_from(
        (
            None, "", "row", "btn Add-To-Cart", "ADDTOCART", "/cart", "carton", "/checKout?x=1", "my-byline", "BYLINE",
            "tel:+44 20 7946 0000", "TEL:1", "mailto:a@kelda.example", "/Book-now", "/reſerv", "/carrıto", "author",
            "priceCurrency", "EUR", "2026-11-02", "ba\nsket", "WooCommerce", "Shopify-x", "ſhopify", "é",
        )
    ),
    max_size=4,
)  # fmt: skip


@FEW
@given(st.lists(st.tuples(st.sampled_from(["a", "div", "time", "span", "form"]), ATTRIBUTES), max_size=12))
def test_elements_that_cannot_tell_anything_tell_nothing(told: list[tuple[str, dict[str, str | None]]]) -> None:
    some, every = Marks(), Marks()
    for tag, attributes in told:
        every.element(tag, attributes)
        if may_tell(tag, " ".join(filter(None, attributes.values()))):
            some.element(tag, attributes)
    assert list(some.found().items()) == list(every.found().items())


@FEW
@given(st.text(alphabet="abZ013$@5 .-é日", max_size=30))
def test_signs_within_words_are_those_with_a_letter_on_either_side(text: str) -> None:
    letters = "".join("a" if char.isascii() and char.isalpha() else char for char in text)
    runs = [run.span() for run in re.finditer(r"[013457@$]+", text)]
    expected = [(start, end) for start, end in runs if letters[start - 1 : start] == "a" == letters[end : end + 1]]
    assert list(_leet_signs(text)) == expected


@FEW
@given(st.text(max_size=8))
def test_scripts_without_spaces_are_told_by_any_letter(words: str) -> None:
    ranges = ((0x0E00, 0x0E7F), (0x0590, 0x06FF), (0x3040, 0x30FF), (0x3400, 0x9FFF), (0xAC00, 0xD7AF))
    assert unbound(words) == any(low <= ord(char) <= high for char in words for low, high in ranges)


BLOCKS = st.lists(
    st.sampled_from(
        (
            "<h1>Kelda</h1>", "<h2>Exosome serum</h2>", "<h2>Care</h2>", "<h3>Uses</h3>", "<p>Good for:</p>",
            "<li>acne", "<p>Our exosomes treat arthritis.</p>", "<p>Open daily.</p>", "<td>hair loss</td>",
            "<p>" + "We care. " * 90, "<p>box of 5 vials, 10 ml, Part 12</p>",
            "<p>5 x 10⁹ exosomes per vial</p>", "<p>2019</p>", "<p>ﬁ 1٣ ml",
            "<footer>We ship to Germany, not to Brazil.</footer>", "<p>Brand: Kelda</p>", "<p>е\u200bxosome</p>",
        )
    ),
    max_size=14,
).map("".join)  # fmt: skip


PLACES = (
    "Ships to Germany", "delivery in the UK", "Free shipping", "clinic in Ankara", "Based in Spain", "US$ 40",
    "$45.00", "PLN 30",
    "€ 4", "99 €", "London SW1A 1AA", "Austin, TX 78701", "Toronto, ON M5V 2T6",
    "東京都千代田区", "서울 강남구", "(212) 555-0100",
    "1-2-3", "12345", "No. 5A", "word",
)  # fmt: skip


def _page(html: str) -> Page:
    document = read_html(html)
    folded = fold(document.text)
    return cut(document, folded, REMEMBERING, product_context=False)


@FEW
@given(BLOCKS)
def test_where_products_stand_near_is_found_at_once_for_all_blocks(html: str) -> None:
    page = _page(html)
    products = [index for index, part in enumerate(page.parts) if part.names & PRODUCTS]
    near = _Nearness(page)
    for index in range(len(page.parts)):
        expected = ""
        if index in products:
            expected = "block"
        elif any(page.parts[lead].names & PRODUCTS for lead in leading(page, index)):
            expected = "heading"
        elif {index - 1, index + 1} & set(products):
            expected = "neighbour"
        assert near.of(index) == expected


@FEW
@given(BLOCKS)
def test_a_whole_block_has_all_of_its_hits(html: str) -> None:
    page = _page(html)
    for window in Reader(page, (), "seller", "").windows():
        part, stretch = window.part, window.stretch
        if not stretch.lead:
            hits = between(part.hits, [hit.start for hit in part.hits], stretch.start, stretch.end)
            assert list(stretch.hits) == hits


@FEW
@given(BLOCKS)
def test_words_of_products_are_found_by_their_block(html: str) -> None:
    page = MarkedPage(read_html(html), product_scanner(KNOWLEDGE))
    for block in page.document.blocks:
        assert page.of_blocks.get(block.id, []) == page.inside(block.start, block.end)
    for name in ("serves", "brand_label", "nothing"):
        assert page.has(name) == bool(page.cues(name, 0, len(page.text) + 1))


@FEW
@given(st.text(alphabet="0123456789 xml²⁹^%.,KGµgIUVial بمل日", max_size=24))
def test_doses_are_looked_for_wherever_one_could_be(text: str) -> None:
    reader = dose_reader(KNOWLEDGE)
    found = [(dose.start, dose.end) for dose in reader.find(text, 0, len(text)) if dose.kind != "piece"]
    expected = [
        (match.start(), match.end())
        for match in reader._pattern.finditer(text)
        if (dose := reader._dose(match, "")) is not None and dose.kind != "piece"
    ]
    assert found == expected


def test_a_documents_digest_is_that_of_its_text() -> None:
    document = Document("Kelda \u00e9\ud800", ())
    assert document.sha256 == hashlib.sha256(b"Kelda \xc3\xa9\xed\xa0\x80").hexdigest()


def test_pythons_collector_is_as_it_was_after_a_run_was_taken_in() -> None:
    before = gc.get_threshold()

    def broken() -> None:
        with intake._collecting_rarely():
            assert gc.get_threshold()[0] >= max(before[0], 20_000)
            raise ValueError("a run that cannot be read")

    with pytest.raises(ValueError, match="cannot be read"):
        broken()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


@FEW
@given(BLOCKS, st.lists(st.sampled_from(("als", "lupus", "lou gehrig", "no", "our", "may help")), max_size=3))
def test_a_block_says_what_the_page_says_there(html: str, words: list[str]) -> None:
    """Read among others, alone, or remembered: the hits of a block are those that the whole text has inside of it."""
    document = read_html(html + "".join(f"<p>{one} and {one} heals</p>" for one in words))
    folded = fold(document.text)
    hits = scanner(KNOWLEDGE, ENGLISH).hits(folded.text)
    starts = [hit.start for hit in hits]
    for blocks in (Blocks(KNOWLEDGE, ENGLISH), REMEMBERING, REMEMBERING):
        for part in cut(document, folded, blocks, product_context=False).parts:
            assert part.hits == between(hits, starts, part.start, part.end)
            assert part.names == {hit.name for hit in part.hits}


@FEW
@given(BLOCKS)
def test_signs_of_who_speaks_are_the_same_block_by_block(html: str) -> None:
    document = read_html(
        html + "<p>Book now, add to cart. We treat patients; the study was published in a journal.</p>"
    )
    whole, reader = fold(document.text).text, role_reader(KNOWLEDGE)
    assert reader._cues(whole.split("\n"), ENGLISH) == reader._cues([whole], ENGLISH)


@FEW
@given(st.lists(st.sampled_from(PLACES), max_size=8).map("\n".join))
def test_places_for_signs_are_the_same_block_by_block(text: str) -> None:
    found: dict[str, list[tuple[int, int]]] = {}
    for what, start, end in (*_anchors_in(text), *spots(text)):
        found.setdefault(what, []).append((start, end))
    assert _spots_on(read_text(text)) == found


def test_what_is_remembered_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_MOST", 10)
    asked: list[str] = []

    def lengths(texts: list[str]) -> list[int]:
        asked.extend(texts)
        return [len(text) for text in texts]

    kept = Remembered(lengths)
    assert kept.of(["a", "bb", "a"]) == kept.of(["a", "bb", "a"]) == [1, 2, 1]
    assert asked == ["a", "bb"]
    for number in range(40):
        assert kept.of([f"{number:03d}", "x" * 1_000]) == [3, 1_000]
        assert len(kept._known) <= 10
    assert asked.count("x" * 1_000) == 40  # too long to stand on many pages


@FEW
@given(st.text(alphabet="ab \n\u0301\u200b\u00adｅＥ①ß…éС\u0338", max_size=30))
def test_characters_are_folded_wherever_the_pattern_finds_them(text: str) -> None:
    assert [match.span() for match in _characters(text, set(text))] == [
        match.span() for match in _CHARACTERS.finditer(text)
    ]


@FEW
@given(st.text(alphabet="ab \n\u0301\u200b\u00adｅＥ①ß…éС\u0338", max_size=30))
def test_a_place_in_the_folded_text_is_the_first_that_stands_for_it(text: str) -> None:
    folded = fold(text)
    stands_for = [folded.at(index) for index in range(len(folded.text))]
    for offset in range(len(text) + 1):
        expected = next((index for index, old in enumerate(stands_for) if old >= offset), len(folded.text))
        assert folded.place(offset) == expected


@FEW
@given(st.text(alphabet=sorted(_EVEN), max_size=40))
def test_few_and_many_characters_are_made_even_alike(text: str) -> None:
    expected = "".join(_EVEN.get(char, char) for char in text)
    assert _replaced(text, [char for char in set(text) if char in _EVEN], _EVEN) == expected


def test_verdicts_are_remembered_as_they_were() -> None:
    facts, codes = ProductFacts("human", "injection"), ("us", "uk", "us", "gl")
    asked = Verdicts(KNOWLEDGE.law)
    for category in ("disease_treatment", "cosmetic_appearance"):
        expected = verdicts(KNOWLEDGE.law, category, facts, codes, "seller")
        assert asked.of(category, facts, codes, "seller") == expected == asked.of(category, facts, codes, "seller")


@pytest.mark.parametrize("at", [0, 3_995, 30_000])
def test_a_product_is_named_wherever_it_stands_in_a_long_text(at: int) -> None:
    words = "word " * 8_000
    assert gate(KNOWLEDGE).names_product(f"{words[:at]} exosomes {words[at:]}")
    assert not gate(KNOWLEDGE).names_product(words)


DISEASES = {one.words for one in KNOWLEDGE.conditions.names()}
DISEASES |= {words for row in KNOWLEDGE.conditions.review.ambiguous for words in spellings(row.names)}
LONGEST = max(map(len, DISEASES))


@FEW
@given(
    st.lists(
        st.sampled_from(
            (
                "skin cancer", "skin", "cancer", "acne", "acne vulgaris", "juvenile rheumatoid arthritis", "arthritis",
                "als", "lupus nephritis", "lupus", "痤疮", "阿尔茨海默病", " ", "s", "-", ",", ".", "é", "\n",
            )
        ),
        max_size=10,
    )
)  # fmt: skip
def test_diseases_are_met_where_their_whole_words_stand(parts: list[str]) -> None:
    text = "".join(parts)
    expected = {
        (start, end)
        for start in range(len(text))
        for end in range(start + 1, min(len(text), start + LONGEST) + 1)
        if text[start:end] in DISEASES
        and not (start and joins(text[start - 1]))
        and not (end < len(text) and joins(text[end]))
    }
    met = [(start, end) for start, end, _ in condition_scanner(KNOWLEDGE)._met(text, spaced(text))]
    assert sorted(met) == sorted(expected)
