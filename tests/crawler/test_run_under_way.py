"""A crawl while it runs: what it tells, and what is left when it is cut short."""

from __future__ import annotations

import hashlib
import json
import signal
import threading
from time import sleep

import pytest
from warcio.archiveiterator import ArchiveIterator

from monitor.records import Outcome
from tests.crawler.conftest import Crawls, list_page, notice_page, three_notices
from tests.loopback import Asked, Loopback, Reply


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
