"""The site's pages about sellers: the sites, one site, one page with what changed on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from selectolax.lexbor import LexborHTMLParser
from sqlalchemy import Engine

from monitor import queries
from monitor.cli import main
from monitor.config import Config, Site
from monitor.intake.runs import take_in
from monitor.knowledge import load
from monitor.migrations import upgrade
from monitor.tables.db import open_engine
from reports.site.app import create_app
from tests.reports import factory
from tests.reports.conftest import served
from tests.runs import RunMaker, page_card

NOW = datetime(2026, 11, 10, 6, tzinfo=UTC)
CURE = "Our exosome therapy treats arthritis in older adults within weeks."
MORE = "Our exosome therapy treats arthritis in most older adults within weeks."
EVIL = "</del><script>alert(1)</script>"


def shop(claim: str, *more: str) -> str:
    return f"<html lang='en'><title>Serum</title><h1>Kelda serum</h1><p>{claim}</p>" + "".join(
        f"<p>{each}</p>" for each in (*more, "Ships in a blue box.")
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Config]]:
    """Two sites with the same wording; one of them changed its page."""
    folder: Path = tmp_path_factory.mktemp("market")
    sites = tuple(Site(url=f"https://{name}.example/", name=name.title()) for name in ("kelda", "luma", "unread"))
    config = Config(data=folder, sites=sites)
    engine = open_engine(config.database_url)
    upgrade(engine)
    rules = load()
    evil = EVIL.replace("<", "&lt;")
    for number, (site, html) in enumerate(
        (
            ("kelda", shop(CURE, evil)),
            ("luma", shop(CURE)),
            ("kelda", shop(MORE, f"New {evil}")),
            ("kelda", shop(MORE, f"New {evil}")),
        )
    ):
        run = RunMaker(
            page_card(f"site_{site}_example", start=f"https://{site}.example/"), NOW + timedelta(days=number),
            config.runs_folder, platforms=("wix",), catalogues={"shopify products": "not_json"},
            not_kept={"PDFs beyond 20": 2},
        )  # fmt: skip
        run.page(f"https://{site}.example/serum", html, title="Kelda serum", unread=("the text in 4 images",))
        assert take_in(engine, run.write(), config, rules).state == "taken_in"
    yield engine, config
    engine.dispose()


@pytest.fixture(scope="module")
def client(made: tuple[Engine, Config]) -> Iterator[httpx.Client]:
    with served(create_app(*made, factory.law)) as address, httpx.Client(base_url=address, timeout=60) as opened:
        yield opened


def shown(client: httpx.Client, path: str) -> tuple[LexborHTMLParser, str]:
    answer = client.get(path)
    assert answer.status_code == 200, path
    tree = LexborHTMLParser(answer.text)
    assert len(tree.css("h1")) == 1
    assert not tree.css("script")
    return tree, " ".join((tree.body.text(separator=" ") if tree.body else "").split())


def test_the_list_of_sites(client: httpx.Client) -> None:
    tree, text = shown(client, "/market")

    assert "3 sites of sellers and clinics" in text
    assert "wix shopify products: not json" in text
    assert "not read: PDFs beyond 20 (2)" in text
    assert "1 flagged" in text
    assert [link.attributes["href"] for link in tree.css("tbody th > a")][:3] == [
        "/market/site_kelda_example",
        "/market/site_luma_example",
        "/market/site_unread_example",
    ]
    assert "not read yet" in text
    assert tree.css_first('nav a[href="/market"]').attributes.get("aria-current") == "page"


def test_the_list_of_products_is_narrowed(client: httpx.Client) -> None:
    tree, text = shown(client, "/products")
    names = [link.text() for link in tree.css("tbody th > a")]
    assert names
    assert f"{len(names)} products" in text
    assert {label.attributes["for"] for label in tree.css("form.find label")} >= {"name", "site", "form", "since"}

    one, text = shown(client, "/products?site=kelda.example&claims=flagged")
    assert "1 product of this kind" in text
    assert [cell.text() for cell in one.css("tbody td")][1] == "1 (1 flagged)"
    assert one.css_first("#claims option[selected]").attributes["value"] == "flagged"
    assert [cell.text() for cell in one.css("tbody td")][2].count("2026") == 3, "first, last, changed"
    assert "No product meets all of that." in shown(client, "/products?form=nasal_spray&country=nz")[1]
    assert "No product meets all of that." in shown(client, "/products?since=2026-12-24")[1]
    assert client.get("/products?since=yesterday").status_code == 400
    assert client.get("/products?claims=some").status_code == 400
    _, beyond = shown(client, "/products?page=99")
    assert f"{len(names)} products What sellers offer" in beyond
    assert "The list is not as long as that." in beyond


@pytest.mark.parametrize(
    ("query", "title", "advice"),
    [
        ("form=<script>", "No such form", "Write form= with one of these, or leave it out: ampoule, serum, "),
        ("source_material=moon", "No such source material", "Write source_material= with one of these"),
        ("route=by post", "No such route", "Write route= with one of these"),
        ("country=Atlantis", "No such country", "Write country= with a code such as us, uk, kr or eu, or worldwide"),
        ("country=Germany", "No such country", "Write country= with a code"),
    ],
)
def test_a_value_that_no_product_can_have_is_told_with_those_that_it_can(
    client: httpx.Client, query: str, title: str, advice: str
) -> None:
    answer = client.get(f"/products?{query}")

    assert answer.status_code == 400
    tree = LexborHTMLParser(answer.text)
    assert tree.css_first("h1").text() == title
    assert advice in tree.css_first("main").text()


def test_a_product_s_page_has_its_pages_and_its_history(client: httpx.Client) -> None:
    listed, _ = shown(client, "/products?site=kelda.example&claims=flagged")
    tree, text = shown(client, str(listed.css_first("tbody th > a").attributes["href"]))

    assert "Pages that offer it now, with what changed on them: Kelda serum" in text
    history = tree.css("h2 ~ .wide table")[-1].text()
    assert "Claim reworded" in history or "reworded" in history.lower()
    assert "first reading of the source" in history
    assert tree.css_first('nav a[href="/products"]').attributes.get("aria-current") == "true"


def links(tree: LexborHTMLParser) -> list[str]:
    return [
        str(link.attributes["href"]) for link in tree.css("p.downloads a[href$='.json'], p.downloads a[href*='.json?']")
    ]


def test_each_page_gives_its_tables(client: httpx.Client) -> None:
    for path, names in (
        ("/market", ["sites", "products", "pages", "clusters"]),
        ("/market/site_kelda_example", ["products", "pages", "versions", "claims"]),
        ("/pages/1", ["versions", "claims", "events"]),
    ):
        given = links(shown(client, path)[0])
        assert [link.split("/")[2].partition(".")[0] for link in given] == names, path
        for link in given:
            # Events of a page are those of the page itself: nothing happened to this one, only to its claim.
            assert client.get(link).json()["rows"] or "events" in link, link


def test_wordings_that_sites_share_are_taken_away(client: httpx.Client) -> None:
    (row,) = client.get("/export/clusters.json").json()["rows"]
    assert row["names"] == ["kelda.example", "luma.example"]
    assert (row["quote"], row["sites"], row["sites_now"]) == (MORE, 2, 2)
    claims = client.get("/export/claims.json").json()["rows"]
    assert [str(claim["id"]) for claim in claims if claim["cluster"] == row["cluster"]] == row["claims"]
    assert client.get("/export/clusters.json?source=site_unread_example").json()["rows"] == []


def test_one_site(client: httpx.Client) -> None:
    tree, text = shown(client, "/market/site_kelda_example")

    assert "1 flagged claim and 0 for review stand on 1 page" in text
    assert "On its pages: the text in images (4)" in text
    assert tree.css_first('a[href="/pages/1"]') is not None
    assert client.get("/market/site_nobody_example").status_code == 404


def test_a_page_with_its_versions_word_by_word(client: httpx.Client) -> None:
    tree, text = shown(client, "/pages/1")

    assert [node.text() for node in tree.css("section h3")] == [
        "Version 2, 12 Nov 2026, 06:00 UTC",
        "Version 1, 10 Nov 2026, 06:00 UTC",
    ]
    inserted = [node.text() for node in tree.css("section ins")]
    assert "[inserted: most ]" in inserted
    assert EVIL in text
    assert "the same wording on 1 other site" in text
    assert "Reworded" in text
    assert tree.css_first('a[href="/market/site_kelda_example"]') is not None
    assert shown(client, "/pages/1?every=true")[1] == text
    assert client.get("/pages/999").status_code == client.get("/pages/0").status_code == 404
    assert client.get(f"/pages/{2**40}").status_code == 404


def test_the_same_wording_elsewhere_is_shown_with_the_claim(client: httpx.Client, made: tuple[Engine, Config]) -> None:
    engine, _ = made
    history = queries.page(engine, 1)
    assert history is not None
    [claim] = history.claims
    tree, text = shown(client, f"/claims/{claim.id}")

    assert "The same wording on 1 other site" in text
    assert "luma.example" in text
    assert tree.css_first('a[href="/pages/1"]') is not None
    assert "the same wording on 1 other site" in shown(client, "/search?q=arthritis")[1]


def test_the_command_line_says_on_how_many_sites_a_wording_stands(
    made: tuple[Engine, Config], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"data: {made[1].data}\n", encoding="utf-8")
    told = {}
    for name, arguments in (
        ("search", ("search", "arthritis", "--kind", "claim")),
        ("json", ("search", "arthritis", "--kind", "claim", "--json")),
        ("page", ("page", "luma.example/serum")),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(file), *arguments])
        assert ended.value.code in (0, None)
        told[name] = capsys.readouterr().out

    assert told["search"].count("the same wording on 1 other site") == 2
    assert [hit["reach"] for hit in json.loads(told["json"])["hits"]] == [2, 2]
    assert "the same wording on 1 other site" in told["page"]
