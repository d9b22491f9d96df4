"""Rulings of the UK's Advertising Standards Authority: a search for each of the card's questions, then each ruling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode, urlsplit

from bs4 import Tag
from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response

from crawler.notes import host_of, note
from crawler.page import Page, day_first_date
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.documents import LIST_FIRST, Document, DocumentSpider, Listed
from crawler.sources.reading import clean, digest_of, entry_address, page_of, quoted_addresses, visible_lines
from monitor.records import NoticeRecord, NoticeType, OrganisationRef, SourceCard

ITEM = "li.icon-listing-item"
HEADING = re.compile(r"^ASA (?:Ruling|Adjudication) on\s+", re.IGNORECASE)
NUMBER = re.compile(r"\bA\d{2}-\d{6,8}\b", re.IGNORECASE)
RULE = re.compile(r"(?<![\d.])\d{1,2}\.\d{1,2}(?:\.\d{1,2})?(?![\d.]*\d)")
"""A rule of the CAP Code; part 12 is about medicines, devices, health and beauty."""


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    queries: tuple[str, ...] = Field(min_length=1)
    date_period: str = "past_year"
    max_pages: int = Field(default=10, ge=1, le=100)
    """Pages of one search that a run reads, at most."""


@dataclass(frozen=True, kw_only=True)
class Item(Listed):
    """One item of the list."""

    advertiser: str
    verdict: str
    medium: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class Ruling(Document):
    """One ruling's page. `rules` are those of the CAP Code that it rests on."""

    advertiser: str
    title: str
    verdict: str
    medium: str
    ruled: date | None
    complaint: str
    rules: tuple[str, ...]


def search_address(start: str, options: Options, query: str, page: int) -> str:
    """One page of a search. The first is asked for without a number: nothing says whether they begin at 0 or at 1."""
    asked = {"q": query, "sort_order": "recent", "date_period": options.date_period, "from_date": "", "to_date": ""}
    return f"{start}?{urlencode(asked | ({'page': str(page)} if page else {}))}"


def key_of(url: str) -> str:
    """The complaint's number out of the address; rulings without one are told by their path."""
    path = urlsplit(url).path
    number = NUMBER.search(path)
    return number[0].upper() if number else path


def read_list(page: Page) -> tuple[list[Item], list[str]]:
    """The rulings on a page of the search, and what was wrong with others.

    Raises LayoutChangedError if the tab of rulings is missing, or if not one item is understood.
    """
    tab = page.one("#rulings")
    listed, strange = [], []
    for item in tab.select(ITEM):
        try:
            listed.append(_item(page.part(item)))
        except LayoutChangedError as error:
            strange.append(str(error))
    if strange and not listed:
        raise LayoutChangedError(f"no ruling of the list was understood: {strange[0]}")
    return listed, strange


def _item(page: Page) -> Item:
    link = page.one("h4.heading a[href]")
    advertiser, url = clean(link.get_text(" ")), entry_address(page.url, str(link["href"]))
    if not advertiser:
        raise LayoutChangedError(f"a ruling of the list names no advertiser ({url})")
    verdict, medium, ruled = _meta(page.root.select("li.meta-listing-item"))
    summary = " ".join(clean(paragraph.get_text(" ")) for paragraph in page.root.select("p"))
    return Item(
        key=key_of(url),
        url=url,
        posted=ruled,
        digest=digest_of(url, advertiser, verdict, medium, str(ruled)),
        advertiser=advertiser,
        verdict=verdict,
        medium=medium,
        summary=summary,
    )


def _meta(items: list[Tag]) -> tuple[str, str, date | None]:
    """Verdict, medium and date. The medium may be missing; the date stands last."""
    words = [text for item in items if (text := clean(item.get_text(" ")))]
    if not words:
        raise LayoutChangedError("a ruling shows neither verdict nor date")
    ruled = day_first_date(words.pop()) if re.search(r"\d{4}$", words[-1]) else None
    return (words[0] if words else ""), "; ".join(words[1:]), ruled


def read_ruling(page: Page) -> Ruling:
    """A ruling's page. Raises LayoutChangedError if heading, verdict or text is missing."""
    title = page.text("h1.heading")
    first = next(iter(page.many("ul.meta-listing", at_least=1)))  # the later ones belong to related rulings
    verdict, medium, ruled = _meta(first.select("li .caption") or first.select("li"))
    body = page.many("div.main-content", at_least=1)[0]
    rules = _rules(body)
    _drop_what_follows(body)
    text = visible_lines([body])
    if not text:
        raise LayoutChangedError(f"nothing is written on the ruling's page ({page.url})")
    links = "\n".join(str(anchor["href"]) for anchor in body.select('a[href^="http"]'))
    number = NUMBER.search(text) or NUMBER.search(urlsplit(page.url).path)
    return Ruling(
        advertiser=HEADING.sub("", title),
        title=title,
        verdict=verdict,
        medium=medium,
        ruled=ruled,
        complaint=number[0].upper() if number else "",
        rules=rules,
        text=text,
        quoted_urls=quoted_addresses(f"{text}\n{links}", host_of(page.url)),
    )


