"""The readers give what is there, and stop with selector, count and address where it is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from scrapy.http import HtmlResponse

from crawler.page import Page, compact_date, iso_date, long_date, text_of, us_date
from crawler.source import LayoutChangedError

HTML = """
<h1> Letter to
  Follica </h1>
<p class="a">one</p><p class="a">two</p><p class="empty"> </p>
<table id="t"><tr><th>Name</th><th>Date</th></tr><tr><td>Serum</td><td>03/04/2026</td></tr></table>
<table id="ragged"><tr><td>Serum</td></tr></table>
<dl id="d"><dt>Office:</dt><dd>Invented Office</dd><dt>Products</dt><dd>Serum</dd><dd>Cream</dd></dl>
<dl id="twice"><dt>Office</dt><dd>A</dd><dt>Office:</dt><dd>B</dd></dl>
<dl id="bare"><dt>Office</dt><dt>Place</dt><dd>B</dd></dl>
"""
URL = "https://alerts.example/1"


@pytest.fixture
def page() -> Page:
    return Page.of(HtmlResponse(URL, body=HTML.encode(), encoding="utf-8"))


def test_what_is_there_is_given(page: Page) -> None:
    assert page.text("h1") == "Letter to Follica"
    assert [text_of(tag) for tag in page.many("p.a", at_least=2)] == ["one", "two"]
    assert page.maybe("p.none") is None
    assert text_of(page.maybe("h1") or page.root) == "Letter to Follica"
    assert page.rows("#t", columns=2) == [["Serum", "03/04/2026"]]
    assert page.pairs("#d") == {"Office": ["Invented Office"], "Products": ["Serum", "Cream"]}
    assert page.part(page.one("#t")).text("td:first-child") == "Serum"


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (lambda page: page.one("p.a"), "2 of `p.a` where exactly one must be"),
        (lambda page: page.one("p.none"), "0 of `p.none` where exactly one must be"),
        (lambda page: page.maybe("p.a"), "2 of `p.a` where at most one may be"),
        (lambda page: page.many("p.a", at_least=3), "2 of `p.a` where at least 3 must be"),
        (lambda page: page.text("p.empty"), "`p.empty` holds no text"),
        (lambda page: page.rows("#ragged", columns=2), "a row of `#ragged` has 1 cells where 2 must be"),
        (lambda page: page.pairs("#twice"), "`#twice` names 'Office' twice"),
        (lambda page: page.pairs("#bare"), "`#bare` names 'Office' without a value"),
    ],
)
def test_what_is_not_there_stops_the_reading(page: Page, read: Callable[[Page], object], said: str) -> None:
    with pytest.raises(LayoutChangedError) as caught:
        read(page)
    assert str(caught.value) == f"{said} ({URL})"


@pytest.mark.parametrize(
    ("read", "text", "day"),
    [
        (us_date, "03/04/2026", date(2026, 3, 4)),
        (us_date, " 3/4/2026 ", date(2026, 3, 4)),
        (long_date, "March 04, 2026", date(2026, 3, 4)),
        (long_date, "Sept. 4,  2026", date(2026, 9, 4)),
        (iso_date, "2026-03-04", date(2026, 3, 4)),
        (iso_date, "2026-03-04T23:30:00-05:00", date(2026, 3, 4)),
        (compact_date, "20260304", date(2026, 3, 4)),
    ],
)
def test_dates_are_read_as_printed(read: Callable[[str], date], text: str, day: date) -> None:
    assert read(text) == day


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (us_date, "13/04/2026"),
        (us_date, "04.03.2026"),
        (us_date, "03/04/26"),
        (long_date, "Smarch 4, 2026"),
        (long_date, "February 30, 2026"),
        (iso_date, "2026-3-4"),
        (iso_date, "2026-02-30"),
        (compact_date, "2026030"),
        (compact_date, "20261304"),
    ],
)
def test_what_is_no_date_is_not_guessed(read: Callable[[str], date], text: str) -> None:
    with pytest.raises(LayoutChangedError) as caught:
        read(text)
    assert repr(text) in str(caught.value)
