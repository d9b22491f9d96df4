"""openFDA's enforcement reports (recalls) of drugs, foods and devices, one card each.

After open.fda.gov/apis: query syntax, paging by the `Link` header (`search_after`) or `skip`, errors as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.notes import host_of, note
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.reading import ListSpider, clean, digest_of, json_of, plain_date
from monitor.records import NoticeRecord, NoticeType, OrganisationRef, SourceCard

UPDATED = "meta.last_updated"
"""Key under which a whole sweep notes the state of the data it saw; no report has such a number."""
MAX_SKIP = 25_000
SAID_WHY = (400, 403, 404, 500)
"""Statuses whose body says what was wrong with the question, or that nothing matched."""
PASSING = (429, 502, 503, 504)
"""Statuses that may be others a little later."""


class Options(BaseModel):
    """The card's `options`: which fields are searched for which words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[str, ...] = Field(min_length=1)
    terms: tuple[str, ...] = Field(min_length=1)
    page_size: int = Field(default=100, ge=1, le=1000)


class QueryRefusedError(LayoutChangedError):
    """openFDA did not accept the question: the card's options are wrong, or the interface changed."""


def search_of(options: Options, since: date | None) -> str:
    """The `search` value, encoded as openFDA wants it: `+` between words, phrases in quotes."""
    terms = "+OR+".join(_term(term) for term in options.terms)
    search = "+OR+".join(f"{field}:({terms})" for field in options.fields)
    return f"({search})+AND+report_date:[{since:%Y%m%d}+TO+29991231]" if since else search


def _term(term: str) -> str:
    words = quote_plus(term)
    return f"%22{words}%22" if re.search(r"\W", term) else words


def address_of(start: str, search: str, size: int, skip: int = 0) -> str:
    """One page's address. Without `skip` the answer carries a `Link` to the next page."""
    page = f"&skip={skip}" if skip else ""
    return f"{start}?search={search}&sort=report_date:desc&limit={size}{page}"


def read_answer(response: Response) -> tuple[list[dict[str, Any]], int, str]:
    """The reports of one page, how many match in all, and when the data were last updated.

    Nothing found is openFDA's 404 with its own JSON error. Raises QueryRefusedError for any other error.
    """
    body = json_of(response)
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict) and (code := error.get("code")):
        if response.status == 404 and code == "NOT_FOUND":
            return [], 0, ""
        said = " ".join(str(error[part]) for part in ("message", "details") if error.get(part))
        raise QueryRefusedError(
            f"openFDA answered {response.status} {code}: {said}; check `options` in the source's card"
        )
    try:
        meta, reports = body["meta"], body["results"]
        total, updated = int(meta["results"]["total"]), str(meta["last_updated"])
    except (KeyError, TypeError, ValueError) as problem:
        raise LayoutChangedError(f"{response.url}: no openFDA answer ({type(problem).__name__}: {problem})") from None
    if not isinstance(reports, list) or not all(isinstance(report, dict) for report in reports):
        raise LayoutChangedError(f"{response.url}: `results` is no list of reports")
    return reports, total, updated


def key_of(report: dict[str, Any]) -> str:
    """The recall number; older reports have none, and one event covers several products."""
    if number := _field(report, "recall_number"):
        return number
    event, product = _field(report, "event_id"), _field(report, "product_description")
    if not event or not product:
        raise LayoutChangedError("a report has neither recall_number nor event_id and product_description")
    return f"{event}-{digest_of(product)[:12]}"


def _field(report: dict[str, Any], name: str) -> str:
    value = report.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LayoutChangedError(f"`{name}` of a report is no text: {str(value)[:80]}")
    return clean(value)


_LINES = (
    ("Product", "product_description"),
    ("Reason for recall", "reason_for_recall"),
    ("Product type", "product_type"),
    ("Classification", "classification"),
    ("Status", "status"),
    ("Quantity", "product_quantity"),
    ("Codes", "code_info"),
    ("More codes", "more_code_info"),
    ("Distribution", "distribution_pattern"),
    ("Voluntary or mandated", "voluntary_mandated"),
    ("First notification", "initial_firm_notification"),
    ("Recall begun", "recall_initiation_date"),
    ("Classified", "center_classification_date"),
    ("Terminated", "termination_date"),
)


def notice_of(report: dict[str, Any], card: SourceCard, capture: str) -> NoticeRecord:
    """One report. Raises LayoutChangedError if it lacks its firm or its identity."""
    firm, product = _field(report, "recalling_firm"), _field(report, "product_description")
    if not firm:
        raise LayoutChangedError(f"report {key_of(report)} names no recalling_firm")
    place = ("address_1", "address_2", "city", "state", "postal_code")
    number, event = _field(report, "recall_number"), _field(report, "event_id")
    found_by = f"recall_number:%22{quote(number)}%22" if number else f"event_id:%22{quote(event)}%22"
    return NoticeRecord(
        source=card.id,
        key=key_of(report),
        notice_type=NoticeType.ENFORCEMENT_REPORT,
        title=f"{firm}: {_shortened(product)}" if product else firm,
        url=f"{card.start}?search={found_by}",
        authority=card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=plain_date(_field(report, "recall_initiation_date")),
        posted=plain_date(_field(report, "report_date")),
        organisations=(
            OrganisationRef(
                name=firm,
                role="recalling_firm",
                country=_field(report, "country"),
                address="\n".join(line for name in place if (line := _field(report, name))),
            ),
        ),
        references=tuple(text for text in (number, f"event {event}" if event else "") if text),
        products=(product,) if product else (),
        status=_field(report, "status"),
        classification=_field(report, "classification"),
        summary=_field(report, "reason_for_recall"),
        text="\n".join(f"{label}: {value}" for label, name in _LINES if (value := _field(report, name))),
        captures=(capture,),
    )


