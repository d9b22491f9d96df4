"""FDA's import alerts: the list by number, then the page of each alert that matters, with its list of firms.

A page is rebuilt each night and may be some megabytes long; only its publish date on the list says that it changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from bs4 import BeautifulSoup, Tag
from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response

from crawler.generic.terms import terms_of
from crawler.notes import host_of, note
from crawler.page import Page, text_of
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.documents import Document, DocumentSpider, Listed
from crawler.sources.reading import (
    american_date,
    clean,
    digest_of,
    entry_address,
    quoted_addresses,
    refuse_other_than_page,
    visible_lines,
)
from monitor.records import NoticeRecord, NoticeType, OrganisationRef, SourceCard

NUMBER = re.compile(r"\d{2}-\d{2,3}")
QUOTES = "\"'\u201c\u201d "
"""What FDA puts around some names and not around others."""


class Options(BaseModel):
    """The card's `options`: which alerts are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    industries: tuple[str, ...] = Field(min_length=1)
    """First part of an alert's number: FDA's industry code."""
    words: tuple[str, ...] = ()
    """Alerts of other industries are read where one of these, or of the common English words, begins in their name."""


@dataclass(frozen=True, kw_only=True)
class ListedAlert(Listed):
    """One row of the list."""

    number: str
    kind: str
    name: str


@dataclass(frozen=True)
class Firm:
    """One firm of an alert's list. `listed` says which list ("Red List"), as the page does."""

    name: str
    address: str
    country: str
    listed: str


@dataclass(frozen=True, kw_only=True)
class Alert(Document):
    """One alert's page."""

    number: str
    kind: str
    name: str
    firms: tuple[Firm, ...]
    products: tuple[str, ...]


def soup_of(response: Response) -> BeautifulSoup:
    """The page; FDA declares no encoding, and writes UTF-8 on some pages and Windows-1252 on others."""
    refuse_other_than_page(response)
    try:
        text = response.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = response.body.decode("cp1252", errors="replace")
    return BeautifulSoup(text, "lxml")


def read_list(page: Page) -> tuple[list[ListedAlert], list[str]]:
    """The rows that were understood, and what was wrong with the others. Raises LayoutChangedError if none was."""
    table = next(
        (t for t in page.many("table") if (head := t.find("th")) and "Import Alert Number" in text_of(head)), None
    )
    if table is None:
        raise LayoutChangedError(f"{page.url}: no table begins with a column `Import Alert Number`")
    alerts, strange = [], []
    for row in table.find_all("tr"):
        cells = row.find_all("td", recursive=False)
        if not cells:
            continue
        try:
            alerts.append(read_row(cells, page.url))
        except LayoutChangedError as error:
            strange.append(str(error))
    if not alerts:
        raise LayoutChangedError(f"{page.url}: no row of the list was understood: {(strange or ['it has none'])[0]}")
    return alerts, strange


def read_row(cells: list[Tag], base: str) -> ListedAlert:
    """One row: number, type, publish date, name with link. The page's own number in its address is another one."""
    texts = [text_of(cell) for cell in cells]
    link = cells[-1].find("a", href=True)
    if len(cells) != 4 or not isinstance(link, Tag) or not NUMBER.fullmatch(texts[0]):
        raise LayoutChangedError(f"a row of the list is not number, type, date and linked name: {texts}")
    number, kind, posted, name = texts
    return ListedAlert(
        key=number,
        url=entry_address(base, str(link["href"])),
        posted=american_date(posted),
        digest=digest_of(number, kind, posted, name),
        number=number,
        kind=kind,
        name=name.strip(QUOTES),
    )


def read_alert(page: Page) -> Alert:
    """An alert's page. Raises LayoutChangedError if number or name is missing, or a firm stands under no list."""
    body = page.one("body")
    said = re.search(r"Import Alert # ?(\d{2}-\d{2,3})", clean(body.get_text(" ")[:4000]))
    heading = next((h for h in body.find_all("h3") if text_of(h).startswith("Import Alert Name")), None)
    named = heading.find_next("div") if heading else None
    if said is None or not isinstance(named, Tag) or not text_of(named):
        raise LayoutChangedError(f"{page.url}: the page shows no import alert's number and name")
    kind = next((t[5:].strip() for div in body.find_all("div") if (t := text_of(div)[:80]).startswith("Type:")), "")
    firms, products = _firms(body, page.url)
    text = visible_lines([body])
    return Alert(
        number=said[1],
        kind=kind,
        name=text_of(named).strip(QUOTES),
        firms=firms,
        products=products,
        text=text,
        quoted_urls=quoted_addresses(text, host_of(page.url)),
    )


