"""FTC's warning letters and feeds."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from crawler.page import Page
from crawler.source import LayoutChangedError, load_cards, spider_module
from crawler.sources import us_ftc_warning_letters as letters
from monitor.records import NoticeRecord, Outcome
from tests.crawler.conftest import Crawls
from tests.crawler.responses import response_of
from tests.crawler.test_source_runs import known_file, notices, use
from tests.crawler.test_us_pdf import tiny_pdf
from tests.loopback import Asked, Loopback, Reply
from tests.samples import samples

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
SOURCE = "us_ftc_warning_letters"
START = CARDS[SOURCE].start
HOST = "www.ftc.gov"
LIST = (FIXTURES / SOURCE / "list.html").read_text(encoding="utf-8")


def page_of(html: str | bytes) -> Page:
    return Page.of(response_of(START, html))  # type: ignore[arg-type]


def test_a_file_within_a_row_is_no_row_of_its_own() -> None:
    total, found, strange = letters.read_list(page_of(LIST))

    assert (total, [letter.key for letter in found], strange) == (2, ["node/990078", "node/990080"], [])
    assert found[0].url == f"https://{HOST}/system/files/ftc_gov/pdf/kelda-letter.pdf"
    assert found[0].further == ("Annex",)
    assert (found[1].url, found[1].release) == ("", "")
    assert found[0].posted == date(2026, 7, 6)


def test_rows_that_are_not_closed_are_still_told_apart() -> None:
    _total, found, strange = letters.read_list(page_of(LIST.replace("</article></div>", "")))

    assert ([letter.firm for letter in found], strange) == (["Kelda Clinic & Co. d/b/a Kelda Hair", "Tansy Works"], [])


@pytest.mark.parametrize(
    ("changed", "to"),
    [("Displaying 1 - 2 of 2", "Letters"), ("article about", "article data-about"), ("node--99", "n-99")],
)
def test_without_a_marker_the_list_is_not_understood(changed: str, to: str) -> None:
    with pytest.raises(LayoutChangedError):
        letters.read_list(page_of(LIST.replace(changed, to)))


class Shelf:
    """A list of letters, newest first, some on a page, and a PDF for each."""

    def __init__(self, web: Loopback, size: int = 2) -> None:
        self.web = web
        self.size = size
        self.rows: list[tuple[int, str]] = []
        self.paged = True
        web.routes[f"{HOST}/legal-library/browse/warning-letters"] = self._list

    def send(self, number: int, day: str, text: str = "You sell exosomes.") -> None:
        self.rows.insert(0, (number, day))
        pdf = Reply(tiny_pdf(text), content_type="application/pdf")
        self.web.routes[f"{HOST}/system/files/{number}.pdf"] = pdf

    def _list(self, asked: Asked) -> Reply:
        page = int(asked.path.partition("?page=")[2] or 0) if self.paged else 0
        shown = self.rows[page * self.size : (page + 1) * self.size]
        rows = "".join(self._row(number, day) for number, day in shown)
        return Reply(f"<html><body><p>Displaying 1 - {self.size} of {len(self.rows)}</p>{rows}</body></html>")

    def _row(self, number: int, day: str) -> str:
        about = f"/legal-library/browse/warning-letters/firm-{number}"
        return (
            f'<article about="{about}" class="node node--{number}"><h3 class="node-title"><a href="{about}">'
            f'Firm {number}</a></h3><div class="field--name-field-date"><time datetime="{day}T12:00:00Z">x</time></div>'
            f'<div class="file"><a href="/system/files/{number}.pdf">Letter</a></div></article>'
        )

    @property
    def pages(self) -> int:
        return sum(path.startswith("/legal-library") for path in self.web.paths(HOST))


@pytest.fixture
def shelf(web: Loopback, crawls: Crawls) -> Shelf:
    crawls.config["rehearsal"]["now"] = "2026-10-12T06:00:00Z"
    use(crawls, SOURCE)
    filled = Shelf(web)
    for number in range(1, 10):
        filled.send(number, f"2026-09-{number:02}")
    return filled


def test_the_list_is_paged_through_and_every_letter_read(shelf: Shelf, crawls: Crawls) -> None:
    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert sorted(n.key for n in notices(ended)) == [f"node/{number}" for number in range(1, 10)]
    assert (ended.run.listed, shelf.pages) == (9, 5)
    assert {n.text for n in notices(ended)} == {"You sell exosomes."}
    assert ended.run.newest == date(2026, 9, 9)


def test_a_second_run_stops_early_and_brings_only_what_is_new(shelf: Shelf, crawls: Crawls) -> None:
    first = crawls.run()
    shelf.web.asked.clear()
    shelf.send(10, "2026-10-01")

    second = crawls.run("--known", known_file(crawls, first))

    assert [n.key for n in notices(second)] == ["node/10"]
    assert shelf.pages == 3, "two pages of nothing new end it"


def test_a_list_that_goes_round_in_circles_is_not_taken_for_whole(shelf: Shelf, crawls: Crawls) -> None:
    shelf.paged = False

    ended = crawls.run()

    assert "once more" in ended.problems["layout_changed"]
    assert ended.run.outcome is Outcome.ERRORS
    assert shelf.pages == 2


def test_a_letter_of_pictures_is_told_and_not_asked_for_again(shelf: Shelf, crawls: Crawls) -> None:
    shelf.send(10, "2026-10-01", text="")

    first = crawls.run()
    (told,) = [n for n in notices(first) if n.key == "node/10"]
    assert told.unread == ("letter (PDF): the document holds pictures of pages and no text",)
    assert crawls.run("--known", known_file(crawls, first)).records == []


def test_recorded_letters_are_read() -> None:
    folder = samples("us/ftc")
    total, found, strange = letters.read_list(page_of((folder / "warning-letters-listing-excerpt.html").read_bytes()))
    node = (folder / "warning-letter-node-vtron-excerpt.html").read_bytes()
    (own,) = spider_module(CARDS[SOURCE]).read(response_of(f"{START}/vtron", node), CARDS[SOURCE])

    assert (total, len(found), strange) == (779, 2, [])
    assert [letter.key for letter in found] == ["node/334078", "node/334080"]
    assert found[1].firm == "A&F Drum Company LLC"
    assert "Made in the USA" in found[0].release
    assert own.key == "node/334078"
    assert own.organisations[0].name == found[0].firm
    assert own.issued == found[0].posted == date(2026, 7, 6)


# Feeds


def test_a_release_in_two_feeds_is_one_and_is_kept_for_what_its_page_says(web: Loopback, crawls: Crawls) -> None:
    source = "us_ftc_press"
    crawls.config["rehearsal"]["now"] = "2026-10-12T06:00:00Z"
    use(crawls, source)
    feed = (FIXTURES / source / "feed.xml").read_text(encoding="utf-8")
    plain = feed.replace("Stem Cell Cures", "Cures")
    for name in ("press-release-consumer-protection", "press-release", "blog-business"):
        web.routes[f"{HOST}/feeds/{name}.xml"] = Reply(plain, content_type="application/rss+xml")
    release = (FIXTURES / source / "release.html").read_text(encoding="utf-8")
    web.routes[f"{HOST}/news-events/news/press-releases/2026/10/office-stops-clinic"] = Reply(release)
    other = "<html><main><h1>Office Opens a Branch</h1><p>It is open on weekdays.</p></main></html>"
    web.routes[f"{HOST}/news-events/news/press-releases/2026/10/office-opens"] = Reply(other)

    ended = crawls.run()

    assert ended.code == 0, ended.err
    (kept,) = notices(ended)
    assert (kept.key, kept.posted) == ("990907", date(2026, 10, 6)), "the day of its own zone"
    assert kept.summary == "A clinic & its owner must stop."
    assert "https://www.kelda-clinic.example" in kept.quoted_urls
    assert sum(ended.run.not_kept.values()) == 5


def test_what_ftc_says_of_an_open_case_is_called_an_allegation() -> None:
    assert "allegation" in CARDS["us_ftc_press"].means
    lines = (FIXTURES / "us_ftc_press" / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    assert {NoticeRecord.model_validate(json.loads(line)).notice_type.value for line in lines} == {"news"}
