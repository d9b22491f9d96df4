"""FDA's untitled letters: the lists of its centres, found from the hub page, then the text of each letter's PDF.

An untitled letter tells a firm of violations that fall short of those that bring a warning letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from bs4 import Tag
from bs4.element import NavigableString
from pydantic import BaseModel, ConfigDict
from scrapy import Request
from scrapy.http import Response

from crawler.page import Page
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.documents import LIST_FIRST, Document, DocumentSpider, Listed
from crawler.sources.pdf import pdf_of
from crawler.sources.reading import (
    american_date,
    clean,
    digest_of,
    entry_address,
    page_of,
    visible_lines,
)
from monitor.records import NoticeRecord, NoticeType, OrganisationRef, SourceCard

_MEDIA = re.compile(r"/media/(\d+)(?:/|$)")
_NAMED = re.compile(
    r"(?P<date>[A-Z][a-z]+\.? \d{1,2}, \d{4})\s+Untitled Letter\s*(?:[-\u2013\u2014:]\s*(?P<product>.+))?"
)
_DATE = re.compile(r"\d{1,2}/\d{1,2}/\d{4}|[A-Z][a-z]+\.? \d{1,2}, \d{4}")


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lists: tuple[str, ...] = ()
    """Lists that are read besides those that the start page links to."""
    follow: str = "untitled-letter"
    """What stands in the addresses of further lists."""


@dataclass(frozen=True, kw_only=True)
class Letter(Listed):
    """One letter of a list. `url` is its PDF."""

    firm: str
    product: str
    label: str
    followed: str
    """What the list shows to have followed: response and close-out letters, documents of their own."""


def key_of(url: str) -> str:
    """A letter's identity: the number under which FDA's site keeps the file. Raises LayoutChangedError."""
    match = _MEDIA.search(url)
    if match is None:
        raise LayoutChangedError(f"{url!r} is no address of a letter (/media/<number>)")
    return f"media/{match[1]}"


def lists_on(page: Page, options: Options) -> list[str]:
    """Further lists that a page links to, on FDA's own site, once each."""
    found: dict[str, None] = {}
    for anchor in page.many("a[href]"):
        href = str(anchor["href"])
        if options.follow in href.lower() and not _MEDIA.search(href):
            try:
                address = entry_address(page.url, href).partition("#")[0]
            except LayoutChangedError:
                continue  # a share button carries the page's own address off to another site
            found.setdefault(address)
    return [address for address in found if address.rstrip("/") != page.url.rstrip("/")]


def letters_on(page: Page) -> list[Letter]:
    """The letters that a page lists: as items (`date Untitled Letter - product`, firm below) or as rows."""
    letters: dict[str, Letter] = {}
    for anchor in page.many('a[href*="/media/"]'):
        letter = _of_item(anchor, page.url) or _of_row(anchor, page.url)
        if letter is not None:
            letters.setdefault(letter.key, letter)
    return list(letters.values())


def _of_item(anchor: Tag, base: str) -> Letter | None:
    match = _NAMED.fullmatch(clean(anchor.get_text(" ")))
    if match is None:
        return None
    following = "".join(str(n) for n in anchor.next_siblings if isinstance(n, NavigableString))
    return _letter(
        anchor, base, american_date(match["date"]), clean(following).strip(" -\u2013\u2014"), match["product"]
    )


def _of_row(anchor: Tag, base: str) -> Letter | None:
    """CDER's table: day, firm above the links to its letter and its advertisement, product, response, close-out."""
    cell = anchor.find_parent("td")
    row = cell.find_parent("tr") if cell else None
    if cell is None or row is None or "untitled letter" not in clean(anchor.get_text(" ")).lower():
        return None
    cells = row.find_all("td", recursive=False)
    texts = [clean(each.get_text(" ")) for each in cells]
    day = next((text for text in texts if _DATE.fullmatch(text)), "")
    at = next((number for number, each in enumerate(cells) if each is cell), None)
    if not day or at is None:
        return None
    shown = (
        node for node in cell.children if not (isinstance(node, Tag) and (node.name in ("a", "ul") or node.find("a")))
    )
    firm, product, *followed = (visible_lines(shown).partition("\n")[0], *texts[at + 1 :], "")
    return _letter(anchor, base, american_date(day), firm, product, "; ".join(text for text in followed if text))


