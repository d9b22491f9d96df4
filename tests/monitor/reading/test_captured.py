"""What a capture that is no plain page reads as: an entry of a catalogue, a PDF; and that both are evidence."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

from monitor import knowledge
from monitor.config import Config, Site
from monitor.evidence import recomputed as evidence
from monitor.intake import runs as intake
from monitor.reading.captured import read_captured
from monitor.reading.pdf import pdf_html
from monitor.reading.text import read_html
from monitor.records import PageRecord, PageState
from monitor.tables.models import Claim, Page, PageVersion
from tests.crawler.test_us_pdf import tiny_pdf
from tests.runs import RunMaker, page_card
from tests.samples import samples

JSON = "application/json; charset=utf-8"
SHOPIFY: dict[str, Any] = {
    "title": "Exo <Drops>",
    "handle": "exo-drops",
    "body_html": "<p>Our exosomes <b>regrow</b> hair.</p><ul><li>For thinning hair</li></ul><script>x()</script>",
    "vendor": "Maison Orrel",
    "product_type": "Serum",
    "tags": ["night", "ampoule"],
    "variants": [
        {"title": "Default Title", "price": "49.00"},
        {"title": "Box of five", "price": "199.00"},
    ],
}


def read(data: Any, part: str = "", content_type: str = JSON) -> Any:
    return read_captured(json.dumps(data).encode(), content_type, part)


def blocks(document: Any) -> list[tuple[str, str]]:
    return [(block.kind, document.text[block.start : block.end]) for block in document.blocks]


def test_a_product_of_a_catalogue_reads_as_the_shops_own_words() -> None:
    document = read({"products": [{"title": "Other"}, SHOPIFY]}, "/products/1")

    assert blocks(document) == [
        ("title", "Exo <Drops>"),
        ("meta", "ampoule, night"),
        ("heading", "Exo <Drops>"),
        ("paragraph", "Maison Orrel"),
        ("paragraph", "Serum"),
        ("paragraph", "Our exosomes regrow hair."),
        ("list_item", "For thinning hair"),
        ("list_item", "Box of five"),
        ("paragraph", "49.00"),
        ("paragraph", "199.00"),
    ]
    assert document.marks["product_names"] == ["Exo <Drops>"]
    assert document.marks["prices"] == ["49.00", "199.00"]


def test_a_product_asked_for_alone_reads_like_the_one_of_the_list() -> None:
    alone = SHOPIFY | {"tags": "ampoule, night", "images": [{"alt": "told here alone"}], "updated_at": "2026"}

    assert read({"product": alone}).text == read({"products": [SHOPIFY]}, "/products/0").text


def test_prices_in_minor_units_are_shown_as_money() -> None:
    woo = {
        "name": "Serum &amp; Roller",
        "short_description": "<p>Short.</p>",
        "description": "Long.",
        "prices": {"price": "1105", "currency_minor_unit": 2, "currency_code": "GBP"},
        "categories": [{"name": "Hair"}],
        "images": [{"alt": "Before and after"}],
    }

    document = read([woo], "/0")

    assert blocks(document)[1:] == [
        ("heading", "Serum & Roller"),
        ("paragraph", "Hair"),
        ("paragraph", "Short."),
        ("paragraph", "Long."),
        ("paragraph", "11.05 GBP"),
        ("alt", "Before and after"),
    ]
    assert "GBP" in document.marks["currencies"]
    assert "1,105" not in document.text


def test_a_page_of_wordpress_and_one_of_squarespace() -> None:
    page = {"title": {"rendered": "IV &#8211; Drip"}, "content": {"rendered": "<h2>Joints</h2><p>Heals knees.</p>"}}
    mist = {
        "title": "Mist & Co",
        "body": "<p>Calms.</p>",
        "variants": [{"priceMoney": {"value": "9.5", "currency": "USD"}}],
    }

    assert read(page).text == "IV – Drip\nIV – Drip\nJoints\nHeals knees."
    assert read({"item": mist}).text == "Mist & Co\nMist & Co\nCalms.\n9.50 USD"


@pytest.mark.parametrize("part", ["/products/7", "/nothing", "/products/0/title", "/products/x"])
def test_what_is_not_there_reads_as_nothing(part: str) -> None:
    assert read({"products": [SHOPIFY]}, part).text == ""


def test_pages_are_read_as_ever() -> None:
    html = b"<title>T</title><p>One {brace}</p>"

    assert read_captured(html, "text/html") == read_html(html, "text/html")
    assert read_captured(b"<p>%PDF- is a mark</p>", "text/html").text == "%PDF- is a mark"
    assert read_captured(b"<p>not JSON</p>", JSON).text == "not JSON"


def test_sentences_of_a_pdf_run_over_its_lines() -> None:
    brochure = tiny_pdf(
        "Aurel brochure\nOur exosomes have been shown to make hair grow again in\nevery patient we saw. Ask us.\n"
        "- Knees\n- Hips and\n1. Book a visit to the clinic today and bring your papers along"
    )

    assert blocks(read_captured(brochure, "application/pdf")) == [
        ("paragraph", "Aurel brochure"),
        ("paragraph", "Our exosomes have been shown to make hair grow again in every patient we saw. Ask us."),
        ("list_item", "Knees"),
        ("list_item", "Hips and"),
        ("list_item", "Book a visit to the clinic today and bring your papers along"),
    ]


@pytest.mark.parametrize("body", [b"%PDF-1.4", b"%PDF-1.4\n%%EOF", tiny_pdf("")])
def test_a_pdf_without_text_reads_as_nothing(body: bytes) -> None:
    assert pdf_html(body) == ""
    assert read_captured(body, "application/pdf").text == ""


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from("title name body_html content rendered tags variants prices price alt images".split()),
                inner,
                max_size=4,
            )
        ),
        max_leaves=15,
    )
)
def test_any_json_is_read_without_falling_over(data: Any) -> None:
    document = read(data)
    assert all(document.text[block.start : block.end] for block in document.blocks)


def test_recorded_catalogues_are_read_with_their_words() -> None:
    shop = samples("us/shopify/products.json").read_bytes()
    woo = samples("us/woocommerce/store_products_official_example.json").read_bytes()

    for number, raw in enumerate(json.loads(shop)["products"]):
        text = read_captured(shop, JSON, f"/products/{number}").text
        assert text.startswith(f"{raw['title']}\n")
        assert read_html(raw["body_html"]).text in text
        assert raw["variants"][0]["price"] in text
    assert "11.05 GBP" in read_captured(woo, JSON, "/0").text


# Taken in


MONDAY = datetime(2026, 11, 16, 5, tzinfo=UTC)
CLAIM = "Our exosomes cure arthritis and regrow hair."


def take_in(engine: Engine, home: Path, maker: RunMaker) -> intake.TakenIn:
    config = Config(data=home, sites=(Site(url="http://kelda.example/"),))
    return intake.take_in(engine, maker.write(), config, knowledge.load())


def catalogue_run(home: Path, at: datetime, *descriptions: str, state: PageState = PageState.READ) -> RunMaker:
    maker = RunMaker(page_card(), at, home / "runs")
    products = [{"title": f"Item {n}", "body_html": f"<p>{words}</p>"} for n, words in enumerate(descriptions)]
    body = json.dumps({"products": products}).encode()
    capture = maker.capture("http://kelda.example/products.json", body, content_type="application/json")
    for number in range(len(descriptions)):
        url = f"http://kelda.example/products/vial-{number}.json"
        part = f"/products/{number}"
        maker.records.append(PageRecord(source=maker.card.id, url=url, state=state, capture=capture, part=part))
        maker.seen[url] = "d"
    maker.listed = len(descriptions)
    return maker


def test_a_claim_in_a_catalogue_is_followed_and_verified(sqlite_engine: Engine, tmp_path: Path) -> None:
    first = take_in(sqlite_engine, tmp_path, catalogue_run(tmp_path, MONDAY, "Soft towels.", CLAIM))
    again = take_in(sqlite_engine, tmp_path, catalogue_run(tmp_path, MONDAY.replace(day=17), "Soft towels.", CLAIM))

    assert (first.state, again.state) == ("taken_in", "taken_in")
    assert dict(again.events) == {}
    with Session(sqlite_engine) as session:
        claims = session.exec(select(Claim)).all()
        pages = {page.id: page.url for page in session.exec(select(Page))}
        versions = session.exec(select(PageVersion)).all()
    assert {pages[claim.page_id] for claim in claims} == {"http://kelda.example/products/vial-1.json"}
    assert all(claim.quote in CLAIM for claim in claims)
    assert [version.document["part"] for version in versions] == ["/products/0", "/products/1"]
    checked = evidence.verify(sqlite_engine, Config(data=tmp_path))
    assert (checked.broken, checked.versions) == ((), 2)
    assert checked.quotes > 0


def test_another_entry_of_the_same_capture_does_not_verify(sqlite_engine: Engine, tmp_path: Path) -> None:
    take_in(sqlite_engine, tmp_path, catalogue_run(tmp_path, MONDAY, "Soft towels.", CLAIM))
    with Session(sqlite_engine) as session, session.begin():
        version = session.exec(select(PageVersion).where(PageVersion.text.contains("cure"))).one()  # type: ignore[attr-defined]
        version.document = {**version.document, "part": "/products/0"}
        session.add(version)

    broken = evidence.verify(sqlite_engine, Config(data=tmp_path)).broken

    assert [one.kind for one in broken] == ["text"]


def test_an_entry_that_stayed_the_same_withdraws_nothing(sqlite_engine: Engine, tmp_path: Path) -> None:
    take_in(sqlite_engine, tmp_path, catalogue_run(tmp_path, MONDAY, CLAIM))
    for day in (17, 18):
        run = catalogue_run(tmp_path, MONDAY.replace(day=day), CLAIM, state=PageState.UNCHANGED)
        assert dict(take_in(sqlite_engine, tmp_path, run).events) == {}


def test_what_a_page_holds_unread_is_kept_beside_it(sqlite_engine: Engine, tmp_path: Path) -> None:
    maker = RunMaker(page_card(), MONDAY, tmp_path / "runs")
    maker.page("http://kelda.example/", f"<h1>Kelda</h1><p>{CLAIM}</p>", unread=("the text in 3 images",))

    take_in(sqlite_engine, tmp_path, maker)

    with Session(sqlite_engine) as session:
        [version] = session.exec(select(PageVersion)).all()
    assert version.document["unread"] == ["the text in 3 images"]
    assert evidence.verify(sqlite_engine, Config(data=tmp_path)).broken == ()
