"""FDA's Purple Book: which biological products are licensed."""

from __future__ import annotations

from datetime import date

import pytest

from crawler.page import Page
from crawler.source import LayoutChangedError
from crawler.sources import (
    us_fda_purple_book,
)
from monitor.records import AuthorisationRecord, Outcome
from tests.crawler.conftest import Crawls
from tests.crawler.responses import response_of
from tests.crawler.test_source_runs import known_file, use
from tests.crawler.us_fda import CARDS, at_a_set_time, authorisations, fixture, read
from tests.loopback import Loopback, Reply
from tests.samples import samples

BOOK = "https://purplebooksearch.fda.gov/files/2026/purplebook-search-june-data-download.csv"


def book(text: str, url: str = BOOK) -> list[AuthorisationRecord]:
    return authorisations(read("us_fda_purple_book", response_of(url, text, "text/csv")))


def test_only_what_stands_below_the_last_header_is_the_book() -> None:
    products = book(fixture("us_fda_purple_book", "september.csv"))

    assert "Decoy" not in {p.product for p in products}
    assert [p.key for p in products] == ["990001/001", "17990/004", "990003/001"]


@pytest.mark.parametrize(
    ("printed", "day"),
    [
        ("31-Dec-02", date(2002, 12, 31)),
        ("15-Jan-74", date(1974, 1, 15)),
        ("1-Jul-26", date(2026, 7, 1)),
        ("2-Jul-26", date(1926, 7, 2)),
        ("20-Jul-40", date(1940, 7, 20)),
        ("May 22, 2025", date(2025, 5, 22)),
        ("", None),
        ("N/A", None),
    ],
)
def test_a_year_of_two_digits_lies_before_the_book(printed: str, day: date | None) -> None:
    assert us_fda_purple_book.day_of(printed, date(2026, 7, 1)) == day


def test_the_names_of_columns_changed_over_the_years() -> None:
    older = fixture("us_fda_purple_book", "september.csv").replace("License Type", "BLA Type")

    assert book(older)[0].kinds == ("BLA", "351(a)", "CBER")
    with pytest.raises(LayoutChangedError, match="Licensure"):
        book(fixture("us_fda_purple_book", "september.csv").replace("Licensure,", "State,"))


def test_the_newest_file_is_chosen_by_its_address_in_either_spelling() -> None:
    page = response_of(CARDS["us_fda_purple_book"].start, fixture("us_fda_purple_book", "downloads.html"))

    assert us_fda_purple_book.newest_file(Page.of(page)).endswith("/2026/purplebook-search-September-data-download.csv")  # type: ignore[arg-type]


def test_months_are_tried_backwards_in_both_spellings() -> None:
    options = us_fda_purple_book.Options(files=("https://x.example/{year}/{month}.csv",), months_back=2)

    assert us_fda_purple_book.candidates(options, date(2026, 1, 9)) == [
        "https://x.example/2026/january.csv",
        "https://x.example/2026/January.csv",
        "https://x.example/2025/december.csv",
        "https://x.example/2025/December.csv",
    ]


HOST = "purplebooksearch.fda.gov"
MIRROR = "www.accessdata.fda.gov/drugsatfda_docs/PurpleBook/2026/purplebook-search-September-data-download.csv"


def test_the_book_is_found_on_its_page_and_read_once(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_purple_book")
    file = MIRROR
    web.routes[f"{HOST}/downloads"] = Reply(fixture("us_fda_purple_book", "downloads.html"))
    web.routes[file] = Reply(fixture("us_fda_purple_book", "september.csv"), content_type="text/csv")

    first = crawls.run()
    assert first.code == 0, first.err
    assert (first.run.items, first.run.listed) == ({"authorisation": 3}, 4)
    assert first.run.not_kept == {"further row of a product": 1}

    revoked = fixture("us_fda_purple_book", "september.csv").replace("Rx,Licensed,31-Dec-02", "Disc,Revoked,31-Dec-02")
    web.routes[file] = Reply(revoked, content_type="text/csv")
    second = crawls.run("--known", known_file(crawls, first))
    (changed,) = authorisations(second.records)
    assert (changed.product, changed.status) == ("Keldavel", "withdrawn")


@pytest.mark.parametrize("page", [Reply("gone", 404), Reply("<html><h1>Downloads</h1></html>")])
def test_without_its_page_the_book_is_looked_for_by_its_usual_address(
    web: Loopback, crawls: Crawls, page: Reply
) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_purple_book")
    web.routes[f"{HOST}/downloads"] = page
    web.routes[f"{HOST}/files/2026/purplebook-search-September-data-download.csv"] = Reply(
        fixture("us_fda_purple_book", "september.csv"), content_type="text/csv"
    )

    ended = crawls.run()

    assert len(ended.records) == 3
    months = [path.rpartition("/")[2] for path in web.paths(HOST) if path.startswith("/files/2026")]
    assert [name.split("-")[2] for name in months] == ["october", "October", "september", "September"]
    assert ended.run.problems == ()


def test_a_book_that_is_nowhere_is_said(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_purple_book")
    web.routes[f"{HOST}/downloads"] = Reply("gone", 404)

    ended = crawls.run()

    assert "no file of the last 4 months" in ended.problems["http_error"]
    assert ended.run.outcome is Outcome.ERRORS


def test_a_recorded_book_is_read_again_offline(web: Loopback, crawls: Crawls) -> None:
    at_a_set_time(crawls)
    use(crawls, "us_fda_purple_book")
    web.routes[f"{HOST}/downloads"] = Reply("gone", 404)
    web.routes[f"{HOST}/files/2026/purplebook-search-September-data-download.csv"] = Reply(
        fixture("us_fda_purple_book", "september.csv"), content_type="text/csv"
    )
    first = crawls.run()
    web.routes.clear()

    again = crawls.replay(first.folder)

    assert [p.key for p in authorisations(again.records)] == [p.key for p in authorisations(first.records)]


def test_the_recorded_book_is_read() -> None:
    products = book(samples("us/purple_book/purplebook-june-2026.excerpt.csv").read_text(encoding="utf-8"))

    assert [p.product for p in products] == [
        *("Humira", "Amjevita", "Yusimry", "Keytruda", "Panhematin", "Flublok", "Novarel"),
    ]
    days = {p.product: p.authorised for p in products}
    assert (days["Humira"], days["Novarel"]) == (date(2002, 12, 31), date(1974, 1, 15))
    assert "x/x" not in {p.key for p in products}, "the decoy above the second header"
    assert {p.status for p in products} == {"authorised"}
    assert not any("exosome" in f"{p.product} {p.substance}".lower() for p in products)