def _letter(anchor: Tag, base: str, issued: date | None, firm: str, product: str | None, followed: str = "") -> Letter:
    url = entry_address(base, str(anchor["href"])).partition("?")[0]
    label, product = clean(anchor.get_text(" ")), product or ""
    return Letter(
        key=key_of(url),
        url=url,
        posted=issued,
        digest=digest_of(url, str(issued), firm, product, label, followed),
        firm=firm,
        product=product,
        label=label,
        followed=followed,
    )


def notice_of(
    card: SourceCard, captures: tuple[str, ...], url: str, letter: Letter | None, document: Document | None, unread: str
) -> NoticeRecord:
    """A letter as its list entry and its PDF tell it. Its day is the day it bears: the list gives no other."""
    named = [part for part in (letter.firm, letter.product) if part] if letter else []
    return NoticeRecord(
        source=card.id,
        key=key_of(url),
        notice_type=NoticeType.UNTITLED_LETTER,
        title=": ".join(named) or (letter.label if letter else f"Untitled letter {key_of(url)}"),
        url=url,
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=letter.posted if letter else None,
        organisations=(OrganisationRef(name=letter.firm, role="addressee"),) if letter and letter.firm else (),
        references=(key_of(url),),
        products=(letter.product,) if letter and letter.product else (),
        status=letter.followed if letter else "",
        summary=letter.label if letter else "",
        text=document.text if document else "",
        quoted_urls=document.quoted_urls if document else (),
        unread=(unread,) if unread else (),
        captures=captures,
    )


def read(response: Response, card: SourceCard) -> Records:
    """A list gives its letters, a PDF the letter. A page that lists none and leads to no list was not understood."""
    captures = (capture_of(response),)
    if _MEDIA.search(response.url):
        document = pdf_of(response)
        unread = f"letter (PDF): {document.unread}" if document.unread else ""
        yield notice_of(card, captures, response.url, None, document, unread)
        return
    page = page_of(response)
    letters = letters_on(page)
    if not letters and not lists_on(page, Options.model_validate(card.options)):
        raise LayoutChangedError(f"{page.url}: lists no untitled letter and links to no list of them")
    for letter in letters:
        yield notice_of(card, captures, letter.url, letter, None, "letter (PDF): not asked for")


class Spider(DocumentSpider[Letter, Document]):
    """Reads the hub and every list that it leads to, then the PDF of each new letter."""

    part = "letter (PDF)"

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.asked = {self.card.start, *self.options.lists}
        yield Request(self.card.start, self.parse, priority=LIST_FIRST)
        for url in self.options.lists:
            yield Request(url, self.parse, priority=LIST_FIRST)

    def parse(self, response: Response, **_: Any) -> Iterator[Request | NoticeRecord]:
        page = page_of(response)
        letters, lists = letters_on(page), lists_on(page, self.options)
        if not letters and not lists:
            raise LayoutChangedError(f"{page.url}: lists no untitled letter and links to no list of them")
        for url in lists:
            if url not in self.asked and response.url.rstrip("/") == self.card.start.rstrip("/"):
                self.asked.add(url)
                yield Request(url, self.parse_further, priority=LIST_FIRST)
        yield from self._letters(letters, response)

    def parse_further(self, response: Response) -> Iterator[Request | NoticeRecord]:
        """A page that the hub links to and nobody vouched for: it may well be about something else."""
        page = page_of(response)
        letters = letters_on(page)
        if not letters and any("untitled" in anchor.get_text().lower() for anchor in page.many('a[href*="/media/"]')):
            raise LayoutChangedError(f"{page.url}: links to untitled letters in a way that was not understood")
        if not letters:
            self.book.leave_out("page linked from the hub that links to no untitled letter")
        yield from self._letters(letters, response)

    def _letters(self, letters: list[Letter], response: Response) -> Iterator[Request | NoticeRecord]:
        for letter in letters:
            if letter.key not in self.book.seen:
                yield from self.consider(letter, capture_of(response))

    def read_document(self, response: Response, entry: Letter) -> Document:  # noqa: ARG002
        return pdf_of(response)

    def notice(self, entry: Letter, captures: tuple[str, ...], document: Document | None, unread: str) -> NoticeRecord:
        return notice_of(self.card, captures, entry.url, entry, document, unread)
