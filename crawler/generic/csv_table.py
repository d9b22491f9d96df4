"""Tables as CSV, of any size. A card alone makes a source of one: `spider: generic.csv_table`.

A file of hundreds of megabytes is asked for in parts (RFC 9110, 14: range requests), each a capture of its own; rows
are read as they come, and what no term meets is counted and forgotten.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, field_validator
from scrapy import Request
from scrapy.http import Response

from crawler.generic.entries import Entry, Listing, address_of, must_select, records_of_list
from crawler.generic.tables import TableOptions, TableSpider, entry_of, record_of
from crawler.market.addresses import same_site
from crawler.notes import note
from crawler.source import LayoutChangedError, Records, WrongContentTypeError, capture_of
from crawler.sources.reading import clean, page_of, refuse_block_page
from monitor.records import SourceCard

_MB = 1024**2
_DELIMITERS = ";\t,|"
_HEADER_WITHIN = 50
"""Lines among which the line of the columns' names must be."""
_LONGEST_ROW = 2 * _MB
_ODD_SHARE = 0.01
"""Rows of another width than the header's: more of them than this, and the file was not understood."""
_NOT_UNDERSTOOD = "row not understood"
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


CONTENT_TYPES = ("csv", "text/plain", "octet-stream", "excel")
"""What the type of a list's answer holds, one of these."""


class Options(TableOptions):
    """The card's `options`. Names are those of the columns."""

    encoding: str = "utf-8-sig"
    undecodable: Literal["refuse", "mark"] = "refuse"
    """What to do with bytes that the encoding does not know; `mark` puts a replacement character in their place."""
    delimiter: str = Field(default="", max_length=1)
    """Left out: found in the line of the columns' names."""
    header_starts: str = ""
    """Name of the first column, where other lines stand before the columns' names."""
    multiline: bool = True
    """Values may hold line breaks within quotation marks. False for files in which quotation marks are just signs."""
    merge: bool = False
    """Rows with the same id are one entry; kept back until the whole file was read."""
    landing: str = ""
    """CSS of the link to the file, where `start` is a page that leads to it; the first one counts."""
    part_mb: int | None = Field(default=None, ge=1, le=32)
    """Ask for the file in parts of so many megabytes."""

    _selectors = field_validator("landing")(must_select)

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError as error:
            raise ValueError(f"no encoding named {name!r}; utf-8-sig, cp1252 and latin-1 are usual") from error
        return name


class RowReader:
    """Rows out of a file that comes in pieces; holds one unfinished row and nothing else."""

    def __init__(self, options: Options) -> None:
        self._options = options
        decoder = codecs.getincrementaldecoder(options.encoding)
        self._decoder = decoder("strict" if options.undecodable == "refuse" else "replace")
        self._rest = ""
        """The line that has begun."""
        self._held: list[str] = []
        """Lines of a row whose value goes on."""
        self._held_size = 0
        self._within_value = False
        self._columns: list[str] = []
        self._delimiter = options.delimiter
        self._skipped = 0
        self.rows = 0
        self.odd = 0

    @property
    def unfinished(self) -> bool:
        """True if a row has begun that the next piece goes on with."""
        return bool(self._rest or self._held)

    def feed(self, piece: bytes, *, last: bool = False) -> Iterator[dict[str, str]]:
        """The rows that this piece finishes. Raises LayoutChangedError for another encoding, or without the columns."""
        try:
            self._rest += self._decoder.decode(piece, last)
        except UnicodeDecodeError as error:
            told = f"byte {error.object[error.start]:#04x} is no {self._options.encoding}"
            raise LayoutChangedError(f"the file's encoding is another than the card says: {told}") from error
        for line in self._lines(last):
            yield from self._row(line)
        if len(self._rest) > _LONGEST_ROW:
            raise LayoutChangedError(f"a line of more than {_LONGEST_ROW} characters")
        if last:
            self._judge()

    def _lines(self, last: bool) -> Iterator[str]:
        """Whole rows as text: lines, joined where a value goes on in the next."""
        *lines, self._rest = self._rest.split("\n")
        if last and self._rest:
            lines.append(self._rest)
            self._rest = ""
        for line in lines:
            self._held.append(line)
            self._held_size += len(line) + 1
            self._within_value ^= self._options.multiline and line.count('"') % 2 == 1
            if not self._within_value:
                yield self._release()
            elif self._held_size > _LONGEST_ROW:
                raise LayoutChangedError(f"a row of more than {_LONGEST_ROW} characters: a quotation mark never ends")
        if last and self._held:
            yield self._release()

    def _release(self) -> str:
        row = "\n".join(self._held).removesuffix("\r")
        self._held, self._held_size, self._within_value = [], 0, False
        return row

    def _row(self, line: str) -> Iterator[dict[str, str]]:
        if not line.strip():
            return
        if not self._columns:
            self._take_header(line)
            return
        self.rows += 1
        try:
            cells = self._cells(line)
        except LayoutChangedError:
            cells = []  # counted with the rows of another width: a few are let pass
        if len(cells) == len(self._columns):
            yield dict(zip(self._columns, cells, strict=True))
        else:
            self.odd += 1

    def _cells(self, line: str) -> list[str]:
        if not self._options.multiline and line.startswith('"') and line.endswith('"'):
            # quotation marks within a value are not doubled in such files: the csv module would take the first one
            # for the value's end
            cells = line[1:-1].split(f'"{self._delimiter}"')
            if len(cells) == len(self._columns):
                return [cell.replace('""', '"') for cell in cells]
        return _split(line, self._delimiter)

    def _take_header(self, line: str) -> None:
        """The first line, or the one that begins with the card's `header_starts`."""
        wanted = self._options.header_starts
        delimiter = self._delimiter or max(_DELIMITERS, key=line.count)
        names = [clean(name) for name in _split(line, delimiter)]
        if wanted and names[0] != wanted:
            self._skipped += 1
            if self._skipped > _HEADER_WITHIN:
                raise LayoutChangedError(f"no line begins with the column {wanted!r}")
            return
        if lacking := [name for name in self._options.fields.all if name not in names]:
            raise LayoutChangedError(f"the file has no column {', '.join(lacking)}; it has {', '.join(names)[:300]}")
        self._columns, self._delimiter = names, delimiter

    def _judge(self) -> None:
        if not self._columns:
            raise LayoutChangedError("the file ends before the line of the columns' names")
        if self.odd > max(1, _ODD_SHARE * self.rows):
            raise LayoutChangedError(f"{self.odd} of {self.rows} rows are not as wide as the columns' names")
        if not self.rows and not self._options.empty_ok:
            raise LayoutChangedError("the file holds no row, where it always holds some")


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader((line,), delimiter=delimiter))
    except csv.Error as error:
        raise LayoutChangedError(f"no row of a CSV file ({error}): {line[:80]!r}") from error


