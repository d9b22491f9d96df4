"""What servers get wrong, given to every kind of reader: a reason with a name, and nothing half-read."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from scrapy.http import TextResponse

from crawler.decoding import BrokenOffError, copied, inflated
from crawler.output import without_future
from crawler.page import Page
from crawler.source import BlockedError, LayoutChangedError, RunBook, load_cards, spider_module
from monitor.records import AnyRecord, NoticeRecord, SourceCard
from tests.crawler.cards import LIST, a_card
from tests.crawler.conftest import Crawls, list_page, notice_page
from tests.crawler.many import crawl_all
from tests.crawler.responses import response_of
from tests.crawler.test_every_blind import READERS, type_of
from tests.loopback import Asked, Loopback, Reply
from tests.programs import Stage

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
XML = "application/xml"
OF_XML = {reader: card for reader, card in READERS.items() if type_of(card) == "xml"}
BOMB = f'<!DOCTYPE x [<!ENTITY a "{"a" * 10}"><!ENTITY b "{"&a;" * 9}"><!ENTITY c "{"&b;" * 9}">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/passwd">]>'


def read(card: SourceCard, url: str, body: bytes | str, kind: str) -> list[AnyRecord]:
    return list(spider_module(card).read(response_of(url, body, kind), card))


def fixture(card: SourceCard) -> tuple[str, bytes, str]:
    """Address, body and type of the fixture's first answer."""
    one = json.loads((FIXTURES / card.id / "about.json").read_text(encoding="utf-8"))[0]
    return one["url"], (FIXTURES / card.id / one["file"]).read_bytes(), one["content_type"]


# Compressed bodies


