"""The reader of CSV tables: what it reads, and how it says that it did not."""

from __future__ import annotations

import tracemalloc
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.generic import csv_table
from crawler.source import BlockedError, LayoutChangedError
from monitor.records import AnyRecord, AuthorisationRecord, NoticeRecord
from tests.crawler.cards import LIST, a_card
from tests.crawler.responses import response_of

COLUMNS = {"key": "Nr", "title": "Name", "posted": "Tag"}


def read_csv(body: bytes | str, **options: Any) -> list[AnyRecord]:
    card = a_card("csv_table", **{"fields": COLUMNS, **options})
    return list(csv_table.read(response_of(LIST, body, "text/csv"), card))


@pytest.mark.parametrize(
    ("body", "options"),
    [
        (b"\xef\xbb\xbfNr;Name;Tag\r\n1;K\xc3\xa9lda;2026-11-18\r\n", {}),
        ("Nr;Name;Tag\n1;Kélda;2026-11-18".encode("cp1252"), {"encoding": "cp1252"}),
        ("Nr\tName\tTag\n1\tKélda\t2026-11-18\n".encode("utf-16"), {"encoding": "utf-16"}),
        ('"Nr","Name","Tag"\n"1","Kélda","2026-11-18"\n', {}),
        ("Created by us\nOn,25.11.2026\n\nNr,Name,Tag\n1,Kélda,2026-11-18\n", {"header_starts": "Nr"}),
        ("x;Tag;Name;Nr\n;2026-11-18;Kélda;1\n", {"delimiter": ";"}),
    ],
    ids=["BOM", "cp1252", "utf-16 and tabs", "commas", "lines before the names", "columns in another order"],
)
def test_encodings_delimiters_and_preambles(body: bytes | str, options: dict[str, Any]) -> None:
    (record,) = read_csv(body, **options)

    assert isinstance(record, NoticeRecord)
    assert (record.key, record.title, record.posted) == ("1", "Kélda", date(2026, 11, 18))


def test_a_value_may_go_on_in_the_next_line() -> None:
    (record,) = read_csv('Nr;Name;Tag\n1;"Kelda ""X""\nkit; large";2026-11-18\n')

    assert isinstance(record, NoticeRecord)
    assert record.title == 'Kelda "X" kit; large'


def test_quotation_marks_that_are_just_signs() -> None:
    body = 'Nr;Name;Tag\n"1";"Kelda "exo" &AMP; Sons";"2026-11-18"\n2;5" needle;2026-11-18\n3;Onda;2026-11-18\n'

    found = read_csv(body, multiline=False)

    assert [getattr(record, "title", "") for record in found] == ['Kelda "exo" & Sons', '5" needle', "Onda"]


def test_a_sign_that_other_programs_take_for_a_line_break_is_none() -> None:
    body = "Nr;Name;Tag\n1;Kelda\x85kit\u2028x;2026-11-18\n".encode()

    assert [getattr(record, "title", "") for record in read_csv(body)] == ["Kelda kit x"]


def test_a_few_broken_rows_are_counted_and_let_pass() -> None:
    good = "".join(f"{number};Kelda {number};2026-11-18\n" for number in range(300))
    reader = csv_table.RowReader(csv_table.Options.model_validate({"fields": COLUMNS}))

    rows = list(reader.feed(f"Nr;Name;Tag\n{good}x;y\n1;a\rb;2026-11-18\n".encode(), last=True))

    assert (len(rows), reader.rows, reader.odd) == (300, 302, 2)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=80)
@given(
    lines=st.lists(st.text(alphabet='ab1;,"\r\n\x00\x85é', max_size=20) | st.just("1;Kelda;2026-11-18"), max_size=8),
    multiline=st.booleans(),
)
def test_the_reader_of_csv_never_falls_over(lines: list[str], multiline: bool) -> None:
    try:
        records = read_csv("\n".join(["Nr;Name;Tag", *lines]), multiline=multiline)
    except (LayoutChangedError, BlockedError):
        return
    assert all(getattr(record, "key", "") for record in records)


