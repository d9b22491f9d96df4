"""Tables as CSV, XLSX, JSON and JSON lines: any number of rows in flat memory, the same bytes for the same rows.

What was read from the web is hostile. A spreadsheet program takes a text for a formula by how it begins: such a text
gets an apostrophe before it in CSV, and the style that says "this is text" in XLSX, where it is never a formula.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from io import StringIO
from typing import IO, Any

import xlsxwriter

from monitor.queries.exports import Column, Row

FORMATS: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
    "jsonl": "application/jsonl",
}
MOST_ROWS = 1_048_575
"""Rows that a sheet holds below its heading. What is more goes on in a second sheet."""
LONGEST_CELL = 32_767
"""UTF-16 units that Excel holds in a cell."""
CUT = " […] (cut: a cell holds no more; the whole text is in the CSV and JSON)"
_CHUNK = 500
_MADE = datetime(2026, 1, 1)
"""Written into every XLSX as the time of its making, so that the same rows are the same file."""
_FIRST_DAY = date(1900, 3, 1)
"""From here on Excel counts days rightly."""
_NO_TEXT = re.compile("[\ud800-\udfff]")
_NO_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
_SHEET_NAME = re.compile(r"[\[\]:*?/\\']")


@dataclass(frozen=True)
class Sheet:
    """A table to be written. `notes` stand beside it where the format has room: what it is, how it was narrowed."""

    name: str
    meaning: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    notes: Mapping[str, Any] = field(default_factory=dict)


def is_formula(text: str) -> bool:
    """Whether a spreadsheet program may take this for a formula (OWASP, CSV injection).

    Looked at is the first character that shows, in its plain form: full-width and small forms are taken as signs too.
    """
    if text[:1] in ("\t", "\r", "\n"):
        return True
    for char in text:
        if not (char.isspace() or unicodedata.category(char) in ("Cf", "Cc")):
            return unicodedata.normalize("NFKC", char)[:1] in ("=", "+", "-", "@")
    return False


def neutral(text: str) -> str:
    """The text for a CSV cell. An apostrophe goes before what may be a formula, and before what looks so treated.

    Undone by `plain`, whatever the text.
    """
    return f"'{text}" if is_formula(text.lstrip("'")) else text


def plain(cell: str) -> str:
    """The text that a CSV cell stands for."""
    return cell[1:] if cell.startswith("'") and is_formula(cell.lstrip("'")) else cell


def iso(value: date | datetime) -> str:
    """`2026-11-16T05:00:00Z`, `2026-11-16`."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat()


def as_csv(sheet: Sheet) -> Iterator[bytes]:
    """RFC 4180, UTF-8 with a byte order mark: without it Excel takes it for another encoding."""
    held = StringIO(newline="")
    writer = csv.writer(held, lineterminator="\r\n")
    held.write("\ufeff")
    writer.writerow([column.name for column in sheet.columns])
    for number, row in enumerate(sheet.rows, 1):
        writer.writerow([_csv_cell(value) for value in row])
        if number % _CHUNK == 0:
            yield _taken(held)
    yield _taken(held)


def _taken(held: StringIO) -> bytes:
    text = held.getvalue()
    held.seek(0)
    held.truncate()
    return text.encode()


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return neutral(_shown(value))


def _shown(value: Any) -> str:
    """A text, date or list as one text."""
    if isinstance(value, date):
        return iso(value)
    if isinstance(value, tuple | list):
        return "; ".join(_text(each) for each in value)
    return _text(value)


def _text(value: Any) -> str:
    """Half a surrogate pair is no character, and UTF-8 has none for it."""
    return _NO_TEXT.sub("\ufffd", str(value))


def as_json(sheet: Sheet) -> Iterator[bytes]:
    """One object: what the table is, its columns, and its rows as objects."""
    columns = [{"name": each.name, "kind": each.kind, "meaning": each.meaning} for each in sheet.columns]
    head = {"table": sheet.name, "meaning": sheet.meaning, **sheet.notes, "columns": columns}
    yield (json.dumps(head, ensure_ascii=False, default=_json_value)[:-1] + ', "rows": [\n').encode()
    between = ""
    for lines in _chunks(_json_rows(sheet)):
        yield (between + ",\n".join(lines)).encode()
        between = ",\n"
    yield b"\n]}\n"


def as_json_lines(sheet: Sheet) -> Iterator[bytes]:
    """A row a line, each an object."""
    for lines in _chunks(_json_rows(sheet)):
        yield ("\n".join(lines) + "\n").encode()


