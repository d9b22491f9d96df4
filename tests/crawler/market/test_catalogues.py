"""One answer of a catalogue: its outcome, its entries, and where the next one is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.market.addresses import normalise
from crawler.market.catalogues import CatalogueOutcome, is_entry_address, read_catalogue, read_entry
from crawler.market.page import NotAPageError
from crawler.market.platforms import Shelf
from crawler.market.shelves import Shelves
from crawler.market.site import card_of, read
from monitor.config import Site
from monitor.records import PageRecord
from tests.crawler.market.building import product
from tests.crawler.responses import json_response, response_of
from tests.samples import samples

HOME = "https://www.orrel.example/"
CARD = card_of(Site(url=HOME))
LISTS = {
    "shopify products": f"{HOME}products.json?limit=250&page=1",
    "woocommerce products": f"{HOME}wp-json/wc/store/v1/products?per_page=100&page=1",
    "wordpress pages": f"{HOME}wp-json/wp/v2/pages?per_page=100&page=1",
    "squarespace collection": f"{HOME}shop?format=json",
}


def shelf(kind: str) -> Shelf:
    return Shelf(kind, LISTS[kind])


def listed(kind: str, data: Any, *, page: int = 1, **headers: str) -> Any:
    url = LISTS[kind].replace("page=1", f"page={page}")
    return read_catalogue(json_response(url, json.dumps(data), headers=headers), shelf(kind))


@pytest.mark.parametrize(
    ("status", "body", "content_type", "outcome"),
    [
        (200, '{"products":[]}', "application/json", CatalogueOutcome.EMPTY),
        (429, "", "text/plain", CatalogueOutcome.RATE_LIMITED),
        (401, '{"errors":"no"}', "application/json", CatalogueOutcome.UNAVAILABLE),
        (404, "<p>Not here</p>", "text/html", CatalogueOutcome.UNAVAILABLE),
        (503, "", "text/plain", CatalogueOutcome.UNAVAILABLE),
        (200, '{"products":[]}', "text/html; charset=utf-8", CatalogueOutcome.NOT_JSON),
        (200, '{"products":[', "application/json", CatalogueOutcome.NOT_JSON),
        (200, b"\xff\xfe\x00", "application/json", CatalogueOutcome.NOT_JSON),
        (200, "[" * 100_000, "application/json", CatalogueOutcome.NOT_JSON),
        (200, '"products"', "application/json", CatalogueOutcome.UNEXPECTED_JSON),
        (200, '{"products":{"1":{}}}', "application/json", CatalogueOutcome.UNEXPECTED_JSON),
        (200, '{"products":[{"sku":"x"}]}', "application/json", CatalogueOutcome.UNEXPECTED_JSON),
        (200, "<title>Just a moment...</title>Verify you are human", "text/html", CatalogueOutcome.BLOCKED),
    ],
)
def test_what_a_catalogue_gave(status: int, body: str | bytes, content_type: str, outcome: CatalogueOutcome) -> None:
    answer = read_catalogue(
        response_of(LISTS["shopify products"], body, content_type, status), shelf("shopify products")
    )

    assert (answer.outcome, answer.entries, answer.next) == (outcome, (), "")


def test_a_page_beyond_the_last_one_is_the_end_and_no_failure() -> None:
    url = LISTS["wordpress pages"].replace("page=1", "page=2")
    response = json_response(url, '{"code":"rest_post_invalid_page_number"}', status=400)

    assert read_catalogue(response, shelf("wordpress pages")).outcome is CatalogueOutcome.CATALOG


def test_an_entry_knows_its_address_its_page_and_its_place() -> None:
    answer = listed("shopify products", {"products": [{"sku": 1}, product(7, "Exo Drops", "<p>x</p>")]})

    [entry] = answer.entries
    assert (entry.url, entry.page) == (f"{HOME}products/exo-drops.json", f"{HOME}products/exo-drops")
    assert (entry.part, entry.title) == ("/products/1", "Exo Drops")


def test_stock_and_times_change_no_digest_and_words_and_prices_do() -> None:
    def digest(**changes: Any) -> str:
        found: str = (
            listed("shopify products", {"products": [product(1, "Exo", "<p>x</p>") | changes]}).entries[0].digest
        )
        return found

    same = digest()
    assert digest(updated_at="2027-01-01", images=[{"src": "x"}], tags=["ampoule", "night"]) == same
    assert digest(variants=[{"title": "Default Title", "price": "49.00", "available": False}]) == same
    assert digest(variants=[{"title": "Default Title", "price": "59.00"}]) != same
    assert digest(body_html="<p>y</p>") != same
    assert digest(tags=["cure"]) != same


WOO = {
    "id": 12,
    "name": "Serum",
    "permalink": f"{HOME}product/serum/",
    "description": "<p>d</p>",
    "short_description": "",
    "prices": {"price": "1", "currency_minor_unit": 2, "currency_code": "EUR"},
}
WORDPRESS = {"id": 3, "link": f"{HOME}about/", "title": {"rendered": "About"}, "content": {"rendered": "<p>a</p>"}}
SQUARE = {"title": "Mist", "fullUrl": "/shop/mist", "body": "<p>m</p>", "excerpt": "e"}


@pytest.mark.parametrize(
    ("kind", "in_list", "alone"),
    [
        (
            "shopify products",
            {"products": [product(1, "Exo", "<p>x</p>")]},
            {"product": product(1, "Exo", "<p>x</p>") | {"tags": "night, ampoule", "images": [{"alt": "y"}]}},
        ),
        ("woocommerce products", [WOO], WOO),
        ("wordpress pages", [WORDPRESS], {**WORDPRESS, "status": "publish"}),
        ("squarespace collection", {"items": [SQUARE]}, {"item": SQUARE, "website": {}}),
    ],
)
def test_an_entry_that_is_asked_for_alone_is_the_one_of_the_list(kind: str, in_list: Any, alone: Any) -> None:
    [entry] = listed(kind, in_list).entries

    again = read_entry(json_response(entry.url, json.dumps(alone)))

    assert again is not None
    assert (again.url, again.title, again.digest) == (entry.url, entry.title, entry.digest)
    assert again.part == ""
    assert is_entry_address(entry.url)
    assert normalise(entry.url) == entry.url


def test_ordinary_addresses_are_no_entries() -> None:
    for path in ("", "products/exo", "data.json", "shop?format=json-feed", "wp-json/wp/v2/users/1", "products.json"):
        assert not is_entry_address(HOME + path)


def test_the_next_page_is_asked_for_while_there_is_one() -> None:
    full = {"products": [product(one, f"Cream {one}") for one in range(250)]}

    assert listed("shopify products", full).next.endswith("products.json?limit=250&page=2")
    assert listed("shopify products", {"products": full["products"][:249]}).next == ""
    last = listed("shopify products", full, page=100)
    assert (last.next, last.cut) == ("", True), "Shopify gives 25,000 and no more"
    assert listed("wordpress pages", [WORDPRESS], **{"X-WP-TotalPages": "2"}).next.endswith("page=2")
    assert listed("wordpress pages", [WORDPRESS], page=2, **{"X-WP-TotalPages": "2"}).next == ""
    paged = {"items": [SQUARE], "pagination": {"nextPageUrl": "/shop?offset=9"}}
    assert listed("squarespace collection", paged).next == f"{HOME}shop?offset=9&format=json"


def test_a_list_that_gives_the_same_page_again_is_left() -> None:
    shelves = Shelves(HOME)
    body = json.dumps({"products": [product(one, f"Cream {one}") for one in range(250)]})
    first = shelf("shopify products")

    shelves.take(json_response(first.address, body), first, "run/1")
    second = shelves.next()
    assert second is not None
    shelves.take(json_response(second.address, body), second, "run/2")

    assert shelves.next() is None
    assert len(shelves.held) == 250
    assert shelves.whole


def test_a_list_leads_to_no_other_site() -> None:
    shelves = Shelves(HOME)
    items = [SQUARE | {"fullUrl": "https://evil.example/mist"}, SQUARE]
    data = {"items": items, "pagination": {"nextPageUrl": "https://evil.example/shop"}}
    one = shelf("squarespace collection")

    shelves.take(json_response(one.address, json.dumps(data)), one, "run/1")

    assert list(shelves.held) == [f"{HOME}shop/mist?format=json"]
    assert (shelves.next(), shelves.elsewhere) == (None, 1)


def test_lists_take_a_third_of_a_runs_time() -> None:
    shelves = Shelves(HOME, minutes=1, delay=10)
    shelves.recognise(response_of(HOME, '<link href="/wp-content/plugins/woocommerce/x.css">'))

    asked = [shelves.next(), shelves.next()]

    assert all(asked)
    assert shelves.next() is None
    assert shelves.cut


def test_an_older_shop_is_asked_for_its_older_list() -> None:
    shelves = Shelves(HOME)
    shelves.recognise(response_of(HOME, '<link href="/wp-content/plugins/woocommerce/x.css">'))
    asked = []
    for _ in range(3):
        one = shelves.next()
        assert one is not None
        asked.append(one.address.partition("wp-json/")[2].partition("?")[0])
        shelves.take(json_response(one.address, "{}", status=404), one, "run/1")

    assert asked == ["wc/store/v1/products", "wc/store/products", "wp/v2/product"]
    assert shelves.outcomes == {"wordpress products": CatalogueOutcome.UNAVAILABLE}


def test_a_list_that_breaks_off_is_not_whole() -> None:
    shelves = Shelves(HOME)
    one = shelf("shopify products")
    shelves.take(json_response(one.address, json.dumps({"products": [product(1, "A")]})), one, "run/1")
    assert shelves.whole

    shelves.ended(one, CatalogueOutcome.RATE_LIMITED)

    assert (shelves.outcomes, shelves.whole) == ({"shopify products": CatalogueOutcome.RATE_LIMITED}, False)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "products items title name handle id body_html content prices variants tags fullUrl rendered".split()
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(VALUES, st.sampled_from(sorted(LISTS)))
def test_reading_a_catalogue_never_falls_over(data: Any, kind: str) -> None:
    response = json_response(LISTS[kind], json.dumps(data))

    answer = read_catalogue(response, shelf(kind))
    assert all(entry.url and entry.title for entry in answer.entries)
    read_entry(response)
    try:
        records = list(read(response, CARD))
    except NotAPageError:
        return
    assert all(isinstance(record, PageRecord) for record in records)


# What nobody here wrote


def test_the_recorded_products_of_a_shop_are_read() -> None:
    body = samples("us/shopify/products.json").read_bytes()
    raw = json.loads(body)["products"]

    records = list(read(json_response(LISTS["shopify products"], body), CARD))

    pages = [record for record in records if isinstance(record, PageRecord)]
    assert [page.title for page in pages] == [one["title"] for one in raw]
    assert [page.url for page in pages] == [f"{HOME}products/{one['handle']}.json" for one in raw]
    assert [page.canonical_url for page in pages] == [f"{HOME}products/{one['handle']}" for one in raw]
    assert [page.part for page in pages] == [f"/products/{number}" for number in range(len(raw))]


def test_recorded_preflights_have_the_outcome_that_was_recorded() -> None:
    for one in json.loads(samples("us/shopify/scrapfly_preflight.json").read_bytes()):
        catalogue = json.dumps({"products": [product(1, "A")]})
        body = catalogue if one["is_shopify_catalog"] else "<html></html>"
        response = response_of(one["catalog_url"], body, one["content_type"], one["status_code"])

        outcome = read_catalogue(response, shelf("shopify products")).outcome

        assert outcome == one["outcome"].removeprefix("shopify_")


def test_a_recorded_collection_of_products_is_read_as_a_shop_would_give_it() -> None:
    raw = json.loads(samples("us/shopify/scrapfly_collection.json").read_bytes())
    assert len(raw) > 10
    as_given = [
        {"id": one["product_id"], "title": one["title"], "handle": one["handle"], "body_html": one["description"]}
        | {"vendor": one["vendor"], "product_type": one["product_type"], "tags": one["tags"], "variants": []}
        for one in raw
    ]

    entries = listed("shopify products", {"products": as_given}).entries

    assert [entry.page.rpartition("/")[2] for entry in entries] == [one["handle"] for one in raw]
    assert all(
        json.dumps(one["description"], ensure_ascii=False) in entry.words
        for one, entry in zip(raw, entries, strict=True)
    )


def test_the_official_example_of_a_woocommerce_shop_is_read() -> None:
    body = samples("us/woocommerce/store_products_official_example.json").read_bytes()
    raw = json.loads(body)

    [record] = read(json_response(LISTS["woocommerce products"], body), CARD)

    assert isinstance(record, PageRecord)
    assert (record.title, record.part) == (raw[0]["name"], "/0")
    assert record.url == f"{HOME}wp-json/wc/store/v1/products/{raw[0]['id']}"
