"""Shortcuts for what most pages are like give what the long way gives, whatever a page is like."""

from __future__ import annotations

import gc
import hashlib
import re
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor import intake
from monitor.classify.automaton import joins, spaced, unbound
from monitor.classify.compose import Page, cut, leading
from monitor.classify.conditions import condition_scanner
from monitor.classify.scan import between, scanner
from monitor.classify.windows import PRODUCTS, Reader, _Nearness
from monitor.folding import _leet_signs, fold
from monitor.knowledge import load
from monitor.knowledge.conditions import spellings
from monitor.marks import Marks
from monitor.products.doses import dose_reader
from monitor.products.words import MarkedPage, product_scanner
from monitor.text import Document, read_html

KNOWLEDGE = load()
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
def test_elements_show_what_each_of_them_shows(told: list[tuple[str, dict[str, str | None]]]) -> None:
    together, singly = Marks(), Marks()
    together.elements(told)
    for tag, attributes in told:
        singly.element(tag, attributes)
    assert list(together.found().items()) == list(singly.found().items())


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


def _page(html: str) -> Page:
    document = read_html(html)
    folded = fold(document.text)
    return cut(document, folded, scanner(KNOWLEDGE, frozenset({"en"})).hits(folded.text), product_context=False)


@FEW
@given(BLOCKS)
def test_where_products_stand_near_is_found_at_once_for_all_blocks(html: str) -> None:
    page = _page(html)
    products = [index for index, part in enumerate(page.parts) if part.names & PRODUCTS]
    near = _Nearness(page, products)
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
            assert gc.get_threshold()[0] > before[0]
            raise ValueError("a run that cannot be read")

    with pytest.raises(ValueError, match="cannot be read"):
        broken()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_a_page_may_make_up_as_many_elements_as_it_likes() -> None:
    from monitor.text import _TAGS

    html = "".join(f"<x-{number}>word</x-{number}>" for number in range(2_000))
    assert read_html(html).text == "word" * 2_000
    assert sys.getsizeof(_TAGS) < 100_000


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
