"""Products from run to run: first readings are history, a change is told once, and flapping is none."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from monitor import queries
from monitor.config import Config, Site, Watchlist
from monitor.evidence import recomputed as evidence
from monitor.intake.runs import TakenIn, take_in
from monitor.knowledge import load
from monitor.market.rejudge import rejudge
from monitor.products import STRUCTURED, told_at
from monitor.records import PageRecord, PageState, RunRequest
from monitor.search import search
from monitor.tables.db import reading, transaction
from monitor.tables.models import Claim, Event, Page, PageVersion, Product, WatchMatch
from monitor.tables.product_facts import ProductFact, ProductPlace
from monitor.watching.check import check_lists
from tests.runs import RunMaker, page_card

MONDAY = datetime(2026, 11, 9, 6, tzinfo=UTC)
HOME = "http://kelda.example/"
SERUM = "http://kelda.example/serum"
ENTRY = "http://kelda.example/products/serum.json"
HUMAN = "Made with exosomes derived from human umbilical cord."
PLANT = "Made with plant-derived exosomes."


def product_page(*words: str, price: str = "89.00", name: str = "Kelda Exosome Serum", countries: str = "") -> str:
    data = {
        "@type": "Product",
        "name": name,
        "brand": {"@type": "Brand", "name": "Kelda"},
        "offers": {"@type": "Offer", "price": price, "priceCurrency": "EUR", "seller": {"name": "Kelda Labs"}},
    }
    body = "".join(f"<p>{one}</p>" for one in (*words, countries) if one)
    return (
        f'<html><head><title>{name}</title><script type="application/ld+json">{json.dumps(data)}</script></head><body>'
        f"<h1>{name}</h1><p>€{price}</p><a href='/cart'>Add to cart</a><p>Apply to the skin daily.</p>{body}"
        "</body></html>"
    )


class Desk:
    """Reads a site again and again, and takes it in."""

    def __init__(self, engine: Engine, config: Config) -> None:
        self.engine, self.config, self.at, self.knowledge = engine, config, MONDAY, load()

    def take(self, pages: dict[str, str | None], *, weeks: int = 1, second: bool = False) -> TakenIn:
        """`None`: the server says that the page is as it was."""
        request = RunRequest(pages=tuple(pages)) if second else RunRequest()
        maker = RunMaker(page_card(), self.at, self.config.runs_folder, request=request)
        for url, html in pages.items():
            state, status = (PageState.READ, 200) if html is not None else (PageState.UNCHANGED, 304)
            maker.page(url, html or "", state, status)
        self.at += timedelta(weeks=weeks) if not second else timedelta(minutes=5)
        return take_in(self.engine, maker.write(), self.config, self.knowledge)

    def changes(self) -> list[dict[str, dict[str, list[str]]]]:
        with reading(self.engine) as session:
            events = session.exec(select(Event).where(Event.kind == "product_changed").order_by(Event.id))  # type: ignore[arg-type]
            return [event.detail["changed"] for event in events]

    def current(self, *kinds: str) -> set[tuple[str, str]]:
        with reading(self.engine) as session:
            rows = session.exec(select(ProductFact).where(ProductFact.current))
            return {(row.kind, row.value) for row in rows if not kinds or row.kind in kinds}


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path) -> Desk:
    return Desk(sqlite_engine, Config(data=tmp_path / "var", sites=(Site(url=HOME, name="Kelda Labs", country="us"),)))


def test_a_first_reading_gives_facts_and_no_event(desk: Desk) -> None:
    desk.take({SERUM: product_page(HUMAN)})

    assert desk.current() == {
        ("name", "Kelda Exosome Serum"), ("brand", "Kelda"), ("seller", "Kelda Labs"), ("price", "89.00 EUR"),
        ("form", "serum"), ("source_material", "human"), ("source_material", "umbilical_cord"), ("route", "topical"),
    }  # fmt: skip
    assert desk.changes() == []


def test_every_fact_is_found_where_it_says(desk: Desk) -> None:
    desk.take({SERUM: product_page(HUMAN, countries="We ship to Canada.")})

    with reading(desk.engine) as session:
        rows = session.exec(select(ProductFact)).all()
        for row in rows:
            version = session.get_one(PageVersion, row.version_id)
            if row.place:
                body = product_page(HUMAN, countries="We ship to Canada.").encode()
                assert told_at(body, "text/html", row.place) == row.quote
            else:
                assert version.text[row.start : row.end] == row.quote
    assert {row.kind for row in rows if row.place} == {"brand", "seller", "price"}
    checked = evidence.verify(desk.engine, desk.config)
    assert checked.broken == ()
    assert checked.quotes >= len(rows)


@pytest.mark.parametrize("change", ["quote", "place", "start"])
def test_an_altered_fact_breaks_the_evidence(desk: Desk, change: str) -> None:
    desk.take({SERUM: product_page(HUMAN)})
    with transaction(desk.engine) as session:
        rows = session.exec(select(ProductFact).order_by(ProductFact.id)).all()  # type: ignore[arg-type]
        row = next(one for one in rows if bool(one.place) == (change == "place"))
        if change == "quote":
            row.quote += "!"
        elif change == "place":
            row.place = f"{STRUCTURED}ld+json/7/brand"
        else:
            row.start = (row.start or 0) + 1
        session.add(row)

    broken = evidence.verify(desk.engine, desk.config).broken

    assert [one.kind for one in broken] == ["quote"]


def test_a_change_is_told_once_and_only_at_the_second_reading(desk: Desk) -> None:
    desk.take({SERUM: product_page(HUMAN)})
    first = desk.take({SERUM: product_page(PLANT)}, weeks=0)
    assert desk.changes() == []
    assert first.second_look == (SERUM,)
    assert desk.current("source_material") == {("source_material", "human"), ("source_material", "umbilical_cord")}

    desk.at += timedelta(minutes=5)
    assert desk.take({SERUM: product_page(PLANT)}, second=True).second_look == ()

    told = {"source_material": {"before": ["human", "umbilical_cord"], "after": ["plant"]}}
    assert desk.changes() == [told]
    assert desk.current("source_material") == {("source_material", "plant")}
    desk.take({SERUM: product_page(PLANT)})
    assert desk.changes() == [told]
    with reading(desk.engine) as session:
        ended = session.exec(select(ProductFact).where(ProductFact.value == "human")).one()
        assert (ended.current, ended.last_seen < desk.at) == (False, True)
        event = session.exec(select(Event).where(Event.kind == "product_changed")).one()
        assert (event.object_kind, event.detail["product"], event.baseline) == ("product", "Kelda Exosome Serum", False)
        assert {(one["value"], one["now"]) for one in event.detail["said"]} == {
            ("human", False), ("umbilical_cord", False), ("plant", True),
        }  # fmt: skip


def test_a_watchlist_is_told_by_the_words_that_changed(sqlite_engine: Engine, tmp_path: Path) -> None:
    lists = (
        Watchlist(name="Plants", terms=("plant-derived",), events=("product_changed",)),
        Watchlist(name="Kelda", domains=("kelda.example",), events=("product_changed",)),
        Watchlist(name="Salmon", terms=("salmon",), events=("product_changed",)),
    )
    desk = Desk(sqlite_engine, Config(data=tmp_path / "var", sites=(Site(url=HOME, country="us"),), watchlists=lists))
    desk.take({SERUM: product_page(HUMAN)})
    for _ in range(2):
        desk.take({SERUM: product_page(PLANT)})

    with reading(sqlite_engine) as session:
        matches = {match.watchlist: match.why for match in session.exec(select(WatchMatch))}
    assert set(matches) == {"Plants", "Kelda"}
    assert matches["Plants"][0]["quote"] == "plant-derived"


def test_a_watchlist_of_products_that_can_never_match_is_told_of() -> None:
    lists = (
        Watchlist(name="Graded", min_severity="High", events=("product_changed",)),
        Watchlist(name="Sorted", categories=("hair_regrowth",), events=("product_changed",)),
    )
    found = check_lists(Config(watchlists=lists), MONDAY.date(), {"hair_regrowth": "High"})

    told = {one.watchlist: one.message for one in found if one.level == "error"}
    assert set(told) == {"Graded", "Sorted"}
    assert all("can never match" in message for message in told.values())


def test_both_databases_follow_alike(engine: Engine, tmp_path: Path) -> None:
    desk = Desk(engine, Config(data=tmp_path / "var", sites=(Site(url=HOME, name="Kelda Labs", country="us"),)))
    desk.take({SERUM: product_page(HUMAN)})
    desk.take({SERUM: product_page(PLANT)})
    desk.take({SERUM: None})
    desk.take({SERUM: product_page(PLANT)})

    assert len(desk.changes()) == 1
    (row,) = queries.products(engine, queries.ProductsAsked(source_material="plant"))
    assert queries.products(engine, queries.ProductsAsked(source_material="human")) == ()
    asked = queries.ProductsAsked(site="kelda.example", name="kelda serum", changed_since=MONDAY + timedelta(days=1))
    assert queries.products(engine, asked) == (row,)
    assert row.changed_at is not None
    assert (row.changed_at.date(), queries.count_products(engine, asked)) == ((MONDAY + timedelta(weeks=2)).date(), 1)
    assert queries.count_products(engine, queries.ProductsAsked(changed_since=MONDAY + timedelta(weeks=4))) == 0
    assert row.last_seen > MONDAY + timedelta(weeks=3)
    assert {fact.last_seen for fact in row.facts} == {row.last_seen}
    assert [fact.value for fact in queries.product_facts(engine, row.id, ended=True) if not fact.current] == [
        "human", "umbilical_cord",
    ]  # fmt: skip
    with reading(engine) as session:
        standing = len(session.exec(select(Claim).where(Claim.state == "live", Claim.product_id == row.id)).all())
    assert {one.value: one.claims for one in queries.claims_by_fact(engine, "route")} == (
        {"topical": standing} if standing else {}
    )


def test_an_unchanged_answer_is_a_second_reading(desk: Desk) -> None:
    desk.take({SERUM: product_page(HUMAN)})
    desk.take({SERUM: product_page(HUMAN, PLANT)})
    desk.take({SERUM: None})

    assert desk.changes() == [
        {"source_material": {"before": ["human", "umbilical_cord"], "after": ["human", "plant", "umbilical_cord"]}}
    ]


def test_flapping_is_no_change_and_leaves_no_rows(desk: Desk) -> None:
    for turn in range(6):
        desk.take({SERUM: product_page(HUMAN if turn % 2 == 0 else PLANT)})

    assert desk.changes() == []
    desk.take({SERUM: product_page(HUMAN)})
    with reading(desk.engine) as session:
        assert {row.value for row in session.exec(select(ProductFact)) if row.kind == "source_material"} == {
            "human", "umbilical_cord",
        }  # fmt: skip


def test_prices_follow_what_is_read_and_are_not_told(desk: Desk) -> None:
    desk.take({SERUM: product_page(HUMAN)})
    desk.take({SERUM: product_page(HUMAN, price="99.00")})

    assert desk.current("price") == {("price", "99.00 EUR")}
    with reading(desk.engine) as session:
        prices = {row.value: row.current for row in session.exec(select(ProductFact)) if row.kind == "price"}
    assert prices == {"89.00 EUR": False, "99.00 EUR": True}
    assert desk.changes() == []


def test_a_contradiction_keeps_both(desk: Desk) -> None:
    desk.take({SERUM: product_page(HUMAN, PLANT)})

    found = queries.products(desk.engine)[0]
    assert found.values("source_material") == ("human", "plant", "umbilical_cord")


def test_one_product_on_two_pages_is_one_and_changes_once(desk: Desk) -> None:
    other = "http://kelda.example/de/serum"
    desk.take({SERUM: product_page(HUMAN), other: product_page(HUMAN, price="95.00")})
    for _ in range(2):
        desk.take({SERUM: product_page(PLANT), other: product_page(PLANT, price="95.00")})

    assert desk.changes() == [{"source_material": {"before": ["human", "umbilical_cord"], "after": ["plant"]}}]
    with reading(desk.engine) as session:
        assert len(session.exec(select(Product)).all()) == 1
    assert desk.current("price") == {("price", "89.00 EUR"), ("price", "95.00 EUR")}


def test_a_page_added_later_is_a_first_reading(desk: Desk) -> None:
    desk.take({SERUM: product_page(HUMAN)})
    late = "http://kelda.example/serum-info"
    for _ in range(3):
        desk.take({SERUM: product_page(HUMAN), late: product_page(PLANT)})

    assert desk.changes() == []
    assert ("source_material", "plant") in desk.current()


def test_a_changed_vocabulary_is_our_doing(desk: Desk) -> None:
    """Told by no event, however many products it touches; and a text that changes with it keeps its own cause."""
    desk.take({SERUM: product_page(HUMAN)})
    before = desk.knowledge
    values = tuple(
        page.model_copy(update={"values": tuple(one for one in page.values if one.value != "umbilical_cord")})
        for page in before.products.values
    )
    desk.knowledge = replace(
        before, version="other", products=replace(before.products, values=values, version="other"), compiled={}
    )
    rejudge(desk.engine, desk.knowledge, desk.config, now=desk.at)

    assert desk.current("source_material") == {("source_material", "human")}
    for _ in range(2):
        desk.take({SERUM: product_page(HUMAN)})
    assert desk.changes() == []


def test_facts_read_later_of_pages_that_are_held_make_no_burst(desk: Desk) -> None:
    """A database from before: pages and claims, and nothing known of products or of structured data."""
    told = product_page(HUMAN, "It regrows hair.")
    desk.take({SERUM: told})
    with transaction(desk.engine) as session:
        for table in (ProductFact, ProductPlace):
            for row in session.exec(select(table)):
                session.delete(row)
        version = session.exec(select(PageVersion)).one()
        version.document = {key: value for key, value in version.document.items() if key != "told"}
        version.knowledge_version = "older"
        session.add(version)
    rejudge(desk.engine, desk.knowledge, desk.config, now=desk.at)

    assert ("source_material", "human") in desk.current()
    assert ("brand", "Kelda") not in desk.current()
    for _ in range(2):
        desk.take({SERUM: told})
    assert ("brand", "Kelda") in desk.current()
    assert desk.changes() == []


def test_structured_data_that_changes_alone_is_read(desk: Desk) -> None:
    desk.take({SERUM: product_page(HUMAN)})
    desk.take({SERUM: product_page(HUMAN).replace('"Kelda"', '"Kelda Prime"')})

    assert desk.current("brand") == {("brand", "Kelda Prime")}


def test_a_page_that_is_gone_says_nothing_any_more_and_comes_back_untold(desk: Desk) -> None:
    desk.take({SERUM: product_page(HUMAN), HOME: "<p>Welcome</p>"})
    for turn in range(2):
        maker = RunMaker(page_card(), desk.at, desk.config.runs_folder)
        maker.page(SERUM, "gone", PageState.GONE, 404)
        maker.page(HOME, "<p>Welcome</p>")
        desk.at += timedelta(weeks=1)
        take_in(desk.engine, maker.write(), desk.config, desk.knowledge)
        assert bool(desk.current()) == (turn == 0)
    desk.take({SERUM: product_page(HUMAN)})

    assert ("source_material", "human") in desk.current()
    assert desk.changes() == []


def catalogue(*products: tuple[str, str, str]) -> str:
    """A page of several products: name, words, price."""
    cards = "".join(f"<h2>{name}</h2><p>{words}</p><p>{price}</p>" for name, words, price in products)
    return f"<h1>Shop</h1><a href='/cart'>Cart</a>{cards}<p>We ship to Austria.</p>"


def test_several_products_on_one_page_keep_their_own_facts_and_claims(desk: Desk) -> None:
    rose = ("Rose exosome cream", "Apply to the skin. Plant exosomes. It regrows hair on bald scalps.", "€20")
    vial = ("Orlan exosome vial 5 ml", "For intravenous infusion. It treats arthritis.", "€900")
    desk.take({HOME: catalogue(rose, vial)})

    found = {one.name: one for one in queries.products(desk.engine)}
    assert found["Rose exosome cream"].values("route") == ("topical",)
    assert found["Rose exosome cream"].values("price") == ("20.00 EUR",)
    assert found["Orlan exosome vial 5 ml"].values("route") == ("intravenous",)
    assert found["Orlan exosome vial 5 ml"].values("price") == ("900.00 EUR",)
    assert {one.values("country") for one in found.values()} == {("at",)}
    with reading(desk.engine) as session:
        claims = session.exec(select(Claim.quote, Product.name).join(Product, Product.id == Claim.product_id)).all()  # type: ignore[arg-type]
    by_product = {name: quote for quote, name in claims}
    assert "arthritis" in by_product["Orlan exosome vial 5 ml"]
    assert "hair" in by_product["Rose exosome cream"]

    # one of them leaves the page: its facts end at the second reading, and nothing is told of the other
    for _ in range(2):
        desk.take({HOME: catalogue(rose)})
    assert [one.name for one in queries.products(desk.engine) if one.facts] == ["Rose exosome cream"]
    assert desk.changes() == []


def test_a_clinic_without_a_product_name_has_facts_for_its_claims(desk: Desk) -> None:
    page = (
        "<h1>Knee pain</h1><p>Our clinic offers exosomes from bone marrow. Exosomes treat arthritis. "
        "They are given as an intravenous infusion. Book an appointment: $4,000.</p><a href='/book-now'>Book</a>"
    )
    desk.take({HOME: page})

    with reading(desk.engine) as session:
        claim = session.exec(select(Claim).where(Claim.category == "disease_treatment")).first()
    assert claim is not None
    assert claim.product_id is not None
    facts = queries.product_facts(desk.engine, claim.product_id)
    assert {(fact.kind, fact.value) for fact in facts} >= {("source_material", "bone_marrow"), ("route", "intravenous")}
    assert {fact.kind for fact in facts} <= {"name", "form", "source_material", "route", "dose", "country"}
    counts = {row.value: row.claims for row in queries.claims_by_fact(desk.engine, "route")}
    with reading(desk.engine) as session:
        standing = len(session.exec(select(Claim)).all())
    assert counts == {"intravenous": standing}


def test_what_says_only_what_it_is_is_called_with_its_host(desk: Desk) -> None:
    desk.take(
        {
            SERUM: product_page(HUMAN, "It regrows hair.", name="Exosome Serum"),
            HOME: "<h1>Knee pain</h1><p>Our clinic offers exosomes. Exosomes treat arthritis.</p>",
            f"{HOME}back": "<h1>Back pain</h1><p>Our exosome therapy cures back pain.</p>",
        }
    )

    found = {one.name: one for one in queries.products(desk.engine)}
    assert len(found) == 2
    serum = found.pop("Exosome Serum (kelda.example)")
    assert serum.values("name") == ("Exosome Serum",), "the words stay a fact of the page"
    (other,) = found.values()
    assert other.name in ("exosomes (kelda.example)", "Exosomes (kelda.example)", "exosome therapy (kelda.example)")
    with reading(desk.engine) as session:
        about = select(Page.url).join(Claim, Claim.page_id == Page.id).where(Claim.product_id == other.id)  # type: ignore[arg-type]
        assert set(session.exec(about)) == {HOME, f"{HOME}back"}, "no more than exosomes: one product of its host"
    named = queries.ProductsAsked(name="exosome serum")
    assert [one.id for one in queries.products(desk.engine, named)] == [serum.id]
    by_its_words = queries.ProductsAsked(name=other.name.partition(" ")[0])
    assert queries.count_products(desk.engine, by_its_words) == 1


def test_a_product_that_was_held_by_a_generic_name_is_called_with_its_host_when_it_is_met_again(desk: Desk) -> None:
    page = product_page(HUMAN, name="Exosome Serum")
    desk.take({SERUM: page})
    with transaction(desk.engine) as session:
        session.exec(select(Product)).one().name = "Exosome Serum"

    desk.take({SERUM: page.replace("Apply", "Put")})
    assert [one.name for one in queries.products(desk.engine)] == ["Exosome Serum (kelda.example)"]


def test_claims_without_a_fact_are_counted_as_unstated(desk: Desk) -> None:
    desk.take(
        {
            SERUM: product_page(HUMAN, "It regrows hair."),
            HOME: "<h1>Exosomes</h1><p>Exosomes cure autism. Buy now: $9.</p>",
        }
    )

    rows = {row.value: row.claims for row in queries.claims_by_fact(desk.engine, "source_material")}
    with reading(desk.engine) as session:
        claims = session.exec(select(Claim, Page.url).join(Page, Page.id == Claim.page_id)).all()  # type: ignore[arg-type]
    at_serum = sum(url == SERUM for _, url in claims)
    assert rows["human"] == rows["umbilical_cord"] == at_serum > 0
    assert rows["unstated"] == len(claims) - at_serum > 0


def names(rows: Iterable[queries.ProductRow]) -> list[str]:
    return [row.name for row in rows]


def test_what_was_read_in_a_rehearsal_says_so(desk: Desk) -> None:
    desk.take({SERUM: product_page(HUMAN)})
    maker = RunMaker(page_card(), desk.at, desk.config.runs_folder, mode="rehearsal")
    maker.page("http://kelda.example/cream", product_page(PLANT, name="Orla Exosome Cream"))
    take_in(desk.engine, maker.write(), desk.config, desk.knowledge)

    rows = queries.products(desk.engine)
    assert {row.name: row.rehearsal for row in rows} == {"Kelda Exosome Serum": False, "Orla Exosome Cream": True}
    pages = [queries.product(desk.engine, row.id) for row in rows]
    assert [page is not None and page.rehearsal for page in pages] == [False, True]


def test_products_are_listed_by_what_they_are(desk: Desk) -> None:
    cream = product_page(PLANT, name="Orla Exosome Cream", countries="We ship to Canada.")
    desk.take({SERUM: product_page(HUMAN), "http://kelda.example/cream": cream})

    assert names(queries.products(desk.engine)) == ["Kelda Exosome Serum", "Orla Exosome Cream"]
    assert names(queries.products(desk.engine, queries.ProductsAsked(source_material="plant"))) == [
        "Orla Exosome Cream"
    ]
    assert names(queries.products(desk.engine, queries.ProductsAsked(country="ca", form="cream"))) == [
        "Orla Exosome Cream"
    ]
    assert names(queries.products(desk.engine, queries.ProductsAsked(route="oral"))) == []
    assert names(queries.products(desk.engine, limit=1, offset=1)) == ["Orla Exosome Cream"]
    row = queries.products(desk.engine)[0]
    assert (row.host, row.organisation.name if row.organisation else "") == ("kelda.example", "Kelda Labs")
    assert row.unstated == ("dose", "country")


def test_a_product_is_found_by_what_it_is_made_from(desk: Desk) -> None:
    desk.take(
        {SERUM: product_page(HUMAN), "http://kelda.example/cream": product_page(PLANT, name="Orla Exosome Cream")}
    )

    hits = search(desk.engine, "umbilical", kind="product").hits
    assert ["".join(piece.text for piece in hit.title) for hit in hits] == ["Kelda Exosome Serum"]


def test_an_entry_is_read_at_its_own_place_when_its_catalogue_is_in_another_order(desk: Desk) -> None:
    serum = {"title": "Kelda Exosome Serum", "vendor": "Kelda", "body_html": f"<p>{HUMAN}</p>", "variants": []}
    cream = {"title": "Orla Exosome Cream", "vendor": "Orla", "body_html": f"<p>{PLANT}</p>", "variants": []}

    def take(part: str, *entries: dict[str, object]) -> None:
        maker = RunMaker(page_card(), desk.at, desk.config.runs_folder)
        capture = maker.capture(HOME, json.dumps({"products": entries}).encode(), content_type="application/json")
        maker.records.append(PageRecord(source=maker.card.id, url=ENTRY, capture=capture, part=part))
        maker.seen, maker.listed = {ENTRY: ""}, 1
        desk.at += timedelta(weeks=1)
        assert take_in(desk.engine, maker.write(), desk.config, desk.knowledge).state == "taken_in"

    take("/products/0", serum, cream)
    take("/products/1", cream, serum)
    take("/products/1", cream, serum)

    assert desk.current("name", "brand") == {("name", "Kelda Exosome Serum"), ("brand", "Kelda")}
