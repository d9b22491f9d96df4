"""Feeds: RSS 2.0 and older, Atom, RSS 1.0 (RDF). A card alone makes a source of one: `spider: generic.feed`."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import feedparser
from scrapy.http import Response

from crawler.generic.dates import DateReader
from crawler.generic.entries import (
    Entry,
    LinkOptions,
    Listing,
    address_of,
    day_or_note,
    is_list_address,
    notice_of_page,
    records_of_list,
)
from crawler.generic.spider import EntrySpider
from crawler.source import LayoutChangedError, Records, WrongContentTypeError
from crawler.sources.reading import clean, fragment_text, refuse_block_page
from monitor.records import SourceCard

MOST_ENTRIES = 5000
"""Feeds hold ten to a hundred entries; parsing what holds more would stop everything else for minutes."""
_ENTRY = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s/>]")
_END = re.compile(rb"</(?:\w+:)?(?:rss|feed|rdf)\s*>\s*(?:<!--.*?-->\s*)*\Z", re.IGNORECASE | re.DOTALL)
_MARKUP = re.compile(rb"\s*<(?:\?xml|!--|!doctype rss|rss|(?:\w+:)?feed|(?:\w+:)?rdf)", re.IGNORECASE)
# feedparser takes this for an entry without a link (seen in feeds of EMA)
_LINK_AS_TAIL = re.compile(rb"<link\s*/>\s*(https?://[^<\s]+)")


CONTENT_TYPES = ("xml", "rss", "atom", "rdf")
"""What the type of a list's answer holds, one of these."""


Options = LinkOptions


def listing(response: Response, card: SourceCard) -> Listing:
    """The feed's entries. Raises BlockedError, and LayoutChangedError for what is no whole feed."""
    options = Options.model_validate(card.options)
    refuse_block_page(response)
    body = _checked(response)
    kind = (response.headers.get("Content-Type") or b"application/xml").decode("latin-1")
    # a stream, since feedparser takes bytes for the name of a file first; the address is the base of relative links
    parsed = feedparser.parse(
        io.BytesIO(body), response_headers={"content-type": kind, "content-location": response.url}
    )
    version = str(parsed.get("version") or "")
    if not version:
        raise LayoutChangedError(f"{response.url}: no feed of any known kind ({_beginning(body)})")
    if not parsed.entries and not options.empty_ok:
        raise LayoutChangedError(f"{response.url}: the feed holds no entry, where it always holds some")
    entries, strange = [], []
    for number, raw in enumerate(parsed.entries, start=1):
        try:
            entries.append(_entry(raw, version, response.url, options, options.dates(card)))
        except LayoutChangedError as error:
            strange.append(f"entry {number} of the feed: {error}")
    if strange and not entries:
        raise LayoutChangedError(f"{response.url}: no entry was understood: {strange[0]}")
    return Listing(tuple(entries), tuple(strange))


def _checked(response: Response) -> bytes:
    """The body, if it is a whole feed of a size that can be a feed's. XML entities of its own are refused: they are
    how a small file is made to grow without bound, and no feed needs them."""
    body = response.body.replace(b"\x00", b"") if response.body[:2] in (b"\xff\xfe", b"\xfe\xff") else response.body
    if not _MARKUP.match(body.lstrip(b"\xef\xbb\xbf\xff\xfe")):
        told = f"got something else where a feed was expected ({_beginning(body) or 'nothing at all'})"
        raise WrongContentTypeError(f"{response.url}: {told}")
    if b"<!ENTITY" in body:
        raise LayoutChangedError(f"{response.url}: the feed declares entities of its own, and is not read")
    count = len(_ENTRY.findall(body))
    if count > MOST_ENTRIES:
        raise LayoutChangedError(f"{response.url}: {count} entries where a feed has at most {MOST_ENTRIES}")
    if not _END.search(body[-4000:]):
        raise LayoutChangedError(f"{response.url}: the feed breaks off before its end ({len(body)} bytes)")
    return _LINK_AS_TAIL.sub(rb"<link>\1</link>", response.body)


def _beginning(body: bytes) -> str:
    return clean(body[:80].decode("utf-8", "replace"))


def _entry(raw: Any, version: str, base: str, options: Options, dates: DateReader) -> Entry:
    title = plain(_said(raw, "title"))
    guid = clean(_said(raw, "id"))
    link = address_of(_said(raw, "link"), base) or (address_of(guid, base) if guid.startswith("http") else "")
    summary = plain(_said(raw, "summary"))
    text = "\n".join(plain(str(part.get("value", ""))) for part in raw.get("content", ()))
    published, updated = _said(raw, "published"), _said(raw, "updated")
    if not version.startswith("atom") and not published:
        published, updated = updated, ""  # dc:date, which RSS has in the place of pubDate
    posted, no_posted = day_or_note(dates, published, "posted date")
    changed, no_changed = day_or_note(dates, updated, "updated date")
    if not title:
        raise LayoutChangedError(f"it has no title ({link or guid or 'and neither link nor guid'})")
    return Entry(
        key=_key(link, guid, options),
        title=title,
        url=link,
        summary="" if summary == title else summary,
        text="" if text == summary else text,
        posted=posted,
        updated=changed,
        labels=tuple(
            dict.fromkeys(label for tag in raw.get("tags", ()) if (label := clean(str(tag.get("term") or ""))))
        ),
        unread=(*no_posted, *no_changed),
    )


def _key(link: str, guid: str, options: Options) -> str:
    found = guid or link if options.id_from == "guid" or not link else options.key_of(link)
    if not found:
        raise LayoutChangedError("it has neither a link nor a guid, so nothing tells it from others")
    return found


def _said(raw: Any, name: str) -> str:
    # feedparser's own get() answers for `updated` with `published`, and warns
    return str(dict.get(raw, name) or "")


def plain(markup: str) -> str:
    """Visible text of a field that holds text, HTML, or HTML escaped once too often."""
    once = fragment_text(markup) if "<" in markup else clean(html.unescape(markup))
    return fragment_text(once) if re.search(r"</?[a-z]+[^>]*>", once) else clean(html.unescape(once))


def read(response: Response, card: SourceCard) -> Records:
    """The feed gives the entries that the card keeps; any other address is taken for an entry's page."""
    options = Options.model_validate(card.options)
    if is_list_address(response.url, card, options) or _MARKUP.match(response.body.lstrip(b"\xef\xbb\xbf")):
        yield from records_of_list(listing(response, card).entries, response, card, options)
    else:
        yield notice_of_page(card, options, response)


class Spider(EntrySpider):
    """Reads the feed, and the page of each kept entry that is new or changed."""

    options_model = Options

    def listing(self, response: Response) -> Listing:
        return listing(response, self.card)
