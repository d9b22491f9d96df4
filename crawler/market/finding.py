"""Where a seller's pages are: sitemaps, the start pages, what is known already, and the links that are met."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from scrapy import Request
from scrapy.http import Response
from scrapy.utils.sitemap import sitemap_urls_from_robots
from twisted.python.failure import Failure

from crawler.market.addresses import is_pdf, is_trap, normalise, same_site
from crawler.market.card import Options
from crawler.market.catalogues import is_entry_address
from crawler.market.frontier import FIRST, Frontier
from crawler.market.sitemaps import USUAL_SITEMAPS, places_of
from crawler.source import SourceSpider

MOST_SITEMAPS = 50
MOST_PDFS = 20
"""Brochures and price lists asked for in one run."""
MOST_WAITING = 100_000
"""Addresses in the queue: a sitemap can name millions, and the most that `pages` may ask for is this."""


class PageFinder(SourceSpider):
    """Fills the queue of a site's pages. Sitemaps first; `_next_pages` is asked once none is open any more."""

    def find_from(self, home: str, options: Options) -> None:
        """Begin with nothing found."""
        self.home = self.site = home
        self.options = options
        self.frontier = Frontier()
        self.sitemaps_open = self.sitemaps_asked = 0
        self.pages_begun = False
        self.left_out: set[str] = set()
        self.met: set[tuple[str, str, int]] = set()
        self.pdfs: set[str] = set()
        # known by their addresses; what is not in its catalogue any more is asked for alone
        self.known_entries = {url for url in self.known if is_entry_address(url)}

    @abstractmethod
    def _next_pages(self) -> Iterator[Request]:
        """Ask for the next page of the queue."""

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
        yield from self._more_sitemaps(named or self._usual_sitemaps())

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
        yield from self._more_sitemaps(places if are_sitemaps else [])

    def _more_sitemaps(self, urls: list[str]) -> Iterator[Request]:
        """After robots.txt or a sitemap: ask for the sitemaps it names; begin with the pages once none is open."""
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
        yield from self._more_sitemaps(self._usual_sitemaps() if was_robots else [])

    def _begin_pages(self) -> Iterator[Request]:
        self.pages_begun = True
        for url in self.known:
            if same_site(url, self.site) and url not in self.known_entries:
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
        if is_pdf(page):
            if len(self.pdfs) >= MOST_PDFS:
                return f"PDFs beyond {MOST_PDFS}"
            self.pdfs.add(page)
        return ""
