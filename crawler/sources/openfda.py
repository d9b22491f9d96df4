"""openFDA's interface: how a question is written, what an answer is, and how its pages follow one another.

After open.fda.gov/apis: query syntax, paging by the `Link` header (`search_after`) or `skip`, errors as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any, ClassVar
from urllib.parse import quote_plus, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator
from scrapy import Request
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.notes import host_of, note
from crawler.source import LayoutChangedError, capture_of
from crawler.sources.reading import ListSpider, clean, digest_of, json_of
from monitor.records import AuthorisationRecord, NoticeRecord

UPDATED = "meta.last_updated"
"""Key under which a whole sweep notes the state of the data it saw; no report has such a number."""
MAX_SKIP = 25_000
SAID_WHY = (400, 403, 404, 500)
"""Statuses whose body says what was wrong with the question, or that nothing matched."""
PASSING = (429, 502, 503, 504)
"""Statuses that may be others a little later."""

SUPERSEDED = "older version of a report, or the same once more"
"""Why a report is left out of which a newer version was read in the same run."""
NAMES_NOTHING = "names no product"
BY_RULE = frozenset({SUPERSEDED, NAMES_NOTHING})
"""Left out whenever it is read: a sweep that left out nothing else is a whole one."""

OpenFdaRecord = NoticeRecord | AuthorisationRecord


class Options(BaseModel):
    """The card's `options`: which fields are searched for which words. Neither: everything is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fields: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    page_size: int = Field(default=100, ge=1, le=1000)
    newest_first_by: str = "report_date"
    """The date by which answers are sorted and `since` is asked; empty: neither."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> Options:
        if bool(self.fields) != bool(self.terms):
            raise ValueError("fields and terms go together: give both, or neither to read everything")
        return self


class QueryRefusedError(LayoutChangedError):
    """openFDA did not accept the question: the card's options are wrong, or the interface changed."""


def search_of(options: Options, since: date | None) -> str:
    """The `search` value, encoded as openFDA wants it: `+` between words, phrases in quotes."""
    terms = "+OR+".join(_term(term) for term in options.terms)
    search = "+OR+".join(f"{field}:({terms})" for field in options.fields)
    if since is None or not options.newest_first_by:
        return search
    period = f"{options.newest_first_by}:[{since:%Y%m%d}+TO+29991231]"
    return f"({search})+AND+{period}" if search else period


def _term(term: str) -> str:
    words = quote_plus(term)
    return f"%22{words}%22" if re.search(r"\W", term) else words


def address_of(start: str, search: str, size: int, skip: int = 0, newest_first_by: str = "report_date") -> str:
    """One page's address. Without `skip` the answer carries a `Link` to the next page."""
    parts = [
        f"search={search}" if search else "",
        f"sort={newest_first_by}:desc" if newest_first_by else "",
        f"limit={size}",
        f"skip={skip}" if skip else "",
    ]
    return f"{start}?{'&'.join(part for part in parts if part)}"


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


def field(report: dict[str, Any], name: str) -> str:
    """One field's text, empty where it is missing or null. Raises LayoutChangedError for anything but text."""
    value = report.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise LayoutChangedError(f"`{name}` of a report is no text: {str(value)[:80]}")
    return clean(value)


def parts_of(report: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list within a report, none where it is missing. Raises LayoutChangedError."""
    value = report.get(name) or []
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise LayoutChangedError(f"`{name}` of a report is no list of objects: {str(value)[:80]}")
    return value


def texts_of(report: dict[str, Any], name: str) -> list[str]:
    """The texts of a list within a report, none where it is missing. Raises LayoutChangedError."""
    value = report.get(name) or []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise LayoutChangedError(f"`{name}` of a report is no list of texts: {str(value)[:80]}")
    return [text for each in value if (text := clean(each))]


def shortened(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def digest_of_report(report: dict[str, Any]) -> str:
    """Over every field of the report but `openfda`, which is added from other data sets."""
    return digest_of(*(f"{name}={report[name]}" for name in sorted(report) if name != "openfda"))


class OpenFdaSpider(ListSpider):
    """Reads every report that matches; stops after the first answer if the data are as at the last whole sweep."""

    options_model: ClassVar[type[Options]] = Options

    def records_of(self, report: dict[str, Any], capture: str) -> list[OpenFdaRecord]:
        """What one report tells; nothing if it names no product. Raises LayoutChangedError if it is not understood."""
        raise NotImplementedError

    def dated(self, record: OpenFdaRecord) -> date | None:
        """The day by which a report is new: for the run's `newest`."""
        return record.posted if isinstance(record, NoticeRecord) else record.updated

    def begin(self) -> Iterator[Request]:
        self.options = self.options_model.model_validate(self.card.options)
        self.search = search_of(self.options, self.request.since)
        self.taken = 0
        self.rows = 0
        self.book.listed = None
        yield self._request(self._address())

    def _address(self, skip: int = 0) -> str:
        options = self.options
        return address_of(self.card.start, self.search, options.page_size, skip, options.newest_first_by)

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

    def parse(self, response: Response, **_: Any) -> Iterator[Request | OpenFdaRecord]:
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
        return bool(self.request.since or set(self.book.not_kept) - BY_RULE or self.book.problems)

    def _end(self, response: Response) -> None:
        """No reports: nothing matches at all, or the list ended where it said that it went on."""
        if not self.rows:
            self.book.listed = 0
        elif self.rows < (self.book.listed or 0):
            message = f"the list ended after {self.rows} of {self.book.listed} reports"
            note(self.book, "parse_error", message, response.url, capture_of(response))

    def _records(self, reports: list[dict[str, Any]], response: Response) -> Iterator[OpenFdaRecord]:
        for report in reports:
            try:
                records = self.records_of(report, capture_of(response))
            except LayoutChangedError as error:
                self.book.leave_out("report not understood")
                note(self.book, "parse_error", str(error), response.url, capture_of(response))
                continue
            yield from self._wanted(records, digest_of_report(report))

    def _wanted(self, records: list[OpenFdaRecord], digest: str) -> Iterator[OpenFdaRecord]:
        """One report's records, noted under the first one's key, unless the report is known as it stands.

        Newest come first, so a key that was seen is an older version, or the same report again because rows moved.
        """
        if not records:
            self.book.leave_out(NAMES_NOTHING)
            return
        first = records[0]
        if first.key in self.book.seen:
            self.book.leave_out(SUPERSEDED)
            return
        day = self.dated(first)
        self.book.list_entry(first.key, digest, day)
        if self.settled(first.key, digest):
            self.book.known += 1
        elif self.limit_reached(self.taken):
            self.owe(first.key, day)
            self.book.leave_out("beyond the limit asked for")
        else:
            self.taken += 1
            yield from records

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
        return self._address(self.rows)
