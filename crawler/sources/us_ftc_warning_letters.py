"""FTC's warning letters: the pages of its list, newest first, then the text of each letter's PDF.

The list names firm, day and the press release that went with a letter; what a letter is about, only its text says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import Tag
from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response

from crawler.notes import note
from crawler.page import Page, iso_date
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.documents import LIST_FIRST, Document, DocumentSpider, Listed
from crawler.sources.pdf import pdf_of
from crawler.sources.reading import clean, digest_of, entry_address, page_of
from monitor.records import NoticeRecord, NoticeType, OrganisationRef, SourceCard

QUIET_PAGES = 2
"""Pages of nothing new after which an incremental run stops: rows move while a list is paged through."""


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    most_pages: int = Field(default=100, ge=1, le=1000)
    """Where a list that goes round in circles is left."""


@dataclass(frozen=True, kw_only=True)
class Letter(Listed):
    """One row of the list. `url` is its PDF, `page` the letter's own page."""

    page: str
    firm: str
    label: str
    release: str
    further: tuple[str, ...]
    """Labels of further files: they are named and not read."""


def read_list(page: Page) -> tuple[int, list[Letter], list[str]]:
    """The list's total, the letters of this page, and what was wrong with rows that were not understood."""
    said = re.search(r"Displaying [\d,]+ - [\d,]+ of ([\d,]+)", clean(page.root.get_text(" ")))
    if said is None:
        raise LayoutChangedError(f"{page.url}: the page does not say how many letters the list holds")
    letters, strange = [], []
    for row in page.many("article[about]"):
        try:
            letters.append(read_row(row, page.url))
        except LayoutChangedError as error:
            strange.append(str(error))
    if not letters:
        raise LayoutChangedError(f"{page.url}: no row of the list was understood: {(strange or ['it has none'])[0]}")
    return int(said[1].replace(",", "")), letters, strange


def read_row(row: Tag, base: str) -> Letter:
    """One row, or a letter's own page. Its time is noon UTC, so the day is the day that is printed."""
    number = re.search(r"\bnode--(\d+)\b", " ".join(row.get("class") or ()))
    times = _of_row(row, ".field--name-field-date time[datetime]")
    if number is None or len(times) != 1:
        raise LayoutChangedError(f"a row of the list bears no node number or no one day: {row.get('about')!r}")
    files = _of_row(row, ".file a[href]")
    release = next(iter(_of_row(row, ".field--name-field-related-press-release a[href]")), None)
    title = next(iter(_of_row(row, "h3.node-title a")), None)
    label = clean(files[0].get_text(" ")) if files else ""
    firm = clean(title.get_text(" ")) if title else label.removeprefix("Warning Letter to ")
    if not firm:
        raise LayoutChangedError(f"a row of the list names no firm: {row.get('about')!r}")
    about, url = entry_address(base, str(row["about"])), entry_address(base, str(files[0]["href"])) if files else ""
    day, told = iso_date(str(times[0]["datetime"])), clean(release.get_text(" ")) if release else ""
    return Letter(
        key=f"node/{number[1]}",
        url=url,
        posted=day,
        digest=digest_of(about, url, str(day), firm, told),
        page=about,
        firm=firm,
        label=label,
        release=told,
        further=tuple(clean(anchor.get_text(" ")) for anchor in files[1:]),
    )


def _of_row(row: Tag, css: str) -> list[Tag]:
    """What belongs to the row itself: files are articles of their own within it, and rows may come unclosed."""
    return [tag for tag in row.select(css) if tag.find_parent("article", about=True) is row]


def notice_of(
    card: SourceCard, captures: tuple[str, ...], letter: Letter, document: Document | None, unread: str
) -> NoticeRecord:
    """A letter as list and PDF tell it. Its day is the day it was sent: the list gives no other."""
    further = (f"further file: {label}" for label in letter.further)
    return NoticeRecord(
        source=card.id,
        key=letter.key,
        notice_type=NoticeType.WARNING_LETTER,
        title=f"{letter.firm}: {letter.release}" if letter.release else letter.firm,
        url=letter.page,
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=letter.posted,
        organisations=(OrganisationRef(name=letter.firm, role="addressee"),),
        references=(letter.key,),
        summary=letter.release or letter.label,
        text=document.text if document else "",
        quoted_urls=document.quoted_urls if document else (),
        unread=(*((unread,) if unread else ()), *further),
        captures=captures,
    )


def read(response: Response, card: SourceCard) -> Records:
    """A page of the list, or a letter's own page, gives its letters."""
    page = page_of(response)
    rows = page.many("article[about]", at_least=1)
    letters = read_list(page)[1] if page.many("h3.node-title") else [read_row(row, page.url) for row in rows]
    for letter in letters:
        yield notice_of(card, (capture_of(response),), letter, None, "letter (PDF): not asked for")


class Spider(DocumentSpider[Letter, Document]):
    """Pages through the list, newest first, and reads the PDF of each letter that is new or whose row changed."""

    part = "letter (PDF)"

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.still_owed = self.owed()
        self.rows = self.quiet = 0
        yield self._list_request(0)

    def _list_request(self, number: int) -> Request:
        url = f"{self.card.start}?page={number}" if number else self.card.start
        return Request(url, self.parse_list, cb_kwargs={"number": number}, priority=LIST_FIRST)

    def parse_list(self, response: Response, number: int) -> Iterator[Request | NoticeRecord]:
        total, letters, strange = read_list(page_of(response))
        for message in strange:
            self.book.leave_out("row not understood")
            note(self.book, "parse_error", message, response.url, capture_of(response))
        fresh = [letter for letter in letters if letter.key not in self.book.seen]
        for letter in fresh:
            self.still_owed.discard(letter.key)
            yield from self.consider(letter, capture_of(response))
        self.rows += len(letters) + len(strange)
        self.book.listed = max(total, len(self.book.seen))
        if not fresh:
            raise LayoutChangedError(f"{response.url}: shows the letters of an earlier page once more")
        if self.rows >= total or self._enough(fresh):
            return
        if number + 1 >= self.options.most_pages:
            note(self.book, "limit_reached", f"stopped after {number + 1} pages of the list; the rest is unread")
            return
        yield self._list_request(number + 1)

    def _enough(self, letters: list[Letter]) -> bool:
        """True if what follows on the list can hold nothing to read."""
        self.quiet = self.quiet + 1 if self.nothing_new(letters) and not self.still_owed else 0
        return self.quiet >= QUIET_PAGES or self.limit_reached(self.taken)

    def read_document(self, response: Response, entry: Letter) -> Document:  # noqa: ARG002
        return pdf_of(response)

    def notice(self, entry: Letter, captures: tuple[str, ...], document: Document | None, unread: str) -> NoticeRecord:
        return notice_of(self.card, captures, entry, document, unread)