class Cut(Loopback):
    """Every host answers with its fixture, compressed and cut short."""

    def answer(self, asked: Asked) -> Reply:
        for card in READERS.values():
            start = urlsplit(card.start)
            if (asked.host, asked.path.partition("?")[0]) == (start.netloc, start.path):
                _, body, kind = fixture(card)
                packed = gzip.compress(body)
                return Reply(packed[: len(packed) * 3 // 4], 200, kind, {"Content-Encoding": "gzip"})
        return Reply("no such page", 404, "text/plain")


def test_no_reader_takes_the_half_of_a_list_that_a_broken_stream_gives(tmp_path: Path, stage: Stage) -> None:
    web = Cut()
    try:
        ended = crawl_all(
            stage, list(READERS.values()), {"rehearsal": {"address": web.address}, "network": {"retries": 0}}, tmp_path
        )
    finally:
        web.close()

    for source, crawled in ended.items():
        first = crawled.run.problems[0]
        assert (first.kind, first.message[:35]) == ("download_error", "the body is no whole gzip stream: i"), source
        assert (crawled.records, crawled.run.listed or 0) == ([], 0), source


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
@pytest.mark.parametrize("share", [0.0001, 0.5, 0.999])
def test_a_stream_that_breaks_off_is_told(encoding: str, share: float) -> None:
    body = "".join(f"<p>{number * 7919 % 10_007}</p>" for number in range(50_000)).encode()
    packed = gzip.compress(body) if encoding == "gzip" else zlib.compress(body)

    assert inflated(packed, encoding.encode()) == body
    with pytest.raises(BrokenOffError):
        inflated(packed[: max(1, int(len(packed) * share))], encoding.encode())


def test_what_is_no_stream_at_all_is_told_and_what_follows_one_is_padding() -> None:
    packed = gzip.compress(b"one")

    assert inflated(packed + gzip.compress(b" two"), b"gzip") == b"one two", "members follow one another"
    assert inflated(packed + b"\x00" * 20, b"gzip") == b"one"
    assert inflated(zlib.compress(b"raw")[2:-4], b"deflate") == b"raw", "without its wrapper, as some servers send it"
    with pytest.raises(BrokenOffError):
        inflated(b"<html>plain</html>", b"gzip")


def test_an_answer_is_copied_without_a_guess_at_its_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def guess(_: object) -> str:
        raise AssertionError("half a gigabyte for a part of 8 MB")

    response = response_of("https://office.example/table.csv", "a;\u00e9\n".encode("cp1252"), "text/csv")
    monkeypatch.setattr(TextResponse, "_body_inferred_encoding", guess)

    same = copied(response, type(response), "https://office.example/other.csv")

    assert isinstance(same, TextResponse)
    assert (same.url, same.body, same.status) == ("https://office.example/other.csv", response.body, 200)
    assert same.headers == response.headers
    assert same.request is response.request


def test_what_broke_off_once_is_asked_for_again(web: Loopback, crawls: Crawls) -> None:
    packed = gzip.compress(b'<h1>Alerts</h1><a class="notice" href="/1">1</a>')
    answers = iter((packed[:30], packed))
    web.routes["alerts.example/list"] = lambda _: Reply(next(answers), headers={"Content-Encoding": "gzip"})
    web.routes["alerts.example/1"] = notice_page("Alert 1")

    ended = crawls.run()

    assert (ended.code, len(ended.records), ended.problems) == (0, 1, {})
    assert web.paths() == ["/list", "/list", "/1"]


def test_a_whole_compressed_page_is_read_as_ever(web: Loopback, crawls: Crawls) -> None:
    packed = gzip.compress(b'<h1>Alerts</h1><a class="notice" href="/1">1</a>')
    web.routes["alerts.example/list"] = Reply(packed, headers={"Content-Encoding": "gzip"})
    web.routes["alerts.example/1"] = notice_page("Alert 1")

    ended = crawls.run()

    assert (ended.code, len(ended.records), ended.problems) == (0, 1, {})


# XML


@pytest.mark.parametrize("reader", OF_XML)
@pytest.mark.parametrize("prologue", [BOMB, OUTSIDE], ids=["bomb", "external"])
def test_entities_are_neither_expanded_nor_loaded(reader: str, prologue: str) -> None:
    card = OF_XML[reader]
    url, body, kind = fixture(card)
    text = body.decode("utf-8")
    declaration, _, rest = text.partition("?>")
    hostile = f"{declaration}?>{prologue}{rest}" if rest else f"{prologue}{text}"
    at = hostile.index("</", len(prologue) + 100)

    with pytest.raises(LayoutChangedError, match="entities"):
        read(card, url, f"{hostile[:at]}&c;{hostile[at:]}", kind)


def test_entities_in_the_papers_of_pubmed_are_refused() -> None:
    body = f'<?xml version="1.0"?>{BOMB}<PubmedArticleSet><PubmedArticle>&c;</PubmedArticle></PubmedArticleSet>'

    with pytest.raises(LayoutChangedError, match="entities"):
        read(CARDS["us_ncbi_pubmed"], "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/efetch.fcgi?id=1", body, XML)


def items(count: int) -> str:
    return "".join(
        f"<item><title>Alert {n}</title><link>https://office.example/{n}</link></item>" for n in range(count)
    )


def test_a_feed_of_a_hundred_thousand_entries_is_refused_before_it_is_parsed() -> None:
    feed = f'<rss version="2.0"><channel><title>x</title>{items(100_000)}</channel></rss>'

    with pytest.raises(LayoutChangedError, match="100000 entries where a feed has at most"):
        read(a_card("feed"), LIST, feed, "application/rss+xml")


# A page where data are asked for, and half a body


@pytest.mark.parametrize("reader", READERS)
def test_half_of_an_answer_gives_nothing_or_says_so(reader: str) -> None:
    """Data that break off are refused; of a page that does, no row is made that the whole page does not give."""
    card = READERS[reader]
    url, body, kind = fixture(card)
    whole = [record.model_dump() for record in read(card, url, body, kind)]
    half = body[: len(body) // 2]
    try:
        found = [record.model_dump() for record in read(card, url, half, kind)]
    except (LayoutChangedError, BlockedError):
        return
    assert type_of(card) in ("html", "csv"), "JSON and XML tell that they are cut"
    keys = {record["key"] for record in whole}
    assert {record["key"] for record in found[:-1]} <= keys


# Dates


def a_notice(**changes: object) -> NoticeRecord:
    record = next(iter(read(CARDS["us_fda_recalls"], *fixture(CARDS["us_fda_recalls"]))))
    assert isinstance(record, NoticeRecord)
    return record.model_copy(update=changes)


def test_a_day_that_has_not_come_is_no_date_and_is_named() -> None:
    notice = a_notice(posted=date(2062, 3, 1), issued=date(2026, 3, 1), updated=None, unread=("page: blocked",))

    kept = without_future(notice, date(2026, 11, 27))

    assert (kept.posted, kept.issued) == (None, date(2026, 3, 1))
    assert kept.unread == ("page: blocked", "posted date: 2062-03-01 has not come yet")
    assert without_future(kept, date(2026, 11, 27)) is kept


def test_a_misprint_does_not_make_a_dead_list_look_fresh() -> None:
    book = RunBook()
    book.until = date(2026, 11, 27)

    for key, day in (("a", date(2025, 1, 1)), ("b", date(2062, 3, 1))):
        book.list_entry(key, "1", day)

    assert book.newest == date(2025, 1, 1)
    assert book.listed == 2


class Fixtures(Loopback):
    """Every host answers with its fixtures, changed by `change`; anything else is not there."""

    def __init__(self, files: dict[tuple[str, str], Reply]) -> None:
        self.files = files
        super().__init__()

    def answer(self, asked: Asked) -> Reply:
        return self.files.get((asked.host, asked.path.partition("?")[0])) or Reply("none", 404, "text/plain")


def served(*sources: str, years: str = "") -> dict[tuple[str, str], Reply]:
    files: dict[tuple[str, str], Reply] = {}
    for source in sources:
        for one in json.loads((FIXTURES / source / "about.json").read_text(encoding="utf-8")):
            parts = urlsplit(one["url"])
            body = (FIXTURES / source / one["file"]).read_text(encoding="utf-8")
            text = body.replace("2026", years) if years else body
            files.setdefault((parts.netloc, parts.path), Reply(text, content_type=one["content_type"]))
    return files


DATED = (
    *(
        "ca_hc_recalls",
        "us_fda_warning_letters",
        "us_fda_recalls",
        "us_federal_register",
        "us_openfda_drug_enforcement",
    ),
    *("uk_mhra_alerts", "eu_ema_news", "es_aemps_notices", "fr_rappelconso_recalls"),
)


@pytest.fixture(scope="module")
def of_the_future(tmp_path_factory: pytest.TempPathFactory, stage: Stage) -> Iterator[dict[str, list[AnyRecord]]]:
    """The same fixtures, all dated 2062."""
    web = Fixtures(served(*DATED, years="2062"))
    runs = tmp_path_factory.mktemp("future")
    ended = crawl_all(stage, [CARDS[source] for source in DATED], {"rehearsal": {"address": web.address}}, runs)
    yield {source: [crawled.run, *crawled.records] for source, crawled in ended.items()}  # type: ignore[list-item]
    web.close()


@pytest.mark.parametrize("source", DATED)
def test_no_source_takes_a_date_of_the_future(of_the_future: dict[str, list[AnyRecord]], source: str) -> None:
    run, *records = of_the_future[source]

    newest = run.newest  # type: ignore[union-attr]
    assert newest is None or newest.year < 2062
    for record in records:
        assert isinstance(record, NoticeRecord)
        days = [day for day in (record.issued, record.posted, record.updated) if day]
        assert not [day for day in days if day.year == 2062]
    assert any("has not come yet" in told for record in records for told in record.unread) or not records  # type: ignore[union-attr]


# Ids that repeat


@pytest.mark.parametrize("reader", [reader for reader in READERS if reader.startswith("generic.")])
def test_an_entry_that_stands_twice_on_a_list_is_one(reader: str) -> None:
    card = READERS[reader]
    url, body, kind = fixture(card)
    keys = [record.key for record in read(card, url, body, kind)]  # type: ignore[union-attr]

    assert len(keys) == len(set(keys))


def test_a_second_record_with_the_same_id_is_counted_and_not_taken(web: Loopback, crawls: Crawls) -> None:
    """The first of two posts to one address is told apart by its title alone: the same title is the same id."""
    crawls.card["spider"] = "sources.for_tests_by_post"
    web.routes["alerts.example/list"] = notice_page("Alert")

    ended = crawls.run()

    assert [record.key for record in ended.records] == ["Alert"]  # type: ignore[union-attr]
    assert ended.run.not_kept == {"same id as a record before it in this run": 1}


# Encodings that lie

TITLE = "Crème Régénérante à l'exosome – 再生"


def a_page(charset: str, body: bytes) -> Page:
    response = response_of(LIST, body, f"text/html; charset={charset}" if charset else "text/html")
    return Page.of(response)  # type: ignore[arg-type]


@pytest.mark.parametrize("declared", ["iso-8859-1", "windows-1252", "shift_jis", "us-ascii", "utf-8", "nonsense", ""])
def test_a_page_in_utf_8_is_read_as_such_whatever_is_declared(declared: str) -> None:
    body = f"<html><head><meta charset='iso-8859-1'></head><h1>{TITLE}</h1></html>".encode()

    assert a_page(declared, body).text("h1") == TITLE


@pytest.mark.parametrize(
    ("charset", "words"), [("shift_jis", "再生医療の幹細胞"), ("euc-kr", "줄기세포"), ("gb2312", "干细胞")]
)
def test_a_page_in_the_encoding_that_it_says_is_read(charset: str, words: str) -> None:
    assert a_page(charset, f"<h1>{words}</h1>".encode(charset)).text("h1") == words


def test_a_page_that_is_not_in_its_encoding_is_not_read_as_signs() -> None:
    body = ("<h1>" + "幹細胞の再生医療" * 20 + "</h1>").encode("shift_jis")

    with pytest.raises(LayoutChangedError, match="characters are not in the encoding utf-8"):
        a_page("utf-8", body)
    assert a_page("utf-8", b"<h1>One \x93quoted\x94 word</h1>").text("h1") == "One \ufffdquoted\ufffd word"


@pytest.mark.parametrize("reader", [reader for reader, card in READERS.items() if type_of(card) in ("json", "csv")])
def test_data_in_another_encoding_are_refused_or_read_right(reader: str) -> None:
    card = READERS[reader]
    url, body, kind = fixture(card)
    try:
        body.decode("ascii")
        body = body.replace(b"e", "é".encode("latin-1"))
    except UnicodeDecodeError:
        encoding = card.options.get("encoding", "utf-8")
        body = body.decode(encoding).encode("utf-16")

    with pytest.raises(LayoutChangedError):
        read(card, url, body, kind)


def test_list_rows_of_html_are_not_repeated_by_pictures() -> None:
    """A row for the picture and one for the words, both linking to the same page."""
    page = list_page("/1", "/1")
    soup = BeautifulSoup(str(page.body), "lxml")

    found = read(a_card("html_list", row="a.notice"), LIST, str(soup), "text/html")

    assert len(found) == 1
