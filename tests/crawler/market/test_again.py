"""A shop with a catalogue, read again: what stayed, what changed, what went, and what could not be read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.market.site import card_of
from monitor.config import Site
from monitor.records import Outcome, PageRecord, PageState
from tests.crawler.conftest import Crawls, Ended
from tests.crawler.market.building import SHOPIFY_HEAD, as_json, page, product
from tests.loopback import Asked, Loopback, Reply

HOST = "www.orrel.example"
HOME = f"http://{HOST}/"
DROPS, BALM = f"{HOME}products/exo-drops.json", f"{HOME}products/lip-balm.json"


class Shop:
    def __init__(self, web: Loopback) -> None:
        self.web = web
        self.stock(product(1, "Exo Drops", "<p>For hair.</p>"), product(2, "Lip Balm", "<p>Soft.</p>"))
        self.put("/", page("Orrel", head=SHOPIFY_HEAD))
        self.put("/products/exo-drops", page("Exo Drops"))
        self.put("/products/lip-balm", page("Lip Balm"))

    def put(self, path: str, reply: Any) -> None:
        self.web.routes[f"{HOST}{path}"] = reply

    def stock(self, *products: dict[str, Any]) -> None:
        self.put("/products.json", as_json({"products": list(products)}))


@pytest.fixture
def shop(web: Loopback, crawls: Crawls) -> Shop:
    crawls.card = card_of(Site(url=HOME, country="us")).model_dump(mode="json")
    return Shop(web)


def known(crawls: Crawls, ended: Ended, read_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> Path:
    path = crawls.home / "known.jsonl"
    items = [
        {"key": key, "digest": digest, "etag": '"e"', "read_at": read_at.isoformat()}
        for key, digest in ended.run.seen.items()
    ]
    path.write_text("\n".join(json.dumps(item) for item in items))
    return path


def states(ended: Ended) -> dict[str, PageState]:
    return {record.url: record.state for record in ended.records if isinstance(record, PageRecord)}


def test_entries_that_say_the_same_are_told_as_unchanged(shop: Shop, crawls: Crawls) -> None:
    first = crawls.run()
    assert states(first)[DROPS] is PageState.READ
    shop.stock(
        product(2, "Lip Balm", "<p>Soft.</p>"), product(1, "Exo Drops", "<p>For hair.</p>") | {"updated_at": "2027"}
    )

    second = crawls.run("--known", known(crawls, first))

    assert {states(second)[DROPS], states(second)[BALM]} == {PageState.UNCHANGED}
    assert second.run.seen[DROPS] == first.run.seen[DROPS]
    assert shop.web.paths(HOST).count("/products/exo-drops.json") == 0
    parts = {record.url: record.part for record in second.records if isinstance(record, PageRecord)}
    assert parts[DROPS] == "/products/1"

    full = crawls.run("--known", known(crawls, first), "--full")
    assert states(full)[DROPS] is PageState.READ


def test_an_entry_that_says_something_else_is_read(shop: Shop, crawls: Crawls) -> None:
    first = crawls.run()
    shop.stock(product(1, "Exo Drops", "<p>Regrows hair.</p>"), product(2, "Lip Balm", "<p>Soft.</p>"))

    second = crawls.run("--known", known(crawls, first))

    assert (states(second)[DROPS], states(second)[BALM]) == (PageState.READ, PageState.UNCHANGED)


def test_an_entry_that_left_the_catalogue_is_asked_for_alone_and_gone(shop: Shop, crawls: Crawls) -> None:
    first = crawls.run()
    shop.stock(product(2, "Lip Balm", "<p>Soft.</p>"))

    second = crawls.run("--known", known(crawls, first))

    assert "/products/exo-drops.json" in shop.web.paths(HOST)
    assert (states(second)[DROPS], states(second)[BALM]) == (PageState.GONE, PageState.UNCHANGED)


@pytest.mark.parametrize(
    "answer",
    [
        Reply("slow down", status=429, headers={"Retry-After": "1"}),
        Reply("", status=404),
        Reply("<title>Just a moment...</title><p>Verify you are human</p>", status=403),
    ],
    ids=["limited", "not there", "blocked"],
)
def test_a_catalogue_that_could_not_be_read_takes_no_entry_away(shop: Shop, crawls: Crawls, answer: Reply) -> None:
    first = crawls.run()
    shop.put("/products.json", answer)

    second = crawls.run("--known", known(crawls, first))

    assert not {DROPS, BALM} & states(second).keys()
    assert second.run.not_kept["entry of a catalogue that could not be read whole"] == 2
    assert PageState.GONE not in states(second).values()
    assert second.run.outcome is Outcome.OK


def test_the_home_page_is_asked_for_whole_where_entries_are_known(shop: Shop, crawls: Crawls) -> None:
    def conditional(asked: Asked) -> Reply:
        unmodified = asked.headers.get("If-None-Match") == '"e"'
        return Reply("", status=304) if unmodified else page("Orrel", head=SHOPIFY_HEAD)

    shop.put("/", conditional)
    first = crawls.run()

    second = crawls.run("--known", known(crawls, first))

    assert second.run.catalogues == {"shopify products": "catalog"}
    assert states(second)[DROPS] is PageState.UNCHANGED


def test_what_was_read_a_little_ago_is_known_and_not_lost(shop: Shop, crawls: Crawls) -> None:
    crawls.config["rehearsal"]["now"] = "2026-11-16T08:00:00Z"
    first = crawls.run()
    shop.web.asked.clear()

    second = crawls.run("--known", known(crawls, first, datetime(2026, 11, 16, 6, tzinfo=UTC)))

    assert shop.web.paths(HOST) == ["/sitemap.xml", "/sitemap_index.xml", "/wp-sitemap.xml"]
    assert (second.run.known, second.run.listed, second.records) == (5, 5, [])
    assert second.run.seen == first.run.seen


def test_a_second_look_reads_the_entry_alone(shop: Shop, crawls: Crawls) -> None:
    first = crawls.run()
    listed = crawls.home / "pages.txt"
    listed.write_text(f"{DROPS}\n{BALM}\n")
    alone = product(1, "Exo Drops", "<p>For hair.</p>") | {"tags": "ampoule, night"}
    shop.put("/products/exo-drops.json", as_json({"product": alone}))
    shop.put("/products/lip-balm.json", page("Lip Balm"))
    shop.web.asked.clear()

    second = crawls.run("--known", known(crawls, first), "--pages", listed)

    assert shop.web.paths(HOST) == ["/products/exo-drops.json", "/products/lip-balm.json"]
    assert states(second) == {DROPS: PageState.UNCHANGED}
    assert "something else came" in second.problems["wrong_content_type"]


def test_a_replay_gives_the_same_entries(shop: Shop, crawls: Crawls) -> None:
    first = crawls.run()

    again = crawls.replay(first.folder)

    assert again.code == first.code, again.err
    drop = {"capture"}
    assert [r.model_dump(exclude=drop) for r in again.records] == [r.model_dump(exclude=drop) for r in first.records]
    assert again.run.catalogues == first.run.catalogues
