"""`python -m crawler check` and `new`, and cards in a folder of one's own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from crawler.fixtures import TO_FILL, differences
from crawler.run import NotStartedError
from crawler.source import load_cards
from crawler.starting import reader_for, start
from monitor.config import ConfigError, load
from tests.crawler.cards import a_card
from tests.crawler.conftest import Crawls
from tests.loopback import Loopback, Reply
from tests.programs import Stage

ROOT = Path(__file__).parents[2]
HOST = "office.example"
FEED = (
    '<?xml version="1.0"?><rss version="2.0"><channel>'
    "<item><title>Kelda stopped</title><link>/1</link><pubDate>Wed, 18 Nov 2026 10:00:00 GMT</pubDate></item>"
    "<item><title>Milk recalled</title><link>/2</link></item></channel></rss>"
)


Crawler = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def crawler(stage: Stage, tmp_path: Path) -> Crawler:
    return partial(stage.run, "crawler", folder=tmp_path)


# check


def check(
    crawls: Crawls, reader: str, expect: dict[str, Any], **options: Any
) -> tuple[int, dict[str, tuple[str, str]]]:
    card = a_card(reader, **options).model_dump(mode="json")
    crawls.card = {**card, "expect": expect}
    crawls.config["rehearsal"]["now"] = "2026-11-20T08:00:00Z"
    ended = crawls.tell("check", card["id"], "--config", crawls.home / "config.yaml")
    assert ended.code in (0, 1), ended.err
    lines = (re.fullmatch(r"(fits|differs|open) +([\w ]+): (.*)", line) for line in ended.out.splitlines())
    return ended.code, {match[2]: (match[1], match[3]) for match in lines if match}


def test_a_source_that_fits_its_card(web: Loopback, crawls: Crawls) -> None:
    web.routes[f"{HOST}/list"] = Reply(FEED, content_type="application/rss+xml")
    expect = {"listed": {"min": 2}, "filled": {"title": 1.0, "posted": 0.5}, "newest_within_days": 10}

    code, points = check(crawls, "feed", expect, terms=["en"])

    assert code == 0
    assert points == {
        "status": ("fits", f"200 from https://{HOST}/list"),
        "content type": ("fits", "application/rss+xml"),
        "layout": ("fits", "understood"),
        "rows": ("fits", "2"),
        "field title": ("fits", "filled in 100% of 2, the card says at least 100%"),
        "field posted": ("fits", "filled in 50% of 2, the card says at least 50%"),
        "newest date": ("fits", "2026-11-18, 2 days ago"),
    }
    assert web.paths(HOST) == ["/list"], "one page, and no entry's"
    assert not list(crawls.runs.glob("*")), "nothing is kept"


def test_what_no_longer_fits_is_said_point_by_point(web: Loopback, crawls: Crawls) -> None:
    web.routes[f"{HOST}/list"] = Reply(FEED, content_type="text/html")
    expect = {"listed": {"min": 5}, "filled": {"posted": 0.9, "text": 0.9}, "newest_within_days": 1}

    code, points = check(crawls, "feed", expect)

    assert code == 1
    assert {name: verdict for name, (verdict, _) in points.items()} == {
        "status": "fits",
        "content type": "differs",
        "layout": "fits",
        "rows": "differs",
        "field posted": "differs",
        "field text": "open",
        "newest date": "differs",
    }
    assert points["rows"][1] == "2, where at least 5 are expected"
    assert points["newest date"][1] == "2026-11-18, 2 days ago, more than the card's 1"


@pytest.mark.parametrize(
    ("reply", "point", "told"),
    [
        (Reply("gone", status=404), "status", "404 from"),
        (Reply("<main><p>Nothing here</p></main>"), "sentinel", "0 of `h1`"),
        (Reply("<main><h1>News</h1></main>"), "layout", "0 of `li`"),
        (Reply("<html><title>Just a moment...</title>Verify you are human</html>"), "answer", "you are human"),
        (Reply(b"\x89PNG", content_type="image/png"), "content type", "image/png, not html"),
    ],
)
def test_each_way_of_not_fitting(web: Loopback, crawls: Crawls, reply: Reply, point: str, told: str) -> None:
    web.routes[f"{HOST}/list"] = reply

    code, points = check(crawls, "html_list", {"listed": {"min": 1}}, row="li", sentinel="h1")

    assert code == 1
    assert points[point][0] == "differs"
    assert told in points[point][1]


def test_every_kind_of_reader_can_be_checked(web: Loopback, crawls: Crawls) -> None:
    fields = {"key": "id", "title": "name"}
    for reader, reply, options in (
        ("json_table", Reply('[{"id": 1, "name": "K"}]', content_type="application/json"), {"fields": fields}),
        ("csv_table", Reply("id;name\n1;K\n2;O\n", content_type="text/csv"), {"fields": fields, "words": ["zzz"]}),
        (
            "wp_json",
            Reply('[{"id": 1, "title": {"rendered": "K"}, "link": "/1"}]', content_type="application/json"),
            {},
        ),
    ):
        web.routes[f"{HOST}/list"] = reply
        code, points = check(crawls, reader, {"listed": {"min": 1}, "filled": {"title": 1.0}}, **options)
        assert (code, points["rows"][0]) == (0, "fits"), (reader, points)
        assert points["newest date"] == ("open", "the list prints none")


@pytest.mark.parametrize("source", ["ca_hc_recalls", "us_openfda_drug_enforcement", "us_fda_warning_letters"])
def test_a_source_with_a_module_of_its_own_can_be_checked(web: Loopback, crawls: Crawls, source: str) -> None:
    card = load_cards()[source].model_dump(mode="json")
    folder = Path(__file__).with_name("sources") / source
    about = next(one for one in json.loads((folder / "about.json").read_text()) if "json" in one["file"])
    url = urlsplit(about["url"])
    web.routes[f"{url.hostname}{url.path}"] = Reply(
        (folder / about["file"]).read_bytes(), content_type="application/json"
    )
    crawls.card = {**card, "expect": {"listed": {"min": 1}, "filled": {"title": 1.0}}}

    ended = crawls.tell("check", source, "--config", crawls.home / "config.yaml")

    assert ended.code == 0, ended.out + ended.err
    assert "fits     layout: understood" in ended.out
    assert "fits     field title: filled in 100%" in ended.out


@pytest.mark.parametrize(
    ("page", "code", "told"),
    [
        (Reply("<html><title>Kelda</title><body><h1>Kelda</h1><p>Serum.</p></body></html>"), 0, "fits     layout"),
        (Reply("no", status=500), 1, "differs"),
        (Reply("<title>Page not found</title><h1>Page not found</h1>"), 1, "differs  layout"),
    ],
)
def test_a_sellers_site_is_checked_by_its_home_page(
    web: Loopback, crawls: Crawls, page: Reply, code: int, told: str
) -> None:
    web.routes["kelda.example/"] = page
    crawls.config["sites"] = [{"url": "https://kelda.example/"}]

    ended = crawls.tell("check", "site_kelda_example", "--config", crawls.home / "config.yaml")

    assert (ended.code, told in ended.out) == (code, True), ended.out + ended.err
    assert set(web.paths("kelda.example")) == {"/"}


def test_a_source_that_is_not_known_is_not_checked(tmp_path: Path, crawler: Crawler) -> None:
    (tmp_path / "config.yaml").write_text("contact: desk@office.example\n")

    done = crawler("check", "us_fda_waring_letters")

    assert done.returncode == 3
    assert "did you mean us_fda_warning_letters" in done.stderr


# new


@pytest.mark.parametrize(
    ("url", "reader"),
    [
        ("https://office.example/wp-json/wp/v2/posts", "wp_json"),
        ("https://office.example/data/TABLE.CSV", "csv_table"),
        ("https://office.example/api/records?limit=5", "json_table"),
        ("https://office.example/news.rdf", "feed"),
        ("https://office.example/whatsnew/rss", "feed"),
        ("https://office.example/display-feed.rss?rssId=222", "feed"),
        ("https://office.example/news/alerts", "html_list"),
        ("https://office.example/hydrosanitary", "html_list"),
    ],
)
def test_a_reader_is_chosen_by_the_address(url: str, reader: str) -> None:
    assert reader_for(url) == reader


def fill(card: Path) -> None:
    card.write_text(
        re.sub(rf"{TO_FILL}: such as ([\w.]+)", r"\1", card.read_text()).replace(TO_FILL, "Filled"), encoding="utf-8"
    )


def test_a_new_source_of_ones_own_from_beginning_to_end(web: Loopback, tmp_path: Path, crawler: Crawler) -> None:
    web.routes[f"{HOST}/rss"] = Reply(FEED, content_type="application/rss+xml")
    url = f"https://{HOST}/rss"
    config = {"contact": "desk@office.example", "rehearsal": {"address": web.address}}

    begun = crawler("new", "xx_office_news", url, "--cards", "cards")
    assert begun.returncode == 0, begun.stderr
    assert "cards: [cards]" in begun.stdout
    card, fixture = tmp_path / "cards" / "xx_office_news.yaml", tmp_path / "cards" / "fixtures" / "xx_office_news"
    assert pytest_in(tmp_path).returncode == 1, "the test fails until card and fixture are filled"

    fill(card)
    (fixture / "list.xml").write_text(FEED)
    (tmp_path / "config.yaml").write_text(
        yaml.safe_dump({**config, "cards": ["cards"], "sources": {"xx_office_news": {}}})
    )
    read = crawler("read", "xx_office_news", fixture / "list.xml", "--url", url)
    assert read.returncode == 0, read.stderr
    (fixture / "expected.jsonl").write_text(read.stdout)
    passed = pytest_in(tmp_path)
    assert passed.returncode == 0, passed.stdout

    listed = crawler("list").stdout
    assert re.search(r"^xx_office_news +xx +daily", listed, re.MULTILINE)
    run = crawler("run", "xx_office_news")
    assert run.returncode == 0, run.stderr
    items = (
        Path(run.stdout.strip()) if Path(run.stdout.strip()).is_absolute() else tmp_path / run.stdout.strip()
    ) / "items.jsonl"
    assert [json.loads(line)["title"] for line in items.read_text().splitlines()] == ["Kelda stopped", "Milk recalled"]


def pytest_in(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "cards"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("reader", ["feed", "html_list", "json_table", "csv_table", "wp_json"])
def test_a_new_card_loads_and_lacks_what_a_person_must_say(tmp_path: Path, reader: str) -> None:
    made = start("xx_office_news", f"https://{HOST}/list", reader=reader, cards=tmp_path)

    card = load_cards(tmp_path)["xx_office_news"]
    lacking = differences(card, tmp_path / "fixtures" / card.id)
    assert card.spider == f"generic.{reader}"
    assert card.unverified
    assert any("means" in flaw for flaw in lacking)
    assert any("is not there: save there what https://office.example/list answers" in flaw for flaw in lacking)
    assert all(path.is_file() for path in made.files)


def test_a_fixture_that_disagrees_or_proves_nothing_is_told(tmp_path: Path) -> None:
    card = a_card("feed", start=f"https://{HOST}/rss")
    about = [{"file": "list.xml", "url": card.start, "content_type": "application/rss+xml"}]
    (tmp_path / "about.json").write_text(json.dumps(about))
    (tmp_path / "list.xml").write_text(FEED)

    (tmp_path / "expected.jsonl").write_text("")
    assert "holds no record" in differences(card, tmp_path)[0]
    (tmp_path / "expected.jsonl").write_text('{"title": "Other"}\n')
    told = differences(card, tmp_path)
    assert "2 records, where expected.jsonl has 1" in told
    assert "record 1: title is 'Kelda stopped', expected 'Other'" in told
    (tmp_path / "list.xml").write_text("no feed")
    assert "did not understand the fixture" in differences(card, tmp_path)[0]


@pytest.mark.parametrize(
    ("source", "url", "options", "complaint"),
    [
        ("News", "https://x.example/", {}, "is no id"),
        ("xx_news", "file:///etc/passwd", {}, "no address of the web"),
        ("xx_news", "https://x.example/", {"module": True, "cards": Path("cards")}, "leave out --cards, or --module"),
        ("us_fda_warning_letters", "https://x.example/", {}, "is there already"),
    ],
)
def test_what_cannot_be_begun_says_why(source: str, url: str, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(NotStartedError, match=complaint):
        start(source, url, **options)


def test_a_module_is_written_on_top_of_the_generic_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tests" / "crawler" / "sources").mkdir(parents=True)
    monkeypatch.setattr("crawler.starting.CARDS", tmp_path / "crawler" / "sources")

    made = start("xx_office_news", f"https://{HOST}/rss", module=True)

    module = next(path for path in made.files if path.suffix == ".py")
    space: dict[str, Any] = {"__name__": "crawler.sources.xx_office_news"}
    exec(compile(module.read_text(), str(module), "exec"), space)
    from crawler.generic import feed

    assert issubclass(space["Spider"], feed.Spider)
    assert space["Spider"].options_model is space["Options"]
    assert load_cards(tmp_path / "crawler" / "sources")["xx_office_news"].spider == "sources.xx_office_news"


# Cards of one's own in the configuration


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_a_configuration_may_name_sources_of_its_own_cards(tmp_path: Path) -> None:
    start("xx_office_news", f"https://{HOST}/rss", cards=tmp_path / "cards")
    own = tmp_path / "cards"

    config = load(write(tmp_path, f"cards: [{own}]\nsources:\n  xx_office_news: {{}}\n"))
    assert config.cards == (own,)

    with pytest.raises(
        ConfigError, match=r"config.yaml:3: sources.xx_office_new: no such source; did you mean xx_office_news"
    ):
        load(write(tmp_path, f"cards: [{own}]\nsources:\n  xx_office_new: {{}}\n"))
    with pytest.raises(ConfigError, match=r"cards\[0\]: no such folder: .*nowhere; make it"):
        load(write(tmp_path, f"cards: [{tmp_path / 'nowhere'}]\n"))


def test_an_own_card_says_how_often_it_is_read(tmp_path: Path) -> None:
    from monitor.clock import plans

    start("xx_office_news", f"https://{HOST}/rss", cards=tmp_path)
    card = tmp_path / "xx_office_news.yaml"
    card.write_text(card.read_text().replace("frequency: daily", "frequency: monthly"))

    (plan,) = plans(load(write(tmp_path.parent, f"cards: [{tmp_path}]\nsources:\n  xx_office_news: {{}}\n")))

    assert plan.schedule.every == "month"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("feed", "feeed"), "there is no reader 'generic.feeed'"),
        (("options:", "options:\n  folow: true"), "options.folow: Extra inputs are not permitted"),
        (("id: xx_office_news", "id: xx_other"), "file and id must be the same"),
    ],
)
def test_an_own_card_that_cannot_be_used_is_named(
    tmp_path: Path, crawler: Crawler, change: tuple[str, str], complaint: str
) -> None:
    start("xx_office_news", f"https://{HOST}/rss", cards=tmp_path / "cards")
    card = tmp_path / "cards" / "xx_office_news.yaml"
    card.write_text(card.read_text().replace(*change))
    write(tmp_path, "cards: [cards]\n")

    done = crawler("list")

    assert done.returncode == 3
    assert "xx_office_news" in done.stderr
    assert complaint in done.stderr


def test_an_own_card_may_not_hide_a_shipped_one(tmp_path: Path, crawler: Crawler) -> None:
    start("xx_office_news", f"https://{HOST}/rss", cards=tmp_path / "cards")
    card = tmp_path / "cards" / "xx_office_news.yaml"
    card.with_name("ca_hc_recalls.yaml").write_text(card.read_text().replace("xx_office_news", "ca_hc_recalls"))

    done = crawler("list", "--cards", "cards")

    assert done.returncode == 3
    assert "there is a source ca_hc_recalls already" in done.stderr
