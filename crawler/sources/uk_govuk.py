"""GOV.UK: its Search API finds documents, its Content API holds each of them whole.

After docs.publishing.service.gov.uk (search-api, content-api). One module for MHRA's alerts and Drug Safety Update,
OPSS's product safety notices, and whatever else on GOV.UK says the words of the card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator
from scrapy import Request
from scrapy.http import Response

from crawler.folder import reading_of
from crawler.notes import note
from crawler.page import iso_date
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.answers import refuse_error, text_field
from crawler.sources.documents import LIST_FIRST, DocumentSpider, Listed
from crawler.sources.govuk_document import ContentItem, read_item
from crawler.sources.reading import digest_of, json_of
from monitor.records import NoticeRecord, NoticeType, SourceCard

SITE = "https://www.gov.uk"
CONTENT = f"{SITE}/api/content"
REFUSED = (400, 422)
"""422 says which parameter or value is unknown."""
QUIET_PAGES = 2
"""Pages of nothing new after which an incremental run stops: rows move while a list is paged through."""
FIELDS = "title,link,description,public_timestamp,content_id,format,content_store_document_type"

NUMBERS = re.compile(
    r"\bEL ?\(\d{2}\) ?A/?\d+|\bNatPSA/\d{4}/\d+/[A-Z-]+|\b(?:MDA|DSI|MDSI|CLDA|CLMR)/\d{4}/\d+|\(\d{4}-\d{4}\)"
)
"""Numbers that MHRA and OPSS print in titles: `EL(26)A/33`, `NatPSA/2026/004/MHRA`, `(2607-0188)`."""

BY_ALERT_TYPE = {
    "medicines-recall-notification": NoticeType.RECALL,
    "device-safety-information": NoticeType.ADVISORY,
    "mhra-safety-round-up": NoticeType.ADVISORY,
    "product-recall": NoticeType.RECALL,
}
BY_DOCUMENT_TYPE = {
    "medical_safety_alert": NoticeType.ALERT,
    "product_safety_alert_report_recall": NoticeType.ALERT,
    "drug_safety_update": NoticeType.ADVISORY,
    "open_consultation": NoticeType.CONSULTATION,
    "closed_consultation": NoticeType.CONSULTATION,
    "consultation_outcome": NoticeType.CONSULTATION,
    "call_for_evidence": NoticeType.CONSULTATION,
    "open_call_for_evidence": NoticeType.CONSULTATION,
    "closed_call_for_evidence": NoticeType.CONSULTATION,
    "call_for_evidence_outcome": NoticeType.CONSULTATION,
    "guidance": NoticeType.GUIDANCE,
    "detailed_guide": NoticeType.GUIDANCE,
    "statutory_guidance": NoticeType.GUIDANCE,
    "guide": NoticeType.GUIDANCE,
    "manual": NoticeType.GUIDANCE,
    "manual_section": NoticeType.GUIDANCE,
    "regulation": NoticeType.RULE,
    "decision": NoticeType.RULING,
}
"""Any other kind of document is news."""


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    filters: dict[str, str] = Field(default_factory=dict)
    """`filter_*` parameters without that beginning, e.g. `format: medical_safety_alert`."""
    queries: tuple[str, ...] = ()
    """Words for the search over whole documents, one search each. Left out: one search without words."""
    leave_out: dict[str, str] = Field(default_factory=dict)
    """Formats that another card reads already, each with the reason to count them under."""
    page_size: int = Field(default=100, ge=1, le=1500)
    first_days: int = Field(default=400, ge=1)
    """How far back the first reading goes, before the newest document."""

    @model_validator(mode="after")
    def _asks_something(self) -> Options:
        if not self.filters and not self.queries:
            raise ValueError("give `filters` or `queries`: without them the search shows all of GOV.UK")
        return self


@dataclass(frozen=True, kw_only=True)
class Result(Listed):
    """One result. `url` is its document's address in the Content API, `posted` the day it was published last."""

    link: str
    title: str
    description: str
    format: str
    kind: str


def search_address(start: str, options: Options, query: str, place: int) -> str:
    """One page of the search, newest first: by itself it sorts by relevance or by visits."""
    asked = {"q": query} if query else {}
    asked |= {f"filter_{name}": value for name, value in options.filters.items()}
    asked |= {"order": "-public_timestamp", "count": str(options.page_size), "start": str(place), "fields": FIELDS}
    return f"{start}?{urlencode(asked)}"


def read_results(payload: Any, where: str) -> tuple[int, list[Any]]:
    """How many documents match in all, and the results on this page. Raises LayoutChangedError."""
    total = payload.get("total") if isinstance(payload, dict) else None
    results = payload.get("results") if isinstance(payload, dict) else None
    if isinstance(total, bool) or not isinstance(total, int) or not isinstance(results, list):
        raise LayoutChangedError(f"no answer of the GOV.UK search: `total` or `results` is missing ({where})")
    return total, results


def read_result(result: Any) -> Result | None:
    """One result; None if it is not a document of GOV.UK itself. Raises LayoutChangedError."""
    link, title = text_field(result, "link"), text_field(result, "title")
    if not link or not title:
        raise LayoutChangedError(f"a result of the GOV.UK search has no `link` or no `title`: {str(result)[:120]}")
    try:
        address = urlsplit(urljoin(SITE, link))
    except ValueError as error:
        raise LayoutChangedError(f"the GOV.UK search links to {link!r}, which is no address") from error
    if address.hostname != urlsplit(SITE).hostname:
        return None
    moment, description = text_field(result, "public_timestamp"), text_field(result, "description")
    return Result(
        key=text_field(result, "content_id") or address.path,
        url=f"{CONTENT}{address.path}",
        posted=iso_date(moment) if moment else None,
        digest=digest_of(address.path, title, description, moment),
        link=address.path,
        title=title,
        description=description,
        format=text_field(result, "format"),
        kind=text_field(result, "content_store_document_type"),
    )


