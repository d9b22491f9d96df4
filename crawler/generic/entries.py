"""What the generic readers share: the entries of a list, what of them is kept, and the notices made of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, Self
from urllib.parse import parse_qs, urljoin, urlsplit

import soupsieve
from bs4 import Tag
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from scrapy.http import Response

from crawler.generic.dates import DateReader, Order
from crawler.generic.terms import Terms, terms_of
from crawler.market.addresses import normalise, same_site
from crawler.notes import host_of
from crawler.page import Page
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.pdf import pdf_of
from crawler.sources.reading import clean, digest_of, page_of, quoted_addresses, visible_lines
from monitor.records import AnyRecord, NoticeRecord, NoticeType, OrganisationRef, SourceCard

_FILES = re.compile(r"\.(?:docx?|xlsx?|pptx?|zip|csv|odt|rtf|jpe?g|png|mp4)$", re.IGNORECASE)
_BODIES = ("main", "[role=main]", "article", "#content", "body")
"""Where a page's text stands, if its card does not say: the first that is there."""
_NO_CONTENT = "nav, header, footer, form, aside, [role=navigation], [role=banner], [role=contentinfo]"


@dataclass(frozen=True)
class Entry:
    """One entry of a list, its texts cleaned, its dates as printed."""

    key: str
    title: str
    url: str = ""
    """Its own page; empty if it has none."""
    summary: str = ""
    text: str = ""
    """The whole text, where the list itself carries it."""
    issued: date | None = None
    posted: date | None = None
    updated: date | None = None
    labels: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    organisation: str = ""
    references: tuple[str, ...] = ()
    status: str = ""
    unread: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Without the date of posting: lists are re-dated without any other change. That one appeared is a change."""
        parts = (self.key, self.url, self.title, self.summary, self.text, self.status, str(self.updated or ""))
        return digest_of(*parts, str(self.posted is not None), *self.labels, *self.products)

    @property
    def words(self) -> tuple[str, ...]:
        """All that the list says of it."""
        return (self.title, self.summary, self.text, *self.labels, *self.products, self.organisation)


@dataclass(frozen=True)
class Listing:
    """One answer of a source's list."""

    entries: tuple[Entry, ...]
    strange: tuple[str, ...] = ()
    """What was not understood, an entry each."""
    more: str = ""
    """Address of the list's next page; empty if this is the last."""


class EntryOptions(BaseModel):
    """What a card can say to every generic reader."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    notice_type: NoticeType = NoticeType.NEWS
    types: dict[str, NoticeType] = Field(default_factory=dict)
    """Regular expression → type, for entries in whose title or labels it is found; the first one counts."""
    terms: tuple[str, ...] = ()
    """Languages of `terms.yaml` whose words decide what is kept; left out: everything is."""
    words: tuple[str, ...] = ()
    """Words of this source's own: beside the lists, or in their place."""
    gate: Literal["list", "text"] = "list"
    """`list`: an entry must meet a word in what the list says. `text`: an entry that does not is read as well, and kept
    if its page names a product."""
    follow: bool = False
    """Read the page that each kept entry links to."""
    text_selector: str = ""
    """CSS of the page's text; left out: main, article or body without navigation."""
    also: tuple[str, ...] = ()
    """Further addresses of the same list: an entry that stands in two is one."""
    hosts: tuple[str, ...] = ()
    """Other hosts to which entries may lead; the list's own and those below it always may."""
    date_languages: tuple[str, ...] = ()
    """Left out: the card's language, then English."""
    date_order: Order = ""
    date_form: str = ""
    """strptime format, where every date has the same."""
    empty_ok: bool = False
    """The list may hold nothing; otherwise nothing means that the source was not read."""
    max_pages: int = Field(default=20, ge=1, le=5000)
    """Pages of the list that one run reads, at most."""

    @field_validator("terms")
    @classmethod
    def _known_languages(cls, chosen: tuple[str, ...]) -> tuple[str, ...]:
        terms_of(chosen)
        return chosen

    @field_validator("types")
    @classmethod
    def _types(cls, types: dict[str, NoticeType]) -> dict[str, NoticeType]:
        for pattern in types:
            must_compile(pattern)
        return types

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.gate == "text" and not (self.follow and self.terms):
            raise ValueError("gate: text needs follow: true and terms: without them no page is read for its words")
        return self

    @property
    def chosen_terms(self) -> Terms | None:
        return terms_of(self.terms, self.words) if self.terms or self.words else None

    def dates(self, card: SourceCard) -> DateReader:
        return DateReader(
            self.date_languages or tuple(dict.fromkeys((card.language, "en"))), self.date_order, self.date_form
        )

    def type_of(self, entry: Entry) -> NoticeType:
        said = "\n".join((entry.title, *entry.labels))
        return next((kind for pattern, kind in self.types.items() if re.search(pattern, said, re.I)), self.notice_type)


