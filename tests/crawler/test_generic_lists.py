"""The reader of list pages and of their entries' pages: what it reads, and how it says that it did not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crawler.generic import html_list
from crawler.source import BlockedError, LayoutChangedError
from monitor.records import AnyRecord, NoticeRecord
from tests.crawler.cards import LIST, a_card
from tests.crawler.responses import response_of


def notices(records: Iterator[AnyRecord]) -> list[NoticeRecord]:
    return [record for record in records if isinstance(record, NoticeRecord)]


# List pages


def page(*rows: str, head: str = "<h1>News</h1>") -> str:
    return f"<html><body><nav><a href='/'>Home</a></nav><main>{head}<ul>{''.join(rows)}</ul></main></body></html>"


def read_list(body: str, language: str = "en", **options: Any) -> list[NoticeRecord]:
    card = a_card("html_list", language=language, **{"row": "main li", **options})
    return notices(html_list.read(response_of(LIST, body), card))


def test_rows_with_title_date_summary_and_label() -> None:
    row = (
        '<li><em>Recall</em> <a href="/n/1?utm_id=x">Kelda <b>kit</b></a> <time>18 November 2026</time><p>Why</p></li>'
    )

    (record,) = read_list(page(row), date="time", summary="p", label="em", types={"recall": "recall"})

    assert (record.key, record.title, record.posted) == ("https://office.example/n/1", "Kelda kit", date(2026, 11, 18))
    assert (record.summary, record.classification, record.notice_type) == ("Why", "Recall", "recall")


@pytest.mark.parametrize(
    ("language", "printed", "day"),
    [
        ("es", "30 de junio de 2026", date(2026, 6, 30)),
        ("pt", "3 de março de 2026", date(2026, 3, 3)),
        ("fr", "1er août 2026", date(2026, 8, 1)),
        ("de", "24. Juli 2026", date(2026, 7, 24)),
        ("de", "06.11.2026", date(2026, 11, 6)),
        ("fr", "06/11/2026", date(2026, 11, 6)),
        ("it", "5-mar-26", date(2026, 3, 5)),
        ("ko", "2026-08-21", date(2026, 8, 21)),
        ("ja", "2026年11月20日", date(2026, 11, 20)),
        ("zh", "2026/11/20", date(2026, 11, 20)),
        ("tr", "20 Ocak 2026", date(2026, 1, 20)),
        ("th", "20 พฤศจิกายน 2026", date(2026, 11, 20)),
    ],
)
def test_dates_in_the_lists_own_language(language: str, printed: str, day: date) -> None:
    row = f'<li><a href="/n/1">Kelda</a><i>{printed}</i></li>'

    (record,) = read_list(page(row), language=language, date="i")

    assert (record.posted, record.unread) == (day, ())


def test_numbers_are_read_in_the_cards_order_where_it_says_one() -> None:
    row = '<li><a href="/n/1">Kelda</a><i>06.11.2026</i></li>'

    assert read_list(page(row), date="i", date_order="DMY")[0].posted == date(2026, 11, 6)
    assert read_list(page(row), date="i", date_order="MDY")[0].posted == date(2026, 6, 11)


def test_a_date_glued_to_the_title_is_taken_off_it() -> None:
    row = '<li><a href="/n/1">30 de junio de 2026Se prohíbe el lote de Kelda</a></li>'

    (record,) = read_list(page(row), language="es", date_pattern=r"\d{1,2} de [a-zé]+ de \d{4}")

    assert (record.posted, record.title) == (date(2026, 6, 30), "Se prohíbe el lote de Kelda")


def test_a_date_that_stands_in_the_address_only() -> None:
    row = '<li><a href="2026-11/18/c_77.htm">Kelda</a></li>'

    (record,) = read_list(page(row), date_in_link=r"/(\d{4})-(\d{2})/(\d{2})/", id_pattern=r"c_(\d+)")

    assert (record.key, record.posted) == ("77", date(2026, 11, 18))


def test_a_link_that_is_its_own_row() -> None:
    body = page('<a href="/n/1"><p>3 May 2026</p><h3>Kelda</h3></a>')

    (record,) = read_list(body, row="a:has(h3)", title="h3", date_pattern=r"\d{1,2} [A-Z][a-z]+ \d{4}")

    assert (record.title, record.posted) == ("Kelda", date(2026, 5, 3))


def test_a_picture_beside_the_link_is_no_entry() -> None:
    rows = '<li><a href="/n/1"><img src="x"></a></li><li><a href="/n/1">Kelda</a></li>'

    listing = html_list.listing(response_of(LIST, page(rows)), a_card("html_list", row="main li"))

    assert ([entry.title for entry in listing.entries], listing.strange) == (["Kelda"], ())


def test_a_row_without_title_is_said() -> None:
    rows = '<li><a href="/n/1"> </a></li><li><a href="/n/2">Kelda</a></li>'

    listing = html_list.listing(response_of(LIST, page(rows)), a_card("html_list", row="main li"))

    assert listing.strange == ("no title in the row that links to https://office.example/n/1",)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (page(), "0 of `main li` where at least 1"),
        (page("<li>no link</li>"), r"no link \(`a\[href\]`\)"),
        (page('<li><a href="mailto:desk@office.example">Kelda</a></li>'), "is no address"),
        (page('<li><a href="/n/1">Kelda</a></li>', head=""), "0 of `h1` where at least 1"),
    ],
)
def test_a_list_that_is_not_understood_says_what_is_missing(body: str, complaint: str) -> None:
    with pytest.raises(LayoutChangedError, match=complaint):
        read_list(body, sentinel="h1")


def test_a_list_may_be_empty_but_not_without_its_sentinel() -> None:
    assert read_list(page(), sentinel="h1", empty_ok=True) == []
    with pytest.raises(LayoutChangedError, match="`h1`"):
        read_list(page(head=""), sentinel="h1", empty_ok=True)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"row": "li::["}, "no CSS selector"),
        ({"row": "li", "date_pattern": "("}, "no regular expression"),
        ({"row": "li", "types": {"(": "recall"}}, "no regular expression"),
        ({"row": "li", "terms": ["xx"]}, "no term list for xx"),
        ({"row": "li", "gate": "text"}, "gate: text needs follow"),
        ({"row": "li", "rows": 1}, "rows"),
        ({}, "row"),
    ],
)
def test_an_option_that_cannot_be_is_refused(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        html_list.Options.model_validate(options)


# An entry's page


def test_a_page_by_itself_gives_its_main_text_and_the_addresses_it_quotes() -> None:
    body = (
        "<html><head><title>T</title></head><body><nav>Menu</nav><main><h1>Kelda</h1><p>Sold at www.kelda.example</p>"
        "<form>Search</form></main><footer>Contact</footer></body></html>"
    )
    card = a_card("html_list", row="li")

    (record,) = notices(html_list.read(response_of("https://office.example/n/1", body), card))

    assert (record.title, record.text) == ("Kelda", "Kelda\nSold at www.kelda.example")
    assert record.quoted_urls == ("https://www.kelda.example",)


@pytest.mark.parametrize(
    ("body", "options"),
    [("<html><body></body></html>", {}), ("<main><h1>K</h1></main>", {"text_selector": ".body"}), ("{}", {})],
)
def test_a_page_without_its_text_is_said(body: str, options: dict[str, str]) -> None:
    kind = "application/json" if body == "{}" else "text/html"
    card = a_card("html_list", row="li", **options)

    with pytest.raises(LayoutChangedError):
        notices(html_list.read(response_of("https://office.example/n/1", body, kind), card))


TAGS = st.sampled_from(
    [
        *(
            "<main>",
            "</main>",
            "<ul>",
            "<li>",
            "</li>",
            "<a href='/n/1'>",
            "<a href='http://[x'>",
            "<a>",
            "</a>",
            "<h1>",
        ),
        *(
            "</h1>",
            "<time>",
            "3 May 2026",
            "31 February 2026",
            "<!--",
            "<base href='//'>",
            "Kelda",
            "&#0;",
            "%PDF-",
            "<td>",
        ),
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=80)
@given(body=st.lists(TAGS | st.text(max_size=8), max_size=20).map("".join), at=st.sampled_from([LIST, f"{LIST}/7"]))
def test_the_reader_of_pages_never_falls_over(body: str, at: str) -> None:
    card = a_card("html_list", row="li", date="time", title="a", follow=True)
    try:
        records = notices(html_list.read(response_of(at, body), card))
    except (LayoutChangedError, BlockedError):
        return
    assert all(record.key and record.title for record in records)
