"""Spiders that read a list and then one document for each of its entries, a page or a PDF."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, ClassVar, Generic, TypeVar

from scrapy import Request
from scrapy.http import Response
from twisted.python.failure import Failure

from crawler.folder import reading_of
from crawler.notes import note
from crawler.source import LayoutChangedError, capture_of
from crawler.sources.reading import ListSpider, digest_of
from monitor.records import NoticeRecord

LIST_FIRST = 10_000_000
"""Priority of a list's pages, above that of any document (the day it was posted, counted from the year 1)."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One entry of a list. `url` is where its document stands; empty: it has none."""

    key: str
    url: str
    posted: date | None
    digest: str
    misdated: str = ""
    """Why `posted` is empty although the list prints a day."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """What was read of an entry's document. `unread` names what was not; `again`: another try may help."""

    text: str = ""
    quoted_urls: tuple[str, ...] = ()
    unread: str = ""
    again: bool = False


E = TypeVar("E", bound=Listed)
D = TypeVar("D", bound=Document)


class DocumentSpider(ListSpider, Generic[E, D]):
    """Asks for the document of each entry that is new or changed. A subclass reads its lists and calls `consider`."""

    part: ClassVar[str] = "page"
    """What an entry's document is called in `unread`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taken = 0
        self._understood = 0
        self._not_understood: list[tuple[str, str, str]] = []

    selected_by: str = ""
    """What the choice of entries rests on: those left out are looked at again when it changes."""

    def reason_left_out(self, entry: E) -> str:  # noqa: ARG002 - for sources that keep every entry
        """Why an entry's document is not read; empty if it is."""
        return ""

    def read_document(self, response: Response, entry: E) -> D:
        """The document. Raises LayoutChangedError if it is not understood, BlockedError for a block page."""
        raise NotImplementedError

    def notice(self, entry: E, captures: tuple[str, ...], document: D | None, unread: str) -> NoticeRecord:
        """The notice that entry and document make."""
        raise NotImplementedError

    def consider(self, entry: E, listed_in: str) -> Iterator[Request | NoticeRecord]:
        """Note an entry, and ask for its document if it is to be read."""
        entry, reason = self._without_future(entry), self.reason_left_out(entry)
        digest = digest_of(entry.digest, reason, self.selected_by) if reason else entry.digest
        since = self.request.since
        if self.settled(entry.key, digest):
            self.book.list_entry(entry.key, self.known[entry.key].digest, entry.posted)
            self.book.known += 1
        elif reason:
            self.book.list_entry(entry.key, digest, entry.posted)
            self.book.leave_out(reason)
        elif since and entry.posted and entry.posted < since:
            self.book.list_entry(entry.key, digest + self.OLDER, entry.posted)
            self.book.leave_out(f"posted before {since}")
        else:
            self.owe(entry.key, entry.posted)
            yield from self._read(entry, listed_in)

    def _without_future(self, entry: E) -> E:
        """A day that has not come yet is a misprint, and would make a dead list look fresh for ever."""
        last = reading_of(self.crawler).clock.now().date() + timedelta(days=2)
        if entry.posted is None or entry.posted <= last:
            return entry
        return replace(entry, posted=None, misdated=f"day on the list: {entry.posted} has not come yet")

    def _read(self, entry: E, listed_in: str) -> Iterator[Request | NoticeRecord]:
        if self.limit_reached(self.taken):
            self.book.leave_out("beyond the limit asked for")
            return
        self.taken += 1
        if not entry.url:
            self.was_read(entry.key, entry.digest)
            yield self._told(entry, (listed_in,), None, f"{self.part}: the list links to none")
            return
        passed = {"entry": entry, "listed_in": listed_in}
        newest_first = entry.posted.toordinal() if entry.posted else 0
        yield Request(
            entry.url, self.parse_document, errback=self.document_failed, cb_kwargs=passed, priority=newest_first
        )

    def _told(self, entry: E, captures: tuple[str, ...], document: D | None, unread: str) -> NoticeRecord:
        notice = self.notice(entry, captures, document, unread)
        return notice.model_copy(update={"unread": (*notice.unread, entry.misdated)}) if entry.misdated else notice

    def nothing_new(self, entries: Iterable[E]) -> bool:
        """True if an earlier run, or a bound by date, settled every one of these entries; all were considered."""
        seen = ((entry.key, self.book.seen[entry.key]) for entry in entries)
        return all(
            digest.endswith(self.OLDER) or (not self.request.sweep and self.settled(key, digest))
            for key, digest in seen
        )

    def parse_document(self, response: Response, entry: E, listed_in: str) -> Iterator[NoticeRecord]:
        capture = capture_of(response)
        try:
            document = self.read_document(response, entry)
        except LayoutChangedError as error:
            self._not_understood.append((str(error), response.url, capture))
            yield self._told(entry, (listed_in, capture), None, f"{self.part}: not understood ({error})")
            return
        self._understood += 1
        if not document.again:
            self.was_read(entry.key, entry.digest)
        unread = f"{self.part}: {document.unread}" if document.unread else ""
        yield self._told(entry, (capture, listed_in), document, unread)

    def document_failed(self, failure: Failure) -> Iterator[NoticeRecord]:
        request: Request = failure.request  # type: ignore[attr-defined]
        if reason := self.reason_of(failure):
            entry, listed_in = request.cb_kwargs["entry"], request.cb_kwargs["listed_in"]
            yield self._told(entry, (listed_in,), None, f"{self.part}: {reason}")

    def closed(self, reason: str) -> None:  # noqa: ARG002 - Scrapy calls it by this name
        """Documents differ, and one odd one is told in its own notice; if none was understood, the site has changed."""
        if self._not_understood and not self._understood:
            message, url, capture = self._not_understood[0]
            note(self.book, "layout_changed", f"no entry's {self.part} was understood: {message}", url, capture)
