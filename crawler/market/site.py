"""The sellers' spider: takes a site of the configuration and reads its pages, the telling ones first.

Finds pages by the sitemaps that robots.txt names (sitemaps.org), by the usual sitemap addresses, and by links.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request, signals
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response, TextResponse
from scrapy.utils.gz import gunzip, gzip_magic_number
from scrapy.utils.sitemap import Sitemap, sitemap_urls_from_robots
from twisted.python.failure import Failure

from crawler.folder import reading_of
from crawler.market.addresses import is_trap, normalise, same_site
from crawler.market.frontier import FIRST, Frontier, Place
from crawler.market.page import NotAPageError, SoftNotFoundError, header, links_of, read_page
from crawler.notes import note
from crawler.source import Records, SourceSpider, capture_of
from monitor.config import Site
from monitor.records import Authority, Expectation, Pace, PageRecord, PageState, Range, SourceCard

UNKNOWN_COUNTRY = "zz"
"""ISO 3166-1 keeps it for users: a site whose country nobody gave."""
MOST_SITEMAPS = 50
MOST_SITEMAP_BYTES = 32 * 1024**2
USUAL_SITEMAPS = ("/sitemap.xml", "/sitemap_index.xml")
MOST_WAITING = 100_000
"""Addresses in the queue: a sitemap can name millions, and the most that `pages` may ask for is this."""
NOT_THERE = (404, 410)


class Options(BaseModel):
    """The card's `options`, taken from the configuration's site."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: tuple[str, ...] = ()
    pages: int = Field(ge=1)
    depth: int = Field(ge=0)
    minutes: int = Field(ge=1)
    revisit_hours: float = Field(ge=0)


def card_of(site: Site) -> SourceCard:
    """The card of a configured site."""
    country = {"gb": "uk"}.get(site.country.lower(), site.country.lower()) or UNKNOWN_COUNTRY
    if not re.fullmatch("[a-z]{2}", country):
        raise ValueError(f"site {site.url}: `country` is {site.country!r}; give a two-letter code such as us, uk, kr")
    name = site.name or site.source_id.removeprefix("site_").replace("_", ".")
    return SourceCard(
        id=site.source_id,
        title=name,
        authority=Authority(name=name, url=site.url),
        jurisdiction=country,
        language="",
        kind="page",
        means="The pages of a site that the operator chose to watch. Being watched says nothing about the seller.",
        start=site.url,
        spider="market.site",
        frequency="daily",
        pace=Pace(delay=site.delay),
        expect=Expectation(listed=Range(min=1)),
        options=Options(
            start=site.start,
            pages=site.pages,
            depth=site.depth,
            minutes=site.minutes,
            revisit_hours=site.revisit_hours,
        ).model_dump(mode="json"),
    )


def read(response: Response, card: SourceCard) -> Records:
    """One answer as a page. Raises BlockedError, NotAPageError or SoftNotFoundError for what is none."""
    yield read_page(response, card)


