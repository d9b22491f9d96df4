"""One crawl, one folder: what is in it, and what it says of itself."""

from __future__ import annotations

import gzip
import hashlib
import io
from datetime import UTC, datetime

from warcio.archiveiterator import ArchiveIterator

from crawler.archive import record_uuid
from monitor.records import Outcome
from tests.crawler.conftest import START, Crawls, list_page, notice_page, three_notices
from tests.loopback import Loopback, Reply


def test_a_run_leaves_a_whole_folder(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)

    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert [record.title for record in ended.records] == ["Alert 1", "Alert 2", "Alert 3"]
    run = ended.run
    assert run.outcome is Outcome.OK
    assert (run.mode, run.finish_reason, run.listed) == ("rehearsal", "finished", 3)
    assert run.items == {"notice": 3}
    assert run.responses == {"200": 4, "404": 1}
    assert run.requests == 5
    assert run.problems == ()
    names = {path.name for path in ended.folder.iterdir()}
    assert names == {"run.json", "items.jsonl", "captures.jsonl", "run.warc.gz", "crawl.log"}
    for name, digest in run.files.items():
        assert hashlib.sha256((ended.folder / name).read_bytes()).hexdigest() == digest
    assert set(run.files) == names - {"run.json"}
    assert [path.name for path in crawls.runs.iterdir()] == [run.run_id]


