"""Safety Gate, the EU's rapid alert system for dangerous non-food products, by its weekly reports in XML.

One list (its root was never seen) names every report since 2005, and one document a week holds its alerts. Cosmetics
are kept, and whatever else meets the words of the context. The last reports are read again: alerts are corrected.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.generic.terms import Terms, terms_of
from crawler.notes import note
from crawler.page import european_date
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.answers import AnswerSpider, labelled
from crawler.sources.literature import latest
from crawler.sources.reading import clean, digest_of, fragment_text, quoted_addresses
from crawler.sources.safe_xml import field, words_of, xml_of
from monitor.records import NoticeRecord, NoticeType, SourceCard

DETAIL = "https://ec.europa.eu/safety-gate-alerts/api/download/weeklyReport/detail/xml/"
NUMBER = re.compile(r"/weeklyReport/detail/xml/(\d{1,9})\b")
FINDS_NO_MORE = 2
"""Numbers without a report after which the search for newer ones ends, where the list could not be read."""
_NULL = re.compile(r"^(?:null\s+)+|^null$")
"""Stands in front of texts that an older system carried over."""
_GLUED = re.compile(r"(?<=\S)(?=Type of economic operator |Category of measure\(s\):|Date of entry into force:)")
NOTHING = frozenset({"", "unknown", "n/a", "-"})


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    categories: tuple[str, ...] = Field(min_length=1)
    """Categories of which every alert is kept."""
    terms: tuple[str, ...] = ("en",)
    """Languages whose words keep an alert of any other category."""
    first_weeks: int = Field(default=57, ge=1)
    """How many reports a first reading goes back."""
    again: int = Field(default=2, ge=1)
    """How many of the newest reports are read again."""


@dataclass(frozen=True)
class Report:
    """One weekly report on the list."""

    number: int
    published: date | None

    @property
    def key(self) -> str:
        return f"report {self.number}"

    @property
    def url(self) -> str:
        return report_address(self.number)


def report_address(number: int) -> str:
    """Without `search` the server answers 400, or with a page of scripts."""
    return f"{DETAIL}{number}?language=en&search=WEB_REPORT%7C:%7C{number}"


def read_list(root: Element, where: str) -> list[Report]:
    """Every report on the list, newest first. Raises LayoutChangedError if there is none."""
    reports: dict[int, Report] = {}
    for entry in root.iter():
        if entry.tag != "weeklyReport":
            continue
        number = NUMBER.search(" ".join(words_of(child) for child in entry))
        if number is None:
            raise LayoutChangedError(f"a weekly report of the list has no address: {words_of(entry)[:120]!r} ({where})")
        printed = field(entry, "publicationDate")
        day = european_date(printed) if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{4}", printed) else None
        reports[int(number[1])] = Report(int(number[1]), day)
    if not reports:
        raise LayoutChangedError(f"the list names no weekly report ({where})")
    return [reports[number] for number in sorted(reports, reverse=True)]


def read_report(root: Element, where: str) -> tuple[date, list[Element]]:
    """The report's date and its alerts. Raises LayoutChangedError if it has no date."""
    printed = field(root, "report_date")
    if not printed:
        raise LayoutChangedError(f"`report_date` is missing: this is no weekly report ({where})")
    return european_date(printed), root.findall("notifications")


def text_of(alert: Element, name: str) -> str:
    """One field without remains of markup, and without the `null ` of the older system; empty for "Unknown"."""
    written = field(alert, name)
    # an address with `&` in it is no markup, and Beautiful Soup warns of taking one for it
    value = clean(_NULL.sub("", fragment_text(written) if "<" in written else html.unescape(written)))
    return "" if value.lower() in NOTHING else value


def notice_of(alert: Element, published: date, card: SourceCard, capture: str) -> NoticeRecord:
    """One alert. Raises LayoutChangedError if its case number or its product is missing."""
    case, address = text_of(alert, "caseNumber"), text_of(alert, "reference")
    product, brand, name = (text_of(alert, one) for one in ("product", "brand", "name"))
    if not case or not (product or name):
        raise LayoutChangedError(f"an alert of {published} has no caseNumber or no product: {words_of(alert)[:120]!r}")
    country, danger = text_of(alert, "notifyingCountry"), text_of(alert, "danger")
    number = re.search(r"(\d+)/?$", urlsplit(address).path)
    text = _text(alert)
    return NoticeRecord(
        source=card.id,
        key=case,
        notice_type=NoticeType.ALERT,
        title=", ".join(dict.fromkeys(filter(None, (product, brand, name)))),
        url=address or card.authority.url,
        authority=f"{card.authority.name}, notified by {country}" if country else card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        posted=published,
        references=(case, f"alert {number[1]}") if number else (case,),
        products=tuple(dict.fromkeys(filter(None, (name, product)))),
        classification=text_of(alert, "level"),
        summary=danger,
        text=text,
        quoted_urls=quoted_addresses(
            "\n".join(text_of(alert, one) for one in ("onlineTrader", "description")), "europa.eu"
        ),
        captures=(capture,),
    )


_LINES = (
    ("Category", "category"),
    ("Product", "product"),
    ("Brand", "brand"),
    ("Name", "name"),
    ("Type or model", "type_numberOfModel"),
    ("Batch", "batchNumber"),
    ("Barcode", "barcode"),
    ("Description", "description"),
    ("Risk", "riskType"),
    ("Danger", "danger"),
    ("Level", "level"),
    ("Measures", "measures"),
    ("Recall page", "URLrecall"),
    ("Online trader", "onlineTrader"),
    ("Notified by", "notifyingCountry"),
    ("Country of origin", "countryOfOrigin"),
)


