"""One crawl, one folder: what is in it, what it says of itself, and what is left when it is cut short."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.archive import record_uuid
from monitor.records import Outcome
from tests.crawler.conftest import CARD, START, Crawls, Ended, list_page, notice_page
from tests.loopback import Asked, Loopback, Reply


def three_notices(web: Loopback) -> None:
    web.routes["alerts.example/list"] = list_page("/1", "/2", "/3")
    for number in (1, 2, 3):
        web.routes[f"alerts.example/{number}"] = notice_page(f"Alert {number}")


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


def test_progress_is_told_in_json(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)

    ended = crawls.run("--progress")

    last = json.loads(ended.err.strip().splitlines()[-1])
    assert {name: last[name] for name in ("requests", "responses", "records")} == {
        "requests": 5,
        "responses": 5,
        "records": 3,
    }
    assert last["elapsed"] > 0


def wait_for(web: Loopback, path: str) -> None:
    for _ in range(1200):
        if path in web.paths():
            return
        sleep(0.05)
    pytest.fail(f"{path} was never asked for")


def a_long_crawl(web: Loopback, hold: threading.Event) -> None:
    """The second page is held back until the event; a hundred more are listed."""
    web.routes["alerts.example/list"] = list_page(*(f"/{number}" for number in range(1, 100)))
    web.routes |= {f"alerts.example/{number}": notice_page(f"Alert {number}") for number in range(1, 100)}
    web.routes["alerts.example/2"] = Reply("<h1>Alert 2</h1>", wait=hold)


def test_a_killed_crawl_leaves_only_a_part_folder(web: Loopback, crawls: Crawls) -> None:
    hold = threading.Event()
    a_long_crawl(web, hold)
    process = crawls.start()
    wait_for(web, "/2")

    process.kill()
    crawls.ended(process)
    hold.set()

    (left,) = crawls.runs.iterdir()
    assert left.suffix == ".part"
    assert not (left / "run.json").exists()
    # what had come is on disk, whole
    lines = (left / "captures.jsonl").read_text().splitlines()
    assert [json.loads(line)["url"].rpartition("/")[2] for line in lines] == ["robots.txt", "list", "1"]
    with (left / "run.warc.gz").open("rb") as file:
        kinds = [record.rec_type for record in ArchiveIterator(file, check_digests="raise")]
    assert kinds == ["warcinfo", *["response", "request"] * 3]


def test_a_stopped_crawl_leaves_a_whole_folder(web: Loopback, crawls: Crawls) -> None:
    hold = threading.Event()
    a_long_crawl(web, hold)
    process = crawls.start()
    wait_for(web, "/2")

    process.send_signal(signal.SIGTERM)
    sleep(0.5)
    hold.set()
    ended = crawls.ended(process)

    assert ended.code == 4, ended.err
    assert (ended.run.outcome, ended.run.finish_reason) == (Outcome.STOPPED, "shutdown")
    assert ended.run.files["run.warc.gz"] == hashlib.sha256((ended.folder / "run.warc.gz").read_bytes()).hexdigest()
    assert 1 <= len(ended.records) < 10, "what was under way is finished, what waited its turn is let go"
    assert ended.run.problems == ()


def test_a_second_signal_ends_it_by_force_and_leaves_a_part(web: Loopback, crawls: Crawls) -> None:
    hold = threading.Event()
    a_long_crawl(web, hold)
    process = crawls.start()
    wait_for(web, "/2")

    process.send_signal(signal.SIGTERM)
    sleep(0.5)
    process.send_signal(signal.SIGTERM)
    ended = crawls.ended(process)
    hold.set()

    assert ended.code == 4
    assert ended.out == ""
    assert "ended by force" in ended.err
    (left,) = crawls.runs.iterdir()
    assert left.suffix == ".part"


def test_a_stopped_crawl_does_not_sit_out_its_delays(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    crawls.card["pace"] = {"delay": 100_000}  # a rehearsal waits a thousandth: 100 s
    process = crawls.start()
    for _ in range(1200):
        if web.asked:
            break
        sleep(0.05)
    sleep(0.2)

    process.send_signal(signal.SIGTERM)
    ended = crawls.ended(process)

    assert (ended.code, ended.run.outcome) == (4, Outcome.STOPPED)
    assert [asked.path for asked in web.asked] == ["/robots.txt"]
    assert ended.run.problems == ()


def test_at_most_one_request_to_a_host_at_a_time(web: Loopback, crawls: Crawls) -> None:
    def slow(asked: Asked) -> Reply:
        sleep(0.01)
        return notice_page(f"Alert {asked.path}")

    links = [f"https://{host}.example/{number}" for number in range(10) for host in ("one", "two")]
    web.routes["alerts.example/list"] = list_page(*links)
    web.routes |= {link.removeprefix("https://"): slow for link in links}

    ended = crawls.run()

    assert len(ended.records) == 20
    assert web.peak == {"alerts.example": 1, "one.example": 1, "two.example": 1}


def test_a_live_run_needs_a_contact(web: Loopback, crawls: Crawls) -> None:
    crawls.config = {"contact": "  "}

    ended = crawls.run()

    assert ended.code == 3
    assert "a live run needs `contact`" in ended.err
    assert not crawls.runs.exists()
    assert web.asked == []


def test_a_demo_source_is_not_read_live(web: Loopback, crawls: Crawls) -> None:
    crawls.config = {"contact": "mailto:watch@office.example"}
    crawls.card["demo"] = True

    ended = crawls.run()

    assert ended.code == 3
    assert "in a rehearsal only" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--known", "absent.jsonl"), "absent.jsonl cannot be read"),
        (("--pages", "absent.txt"), "absent.txt cannot be read"),
        (("--since", "16.11.2026"), "argument --since: invalid"),
        (("--limit", "0"), "must be 1 or more"),
    ],
)
def test_a_wrong_argument_starts_nothing(crawls: Crawls, arguments: tuple[str, ...], said: str) -> None:
    ended = crawls.run(*arguments)

    assert ended.code == 3
    assert said in ended.err
    assert not crawls.runs.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [('{"kee": "x"}\n', "known.jsonl line 1 is no known item"), ("", None)],
    ids=["unknown key", "nothing known"],
)
def test_what_is_known_is_checked_before_the_start(web: Loopback, crawls: Crawls, text: str, said: str | None) -> None:
    three_notices(web)
    known = crawls.home / "known.jsonl"
    known.write_text(text)

    ended = crawls.run("--known", known)

    assert ended.code == (3 if said else 0)
    assert (said or "") in ended.err


def test_a_configuration_with_a_wrong_key_starts_nothing(web: Loopback, crawls: Crawls) -> None:
    crawls.config["netwerk"] = {}

    ended = crawls.run()

    assert ended.code == 3
    assert "netwerk" in ended.err
    assert web.asked == []


def test_an_unknown_source_starts_nothing_and_names_the_nearest(crawls: Crawls) -> None:
    ended = crawls.tell("run", "xx_test_alrts", "--config", crawls.home / "config.yaml")

    assert ended.code == 3, ended.err
    assert "no source named 'xx_test_alrts'; did you mean xx_test_alerts?" in ended.err


def test_the_shipped_program_lists_its_sources() -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "crawler", "list", "--json"]

    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)

    ids = {card["id"] for card in json.loads(done.stdout)}
    assert {path.stem for path in (root / "crawler" / "sources").glob("*.yaml")} <= ids


def test_a_saved_response_is_read_without_a_crawl(crawls: Crawls) -> None:
    saved = crawls.home / "saved.html"
    saved.write_text("<h1>Saved</h1>")

    ended = crawls.tell("read", CARD["id"], saved, "--url", START)

    assert ended.code == 0, ended.err
    record = json.loads(ended.out)
    assert (record["title"], record["captures"]) == ("Saved", ["read/00001"])


def test_a_saved_response_of_another_layout_says_so(crawls: Crawls) -> None:
    saved = crawls.home / "saved.html"
    saved.write_text("<h2>Saved</h2>")

    ended = crawls.tell("read", CARD["id"], saved, "--url", START)

    assert ended.code == 2
    assert "LayoutChangedError: no h1" in ended.err


def same_but_for_captures(ended: Ended) -> list[dict[str, object]]:
    """In the order of their addresses: a redirect may be followed earlier where nothing has to be waited for."""
    ordered = sorted(ended.records, key=lambda record: record.model_dump_json(exclude={"captures", "capture"}))
    return [record.model_dump(exclude={"captures", "capture"}) for record in ordered]


def test_a_replay_gives_the_same_records_without_the_web(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    web.routes["alerts.example/2"] = Reply("", status=301, headers={"Location": "/elsewhere"})
    web.routes["alerts.example/elsewhere"] = notice_page("Moved")
    known = crawls.home / "known.jsonl"
    known.write_text('{"key": "https://alerts.example/1", "digest": "1"}\n')
    first = crawls.run("--known", known)
    web.close()

    again = crawls.replay(first.folder)

    assert again.code == 0, again.err
    assert same_but_for_captures(again) == same_but_for_captures(first)
    assert (again.run.mode, again.run.replay_of) == ("replay", first.run.run_id)
    assert again.run.problems == ()
    assert again.run.known == 1
    old = {capture.id: capture for capture in first.captures}
    assert len(again.captures) == len(first.captures) - 1, "robots.txt is not read again"
    for capture in again.captures:
        was = old[capture.replay_of]
        assert (capture.url, capture.fetched_at, capture.payload_sha256, capture.status) == (
            was.url,
            was.fetched_at,
            was.payload_sha256,
            was.status,
        )
    assert all(record.captures[0].startswith(again.run.run_id) for record in again.records if record.kind == "notice")


def test_a_replay_tells_posts_apart_by_their_bodies(web: Loopback, crawls: Crawls) -> None:
    crawls.card["spider"] = "sources.for_tests_by_post"
    web.routes["alerts.example/list"] = lambda asked: notice_page(f"Answer to {asked.body.decode()}")
    first = crawls.run()

    again = crawls.replay(first.folder)

    assert [record.title for record in first.records] == ["Answer to page=1", "Answer to page=2"]
    assert same_but_for_captures(again) == same_but_for_captures(first)


def test_a_replay_says_what_was_never_recorded(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    known = crawls.home / "known.jsonl"
    known.write_text('{"key": "https://alerts.example/1", "digest": "1"}\n')
    first = crawls.run("--known", known)
    # as if the reader had learnt to ask for one page more
    (first.folder / "known.jsonl").unlink()

    again = crawls.replay(first.folder)

    assert len(again.records) == 2
    (problem,) = again.run.problems
    assert problem.kind == "download_error"
    assert "not in the recording" in problem.message
    assert problem.url == "https://alerts.example/1"


def test_a_recording_that_was_altered_is_not_replayed_as_if_it_were_whole(web: Loopback, crawls: Crawls) -> None:
    three_notices(web)
    first = crawls.run()
    captures = first.folder / "captures.jsonl"
    captures.write_text(captures.read_text().replace(first.captures[-1].payload_sha256, "0" * 64))

    again = crawls.replay(first.folder)

    assert len(again.records) == 2
    assert "are not those that were recorded" in again.problems["download_error"]


def test_a_part_folder_is_not_replayed(crawls: Crawls) -> None:
    part = crawls.home / "xx_test_alerts-20261116T050000Z-0000.part"
    part.mkdir()

    again = crawls.replay(part)

    assert again.code == 3
    assert "is not a finished run" in again.err