def test_every_capture_is_found_at_its_offset_with_its_digest(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    web.routes["alerts.example/2"] = Reply("", status=302, headers={"Location": "/elsewhere"})
    web.routes["alerts.example/elsewhere"] = notice_page("Moved")

    ended = crawls.run()

    warc = (ended.folder / "run.warc.gz").read_bytes()
    assert [capture.status for capture in ended.captures] == [404, 200, 200, 302, 200, 200]
    assert ended.captures[5].redirected_from == "https://alerts.example/2"
    for number, capture in enumerate(ended.captures, start=1):
        assert capture.id == f"{ended.run.run_id}/{number:05d}"
        member = warc[capture.offset : capture.offset + capture.length]
        records = list(ArchiveIterator(io.BytesIO(member)))
        assert len(records) == 1, "one gzip member a record"
    for capture in ended.captures:
        record = next(iter(ArchiveIterator(io.BytesIO(warc[capture.offset :]), check_digests="raise")))
        assert record.rec_type == "response"
        assert record.rec_headers.get_header("WARC-Target-URI") == capture.url
        assert record.rec_headers.get_header("WARC-Record-ID") == record_uuid(capture.id)
        assert record.rec_headers.get_header("WARC-Payload-Digest") == f"sha256:{capture.payload_sha256}"
        assert hashlib.sha256(record.content_stream().read()).hexdigest() == capture.payload_sha256
        assert record.http_headers.get_statuscode() == str(capture.status)


def test_the_warc_begins_with_who_wrote_it_and_keeps_the_requests(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)

    ended = crawls.run()

    with (ended.folder / "run.warc.gz").open("rb") as file:
        records = [
            (record.rec_type, record.rec_headers, record.http_headers, record.content_stream().read())
            for record in ArchiveIterator(file, check_digests="raise")
        ]
    kinds = [kind for kind, *_ in records]
    assert kinds == ["warcinfo", *["response", "request"] * 5]
    about = records[0][3].decode()
    assert "software: Exowatch/" in about
    assert f"configuration: sha256:{ended.run.config_digest}" in about
    assert "source: xx_test_alerts" in about
    assert "robots: obey" in about
    _, rec_headers, http_headers, _ = records[4]
    assert rec_headers.get_header("WARC-Concurrent-To") == records[3][1].get_header("WARC-Record-ID")
    assert (http_headers.protocol, http_headers.statusline) == ("GET", "/list HTTP/1.1")
    assert http_headers.get_header("Host") == "alerts.example"


def test_a_compressed_body_is_kept_as_it_came(web: Loopback, crawls: Crawls) -> None:
    packed = gzip.compress(b"<h1>Packed</h1>")
    web.routes["alerts.example/list"] = list_page("/1")
    web.routes["alerts.example/1"] = Reply(packed, headers={"Content-Encoding": "gzip"})

    ended = crawls.run()

    assert [record.title for record in ended.records] == ["Packed"]
    assert ended.captures[-1].payload_sha256 == hashlib.sha256(packed).hexdigest()


def test_the_rehearsed_clock_runs_on_from_its_moment(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    moment = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
    crawls.config["rehearsal"]["now"] = moment.isoformat()

    ended = crawls.run()

    assert ended.run.started_at == moment
    times = [capture.fetched_at for capture in ended.captures]
    assert times == sorted(times)
    assert moment < times[0] < times[-1] < ended.run.finished_at
    assert (ended.run.finished_at - moment).total_seconds() < 60
    assert ended.run.run_id.startswith("xx_test_alerts-20261116T050000Z-")


def test_a_rehearsed_request_keeps_its_own_address(web: Loopback, crawls: Crawls) -> None:
    crawls.config["rehearsal"]["now"] = "2026-11-16T05:00:00Z"
    crawls.card["start"] = "http://alerts.example:8080/list?page=1"
    web.routes["alerts.example:8080/list"] = list_page("https://other.example/1")
    web.routes["other.example/1"] = notice_page("Elsewhere")

    ended = crawls.run()

    first = next(asked for asked in web.asked if asked.path.startswith("/list"))
    assert first.path == "/list?page=1"
    assert first.host == "alerts.example:8080"
    assert first.headers["X-Forwarded-Proto"] == "http"
    assert first.headers["X-Rehearsal-Date"] == "2026-11-16"
    last = web.asked[-1]
    assert (last.host, last.headers["X-Forwarded-Proto"]) == ("other.example", "https")
    assert ended.records[0].url == "https://other.example/1"


def test_what_is_known_is_not_asked_for_again(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    known = crawls.home / "known.jsonl"
    known.write_text('{"key": "https://alerts.example/1", "digest": "1"}\n')

    ended = crawls.run("--known", known)

    assert web.paths() == ["/list", "/2", "/3"]
    assert (ended.run.listed, ended.run.known, ended.run.items) == (3, 1, {"notice": 2})
    assert crawls.run("--known", known, "--full").run.items == {"notice": 3}


def test_all_known_is_read_and_not_empty(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/list"] = list_page("/1")
    known = crawls.home / "known.jsonl"
    known.write_text('{"key": "https://alerts.example/1", "digest": "1"}\n')

    ended = crawls.run("--known", known)

    assert (ended.code, ended.run.outcome, ended.run.items) == (0, Outcome.OK, {})


def test_given_pages_are_read_and_nothing_else(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    pages = crawls.home / "pages.txt"
    pages.write_text("https://alerts.example/2\n\nhttps://alerts.example/3\n")

    ended = crawls.run("--pages", pages)

    assert web.paths() == ["/2", "/3"]
    assert ended.run.request.pages == ("https://alerts.example/2", "https://alerts.example/3")


def test_an_address_that_is_none_is_named(crawls: Crawls) -> None:
    pages = crawls.home / "pages.txt"
    pages.write_text("alerts.example/2\n")

    ended = crawls.run("--pages", pages)

    assert (ended.code, ended.run.finish_reason) == (2, "start_error")
    assert "alerts.example/2" in ended.problems["parse_error"]


def test_the_limit_is_exact(web: Loopback, crawls: Crawls) -> None:
    links = [f"/{number}" for number in range(1, 30)]
    web.routes["alerts.example/list"] = list_page(*links)
    web.routes |= {f"alerts.example{link}": notice_page(f"Alert {link}") for link in links}

    ended = crawls.run("--limit", "2")

    assert len(ended.records) == 2
    assert ended.run.finish_reason == "limit_records"
    assert ended.code == 0


def test_a_long_list_is_followed_to_its_end(web: Loopback, crawls: Crawls) -> None:
    for number in range(60):
        following = f'<a class="next" href="/list?page={number + 1}">more</a>' if number < 59 else ""
        listed = f'<a class="notice" href="/{number}">{number}</a>'
        web.routes[f"alerts.example/list?page={number}"] = Reply(f"<h1>Alerts</h1>{listed}{following}")
        web.routes[f"alerts.example/{number}"] = notice_page(f"Alert {number}")
    crawls.card["start"] = f"{START}?page=0"

    ended = crawls.run()

    assert (ended.run.listed, len(ended.records)) == (60, 60)


def test_an_empty_list_is_told_by_the_exit_code(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/list"] = Reply("<h1>Alerts</h1><p>None.</p>")

    ended = crawls.run()

    assert (ended.code, ended.run.outcome, ended.run.listed) == (1, Outcome.EMPTY, None)


def test_a_page_that_breaks_the_reader_is_named_and_the_rest_is_read(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    web.routes["alerts.example/2"] = notice_page("broken")

    ended = crawls.run()

    assert (ended.code, ended.run.outcome) == (2, Outcome.ERRORS)
    assert [record.title for record in ended.records] == ["Alert 1", "Alert 3"]
    (problem,) = ended.run.problems
    assert problem.kind == "parse_error"
    assert "KeyError" in problem.message
    assert "spiders.py line" in problem.message
    assert problem.url == "https://alerts.example/2"
    assert problem.capture == next(c.id for c in ended.captures if c.url == problem.url)


def test_a_page_without_its_marker_has_changed_its_layout(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/list"] = list_page("/1")
    web.routes["alerts.example/1"] = Reply("<p>No heading any more.</p>" * 50)

    ended = crawls.run()

    assert ended.code == 2
    assert ended.problems == {"layout_changed": "no h1 on https://alerts.example/1"}


def test_anything_but_a_record_is_the_spiders_error(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/list"] = list_page("/1")
    web.routes["alerts.example/1"] = notice_page("Alert 1")
    crawls.card["options"] = {"yields_rubbish": True}

    ended = crawls.run()

    assert ended.code == 2
    assert ended.problems == {"parse_error": "the spider yielded a dict, which is no record"}
    assert len(ended.records) == 1
