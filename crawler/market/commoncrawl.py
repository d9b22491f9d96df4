"""What Common Crawl holds of a site under telling addresses, and on request the records, without touching the site.

The folder of such a run holds besides the usual files `addresses.jsonl`, one address a line, and `records.warc.gz`,
the records as they came, which `exowatch sweep` reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import IO, Any

import scrapy
from pydantic import BaseModel, ConfigDict, Field, field_validator
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.folder import reading_of
from crawler.market import cdx
from crawler.market.telling import telling
from crawler.notes import note
from crawler.source import LayoutChangedError, SourceSpider
from monitor.records import Authority, Pace, SourceCard

SOURCE = "commoncrawl"
ADDRESSES, RECORDS = "addresses.jsonl", "records.warc.gz"
_LARGEST = 4 * 1024**2
"""Bytes of a packed record that is still fetched: pages are smaller."""


class Options(BaseModel):
    """What is asked of the index, and the bounds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patterns: tuple[str, ...] = Field(min_length=1, max_length=100)
    crawls: tuple[str, ...] = ()
    """By id (`CC-MAIN-2026-43`); left out: the newest ones."""
    newest: int = Field(default=1, ge=1, le=24)
    rows: int = Field(default=5_000, ge=1, le=200_000)
    """Lines of the index that are read for one pattern in one crawl."""
    fetch: int = Field(default=0, ge=0, le=2_000)
    least: int = Field(default=2, ge=-1, le=3)
    """How telling an address must be to be kept, as `crawler.market.telling` counts."""

    @field_validator("patterns")
    @classmethod
    def _possible(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if flaw := cdx.pattern_flaw(pattern):
                raise ValueError(f"{pattern}: {flaw}")
        return patterns


def card_of(options: Options) -> SourceCard:
    """The card of one such run."""
    return SourceCard(
        id=SOURCE,
        title="Common Crawl: addresses of sites",
        authority=Authority(name="Common Crawl Foundation", url="https://commoncrawl.org/"),
        jurisdiction="us",
        kind="page",
        means="Common Crawl captured a page at this address at that time. It says nothing of what the page sells.",
        start=cdx.CRAWLS,
        spider="market.commoncrawl",
        pace=Pace(delay=1.0),
        options=options.model_dump(mode="json"),
        terms_of_use="https://commoncrawl.org/terms-of-use",
    )


@dataclass
class _Found:
    """An address that is kept, and where its record lies in `records.warc.gz` once it is fetched."""

    row: cdx.Row
    pattern: str
    telling: int
    record: dict[str, int] | None = None
    problem: str = ""


@dataclass
class _Query:
    """One pattern in one crawl."""

    crawl: cdx.Crawl
    pattern: str
    pages: int = 0
    read: int = 0


@dataclass
class _Progress:
    found: dict[str, _Found] = field(default_factory=dict)
    open_queries: int = 0
    offset: int = 0


class Spider(SourceSpider):
    """Asks for each pattern in each crawl, page after page, then fetches the most telling records."""

    handle_httpstatus_list = (400, 404)
    _records: IO[bytes] | None = None

    def begin(self) -> Iterator[scrapy.Request]:
        self.options = Options.model_validate(self.card.options)
        self.progress_ = _Progress()
        self._records = reading_of(self.crawler).folder.file(RECORDS).open("xb")
        self.book.listed = 0
        yield scrapy.Request(self.card.start, callback=self.ask)

    def ask(self, response: Response) -> Iterator[scrapy.Request]:
        """The list of crawls."""
        if response.status != 200:
            raise LayoutChangedError(f"the list of crawls answered with status {response.status}")
        listed = cdx.crawls_in(response.body)
        known = {crawl.id: crawl for crawl in listed}
        if unknown := [name for name in self.options.crawls if name not in known]:
            raise LayoutChangedError(f"there is no crawl {unknown[0]}; the newest is {listed[0].id}")
        chosen = [known[name] for name in self.options.crawls] or listed[: self.options.newest]
        queries = [_Query(crawl, pattern) for crawl in chosen for pattern in self.options.patterns]
        self.progress_.open_queries = len(queries)
        for query in queries:
            yield self._request(query, None)

    def _request(self, query: _Query, page: int | None) -> scrapy.Request:
        return scrapy.Request(
            cdx.question(query.crawl.api, query.pattern, page),
            callback=self.count if page is None else self.lines,
            errback=self.failed,
            cb_kwargs={"query": query} | ({} if page is None else {"page": page}),
        )

    def count(self, response: Response, query: _Query) -> Iterator[scrapy.Request]:
        """How many pages of lines there are."""
        if cdx.is_nothing(response.status, response.body):
            query.pages = 0
        else:
            query.pages = self._read(response, cdx.page_count)
        if query.pages == 0:
            self.book.leave_out("patterns without a capture in a crawl")
            yield from self._closed_query()
        else:
            yield self._request(query, 0)

    def lines(self, response: Response, query: _Query, page: int) -> Iterator[scrapy.Request]:
        """One page of lines."""
        rows = [] if cdx.is_nothing(response.status, response.body) else self._read(response, self._rows(query))
        for row in rows:
            query.read += 1
            self._keep(row, query)
        if page + 1 < query.pages and query.read < self.options.rows:
            yield self._request(query, page + 1)
            return
        if page + 1 < query.pages:
            told = f"{query.pattern} in {query.crawl.id}: {page + 1} of {query.pages} pages of the index were read"
            note(self.book, "limit_reached", f"{told}, the bound of {self.options.rows} lines")
        yield from self._closed_query()

    def _read(self, response: Response, reader: Any) -> Any:
        """An answer read. One that is not understood ends its question, and the others go on."""
        try:
            if response.status != 200:
                raise LayoutChangedError(f"the index answered with status {response.status}: {response.body[:200]!r}")
            return reader(response.body)
        except LayoutChangedError as error:
            note(self.book, "layout_changed", str(error), response.url, response.meta["capture"])
            return 0 if reader is cdx.page_count else []

    def _rows(self, query: _Query) -> Any:
        return lambda body: list(cdx.rows_in(body, query.crawl.id))

    def _keep(self, row: cdx.Row | str, query: _Query) -> None:
        if isinstance(row, str):
            self.book.leave_out(row)
            return
        self.book.list_entry(row.url, row.digest)
        worth = telling(row.url)
        if worth < self.options.least:
            self.book.leave_out("address tells nothing")
        elif row.url in self.progress_.found:
            self.book.leave_out("captured more than once: the first one found is kept")
        else:
            self.progress_.found[row.url] = _Found(row, query.pattern, worth)

    def _closed_query(self) -> Iterator[scrapy.Request]:
        """Once every question is answered or has failed, the records."""
        self.progress_.open_queries -= 1
        if self.progress_.open_queries:
            return
        wanted = sorted(self.progress_.found.values(), key=lambda found: -found.telling)
        for found in wanted[: self.options.fetch]:
            if found.row.length > _LARGEST:
                found.problem = f"larger than {_LARGEST:,} bytes: not fetched"
                continue
            # the ranges of one file have one address: to Scrapy's filter of duplicates they would be the same
            yield scrapy.Request(
                found.row.record_url,
                headers={"Range": found.row.range, "Accept-Encoding": "identity"},
                callback=self.record,
                errback=self.no_record,
                cb_kwargs={"found": found},
                dont_filter=True,
            )

    def failed(self, failure: Failure) -> Iterator[scrapy.Request]:
        """A question without an answer: why is in the book already."""
        self.logger.warning("a question to the index had no answer: %s", failure.value)
        yield from self._closed_query()

    def record(self, response: Response, found: _Found) -> None:
        """One record, kept as it came if it is what the index says."""
        if response.status != 206 or len(response.body) != found.row.length:
            flaw = f"status {response.status} and {len(response.body):,} bytes for a range of {found.row.length:,}"
        else:
            flaw = cdx.record_flaw(response.body, found.row)
        if flaw:
            found.problem = flaw
            note(self.book, "parse_error", f"{found.row.url}: {flaw}", response.url, response.meta["capture"])
            return
        if self._records is not None:
            self._records.write(response.body)
        found.record = {"offset": self.progress_.offset, "length": found.row.length}
        self.progress_.offset += found.row.length

    def no_record(self, failure: Failure) -> None:
        """A record that did not come: why is in the book already; here it is tied to its address."""
        found: _Found = failure.request.cb_kwargs["found"]  # type: ignore[attr-defined]
        found.problem = " ".join(str(failure.value).split())[:300] or type(failure.value).__name__

    def closed(self, reason: str) -> None:  # noqa: ARG002 - Scrapy calls it so
        """Writes the addresses down, the most telling first."""
        if self._records is None:
            return  # ended before it began: nothing was asked
        self._records.close()
        with reading_of(self.crawler).folder.file(ADDRESSES).open("x", encoding="utf-8") as file:
            for found in sorted(self.progress_.found.values(), key=lambda one: (-one.telling, one.row.url)):
                own = {"pattern": found.pattern, "telling": found.telling, "record": found.record}
                row = {**asdict(found.row), **own, **({"problem": found.problem} if found.problem else {})}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
