"""FDA's Purple Book: every licensed biological product, as the month's CSV file.

The file holds the month's changes first and the whole database below them, each under the same header.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Literal
from urllib.parse import urljoin

from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.folder import reading_of
from crawler.notes import host_of, note
from crawler.page import Page, long_date
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.reading import ListSpider, clean, digest_of, page_of, refuse_page
from monitor.records import AuthorisationRecord, SourceCard

HEADER = ("N/R/U", "Applicant")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_FILE = re.compile(rf"/(\d{{4}})/purplebook-search-({'|'.join(MONTHS)})-data-download\.csv$", re.IGNORECASE)
_NEEDED = ("Applicant", "BLA Number", "Proprietary Name", "Proper Name", "Approval Date", "Product Number", "Licensure")
_SHORT_DATE = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{2})")


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[str, ...] = Field(min_length=1)
    """Addresses of a month's file, with {year} and {month}: asked for where the downloads page does not help."""
    months_back: int = Field(default=4, ge=1, le=24)


def month_of(url: str) -> tuple[int, int] | None:
    """Year and month of a file by its address, or None."""
    match = _FILE.search(url)
    return (int(match[1]), MONTHS.index(match[2].lower()) + 1) if match else None


def newest_file(page: Page) -> str:
    """The newest month's CSV that the downloads page links to, on any host of FDA's; empty if it links to none."""
    dated = []
    for anchor in page.many('a[href*="purplebook" i]'):
        try:
            link = urljoin(page.url, str(anchor["href"]))
            month, host = month_of(link), host_of(link)
        except ValueError:  # a bracket or a port that is none: no address of a file
            continue
        if month and f".{host}".endswith(".fda.gov"):
            dated.append((month, link))
    return max(dated)[1] if dated else ""


def candidates(options: Options, today: date) -> list[str]:
    """Where the newest file may be, this month's first: FDA writes the month's name now small, now capitalised."""
    found = []
    for back in range(options.months_back):
        year, month = divmod(today.year * 12 + today.month - 1 - back, 12)
        names = (MONTHS[month], MONTHS[month].capitalize())
        found += [file.format(year=year, month=name) for file in options.files for name in names]
    return found


def read_table(response: Response) -> list[dict[str, str]]:
    """The whole database's rows, without the month's changes above it. Raises LayoutChangedError."""
    refuse_page(response, "a CSV file")
    try:
        text = response.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = response.body.decode("cp1252", errors="replace")
    try:
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise LayoutChangedError(f"{response.url}: the file is no CSV ({error})") from error
    heads = [at for at, row in enumerate(rows) if tuple(clean(cell) for cell in row[:2]) == HEADER]
    if not heads:
        raise LayoutChangedError(f"{response.url}: no row begins with {' and '.join(HEADER)}")
    names = [clean(cell) for cell in rows[heads[-1]]]
    if lacking := [name for name in _NEEDED if name not in names]:
        raise LayoutChangedError(f"{response.url}: the columns {', '.join(lacking)} are missing")
    return [
        dict(zip(names, (clean(cell) for cell in row), strict=False))
        for row in rows[heads[-1] + 1 :]
        if any(cell.strip() for cell in row)
    ]


def day_of(text: str, latest: date | None) -> date | None:
    """`31-Dec-02`, of the last hundred years before `latest`, or `May 22, 2025`. Raises LayoutChangedError."""
    if text in ("", "N/A"):
        return None
    match = _SHORT_DATE.fullmatch(text)
    if match is None:
        return long_date(text)
    try:
        day = datetime.strptime(f"{match[1]}-{match[2]}-20{match[3]}", "%d-%b-%Y").date()
    except ValueError as error:
        raise LayoutChangedError(f"no day of the calendar: {text!r}") from error
    too_late = day > latest if latest else day.year > 2068
    return day.replace(year=day.year - 100) if too_late else day


def key_of(row: dict[str, str]) -> str:
    """Licence application and product number. Raises LayoutChangedError where either is missing."""
    if not row["BLA Number"] or not row["Product Number"]:
        raise LayoutChangedError(f"a row has no BLA Number or no Product Number: {str(row)[:160]}")
    return f"{row['BLA Number']}/{row['Product Number']}"