def _shortened(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def digest_of_report(report: dict[str, Any]) -> str:
    """Over every field of the report but `openfda`, which is added from other data sets."""
    return digest_of(*(f"{name}={report[name]}" for name in sorted(report) if name != "openfda"))


def read(response: Response, card: SourceCard) -> Records:
    """Every report of one answer."""
    reports, _total, _updated = read_answer(response)
    for report in reports:
        yield notice_of(report, card, capture_of(response))


class Spider(ListSpider):
    """Reads every report that matches; stops after the first answer if the data are as at the last whole sweep."""

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.search = search_of(self.options, self.request.since)
        self.taken = 0
        self.rows = 0
        self.book.listed = None
        yield self._request(address_of(self.card.start, self.search, self.options.page_size))

    def _request(self, url: str) -> Request:
        # Not by Scrapy's retries: they ask again after 500, openFDA's answer to a malformed question.
        meta = {"handle_httpstatus_list": [*SAID_WHY, *PASSING], "dont_retry": True}
        return Request(url, self.parse, errback=self.failed, meta=meta)

    def failed(self, failure: Failure) -> Iterator[Request]:
        if not isinstance(failure.value, IgnoreRequest):
            yield from self._again(failure.request, self.reason_of(failure))  # type: ignore[attr-defined]

    def _again(self, request: Request, reason: str) -> Iterator[Request]:
        if again := get_retry_request(request, spider=self, reason=reason):
            yield again

    def parse(self, response: Response, **_: Any) -> Iterator[Request | NoticeRecord]:
        response.meta["depth"] = 0  # the pages of an answer follow one another; none is deeper
        if response.status in PASSING:
            yield from self._later(response, response.request)
            return
        try:
            reports, total, updated = read_answer(response)
        except QueryRefusedError as error:
            note(self.book, "http_error", str(error), response.url, capture_of(response))
            return
        if not reports:
            self._end(response)
            return
        state = f"{updated} {digest_of(self.card.start, self.search)}"
        if not self.rows and not self.owed() and self.settled(UPDATED, state):
            self.book.listed = self.book.known = total
            self.book.seen[UPDATED] = state
            return
        self.rows += len(reports)
        yield from self._records(reports, response)
        self.book.listed = max(total, len(self.book.seen))
        following = self._next(response, total)
        if following and not self.limit_reached(self.taken):
            yield self._request(following)
        elif not following and not self._in_part():
            self.book.seen[UPDATED] = state

    def _later(self, response: Response, request: Request | None) -> Iterator[Request]:
        again = list(self._again(request, f"status {response.status}")) if request else []
        if not again:
            message = f"answered with status {response.status} each time"
            note(self.book, "http_error", message, response.url, capture_of(response))
        yield from again

    def _in_part(self) -> bool:
        return bool(self.request.since or self.book.not_kept or self.book.problems)

    def _end(self, response: Response) -> None:
        """No reports: nothing matches at all, or the list ended where it said that it went on."""
        if not self.rows:
            self.book.listed = 0
        elif self.rows < (self.book.listed or 0):
            message = f"the list ended after {self.rows} of {self.book.listed} reports"
            note(self.book, "parse_error", message, response.url, capture_of(response))

    def _records(self, reports: list[dict[str, Any]], response: Response) -> Iterator[NoticeRecord]:
        for report in reports:
            try:
                notice = notice_of(report, self.card, capture_of(response))
            except LayoutChangedError as error:
                self.book.leave_out("report not understood")
                note(self.book, "parse_error", str(error), response.url, capture_of(response))
                continue
            digest = digest_of_report(report)
            self.book.list_entry(notice.key, digest, notice.posted)
            if self.settled(notice.key, digest):
                self.book.known += 1
            elif self.limit_reached(self.taken):
                self.owe(notice.key, notice.posted)
                self.book.leave_out("beyond the limit asked for")
            else:
                self.taken += 1
                yield notice

    def _next(self, response: Response, total: int) -> str:
        """The next page's address: the answer's `Link` as it stands, else by `skip`; empty at the end."""
        if self.rows >= total:
            return ""
        link = (response.headers.get("Link") or b"").decode("latin-1")
        if match := re.search(r'<([^>]+)>\s*;\s*rel="?next"?', link):
            following = match[1]
            if (
                host_of(following) != host_of(self.card.start)
                or urlsplit(following).path != urlsplit(response.url).path
            ):
                raise LayoutChangedError(f"{response.url}: the next page is said to be at {following}")
            return following
        if self.rows > MAX_SKIP:
            raise LayoutChangedError(f"{response.url}: no `Link` to the next page, and `skip` ends at {MAX_SKIP}")
        return address_of(self.card.start, self.search, self.options.page_size, self.rows)
