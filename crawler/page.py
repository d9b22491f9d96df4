"""Readers that fail loudly: what must be on a page and is not there stops its reading, with selector, count and URL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from bs4 import BeautifulSoup, Tag
from scrapy.http import TextResponse

from crawler.source import LayoutChangedError

_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sep", "sept"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}
_FEW_LOST = 3
"""Characters that may be unreadable on any page: a quotation mark pasted from elsewhere is no lie."""
_LONG_DATE = re.compile(r"([A-Za-z]+)\.? +(\d{1,2}), +(\d{4})")
_DAY_FIRST_DATE = re.compile(r"(\d{1,2}) +([A-Za-z]+)\.? +(\d{4})")


@dataclass(frozen=True)
class Page:
    """A parsed page, or a part of one, that knows its address."""

    url: str
    root: Tag

    @classmethod
    def of(cls, response: TextResponse) -> Page:
        return cls(response.url, BeautifulSoup(decoded(response), "lxml"))

    def part(self, tag: Tag) -> Page:
        return Page(self.url, tag)

    def many(self, css: str, at_least: int = 0) -> list[Tag]:
        found = list(self.root.select(css))
        if len(found) < at_least:
            self._fail(f"{len(found)} of `{css}` where at least {at_least} must be")
        return found

    def one(self, css: str) -> Tag:
        found = self.many(css)
        if len(found) != 1:
            self._fail(f"{len(found)} of `{css}` where exactly one must be")
        return found[0]

    def maybe(self, css: str) -> Tag | None:
        """The element, or None. More than one means that the page was not understood."""
        found = self.many(css)
        if len(found) > 1:
            self._fail(f"{len(found)} of `{css}` where at most one may be")
        return found[0] if found else None

    def text(self, css: str) -> str:
        """The one element's text on one line; it must not be empty."""
        words = text_of(self.one(css))
        if not words:
            self._fail(f"`{css}` holds no text")
        return words

    def rows(self, css: str, columns: int) -> list[list[str]]:
        """Cells of each body row of the one table. Rows of any other width stop the reading."""
        found = []
        for row in self.one(css).select("tr"):
            cells = [text_of(cell) for cell in row.find_all("td", recursive=False)]
            if not cells:
                continue  # a heading row has th only
            if len(cells) != columns:
                self._fail(f"a row of `{css}` has {len(cells)} cells where {columns} must be")
            found.append(cells)
        return found

    def pairs(self, css: str) -> dict[str, list[str]]:
        """Each `dt` of the one list with the texts of its `dd`s. A label twice or without a value stops the reading."""
        found: dict[str, list[str]] = {}
        label = ""
        for tag in self.one(css).find_all(["dt", "dd"]):
            if tag.name == "dt":
                label = text_of(tag).rstrip(":").rstrip()
                if label in found:
                    self._fail(f"`{css}` names {label!r} twice")
                found[label] = []
            elif label:
                found[label].append(text_of(tag))
        empty = [name for name, values in found.items() if not values]
        if empty:
            self._fail(f"`{css}` names {empty[0]!r} without a value")
        return found

    def _fail(self, what: str) -> None:
        raise LayoutChangedError(f"{what} ({self.url})")


def text_of(tag: Tag) -> str:
    """The element's text on one line."""
    return " ".join(tag.get_text(" ").split())


def us_date(text: str) -> date:
    """`03/04/2026` is the fourth of March. Raises LayoutChangedError."""
    match = _US_DATE.fullmatch(text.strip())
    if match is None:
        raise LayoutChangedError(f"no date of the form MM/DD/YYYY: {text!r}")
    return _calendar_date(int(match[3]), int(match[1]), int(match[2]), text)


def decoded(response: TextResponse) -> str:
    """A page's text. Raises LayoutChangedError where too much of it is not in the encoding that it is said to be in.

    Bytes that are UTF-8 are read as UTF-8, whatever is declared: no other encoding's text looks like it by chance.
    """
    body = response.body
    if not body.isascii() and b"\x00" not in body[:200]:  # UTF-16 is full of them
        try:
            return body.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass  # as declared, then
    text = response.text
    lost = text.count("\N{REPLACEMENT CHARACTER}")
    if lost > max(_FEW_LOST, len(text) // 1000):
        raise LayoutChangedError(
            f"{lost} of {len(text)} characters are not in the encoding {response.encoding} of the page ({response.url})"
        )
    return text


def long_date(text: str) -> date:
    """`March 04, 2026` or `Mar. 4, 2026`. Raises LayoutChangedError."""
    match = _LONG_DATE.fullmatch(" ".join(text.split()))
    month = _MONTHS.get(match[1].lower()) if match else None
    if match is None or month is None:
        raise LayoutChangedError(f"no date of the form Month DD, YYYY: {text!r}")
    return _calendar_date(int(match[3]), month, int(match[2]), text)


def day_first_date(text: str) -> date:
    """`4 March 2026`. Raises LayoutChangedError."""
    match = _DAY_FIRST_DATE.fullmatch(" ".join(text.split()))
    month = _MONTHS.get(match[2].lower()) if match else None
    if match is None or month is None:
        raise LayoutChangedError(f"no date of the form DD Month YYYY: {text!r}")
    return _calendar_date(int(match[3]), month, int(match[1]), text)


def european_date(text: str) -> date:
    """`04/03/2026` is the fourth of March. Raises LayoutChangedError."""
    match = _US_DATE.fullmatch(text.strip())
    if match is None:
        raise LayoutChangedError(f"no date of the form DD/MM/YYYY: {text!r}")
    return _calendar_date(int(match[3]), int(match[2]), int(match[1]), text)


def iso_date(text: str) -> date:
    """`2026-03-04`, alone or before a time; the day as printed, never moved by a zone. Raises LayoutChangedError."""
    match = re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})([T ].*)?", text.strip())
    if match is None:
        raise LayoutChangedError(f"no date of the form YYYY-MM-DD: {text!r}")
    return _calendar_date(int(match[1]), int(match[2]), int(match[3]), text)


def compact_date(text: str) -> date:
    """`20260304`. Raises LayoutChangedError."""
    if not re.fullmatch(r"\d{8}", text.strip()):
        raise LayoutChangedError(f"no date of the form YYYYMMDD: {text!r}")
    words = text.strip()
    return _calendar_date(int(words[:4]), int(words[4:6]), int(words[6:]), text)


def _calendar_date(year: int, month: int, day: int, text: str) -> date:
    try:
        return datetime(year, month, day).date()
    except ValueError as error:
        raise LayoutChangedError(f"no day of the calendar: {text!r} ({error})") from error
