"""The US Department of Justice's press releases, by its JSON interface.

Those who use the interface disagree on whether it heeds search and order, so this reader looks for itself: where each
title that a search brought holds the term, the search is trusted; where one does not, the newest releases are walked
instead and searched here. The same where no search brings anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode, urljoin
from zoneinfo import ZoneInfo

from bs4 import BeautifulSoup
from pydantic import BaseModel, ConfigDict, Field
from scrapy import Request
from scrapy.http import Response

from crawler.generic.terms import Terms, terms_of
from crawler.notes import host_of, note
from crawler.source import LayoutChangedError, Records, capture_of
from crawler.sources.reading import (
    ListSpider,
    clean,
    digest_of,
    fragment_text,
    json_of,
    quoted_addresses,
    visible_lines,
)
from monitor.records import NoticeRecord, NoticeType, SourceCard

WASHINGTON = ZoneInfo("America/New_York")
"""Moments are given in seconds since 1970; the day that the release bears is the day there."""
FIELDS = "title,date,url,uuid,created,changed,component,topic,teaser,body"
NO_TERM = "no term in title, teaser or text"


class Options(BaseModel):
    """The card's `options`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    terms: tuple[str, ...] = Field(min_length=1)
    """Each is searched in titles; where the search is not heeded, all are looked for in title, teaser and text."""
    page_size: int = Field(default=50, ge=1, le=50)
    walk_pages: int = Field(default=20, ge=1, le=500)
    """How many of the newest pages are walked where the search is not heeded."""


@dataclass(frozen=True)
class Release:
    """One press release. `changed` is the moment of its last change, as given."""

    uuid: str
    title: str
    url: str
    issued: date | None
    updated: date | None
    changed: str
    offices: tuple[str, ...]
    topics: tuple[str, ...]
    teaser: str
    text: str
    links: str

    @property
    def digest(self) -> str:
        return digest_of(self.uuid, self.title, self.changed, self.teaser, self.text)


def address_of(start: str, size: int, page: int, term: str = "") -> str:
    """One page's address. With a term, only titles that hold it are asked for."""
    query = {"pagesize": size, "page": page, "sort": "date", "direction": "DESC", "fields": FIELDS}
    return f"{start}?{urlencode({**query, 'parameters[title]': term} if term else query)}"


def read_answer(response: Response) -> tuple[int, list[Release], list[str]]:
    """How many releases there are in all, those of this page, and what was wrong with others. LayoutChangedError."""
    body = json_of(response)
    try:
        info, results = body["metadata"]["resultset"], body["results"]
        count = int(info["count"])
    except (KeyError, TypeError, ValueError) as error:
        message = f"{response.url}: no answer of the press release interface ({type(error).__name__}: {error})"
        raise LayoutChangedError(message) from None
    if not isinstance(results, list):
        raise LayoutChangedError(f"{response.url}: `results` is no list")
    releases, strange = [], []
    for result in results:
        try:
            releases.append(release_of(result))
        except LayoutChangedError as error:
            strange.append(str(error))
    if strange and not releases:
        raise LayoutChangedError(f"{response.url}: no release was understood: {strange[0]}")
    return count, releases, strange


def release_of(result: Any) -> Release:
    """One release. Raises LayoutChangedError without uuid, title or address, or if a field is of another kind."""
    if not isinstance(result, dict):
        raise LayoutChangedError(f"a release is no object: {str(result)[:120]}")
    values = {name: _text(result, name) for name in ("uuid", "title", "url", "date", "changed", "teaser", "body")}
    title = fragment_text(values["title"])
    url = urljoin("https://www.justice.gov/", values["url"])
    if not values["uuid"] or not title or not values["url"] or not f".{host_of(url)}".endswith(".justice.gov"):
        raise LayoutChangedError(f"a release has no uuid, title or address: {str(result)[:120]}")
    body = BeautifulSoup(values["body"], "lxml")
    return Release(
        uuid=values["uuid"],
        title=title,
        url=url,
        issued=day_of(values["date"]),
        updated=day_of(values["changed"]),
        changed=values["changed"],
        offices=_names(result, "component"),
        topics=_names(result, "topic"),
        teaser=fragment_text(values["teaser"]),
        text=visible_lines([body]),
        links="\n".join(str(anchor["href"]) for anchor in body.select('a[href^="http"]')),
    )


def _text(result: dict[str, Any], name: str) -> str:
    value = result.get(name)
    if value is None or value == []:
        return ""  # an empty field of this interface is now null, now an empty list
    if not isinstance(value, str | int):
        raise LayoutChangedError(f"`{name}` of a release is no text: {str(value)[:80]}")
    return str(value).strip()


def _names(result: dict[str, Any], name: str) -> tuple[str, ...]:
    parts = result.get(name) or []
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise LayoutChangedError(f"`{name}` of a release is no list of objects: {str(parts)[:80]}")
    return tuple(text for part in parts if (text := clean(str(part.get("name") or ""))))


def day_of(text: str) -> date | None:
    """Seconds since 1970, alone or within `<time>`: their day in Washington. Raises LayoutChangedError."""
    if not text:
        return None
    seconds = re.search(r"(?<!\d)\d{9,11}(?!\d)", re.sub(r"<[^>]*>", " ", text))
    if seconds is None:
        raise LayoutChangedError(f"no moment in seconds since 1970: {text!r}")
    return datetime.fromtimestamp(int(seconds[0]), UTC).astimezone(WASHINGTON).date()


