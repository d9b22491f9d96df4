"""Lists as HTML pages, read by CSS selectors. A card alone makes a source of one: `spider: generic.html_list`."""

from __future__ import annotations

import re

from bs4 import Tag
from pydantic import field_validator
from scrapy.http import Response

from crawler.generic.entries import (
    Entry,
    LinkOptions,
    Listing,
    address_of,
    day_or_note,
    is_list_address,
    must_compile,
    must_select,
    notice_of_page,
    records_of_list,
)
from crawler.generic.spider import EntrySpider
from crawler.page import Page, text_of
from crawler.source import LayoutChangedError, Records
from crawler.sources.reading import clean, page_of
from monitor.records import SourceCard

CONTENT_TYPES = ("html",)
"""What the type of a list's answer holds, one of these."""


class Options(LinkOptions):
    """The card's `options`. Selectors are CSS as BeautifulSoup reads it (`:has()` included)."""

    row: str
    """Each entry."""
    link: str = ""
    """Within the row; left out: the row itself if it is a link, else its first link."""
    title: str = ""
    """Within the row; left out: the link's text."""
    date: str = ""
    """Within the row; left out: the whole row."""
    date_pattern: str = ""
    """Regular expression of the printed date within that text, for dates that stand glued to other text. What it meets
    is taken out of the title."""
    date_in_link: str = ""
    """Regular expression with three groups, year, month and day, for dates that stand in the address only."""
    summary: str = ""
    label: str = ""
    """Elements within the row that say what kind of entry it is."""
    sentinel: str = ""
    """Something that is on the page whether it lists anything or not: without it the page was not understood."""
    next: str = ""
    """The link to the list's next page."""

    _selectors = field_validator("row", "link", "title", "date", "summary", "label", "sentinel", "next")(must_select)
    _expressions = field_validator("date_pattern", "date_in_link")(must_compile)


def listing(response: Response, card: SourceCard) -> Listing:
    """The page's entries. Raises BlockedError, and LayoutChangedError where sentinel or rows are missing."""
    options = Options.model_validate(card.options)
    page = page_of(response)
    if options.sentinel:
        page.many(options.sentinel, at_least=1)
    rows = page.many(options.row, at_least=0 if options.empty_ok else 1)
    entries: list[Entry] = []
    untitled: list[Entry] = []
    strange = []
    for row in rows:
        try:
            entry = _entry(page, row, card, options)
        except LayoutChangedError as error:
            strange.append(f"{error} in the row {text_of(row)[:80]!r}")
            continue
        (entries if entry.title else untitled).append(entry)
    # a picture that links to what the text beside it links to is no entry of its own
    titled = {entry.url for entry in entries}
    strange += [f"no title in the row that links to {entry.url}" for entry in untitled if entry.url not in titled]
    if strange and not entries:
        raise LayoutChangedError(f"{response.url}: no row was understood: {strange[0]}")
    return Listing(tuple(entries), tuple(strange), more=_next(page, options))


def _next(page: Page, options: Options) -> str:
    link = page.root.select_one(options.next) if options.next else None
    return address_of(str(link.get("href") or ""), page.url) if link else ""


def _entry(page: Page, row: Tag, card: SourceCard, options: Options) -> Entry:
    link = _link(row, options)
    url = address_of(str(link["href"]), page.url)
    if not url:
        raise LayoutChangedError(f"the link {link['href']!r} is no address")
    printed, title = _date_and_title(row, link, url, options)
    posted, unread = day_or_note(options.dates(card), printed, "posted date")
    return Entry(
        key=options.key_of(url),
        title=title,
        url=url,
        summary=_text(row, options.summary) if options.summary else "",
        posted=posted,
        labels=tuple(dict.fromkeys(text_of(tag) for tag in row.select(options.label))) if options.label else (),
        unread=unread,
    )


def _link(row: Tag, options: Options) -> Tag:
    if not options.link and row.name == "a" and row.get("href"):
        return row
    link = row.select_one(options.link or "a[href]")
    if link is None or not link.get("href"):
        raise LayoutChangedError(f"no link (`{options.link or 'a[href]'}`)")
    return link


def _text(row: Tag, css: str) -> str:
    found = row.select_one(css)
    return clean(found.get_text(" ")) if found else ""


def _date_and_title(row: Tag, link: Tag, url: str, options: Options) -> tuple[str, str]:
    """The printed date, and the title without it: in some lists the two stand in one text."""
    title = _text(row, options.title) if options.title else clean(link.get_text(" "))
    if options.date_in_link:
        match = re.search(options.date_in_link, url)
        return "-".join(part.zfill(2) for part in match.groups()) if match else "", title
    where = _text(row, options.date) if options.date else clean(row.get_text(" "))
    if not options.date_pattern:
        return (where if options.date else ""), title
    match = re.search(options.date_pattern, where)
    return match[0] if match else "", clean(re.sub(options.date_pattern, " ", title, count=1))


def read(response: Response, card: SourceCard) -> Records:
    """The list gives the entries that the card keeps; any other address is taken for an entry's page."""
    options = Options.model_validate(card.options)
    if is_list_address(response.url, card, options):
        yield from records_of_list(listing(response, card).entries, response, card, options)
    else:
        yield notice_of_page(card, options, response)


class Spider(EntrySpider):
    """Reads the list, page by page while one brings anything new, and the page of each kept entry."""

    options_model = Options

    def listing(self, response: Response) -> Listing:
        return listing(response, self.card)