def _firms(body: Tag, url: str) -> tuple[tuple[Firm, ...], tuple[str, ...]]:
    """Firms with their list and country, and the products that are detained: the page is flat, so in its order."""
    listed = country = ""
    firms: dict[Firm, None] = {}
    products: dict[str, None] = {}
    for tag in body.find_all(["h4", "div"]):
        classes = set(tag.get("class") or ())
        if tag.name == "h4":
            text = text_of(tag)
            if match := re.search(r"\b(Red|Yellow|Green) List\b", text, re.IGNORECASE):
                listed, country = f"{match[1].capitalize()} List", ""
            elif tag.find_parent("div", class_="center"):
                country = text
        elif "div-info" in classes:
            if not listed:
                raise LayoutChangedError(f"{url}: a firm stands under none of the lists: {text_of(tag)[:80]}")
            firms.setdefault(_firm(tag, listed, country, url))
        elif listed == "Red List" and "floatleft" in classes and "div-name" not in classes and (code := tag.find("em")):
            name = clean(text_of(tag).removeprefix(text_of(code)))
            products.setdefault(name)
    products.pop("", None)
    return tuple(firms), tuple(products)


def _firm(tag: Tag, listed: str, country: str, url: str) -> Firm:
    name, address = tag.select_one(".div-name.floatleft"), tag.select_one(".clear")
    if name is None or not text_of(name):
        raise LayoutChangedError(f"{url}: a firm has no name: {text_of(tag)[:80]}")
    lines = visible_lines([address]).split("\n") if address else []
    return Firm(text_of(name), " ".join(lines).replace(" ,", ","), country, listed)


def notice_of(
    card: SourceCard, url: str, captures: tuple[str, ...], entry: ListedAlert | None, alert: Alert | None, unread: str
) -> NoticeRecord:
    """An alert as list and page tell it. Firms of the green and yellow lists are named in its text alone."""
    number = entry.number if entry else alert.number if alert else ""
    name = alert.name if alert else entry.name if entry else ""
    red = [firm for firm in alert.firms if firm.listed == "Red List"] if alert else []
    return NoticeRecord(
        source=card.id,
        key=number,
        notice_type=NoticeType.IMPORT_ALERT,
        title=f"Import Alert {number}: {name}",
        url=url,
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        posted=entry.posted if entry else None,
        organisations=tuple(OrganisationRef(name=f.name, country=f.country, address=f.address) for f in red),
        references=(f"Import Alert {number}",),
        products=alert.products if alert else (),
        status=(alert.kind if alert else "") or (entry.kind if entry else ""),
        summary=name,
        text=alert.text if alert else "",
        quoted_urls=alert.quoted_urls if alert else (),
        unread=(unread,) if unread else (),
        captures=captures,
    )


class Selection:
    """Which alerts are read, by the card's options."""

    def __init__(self, options: Options) -> None:
        self.industries = frozenset(options.industries)
        self.terms = terms_of(("en",), options.words)

    def reason_left_out(self, entry: ListedAlert) -> str:
        if entry.number.partition("-")[0] in self.industries or self.terms.is_near(entry.name):
            return ""
        return "other industry, and no term of the lists"


def read(response: Response, card: SourceCard) -> Records:
    """The list gives the alerts that the card keeps, an alert's page the alert."""
    captures = (capture_of(response),)
    page = Page(response.url, soup_of(response))
    if page.root.find("h3", string=re.compile("Import Alert Name")):
        yield notice_of(card, response.url, captures, None, read_alert(page), "")
        return
    selection = Selection(Options.model_validate(card.options))
    for entry in read_list(page)[0]:
        if not selection.reason_left_out(entry):
            yield notice_of(card, entry.url, captures, entry, None, "page: not asked for")


class Spider(DocumentSpider[ListedAlert, Alert]):
    """Reads the list, then the page of each kept alert that was published anew."""

    def begin(self) -> Iterator[Request]:
        self.selection = Selection(Options.model_validate(self.card.options))
        self.selected_by = self.selection.terms.fingerprint
        yield Request(self.card.start, self.parse)

    def parse(self, response: Response, **_: Any) -> Iterator[Request | NoticeRecord]:
        alerts, strange = read_list(Page(response.url, soup_of(response)))
        for message in strange:
            self.book.leave_out("row not understood")
            note(self.book, "parse_error", message, response.url, capture_of(response))
        for alert in alerts:
            yield from self.consider(alert, capture_of(response))
        self.book.listed = len(alerts) + len(strange)

    def reason_left_out(self, entry: ListedAlert) -> str:
        return self.selection.reason_left_out(entry)

    def read_document(self, response: Response, entry: ListedAlert) -> Alert:
        alert = read_alert(Page(response.url, soup_of(response)))
        if alert.number != entry.number:
            raise LayoutChangedError(f"{response.url}: holds alert {alert.number} where the list says {entry.number}")
        return alert

    def notice(
        self, entry: ListedAlert, captures: tuple[str, ...], document: Alert | None, unread: str
    ) -> NoticeRecord:
        return notice_of(self.card, entry.url, captures, entry, document, unread)
