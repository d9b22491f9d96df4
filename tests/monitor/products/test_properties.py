"""Whatever a page holds: quotes are exact, order changes nothing, and time grows with length alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.folding import fold
from monitor.knowledge import load
from monitor.products import read_products, read_told, told_at
from monitor.reading.text import read_html

KNOWLEDGE = load()
PIECES = (
    "exosome", "Exosomen", "エクソソーム", "엑소좀", "serum", "human umbilical cord", "not", "plant-derived",
    "注射", "MTS", "5 x 10⁹", "exosomes per vial", "€49,90", "$1,299.00", "We ship to", "Germany", "USA",
    "except", "Brand:", "10 ml", "%", ".", "?", "İ", "ﬁ", "ẞ", "е\u0301", "\u200b", "\u202e", "𝐞𝐱𝐨𝐬𝐨𝐦𝐞",
    "ехоѕоmе", "臍帯", "١٠ مل", "\U0001f9ec", "n0t", "e\u0338xosome",
)  # fmt: skip
TEXT = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=25).map(" ".join)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXT, st.lists(TEXT, max_size=3))
def test_every_quote_is_the_text_at_its_offsets(name: str, paragraphs: list[str]) -> None:
    html = f"<h1>{name}</h1>" + "".join(f"<p>{words}</p>" for words in paragraphs)
    document = read_html(html)
    for one in read_products(document, (), KNOWLEDGE, named=" ".join(name.split()), words=("exosome",)):
        for fact in one.facts:
            assert fact.start is not None
            assert document.text[fact.start : fact.end] == fact.quote != ""


VALUES = st.recursive(
    st.one_of(st.text(max_size=12), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["@type", "name", "brand", "offers", "price", "priceCurrency", "seller", "a/b~c", "hasVariant"]
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, st.text(max_size=20))
def test_every_place_names_its_value(data: object, name: str) -> None:
    thing = {"@type": "Product", "name": f"Exosome {name}", "offers": data, "a/b~c": data, "brand": data}
    script = json.dumps(thing).replace("<", "\\u003c")
    body = f'<script type="application/ld+json">{script}</script><p>x</p>'.encode()
    told = read_told(body, "text/html")
    assert told
    for fact in (fact for one in told for fact in one.facts):
        assert told_at(body, "text/html", fact.place) == fact.quote

    catalogue = json.dumps({"products": [{"title": f"Exosome {name}", "variants": data, "vendor": data}]}).encode()
    for fact in (fact for one in read_told(catalogue, "application/json", "/products/0") for fact in one.facts):
        assert told_at(catalogue, "application/json", fact.place) == fact.quote


PARAGRAPHS = (
    "Exosomes from human umbilical cord.", "Exosomes, plant-derived.", "Apply to the skin.", "Use with microneedling.",
    "We ship to Norway.", "5 billion exosomes per vial.", "Not for injection.", "Lyophilised exosome concentrate.",
    "10 ml",
)  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.permutations(PARAGRAPHS))
def test_the_order_of_paragraphs_changes_no_fact(paragraphs: list[str]) -> None:
    html = "<h1>Exosome drops</h1>" + "".join(f"<p>{words}</p>" for words in paragraphs)
    (found,) = read_products(read_html(html), (), KNOWLEDGE, named="Exosome drops")

    assert {fact.key for fact in found.facts} == {
        ("name", "Exosome drops"), ("form", "powder_vial"), ("form", "vial"), ("source_material", "human"),
        ("source_material", "plant"), ("source_material", "umbilical_cord"), ("route", "topical"),
        ("route", "microneedling"), ("country", "no"), ("dose", "5000000000 exosomes per vial"),
        ("dose", "10 ml"),
    }  # fmt: skip


HOSTILE: dict[str, Callable[[int], str]] = {
    "numbers": lambda size: "1 x " * size,
    "digits": lambda size: "1" * size,
    "prices": lambda size: "$1 " * size,
    "denials": lambda size: "not exosome not placenta " * size,
    "deliveries": lambda size: "we ship to Norway except " * size,
    "headings": lambda size: "<h2>exosome $1</h2>" * size,
    "labels": lambda size: "<p>Brand:</p>" * size,
    "related": lambda size: "<h2>Related products</h2><h3>exosome</h3>" * size,
    "powers": lambda size: "10^9 x 10⁹ " * size,
    "unspaced": lambda size: "億" * size + "5" + "億エクソソーム" * size,
    "unless": lambda size: "infused with rose " * size,
}


def test_a_word_without_an_end_is_folded_at_once() -> None:
    """It was tried again from each of its letters: hours, here."""
    assert len(fold("億" * 400_000).text) == 400_000


def steps(act: Callable[[], object]) -> int:
    """Python lines run: time on a loaded machine tells nothing."""
    count = 0

    def tracer(_frame: object, event: str, _argument: object) -> object:
        nonlocal count
        count += event == "line"
        return tracer

    sys.settrace(tracer)  # type: ignore[arg-type]
    try:
        act()
    finally:
        sys.settrace(None)
    return count


@pytest.mark.parametrize("kind", HOSTILE)
def test_work_grows_no_faster_than_the_page(kind: str) -> None:
    def work(size: int) -> int:
        document = read_html(f"<h1>exosome</h1>{HOSTILE[kind](size)}")
        return steps(lambda: read_products(document, (), KNOWLEDGE, named="exosome"))

    small, large = work(100), work(400)

    assert large <= 5 * small + 20_000
