"""FDA's untitled letters, and the close-outs of its warning letters."""

from __future__ import annotations

import json
from datetime import date

import pytest

from crawler.page import Page
from crawler.sources import (
    us_fda_untitled_letters,
    us_fda_warning_letters,
)
from monitor.records import NoticeRecord, NoticeType, Outcome
from tests.crawler.conftest import Crawls, Ended
from tests.crawler.responses import json_response, response_of
from tests.crawler.test_source_runs import LETTERS, Desk, known_file, notices, use
from tests.crawler.test_us_pdf import tiny_pdf
from tests.crawler.us_fda import CARDS, FDA, at_a_set_time, fixture, read_notices
from tests.loopback import Loopback, Reply
from tests.samples import samples

# Untitled letters


def test_close_outs_and_promotional_files_are_no_untitled_letters() -> None:
    for name, keys in (("items.html", ["media/990001", "media/990002"]), ("table.html", ["media/990010"])):
        page = response_of(f"{FDA}/list", fixture("us_fda_untitled_letters", name))
        assert [n.key for n in read_notices("us_fda_untitled_letters", page)] == keys


def test_lists_are_found_from_the_hub_on_fdas_own_site() -> None:
    response = response_of(CARDS["us_fda_untitled_letters"].start, fixture("us_fda_untitled_letters", "hub.html"))
    options = us_fda_untitled_letters.Options.model_validate(CARDS["us_fda_untitled_letters"].options)

    lists = us_fda_untitled_letters.lists_on(Page.of(response), options)  # type: ignore[arg-type]

    assert sorted(lists) == sorted([f"{FDA}{THIRD}", *options.lists])


def test_a_row_of_the_table_tells_firm_product_and_what_followed() -> None:
    page = response_of(f"{FDA}{CDER}", fixture("us_fda_untitled_letters", "table.html"))

    (letter,) = read_notices("us_fda_untitled_letters", page)

    assert letter.organisations[0].name == "Orla Pharma, Inc."
    assert letter.products == ("ORLATIN ® (orlatinib)",)
    assert letter.status == "Close-Out Letter (PDF)"
    assert letter.issued == date(2026, 7, 14)


def test_a_letters_pdf_is_read() -> None:
    pdf = tiny_pdf("Your page www.kelda.example\nsells exosome vials.")

    (notice,) = read_notices("us_fda_untitled_letters", response_of(f"{FDA}/media/990001/download", pdf))

    assert (notice.key, notice.unread) == ("media/990001", ())
    assert notice.text == "Your page www.kelda.example\nsells exosome vials."
    assert notice.quoted_urls == ("https://www.kelda.example",)


CDER, CBER = (url.removeprefix(FDA) for url in CARDS["us_fda_untitled_letters"].options["lists"])
THIRD = "/drugs/tissue-office/untitled-letters"
"""A list that the hub alone knows of."""


def serve_letters(web: Loopback) -> None:
    hub = CARDS["us_fda_untitled_letters"].start.removeprefix(FDA)
    third = fixture("us_fda_untitled_letters", "table.html").replace("99001", "99002")
    for path, page in ((hub, "hub.html"), (CBER, "items.html"), (CDER, "table.html")):
        web.routes[f"www.fda.gov{path}"] = Reply(fixture("us_fda_untitled_letters", page))
    web.routes[f"www.fda.gov{THIRD}"] = Reply(third)
    for number in ("990001", "990002", "990020"):
        web.routes[f"www.fda.gov/media/{number}/download"] = Reply(tiny_pdf("To you."), content_type="application/pdf")
    web.routes["www.fda.gov/media/990010/download"] = Reply(tiny_pdf(""), content_type="application/pdf")