def test_rows_of_one_entry_are_put_together() -> None:
    body = "Nr;Name;Tag;Stoff\n1;Kelda;2026-11-10;a\n2;Onda;2026-11-11;b\n1;Kelda kit;2026-11-18;c\n"

    first, second = read_csv(body, merge=True, fields={**COLUMNS, "products": "Stoff"})

    assert isinstance(first, NoticeRecord)
    assert (first.key, first.title, first.posted, first.products) == ("1", "Kelda", date(2026, 11, 18), ("a", "c"))
    assert getattr(second, "key", "") == "2"


def test_a_register_of_products_gives_authorisations() -> None:
    fields = {"key": "Nr", "title": "Name", "status": "Stand", "references": "Nr", "organisation": "Firma"}
    card = a_card("csv_table", kind="authorisation", fields=fields, statuses={"S": "authorised"})
    body = "Nr;Name;Stand;Firma\n1;Kelda;S;Kelda Ltd\n2;Onda;?;Onda Ltd\n"

    found = list(csv_table.read(response_of(LIST, body, "text/csv"), card))

    assert all(isinstance(record, AuthorisationRecord) for record in found)
    assert [(r.product, r.status, r.status_text, r.holder) for r in found if isinstance(r, AuthorisationRecord)] == [
        ("Kelda", "authorised", "S", "Kelda Ltd"),
        ("Onda", "unknown", "?", "Onda Ltd"),
    ]


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"Nr;Name;Tag\n1;K\xe9lda;2026-11-18\n", "byte 0xe9 is no utf-8-sig"),
        ("Nr;Titel;Tag\n1;Kelda;2026-11-18\n", "no column Name; it has Nr, Titel, Tag"),
        ("Nr;Name;Tag\n1;Kelda\n2;Onda\n3;Onda;x;y\n", "3 of 3 rows are not as wide"),
        ("Nr;Name;Tag\n", "holds no row"),
        ("", "ends before the line of the columns"),
        ("<html><body>Not found</body></html>", "a page where a CSV file was expected"),
        ('Nr;Name;Tag\n1;"' + "x\n" * 2_000_000, "never ends"),
    ],
)
def test_a_file_that_is_not_understood_says_why(body: bytes | str, complaint: str) -> None:
    with pytest.raises(LayoutChangedError, match=complaint):
        read_csv(body)


def test_bytes_that_the_encoding_does_not_know_are_marked_if_the_card_says_so() -> None:
    (record,) = read_csv(b"Nr;Name;Tag\n1;K\x81lda;2026-11-18\n", encoding="cp1252", undecodable="mark")

    assert getattr(record, "title", "") == "K\N{REPLACEMENT CHARACTER}lda"


@given(st.integers(min_value=1, max_value=40))
def test_rows_are_the_same_in_pieces_of_any_size(size: int) -> None:
    body = 'Nr;Name;Tag\r\n1;"Kélda\nkit";2026-11-18\r\n2;Ünda;2026-11-19\r\n'.encode()
    reader = csv_table.RowReader(csv_table.Options.model_validate({"fields": COLUMNS}))

    rows = [row for piece, last in csv_table.pieces(body, size) for row in reader.feed(piece, last=last)]

    assert [row["Name"] for row in rows] == ["Kélda\nkit", "Ünda"]


def test_a_file_of_two_hundred_megabytes_is_read_without_being_held() -> None:
    options = csv_table.Options.model_validate({"fields": COLUMNS, "multiline": False, "words": ["kelda"]})
    reader = csv_table.RowReader(options)
    line = b"1;ONDA " + b"x" * 4000 + b";2026-11-18\n"
    piece = line * 250
    tracemalloc.start()
    try:
        found = 0
        for number in range(200):
            rows = reader.feed((b"Nr;Name;Tag\n" + piece) if number == 0 else piece)
            found += sum("KELDA" in row["Name"] for row in rows)
        found += sum("KELDA" in row["Name"] for row in reader.feed(b"2;KELDA;2026-11-18\n", last=True))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (reader.rows, found) == (50_001, 1)
    assert peak < 20 * 1024**2, f"{peak / 1024**2:.0f} MB for a file of {200 * len(piece) / 1024**2:.0f} MB"
