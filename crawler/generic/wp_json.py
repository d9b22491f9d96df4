"""WordPress sites by their REST interface (developer.wordpress.org/rest-api). A card alone makes a source of one:
`spider: generic.wp_json`, and `start: https://<site>/wp-json/wp/v2/posts`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from bs4 import BeautifulSoup
from pydantic import Field
from scrapy import Request
from scrapy.http import Response

from crawler.generic.entries import (
    Entry,
    EntryOptions,
    Listing,
    address_of,
    day_or_note,
    is_list_address,
    notice_of_page,
    records_of_list,
)
from crawler.generic.feed import plain
from crawler.generic.json_table import at
from crawler.generic.spider import EntrySpider
from crawler.source import LayoutChangedError, Records
from crawler.sources.reading import json_of, visible_lines
from monitor.records import SourceCard

FIELDS = "id,date,modified,link,title,excerpt,content"


CONTENT_TYPES = ("json",)
"""What the type of a list's answer holds, one of these."""


class Options(EntryOptions):
    """The card's `options`."""

    per_page: int = Field(default=100, ge=1, le=100)
    """WordPress gives a hundred at most."""
    search: tuple[str, ...] = ()
    """Words that the site is asked for, each by itself; left out: its newest posts."""
    query: dict[str, str] = Field(default_factory=dict)
    """Further parameters, such as `categories`."""


def address(start: str, options: Options, search: str = "", page: int = 1, since: str = "") -> str:
    """The address of one page of posts, newest first."""
    wanted = {"per_page": str(options.per_page), "page": str(page), "orderby": "date", "order": "desc"}
    wanted |= {"_fields": FIELDS, **options.query}
    wanted |= {"search": search} if search else {}
    wanted |= {"after": f"{since}T00:00:00"} if since else {}
    parts = urlsplit(start)
    query = [pair for pair in parse_qsl(parts.query) if pair[0] not in wanted]
    return urlunsplit(parts._replace(query=urlencode([*query, *wanted.items()], quote_via=quote, safe=",:")))


def listing(response: Response, card: SourceCard) -> Listing:
    """The answer's posts. Raises BlockedError, and LayoutChangedError for what is no list of posts."""
    options = Options.model_validate(card.options)
    posts = json_of(response)
    if not isinstance(posts, list):
        raise LayoutChangedError(f"{response.url}: no list of posts, but {str(posts)[:160]}")
    asked = dict(parse_qsl(urlsplit(response.url).query))
    may_be_empty = options.empty_ok or "search" in asked or "after" in asked or asked.get("page", "1") != "1"
    if not posts and not may_be_empty:
        raise LayoutChangedError(f"{response.url}: no post, where there always are some")
    entries, strange = [], []
    for post in posts:
        try:
            entries.append(_entry(post, card, options, response.url))
        except LayoutChangedError as error:
            strange.append(str(error))
    if strange and not entries:
        raise LayoutChangedError(f"{response.url}: no post was understood: {strange[0]}")
    return Listing(tuple(entries), tuple(strange), _next(response, asked))


def _counted(response: Response, header: str) -> int | None:
    value = (response.headers.get(header) or b"").decode("latin-1").strip()
    return int(value) if value.isdigit() else None


def _next(response: Response, asked: dict[str, str]) -> str:
    """By the header alone: the page beyond the last is answered with status 400."""
    page, pages = int(asked.get("page") or 1), _counted(response, "X-WP-TotalPages")
    if pages is None or page >= pages:
        return ""
    parts = urlsplit(response.url)
    query = urlencode([*(asked | {"page": str(page + 1)}).items()], quote_via=quote, safe=",:")
    return urlunsplit(parts._replace(query=query))


def _entry(post: Any, card: SourceCard, options: Options, base: str) -> Entry:
    title = plain(str(at(post, "title.rendered") or ""))
    number = at(post, "id")
    if not isinstance(number, int) or not title:
        raise LayoutChangedError(f"a post without {'id' if title else 'title'}: {str(post)[:120]}")
    dates = options.dates(card)
    posted, no_posted = day_or_note(dates, str(at(post, "date") or ""), "posted date")
    updated, no_updated = day_or_note(dates, str(at(post, "modified") or ""), "updated date")
    return Entry(
        key=str(number),
        title=title,
        url=address_of(str(at(post, "link") or ""), base),
        summary=plain(str(at(post, "excerpt.rendered") or "")),
        text=_lines(str(at(post, "content.rendered") or "")),
        posted=posted,
        updated=updated if updated != posted else None,
        unread=(*no_posted, *no_updated),
    )


def _lines(markup: str) -> str:
    return visible_lines([BeautifulSoup(markup, "lxml")]) if markup else ""


def read(response: Response, card: SourceCard) -> Records:
    """An answer gives the posts that the card keeps; any other address is taken for a post's page."""
    options = Options.model_validate(card.options)
    if is_list_address(response.url, card, options):
        yield from records_of_list(listing(response, card).entries, response, card, options)
    else:
        yield notice_of_page(card, options, response)


class Spider(EntrySpider):
    """Reads the newest posts, or those that meet the card's search words, while a page brings anything new."""

    options_model = Options
    options: Options

    def begin(self) -> Iterator[Request]:
        since = self.request.since.isoformat() if self.request.since else ""
        for start in (self.card.start, *self.options.also):
            for word in self.options.search or ("",):
                yield self.list_request(address(start, self.options, word, since=since))

    def listing(self, response: Response) -> Listing:
        return listing(response, self.card)