def authorisation_of(row: dict[str, str], card: SourceCard, response: Response) -> AuthorisationRecord:
    """One product. Raises LayoutChangedError if it has neither number nor name, or a date that is none."""
    product, proper = row["Proprietary Name"], row["Proper Name"]
    if not (product or proper):
        raise LayoutChangedError(f"product {key_of(row)} has no name")
    month = month_of(response.url)
    # a licence of this month is dated at the latest on its last day
    latest = date(month[0] + month[1] // 12, month[1] % 12 + 1, 1) if month else None
    licensure = row["Licensure"]
    return AuthorisationRecord(
        source=card.id,
        key=key_of(row),
        product=proper if product in ("", "N/A") else product,
        url=response.url,
        authority=f"{card.authority.name}, {row['Center']}" if row.get("Center") else card.authority.name,
        jurisdiction=card.jurisdiction,
        number=f"BLA{row['BLA Number']}",
        substance=proper,
        holder=row["Applicant"],
        status=_status(licensure),
        status_text="; ".join(text for text in (licensure, row.get("Marketing Status", "")) if text),
        authorised=day_of(row["Approval Date"], latest),
        kinds=tuple(
            text
            for text in ("BLA", row.get("License Type") or row.get("BLA Type", ""), row.get("Center", ""))
            if text and text != "N/A"
        ),
        captures=(capture_of(response),),
    )


def _status(licensure: str) -> Literal["authorised", "suspended", "withdrawn", "unknown"]:
    said = licensure.lower()
    if "revoked" in said or "withdrawn" in said:
        return "withdrawn"
    if "suspended" in said:
        return "suspended"
    return "authorised" if said == "licensed" else "unknown"


def read(response: Response, card: SourceCard) -> Records:
    """Every product of the file, once each; the downloads page holds none."""
    if month_of(response.url) is None and newest_file(page_of(response)):
        return
    seen = set()
    for row in read_table(response):
        if (key := key_of(row)) not in seen:
            seen.add(key)
            yield authorisation_of(row, card, response)


class Spider(ListSpider):
    """Finds the newest month's file on the downloads page, or by its usual address, and reads the whole of it."""

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        meta = {"handle_httpstatus_list": [403, 404]}
        yield Request(self.card.start, self.parse, errback=self.no_page, meta=meta)

    def parse(self, response: Response, **_: Any) -> Iterator[Request]:
        file = newest_file(page_of(response)) if response.status == 200 else ""
        if file:
            yield Request(file, self.parse_file)
        else:
            yield from self._try(self._candidates())

    def no_page(self, failure: Failure) -> Iterator[Request]:
        if self.reason_of(failure):
            yield from self._try(self._candidates())

    def _candidates(self) -> list[str]:
        return candidates(self.options, reading_of(self.crawler).clock.now().date())

    def _try(self, addresses: list[str]) -> Iterator[Request]:
        if not addresses:
            message = f"no file of the last {self.options.months_back} months is where it should be"
            note(self.book, "http_error", f"{message}; the downloads page links to none", self.card.start)
            return
        rest = {"rest": addresses[1:]}
        yield Request(addresses[0], self.parse_file, cb_kwargs=rest, meta={"handle_httpstatus_list": [404]})

    def parse_file(self, response: Response, rest: list[str] | None = None) -> Iterator[Request | AuthorisationRecord]:
        if response.status == 404:
            yield from self._try(rest or [])
            return
        rows = read_table(response)
        taken = 0
        for row in rows:
            try:
                record = authorisation_of(row, self.card, response)
            except LayoutChangedError as error:
                self.book.leave_out("row not understood")
                note(self.book, "parse_error", str(error), response.url, capture_of(response))
                continue
            if record.key in self.book.seen:
                self.book.leave_out("further row of a product")
            elif self._wanted(record, digest_of(*row.values()), taken):
                taken += 1
                yield record
        self.book.listed = len(rows)

    def _wanted(self, record: AuthorisationRecord, digest: str, taken: int) -> bool:
        if self.settled(record.key, digest):
            self.book.list_entry(record.key, digest, record.authorised)
            self.book.known += 1
            return False
        if self.limit_reached(taken):
            self.owe(record.key, record.authorised)
            self.book.leave_out("beyond the limit asked for")
            return False
        self.book.list_entry(record.key, digest, record.authorised)
        return True
