"""The sellers' spider: takes a site of the configuration and reads its pages, the telling ones first.

Finds pages by the sitemaps that robots.txt names (sitemaps.org), by the usual sitemap addresses, by links, and by
the catalogues of the platform that the home page shows the site to be built with. An entry of a catalogue is a page
of its own, beside the page that visitors see: its identity is the address at which the platform gives it alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

from scrapy import Request, signals
from scrapy.exceptions import DontCloseSpider
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.archive import REVISITS
from crawler.blocks import block_page
from crawler.folder import reading_of
from crawler.manners import APART
from crawler.market.addresses import normalise, same_site
from crawler.market.brochure import is_brochure, told_by_brochure
from crawler.market.card import Options, card_of
from crawler.market.catalogues import CatalogueOutcome, is_entry_address, read_entry
from crawler.market.entries import record_of as record_of_entry
from crawler.market.entries import records_of
from crawler.market.finding import PageFinder
from crawler.market.frontier import Frontier, Place
from crawler.market.page import (
    PAGES,
    BuiltByScriptError,
    LoginWallError,
    NotAPageError,
    Told,
    content_type,
    header,
    record_of,
    told_by,
    unread_of,
)
from crawler.market.platforms import Shelf
from crawler.market.remembered import Remembered
from crawler.market.rendering import NotBuiltError, Renderer
from crawler.market.shelves import Held, Shelves, held
from crawler.market.sitemaps import places_of
from crawler.notes import RefusedRequest, note
from crawler.source import Records, SoftNotFoundError, capture_of
from monitor.records import PageRecord, PageState, SourceCard

__all__ = ["Options", "Spider", "card_of", "places_of", "read"]

NOT_THERE = (404, 410)


def read(response: Response, card: SourceCard) -> Records:
    """One answer as a page, a PDF, or the entries of a catalogue. Raises BlockedError or LayoutChangedError."""
    if "json" in header(response, "Content-Type").lower() and not is_brochure(response):
        yield from records_of(response, card)
    else:
        yield record_of(_told_by(response), response, card)


def _told_by(response: Response) -> Told:
    return (told_by_brochure if is_brochure(response) else told_by)(response)


def _moved_for_good(response: Response) -> bool:
    """True if nothing but permanent redirects (RFC 9110, 15.4.2 and 15.4.9) led here: others may end tomorrow."""
    reasons = response.meta.get("redirect_reasons", [])
    return bool(reasons) and all(reason in (301, 308) for reason in reasons)


class Spider(PageFinder):
    """Reads one site within its limits. Asks again for every page that is known, linked or not."""

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Spider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.idle, signal=signals.spider_idle)
        return spider

    def begin(self) -> Iterator[Request]:
        self.find_from(normalise(self.card.start), Options.model_validate(self.card.options))
        self.renderer = Renderer(self.crawler)
        reading = reading_of(self.crawler)
        self.clock = reading.clock
        self.remembered = Remembered(reading.remembered)
        if self.known:
            self.remembered.forget_all_but(self.known)
        self.asked = self.under_way = 0
        self.answers_well = False
        self.requested: set[str] = set()
        self.recorded: set[str] = set()
        self.pending_gone: list[PageRecord] = []
        self.shelves = Shelves(self.home, minutes=self.options.minutes, delay=self.card.pace.delay)
        self.entries_told = False
        if self.request.pages:
            self.pages_begun = True
            self._take_only(self.request.pages)
            yield from self._next_pages()
        else:
            yield self._sitemap_request(urljoin(self.home, "/robots.txt"), self.parse_robots)

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
        headers: dict[str, str] = {}
        meta: dict[str, Any] = {"handle_httpstatus_list": [304, *NOT_THERE]}
        # "not modified" would not show what the site is built with, and its catalogue would stay unread
        shows_platform = place.url == self.home and bool(self.known_entries)
        whole = self.request.full or shows_platform or self.options.script or not self.options.conditional
        if known is not None and not whole:
            headers |= {"If-None-Match": known.etag} if known.etag else {}
            headers |= {"If-Modified-Since": known.last_modified} if known.last_modified else {}
            meta |= {REVISITS: known.capture} if headers else {}
        return Request(
            place.url,
            self.parse_built if self.options.script else self.parse_page,
            errback=self.page_failed,
            headers=headers,
            meta=meta,
            cb_kwargs={"place": place},
            dont_filter=True,
        )

    def page_failed(self, _failure: Failure) -> Iterator[Request | PageRecord]:
        """The engine wrote down why; the page is neither read nor gone."""
        yield from self._unread()

    def _unread(self) -> Iterator[Request | PageRecord]:
        self.under_way -= 1
        yield from self._onwards()

    def _onwards(self) -> Iterator[Request | PageRecord]:
        yield from self._next_list()
        yield from self._next_pages()
        if not self.under_way and self.pending_gone and not self.answers_well and self.home not in self.requested:
            # Nothing answered but "not there": is it the page that went, or the site?
            self.under_way += 1
            yield self._page_request(Place((0, False, 0, 0), self.home, 0))

    def idle(self) -> None:
        """Nothing is under way. If a request was lost on its way, the queue goes on without it."""
        self.under_way = self.sitemaps_open = 0
        requests = [*self._ask_list(), *self._next_pages()] if self.pages_begun else list(self._begin_pages())
        for request in requests:
            self.crawler.engine.crawl(request)
        if requests:
            raise DontCloseSpider

    # Asking for catalogues

    def _ask_list(self) -> Iterator[Request]:
        if not self.under_way and not self.request.pages and (shelf := self.shelves.next()):
            self.under_way += 1
            yield self._list_request(shelf)

    def _next_list(self) -> Iterator[Request | PageRecord]:
        """The next page of a catalogue; once none is left, the entries that the catalogues held."""
        yield from self._ask_list()
        if not self.under_way and self.shelves.outcomes and not self.entries_told:
            self.entries_told = True
            yield from self._entries()

    def _list_request(self, shelf: Shelf) -> Request:
        meta = {"handle_httpstatus_all": True, APART: True}
        passed = {"shelf": shelf}
        return Request(
            shelf.address, self.parse_list, errback=self.list_failed, meta=meta, cb_kwargs=passed, dont_filter=True
        )

    def parse_list(self, response: Response, shelf: Shelf) -> Iterator[Request | PageRecord]:
        self.under_way -= 1
        if same_site(response.url, self.site):
            self.shelves.take(response, shelf, capture_of(response))
        else:
            self.shelves.ended(shelf, CatalogueOutcome.UNAVAILABLE)
        yield from self._onwards()

    def list_failed(self, failure: Failure) -> Iterator[Request | PageRecord]:
        """The engine wrote down why."""
        self.under_way -= 1
        blocked = isinstance(failure.value, RefusedRequest) and failure.value.kind == "blocked"
        shelf: Shelf = failure.request.cb_kwargs["shelf"]  # type: ignore[attr-defined]
        self.shelves.ended(shelf, CatalogueOutcome.BLOCKED if blocked else CatalogueOutcome.UNAVAILABLE)
        yield from self._onwards()

    def _entries(self) -> Iterator[PageRecord]:
        """What the catalogues held: the most telling entries as records, the pages they are of into the queue."""
        shelves = self.shelves
        self.book.catalogues = {kind: str(outcome) for kind, outcome in sorted(shelves.outcomes.items())}
        for url, title in shelves.pages.items():
            self._found(url, depth=1, said=title)
        ranked = sorted(shelves.held.values(), key=lambda one: (-one.rank, one.url not in self.known))
        for entry in ranked[: self.most_pages]:
            yield self._entry_record(entry)
        self._count_unread(len(ranked) - self.most_pages)
        for url in sorted(self.known_entries - shelves.held.keys()):
            if shelves.whole and same_site(url, self.site):
                self.frontier.add(url, depth=0, known=True)
            else:
                self._entry_not_asked(url)

    def _entry_not_asked(self, url: str) -> None:
        """A known entry of a catalogue that this run did not ask for: lately read, or unread."""
        if self._is_fresh(url):
            self.book.list_entry(url, self.known[url].digest)
            self.book.known += 1
        else:
            self.book.leave_out("entry of a catalogue that could not be read whole")

    def _count_unread(self, beyond: int) -> None:
        if self.shelves.locked:
            self.book.leave_out("behind a password", self.shelves.locked)
        if self.shelves.elsewhere:
            self.book.leave_out("not on this site", self.shelves.elsewhere)
        beyond = max(beyond, 0) + self.shelves.beyond
        if beyond:
            self.book.leave_out("entries of catalogues beyond the limit of pages", beyond)
        if beyond or self.shelves.cut:
            message = "more entries of catalogues than are read in one run; the least telling ones were left"
            note(self.book, "limit_reached", message, self.card.start)

    def _entry_record(self, entry: Held) -> PageRecord:
        known = self.known.get(entry.url)
        same = known is not None and known.digest == entry.digest and not self.request.full
        self.frontier.close(entry.url)
        self._seen(entry.url, entry.digest)
        return record_of_entry(entry, self.card, PageState.UNCHANGED if same else PageState.READ)

    # Reading pages

    async def parse_built(self, response: Response, place: Place) -> AsyncIterator[Request | PageRecord]:
        """A page as a browser shows it, where that is what the site asks for."""
        try:
            shown = await self.renderer.render(response) if self._is_to_build(response, place) else response
        except NotBuiltError as error:
            message = f"is built by script, and its content was not read: {error}"
            note(self.book, "download_error", message, response.url, capture_of(response))
            going_on = self._unread()
        else:
            going_on = self.parse_page(shown, place)
        for one in going_on:
            yield one

    def _is_to_build(self, response: Response, place: Place) -> bool:
        is_page = content_type(response) in PAGES and response.status == 200 and not is_entry_address(place.url)
        # what keeps us out is told of as received: no script of it runs
        return is_page and same_site(response.url, self.site) and not block_page(response)

    def parse_page(self, response: Response, place: Place) -> Iterator[Request | PageRecord]:
        self.under_way -= 1
        yield from self._read(response, place)
        yield from self._onwards()

    def _read(self, response: Response, place: Place) -> Iterator[PageRecord]:
        if response.status == 304 and place.url in self.known:
            yield from self._unchanged(response, place)
        elif response.status in NOT_THERE:
            yield from self._gone(response, place)
        elif not same_site(response.url, self.site):
            self._off_the_site(response, place)
        elif is_entry_address(place.url):
            yield from self._entry_alone(response, place)
        else:
            yield from self._page(response, place)

    def _entry_alone(self, response: Response, place: Place) -> Iterator[PageRecord]:
        """An entry that was asked for by itself: for a second look, or because its catalogue has it no longer."""
        entry = read_entry(response)
        if entry is None or entry.locked:
            message = "an entry of a catalogue was asked for, and something else came"
            note(self.book, "wrong_content_type", message, response.url, capture_of(response))
            return
        yield self._entry_record(replace(held(entry, capture_of(response)), url=place.url))
        yield from self._confirmed_gone()

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
        if place.url == self.home and not self.request.pages:
            self.shelves.recognise(response)
            self.book.platforms = tuple(map(str, self.shelves.platforms))
        try:
            told = self._told(response, place)
        except SoftNotFoundError as error:
            note(self.book, "soft_404", str(error), response.url, capture_of(response))
            return
        except LoginWallError as error:
            note(self.book, "blocked", str(error), response.url, capture_of(response))
            return
        except BuiltByScriptError as error:
            note(self.book, "layout_changed", self._how_to_build(error), response.url, capture_of(response))
            return
        except NotAPageError as error:
            self._no_page(response, place, error)
            return
        record = record_of(told, response, self.card)
        if place.url in self.known and place.url != record.url and _moved_for_good(response):
            gone = {"state": PageState.GONE, "canonical_url": record.url}
            self.pending_gone.append(
                PageRecord(source=self.card.id, url=place.url, capture=capture_of(response), **gone)
            )
        if record.url in self.recorded:
            self.book.leave_out("leads to a page that was read already")
            yield from self._confirmed_gone()
            return
        self.frontier.close(record.url)
        self._seen(record.url, record.body_sha256[:32])
        yield record
        yield from self._confirmed_gone()
        for what, count in unread_of(record):
            self.book.leave_out(f"unread on pages: {what}", count)
        for link in () if self.request.pages else told.links:
            self._found(link.url, depth=place.depth + 1, said=link.said)

    def _told(self, response: Response, place: Place) -> Told:
        """What a page says: as it was read before, where it came to the byte as it was then."""
        told = None if self.request.full or block_page(response) else self.remembered.told(place.url, response)
        if told is None:
            told = _told_by(response)
            self.remembered.keep(place.url, response, told)
        return told

    def _how_to_build(self, error: BuiltByScriptError) -> str:
        if self.options.script:
            return f"{error}: not even in a browser"
        self.book.leave_out("unread pages: built by script")
        return f"{error}; `script: true` of this site in the configuration lets a browser show its pages"

    def _no_page(self, response: Response, place: Place, error: NotAPageError) -> None:
        if place.url in self.known or place.url == self.home:
            note(self.book, "wrong_content_type", str(error), response.url, capture_of(response))
        elif is_brochure(response):
            self.book.leave_out("PDF without text that can be read")
        else:
            self.book.leave_out("no page: another content type")

    def _seen(self, url: str, digest: str) -> None:
        self.recorded.add(url)
        self.book.list_entry(url, digest)
        self.answers_well = True

    async def closed(self, reason: str) -> None:
        """Scrapy's last word to a spider."""
        if self.options.script:
            await self.renderer.close()
        self.remembered.close()
        self._tell_what_is_left(reason)

    def _tell_what_is_left(self, reason: str) -> None:
        if not self.entries_told and not self.request.pages:
            for url in sorted(self.known_entries):
                self._entry_not_asked(url)
        for record in self.pending_gone:
            message = f"answered that it is not there, as did all else that was asked of the site (run: {reason})"
            note(self.book, "http_error", message, record.url, record.capture)