class LinkOptions(EntryOptions):
    """What a card can say to readers of lists whose entries are known by their links."""

    id_from: str = Field(default="link", pattern=r"^(link|guid|query\.[\w-]+)$")
    """What tells an entry from the others: its link, a parameter of its link, or in feeds its guid. A link is the
    safest: some publishers' guids change with every edit."""
    id_pattern: str = ""
    """Regular expression on the link; its first group is the id."""

    @field_validator("id_pattern")
    @classmethod
    def _expression(cls, pattern: str) -> str:
        return must_compile(pattern)

    def key_of(self, url: str) -> str:
        """An entry's id out of its address. Raises LayoutChangedError where the address does not hold it."""
        if self.id_pattern:
            match = re.search(self.id_pattern, url)
            found = next((part for part in (match.groups() or (match[0],)) if part), "") if match else ""
        elif self.id_from.startswith("query."):
            found = parse_qs(urlsplit(url).query).get(self.id_from.removeprefix("query."), [""])[0]
        else:
            return url
        if not found:
            raise LayoutChangedError(f"the address {url} does not hold the id ({self.id_pattern or self.id_from})")
        return found


def must_compile(pattern: str) -> str:
    """The pattern itself. Raises ValueError saying what is wrong with it."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    return pattern


def must_select(css: str, info: ValidationInfo) -> str:
    """The CSS selector itself. Raises ValueError saying what is wrong with it."""
    if css:
        try:
            soupsieve.compile(css)
        except soupsieve.SelectorSyntaxError as error:
            raise ValueError(f"{info.field_name}: {css!r} is no CSS selector: {str(error).splitlines()[0]}") from error
    return css


def address_of(href: str, base: str) -> str:
    """A link in its normal form, on https where the list itself is; empty if it is no address of the web."""
    if not clean(href):
        return ""  # joined, it would be the list itself
    try:
        address = urljoin(base, clean(href))
    except ValueError:
        return ""
    if address.startswith("http://") and base.startswith("https://") and same_site(address, base):
        address = f"https://{address.removeprefix('http://')}"
    return normalise(address)


def day_or_note(reader: DateReader, text: str, what: str) -> tuple[date | None, tuple[str, ...]]:
    """A date, and why there is none where one is printed."""
    try:
        return reader.day(text), ()
    except LayoutChangedError as error:
        return None, (f"{what}: {error}",)


@dataclass(frozen=True)
class PageText:
    """What an entry's own page says."""

    title: str
    text: str
    quoted_urls: tuple[str, ...] = ()
    unread: str = ""
    """What of it could not be read."""


def read_page(response: Response, options: EntryOptions) -> PageText:
    """An entry's page or PDF. Raises LayoutChangedError if it is neither, or if nothing stands where its text must."""
    if response.body[:1024].find(b"%PDF-") >= 0:
        document = pdf_of(response)
        return PageText("", document.text, document.quoted_urls, document.unread)
    page = page_of(response)
    heading = page.root.select_one("h1") or page.root.select_one("title")
    title = clean(heading.get_text(" ")) if heading else ""
    nodes = page.many(options.text_selector, at_least=1) if options.text_selector else [_body(page)]
    text = visible_lines(nodes)
    if not text:
        raise LayoutChangedError(f"nothing is written on the page ({page.url})")
    links = "\n".join(str(anchor["href"]) for node in nodes for anchor in node.select('a[href^="http"]'))
    return PageText(title, text, quoted_addresses(f"{text}\n{links}", host_of(response.url)))


