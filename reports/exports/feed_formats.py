"""A feed's document as Atom (RFC 4287) and RSS 2.0, both by feedgen, and as JSON Feed 1.1.

Archives are linked as RFC 5005 has it: `prev-archive`, `next-archive`, `current`; in JSON Feed by `next_url`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from feedgen.entry import FeedEntry as Entry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree  # type: ignore[import-untyped]

from reports.exports.feeds import FORMATS, Feed, Item

ARCHIVES = "http://purl.org/syndication/history/1.0"
ATOM = "http://www.w3.org/2005/Atom"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped: lxml refuses it, and half a feed is none."""
_MARKUP = str.maketrans({"<": "‹", ">": "›"})


def written(feed: Feed, form: str) -> bytes:
    """The document in one of `FORMATS`."""
    writers: Mapping[str, Callable[[Feed], bytes]] = {"atom": atom, "rss": rss, "json": json_feed}
    return writers[form](feed)


def safe(text: str) -> str:
    """Text that XML 1.0 can hold."""
    return _NO_XML.sub("\ufffd", text)


class _Archives(BaseExtension):  # type: ignore[misc]
    """Says that a document is an archive, and in RSS gives the links to its neighbours, for which RSS has no word."""

    links: tuple[tuple[str, str], ...] = ()
    archive = False

    def extend_ns(self) -> dict[str, str]:
        return {"fh": ARCHIVES}

    def extend_atom(self, feed: etree._Element) -> etree._Element:
        if self.archive:
            etree.SubElement(feed, f"{{{ARCHIVES}}}archive")
        return feed

    def extend_rss(self, feed: etree._Element) -> etree._Element:
        for rel, address in self.links:
            etree.SubElement(feed[0], f"{{{ATOM}}}link", rel=rel, href=address, type=FORMATS["rss"])
        self.extend_atom(feed[0])
        return feed


class _Parts(BaseEntryExtension):  # type: ignore[misc]
    """What feedgen cannot say of an Atom entry.

    A part's language: the summary is the quote, and has the page's. And any link but the alternate one: feedgen 1.0
    loses what a link of an entry is for, and a second link without `rel` would be a second alternate (RFC 4287, 4.1.2).
    """

    language = ""
    via = ""

    def extend_atom(self, entry: etree._Element) -> etree._Element:
        summary = entry.find("summary")
        if summary is not None and self.language:
            summary.set(_XML_LANG, self.language)
        if self.via:
            etree.SubElement(entry, "link", rel="via", href=self.via)
        return entry


def _begun(feed: Feed) -> FeedGenerator:
    made = FeedGenerator()
    made.id(feed.id)
    made.title(safe(feed.title))
    made.language("en")
    made.updated(feed.updated)
    made.lastBuildDate(feed.updated)  # left out, it is the time of writing, and no two copies are the same
    made.generator("Exowatch", version("exowatch"))
    made.register_extension("archives", _Archives, _Parts)
    made.archives.archive = feed.archive
    made.archives.links = _neighbours(feed)
    return made


def _neighbours(feed: Feed) -> tuple[tuple[str, str], ...]:
    links = (("prev-archive", feed.older), ("next-archive", feed.newer), ("current", feed.current))
    return tuple((rel, address) for rel, address in links if address)


def _entry(item: Item) -> Entry:
    made = Entry()
    made.id(item.id)
    made.updated(item.updated)
    made.published(item.published)
    made.register_extension("archives", _Parts)
    made.archives.language, made.archives.via = item.language, safe(item.outside)
    return made


def atom(feed: Feed) -> bytes:
    """Atom. Its titles and summaries are plain text; contents are HTML."""
    made = _begun(feed)
    made.subtitle(safe(feed.description))
    made.author(name="Exowatch")
    made.link(href=feed.address, rel="self", type=FORMATS["atom"])
    for rel, address in _neighbours(feed):
        made.link(href=address, rel=rel, type=FORMATS["atom"])
    if feed.home:
        made.link(href=feed.home, rel="alternate", type="text/html")
        made.icon(feed.icon)
    for item in feed.items:
        entry = _entry(item)
        entry.title(safe(item.title))
        entry.content(safe(item.html), type="html")
        if item.summary:
            entry.summary(safe(item.summary))
        if item.permalink:
            entry.link(href=item.permalink, rel="alternate", type="text/html")
        for term, label in item.tags:
            entry.category(term=safe(term), label=safe(label))
        made.add_entry(entry, order="append")
    return bytes(made.atom_str())


def rss(feed: Feed) -> bytes:
    """RSS 2.0. Readers take titles for text or for HTML as they please: no markup is left in them."""
    made = _begun(feed)
    made.description(safe(feed.description))
    made.link(href=feed.address, rel="self", type=FORMATS["rss"])
    made.link(href=feed.home or feed.address, rel="alternate")
    for item in feed.items:
        entry = _entry(item)
        entry.title(safe(item.title).translate(_MARKUP))
        entry.description(safe(item.html))
        if item.permalink or item.outside:
            entry.link(href=safe(item.permalink or item.outside), rel="alternate")
        for term, _ in item.tags:
            entry.category(term=safe(term))
        made.add_entry(entry, order="append")
    return bytes(made.rss_str())


def json_feed(feed: Feed) -> bytes:
    """JSON Feed 1.1; what programs need stands under `_exowatch`."""
    document: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.description,
        "language": "en",
        "feed_url": feed.address,
        "authors": [{"name": "Exowatch"}],
    }
    if feed.home:
        document |= {"home_page_url": feed.home, "icon": feed.icon}
    if feed.older:
        document["next_url"] = feed.older
    document["_exowatch"] = {
        "about": "id of the feed, and whether this document is an archive that does not change any more",
        "id": feed.id,
        "archive": feed.archive,
    }
    document["items"] = [_json_item(item) for item in feed.items]
    text = json.dumps(document, ensure_ascii=False, indent=1)
    return text.encode("utf-8", errors="replace")


def _json_item(item: Item) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": item.id}
    if item.permalink or item.outside:
        shown["url"] = item.permalink or item.outside
    if item.outside and item.permalink:
        shown["external_url"] = item.outside
    shown |= {"title": item.title, "content_html": item.html}
    if item.summary:
        shown["summary"] = item.summary
    return shown | {
        "date_published": item.published.isoformat(),
        "date_modified": item.updated.isoformat(),
        "tags": [term for term, _ in item.tags],
        "_exowatch": dict(item.facts),
    }
