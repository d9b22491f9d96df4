"""Pages that come again to the byte: what they were read as is remembered, and the run is as if each had been read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import Response
from warcio.archiveiterator import ArchiveIterator

from crawler.market import remembered
from crawler.market.page import BUILT, Link, Told, told_by
from crawler.market.remembered import Remembered
from crawler.market.site import card_of
from monitor.config import Site
from monitor.records import PageRecord
from tests.crawler.conftest import Crawls, Ended
from tests.crawler.market.building import page
from tests.crawler.responses import response_of
from tests.crawler.test_us_pdf import tiny_pdf
from tests.loopback import Loopback, Reply

HOST = "www.orrel.example"
HOME = f"http://{HOST}/"
SERUM = f"{HOME}serum"
BODY = "<html lang=de><title>Sérum</title><h1>Sérum</h1><a href=/faq>Fragen</a><img src=a.jpg></html>"
TOLD = Told("Sérum", "de", "", "", ("the text in 1 image",), (Link(f"{HOME}faq", "Fragen"),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "remembered" / "site.db"


def kept(path: Path, url: str = SERUM, body: str = BODY) -> Response:
    """A page that is remembered, in a file that is closed."""
    response = response_of(url, body)
    memory = Remembered(path)
    memory.keep(url, response, told_by(response))
    memory.close()
    return response


# One page


def test_what_a_page_was_read_as_is_told_again_for_the_same_bytes(path: Path) -> None:
    response = kept(path)

    assert told_by(response) == TOLD
    assert Remembered(path).told(SERUM, response_of(SERUM, BODY)) == TOLD


@pytest.mark.parametrize(
    "other",
    [
        lambda: response_of(SERUM, BODY + " "),
        lambda: response_of(SERUM, BODY, "text/html; charset=latin-1"),
        lambda: response_of(SERUM, BODY, status=404),
        lambda: response_of(f"{HOME}moved", BODY),
    ],
    ids=["other bytes", "another type", "another status", "another address"],
)
def test_anything_else_is_read(path: Path, other: Callable[[], Response]) -> None:
    kept(path)

    assert Remembered(path).told(SERUM, other()) is None
    assert Remembered(path).told(f"{HOME}other", response_of(SERUM, BODY)) is None


def test_what_a_browser_showed_is_another_page_than_what_was_received(path: Path) -> None:
    kept(path)
    shown = response_of(SERUM, BODY)
    shown.meta[BUILT] = True

    assert Remembered(path).told(SERUM, shown) is None


def test_after_an_upgrade_a_page_is_read_once_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    response = kept(path)
    monkeypatch.setattr(remembered, "_reader", lambda: "another")

    assert Remembered(path).told(SERUM, response) is None


def test_a_page_is_remembered_before_it_is_written(path: Path) -> None:
    response, memory = response_of(SERUM, BODY), Remembered(path)
    memory.keep(SERUM, response, TOLD)

    assert memory.told(SERUM, response) == TOLD


def test_more_pages_than_are_written_in_one_turn(path: Path) -> None:
    memory = Remembered(path)
    answers = {f"{HOME}{number}": response_of(f"{HOME}{number}", f"<title>{number}</title>") for number in range(250)}
    for url, response in answers.items():
        memory.keep(url, response, told_by(response))
    memory.close()

    again = Remembered(path)
    titles = [told.title for url, response in answers.items() if (told := again.told(url, response))]
    assert titles == [str(number) for number in range(250)]


def test_what_nobody_asks_for_any_more_is_forgotten(path: Path) -> None:
    kept(path)
    response = kept(path, f"{HOME}gone")
    memory = Remembered(path)

    memory.forget_all_but({SERUM})

    assert memory.told(f"{HOME}gone", response) is None
    assert memory.told(SERUM, response_of(SERUM, BODY)) == TOLD


@given(st.text(max_size=200))
def test_nothing_of_what_a_page_says_is_lost(words: str) -> None:
    told = Told(words, words, words, words, (words, "x"), (Link(f"{HOME}x", words), Link(words, "")))

    assert remembered._unpacked(remembered._packed(told)) == told


# A file that cannot be used


def test_a_spoilt_file_is_made_anew(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("this is no database, and long enough to be looked at as one" * 20)

    response = kept(path)

    assert Remembered(path).told(SERUM, response) == TOLD


def test_a_damaged_row_is_not_used(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    response = kept(path)
    with sqlite3.connect(path) as file:
        file.execute("UPDATE page SET told = x'00'")

    memory = Remembered(path)

    assert memory.told(SERUM, response) is None
    assert "every page is read" in caplog.text
    memory.keep(SERUM, response, TOLD)
    memory.close()


def test_where_no_file_can_be_every_page_is_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")

    response = kept(tmp_path / "file" / "site.db")

    assert Remembered(tmp_path / "file" / "site.db").told(SERUM, response) is None
    assert "site.db cannot be used" in caplog.text


def test_a_file_that_another_program_writes_is_left_to_it(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(remembered, "_PATIENCE", 0.0)
    kept(path)
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")

    response = kept(path, body="<title>other</title>")

    assert "locked" in caplog.text
    other.rollback()
    other.close()
    assert Remembered(path).told(SERUM, response) is None
    assert Remembered(path).told(SERUM, response_of(SERUM, BODY)) == TOLD


def test_without_a_file_nothing_is_remembered() -> None:
    memory = Remembered(None)
    memory.keep(SERUM, response_of(SERUM, BODY), TOLD)
    memory.forget_all_but(())
    memory.close()

    assert memory.told(SERUM, response_of(SERUM, BODY)) is None


# A site


@pytest.fixture
def site(web: Loopback, crawls: Crawls) -> Callable[[str, Any], None]:
    crawls.card = card_of(Site(url=HOME, country="us", revisit_hours=0)).model_dump(mode="json")
    item = {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "url": "/listed", "name": "Listed serum"}]}
    head = f'<script type="application/ld+json">{json.dumps(item)}</script><link rel="canonical" href="/shop">'
    answers: dict[str, Any] = {
        "/": page("Orrel", "/shop", "/old", "/cart", "http://elsewhere.example/"),
        "/shop": page("Shop", "/serum", "/list.pdf", head=head, body='<img src="jar.jpg">'),
        "/serum": page("Serum", "/", "/broken"),
        "/listed": page("Listed serum"),
        "/list.pdf": Reply(tiny_pdf("Price list"), content_type="application/pdf"),
        "/old": Reply("", status=301, headers={"Location": "/serum"}),
        "/broken": Reply("", status=410),
    }

    def put(path: str, answer: Any) -> None:
        web.routes[f"{HOST}{path}"] = answer

    for path, answer in answers.items():
        put(path, answer)
    return put


def known(crawls: Crawls, ended: Ended) -> Path:
    """What the monitor gives the next run."""
    path, read_at = crawls.home / "known.jsonl", datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    items = [{"key": key, "digest": digest, "read_at": read_at} for key, digest in ended.run.seen.items()]
    path.write_text("\n".join(map(json.dumps, items)))
    return path


def memory_of(crawls: Crawls) -> Path:
    return crawls.home / "remembered" / f"{crawls.card['id']}.db"


def told_of(ended: Ended) -> dict[str, Any]:
    """All of a run but its name and its times."""

    def nameless(text: str) -> str:
        return text.replace(ended.run.run_id, "<run>")

    with (ended.folder / "run.warc.gz").open("rb") as file:
        archive = [
            (
                record.rec_type,
                record.rec_headers.get_header("WARC-Target-URI"),
                record.http_headers and [pair for pair in record.http_headers.headers if pair[0] != "Date"],
                record.raw_stream.read() if record.rec_type != "warcinfo" else b"",
            )
            for record in ArchiveIterator(file)
        ]
    mine = {"run_id", "started_at", "finished_at", "files"}
    return {
        "archive": archive,
        "items": nameless((ended.folder / "items.jsonl").read_text()),
        "captures": [(one.url, one.status, one.payload_sha256, one.redirected_from) for one in ended.captures],
        "run": nameless(ended.run.model_dump_json(exclude=mine)),
    }


def titles(ended: Ended) -> dict[str, str]:
    return {record.url: record.title for record in ended.records if isinstance(record, PageRecord)}


def test_a_run_that_remembers_is_the_run_that_reads(
    site: Callable[[str, Any], None], web: Loopback, crawls: Crawls
) -> None:
    first = crawls.run()
    assert set(titles(first)) == {HOME, *(f"{HOME}{path}" for path in ("shop", "serum", "listed", "list.pdf"))}
    site("/listed", page("Listed serum", "/new"))
    site("/new", page("New serum"))

    web.asked.clear()
    remembering = crawls.run("--known", known(crawls, first))
    asked = [(one.path, one.headers) for one in web.asked]
    memory_of(crawls).unlink()
    web.asked.clear()
    reading = crawls.run("--known", known(crawls, first))

    assert f"{HOME}new" in titles(remembering)
    assert asked == [(one.path, one.headers) for one in web.asked]
    assert told_of(remembering) == told_of(reading)


def exchanged(crawls: Crawls) -> None:
    """What the serum was read as becomes what the shop was read as: who is told it did not read."""
    with sqlite3.connect(memory_of(crawls)) as file:
        file.execute(
            "UPDATE page SET told = (SELECT told FROM page WHERE url = ?) WHERE url = ?", (SERUM, f"{HOME}shop")
        )


@pytest.mark.parametrize(("how", "title"), [((), "Serum"), (("--full",), "Shop")], ids=["as usual", "in full"])
def test_a_page_that_is_remembered_is_not_parsed(
    site: Callable[[str, Any], None], crawls: Crawls, how: tuple[str, ...], title: str
) -> None:
    first = crawls.run()
    exchanged(crawls)

    assert titles(crawls.run("--known", known(crawls, first), *how))[f"{HOME}shop"] == title


def test_a_replay_reads_every_page(site: Callable[[str, Any], None], crawls: Crawls) -> None:
    first = crawls.run()
    exchanged(crawls)

    assert titles(crawls.replay(first.folder)) == titles(first)
