"""Catalogues that shops publish beside their pages: one answer in, its entries and the next page's address out.

Shopify's products.json, the WooCommerce Store API (github.com/woocommerce, docs of `wc/store/v1`), the WordPress
REST API (developer.wordpress.org/rest-api, `wp/v2`), Squarespace's `?format=json`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, quote, urljoin, urlsplit

from scrapy.http import Response

from crawler.blocks import block_page
from crawler.market.addresses import normalise
from crawler.market.platforms import Shelf


class CatalogueOutcome(StrEnum):
    """What asking for a catalogue gave."""

    CATALOG = "catalog"
    EMPTY = "empty"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    """Not there, refused, or forbidden by robots.txt."""
    NOT_JSON = "not_json"
    UNEXPECTED_JSON = "unexpected_json"
    """JSON of another shape than the platform's."""
    BLOCKED = "blocked"
    """A block page in its place."""


@dataclass(frozen=True)
class Entry:
    """One product or page of a catalogue."""

    url: str
    """Where it can be had alone: its identity."""
    page: str
    """The page that a visitor sees; empty if none is known."""
    part: str
    """JSON pointer to it within the answer."""
    title: str
    words: str
    """All that it says, with markup: to tell how telling it is."""
    digest: str
    """Of what is said, not of stock and times, which move daily."""
    locked: bool = False
    """Behind a password of its own."""


@dataclass(frozen=True)
class Answer:
    """One page of a catalogue as read. `next` is empty at its end."""

    outcome: CatalogueOutcome
    entries: tuple[Entry, ...] = ()
    next: str = ""
    cut: bool = False
    """The platform gives no more, though there is more."""


@dataclass(frozen=True)
class _Shape:
    per_page: int
    list_at: str
    """Name under which the list stands; empty: the answer is the list."""
    entry: Callable[[dict[str, Any], str], tuple[str, str]]
    """Its own address and its page's, from an entry and the address of the list."""
    said: tuple[str, ...]
    """Fields that hold what is said."""


_SHOPIFY_MOST = 25_000
"""Page times limit beyond which Shopify answers 400."""
_ALONE = re.compile(
    r"/products/[^/]+\.json$|/wc/store/(?:v1/)?products/\d+$|/wp/v2/(?:pages|posts|product)/\d+$", re.IGNORECASE
)


def is_entry_address(url: str) -> bool:
    """True for an address that `Entry.url` may be."""
    parts = urlsplit(url)
    route = parse_qs(parts.query).get("rest_route", [""])[0]
    return bool(_ALONE.search(parts.path) or _ALONE.search(route) or "format=json" in parts.query.split("&"))


def read_catalogue(response: Response, shelf: Shelf) -> Answer:
    """One page of a catalogue. What is none is told by its outcome."""
    outcome, data = _json_of(response)
    if data is None:
        past_the_end = response.status == 400 and _page_number(response.url) > 1
        return Answer(CatalogueOutcome.CATALOG if past_the_end else outcome)
    shape = _SHAPES[shelf.kind]
    listed = data.get(shape.list_at) if shape.list_at and isinstance(data, dict) else data
    if not isinstance(listed, list):
        return Answer(CatalogueOutcome.UNEXPECTED_JSON)
    entries = tuple(_entries(listed, shape, response.url))
    if listed and not entries:
        # a Squarespace list of titles alone is one as well: its pages say the rest
        titled = shelf.kind.startswith("squarespace") and all(isinstance(one, dict) for one in listed)
        return Answer(CatalogueOutcome.CATALOG if titled else CatalogueOutcome.UNEXPECTED_JSON)
    if not listed:
        return Answer(CatalogueOutcome.EMPTY)
    following = _next(response, data, shape, len(listed))
    cut = bool(following) and shape.list_at == "products" and _page_number(following) * shape.per_page > _SHOPIFY_MOST
    return Answer(CatalogueOutcome.CATALOG, entries, "" if cut else following, cut)


def read_entry(response: Response) -> Entry | None:
    """An entry that was asked for alone; None if the answer is none."""
    _, data = _json_of(response)
    if not isinstance(data, dict):
        return None
    for kind, name in (("shopify products", "product"), ("squarespace collection", "item")):
        if isinstance(data.get(name), dict):
            return _entry(data[name], _SHAPES[kind], response.url, "", own=normalise(response.url))
    for kind in ("woocommerce products", "wordpress pages"):
        if (found := _entry(data, _SHAPES[kind], response.url, "", own=normalise(response.url))) is not None:
            return found
    return None


def kind_of(data: Any) -> str:
    """Which platform's list this is, by its shape alone; empty if it is none that is known."""
    if isinstance(data, dict):
        return "shopify products" if "products" in data else "squarespace collection" if "items" in data else ""
    first = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else {}
    if "prices" in first:
        return "woocommerce products"
    return "wordpress pages" if "content" in first else ""


def _json_of(response: Response) -> tuple[CatalogueOutcome, Any]:
    """The answer's data, or None with what the answer is instead."""
    if refused := _refusal(response):
        return refused, None
    try:
        data = json.loads(response.body.decode("utf-8-sig"), strict=False)
    except (ValueError, RecursionError):
        return CatalogueOutcome.NOT_JSON, None
    known = isinstance(data, dict | list)
    return (CatalogueOutcome.CATALOG, data) if known else (CatalogueOutcome.UNEXPECTED_JSON, None)


