"""`exowatch market`: the sites that are read, adding one by its address, and what its front page shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from monitor import queries
from monitor.cli import main
from monitor.config import Config, Site, load
from monitor.intake.runs import take_in
from monitor.knowledge import Knowledge
from monitor.knowledge import load as load_knowledge
from monitor.migrations import upgrade
from monitor.queries.page_rows import unread_as_told
from monitor.records import PageState, RunRequest
from monitor.tables.db import open_engine
from tests.loopback import Loopback, Reply
from tests.runs import RunMaker, page_card

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
CURE = "Our exosome therapy treats arthritis in older adults."
SHOP = (
    "<html lang='en'><title>Kelda serum</title><h1>Kelda Regena exosome serum</h1><p>{}</p><p>$450 a vial, shipped to "
    "the United States.</p></html>"
)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge()


@pytest.fixture
def web() -> Iterator[Loopback]:
    made = Loopback()
    yield made
    made.close()


def exowatch(file: Path, *arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["--config", str(file), *arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "config.yaml"
    made.write_text(
        f"data: {tmp_path / 'var'}\nsites:\n  # ours\n  - url: https://www.kelda.example/\n    name: Kelda Labs\n"
        "  - url: https://luma.example/\n    on: false\n",
        encoding="utf-8",
    )
    return made


def read_twice(config: Config, knowledge: Knowledge) -> None:
    """A whole reading of the shop, then a second look at one page."""
    engine = open_engine(config.database_url)
    upgrade(engine)
    run = RunMaker(
        page_card(), NOW, config.runs_folder, platforms=("shopify",),
        catalogues={"shopify products": "rate_limited"},
        not_kept={"PDFs beyond 20": 3, "no page: cart, login, calendar, list order, file": 9},
    )  # fmt: skip
    run.page("https://www.kelda.example/serum", SHOP.format(CURE), unread=("the text in 1 image",))
    run.page("https://www.kelda.example/about", "<h1>About us</h1>", unread=("the text in 3 images",))
    run.page("https://www.kelda.example/old", "<h1>Old</h1>")
    again = RunMaker(page_card(), NOW + timedelta(hours=1), config.runs_folder, request=RunRequest(pages=("x",)))
    again.page("https://www.kelda.example/old", "gone", PageState.GONE, 404)
    last = RunMaker(page_card(), NOW + timedelta(hours=2), config.runs_folder, request=RunRequest(pages=("x",)))
    last.page("https://www.kelda.example/old", "gone", PageState.GONE, 404)
    for maker in (run, again, last):
        assert take_in(engine, maker.write(), config, knowledge).state == "taken_in"
    engine.dispose()


def test_sites_are_listed_with_what_was_found_and_what_was_not_read(
    file: Path, knowledge: Knowledge, capsys: pytest.CaptureFixture[str]
) -> None:
    exowatch(file, "market")
    assert "https://www.kelda.example/  new  Kelda Labs" in capsys.readouterr().out
    read_twice(load(file), knowledge)

    exowatch(file, "market")
    told = capsys.readouterr().out
    for line in (
        "built with shopify; shopify products: rate_limited",
        "2 pages (1 gone), 1 product, 1 flagged, 0 for review",
        "addresses us",
        "read well last 2026-11-24 08:01 UTC",
        "not read: PDFs beyond 20 (3)",
        "https://luma.example/  off",
        "2 sites",
    ):
        assert line in told

    exowatch(file, "market", "kelda.example")
    told = capsys.readouterr().out
    assert "us: 1 page; " in told
    assert "https://www.kelda.example/serum" in told
    assert "(1 version, 1 claim)" in told
    assert "the text in images (4)" in told
    assert "no page: cart, login, calendar, list order, file (9)" in told

    exowatch(file, "market", "--json")
    rows = json.loads(capsys.readouterr().out)
    assert [(row["id"], row["flagged"], row["catalogues"]) for row in rows] == [
        ("site_kelda_example", 1, {"shopify products": "rate_limited"}),
        ("site_luma_example", 0, {}),
    ]
    exowatch(file, "market", "show", "site_kelda_example", "--json")
    account = json.loads(capsys.readouterr().out)
    assert [page["state"] for page in account["pages"]] == ["live", "live", "gone"]
    assert exowatch(file, "market", "show", "keldo.example") == 2
    assert "did you mean kelda.example?" in capsys.readouterr().err
    # What every name here ends with makes none of them like another.
    assert exowatch(file, "market", "show", "brightwater.example") == 2
    assert "none is written like it; there are: kelda.example, luma.example" in capsys.readouterr().err


def test_a_site_that_was_taken_out_still_shows_what_was_read(
    file: Path, knowledge: Knowledge, capsys: pytest.CaptureFixture[str]
) -> None:
    read_twice(load(file), knowledge)
    exowatch(file, "market", "remove", "www.kelda.example")
    assert "is taken out; what was read of it stays" in capsys.readouterr().out

    config = load(file)
    engine = open_engine(config.database_url)
    rows = {row.id: row for row in queries.market(engine, config, NOW)}
    engine.dispose()
    assert [site.url for site in config.sites] == ["https://luma.example/"]
    assert (rows["site_kelda_example"].configured, rows["site_kelda_example"].flagged) == (False, 1)
    assert "  # ours\n" in file.read_text(encoding="utf-8")


def test_adding_says_what_was_written_or_why_not(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exowatch(file, "market", "add", "vale.example", "--name", "Vale", "--country", "kr", "--pages", "30")
    assert "Read it with `exowatch run --source site_vale_example`." in capsys.readouterr().out
    assert load(file).sites[-1].model_dump(exclude_defaults=True) == {
        "url": "https://vale.example/", "name": "Vale", "country": "kr", "pages": 30,
    }  # fmt: skip
    for arguments, why in (
        (("add", "https://www.vale.example"), "is there already, as https://vale.example/"),
        (("add", "http://10.1.2.3"), "10.1.2.3 is not a public address"),
        (("add", "third.example", "--country", "Korea"), "--country: Korea is no two-letter code"),
        (("remove", "zzz.test"), "zzz.test is not in the configuration; none is written like it; there are: "),
        (("add", "third.example", "--look"), "contact: is empty"),
    ):
        before = file.read_text(encoding="utf-8")
        assert exowatch(file, "market", *arguments) == 2
        assert why in capsys.readouterr().err
        assert file.read_text(encoding="utf-8") == before


def test_a_look_tells_the_platform_and_adds_nothing_that_cannot_be_read(
    file: Path, web: Loopback, capfd: pytest.CaptureFixture[str]
) -> None:
    web.routes["vale.example/"] = Reply(
        "<html lang='en'><head><title>Vale</title><meta property='og:site_name' content='Vale Clinic'></head>"
        "<body><script src='https://cdn.shopify.com/s/x.js'></script><h1>Vale exosomes</h1>"
        "<p>Exosomes for skin, made with care and sold to clinics everywhere.</p></body></html>"
    )
    rehearsed = file.read_text(encoding="utf-8") + f"rehearsal:\n  address: {web.address}\n"
    file.write_text(rehearsed, encoding="utf-8")
    assert exowatch(file, "market", "add", "http://vale.example/", "--look") == 0
    told = capfd.readouterr().out
    assert exowatch(file, "market", "add", "http://gone.example/", "--look") == 1
    refused = capfd.readouterr().err
    assert "Built with shopify; its catalogues will be asked for: shopify products" in told
    assert "Calls itself “Vale Clinic”, in en" in told
    assert [(each.host, each.path) for each in web.asked if each.host.startswith("vale")] == [
        ("vale.example", "/robots.txt"),
        ("vale.example", "/"),
    ]
    assert "is not added: its front page answers with status 404; without --look it is added unseen" in refused
    assert [site.url for site in load(file).sites][-1] == "http://vale.example/"


def test_each_database_answers_alike(engine: Engine, tmp_path: Path, knowledge: Knowledge) -> None:
    config = Config(data=tmp_path / "var", sites=(Site(url="https://www.kelda.example/", name="Kelda Labs"),))
    told = {"PDFs beyond 20": 3, "unread on pages: the text in images": 2}
    run = RunMaker(page_card(), NOW, config.runs_folder, platforms=("wix",), not_kept=told)
    run.page("https://www.kelda.example/serum", SHOP.format(CURE), unread=("the text in 2 images",))
    assert take_in(engine, run.write(), config, knowledge).state == "taken_in"

    [row] = queries.market(engine, config, NOW)
    assert (row.platforms, row.pages, row.products, row.flagged, row.jurisdictions) == (("wix",), 1, 1, 1, ("us",))
    assert row.unread == {"PDFs beyond 20": 3, "the text in images": 2}
    account = queries.site(engine, config, row.id, NOW)
    assert account is not None
    assert (account.unread, account.left_out) == ({"the text in images": 2}, {"PDFs beyond 20": 3})
    found = queries.page(engine, queries.find_page(engine, "kelda.example/serum").page_id or 0)
    assert found is not None
    assert [(version.number, version.difference) for version in found.versions] == [(1, None)]
    assert [each.event.kind for each in found.events] == ["claim_appeared"]


def test_a_version_that_was_written_early_counts_one_as_one() -> None:
    stored = [
        "the text in 1 images",
        "1 broken scripts of structured data",
        "the text in 11 images",
        "21 broken scripts",
    ]

    assert unread_as_told(stored) == (
        "the text in 1 image", "1 broken script of structured data", "the text in 11 images", "21 broken scripts",
    )  # fmt: skip
