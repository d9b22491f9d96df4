"""The spider of every generic reader: the list, what of it is kept, and the page of each kept entry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.folder import reading_of
from crawler.generic.entries import (
    Entry,
    EntryOptions,
    Listing,
    PageText,
    notice_of,
    read_page,
    why_not_followed,
)
from crawler.notes import note
from crawler.source import LayoutChangedError, capture_of
from crawler.sources.reading import ListSpider, digest_of
from monitor.records import AnyRecord


class EntrySpider(ListSpider):
    """Base of the generic spiders. A subclass says how a list is read (`listing`)."""

    options_model: ClassVar[type[EntryOptions]] = EntryOptions

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.options = self.options_model.model_validate(self.card.options)
        self.terms = self.options.chosen_terms
        self.taken = 0
        """Entries whose page or record was asked of this run's limit."""
        self.fresh = 0
        """Entries that were not settled before: while a page of the list brings some, the next one is read."""
        self.list_pages = 0
        self._pages_read = 0
        self._pages_not_understood: list[tuple[str, str, str]] = []

    def listing(self, response: Response) -> Listing:
        """One answer of the list. Raises LayoutChangedError or BlockedError."""
        raise NotImplementedError

    def begin(self) -> Iterator[Request]:
        for address in (self.card.start, *self.options.also):
            yield self.list_request(address)

    def list_request(self, address: str) -> Request:
        return Request(address, callback=self.parse)

    def parse(self, response: Response, **_: Any) -> Iterator[Any]:
        found = self.listing(response)
        for message in found.strange:
            self.book.leave_out("entry not understood")
            note(self.book, "parse_error", message, response.url, capture_of(response))
        before = self.fresh
        for entry in found.entries:
            yield from self.take(entry, (capture_of(response),))
        self.list_pages += 1
        if found.more and (self.fresh > before or self._sweeps(found)) and self._may_read_on():
            yield self.list_request(found.more)

    def _sweeps(self, found: Listing) -> bool:
        """True if the whole list was asked for, and this part of it does not lie before `since`."""
        since = self.request.since
        recent = (entry.posted is None or since is None or entry.posted >= since for entry in found.entries)
        return self.request.sweep and any(recent)

    def _may_read_on(self) -> bool:
        if self.limit_reached(self.taken):
            return False
        if self.list_pages < self.options.max_pages:
            return True
        message = f"read {self.list_pages} pages of the list, the card's max_pages; what is on the others is unread"
        note(self.book, "limit_reached", message)
        return False

    def take(self, entry: Entry, captures: tuple[str, ...]) -> Iterator[Request | AnyRecord]:
        """Note an entry; its page's request or its record, if it is kept and new."""
        if entry.key in self.book.seen:
            self.book.leave_out("listed more than once")
            return
        entry = self._without_future(entry)
        if self._is_settled(entry):
            self.book.list_entry(entry.key, self.known[entry.key].digest, entry.posted)
            self.book.known += 1
        elif self.request.since and entry.posted and entry.posted < self.request.since:
            self.book.list_entry(entry.key, entry.digest + self.OLDER, entry.posted)
            self.book.leave_out(f"older than {self.request.since}")
        else:
            self.fresh += 1
            yield from self._take_new(entry, captures)

    def _take_new(self, entry: Entry, captures: tuple[str, ...]) -> Iterator[Request | AnyRecord]:
        if not self._is_wanted(entry):
            self.book.list_entry(entry.key, self._left_out_digest(entry), entry.posted)
            self.book.leave_out("no term of the card's lists in the entry")
        elif self.limit_reached(self.taken):
            self.owe(entry.key, entry.posted)
            self.book.leave_out("beyond the limit asked for")
        else:
            yield from self._read_or_ask(entry, captures)

    def _read_or_ask(self, entry: Entry, captures: tuple[str, ...]) -> Iterator[Request | AnyRecord]:
        why_not = why_not_followed(entry, self.card, self.options) if self.options.follow else ""
        if self.options.follow and not why_not:
            self.taken += 1
            self.owe(entry.key, entry.posted)
            passed = {"entry": entry, "listed_in": captures}
            yield Request(entry.url, self.parse_page, errback=self.page_failed, cb_kwargs=passed, dont_filter=True)
        elif self.terms is None or self.terms.is_near(*entry.words):
            self.taken += 1
            self.book.list_entry(entry.key, entry.digest, entry.posted)
            unread = (*entry.unread, why_not) if why_not else entry.unread
            yield self.record_of(replace(entry, unread=unread), captures)
        else:
            self.book.list_entry(entry.key, self._left_out_digest(entry), entry.posted)
            self.book.leave_out("no term of the card's lists in the entry, and its page is not read")

    def record_of(self, entry: Entry, captures: tuple[str, ...], page: PageText | None = None) -> AnyRecord:
        return notice_of(self.card, self.options, entry, captures, page)

    def _without_future(self, entry: Entry) -> Entry:
        """A date that has not come yet is a misprint, and would make a dead list look fresh for ever."""
        last = reading_of(self.crawler).clock.now().date() + timedelta(days=2)
        if entry.posted is None or entry.posted <= last:
            return entry
        return replace(entry, posted=None, unread=(*entry.unread, f"posted date: {entry.posted} has not come yet"))

    def _is_wanted(self, entry: Entry) -> bool:
        return self.terms is None or self.options.gate == "text" or self.terms.is_near(*entry.words)

    def _left_out_digest(self, entry: Entry) -> str:
        """Of an entry that was left out under these words: under others it is looked at again."""
        return digest_of(entry.digest, self.terms.fingerprint if self.terms else "")

    def _is_settled(self, entry: Entry) -> bool:
        return self.settled(entry.key, entry.digest) or self.settled(entry.key, self._left_out_digest(entry))

    def parse_page(self, response: Response, entry: Entry, listed_in: tuple[str, ...]) -> Iterator[AnyRecord]:
        capture = capture_of(response)
        try:
            if urlsplit(response.url).path in ("", "/") and urlsplit(entry.url).path not in ("", "/"):
                raise LayoutChangedError(f"{entry.url} led to the site's front page")
            page = read_page(response, self.options)
        except LayoutChangedError as error:
            self._pages_not_understood.append((str(error), response.url, capture))
            yield from self._unread(entry, (*listed_in, capture), f"page: not understood ({error})")
            return
        self._pages_read += 1
        if self._is_irrelevant(entry, page):
            self.was_read(entry.key, self._left_out_digest(entry))
            self.book.leave_out("no term of the card's lists in entry or page")
            return
        self.was_read(entry.key, entry.digest)
        yield self.record_of(entry, (capture, *listed_in), page)

    def _is_irrelevant(self, entry: Entry, page: PageText) -> bool:
        if self.terms is None or self.terms.is_near(*entry.words):
            return False
        return not self.terms.names_a_product(page.title, page.text)

    def page_failed(self, failure: Failure) -> Iterator[AnyRecord]:
        request: Request = failure.request  # type: ignore[attr-defined]
        if reason := self.reason_of(failure):
            entry, listed_in = request.cb_kwargs["entry"], request.cb_kwargs["listed_in"]
            yield from self._unread(entry, listed_in, f"page: {reason}")

    def _unread(self, entry: Entry, captures: tuple[str, ...], reason: str) -> Iterator[AnyRecord]:
        """What is known of an entry whose page could not be read; it stays owed, and is asked for again."""
        if self.terms is None or self.terms.is_near(*entry.words):
            yield self.record_of(replace(entry, unread=(*entry.unread, reason)), captures)
        else:
            self.book.leave_out("page not read, so not known to matter; asked for again")

    def closed(self, reason: str) -> None:  # noqa: ARG002 - Scrapy calls it by this name
        """Pages differ, and one odd page is told in its own record; if none of several was understood, the site has
        changed."""
        if len(self._pages_not_understood) > 1 and not self._pages_read:
            message, url, capture = self._pages_not_understood[0]
            note(self.book, "layout_changed", f"no entry's page was understood: {message}", url, capture)
