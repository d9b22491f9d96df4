"""Health Canada's recalls and safety alerts: the open-data snapshot, then the page of each alert that matters.

The snapshot is the whole history as one JSON array. Product names (and so the words that count here) stand
on the alert's page only, so the list is filtered by wide context words and the page is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.notes import host_of, note
from crawler.page import Page
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.reading import (
    ListSpider,
    clean,
    digest_of,
    entry_address,
    fragment_text,
    json_of,
    page_of,
    plain_date,
    quoted_addresses,
    understood,
    visible_lines,
)
from monitor.records import NoticeRecord, NoticeType, SourceCard

FIELDS = (
    "NID",
    "Title",
    "URL",
    "Organization",
    "Product",
    "Issue",
    "What you should do",
    "Category",
    "Recall class",
    "Last updated",
    "Archived",
)

OFFICIAL = (".canada.ca", ".gc.ca")
"""Canada's own sites: law and advice, not sellers."""


class Options(BaseModel):
    """The card's `options`: which entries are worth reading."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...] = Field(min_length=1)
    """Beginnings of words, met in Title, Product or Issue; a `*` in front meets within words too."""
    organizations: tuple[str, ...] = ()
    """Left out: all. The list also holds cars and foods."""
    first_days: int = Field(default=400, ge=1)
    """How far back the first reading goes."""


@dataclass(frozen=True)
class Entry:
    """One element of the snapshot, its texts cleaned."""

    nid: str
    title: str
    url: str
    organization: str
    product: str
    issue: str
    advice: str
    category: str
    recall_class: str
    updated: date | None
    archived: bool

    @property
    def digest(self) -> str:
        """Without the date: entries are re-dated without any other change, and are no news for it."""
        what = (self.title, self.product, self.issue, self.advice, self.category, self.recall_class)
        return digest_of(self.nid, self.url, self.organization, *what, str(self.archived))


def read_snapshot(payload: Any, base: str) -> tuple[int, list[Entry], list[str]]:
    """As `understood`, over the whole snapshot."""
    return understood(payload, base, "snapshot", "entry", read_entry)


def read_entry(element: Any, base: str) -> Entry:
    """One element. Raises LayoutChangedError if a field is missing or is neither text nor null."""
    if not isinstance(element, dict) or not set(FIELDS) <= set(element):
        lacking = sorted(set(FIELDS) - set(element)) if isinstance(element, dict) else "all fields"
        raise LayoutChangedError(f"an entry of the snapshot lacks {lacking}")
    if strange := [name for name in FIELDS if not isinstance(element[name], str | None)]:
        raise LayoutChangedError(f"entry {element['NID']}: {strange} is neither text nor null")
    values = [fragment_text(element[name] or "") for name in FIELDS]
    nid, title, url, organization, product, issue, advice, category, recall_class, updated, archived = values
    if not nid or not title:
        raise LayoutChangedError(f"an entry of the snapshot has no NID or no Title: {str(element)[:120]}")
    return Entry(
        nid=nid,
        title=title,
        url=entry_address(base, url),
        organization=organization,
        product=product,
        issue=issue,
        advice=advice,
        category=category,
        recall_class=recall_class,
        updated=plain_date(updated),
        archived=archived == "1",
    )


def context_of(options: Options) -> re.Pattern[str]:
    """What meets one of the card's words."""
    parts = (re.escape(word[1:]) if word.startswith("*") else rf"\b{re.escape(word)}" for word in options.words)
    return re.compile("|".join(parts), re.IGNORECASE)


def reason_left_out(entry: Entry, options: Options, context: re.Pattern[str]) -> str:
    """Why an entry is not read; empty if it is."""
    if options.organizations and entry.organization not in options.organizations:
        return "other organisation"
    if not context.search(f"{entry.title}\n{entry.product}\n{entry.issue}"):
        return "no word of the context list"
    return ""


@dataclass(frozen=True)
class Alert:
    """One alert's page."""

    title: str
    products: tuple[str, ...]
    text: str
    quoted_urls: tuple[str, ...]


def read_alert(page: Page) -> Alert:
    """An alert's page: `main` with one `h1`, and the affected products in `td[data-label]`.

    Raises LayoutChangedError if main part, heading or text is missing.
    """
    main = page.one("main")
    title, text = page.part(main).text("h1"), visible_lines([main])
    if text == title:
        raise LayoutChangedError(f"{page.url}: nothing stands below the alert's heading")
    cells = [cell for cell in main.select("td[data-label]") if "product" in str(cell["data-label"]).lower()]
    products = dict.fromkeys(name for cell in cells if (name := clean(cell.get_text(" "))))
    links = "\n".join(str(anchor["href"]) for anchor in main.select('a[href^="http"]'))
    addresses = quoted_addresses(f"{text}\n{links}", host_of(page.url))
    sellers = tuple(address for address in addresses if not f".{host_of(address)}".endswith(OFFICIAL))
    return Alert(clean(title), tuple(products), text, sellers)