def _refusal(response: Response) -> CatalogueOutcome | None:
    if response.status == 429:
        return CatalogueOutcome.RATE_LIMITED
    if block_page(response):
        return CatalogueOutcome.BLOCKED
    if response.status != 200:
        return CatalogueOutcome.UNAVAILABLE
    html = b"html" in (response.headers.get("Content-Type") or b"").lower()
    return CatalogueOutcome.NOT_JSON if html else None


def _entries(listed: list[Any], shape: _Shape, url: str) -> Iterator[Entry]:
    place = f"/{shape.list_at}/" if shape.list_at else "/"
    for number, raw in enumerate(listed):
        found = _entry(raw, shape, url, f"{place}{number}") if isinstance(raw, dict) else None
        if found is not None:
            yield found


def _entry(raw: dict[str, Any], shape: _Shape, url: str, part: str, own: str = "") -> Entry | None:
    """None for what has no address, no title, or none of the fields that say something."""
    title = _flat(raw.get("title")) or _flat(raw.get("name"))
    if not title or not any(field in raw for field in shape.said[1:]):
        return None
    address, page = shape.entry(raw, url)
    if not address:
        return None
    said = [json.dumps(raw.get(field), sort_keys=True, ensure_ascii=False) for field in shape.said]
    said += sorted(set(_small_words(raw)))
    content = raw.get("content")
    return Entry(
        url=own or normalise(address),
        page=normalise(page) if page else "",
        part=part,
        title=title,
        words="\n".join(said),
        digest=hashlib.sha256("\n".join(said).encode("utf-8", "surrogatepass")).hexdigest()[:32],
        locked=isinstance(content, dict) and content.get("protected") is True and not content.get("rendered"),
    )


def _small_words(raw: dict[str, Any]) -> Iterator[str]:
    """Tags, categories, variants and prices. Tags are a list in Shopify's catalogue and one string in its entries."""
    tags = raw.get("tags")
    yield from (word.strip() for word in tags.split(",")) if isinstance(tags, str) else ()
    for field in ("tags", "categories", "brands", "variants"):
        for one in raw[field] if isinstance(raw.get(field), list) else ():
            named = one if isinstance(one, dict) else {"name": one}
            money = named.get("priceMoney")
            price = money.get("value") if isinstance(money, dict) else named.get("price")
            yield f"{_flat(named.get('name')) or _flat(named.get('title'))} {_flat(price)}".strip()


def _flat(value: Any) -> str:
    """A field's text on one line; WordPress puts it under `rendered`."""
    text = value.get("rendered") if isinstance(value, dict) else value
    return " ".join(str(text).split()) if isinstance(text, str | int | float) else ""


def _shopify(raw: dict[str, Any], url: str) -> tuple[str, str]:
    handle = raw.get("handle")
    if not isinstance(handle, str) or not handle:
        return "", ""
    page = urljoin(url, f"/products/{quote(handle, safe='')}")
    return f"{page}.json", page


def _wordpress(raw: dict[str, Any], url: str) -> tuple[str, str]:
    number, link = raw.get("id"), raw.get("permalink") or raw.get("link")
    parts = urlsplit(url)
    if not isinstance(number, int) or isinstance(number, bool):
        return "", ""
    route = parse_qs(parts.query).get("rest_route", [""])[0]
    alone = f"rest_route={route.rstrip('/')}/{number}" if route else ""
    path = parts.path if route else f"{parts.path.rstrip('/')}/{number}"
    return parts._replace(path=path, query=alone).geturl(), _joined(url, link)


def _squarespace(raw: dict[str, Any], url: str) -> tuple[str, str]:
    page = _joined(url, raw.get("fullUrl"))
    # a list shows most shops' products without their text, which stands on the page
    return (f"{page}?format=json" if page and raw.get("body") else ""), page


def _joined(url: str, link: Any) -> str:
    if not isinstance(link, str) or not link:
        return ""
    try:
        return urljoin(url, link)
    except ValueError:
        return ""


_SHAPES = {
    "shopify products": _Shape(250, "products", _shopify, ("title", "body_html", "vendor", "product_type")),
    "woocommerce products": _Shape(100, "", _wordpress, ("name", "short_description", "description", "prices")),
    "wordpress pages": _Shape(100, "", _wordpress, ("title", "content")),
    "wordpress products": _Shape(100, "", _wordpress, ("title", "content")),
    "wordpress posts": _Shape(100, "", _wordpress, ("title", "content")),
    "squarespace collection": _Shape(0, "items", _squarespace, ("title", "body", "excerpt", "vendor")),
}


def pages_named(response: Response) -> list[tuple[str, str]]:
    """Address and title of what a Squarespace list names, with or without its text."""
    _, data = _json_of(response)
    listed = data.get("items") if isinstance(data, dict) else None
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    named = [(_joined(response.url, one.get("fullUrl")), _flat(one.get("title"))) for one in found]
    return [(normalise(url), title) for url, title in named if url]


def _page_number(url: str) -> int:
    value = parse_qs(urlsplit(url).query).get("page", ["1"])[0]
    return int(value) if value.isdecimal() else 1


def _next(response: Response, data: Any, shape: _Shape, count: int) -> str:
    if isinstance(data, dict) and isinstance(data.get("pagination"), dict):
        return _with_format(_joined(response.url, data["pagination"].get("nextPageUrl")))
    number = _page_number(response.url)
    total = (response.headers.get("X-WP-TotalPages") or b"").decode("latin-1").strip()
    more = number < int(total) if total.isdecimal() else count >= shape.per_page > 0
    return re.sub(r"([?&]page=)\d+", rf"\g<1>{number + 1}", response.url) if more else ""


def _with_format(url: str) -> str:
    if not url or "format=json" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}format=json"