def pieces(body: bytes, size: int = _MB) -> Iterator[tuple[bytes, bool]]:
    """A body in pieces, each with whether it is the last: none is copied before its turn comes."""
    view = memoryview(body)
    starts = range(0, max(len(view), 1), size)
    for start in starts:
        yield bytes(view[start : start + size]), start + size >= len(view)


def refuse_other_than_csv(response: Response) -> None:
    """Raises BlockedError, or WrongContentTypeError for a page in the place of the file."""
    refuse_block_page(response)
    if response.body[:200].lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise WrongContentTypeError(f"{response.url}: got a page where a CSV file was expected")


def wanted(rows: Iterable[dict[str, str]], card: SourceCard, options: Options, base: str) -> Iterator[Entry | str]:
    """An entry for each row that the card's terms meet, and for every other one the reason why not."""
    terms = options.chosen_terms
    said = tuple(dict.fromkeys((*options.fields.title, *options.fields.summary, *options.fields.text)))
    said += tuple(name for name in (*options.fields.products, *options.fields.labels) if name not in said)
    for row in rows:
        if terms and not terms.is_near(*(row[name] for name in said)):
            yield "no term of the card's lists in the row"
            continue
        try:
            yield entry_of(row.__getitem__, card, options, base)
        except LayoutChangedError as error:
            yield f"{_NOT_UNDERSTOOD}: {error}"


def merged(one: Entry, other: Entry) -> Entry:
    """Two rows of one entry: what either says, the later dates, the first one's title."""
    lines = dict.fromkeys((*one.summary.split("\n"), *other.summary.split("\n")))
    return replace(
        one,
        summary="\n".join(line for line in lines if line),
        posted=max((day for day in (one.posted, other.posted) if day), default=None),
        updated=max((day for day in (one.updated, other.updated) if day), default=None),
        labels=tuple(dict.fromkeys((*one.labels, *other.labels))),
        products=tuple(dict.fromkeys((*one.products, *other.products))),
        references=tuple(dict.fromkeys((*one.references, *other.references))),
        unread=tuple(dict.fromkeys((*one.unread, *other.unread))),
    )


def listing(response: Response, card: SourceCard) -> Listing:
    """Every row of a whole file or of its first part. For looking at one answer: large files are read by the spider."""
    options = Options.model_validate(card.options)
    refuse_other_than_csv(response)
    rows = RowReader(options).feed(response.body, last=True)
    every = options.model_copy(update={"terms": (), "words": ()})
    found = list(wanted(rows, card, every, response.url))
    return Listing(
        tuple(one for one in found if not isinstance(one, str)), tuple(x for x in found if isinstance(x, str))
    )