def notice_of(card: SourceCard, release: Release, capture: str) -> NoticeRecord:
    """One release. What it tells of is a court's or the Department's action, in the Department's own words."""
    return NoticeRecord(
        source=card.id,
        key=release.uuid,
        notice_type=NoticeType.COURT_ACTION,
        title=release.title,
        url=release.url,
        authority=", ".join(release.offices) or card.authority.name,
        jurisdiction=card.jurisdiction,
        language=card.language,
        issued=release.issued,
        posted=release.issued,
        updated=release.updated,
        classification="; ".join(release.topics),
        summary=release.teaser,
        text=release.text,
        quoted_urls=quoted_addresses(f"{release.text}\n{release.links}", "www.justice.gov"),
        captures=(capture,),
    )


def read(response: Response, card: SourceCard) -> Records:
    """Every release of one answer that holds one of the card's terms."""
    terms = terms_of((), Options.model_validate(card.options).terms)
    for release in read_answer(response)[1]:
        if _holds(release, terms):
            yield notice_of(card, release, capture_of(response))


def _holds(release: Release, terms: Terms) -> bool:
    return terms.is_near(release.title, release.teaser, release.text)


class Spider(ListSpider):
    """Searches titles for each term; walks the newest releases once, should a search prove not to be heeded."""

    def begin(self) -> Iterator[Request]:
        self.options = Options.model_validate(self.card.options)
        self.own_terms = terms_of((), self.options.terms)
        self.taken = 0
        self.walking = False
        self.walked = 0
        self.searches = len(self.options.terms)
        for term in self.options.terms:
            yield self._search(term, 0)

    def _search(self, term: str, page: int) -> Request:
        url = address_of(self.card.start, self.options.page_size, page, term)
        return Request(url, self.parse_search, cb_kwargs={"term": term, "page": page})

    def parse_search(self, response: Response, term: str, page: int) -> Iterator[Request | NoticeRecord]:
        """One page of a search: trusted if each title holds the term."""
        count, releases, strange = read_answer(response)
        self._tell(strange, response)
        heeded = all(term.lower() in release.title.lower() for release in releases)
        if not heeded:
            yield from self._walk()
            return
        self.book.listed = self.book.listed or 0
        yield from self._take(releases, response)
        if releases and (page + 1) * self.options.page_size < count and not self.limit_reached(self.taken):
            yield self._search(term, page + 1)
            return
        self.searches -= 1
        if not self.searches and not self.book.seen:
            # no term in any title since 2009 is not to be believed: the search may want whole titles
            yield from self._walk()

    def _walk(self) -> Iterator[Request]:
        if not self.walking:
            self.walking = True
            yield Request(address_of(self.card.start, self.options.page_size, 0), self.parse_first, dont_filter=True)

    def parse_first(self, response: Response) -> Iterator[Request]:
        """One end of the list; the other end tells which of the two is the newest."""
        count, releases, _strange = read_answer(response)
        if not count or not releases:
            raise LayoutChangedError(f"{response.url}: the list of all press releases is empty")
        last = (count - 1) // self.options.page_size
        passed = {"first": _newest(releases), "last": last}
        url = address_of(self.card.start, self.options.page_size, last)
        yield Request(url, self.parse_last, cb_kwargs=passed, dont_filter=True)

    def parse_last(self, response: Response, first: date | None, last: int) -> Iterator[Request]:
        _count, releases, _strange = read_answer(response)
        other = _newest(releases)
        if first is None or other is None:
            raise LayoutChangedError(f"{response.url}: the releases bear no dates, so their order is not known")
        newest_last = other > first
        pages = range(last, -1, -1) if newest_last else range(last + 1)
        for page in pages[: self.options.walk_pages]:
            # what was asked for before is asked for once more: a page between may have moved
            yield Request(
                address_of(self.card.start, self.options.page_size, page), self.parse_walked, dont_filter=True
            )

    def parse_walked(self, response: Response) -> Iterator[NoticeRecord]:
        _count, releases, strange = read_answer(response)
        self._tell(strange, response)
        kept = [release for release in releases if _holds(release, self.own_terms)]
        if len(kept) < len(releases):
            self.book.leave_out(NO_TERM, len(releases) - len(kept))
        self.walked += len(releases)
        yield from self._take(kept, response)
        self.book.listed = max(self.walked, len(self.book.seen))

    def _take(self, releases: list[Release], response: Response) -> Iterator[NoticeRecord]:
        since = self.request.since
        for release in releases:
            if release.uuid in self.book.seen:
                continue
            if self.settled(release.uuid, release.digest):
                self.book.list_entry(release.uuid, self.known[release.uuid].digest, release.issued)
                self.book.known += 1
            elif since and release.issued and release.issued < since:
                self.book.list_entry(release.uuid, release.digest + self.OLDER, release.issued)
                self.book.leave_out(f"issued before {since}")
            elif self.limit_reached(self.taken):
                self.owe(release.uuid, release.issued)
                self.book.leave_out("beyond the limit asked for")
            else:
                self.taken += 1
                self.book.list_entry(release.uuid, release.digest, release.issued)
                yield notice_of(self.card, release, capture_of(response))

    def _tell(self, strange: list[str], response: Response) -> None:
        for message in strange:
            self.book.leave_out("release not understood")
            note(self.book, "parse_error", message, response.url, capture_of(response))


def _newest(releases: list[Release]) -> date | None:
    return max((release.issued for release in releases if release.issued), default=None)