def notice_of(
    card: SourceCard, url: str, captures: tuple[str, ...], entry: Entry | None, alert: Alert | None, unread: str = ""
) -> NoticeRecord:
    """An alert as snapshot and page tell it."""
    title = alert.title if alert else entry.title if entry else ""
    listed = (entry.product,) if entry and entry.product else ()
    return NoticeRecord(
        source=card.id,
        key=entry.nid if entry else urlsplit(url).path,
        notice_type=NoticeType.RECALL if entry and entry.recall_class else NoticeType.ALERT,
        title=title,
        url=url,
        authority=f"{card.authority.name}, {entry.organization}"
        if entry and entry.organization
        else card.authority.name,
        jurisdiction=card.jurisdiction,
        language="fr" if "/fr/" in urlsplit(url).path else card.language,
        updated=entry.updated if entry else None,
        references=(f"NID {entry.nid}",) if entry else (),
        products=(alert.products if alert else ()) or listed,
        status="archived" if entry and entry.archived else "",
        classification=entry.recall_class if entry else "",
        summary=entry.issue if entry else "",
        text=alert.text if alert else "",
        quoted_urls=alert.quoted_urls if alert else (),
        unread=(unread,) if unread else (),
        captures=captures,
    )


def read(response: Response, card: SourceCard) -> Records:
    """The snapshot gives the entries that the card keeps, an alert's page the alert."""
    captures = (capture_of(response),)
    if response.body.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] not in (b"[", b"{"):
        yield notice_of(card, response.url, captures, None, read_alert(page_of(response)))
        return
    options = Options.model_validate(card.options)
    context = context_of(options)
    _total, entries, _strange = read_snapshot(json_of(response), response.url)
    for entry in entries:
        if not reason_left_out(entry, options, context):
            yield notice_of(card, entry.url, captures, entry, None, "alert page: not asked for")


class Spider(ListSpider):
    """Reads the snapshot once, then the page of each kept entry that is new or whose entry changed."""

    def parse(self, response: Response, **_: Any) -> Iterator[Request]:
        options = Options.model_validate(self.card.options)
        total, entries, strange = read_snapshot(json_of(response), response.url)
        for message in strange:
            self.book.leave_out("entry not understood")
            note(self.book, "parse_error", message, response.url, capture_of(response))
        context, earliest = context_of(options), self._earliest(entries, options)
        taken = 0
        for entry in entries:
            if reason := reason_left_out(entry, options, context):
                self.book.leave_out(reason)
            elif self._to_read(entry, earliest, taken):
                taken += 1
                passed = {"entry": entry, "listed_in": capture_of(response)}
                newest_first = entry.updated.toordinal() if entry.updated else 0
                yield Request(
                    entry.url, self.parse_alert, errback=self.alert_failed, cb_kwargs=passed, priority=newest_first
                )
        self.book.listed = total

    def _earliest(self, entries: list[Entry], options: Options) -> date | None:
        """From which date on entries are read: as asked, or within some days of the newest on a first reading."""
        if self.request.since or self.known or self.request.full:
            return self.request.since
        come = (entry.updated for entry in entries if entry.updated and entry.updated <= (self.book.until or date.max))
        newest = max(come, default=None)
        return newest - timedelta(days=options.first_days) if newest else None

    def _to_read(self, entry: Entry, earliest: date | None, taken: int) -> bool:
        """Note an entry that the card keeps; True if its page is to be asked for."""
        if self.settled(entry.nid, entry.digest):
            self.book.list_entry(entry.nid, self.known[entry.nid].digest, entry.updated)
            self.book.known += 1
            return False
        if earliest and (entry.updated is None or entry.updated < earliest):
            self.book.list_entry(entry.nid, entry.digest + self.OLDER, entry.updated)
            self.book.leave_out(f"older than {earliest}" if entry.updated else "undated, so taken for old")
            return False
        self.owe(entry.nid, entry.updated)
        if self.limit_reached(taken):
            self.book.leave_out("beyond the limit asked for")
            return False
        return True

    def parse_alert(self, response: Response, entry: Entry, listed_in: str) -> Iterator[NoticeRecord]:
        capture = capture_of(response)
        try:
            alert = read_alert(page_of(response))
        except LayoutChangedError as error:
            note(self.book, "layout_changed", str(error), response.url, capture)
            reason = f"alert page: not understood ({error})"
            yield notice_of(self.card, entry.url, (listed_in, capture), entry, None, reason)
            return
        self.was_read(entry.nid, entry.digest)
        yield notice_of(self.card, entry.url, (capture, listed_in), entry, alert)

    def alert_failed(self, failure: Failure) -> Iterator[NoticeRecord]:
        request: Request = failure.request  # type: ignore[attr-defined]
        if reason := self.reason_of(failure):
            entry, listed_in = request.cb_kwargs["entry"], request.cb_kwargs["listed_in"]
            yield notice_of(self.card, entry.url, (listed_in,), entry, None, f"alert page: {reason}")