def _headings(body: Tag, words: str) -> list[Tag]:
    return [heading for heading in body.select("h2") if clean(heading.get_text(" ")).lower().startswith(words)]


def _rules(body: Tag) -> tuple[str, ...]:
    """What stands between the heading of the CAP Code and the next one."""
    found: dict[str, None] = {}
    for heading in _headings(body, "cap code"):
        for sibling in heading.find_next_siblings(True):
            if sibling.name == "h2":
                break
            found |= dict.fromkeys(RULE.findall(sibling.get_text(" ")))
    return tuple(found)


def _drop_what_follows(body: Tag) -> None:
    """Take away links to more on the subject and to related rulings: they are no part of this one."""
    for heading in _headings(body, "more on"):
        for sibling in [*heading.find_next_siblings(True), heading]:
            sibling.extract()
    for item in body.select(ITEM):
        item.extract()


def notice_of(
    card: SourceCard,
    url: str,
    captures: tuple[str, ...],
    listed: Item | None,
    ruling: Ruling | None,
    unread: str = "",
) -> NoticeRecord:
    """A ruling as the list and its page tell it; the page is right where both speak."""
    advertiser = (ruling.advertiser if ruling else "") or (listed.advertiser if listed else "")
    verdict = (ruling.verdict if ruling else "") or (listed.verdict if listed else "")
    ruled = (ruling.ruled if ruling else None) or (listed.posted if listed else None)
    numbers = (ruling.complaint, *(f"CAP Code {rule}" for rule in ruling.rules)) if ruling else ()
    return NoticeRecord(
        source=card.id,
        key=key_of(url),
        notice_type=NoticeType.RULING,
        title=ruling.title if ruling else advertiser,
        url=url,
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=ruled,
        posted=ruled,
        organisations=(OrganisationRef(name=advertiser, role="addressee"),),
        references=tuple(filter(None, numbers)),
        status=verdict,
        classification=(ruling.medium if ruling else "") or (listed.medium if listed else ""),
        summary=listed.summary if listed else "",
        text=ruling.text if ruling else "",
        quoted_urls=ruling.quoted_urls if ruling else (),
        unread=(unread,) if unread else (),
        captures=captures,
    )


def read(response: Response, card: SourceCard) -> Records:
    """A page of the search gives the rulings that it lists, a ruling's page the ruling."""
    page, captures = page_of(response), (capture_of(response),)
    if page.root.select_one("#rulings") is None and page.root.select_one("h1.heading") is not None:
        yield notice_of(card, response.url, captures, None, read_ruling(page))
        return
    for listed in read_list(page)[0]:
        yield notice_of(card, listed.url, captures, listed, None, "ruling: not asked for")


class Spider(DocumentSpider[Item, Ruling]):
    """Asks each question, page by page, and reads each ruling that is new or whose item changed."""

    part = "ruling"

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.first_pages: dict[str, tuple[str, ...]] = {}
        for query in self.options.queries:
            yield self._list_request(query, 0)

    def _list_request(self, query: str, page: int) -> Request:
        url = search_address(self.card.start, self.options, query, page)
        return Request(url, self.parse_list, cb_kwargs={"query": query, "page": page}, priority=LIST_FIRST)

    def read_document(self, response: Response, entry: Item) -> Ruling:  # noqa: ARG002 - the page says it all
        return read_ruling(page_of(response))

    def notice(self, entry: Item, captures: tuple[str, ...], document: Ruling | None, unread: str) -> NoticeRecord:
        return notice_of(self.card, entry.url, captures, entry, document, unread)

    def parse_list(self, response: Response, query: str, page: int) -> Iterator[Request | NoticeRecord]:
        listed, strange = read_list(page_of(response))
        for message in strange:
            self.book.leave_out("entry not understood")
            note(self.book, "parse_error", message, response.url, capture_of(response))
        self.book.listed = self.book.listed or 0
        unseen = [one for one in listed if one.key not in self.book.seen]
        for one in unseen:
            yield from self.consider(one, capture_of(response))
        if page == 0:
            self._compare(query, tuple(one.key for one in listed), response)
        # page 1 may be the first one again
        if listed and (unseen or page < 2) and not self.nothing_new(listed) and not self.limit_reached(self.taken):
            yield from self._read_on(query, page + 1)

    def _read_on(self, query: str, page: int) -> Iterator[Request]:
        if page <= self.options.max_pages:
            yield self._list_request(query, page)
        else:
            message = f"read {self.options.max_pages} pages for {query!r}, the card's max_pages; the others are unread"
            note(self.book, "limit_reached", message)

    def _compare(self, query: str, keys: tuple[str, ...], response: Response) -> None:
        """The site answers a parameter that it does not know with its latest rulings, whatever was asked."""
        self.first_pages[query] = keys
        asked = len(self.first_pages)
        if asked > 1 and asked == len(self.options.queries) and keys and len(set(self.first_pages.values())) == 1:
            message = "every question brought the same rulings: the search does not heed its words any more"
            note(self.book, "layout_changed", message, response.url, capture_of(response))
