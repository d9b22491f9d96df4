"""The US readers against anything at all: records, or an error with a name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.source import BlockedError, LayoutChangedError, load_cards, spider_module
from tests.crawler.responses import response_of

CARDS = load_cards()
FDA = "https://www.fda.gov"
ADDRESSES = {
    "us_fda_recalls": [CARDS["us_fda_recalls"].start, f"{FDA}/safety/recalls-market-withdrawals-safety-alerts/x"],
    "us_fda_import_alerts": [CARDS["us_fda_import_alerts"].start],
    "us_fda_untitled_letters": [CARDS["us_fda_untitled_letters"].start, f"{FDA}/media/1/download"],
    "us_fda_purple_book": [
        CARDS["us_fda_purple_book"].start,
        "https://purplebooksearch.fda.gov/files/2026/purplebook-search-june-data-download.csv",
    ],
    "us_federal_register": [CARDS["us_federal_register"].start],
    "us_ftc_warning_letters": [CARDS["us_ftc_warning_letters"].start],
    "us_doj_press": [CARDS["us_doj_press"].start],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    [
        *("path", "field_change_date_2", "field_company_name", "changed", "document_number", "title", "type"),
        *("publication_date", "html_url", "agencies", "cfr_references", "docket_ids", "uuid", "url", "date", "body"),
        *("component", "topic", "teaser"),
    ]
)
VALUES = JSON | st.sampled_from(["2026-01-01", "https://www.justice.gov/x", "/x", "1738818000", "01/02/2026"])
ROWS = st.lists(st.dictionaries(FIELDS, VALUES), max_size=3)
ANSWERS = ROWS | st.fixed_dictionaries(
    {
        "count": st.just(2) | JSON,
        "results": ROWS | JSON,
        "metadata": st.just({"resultset": {"count": "2"}}) | JSON,
    }
)
SOUP = st.lists(
    st.sampled_from(
        [
            *("<html>", "<body>", "<main>", "<div role='main'>", "<h1 class='content-title'>Kelda", "</h1>", "</div>"),
            *(
                "<dl class='lcds-description-list--grid'>",
                "<dt>FDA Publish Date:</dt>",
                "<dd>May 1, 2026</dd>",
                "</dl>",
            ),
            *("<h2 id='recall-announcement'>", "</h2>", "<p class='content-type-label'>X</p>", "<table>", "</table>"),
            *("<th>Import Alert Number</th>", "<tr><td>66-41</td>", "<td>DWPE</td>", "<td>01/02/2026</td>", "</tr>"),
            *("<td><a href='//[x'>n</a></td>", "<h3>Import Alert Name:</h3>", "<div>Import Alert # 66-41</div>"),
            *("<div class='div-info'>", "<div class='center'><h4>(a.k.a. Red List)</h4></div>", "<h4>ERIADOR</h4>"),
            *("<a href='/media/1'>May 1, 2026 Untitled Letter - X</a>", "<a href='/untitled-letters'>l</a>"),
            *("<p>Displaying 1 - 2 of 2</p>", "<article about='/x' class='node--1'>", "</article>", "%PDF-1.4"),
            *("<time datetime='2026-07-06T12:00:00Z'>", "<div class='field--name-field-date'>", "<div class='file'>"),
            *("N/R/U,Applicant,BLA Number,Proprietary Name,Proper Name\n", '"', ",", "\n", "\x00"),
        ]
    )
    | st.text(max_size=10),
    max_size=30,
).map("".join)


def only_named_errors(source: str, url: str, body: str | bytes, kind: str, status: int) -> None:
    card = CARDS[source]
    try:
        records: list[Any] = list(spider_module(card).read(response_of(url, body, kind, status), card))
    except (LayoutChangedError, BlockedError):
        return
    assert all(record.source == source for record in records)


@pytest.mark.parametrize("source", ADDRESSES)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(body=ANSWERS | JSON, status=st.sampled_from([200, 400, 404]))
def test_a_reader_never_falls_over_json(source: str, body: Any, status: int) -> None:
    for url in ADDRESSES[source]:
        only_named_errors(source, url, json.dumps(body), "application/json", status)


@pytest.mark.parametrize("source", ADDRESSES)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=100)
@given(page=SOUP | st.binary(max_size=60), kind=st.sampled_from(["text/html", "text/csv", "application/pdf", ""]))
def test_a_reader_never_falls_over_a_page(source: str, page: str | bytes, kind: str) -> None:
    for url in ADDRESSES[source]:
        only_named_errors(source, url, page, kind, 200)