class Spider(SourceSpider):
    """Reads one site within its limits. Asks again for every page that is known, linked or not."""

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Spider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.idle, signal=signals.spider_idle)
        return spider

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.frontier = Frontier()
        self.clock = reading_of(self.crawler).clock
        self.home = normalise(self.card.start)
        self.site = self.home
        self.asked = self.under_way = self.sitemaps_open = self.sitemaps_asked = 0
        self.answers_well = self.pages_begun = False
        self.left_out: set[str] = set()
        self.met: set[tuple[str, str, int]] = set()
        self.requested: set[str] = set()
        self.recorded: set[str] = set()
        self.pending_gone: list[PageRecord] = []
        if self.request.pages:
            self.pages_begun = True
            self._take_only(self.request.pages)
            yield from self._next_pages()
        else:
            yield self._sitemap_request(urljoin(self.home, "/robots.txt"), self.parse_robots)

    # Finding pages

    def _take_only(self, pages: tuple[str, ...]) -> None:
        for url in filter(None, map(normalise, pages)):
            if same_site(url, self.site):
                self.frontier.add(url, depth=0, known=url in self.known)
            else:
                self.book.leave_out("not on this site")

    def _sitemap_request(self, url: str, callback: Any) -> Request:
        self.sitemaps_open += 1
        # `dont_obey_robotstxt` is for robots.txt itself, which no robots.txt forbids
        meta = {"handle_httpstatus_all": True, "dont_obey_robotstxt": url.endswith("/robots.txt")}
        return Request(url, callback, errback=self.sitemap_failed, meta=meta, dont_filter=True)

    def parse_robots(self, response: Response) -> Iterator[Request]:
        named: list[str] = []
        if response.status == 200:
            named = [url for url in sitemap_urls_from_robots(response.body, response.url) if same_site(url, self.site)]
        yield from self._more_sitemaps(response, named or self._usual_sitemaps())

    def _usual_sitemaps(self) -> list[str]:
        return [urljoin(self.home, path) for path in USUAL_SITEMAPS]

    def parse_sitemap(self, response: Response) -> Iterator[Request]:
        are_sitemaps, places = False, list[str]()
        if response.status == 200:
            try:
                are_sitemaps, places = places_of(response)
            except ValueError:
                self.book.leave_out("sitemap not understood")
        if not are_sitemaps:
            for url in places:
                self._found(url, depth=0)
        yield from self._more_sitemaps(response, places if are_sitemaps else [])

    def _more_sitemaps(self, response: Response | None, urls: list[str]) -> Iterator[Request]:
        """After robots.txt or a sitemap: ask for the sitemaps it names; begin with the pages once none is open."""
        if response is not None:
            response.meta["depth"] = 0  # the queue counts links; what follows here is no link
        self.sitemaps_open -= 1
        for url in dict.fromkeys(urls):
            if self.sitemaps_asked >= MOST_SITEMAPS:
                self.book.leave_out(f"sitemaps beyond {MOST_SITEMAPS}")
            elif same_site(url, self.site):
                self.sitemaps_asked += 1
                yield self._sitemap_request(url, self.parse_sitemap)
        if not self.sitemaps_open:
            yield from self._begin_pages()

    def sitemap_failed(self, failure: Failure) -> Iterator[Request]:
        """The engine wrote down why. Without robots.txt or a sitemap, links still lead on."""
        was_robots = failure.request.url.endswith("/robots.txt")  # type: ignore[attr-defined]
        yield from self._more_sitemaps(None, self._usual_sitemaps() if was_robots else [])

    def _begin_pages(self) -> Iterator[Request]:
        self.pages_begun = True
        for url in self.known:
            if same_site(url, self.site):
                self.frontier.add(url, depth=0, known=True)
        for url in (self.card.start, *self.options.start):
            self.frontier.add(normalise(url), depth=0, known=normalise(url) in self.known, rank=FIRST)
        yield from self._next_pages()

    def _found(self, url: str, *, depth: int, said: str = "") -> None:
        """Put an address found in a sitemap or a link into the queue, if it may be a page of this site."""
        page = normalise(url)
        met = (page, said, depth)
        if not page or met in self.met or not same_site(page, self.site):
            return
        if len(self.met) >= MOST_WAITING:
            self.met.clear()
        self.met.add(met)
        known = page in self.known
        if not known and (reason := self._reason_left_out(page, depth)):
            if page not in self.left_out:
                self.left_out.add(page)
                self.book.leave_out(reason)
            return
        self.frontier.add(page, depth=depth, said=said, known=known)

    def _reason_left_out(self, page: str, depth: int) -> str:
        if is_trap(page):
            return "no page: cart, login, calendar, list order, file"
        if depth > self.options.depth:
            return f"more than {self.options.depth} links from a start page"
        if len(self.frontier) >= MOST_WAITING:
            return f"beyond {MOST_WAITING} addresses waiting"
        return ""

    # Asking for pages

    @property
    def most_pages(self) -> int:
        return min(self.options.pages, self.request.limit or self.options.pages)

    def _next_pages(self) -> Iterator[Request]:
        # One at a time: what a page links to counts before the next is chosen, and a replay takes the same path.
        while not self.under_way and self.asked < self.most_pages and (place := self.frontier.take()):
            if self._is_fresh(place.url):
                self.book.list_entry(place.url, self.known[place.url].digest)
                self.book.known += 1
                continue
            self.asked += 1
            self.under_way += 1
            yield self._page_request(place)
        if not self.under_way and len(self.frontier):
            self._say_limit()

    def _say_limit(self) -> None:
        left = len(self.frontier)
        self.book.leave_out("beyond the limit of pages", left)
        self.frontier = Frontier()
        if self.most_pages < self.options.pages:
            return
        note(
            self.book,
            "limit_reached",
            f"{self.asked} pages were asked for, as `pages` allows; {left} addresses were left, the least telling ones",
            self.card.start,
        )

    def _is_fresh(self, url: str) -> bool:
        known = self.known.get(url)
        if known is None or known.read_at is None or self.request.full or self.request.pages:
            return False
        return self.clock.now() - known.read_at < timedelta(hours=self.options.revisit_hours)

    def _page_request(self, place: Place) -> Request:
        self.requested.add(place.url)
        known = self.known.get(place.url)
        headers = {}
        if known is not None and not self.request.full:
            if known.etag:
                headers["If-None-Match"] = known.etag
            if known.last_modified:
                headers["If-Modified-Since"] = known.last_modified
        return Request(
            place.url,
            self.parse_page,
            errback=self.page_failed,
            headers=headers,
            meta={"handle_httpstatus_list": [304, *NOT_THERE]},
            cb_kwargs={"place": place},
            dont_filter=True,
        )

    def page_failed(self, _failure: Failure) -> Iterator[Request]:
        """The engine wrote down why; the page is neither read nor gone."""
        self.under_way -= 1
        yield from self._onwards()

    def _onwards(self) -> Iterator[Request]:
        yield from self._next_pages()
        if not self.under_way and self.pending_gone and not self.answers_well and self.home not in self.requested:
            # Nothing answered but "not there": is it the page that went, or the site?
            self.under_way += 1
            yield self._page_request(Place((0, False, 0, 0), self.home, 0))

    def idle(self) -> None:
        """Nothing is under way. If a request was lost on its way, the queue goes on without it."""
        self.under_way = self.sitemaps_open = 0
        requests = list(self._onwards() if self.pages_begun else self._begin_pages())
        for request in requests:
            self.crawler.engine.crawl(request)
        if requests:
            raise DontCloseSpider

    # Reading pages

    def parse_page(self, response: Response, place: Place) -> Iterator[Request | PageRecord]:
        self.under_way -= 1
        response.meta["depth"] = 0  # the queue counts links; what follows here is no link of this page
        yield from self._read(response, place)
        yield from self._onwards()

    def _read(self, response: Response, place: Place) -> Iterator[PageRecord]:
        if response.status == 304 and place.url in self.known:
            yield from self._unchanged(response, place)
        elif response.status in NOT_THERE:
            yield from self._gone(response, place)
        elif not same_site(response.url, self.site):
            self._off_the_site(response, place)
        else:
            yield from self._page(response, place)

    def _unchanged(self, response: Response, place: Place) -> Iterator[PageRecord]:
        known = self.known[place.url]
        self._seen(place.url, known.digest)
        yield PageRecord(
            source=self.card.id,
            url=place.url,
            state=PageState.UNCHANGED,
            capture=capture_of(response),
            etag=header(response, "ETag") or known.etag,
            last_modified=header(response, "Last-Modified") or known.last_modified,
        )
        yield from self._confirmed_gone()

    def _gone(self, response: Response, place: Place) -> Iterator[PageRecord]:
        if place.url not in self.known:
            self.book.leave_out(f"not there (status {response.status})")
            return
        self.pending_gone.append(
            PageRecord(source=self.card.id, url=place.url, state=PageState.GONE, capture=capture_of(response))
        )
        yield from self._confirmed_gone()

    def _confirmed_gone(self) -> Iterator[PageRecord]:
        """Pages that went, once the site is known to answer for others."""
        if self.answers_well:
            yield from self.pending_gone
            self.pending_gone = []

    def _off_the_site(self, response: Response, place: Place) -> None:
        self.book.leave_out("leads to another site")
        if place.url == self.home:
            message = f"the home page leads to {response.url}; change `url` of this site in the configuration"
            note(self.book, "http_error", message, place.url, capture_of(response))

    def _page(self, response: Response, place: Place) -> Iterator[PageRecord]:
        try:
            record = read_page(response, self.card)
        except SoftNotFoundError as error:
            note(self.book, "soft_404", str(error), response.url, capture_of(response))
            return
        except NotAPageError as error:
            self._no_page(response, place, error)
            return
        if record.url in self.recorded:
            self.book.leave_out("leads to a page that was read already")
            return
        self.frontier.close(record.url)
        self._seen(record.url, hashlib.sha256(response.body).hexdigest()[:32])
        yield record
        yield from self._confirmed_gone()
        if not self.request.pages and isinstance(response, TextResponse):
            for link in links_of(response):
                self._found(link.url, depth=place.depth + 1, said=link.said)

    def _no_page(self, response: Response, place: Place, error: NotAPageError) -> None:
        if place.url in self.known or place.url == self.home:
            note(self.book, "wrong_content_type", str(error), response.url, capture_of(response))
        else:
            self.book.leave_out("no page: another content type")

    def _seen(self, url: str, digest: str) -> None:
        self.recorded.add(url)
        self.book.list_entry(url, digest)
        self.answers_well = True

    def closed(self, reason: str) -> None:
        for record in self.pending_gone:
            message = f"answered that it is not there, as did all else that was asked of the site (run: {reason})"
            note(self.book, "http_error", message, record.url, record.capture)


def places_of(response: Response) -> tuple[bool, list[str]]:
    """What a sitemap names, and whether those are sitemaps again. Raises ValueError for what is no sitemap."""
    try:
        body = gunzip(response.body, max_size=MOST_SITEMAP_BYTES) if gzip_magic_number(response) else response.body
        if b"<urlset" not in body and b"<sitemapindex" not in body:
            raise ValueError("neither urlset nor sitemapindex")
        sitemap = Sitemap(body)
        return sitemap.type == "sitemapindex", [str(place["loc"]) for place in sitemap]
    except (OSError, EOFError, StopIteration, SyntaxError, struct.error, zlib.error) as error:
        raise ValueError(str(error) or type(error).__name__) from error
