"""What the formats of feeds demand, as checks: each names the rule that it holds a document against."""

from __future__ import annotations

import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
ARCHIVE = "{http://purl.org/syndication/history/1.0}archive"
TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
_ONCE_IN_FEED = ("id", "title", "updated", "generator", "icon", "logo", "rights", "subtitle")
_ONCE_IN_ENTRY = ("id", "title", "updated", "content", "published", "rights", "source", "summary")


def parsed(document: bytes) -> etree._Element:
    """The document, if it is well-formed XML; nothing is mended and no entity is looked up."""
    return etree.fromstring(document, etree.XMLParser(recover=False, resolve_entities=False, no_network=True))


def check_atom(document: bytes) -> etree._Element:
    """RFC 4287, by its sections."""
    feed = parsed(document)
    assert feed.tag == f"{ATOM}feed"
    _once(feed, _ONCE_IN_FEED, ("id", "title", "updated"))  # 4.1.1
    entries = feed.findall(f"{ATOM}entry")
    if feed.find(f"{ATOM}author") is None:
        assert all(entry.find(f"{ATOM}author") is not None for entry in entries)  # 4.1.1
    assert [link for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"]  # 4.1.1, SHOULD
    _links(feed)
    for entry in entries:
        _once(entry, _ONCE_IN_ENTRY, ("id", "title", "updated"))  # 4.1.2
        _links(entry)
        content = entry.find(f"{ATOM}content")
        if content is None:
            assert any(link.get("rel", "alternate") == "alternate" for link in entry.findall(f"{ATOM}link"))  # 4.1.2
        else:
            assert content.get("type") == "html"
            assert len(content) == 0  # 4.1.3.3: no elements in it
        for element in entry.findall(f"{ATOM}category"):
            assert element.get("term")  # 4.2.2
    for element in feed.iter(f"{ATOM}updated", f"{ATOM}published"):
        _rfc3339(str(element.text))  # 3.3
    for element in feed.iter(f"{ATOM}id"):
        assert urlsplit(str(element.text)).scheme  # 4.2.6: absolute
    for element in feed.iter(f"{ATOM}name"):
        assert str(element.text).strip()  # 3.2.1
    for element in feed.iter(f"{ATOM}title", f"{ATOM}summary", f"{ATOM}subtitle"):
        assert element.get("type", "text") in ("text", "html", "xhtml")  # 3.1.1
        assert len(element) == 0
    for element in feed.iter():
        if element.get(LANG) is not None:
            assert TAG.fullmatch(str(element.get(LANG)))  # 2
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(ids) == len(set(ids))  # 4.1.1: the same entry stands once, or differs in `updated`
    return feed


def _once(parent: etree._Element, most_once: tuple[str, ...], needed: tuple[str, ...]) -> None:
    for name in most_once:
        assert len(parent.findall(f"{ATOM}{name}")) <= 1, name
    for name in needed:
        assert str(parent.findtext(f"{ATOM}{name}")).strip(), name


def _links(parent: etree._Element) -> None:
    """4.1.1, 4.1.2 and 4.2.7: every link leads somewhere, and no two are alternates of one type and language."""
    links = parent.findall(f"{ATOM}link")
    assert all(link.get("href") for link in links)
    alternates = [
        (link.get("type"), link.get("hreflang")) for link in links if link.get("rel", "alternate") == "alternate"
    ]
    assert len(alternates) == len(set(alternates))


def _rfc3339(text: str) -> datetime:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text), text
    return datetime.fromisoformat(text)


def check_rss(document: bytes) -> etree._Element:
    """RSS 2.0 as the RSS Advisory Board has it."""
    rss = parsed(document)
    assert rss.tag == "rss"
    assert rss.get("version") == "2.0"
    (channel,) = rss.findall("channel")
    for name in ("title", "link", "description"):
        assert len(channel.findall(name)) == 1, name
        assert str(channel.findtext(name)).strip()
    for element in channel.iter("pubDate", "lastBuildDate"):
        assert parsedate_to_datetime(str(element.text)).tzinfo is not None  # RFC 822
    guids = []
    for item in channel.findall("item"):
        assert item.findtext("title") or item.findtext("description")
        assert all(len(item.findall(name)) <= 1 for name in ("title", "link", "description", "guid", "pubDate"))
        guid = item.find("guid")
        assert guid is not None
        assert guid.get("isPermaLink") == "false"  # it is no address
        assert not re.search("[<>]", str(item.findtext("title"))), "readers differ on markup in titles"
        guids.append(guid.text)
    assert len(guids) == len(set(guids))
    return channel


def check_json(document: bytes) -> dict[str, Any]:
    """JSON Feed 1.1."""
    feed: dict[str, Any] = json.loads(document.decode("utf-8"))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(feed["title"], str)
    assert isinstance(feed["items"], list)
    assert feed.get("next_url") != feed["feed_url"]
    for extension in (name for name in feed if name.startswith("_")):
        assert isinstance(feed[extension], dict)
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert item["id"]
        assert item.get("content_html") or item.get("content_text")
        for name in ("date_published", "date_modified"):
            _rfc3339(item[name])
        for name in ("url", "external_url"):
            assert urlsplit(item.get(name, "https://a.example/")).scheme in ("http", "https")
        assert all(isinstance(tag, str) for tag in item["tags"])
    ids = [item["id"] for item in feed["items"]]
    assert len(ids) == len(set(ids))
    return feed
