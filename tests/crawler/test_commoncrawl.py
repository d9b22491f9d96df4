"""Common Crawl's index and records: asked politely and within bounds, and nothing is kept that does not check."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from warcio.archiveiterator import ArchiveIterator

from crawler.market import cdx
from crawler.source import LayoutChangedError
from monitor.evidence.warcs import steps
from monitor.records import Outcome
from tests.crawler.conftest import Ended
from tests.loopback import Asked, Loopback, Reply
from tests.monitor.archives import SELLING
from tests.programs import Stage
from tests.samples import samples

INDEX, DATA = "index.commoncrawl.org", "data.commoncrawl.org"
NEW, OLD = "CC-MAIN-2026-43", "CC-MAIN-2026-38"
FILE = "crawl-data/CC-MAIN-2026-43/segments/1.2/warc/CC-MAIN-20261010-00001.warc.gz"
EXOSOMES = "https://www.kelda.example/exosome-facial"


def member(url: str, body: bytes, kind: str = "response") -> bytes:
    """A gzip member with one WARC record, written by hand."""
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Crawler-Content-Encoding: gzip\r\n\r\n" + body
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{'0' * 32}>\r\nWARC-Date: 2026-10-10T10:00:00Z\r\n"
        f"WARC-Target-URI: {url}\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + http + b"\r\n\r\n", mtime=0)


def digest(body: bytes) -> str:
    return base64.b32encode(hashlib.sha1(body).digest()).decode()


@dataclass
class CommonCrawl:
    """An index and a store of records, served on loopback."""

    web: Loopback
    home: Path
    stage: Stage
    config: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, list[list[dict[str, str]]]] = field(default_factory=dict)
    """Crawl → pages of lines."""
    store: bytes = b""

    def __post_init__(self) -> None:
        crawls = [{"id": name, "cdx-api": f"https://{INDEX}/{name}-index"} for name in (NEW, OLD)]
        self.web.routes[f"{INDEX}/collinfo.json"] = Reply(json.dumps(crawls), content_type="application/json")
        for name in (NEW, OLD):
            self.web.routes[f"{INDEX}/{name}-index"] = self.index
        self.web.routes[f"{DATA}/{FILE}"] = self.range

    def add(
        self,
        at: str,
        body: bytes = b"<p>page</p>",
        crawl: str = NEW,
        page: int = 0,
        changes: dict[str, str] | None = None,
    ) -> None:
        record = member(at, body)
        line = {
            "url": at,
            "timestamp": "20261010100000",
            "status": "200",
            "mime-detected": "text/html",
            "digest": digest(body),
            "length": str(len(record)),
            "offset": str(len(self.store)),
            "filename": FILE,
            "languages": "eng",
        }
        self.store += record
        pages = self.lines.setdefault(crawl, [])
        pages.extend([] for _ in range(page + 1 - len(pages)))
        pages[page].append({**line, **(changes or {})})

    def index(self, asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.path).query)
        pages = self.lines.get(urlsplit(asked.path).path[1:].removesuffix("-index"), [])
        if "showNumPages" in query:
            told = json.dumps({"pages": len(pages), "pageSize": 5, "blocks": len(pages)})
            return Reply(told, content_type="application/json") if pages else self.nothing(query["url"][0])
        page = int(query["page"][0])
        body = "".join(json.dumps(line) + "\n" for line in pages[page])
        return Reply(body, content_type="text/x-ndjson")

    def nothing(self, url: str) -> Reply:
        told = json.dumps({"message": f"No Captures found for: {url}"})
        return Reply(told, status=404, content_type="application/json")

    def range(self, asked: Asked) -> Reply:
        first, last = map(int, asked.headers["Range"].removeprefix("bytes=").split("-"))
        return Reply(self.store[first : last + 1], status=206, content_type="application/octet-stream")

    def configure(self) -> Path:
        file = self.home / "config.yaml"
        file.write_text(yaml.safe_dump({"rehearsal": {"address": self.web.address}, **self.config}))
        return file

    def ask(self, *arguments: str) -> Ended:
        runs = self.home / "found"
        places = ["--config", str(self.configure()), "--runs", str(runs)]
        done = self.stage.run("crawler", "commoncrawl", *arguments, *places)
        return Ended(done.returncode, done.stdout, done.stderr, runs)

    def exowatch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.stage.run("monitor", "--config", self.home / "config.yaml", *arguments)


@pytest.fixture
def archive(web: Loopback, tmp_path: Path, stage: Stage) -> CommonCrawl:
    return CommonCrawl(web, tmp_path, stage)


def addresses(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ended.folder / "addresses.jsonl").read_text().splitlines()]


def test_telling_addresses_are_kept_and_their_records_fetched_as_they_are(archive: CommonCrawl) -> None:
    page = b"<title>Kelda</title><p>Exosome facial, $300</p>"
    archive.add("https://www.kelda.example/contact")
    archive.add(EXOSOMES, page)
    archive.add("https://shop.kelda.example/stem-cell-serum", page=1)
    archive.add("https://www.kelda.example/robots.txt", changes={"filename": FILE.replace("/warc/", "/robotstxt/")})

    ended = archive.ask("kelda.example", "--fetch", "1")

    assert ended.code == 0, ended.err
    first, second = addresses(ended)
    assert (first["url"], first["telling"], first["crawl"]) == (EXOSOMES, 3, NEW)
    assert (second["url"], second["record"]) == ("https://shop.kelda.example/stem-cell-serum", None)
    assert first["seen_at"] == "2026-10-10T10:00:00+00:00"
    (step,) = steps(ended.folder / "records.warc.gz")
    assert step.page is not None
    assert (step.page.url, step.page.body) == (EXOSOMES, page)
    assert ended.run.not_kept == {"address tells nothing": 1, "no page: a redirect, an error or a robots.txt": 1}
    assert set(ended.run.files) >= {"addresses.jsonl", "records.warc.gz", "run.warc.gz"}
    assert {asked.host for asked in archive.web.asked} == {INDEX, DATA}, "the site itself is not touched"


def test_the_index_is_asked_for_the_site_and_for_pages_alone(archive: CommonCrawl) -> None:
    archive.add(EXOSOMES)

    assert archive.ask("kelda.example").code == 0

    queries = [parse_qs(urlsplit(path).query) for path in archive.web.paths(INDEX)[1:]]
    assert [query.get("page", query.get("showNumPages")) for query in queries] == [["true"], ["0"]]
    for query in queries:
        assert query["url"] == ["kelda.example"]
        assert query["matchType"] == ["domain"]
        assert query["filter"] == ["=status:200", "=mime-detected:text/html"]
    assert all("Exowatch/" in asked.headers["User-Agent"] for asked in archive.web.asked)
    assert archive.web.peak[INDEX] == 1


def test_a_site_without_captures_is_no_error(archive: CommonCrawl) -> None:
    archive.add("https://www.kelda.example/plain", crawl=OLD)

    ended = archive.ask("kelda.example")

    assert ended.run.outcome is Outcome.EMPTY
    assert addresses(ended) == []
    assert ended.run.problems == ()
    assert ended.run.not_kept == {"patterns without a capture in a crawl": 1}


def test_several_crawls_give_an_address_once(archive: CommonCrawl) -> None:
    archive.add(EXOSOMES)
    archive.add(EXOSOMES, b"older", crawl=OLD)
    archive.add("https://www.kelda.example/exosome-hair", crawl=OLD)

    ended = archive.ask("kelda.example", "--newest", "2")

    assert {row["url"]: row["crawl"] for row in addresses(ended)} == {
        EXOSOMES: NEW,
        "https://www.kelda.example/exosome-hair": OLD,
    }


def test_the_bound_of_lines_ends_a_question_and_is_told(archive: CommonCrawl) -> None:
    for number in range(6):
        archive.add(f"https://www.kelda.example/exosome-{number}", page=number // 2)

    ended = archive.ask("kelda.example", "--rows", "3")

    assert len(addresses(ended)) == 4
    assert "2 of 3 pages of the index were read" in ended.problems["limit_reached"]
    assert ended.run.outcome is Outcome.OK


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"digest": "A" * 32}, "has digest"),
        ({"url": "https://www.kelda.example/exosome-other"}, "is of another address"),
        ({"offset": "1"}, "no gzip member"),
    ],
)
def test_a_record_that_is_not_what_the_index_says_is_not_kept(
    archive: CommonCrawl, change: dict[str, str], told: str
) -> None:
    archive.add(EXOSOMES, changes=change)
    archive.store += b"\0"

    ended = archive.ask("kelda.example", "--fetch", "5")

    assert (ended.folder / "records.warc.gz").read_bytes() == b""
    assert told in ended.problems["parse_error"]
    assert told in addresses(ended)[0]["problem"]
    assert ended.run.outcome is Outcome.ERRORS


def test_a_store_that_ignores_the_range_is_noticed(archive: CommonCrawl) -> None:
    archive.add(EXOSOMES)
    archive.web.routes[f"{DATA}/{FILE}"] = Reply(archive.store, content_type="application/octet-stream")

    ended = archive.ask("kelda.example", "--fetch", "1")

    assert "status 200" in ended.problems["parse_error"]


def test_a_record_that_does_not_come_leaves_the_others(archive: CommonCrawl) -> None:
    archive.add(EXOSOMES)
    archive.add("https://www.kelda.example/exosome-gone", changes={"filename": FILE.replace("00001", "00002")})

    ended = archive.ask("kelda.example", "--fetch", "2")

    found = {row["url"]: row for row in addresses(ended)}
    assert found[EXOSOMES]["record"] == {"offset": 0, "length": len((ended.folder / "records.warc.gz").read_bytes())}
    assert "404" in found["https://www.kelda.example/exosome-gone"]["problem"]


def test_robots_are_obeyed(archive: CommonCrawl) -> None:
    archive.add(EXOSOMES)
    archive.web.routes[f"{INDEX}/robots.txt"] = Reply("User-agent: *\nDisallow: /\n", content_type="text/plain")

    ended = archive.ask("kelda.example")

    assert "robots" in ended.problems
    assert archive.web.paths() == []
    assert ended.code != 0


def test_an_index_that_fails_is_no_empty_one(archive: CommonCrawl) -> None:
    archive.config["network"] = {"retries": 1}
    archive.web.routes[f"{INDEX}/{NEW}-index"] = Reply("busy", status=503, content_type="text/plain")

    ended = archive.ask("kelda.example")

    assert len(archive.web.paths(INDEX)) == 3, "the list of crawls, the question, and once more"
    assert "http_error" in ended.problems
    assert ended.run.outcome is Outcome.ERRORS


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("com", "names no site"),
        ("*.example", "at the end only"),
        ("kelda.example*", "leaves the host open"),
        ("https://", "names no site"),
    ],
)
def test_a_pattern_that_asks_for_too_much_is_refused(archive: CommonCrawl, pattern: str, told: str) -> None:
    ended = archive.ask(pattern)

    assert ended.code == 3
    assert told in ended.err
    assert archive.web.asked == []


def test_a_crawl_that_does_not_exist_is_told(archive: CommonCrawl) -> None:
    ended = archive.ask("kelda.example", "--crawl", "CC-MAIN-1999-01")

    assert "there is no crawl CC-MAIN-1999-01; the newest is CC-MAIN-2026-43" in ended.problems["layout_changed"]


def test_a_run_can_be_read_again_from_its_own_recording(archive: CommonCrawl) -> None:
    """The records of one file have one address, and differ by their ranges alone."""
    archive.add(EXOSOMES)
    archive.add("https://www.kelda.example/exosome-hair", b"another")
    first = archive.ask("kelda.example", "--fetch", "2")
    asked = len(archive.web.asked)

    done = archive.stage.run("crawler", "replay", first.folder)

    again = Path(done.stdout.strip())
    assert done.returncode == 0, done.stderr
    assert len(archive.web.asked) == asked
    for name in ("records.warc.gz", "addresses.jsonl"):
        assert (again / name).read_bytes() == (first.folder / name).read_bytes()
    assert (again / "records.warc.gz").stat().st_size > 0


def test_asking_about_a_site_gives_reasons_to_propose_it(archive: CommonCrawl) -> None:
    """From the command through the crawler and back: what is found stands among the reasons."""
    archive.add(EXOSOMES, SELLING.encode())
    archive.add("https://www.kelda.example/exosome-news", b"<p>Plain words.</p>")
    archive.config["data"] = str(archive.home / "var")
    archive.configure()

    asked = archive.exowatch("discover", "ask", "kelda.example", "--fetch", "5")
    again = archive.exowatch("discover", "ask")
    shown = archive.exowatch("discover", "--json")

    assert asked.returncode == again.returncode == 0, asked.stderr + again.stderr
    assert "2 telling addresses, 2 of them new" in asked.stdout
    assert "2 pages fetched, 1 may sell exosome products, 1 of them new" in asked.stdout
    assert "2 telling addresses, 0 of them new" in again.stdout, "without names it asks about what is proposed"
    (proposal,) = [json.loads(line) for line in shown.stdout.splitlines()]
    assert proposal["site"] == "kelda.example"
    assert [reason["kind"] for reason in proposal["reasons"]] == ["swept", "captured", "captured"]


def test_common_crawl_that_cannot_be_asked_is_told(archive: CommonCrawl) -> None:
    archive.config["data"] = str(archive.home / "var")
    archive.configure()

    asked = archive.exowatch("discover", "ask", "*.example")

    assert asked.returncode == 1
    assert "Common Crawl was not asked: not started: patterns: " in asked.stderr
    assert "Traceback" not in asked.stderr


# What the answers say


@pytest.mark.parametrize(
    "pattern", ["kelda.example", "https://kelda.example/page", "kelda.example/products/*", "http://kelda.example:80/a*"]
)
def test_possible_patterns(pattern: str) -> None:
    assert cdx.pattern_flaw(pattern) == ""


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"<html>",
        b'{"id": 1}',
        b'[{"id": "CC"}]',
        b'[{"id": "CC", "cdx-api": "http://index.commoncrawl.org/x"}]',
        b'[{"id": "CC", "cdx-api": "https://elsewhere.example/x"}]',
    ],
)
def test_a_list_of_crawls_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(LayoutChangedError):
        cdx.crawls_in(body)


def line(**changes: str) -> bytes:
    told = {
        "url": EXOSOMES,
        "timestamp": "20261010100000",
        "status": "200",
        "digest": "A" * 32,
        "length": "10",
        "offset": "0",
        "filename": FILE,
    }
    return json.dumps({**told, **changes}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"[1]",
        b"not json",
        b"{}",
        line(timestamp="yesterday"),
        line(offset="-1"),
        line(length="0"),
        line(filename="https://elsewhere.example/warc/x.warc.gz"),
        line(filename="crawl-data/../warc/x.warc.gz"),
    ],
)
def test_a_line_that_cannot_be_one_is_refused(body: bytes) -> None:
    with pytest.raises(LayoutChangedError):
        list(cdx.rows_in(body, NEW))


def test_no_captures_is_told_from_a_missing_index() -> None:
    assert cdx.is_nothing(404, b'{"message": "No Captures found for: kelda.example"}')
    assert not cdx.is_nothing(404, b"<html>Not Found</html>")
    assert not cdx.is_nothing(404, b'{"message": "no such collection"}')
    assert not cdx.is_nothing(200, b'{"message": "No Captures found"}')


@pytest.mark.parametrize("body", [b'{"pages": "many"}', b'{"blocks": 1}', b"true", b'{"pages": -1}'])
def test_a_number_of_pages_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(LayoutChangedError):
        cdx.page_count(body)


def test_an_other_kind_of_record_is_no_page() -> None:
    (row,) = cdx.rows_in(line(digest=digest(b"x")), NEW)
    assert isinstance(row, cdx.Row)

    assert cdx.record_flaw(member(EXOSOMES, b"x"), row) == ""
    assert cdx.record_flaw(member(EXOSOMES, b"x", kind="request"), row) == "the record is a request, no response"
    assert "no WARC record" in cdx.record_flaw(gzip.compress(b"hello"), row)
    assert "no WARC record" in cdx.record_flaw(member(EXOSOMES, b"x")[:-20], row)


def test_recorded_answers_are_read() -> None:
    """What index.commoncrawl.org answered in September 2025."""
    crawls = cdx.crawls_in(samples("us/commoncrawl/collinfo_2025-09.json").read_bytes())
    body = samples("us/commoncrawl/cdx_CC-MAIN-2025-33_commoncrawl.org.ndjson").read_bytes()
    rows = list(cdx.rows_in(body, crawls[0].id))

    assert crawls[0] == cdx.Crawl("CC-MAIN-2025-33", f"https://{INDEX}/CC-MAIN-2025-33-index")
    assert len(crawls) > 100
    kept = [row for row in rows if isinstance(row, cdx.Row)]
    assert kept
    assert len(kept) < len(rows) == len(body.splitlines())
    assert {row.url for row in kept} == {"https://www.commoncrawl.org/", "https://commoncrawl.org/"}


def test_a_recorded_record_checks() -> None:
    """A real record of Common Crawl: its own digest is the one that the index would give."""
    raw = samples("us/commoncrawl/whirlwind.warc.gz").read_bytes()
    archive = ArchiveIterator(io.BytesIO(raw))
    for record in archive:
        if record.rec_type == "response":
            url = record.rec_headers.get_header("WARC-Target-URI")
            told = record.rec_headers.get_header("WARC-Payload-Digest").removeprefix("sha1:")
            start, length = archive.get_record_offset(), archive.get_record_length()
    row = cdx.Row(NEW, url, "2026-10-10T10:00:00+00:00", told, FILE, start, length)

    assert cdx.record_flaw(raw[start : start + length], row) == ""
    assert "no gzip member" in cdx.record_flaw(raw[start + 1 : start + length], row)