def link_to_file(response: Response, card: SourceCard, options: Options) -> str:
    """The file's address on the page that leads to it. Raises LayoutChangedError where there is none."""
    page = page_of(response)
    link = page.many(options.landing, at_least=1)[0]
    address = address_of(str(link.get("href") or ""), response.url)
    if not address or not same_site(address, card.start):
        raise LayoutChangedError(
            f"{response.url}: `{options.landing}` leads to {link.get('href')!r}, not to a file here"
        )
    return address


def read(response: Response, card: SourceCard) -> Records:
    """The file gives the rows that the card keeps; the page that leads to it gives nothing but is checked."""
    options = Options.model_validate(card.options)
    if options.landing and response.body.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        link_to_file(response, card, options)
        return
    refuse_other_than_csv(response)
    reader = RowReader(options)
    rows = (row for piece, last in pieces(response.body) for row in reader.feed(piece, last=last))
    entries: dict[str, Entry] = {}
    for entry in wanted(rows, card, options, response.url):
        if isinstance(entry, str):
            continue
        entries[entry.key] = merged(entries[entry.key], entry) if options.merge and entry.key in entries else entry
    yield from records_of_list(entries.values(), response, card, options, record_of)


class Spider(TableSpider):
    """Reads the file, whole or part by part, and takes each row that the card keeps."""

    options_model = Options
    options: Options

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reader = RowReader(self.options)
        self._held: dict[str, tuple[Entry, tuple[str, ...]]] = {}
        self._version: tuple[str, ...] = ()
        self._offset = 0
        self._last_capture: tuple[str, ...] = ()

    def begin(self) -> Iterator[Request]:
        yield (
            Request(self.card.start, callback=self.parse_landing)
            if self.options.landing
            else self._file(self.card.start)
        )

    def parse_landing(self, response: Response) -> Iterator[Request]:
        yield self._file(link_to_file(response, self.card, self.options))

    def _file(self, url: str) -> Request:
        if self.options.part_mb is None:
            return Request(url, callback=self.parse)
        until = self._offset + self.options.part_mb * _MB - 1
        # compressed, a part would be of the compressed file or of the plain one: servers differ
        headers = {"Range": f"bytes={self._offset}-{until}", "Accept-Encoding": "identity"}
        return Request(url, callback=self.parse, headers=headers, dont_filter=True)

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        if self._offset == 0:
            refuse_other_than_csv(response)
        last = self._is_last(response)
        capture = (capture_of(response),)
        carried = self._last_capture if self._reader.unfinished else ()
        for piece, ends in pieces(response.body):
            for entry in wanted(self._reader.feed(piece, last=last and ends), self.card, self.options, response.url):
                if isinstance(entry, str):
                    self._left_out(entry, response)
                else:
                    yield from self._take_or_hold(entry, (*capture, *carried))
                carried = ()
        self._last_capture = capture
        if last:
            yield from self._end()
        else:
            yield self._file(response.url)
        self.book.listed = self._reader.rows

    def _left_out(self, reason: str, response: Response) -> None:
        self.book.leave_out(reason.partition(":")[0])
        if reason.startswith(_NOT_UNDERSTOOD):
            note(self.book, "parse_error", reason, response.url, capture_of(response))

    def _take_or_hold(self, entry: Entry, captures: tuple[str, ...]) -> Iterator[Any]:
        if not self.options.merge:
            yield from self.take(entry, captures)
            return
        if entry.key in self._held:
            before, earlier = self._held[entry.key]
            entry, captures = merged(before, entry), tuple(dict.fromkeys((*earlier, *captures)))
        self._held[entry.key] = (entry, captures)

    def _end(self) -> Iterator[Any]:
        if self._reader.odd:
            self.book.leave_out("row of another width than the columns' names", self._reader.odd)
        for entry, captures in self._held.values():
            yield from self.take(entry, captures)

    def _is_last(self, response: Response) -> bool:
        """True if the file ends with this answer. Raises LayoutChangedError if it is no longer the same file."""
        if response.status != 206:
            if self._offset:
                raise LayoutChangedError(f"{response.url}: the server stopped giving parts at byte {self._offset}")
            return True
        told = (response.headers.get("Content-Range") or b"").decode("latin-1")
        match = _RANGE.fullmatch(told.strip())
        if match is None or int(match[1]) != self._offset or int(match[2]) + 1 - int(match[1]) != len(response.body):
            raise LayoutChangedError(f"{response.url}: asked for bytes from {self._offset} on and was given {told!r}")
        version = (match[3], (response.headers.get("ETag") or b"").decode("latin-1"))
        if self._version and version != self._version:
            raise LayoutChangedError(
                f"{response.url}: the file was replaced while it was being read; the next run reads it"
            )
        self._version, self._offset = version, int(match[2]) + 1
        return self._offset == int(match[3])