def test_untitled_letters_are_read_from_every_list(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_untitled_letters")
    serve_letters(web)

    first = crawls.run()

    assert first.code == 0, first.err
    told = {n.key: (n.text, n.unread) for n in notices(first)}
    assert told == {
        "media/990001": ("To you.", ()),
        "media/990002": ("To you.", ()),
        "media/990020": ("To you.", ()),
        "media/990010": ("", ("letter (PDF): the document holds pictures of pages and no text",)),
    }
    assert first.run.newest == date(2026, 9, 9)
    assert web.paths().count(CDER) == 1, "a list that hub and card name is read once"
    second = crawls.run("--known", known_file(crawls, first))
    assert (second.records, second.run.known) == ([], 4)


def test_a_letter_whose_pdf_is_not_there_is_told_and_asked_for_again(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_untitled_letters")
    serve_letters(web)
    good = web.routes["www.fda.gov/media/990001/download"]
    web.routes["www.fda.gov/media/990001/download"] = Reply("<html><p>The file has moved.</p></html>")

    first = crawls.run()
    (told,) = [n for n in notices(first) if n.key == "media/990001"]
    assert told.unread == ("letter (PDF): got text/html where a PDF was expected",)

    web.routes["www.fda.gov/media/990001/download"] = good
    again = crawls.run("--known", known_file(crawls, first))
    assert [(n.key, n.text) for n in notices(again)] == [("media/990001", "To you.")]


@pytest.mark.parametrize("page", [CDER, CARDS["us_fda_untitled_letters"].start.removeprefix(FDA)])
def test_a_list_without_letters_is_a_changed_layout(web: Loopback, crawls: Crawls, page: str) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_untitled_letters")
    serve_letters(web)
    web.routes[f"www.fda.gov{page}"] = Reply("<html><h1>Letters</h1><a href='/media/990010/download'>PDF</a></html>")

    ended = crawls.run()

    assert ended.run.outcome is Outcome.ERRORS
    assert "lists no untitled letter" in ended.problems["layout_changed"]


@pytest.mark.parametrize(("label", "outcome"), [("Untitled letter to Kelda", Outcome.ERRORS), ("Form", Outcome.OK)])
def test_a_page_from_the_hub_is_a_list_if_it_names_such_letters(
    web: Loopback, crawls: Crawls, label: str, outcome: Outcome
) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_untitled_letters")
    serve_letters(web)
    page = Reply(f"<html><h1>Letters</h1><a href='/media/990012/download'>{label}</a></html>")
    web.routes[f"www.fda.gov{THIRD}"] = page

    ended = crawls.run()

    assert ended.run.outcome is outcome
    assert sorted(n.key for n in notices(ended)) == ["media/990001", "media/990002", "media/990010"]
    assert bool(ended.run.not_kept) == (outcome is Outcome.OK)


def test_a_recording_of_pdfs_is_read_again_offline(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_untitled_letters")
    serve_letters(web)
    first = crawls.run()
    web.routes.clear()

    again = crawls.replay(first.folder)

    assert [(n.key, n.text, n.unread) for n in notices(again)] == [(n.key, n.text, n.unread) for n in notices(first)]


def test_the_recorded_list_of_untitled_letters_is_read() -> None:
    body = samples("us/fda_untitled_letters/listing-cber-excerpt.html").read_bytes()

    letters = read_notices("us_fda_untitled_letters", response_of(f"{FDA}/vaccines/untitled", body))

    assert [n.products[0] for n in letters] == ["AMTAGVI", "BREYANZI", "KYMRIAH", "TECARTUS"]
    assert {n.issued for n in letters} == {date(2026, 3, 9)}
    assert letters[1].organisations[0].name == "Juno Therapeutics Inc., a Bristol-Myers Squibb Company"
    assert letters[0].key == "media/191631"


# Close-outs of warning letters


@pytest.fixture
def desk(web: Loopback, crawls: Crawls) -> Desk:
    use(crawls, "demo_warning_letters", page_size=5)
    return Desk(web)


def close_outs(ended: Ended) -> list[NoticeRecord]:
    return [notice for notice in notices(ended) if notice.notice_type is NoticeType.CLOSE_OUT]


def close_out_page(desk: Desk, label: str = "CLOSE-OUT LETTER") -> Reply:
    answer = desk.web.routes[f"{desk.host}{LETTERS}firm-101"]
    assert isinstance(answer, Reply)
    html = str(answer.body).replace('text-center">WARNING LETTER<', f'text-center">{label}<')
    assert label in html
    return Reply(html)


def test_a_date_in_the_row_makes_a_close_out_of_its_own(desk: Desk, crawls: Crawls) -> None:
    desk.write(101, "09/01/2026")
    first = crawls.run()
    assert close_outs(first) == []

    desk.rows[0]["closeout"] = '<time datetime="2026-10-05T04:00:00Z">10/05/2026</time>'
    second = crawls.run("--known", known_file(crawls, first))

    (close_out,) = close_outs(second)
    assert close_out.key == f"{LETTERS}firm-101#close-out"
    assert close_out.issued == date(2026, 10, 5)
    assert close_out.organisations[0].name == "Firm 101"
    assert close_out.unread == ()
    letter = next(n for n in notices(second) if n.notice_type is NoticeType.WARNING_LETTER)
    assert letter.status == "close-out letter: 10/05/2026"
    third = crawls.run("--known", known_file(crawls, first, second))
    assert third.records == [], "the same row tells it once"


@pytest.mark.parametrize("label", ["CLOSE-OUT LETTER", "Closeout Letter", "CLOSE OUT LETTER"])
def test_a_linked_close_out_is_read_from_its_page(desk: Desk, crawls: Crawls, label: str) -> None:
    desk.write(101, "09/01/2026", closeout=f'<a href="{LETTERS}firm-101-close">Close Out Letter</a>')
    desk.web.routes[f"{desk.host}{LETTERS}firm-101-close"] = close_out_page(desk, label)

    (close_out,) = close_outs(crawls.run())

    assert close_out.url.endswith("firm-101-close")
    assert close_out.issued is not None
    assert "Dear" in close_out.text
    assert close_out.unread == ()
    assert len(close_out.captures) == 2


def test_a_close_out_as_pdf_is_read(desk: Desk, crawls: Crawls) -> None:
    desk.write(101, "09/01/2026", closeout='<a href="/media/7/download">10/05/2026</a>')
    desk.web.routes[f"{desk.host}/media/7/download"] = Reply(tiny_pdf("It is closed."), content_type="application/pdf")

    (close_out,) = close_outs(crawls.run())

    assert (close_out.text, close_out.issued) == ("It is closed.", date(2026, 10, 5))


def test_a_close_out_that_cannot_be_read_is_told_and_asked_for_again(desk: Desk, crawls: Crawls) -> None:
    desk.write(101, "09/01/2026", closeout=f'<a href="{LETTERS}firm-101-close">10/05/2026</a>')

    first = crawls.run()
    (told,) = close_outs(first)
    assert told.unread == ("close-out letter: the server answered 404",)

    desk.web.routes[f"{desk.host}{LETTERS}firm-101-close"] = close_out_page(desk, "RESPONSE LETTER")
    second = crawls.run("--known", known_file(crawls, first))
    assert "not understood" in close_outs(second)[0].unread[0]

    desk.web.routes[f"{desk.host}{LETTERS}firm-101-close"] = close_out_page(desk)
    third = crawls.run("--known", known_file(crawls, first, second))
    assert close_outs(third)[0].unread == ()
    assert crawls.run("--known", known_file(crawls, first, second, third)).records == []


def test_the_close_out_of_an_old_letter_is_seen_where_the_card_has_the_whole_list_read(
    desk: Desk, crawls: Crawls
) -> None:
    assert CARDS["us_fda_warning_letters"].options["quiet_pages"] * 500 > 7500, "more than the list can hold"
    use(crawls, "demo_warning_letters", page_size=2, quiet_pages=50)
    for number in range(12):
        desk.write(101 + number, f"09/{number + 1:02}/2026")
    first = crawls.run()
    desk.rows[-1]["closeout"] = "10/05/2026"

    second = crawls.run("--known", known_file(crawls, first))

    assert [n.key for n in close_outs(second)] == [f"{LETTERS}firm-101#close-out"]


def test_any_other_mark_in_the_cell_is_no_close_out(desk: Desk, crawls: Crawls) -> None:
    desk.write(101, "09/01/2026", closeout="N/A")

    ended = crawls.run()

    assert (len(ended.records), close_outs(ended)) == (1, [])


def test_the_list_alone_tells_of_a_close_out() -> None:
    row = json.loads(fixture("us_fda_warning_letters", "list.json"))
    found = read_notices("us_fda_warning_letters", json_response(f"{FDA}/datatables/views/ajax", json.dumps(row)))

    assert [n.key.endswith("#close-out") for n in found if n.notice_type is NoticeType.CLOSE_OUT] == [True]
    assert us_fda_warning_letters.CLOSE_OUT == "CLOSE-OUT LETTER"
