"""Readers of sources against anything at all: they give records, or say by name what is wrong."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.source import BlockedError, LayoutChangedError
from crawler.sources import ca_hc_recalls
from tests.crawler.responses import json_response, response_of
from tests.crawler.source_fixtures import (
    LETTERS,
    LIST,
    REPORTS,
    SNAPSHOT,
    a_list,
    a_row,
    read,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
TAGS = st.sampled_from(
    [
        *("<html>", "<main>", "</main>", "<h1>", "</h1>", "<article>", "<dl>", "<dt>Product:</dt>", "<dd>", "</dd>"),
        *("</dl>", "<time>", "<!--", "<![CDATA[", "&amp;", "&#0;", "</div>", "<base href='//'>", "<title>", "Kelda"),
        *("<h1 class='content-title'>", "<p class='content-type-label'>WARNING LETTER</p>", "<div role='main'>"),
        *("<td data-label='Product'>", "<a href='http://[x'>", "<meta name='description' content='x'>"),
    ]
)
SOUP = st.lists(TAGS | st.text(max_size=10), max_size=25).map("".join)
CELLS = st.lists(st.sampled_from(a_row()) | st.text(max_size=20) | TAGS, min_size=6, max_size=9)
LISTS = st.builds(a_list, CELLS, CELLS, total=st.integers() | st.text(max_size=3))
ENTRIES = st.lists(st.fixed_dictionaries(dict.fromkeys(ca_hc_recalls.FIELDS, JSON)), min_size=1, max_size=2)
ANSWERS = st.fixed_dictionaries(
    {
        "meta": st.just({"results": {"total": 3}, "last_updated": "2026-01-01"}) | JSON,
        "results": st.lists(
            st.dictionaries(st.sampled_from(["recall_number", "recalling_firm", "report_date", "event_id"]), JSON)
        ),
    }
)


def only_named_errors(source: str, response: Any) -> None:
    try:
        records = read(source, response)
    except (LayoutChangedError, BlockedError):
        return
    assert all(record.source == source and record.title for record in records)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(body=st.one_of(JSON, LISTS, ENTRIES, ANSWERS), status=st.sampled_from([200, 400, 404, 500]))
def test_a_reader_never_falls_over_json(body: Any, status: int) -> None:
    for source, url in (
        ("us_fda_warning_letters", LIST),
        ("us_openfda_drug_enforcement", REPORTS),
        ("ca_hc_recalls", SNAPSHOT),
    ):
        only_named_errors(source, json_response(url, json.dumps(body), status))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(page=SOUP | st.binary(max_size=60), kind=st.sampled_from(["text/html", "application/json", "image/png", ""]))
def test_a_reader_never_falls_over_a_page(page: str | bytes, kind: str) -> None:
    for source, url in (
        ("us_fda_warning_letters", f"{LETTERS}/x"),
        ("us_openfda_drug_enforcement", REPORTS),
        ("ca_hc_recalls", SNAPSHOT.rpartition("/sites")[0] + "/en/alert-recall/x"),
    ):
        only_named_errors(source, response_of(url, page, kind))
