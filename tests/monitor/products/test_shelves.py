"""Products of catalogues: the invented market's, other platforms' entries, and every product of the recorded ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from monitor.classify import judge_document
from monitor.knowledge import load
from monitor.market.products import products_on
from monitor.products import ProductReading, Told, read_products, read_told, told_at
from monitor.reading.captured import read_captured
from tests.crawler.market import building, shop_systems
from tests.loopback import Reply
from tests.samples import samples

KNOWLEDGE = load()
JSON = "application/json"


def told_of(data: Any, part: str) -> Told:
    body = json.dumps(data).encode()
    (told,) = read_told(body, JSON, part)
    for fact in told.facts:
        assert told_at(body, JSON, fact.place) == fact.quote
    for words, place in told.words:
        assert told_at(body, JSON, place) == words
    return told


def facts(told: Told) -> set[tuple[str, str, str]]:
    return {(fact.kind, fact.value, fact.place) for fact in told.facts}


def test_an_entry_of_shopify() -> None:
    entry = building.product(7, "Exo Drops") | {
        "variants": [{"title": "5 ml", "price": "49.00"}, {"title": "10 ml", "price": "89.5"}]
    }
    told = told_of({"products": [entry]}, "/products/0")

    assert facts(told) == {
        ("name", "Exo Drops", "structured:/products/0/title"),
        ("brand", "Maison Orrel", "structured:/products/0/vendor"),
        ("price", "49.00", "structured:/products/0/variants/0/price"),
        ("price", "89.50", "structured:/products/0/variants/1/price"),
    }
    assert told.words == (("Serum", "structured:/products/0/product_type"),)


def test_an_entry_that_was_asked_for_alone() -> None:
    assert ("brand", "Maison Orrel", "structured:/product/vendor") in facts(
        told_of({"product": building.product(7, "Exo Drops")}, "")
    )


def test_an_entry_of_woocommerce() -> None:
    entry = {
        "name": "Exo &amp; Co vial",
        "prices": {
            "currency_code": "JPY", "currency_minor_unit": 0, "price": "12000",
            "price_range": {"min_amount": "12000", "max_amount": "30000"},
        },
        "brands": [{"name": "Orla"}],
        "attributes": [{"name": "Marke", "terms": [{"name": "Kelda"}]}],
        "categories": [{"name": "Ampoules"}],
    }  # fmt: skip
    told = told_of([entry], "/0")

    assert told.name == "Exo & Co vial"
    assert facts(told) == {
        ("name", "Exo & Co vial", "structured:/0/name"),
        ("brand", "Orla", "structured:/0/brands/0/name"),
        ("brand", "Kelda", "structured:/0/attributes/0/terms/0/name"),
        ("price", "12000 JPY", "structured:/0/prices/price_range/min_amount"),
        ("price", "30000 JPY", "structured:/0/prices/price_range/max_amount"),
    }


def test_an_entry_of_squarespace() -> None:
    entry = {"title": "Exo mist", "variants": [{"priceMoney": {"value": "35.00", "currency": "CAD"}}]}
    told = told_of({"items": [entry]}, "/items/0")

    assert ("price", "35.00 CAD", "structured:/items/0/variants/0/priceMoney/value") in facts(told)


@pytest.mark.parametrize(
    ("body", "kind", "part"),
    [
        (b'{"products": [', JSON, "/products/0"),
        (b'{"products": []}', JSON, "/products/3"),
        (b'[{"title": {"rendered": "Post"}, "content": {"rendered": "exosome"}}]', JSON, "/0"),
        (b'[{"variants": [], "title": null}]', JSON, "/0"),
        (b"%PDF-1.7 exosome", "application/pdf", ""),
        (b"\xff\xfe\x00<script type='application/ld+json'>{", "text/html", ""),
        (b"<script type='application/ld+json'>[[[{", "text/html", ""),
    ],
)
def test_what_is_no_product_tells_of_none(body: bytes, kind: str, part: str) -> None:
    assert read_told(body, kind, part) == ()


def of_market(built: building.Built) -> list[ProductReading]:
    """The products of one invented site, from every answer that it always gives."""
    found: list[ProductReading] = []
    for path, reply in built.routes.items():
        if not isinstance(reply, Reply):
            continue
        body = reply.body if isinstance(reply.body, bytes) else reply.body.encode()
        for part in parts_of(body) if "json" in reply.content_type else [""]:
            document, told = read_captured(body, reply.content_type, part), read_told(body, reply.content_type, part)
            judgement = judge_document(document, KNOWLEDGE, url=built.home.rstrip("/") + path)
            found += products_on(document, told, judgement, KNOWLEDGE)
    return found


def parts_of(body: bytes) -> list[str]:
    data = json.loads(body)
    at, rows = ("", data) if isinstance(data, list) else ("/products", data.get("products", []))
    return [f"{at}/{number}" for number in range(min(len(rows), 5))]


def test_the_market_s_exosome_products_and_no_others() -> None:
    shop, woo = of_market(shop_systems.shopify()), of_market(shop_systems.woocommerce())

    assert [(one.name, {fact.key for fact in one.facts}) for one in shop] == [
        ("Exo Drops", {("name", "Exo Drops"), ("brand", "Maison Orrel"), ("price", "49.00"), ("form", "serum")})
    ]
    assert [(one.name, {fact.key for fact in one.facts if fact.kind != "name"}) for one in woo] == [
        ("Growth Serum & Roller", {("price", "129.00 EUR"), ("form", "serum"), ("source_material", "placenta")})
    ]
    assert of_market(shop_systems.same_page_for_ever()) == []


def test_every_product_of_the_recorded_catalogues() -> None:
    """Books, coffee, a pennant: each has name and price, none is an exosome product, none gets a source or a route."""
    woo = json.loads(samples("us/woocommerce/store_products_official_example.json").read_text(encoding="utf-8"))
    shop = json.loads(samples("us/shopify/products.json").read_text(encoding="utf-8"))["products"]
    coffee = json.loads(samples("us/shopify/scrapfly_collection.json").read_text(encoding="utf-8"))
    entries = [*woo, *shop, *({**one, "body_html": one["description"]} for one in coffee)]
    body = json.dumps(entries).encode()
    counts = dict.fromkeys(("name", "brand", "price", "form", "source_material", "route"), 0)
    for number in range(len(entries)):
        (told,) = read_told(body, JSON, f"/{number}")
        document = read_captured(body, JSON, f"/{number}")
        assert products_on(document, (told,), judge_document(document, KNOWLEDGE), KNOWLEDGE) == ()
        kinds = {fact.kind for fact in told.facts}
        # as if it were one: what would be said of a product that names no exosome
        as_ours = Told(f"{told.name} exosome", told.facts, told.words, entry=True)
        for one in read_products(document, (as_ours,), KNOWLEDGE):
            kinds |= {fact.kind for fact in one.facts}
        for kind in counts:
            counts[kind] += kind in kinds

    assert len(entries) == 23
    assert (counts["name"], counts["price"]) == (23, 23)
    assert counts["brand"] == 22
    assert (counts["source_material"], counts["route"]) == (0, 0)
