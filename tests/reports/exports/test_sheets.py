"""Formats of tables: what is written is what is read back, whatever the text; nothing becomes a formula."""

from __future__ import annotations

import csv
import json
import tracemalloc
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from io import BytesIO, StringIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.queries.exports import Column
from reports.exports import sheets
from reports.exports.sheets import (
    LONGEST_CELL,
    Sheet,
    as_csv,
    as_json,
    as_json_lines,
    cell_text,
    is_formula,
    neutral,
    plain,
)
from tests.reports.exports.workbooks import Workbook

COLUMNS = (
    Column("id", "Number", "number"),
    Column("text", "Any text"),
    Column("yes", "Whether", "boolean"),
    Column("on", "A date", "date"),
    Column("at", "A moment", "time"),
    Column("several", "Texts", "list"),
)
ROW = (7, "plain", True, date(2026, 11, 16), datetime(2026, 11, 16, 5, 0, tzinfo=UTC), ("one", "two"))
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def sheet(*rows: tuple[Any, ...], columns: Iterable[Column] = COLUMNS) -> Sheet:
    return Sheet("things", "What is tested", tuple(columns), rows, {"filters": {"jurisdiction": "uk"}})


def texts(*values: str) -> Sheet:
    return sheet(*((value,) for value in values), columns=[Column("text", "Any text")])


def csv_rows(table: Sheet) -> list[list[str]]:
    document = b"".join(as_csv(table)).decode("utf-8")
    assert document.startswith("\ufeff")
    return list(csv.reader(StringIO(document[1:], newline=""), strict=True))


def workbook(table: Sheet) -> Workbook:
    file = BytesIO()
    sheets.write_xlsx(table, file)
    return Workbook(file.getvalue())


def test_csv_is_what_rfc_4180_says() -> None:
    document = b"".join(as_csv(sheet(ROW, (8, 'a "b", c\r\nd', False, None, None, ()))))
    assert document.decode("utf-8-sig") == (
        "id,text,yes,on,at,several\r\n"
        "7,plain,true,2026-11-16,2026-11-16T05:00:00Z,one; two\r\n"
        '8,"a ""b"", c\r\nd",false,,,\r\n'
    )


def test_json_holds_everything() -> None:
    told = json.loads(b"".join(as_json(sheet(ROW, (8, "\u202e", None, None, None, ())))))
    assert told["table"] == "things"
    assert told["filters"] == {"jurisdiction": "uk"}
    assert told["columns"][3] == {"name": "on", "kind": "date", "meaning": "A date"}
    assert told["rows"][0] == {
        "id": 7, "text": "plain", "yes": True, "on": "2026-11-16", "at": "2026-11-16T05:00:00Z",
        "several": ["one", "two"],
    }  # fmt: skip
    assert told["rows"][1]["text"] == "\u202e"
    assert json.loads(b"".join(as_json(sheet())))["rows"] == []


def test_json_lines_are_a_row_each() -> None:
    lines = b"".join(as_json_lines(sheet(ROW, (8, "a\nb", None, None, None, ())))).decode().splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["plain", "a\nb"]
    assert b"".join(as_json_lines(sheet())) == b""


def test_a_workbook_has_dates_numbers_and_texts() -> None:
    book = workbook(sheet(ROW, (8, "", None, date(1899, 12, 31), datetime(1871, 1, 1, tzinfo=UTC), ())))
    heading, row, other = book.sheets["things"]
    assert [cell.value for cell in heading.values()] == [column.name for column in COLUMNS]
    assert (row["A"].kind, row["A"].value) == ("number", 7)
    assert (row["C"].kind, row["C"].value) == ("boolean", True)
    assert (row["D"].value, row["D"].format) == (46342, "yyyy-mm-dd")
    assert (row["E"].format, row["E"].kind) == ('yyyy-mm-dd"T"hh:mm:ss"Z"', "number")
    assert row["E"].value == pytest.approx(46342 + 5 / 24)
    assert row["F"].value == "one; two"
    assert set(other) == {"A", "D", "E"}
    assert [other[place].value for place in "DE"] == ["1899-12-31", "1871-01-01T00:00:00Z"]
    about = {row["A"].value: row["B"].value for row in book.sheets["About"] if "B" in row}
    assert about["things"] == "What is tested"
    assert about["on"] == "A date"
    assert "uk" in about["filters"]


def test_times_are_utc_wherever_they_come_from() -> None:
    tokyo = datetime(2026, 11, 16, 8, 30, tzinfo=timezone(timedelta(hours=9)))
    columns = [Column("at", "A moment", "time")]
    assert csv_rows(sheet((tokyo,), columns=columns))[1] == ["2026-11-15T23:30:00Z"]
    assert workbook(sheet((tokyo,), columns=columns)).sheets["things"][1]["A"].value == pytest.approx(46341.979166)


def test_the_same_rows_are_the_same_file() -> None:
    once, again = BytesIO(), BytesIO()
    for file in (once, again):
        sheets.write_xlsx(sheet(ROW), file)
    assert once.getvalue() == again.getvalue()
    assert b"2026-01-01T00:00:00Z" in Workbook(once.getvalue()).parts["docProps/core.xml"]


