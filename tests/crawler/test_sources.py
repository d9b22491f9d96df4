"""Every card's reader against its own fixture; dates and addresses as sources print them."""

from __future__ import annotations

import json
import re
from calendar import month_name
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.source import LayoutChangedError, spider_module
from crawler.sources import reading, us_fda_warning_letters
from monitor.records import (
    SourceCard,
)
from tests.crawler.source_fixtures import (
    CARDS,
    FIXTURES,
    SHAPES,
    read_fixture,
)


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)
def test_a_source_reads_its_fixture_as_expected(card: SourceCard) -> None:
    folder = FIXTURES / card.id
    assert folder.is_dir(), f"{card.id} has no fixture: make {folder} with about.json, its files and expected.jsonl"

    found = [record.model_dump(mode="json") for record in read_fixture(card)]

    lines = (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    assert found == [json.loads(line) for line in lines]


def test_no_fixture_is_without_its_card() -> None:
    assert {folder.name for folder in FIXTURES.iterdir()} == set(CARDS)


@pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)
def test_a_card_says_what_it_means_and_what_is_healthy(card: SourceCard) -> None:
    module = spider_module(card)

    module.Options.model_validate(card.options)
    assert issubclass(module.Spider, reading.ListSpider)
    assert card.expect.listed is not None
    assert set(card.expect.filled) <= set(SHAPES[card.kind].model_fields)
    assert card.demo == card.id.startswith("demo_")
    assert card.demo == (".example/" in card.start)


def test_an_option_that_nobody_reads_is_refused() -> None:
    options = {**CARDS["us_fda_warning_letters"].options, "page_sice": 10}

    with pytest.raises(ValueError, match="page_sice"):
        us_fda_warning_letters.Options.model_validate(options)


# Dates, text, addresses


@pytest.mark.parametrize(
    ("printed", "day"),
    [
        ("03/17/2026", date(2026, 3, 17)),
        ("March 4, 2026", date(2026, 3, 4)),
        ("September\u00a009, 2025", date(2025, 9, 9)),
        (" ", None),
    ],
)
def test_american_dates(printed: str, day: date | None) -> None:
    assert reading.american_date(printed) == day


@pytest.mark.parametrize(
    ("given", "day"), [("20260317", date(2026, 3, 17)), ("2026-03-17", date(2026, 3, 17)), ("", None)]
)
def test_plain_dates(given: str, day: date | None) -> None:
    assert reading.plain_date(given) == day


@pytest.mark.parametrize("text", ["17/03/2026", "02/30/2026", "Smarch 3, 2026", "soon", "2026/03/17"])
def test_what_is_no_american_date_is_refused(text: str) -> None:
    with pytest.raises(LayoutChangedError):
        reading.american_date(text)


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2999, 12, 31)))
def test_every_date_comes_back(day: date) -> None:
    assert reading.american_date(f"{day:%m/%d/%Y}") == day
    assert reading.american_date(f"{month_name[day.month]} {day.day}, {day.year}") == day
    assert reading.plain_date(f"{day:%Y%m%d}") == day == reading.plain_date(day.isoformat())


@given(st.text(max_size=30))
def test_a_date_reader_gives_a_date_or_says_no(text: str) -> None:
    for reader in (reading.american_date, reading.plain_date):
        try:
            found = reader(text)
        except LayoutChangedError:
            continue
        assert (found is None) == (reading.clean(text) == "")


def test_quoted_addresses_are_those_of_sellers() -> None:
    text = (
        "See www.kelda.example, (https://shop.kelda.example/serum?x=1). Or kelda-hair.com/faq; write to desk@kelda.com."
        " Sections 505.a and Inc.The are none, nor is https://www.fda.gov/x or www.ftc.gov. Again www.kelda.example."
    )

    assert reading.quoted_addresses(text, "www.fda.gov") == (
        "https://www.kelda.example",
        "https://shop.kelda.example/serum?x=1",
        "https://kelda-hair.com/faq",
    )


@given(st.text(max_size=200))
def test_quoted_addresses_are_addresses(text: str) -> None:
    for address in reading.quoted_addresses(text, "www.fda.gov"):
        assert re.match(r"https?://[^\s<>]+$", address, re.IGNORECASE)