def _text(alert: Element) -> str:
    """Every field with its label; the measures, which the report glues together, one line each."""
    values = ((label, text_of(alert, name)) for label, name in _LINES)
    return labelled((label, _GLUED.sub("\n", value) if label == "Measures" else value) for label, value in values)


def reason_left_out(alert: Element, options: Options, terms: Terms) -> str:
    """Why an alert is not kept; empty if it is."""
    if text_of(alert, "category") in options.categories:
        return ""
    named = (text_of(alert, name) for name in ("product", "brand", "name", "description", "danger"))
    return "" if terms.is_near(*named) else "other category, and no word of the context lists"


def read(response: Response, card: SourceCard) -> Records:
    """The alerts of one weekly report that the card keeps; the list of reports holds none."""
    options = Options.model_validate(card.options)
    root = xml_of(response)
    if root.tag != "Safety-Gate":
        read_list(root, response.url)
        return
    published, alerts = read_report(root, response.url)
    for alert in alerts:
        if not reason_left_out(alert, options, terms_of(options.terms)):
            yield notice_of(alert, published, card, capture_of(response))


class Spider(AnswerSpider):
    """Reads the list, then the reports that are new, newest first, one after the other."""

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.terms = terms_of(self.options.terms)
        self.queue: list[Report] = []
        yield Request(self.card.start, self.parse, errback=self.list_failed)

    def parse(self, response: Response, **_: Any) -> Iterator[Request]:
        try:
            reports = read_list(xml_of(response), response.url)
        except LayoutChangedError as error:
            if not self._newest_known():
                raise
            yield from self._without_list(str(error), response.url, capture_of(response))
            return
        self._note_reports(reports)
        yield from self._next()

    def _note_reports(self, reports: list[Report]) -> None:
        """Which reports are to be read: the newest ones in any case, others if they are new and not too old."""
        bounded = not (self.known or self.request.since or self.request.full)
        for place, report in enumerate(reports):
            too_old = (bounded and place >= self.options.first_weeks) or self._is_before_since(report.published)
            if place >= self.options.again and self.settled(report.key, "read"):
                self.book.seen[report.key] = self.known[report.key].digest
                self.book.known += 1
            elif too_old:
                self.book.seen[report.key] = f"read{self.OLDER}"
                self.book.leave_out("report older than asked for")
            else:
                self.book.seen[report.key] = ""
                self.queue.append(report)
        self.book.listed = len(reports)
        self.book.newest = latest(*(self.come(report.published) for report in reports))

    def _is_before_since(self, published: date | None) -> bool:
        return bool(self.request.since and published and published < self.request.since)

    def _next(self) -> Iterator[Request]:
        if self.queue and not self.limit_reached(self.taken):
            report = self.queue.pop(0)
            passed = {"report": report}
            yield Request(report.url, self.parse_report, errback=self.report_failed, cb_kwargs=passed)

    def parse_report(self, response: Response, report: Report) -> Iterator[Request | NoticeRecord]:
        published, alerts = read_report(xml_of(response, "Safety-Gate"), response.url)
        self.book.newest = latest(self.book.newest, self.come(published))
        for alert in alerts:
            yield from self._alert(alert, published, response)
        if not self.limit_reached(self.taken):
            self.was_read(report.key, "read")
        yield from self._next()

    def _alert(self, alert: Element, published: date, response: Response) -> Iterator[NoticeRecord]:
        if reason := reason_left_out(alert, self.options, self.terms):
            self.book.leave_out(reason)
            return
        try:
            notice = notice_of(alert, published, self.card, capture_of(response))
        except LayoutChangedError as error:
            self.not_understood(error, response)
            return
        listed = self.book.listed
        yield from self.keep(notice, digest_of(notice.title, notice.text), published, self.request.since)
        self.book.listed = listed  # the list is one of reports

    def report_failed(self, failure: Failure) -> Iterator[Request]:
        """The report stays owed; the others are read all the same."""
        if self.reason_of(failure):
            yield from self._next()

    def list_failed(self, failure: Failure) -> Iterator[Request]:
        if reason := self.reason_of(failure):
            yield from self._without_list(reason, self.card.start, "")

    def _newest_known(self) -> int:
        numbers = (re.fullmatch(r"report (\d+)", key) for key in self.known)
        return max((int(number[1]) for number in numbers if number), default=0)

    def _without_list(self, reason: str, url: str, capture: str) -> Iterator[Request]:
        """Reports are numbered one by one, so the next ones can be asked for where their list cannot be read."""
        if newest := self._newest_known():
            message = f"the list of weekly reports could not be read ({reason}); asked for report {newest + 1} instead"
            note(self.book, "http_error", message, url, capture)
            yield self._try(newest + 1, 0)

    def _try(self, number: int, missed: int) -> Request:
        passed = {"report": Report(number, None), "missed": missed}
        meta = {"handle_httpstatus_list": [400, 404]}
        return Request(report_address(number), self.parse_tried, cb_kwargs=passed, meta=meta)

    def parse_tried(self, response: Response, report: Report, missed: int) -> Iterator[Request | NoticeRecord]:
        if response.status == 200:
            self.book.listed = (self.book.listed or 0) + 1
            yield from self.parse_report(response, report)
            yield self._try(report.number + 1, 0)
        elif missed + 1 < FINDS_NO_MORE:
            yield self._try(report.number + 1, missed + 1)