def type_of(kind: str, alert_type: str) -> NoticeType:
    return BY_ALERT_TYPE.get(alert_type) or BY_DOCUMENT_TYPE.get(kind, NoticeType.NEWS)


def notice_of(
    card: SourceCard, captures: tuple[str, ...], result: Result | None, item: ContentItem | None, unread: str = ""
) -> NoticeRecord:
    """A document as the search and the Content API tell it; the latter is right where both speak."""
    title = (item.title if item else "") or (result.title if result else "")
    description = (item.description if item else "") or (result.description if result else "")
    kind = (item.kind if item else "") or (result.kind or result.format if result else "")
    link = item.path if item else result.link if result else ""
    numbers = NUMBERS.findall(f"{title}\n{description}")
    return NoticeRecord(
        source=card.id,
        key=result.key if result else item.content_id if item else link,
        notice_type=type_of(kind, item.alert_type if item else ""),
        title=title,
        url=f"{SITE}{link}",
        authority="; ".join(item.organisations) if item and item.organisations else card.authority.name,
        jurisdiction=card.jurisdiction,
        language=item.language if item else card.language,
        issued=item.issued if item else None,
        posted=item.posted if item else None,
        updated=(item.updated if item else None) or (result.posted if result else None),
        comments_close=item.closes if item else None,
        references=tuple(dict.fromkeys(number.strip("()") for number in numbers)),
        products=item.products if item else (),
        status=item.status if item else "",
        classification=item.classification if item else "",
        summary=description,
        text=item.text if item else "",
        quoted_urls=item.quoted_urls if item else (),
        unread=((unread,) if unread else ()) + (item.attachments if item else ()),
        captures=captures,
    )


def read(response: Response, card: SourceCard) -> Records:
    """The documents that a page of the search lists, or the document of one answer of the Content API."""
    payload = json_of(response)
    captures = (capture_of(response),)
    if not isinstance(payload, dict) or "results" not in payload:
        yield notice_of(card, captures, None, read_item(payload, response.url))
        return
    options = Options.model_validate(card.options)
    for one in read_results(payload, response.url)[1]:
        if (result := read_result(one)) and result.format not in options.leave_out:
            yield notice_of(card, captures, result, None, "document: not asked for")


class Spider(DocumentSpider[Result, ContentItem]):
    """Pages through each search, newest first, and reads each document that is new or was published again."""

    part = "document"

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.still_owed = self.owed()
        self.totals: dict[str, int] = {}
        self.quiet: dict[str, int] = {}
        for query in self.options.queries or ("",):
            yield self._list_request(query, 0)

    def reason_left_out(self, entry: Result) -> str:
        return self.options.leave_out.get(entry.format, "")

    def read_document(self, response: Response, entry: Result) -> ContentItem:  # noqa: ARG002 - the search says no more
        return read_item(json_of(response), response.url)

    def notice(
        self, entry: Result, captures: tuple[str, ...], document: ContentItem | None, unread: str
    ) -> NoticeRecord:
        return notice_of(self.card, captures, entry, document, unread)

    def _list_request(self, query: str, place: int) -> Request:
        url = search_address(self.card.start, self.options, query, place)
        meta = {"handle_httpstatus_list": list(REFUSED)}
        passed = {"query": query, "place": place}
        return Request(url, self.parse_list, cb_kwargs=passed, priority=LIST_FIRST, meta=meta)

    def parse_list(self, response: Response, query: str, place: int) -> Iterator[Request | NoticeRecord]:
        refuse_error(response, REFUSED)
        total, rows = read_results(json_of(response), response.url)
        self.totals[query] = total
        if not rows and place < total:
            raise LayoutChangedError(f"the search found {total} and shows none from {place} ({response.url})")
        results = list(self._results(rows, response))
        for result in results:
            if result.key not in self.book.seen:  # another search of the card may have found it too
                self._bound_a_first_reading(result)
                self.still_owed.discard(result.key)
                yield from self.consider(result, capture_of(response))
        self.book.listed = max(*self.totals.values(), len(self.book.seen))
        if rows and place + len(rows) < total and not self._enough(query, results):
            yield self._list_request(query, place + len(rows))

    def _results(self, rows: list[Any], response: Response) -> Iterator[Result]:
        for row in rows:
            try:
                result = read_result(row)
            except LayoutChangedError as error:
                self.book.leave_out("entry not understood")
                note(self.book, "parse_error", str(error), response.url, capture_of(response))
                continue
            if result:
                yield result
            else:
                self.book.leave_out("not on GOV.UK itself")

    def _bound_a_first_reading(self, newest: Result) -> None:
        """A first reading is one since some days before the newest document, or before today if that is earlier."""
        if self.request.since is None and not self.known and not self.request.full and newest.posted:
            today = reading_of(self.crawler).clock.now().date()
            since = min(newest.posted, today) - timedelta(days=self.options.first_days)
            self.request = self.request.model_copy(update={"since": since})

    def _enough(self, query: str, results: list[Result]) -> bool:
        """True if what follows in this search can hold nothing to read."""
        quiet = self.nothing_new(results) and not self.still_owed
        self.quiet[query] = self.quiet.get(query, 0) + 1 if quiet else 0
        return self.quiet[query] >= QUIET_PAGES or self.limit_reached(self.taken)