def _json_rows(sheet: Sheet) -> Iterator[str]:
    names = [column.name for column in sheet.columns]
    for row in sheet.rows:
        # Surrogates are escaped by ensure_ascii alone, and a lone one would not encode.
        yield _NO_TEXT.sub(
            "\ufffd", json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False, default=_json_value)
        )


def _json_value(value: Any) -> str:
    if isinstance(value, date):
        return iso(value)
    raise TypeError(f"a {type(value).__name__} has no form in JSON")


def _chunks(lines: Iterator[str]) -> Iterator[list[str]]:
    held: list[str] = []
    for line in lines:
        held.append(line)
        if len(held) == _CHUNK:
            yield held
            held = []
    if held:
        yield held


def write_xlsx(sheet: Sheet, file: IO[bytes]) -> None:
    """A workbook: the rows, and a sheet that says what each column means. Rows are not held in memory."""
    book = xlsxwriter.Workbook(
        file,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "remove_timezone": True,
        },
    )
    book.set_properties({"title": _xml(sheet.name), "author": "Exowatch", "created": _MADE})
    writer = _XlsxWriter(book, sheet)
    for row in sheet.rows:
        writer.write(row)
    _write_notes(book, sheet)
    book.close()


class _XlsxWriter:
    """Writes rows below a heading, in as many sheets as they need."""

    def __init__(self, book: Any, sheet: Sheet) -> None:
        self._book, self._sheet = book, sheet
        self._heading = book.add_format({"bold": True, "bottom": 1})
        self._date = book.add_format({"num_format": "yyyy-mm-dd"})
        self._time = book.add_format({"num_format": 'yyyy-mm-dd"T"hh:mm:ss"Z"'})
        self._as_text = book.add_format({"quote_prefix": True})
        self._sheets = 0
        self._begin()

    def _begin(self) -> None:
        self._sheets += 1
        name = _SHEET_NAME.sub(" ", self._sheet.name)[:25]
        self._page = self._book.add_worksheet(name if self._sheets == 1 else f"{name} {self._sheets}")
        self._page.freeze_panes(1, 0)
        for place, column in enumerate(self._sheet.columns):
            self._page.set_column(place, place, _WIDTHS.get(column.kind, 30))
        for place, column in enumerate(self._sheet.columns):
            self._page.write_string(0, place, _xml(column.name), self._heading)
        self._row = 0

    def write(self, row: Row) -> None:
        if self._row == MOST_ROWS:
            self._begin()
        self._row += 1
        for place, value in enumerate(row):
            self._cell(place, value)

    def _cell(self, place: int, value: Any) -> None:
        page, row = self._page, self._row
        if value in (None, "", (), []):
            return
        if isinstance(value, bool):
            page.write_boolean(row, place, value)
        elif isinstance(value, int | float):
            page.write_number(row, place, value)
        elif isinstance(value, datetime) and value.astimezone(UTC).date() >= _FIRST_DAY:
            page.write_datetime(row, place, value.astimezone(UTC), self._time)
        elif isinstance(value, date) and not isinstance(value, datetime) and value >= _FIRST_DAY:
            page.write_datetime(row, place, value, self._date)
        else:
            text = cell_text(_shown(value))
            page.write_string(row, place, text, self._as_text if is_formula(text) else None)


_WIDTHS = {"number": 12, "boolean": 12, "date": 12, "time": 22}


def cell_text(text: str) -> str:
    """The text as a cell of XLSX holds it: cut with a mark, and without what XML has no place for."""
    held = _xml(text)
    if _units(held) <= LONGEST_CELL:
        return held
    room = held[: LONGEST_CELL - len(CUT)]
    while _units(room) > LONGEST_CELL - len(CUT):
        room = room[: len(room) - max(1, (_units(room) - LONGEST_CELL + len(CUT)) // 2)]
    return room + CUT


def _units(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)


def _xml(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


def _write_notes(book: Any, sheet: Sheet) -> None:
    page = book.add_worksheet("About")
    page.set_column(0, 0, 24)
    page.set_column(1, 2, 60)
    lines = [(sheet.name, sheet.meaning), *((name, str(value)) for name, value in sheet.notes.items())]
    lines += [("", ""), ("Column", "Meaning"), *((column.name, column.meaning) for column in sheet.columns)]
    for number, line in enumerate(lines):
        for place, text in enumerate(line):
            page.write_string(number, place, cell_text(text))
