"""The page of a product: what it is said to be, in whose words, and what is left unsaid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
from fastapi import FastAPI
from selectolax.lexbor import LexborHTMLParser
from sqlmodel import select

from monitor.tables.db import id_of, transaction
from monitor.tables.models import Claim, Page, PageVersion, Product
from monitor.tables.product_facts import ProductFact
from reports.render import day, moment
from reports.site.app import create_app
from tests.reports import factory
from tests.reports.conftest import Stored


def fact(product: Product, page: Page, version: PageVersion, **values: object) -> ProductFact:
    start = version.text.index("exosome") if "exosome" in version.text else 0
    told: dict[str, object] = {
        "product_id": id_of(product),
        "page_id": id_of(page),
        "version_id": id_of(version),
        "capture_id": version.capture_id,
        "quote": version.text[start : start + 7],
        "start": start,
        "end": start + 7,
        "first_seen": version.read_at,
        "last_seen": version.read_at + timedelta(days=1),
    }
    return ProductFact(**{**told, **values})


def test_facts_are_shown_with_their_words_and_their_place(
    stored: Stored, visit: Callable[[FastAPI], httpx.Client]
) -> None:
    hostile = "<script>alert(1)</script>"
    with transaction(stored.engine) as session:
        product = session.get_one(Product, stored.ids["serum"])
        version = session.exec(select(PageVersion)).first()
        assert version is not None
        page = session.get_one(Page, version.page_id)
        session.add(fact(product, page, version, kind="source_material", value="umbilical_cord"))
        session.add(fact(product, page, version, kind="country", value="uk"))
        session.add(
            fact(
                product, page, version, kind="brand", value=hostile, quote=hostile, start=None, end=None,
                place="structured:/products/0/vendor",
            )
        )  # fmt: skip
        session.add(fact(product, page, version, kind="route", value="oral", current=False, readings=0))
        session.add(fact(product, page, version, kind="form", value="cream", current=False, readings=1))

    answer = visit(create_app(stored.engine, stored.config, factory.law)).get(f"/products/{stored.ids['serum']}")

    assert answer.status_code == 200
    assert hostile not in answer.text
    tree = LexborHTMLParser(answer.text)
    now, before = tree.css("h2 ~ .wide table")[:2]
    rows = {row.css_first("th").text(): [cell.text().strip() for cell in row.css("td")] for row in now.css("tbody tr")}
    assert rows["Made from"][0] == "umbilical cord"
    assert rows["Made from"][2].endswith(f"of page version {version.id}")
    assert rows["Served to"][0] == "United Kingdom"
    assert "structured:/products/0/vendor in capture" in rows["Brand"][2]
    assert [row.css_first("th").text() for row in before.css("tbody tr")] == ["Used"]
    assert "Not stated: price, form, used, amount." in answer.text
    assert "cream" not in now.text() + before.text()


def test_a_product_of_which_nothing_is_said_says_so(stored: Stored, visit: Callable[[FastAPI], httpx.Client]) -> None:
    answer = visit(create_app(stored.engine, stored.config, factory.law)).get(f"/products/{stored.ids['serum']}")

    assert "Nothing is known of it but its name." in answer.text


def test_a_product_that_only_claims_name_is_seen_with_them(
    rehearsed: Stored, visit: Callable[[FastAPI], httpx.Client]
) -> None:
    with transaction(rehearsed.engine) as session:
        claim = session.exec(select(Claim).where(Claim.product_id == rehearsed.ids["serum"])).first()
        assert claim is not None
        product = session.get_one(Product, rehearsed.ids["serum"])
        claim.last_seen = product.last_seen + timedelta(days=30)
        claim.severity = ""
        last, number = claim.last_seen, id_of(claim)
        session.add(claim)
    client = visit(create_app(rehearsed.engine, rehearsed.config, factory.law))

    assert f"Last seen {moment(last)}." in client.get(f"/products/{rehearsed.ids['serum']}").text
    listed = client.get("/products").text
    assert f" to {day(last)}" in listed
    assert "not from the web" in listed, "no fact of it was read, but its claims were"
    row = next(row for row in client.get("/export/products.json").json()["rows"] if row["id"] == rehearsed.ids["serum"])
    assert row["last_seen"].startswith(f"{last:%Y-%m-%dT%H:%M}")
    lead = LexborHTMLParser(client.get(f"/claims/{number}").text).css_first("p.lead").text()
    assert lead.startswith("Severity not assessed, flagged")