FORMULAS = [
    "=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=HYPERLINK(\"https://x.example\",\"a\")", "＝1+1", "＋1",
    "－1", "＠a", "﹢1", "﹣1", "﹦1", " =1", "\u200b=1", "\ufeff=1", "\u00a0=1", "\u202e=1", "=cmd|' /C calc'!A0",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_nothing_becomes_a_formula(text: str) -> None:
    assert is_formula(text)
    assert csv_rows(texts(text))[1] == [f"'{text}"]
    book = workbook(texts(text))
    cell = book.sheets["things"][1]["A"]
    assert (cell.kind, cell.value, cell.quoted) == ("text", text, True)
    assert not [part for part in book.parts if "hyperlink" in part or "external" in part.lower()]
    assert b"hyperlink" not in book.parts["xl/worksheets/sheet1.xml"]
    assert json.loads(b"".join(as_json(texts(text))))["rows"] == [{"text": text}]


@pytest.mark.parametrize("text", ["a=1", "1+1", "1", "https://x.example/=1", "“=1”", "'tis", "", "a\t=1"])
def test_what_is_no_formula_is_left_alone(text: str) -> None:
    assert not is_formula(text)
    assert neutral(text) == text
    cells = workbook(texts(text)).sheets["things"]
    assert not text or (cells[1]["A"].value, cells[1]["A"].quoted) == (text, False)


def test_an_address_is_a_text_and_no_link() -> None:
    book = workbook(texts("https://x.example/", "mailto:a@x.example", "internal:Sheet1!A1", "file:///etc/passwd"))
    assert {cell.kind for row in book.sheets["things"] for cell in row.values()} == {"text"}
    assert not [part for part in book.parts if part.endswith(".rels") and b"hyperlink" in book.parts[part]]


@given(ANY_TEXT)
@settings(max_examples=150, deadline=None)
def test_csv_gives_back_any_text(text: str) -> None:
    (_, row) = csv_rows(sheet((1, text), columns=COLUMNS[:2]))
    assert plain(row[1]) == text
    assert not is_formula(row[1]), "no cell of a file is a formula"


@given(st.text(st.sampled_from("'=+-@\t\r\n ＝\u200ba"), max_size=6))
@settings(max_examples=300, deadline=None)
def test_what_is_done_to_a_formula_can_be_undone(text: str) -> None:
    assert plain(neutral(text)) == text
    assert not is_formula(neutral(text))


@given(ANY_TEXT)
@settings(max_examples=100, deadline=None)
def test_json_gives_back_any_text(text: str) -> None:
    assert json.loads(b"".join(as_json(texts(text))))["rows"] == [{"text": text}]
    (line,) = b"".join(as_json_lines(texts(text))).decode().removesuffix("\n").split("\n")
    assert json.loads(line) == {"text": text}


@given(st.lists(ANY_TEXT.filter(bool), min_size=8, max_size=30))
@settings(max_examples=25, deadline=None)
def test_a_workbook_gives_back_any_text(values: list[str]) -> None:
    rows = workbook(texts(*values)).sheets["things"][1:]
    held = [value.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd") for value in values]
    assert [row["A"].value for row in rows] == held


def test_half_a_surrogate_pair_breaks_nothing() -> None:
    assert csv_rows(texts("a\ud800b"))[1] == ["a\ufffdb"]
    assert json.loads(b"".join(as_json(texts("a\ud800b"))))["rows"] == [{"text": "a\ufffdb"}]
    assert workbook(texts("a\ud800b")).sheets["things"][1]["A"].value == "a\ufffdb"


@pytest.mark.parametrize("char", ["x", "\U0001f9ec"])
def test_a_long_text_is_cut_in_a_workbook_alone(char: str) -> None:
    exact, longer = char * (LONGEST_CELL // len(char.encode("utf-16-le")) * 2), char * 40_000
    cell = workbook(texts(longer)).sheets["things"][1]["A"].value
    assert cell.endswith(sheets.CUT)
    assert len(cell.encode("utf-16-le")) // 2 <= LONGEST_CELL
    assert len(cell) > LONGEST_CELL // 2 - len(sheets.CUT)
    assert cell_text(exact) == exact
    assert csv_rows(texts(longer))[1] == [longer]
    assert json.loads(b"".join(as_json(texts(longer))))["rows"][0]["text"] == longer


def test_more_rows_than_a_sheet_holds_go_on_in_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 3)
    book = workbook(sheet(*((number, "a") for number in range(7)), columns=COLUMNS[:2]))
    assert list(book.sheets) == ["things", "things 2", "things 3", "About"]
    assert [len(rows) - 1 for name, rows in book.sheets.items() if name != "About"] == [3, 3, 1]
    assert {rows[0]["A"].value for name, rows in book.sheets.items() if name != "About"} == {"id"}
    assert [row["A"].value for name in list(book.sheets)[:3] for row in book.sheets[name][1:]] == list(range(7))


@pytest.mark.parametrize("writer", [as_csv, as_json, as_json_lines])
def test_rows_are_not_kept(writer: Any) -> None:
    def rows(count: int) -> Iterable[tuple[Any, ...]]:
        return ((number, f"{'x' * 200} {number}") for number in range(count))

    def most(count: int) -> int:
        tracemalloc.start()
        for _ in writer(Sheet("t", "", COLUMNS[:2], rows(count))):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert most(8_000) < 1.5 * most(2_000)
