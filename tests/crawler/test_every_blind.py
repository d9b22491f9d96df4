"""Every kind of reader against a server that turns blind, as real crawls: told as just that kind, nothing taken in.

One source a reader module, found by the cards, so that a new reader is held to the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup

from crawler.source import load_cards, spider_module
from monitor.intake import health
from monitor.records import Outcome, SourceCard
from tests.crawler.many import Crawled, crawl_all
from tests.loopback import Asked, Loopback, Reply
from tests.programs import Stage

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
READERS = {card.spider: card for card in reversed(CARDS.values()) if not card.demo}
"""Reader module → the first source that it reads."""
CLOSED = "127.0.0.1:1024"
"""Nobody listens there: below it, ports are the system's, and tests have none."""

APOLOGY = "<!DOCTYPE html><html><head><title>FDA Apology</title></head><body>sorry</body></html>"
CAPTCHA = "<html><title>Just a moment...</title><body>Verify you are human to go on.</body></html>"
MISSING = "<html><head><title>Page not found | Office</title></head><body><h1>Page not found</h1></body></html>"
SHELL = "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Our new site is here.</p></body></html>"
PICTURE = Reply(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x00", content_type="image/png")
OTHER = {
    "json": Reply('{"message": "welcome"}', content_type="application/json"),
    "xml": Reply('<?xml version="1.0"?><other><x/></other>', content_type="application/xml"),
    "csv": Reply("a;b\n1;2\n", content_type="text/csv"),
    "html": Reply(SHELL),
}
"""Well-formed answers of the right type that say something else."""


def type_of(card: SourceCard) -> str:
    """What kind of document its list is: what the fixture of its start address was sent as."""
    about = json.loads((FIXTURES / card.id / "about.json").read_text(encoding="utf-8"))
    return next(kind for kind in ("json", "csv", "xml", "html") if kind in about[0]["content_type"])


TYPES = {(urlsplit(card.start).netloc, urlsplit(card.start).path): type_of(card) for card in READERS.values()}


def other_answer(asked: Asked) -> Reply:
    path = asked.path.partition("?")[0]
    return OTHER["csv" if path.endswith(".csv") else TYPES.get((asked.host, path), "html")]


def page_for_data(asked: Asked) -> Reply:
    """A page where data are asked for, and a picture where a page is."""
    path = asked.path.partition("?")[0]
    return PICTURE if TYPES.get((asked.host, path), "html") == "html" else Reply(SHELL)


@dataclass(frozen=True)
class Turn:
    """How the server turned, and as what it must be told."""

    kind: str
    answer: Callable[[Asked], Reply]
    robots: Reply
    address: str = ""


def turn(kind: str, answer: Reply | Callable[[Asked], Reply], robots: Reply | None = None, address: str = "") -> Turn:
    given = answer if callable(answer) else lambda _: answer
    return Turn(kind, given, robots or Reply("none", 404), address)


TO_APOLOGY = {"Location": "/apology_objects/abuse-detection-apology.html"}
TURNS = {
    "block page sent as 200": turn("blocked", Reply(APOLOGY)),
    "captcha sent as 200": turn("blocked", Reply(CAPTCHA)),
    "captcha sent as 403": turn("blocked", Reply(CAPTCHA, 403)),
    "redirect to an apology": turn("blocked", Reply("", 302, headers=TO_APOLOGY)),
    "redirect to a bait": turn("blocked", Reply("", 302, headers={"Location": "/core/install.php"})),
    "page that is not there, sent as 200": turn("soft_404", Reply(MISSING)),
    "another type": turn("wrong_content_type", page_for_data),
    "another layout": turn("layout_changed", other_answer),
    "an error of the server": turn("http_error", Reply("oops", 500, "text/plain")),
    "an error in the place of robots.txt": turn("http_error", Reply("never asked for"), Reply("oops", 500)),
    "nobody answers": turn("download_error", Reply("never asked for"), address=CLOSED),
}


class Turned(Loopback):
    """Every host answers the same."""

    turn: Turn

    def answer(self, asked: Asked) -> Reply:
        return self.turn.robots if asked.path == "/robots.txt" else self.turn.answer(asked)


@pytest.fixture(scope="module")
def web() -> Iterator[Turned]:
    server = Turned()
    yield server
    server.close()


Crawl = Callable[[Turn], dict[str, Crawled]]


@pytest.fixture(scope="module")
def crawl(web: Turned, tmp_path_factory: pytest.TempPathFactory, stage: Stage) -> Crawl:
    """All readers, once for each turn."""
    done: dict[int, dict[str, Crawled]] = {}

    def crawled(way: Turn) -> dict[str, Crawled]:
        if id(way) not in done:
            web.turn = way
            config = {"rehearsal": {"address": way.address or web.address}, "network": {"retries": 0}}
            runs = tmp_path_factory.mktemp("blind")
            done[id(way)] = crawl_all(stage, list(READERS.values()), config, runs)
        return done[id(way)]

    return crawled


def errors_of(crawled: Crawled) -> set[str]:
    return {reason.code for reason in health.check(crawled.run, crawled.records) if reason.level == "error"}


@pytest.mark.parametrize("way", TURNS)
@pytest.mark.parametrize("reader", READERS)
def test_a_blind_source_is_told_as_just_that(crawl: Crawl, reader: str, way: str) -> None:
    crawled = crawl(TURNS[way])[READERS[reader].id]

    kind = TURNS[way].kind
    assert crawled.kinds == {kind}, crawled.run.problems
    assert crawled.run.outcome is (Outcome.BLOCKED if kind == "blocked" else Outcome.ERRORS)
    assert (crawled.records, crawled.run.listed or 0) == ([], 0)
    assert errors_of(crawled) == {kind}, "the monitor must keep the run out, and say why"


# Nothing where there always is something


def without_rows(card: SourceCard) -> str:
    page = BeautifulSoup((FIXTURES / card.id / "list.html").read_bytes(), "lxml")
    for row in page.select(card.options["row"]):
        row.decompose()
    return str(page)


def header_alone(card: SourceCard) -> str:
    encoding = card.options.get("encoding", "utf-8-sig")
    return (FIXTURES / card.id / "table.csv").read_text(encoding=encoding).splitlines()[0] + "\n"


COUNTED = {"count": 0, "total_pages": 0, "results": []}
NOTHING: dict[str, str | Callable[[SourceCard], str]] = {
    "generic.feed": '<rss version="2.0"><channel><title>Office</title></channel></rss>',
    "generic.html_list": without_rows,
    "generic.csv_table": header_alone,
    "generic.json_table": '{"total_count": 0, "results": []}',
    "generic.wp_json": "[]",
    "sources.ca_hc_recalls": "[]",
    "sources.eu_ema_medicines": '{"data": [], "meta": {"total_records": 0}}',
    "sources.eu_europepmc_publications": '{"version": "6.9", "hitCount": 0, "resultList": {"result": []}}',
    "sources.eu_safety_gate_alerts": '<?xml version="1.0"?><weeklyReports></weeklyReports>',
    "sources.uk_asa_rulings": '<div id="rulings"><ul></ul></div>',
    "sources.uk_govuk": '{"results": [], "total": 0, "start": 0}',
    "sources.us_clinicaltrials_trials": '{"studies": [], "totalCount": 0}',
    "sources.us_doj_press": '{"metadata": {"resultset": {"count": "0"}}, "results": []}',
    "sources.us_fda_import_alerts": "<table><tr><th>Import Alert Number</th></tr></table>",
    "sources.us_fda_purple_book": "<html><body><h1>Downloads</h1><p>None this month.</p></body></html>",
    "sources.us_fda_recalls": "[]",
    "sources.us_fda_untitled_letters": "<html><body><main><h1>Untitled letters</h1></main></body></html>",
    "sources.us_fda_warning_letters": '{"draw": 1, "recordsTotal": "0", "recordsFiltered": "0", "data": []}',
    "sources.us_federal_register": json.dumps(COUNTED),
    "sources.us_ftc_warning_letters": "<html><body><main><p>Displaying 0 - 0 of 0</p></main></body></html>",
    "sources.us_ncbi_pubmed": '{"esearchresult": {"count": "0", "retmax": "0", "idlist": []}}',
    "sources.us_openfda_drugsfda": '{"error": {"code": "NOT_FOUND", "message": "No matches found!"}}',
    "sources.us_openfda_enforcement": '{"error": {"code": "NOT_FOUND", "message": "No matches found!"}}',
    "sources.us_openfda_event": '{"error": {"code": "NOT_FOUND", "message": "No matches found!"}}',
}
KINDS_OF_TEXT = {"json": "application/json", "xml": "application/xml", "csv": "text/csv", "html": "text/html"}


def nothing(asked: Asked) -> Reply:
    path = asked.path.partition("?")[0]
    for reader, card in READERS.items():
        start = urlsplit(card.start)
        if (asked.host, path) == (start.netloc, start.path):
            body = NOTHING[reader]
            text = body if isinstance(body, str) else body(card)
            return Reply(text, 404 if "NOT_FOUND" in text else 200, KINDS_OF_TEXT[type_of(card)])
    return Reply("no such page", 404, "text/plain")


EMPTY = turn("empty", nothing)


@pytest.mark.parametrize("reader", READERS)
def test_an_empty_list_is_no_news_only_where_the_card_says_that_it_may_be_empty(crawl: Crawl, reader: str) -> None:
    card = READERS[reader]
    crawled = crawl(EMPTY)[card.id]

    assert (crawled.records, crawled.run.listed or 0) == ([], 0)
    if card.expect.listed is not None and card.expect.listed.min == 0:
        assert (crawled.run.outcome, crawled.run.listed, errors_of(crawled)) == (Outcome.EMPTY, 0, set())
    else:
        assert errors_of(crawled) & {"empty", "layout_changed", "http_error"}, crawled.run


def test_no_reader_is_left_out() -> None:
    assert set(NOTHING) == set(READERS)
    for reader, card in READERS.items():
        assert issubclass(spider_module(card).Spider, object), reader
    assert len(READERS) >= 24