def _body(page: Page) -> Tag:
    body = next((found for css in _BODIES if (found := page.root.select_one(css)) and clean(found.get_text())), None)
    if body is None:
        raise LayoutChangedError(f"nothing is written on the page ({page.url})")
    for part in body.select(_NO_CONTENT):
        part.extract()
    return body


def why_not_followed(entry: Entry, card: SourceCard, options: EntryOptions) -> str:
    """Why an entry's page is not asked for, in words; empty if it is."""
    if not entry.url:
        return "page: the list gives no address of one"
    homes = (card.start, *(f"https://{host}/" for host in options.hosts))
    if not any(same_site(entry.url, home) for home in homes):
        return f"page: it is on another site, {host_of(entry.url)}"
    if _FILES.search(urlsplit(entry.url).path):
        return "page: a file that this reader does not open"
    return ""


def notice_of(
    card: SourceCard, options: EntryOptions, entry: Entry, captures: tuple[str, ...], page: PageText | None = None
) -> NoticeRecord:
    """An entry, with its own page where that was read."""
    quoted = page.quoted_urls if page else quoted_addresses(entry.text or entry.summary, host_of(card.start))
    return NoticeRecord(
        source=card.id,
        key=entry.key,
        notice_type=options.type_of(entry),
        title=entry.title,
        url=entry.url or card.start,
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=entry.issued,
        posted=entry.posted,
        updated=entry.updated,
        organisations=(OrganisationRef(name=entry.organisation),) if entry.organisation else (),
        references=entry.references,
        products=entry.products,
        status=entry.status,
        classification=", ".join(entry.labels),
        summary=entry.summary,
        text=page.text if page else entry.text,
        quoted_urls=quoted,
        unread=(*entry.unread, f"page: {page.unread}") if page and page.unread else entry.unread,
        captures=captures,
    )


Maker = Callable[[SourceCard, Any, Entry, tuple[str, ...], PageText | None], AnyRecord]
"""Makes a record of an entry, with its own page where that was read."""


def notice_of_page(card: SourceCard, options: EntryOptions, response: Response) -> NoticeRecord:
    """A page read by itself, without its list: its title, text and address alone are known."""
    page = read_page(response, options)
    if not page.title:
        raise LayoutChangedError(f"the page has no heading and no title ({response.url})")
    url = normalise(response.url) or response.url
    key = options.key_of(url) if isinstance(options, LinkOptions) and options.id_from != "guid" else url
    entry = Entry(key=key, title=page.title, url=url)
    return notice_of(card, options, entry, (capture_of(response),), page)


def is_list_address(url: str, card: SourceCard, options: EntryOptions) -> bool:
    """True for an address of the list itself or of one of its pages: the query apart, they are the same."""
    paths = {(host_of(one), urlsplit(one).path) for one in (card.start, *options.also)}
    return (host_of(url), urlsplit(url).path) in paths


def records_of_list(
    entries: Iterable[Entry], response: Response, card: SourceCard, options: EntryOptions, make: Maker = notice_of
) -> Records:
    """What a list gives that was read by itself: each entry that it would lead to says that no page was read."""
    terms = options.chosen_terms
    met: set[str] = set()
    for entry in entries:
        if entry.key in met:
            continue
        met.add(entry.key)
        if terms and options.gate == "list" and not terms.is_near(*entry.words):
            continue
        why = (why_not_followed(entry, card, options) or "page: not asked for",) if options.follow else ()
        yield make(card, options, replace(entry, unread=(*entry.unread, *why)), (capture_of(response),), None)
