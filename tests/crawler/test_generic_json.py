"""The reader of JSON tables: what it reads, and how it says that it did not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.generic import json_table
from crawler.source import BlockedError, LayoutChangedError
from monitor.records import AnyRecord, NoticeRecord
from tests.crawler.cards import LIST, a_card
from tests.crawler.responses import json_response


def notices(records: Iterator[AnyRecord]) -> list[NoticeRecord]:
    return [record for record in records if isinstance(record, NoticeRecord)]


def read_json(payload: Any, start: str = LIST, **options: Any) -> list[NoticeRecord]:
    fields = {"key": "id", "title": "name.text"}
    card = a_card("json_table", start=start, **{"rows": "data.rows", "fields": fields, **options})
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return notices(json_table.read(json_response(start, body), card))


def rows_of(*rows: Any) -> dict[str, Any]:
    return {"data": {"rows": list(rows)}}


A_ROW: dict[str, Any] = {"id": 7, "name": {"text": "Kelda &amp; Sons"}, "tags": ["a", "b"], "firms": [{"n": "Kelda"}]}


def test_dotted_names_reach_into_rows() -> None:
    fields = {
        "key": ["id", "firms.0.n"],
        "title": ["name.text", "firms.0.n"],
        "labels": ["tags"],
        "posted": "when",
        "url": "link",
    }
    row = {**A_ROW, "when": "2026-11-18T23:30:00+00:00", "link": "/n/7"}

    (record,) = read_json(rows_of(row), fields=fields)

    assert (record.key, record.title) == ("7/Kelda", "Kelda & Sons \N{EN DASH} Kelda")
    assert (record.classification, record.posted, record.url) == (
        "a, b",
        date(2026, 11, 18),
        "https://office.example/n/7",
    )


def test_an_address_is_made_of_the_id_where_the_table_gives_none() -> None:
    (record,) = read_json(rows_of({**A_ROW, "id": "a b/7"}), url_template="https://office.example/x/{key}")

    assert record.url == "https://office.example/x/a%20b%2F7"


def test_a_bom_and_a_bare_list_are_read() -> None:
    body = b"\xef\xbb\xbf" + json.dumps([A_ROW]).encode()

    assert [record.key for record in read_json(body, rows="")] == ["7"]


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        ({"data": {}}, "no list of rows at data.rows"),
        ({"data": {"rows": {"1": A_ROW}}}, "no list of rows"),
        (rows_of(), "is empty, where it never is"),
        (rows_of({"id": 7, "name": {}}), "no row has name.text"),
        (rows_of({"id": None, "name": {"text": "x"}}), "without id"),
        (b"<html>no</html>", "JSON"),
        (b'{"data": {"rows": [', "no JSON"),
    ],
)
def test_a_table_that_is_not_understood_says_why(payload: Any, complaint: str) -> None:
    with pytest.raises(LayoutChangedError, match=complaint):
        read_json(payload)


def more_of(count: int, url: str, **paging: Any) -> str:
    card = a_card(
        "json_table",
        start=LIST,
        rows="",
        fields={"key": "id", "title": "id"},
        paging={"parameter": "offset", "size": 2, **paging},
    )
    body = json.dumps([{"id": number} for number in range(1, count + 1)])
    return json_table.listing(json_response(url, body), card).more


def test_the_next_page_is_asked_for_while_pages_are_full() -> None:
    assert more_of(2, f"{LIST}?order=date%20desc") == f"{LIST}?order=date%20desc&offset=2"
    assert more_of(2, f"{LIST}?offset=2&limit=2") == f"{LIST}?limit=2&offset=4"
    assert more_of(1, f"{LIST}?offset=2") == ""
    assert more_of(2, f"{LIST}?offset=2", last=3) == "", "the server gives nothing beyond"
    assert more_of(2, f"{LIST}?offset=1", counts="pages", first=1) == f"{LIST}?offset=2"


def test_an_empty_page_after_a_full_one_is_the_end_and_no_change() -> None:
    card = a_card("json_table", rows="", fields={"key": "id", "title": "id"}, paging={"parameter": "offset", "size": 2})

    assert json_table.listing(json_response(f"{LIST}?offset=2", "[]"), card).entries == ()
    with pytest.raises(LayoutChangedError, match="is empty"):
        json_table.listing(json_response(LIST, "[]"), card)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "name", "text"]), inner),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(payload=JSON)
def test_the_reader_of_json_never_falls_over(payload: Any) -> None:
    for one in (payload, rows_of(payload)):
        try:
            records = read_json(one)
        except (LayoutChangedError, BlockedError):
            continue
        assert all(record.key and record.title for record in records)
