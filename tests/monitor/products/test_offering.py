"""A heading names a product only where that is on offer: posts and articles offer none."""

from __future__ import annotations

import json

import pytest

from monitor.classify import judge_document
from monitor.knowledge import load
from monitor.market.claims import product_named
from monitor.market.products import products_on
from monitor.products import read_told
from monitor.reading.text import read_html

KNOWLEDGE = load()
HEADING = "Orla Exosome Serum"
CLAIM = "<p>Our exosome serum regrows hair on bald scalps within weeks. It is made from human umbilical cord.</p>"
CART = "<a href='/cart'>Cart</a>"
SHOP = "<p>Free shipping. Add to cart, buy now, in stock.</p>"
"""Words of every page of a shop: they make the role a seller's, posts included."""


def page(*body: str, head: str = "", heading: str = HEADING) -> str:
    return (
        f"<html lang='en'><head><title>{heading}</title>{head}</head><body>{CART}<main><h1>{heading}</h1>"
        f"{''.join(body)}</main>{SHOP}</body></html>"
    )


def data(**told: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(told)}</script>'


def offered(html: str, url: str) -> list[str]:
    document, told = read_html(html), read_told(html.encode(), "text/html")
    judgement = judge_document(document, KNOWLEDGE, url=url)
    return [one.name for one in products_on(document, told, judgement, KNOWLEDGE, url)]


PRICE = "<p>$89.00</p>"
CLINIC = "<p>Book your appointment at our clinic: our doctors treat patients with exosome infusions.</p>"


@pytest.mark.parametrize(
    ("html", "url"),
    [
        (page(PRICE, CLAIM), "https://orla.example/orla-exosome-serum"),
        (page(CLAIM), "https://orla.example/products/orla-exosome-serum"),
        (page(CLAIM), "https://orla.example/de/produkte/serum.html"),
        (page(CLAIM, head=data(**{"@type": "Article", "author": {"name": "Ina"}})), "https://orla.example/shop/serum"),
        (page(PRICE, CLAIM, head=data(**{"@type": "Product", "name": HEADING})), "https://orla.example/x"),
        # who reviews it and when says nothing of the page
        (
            page(
                PRICE, CLAIM, "<p class='byline'>Ina</p><time datetime='2026-03-01'>1 March</time>",
                head=data(**{"@type": "Product", "name": HEADING}),
            ),
            "https://orla.example/x",
        ),
    ],
)  # fmt: skip
def test_what_is_on_offer_is_a_product(html: str, url: str) -> None:
    assert offered(html, url) == [HEADING]


@pytest.mark.parametrize(
    ("html", "url"),
    [
        (page(CLAIM), "https://orla.example/blog/orla-exosome-serum"),
        (page(PRICE, CLAIM), "https://orla.example/blogs/news/orla-exosome-serum"),
        (page(CLAIM), "https://orla.example/2026/03/orla-exosome-serum/"),
        (page(CLAIM), "https://orla.example/es/noticias/serum"),
        (page(CLAIM), "https://orla.example/ja/%E3%82%B3%E3%83%A9%E3%83%A0/12"),
        (page(CLAIM), "https://orla.example/fr/actualités/serum"),
        (page(CLAIM, head=data(**{"@type": "BlogPosting", "headline": HEADING})), "https://orla.example/orla-serum"),
        (page(CLAIM, head=data(**{"@type": ["Article"], "headline": HEADING})), "https://orla.example/orla-serum"),
        (
            page("<p class='byline'>Ina Orla</p><time datetime='2026-03-01'>1 March</time>", CLAIM),
            "https://orla.example/orla-serum",
        ),
        (page("<p>By Ina Orla, 3 October 2026</p>", CLAIM), "https://orla.example/orla-serum"),
    ],
)
def test_an_article_that_bears_a_product_s_name_is_none(html: str, url: str) -> None:
    assert offered(html, url) == []
    assert product_named(judge_document(read_html(html), KNOWLEDGE, url=url), url, KNOWLEDGE) == ""


def test_an_article_offers_what_its_structured_data_sells() -> None:
    told = data(**{"@type": "Product", "name": "Orla Exosome Cream", "offers": {"price": "49", "priceCurrency": "EUR"}})

    assert offered(page(CLAIM, head=told), "https://orla.example/blog/serum") == ["Orla Exosome Cream"]


def test_a_question_and_a_page_about_the_firm_name_no_product() -> None:
    assert offered(page(PRICE, CLAIM, heading="What is an exosome?"), "https://orla.example/x") != [
        "What is an exosome?"
    ]
    assert HEADING not in offered(page(PRICE, CLAIM), "https://orla.example/about-us")


def test_a_heading_names_the_product_in_another_number_than_the_claims() -> None:
    html = page(PRICE, "<p>Our exosomes regrow hair on bald scalps within weeks.</p>", heading="Exosome facial")

    assert offered(html, "https://orla.example/x") == ["Exosome facial"]


def test_a_clinic_s_page_names_its_treatment_without_a_price() -> None:
    html = page(CLINIC, CLAIM, heading="Exosome joint programme").replace(SHOP, "").replace(CART, "")
    url = "https://clinic.example/exosome-joint-programme"

    assert judge_document(read_html(html), KNOWLEDGE, url=url).role == "clinic"
    assert offered(html, url) == ["Exosome joint programme"]


def test_a_supplier_s_text_without_any_offer_gives_no_product_of_its_heading() -> None:
    html = page(CLAIM, heading="The promise of exosome science").replace(CART, "")

    assert "The promise of exosome science" not in offered(html, "https://orla.example/promise")
