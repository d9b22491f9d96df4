"""What a site is built with, told by the headers and the markup of its home page, and where its catalogues are.

Each mark is one that the platform itself puts there. A mark may be borrowed (a picture from a shop's server): then
the catalogue that is asked for once is not there, and nothing else follows from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urljoin, urlsplit

from scrapy.http import Response, TextResponse

from crawler.market.addresses import same_site
from crawler.market.telling import telling


class Platform(StrEnum):
    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    WORDPRESS = "wordpress"
    SQUARESPACE = "squarespace"
    WIX = "wix"
    """Has no public catalogue: its pages are read as they are served."""


_LOOK_AT = 400_000
"""Characters of markup looked at: the marks stand in the head and the scripts below it."""
_MARKUP: tuple[tuple[Platform, re.Pattern[str]], ...] = (
    (Platform.SHOPIFY, re.compile(r"cdn\.shopify\.com|/cdn/shop/|Shopify\.shop\b")),
    (
        Platform.WOOCOMMERCE,
        re.compile(r"wp-content/plugins/woocommerce|class=[\"'][^\"']*\bwoocommerce\b|/wp-json/wc/"),
    ),
    (Platform.WORDPRESS, re.compile(r"/wp-content/|/wp-includes/|https://api\.w\.org/|content=[\"']WordPress")),
    (Platform.SQUARESPACE, re.compile(r"static1\.squarespace\.com|Static\.SQUARESPACE_CONTEXT")),
    (Platform.WIX, re.compile(r"static\.parastorage\.com|content=[\"']Wix\.com")),
)
_HEADERS: tuple[tuple[Platform, str, str], ...] = (
    (Platform.SHOPIFY, "x-shopid", ""),
    (Platform.SHOPIFY, "x-shopify-stage", ""),
    (Platform.SHOPIFY, "powered-by", "shopify"),
    (Platform.WORDPRESS, "link", "https://api.w.org/"),
    (Platform.SQUARESPACE, "server", "squarespace"),
    (Platform.WIX, "x-wix-request-id", ""),
)
_API_LINK = re.compile(r"<([^<>]+)>\s*;\s*rel=[\"']?https://api\.w\.org/")


def platforms_of(response: Response) -> tuple[Platform, ...]:
    """What the site is built with, in the order of `Platform`; a shop of WooCommerce is a WordPress too."""
    markup = response.text[:_LOOK_AT] if isinstance(response, TextResponse) else ""
    found = {platform for platform, pattern in _MARKUP if pattern.search(markup)}
    for platform, name, value in _HEADERS:
        said = (response.headers.get(name) or b"").decode("latin-1").lower()
        if name in response.headers and value in said:
            found.add(platform)
    if Platform.WOOCOMMERCE in found:
        found.add(Platform.WORDPRESS)
    return tuple(platform for platform in Platform if platform in found)


@dataclass(frozen=True)
class Shelf:
    """One list of a platform, page by page. `kind` names its shape: see `crawler.market.catalogues`."""

    kind: str
    address: str
    """Of its first page."""
    otherwise: Shelf | None = None
    """The list that is asked for where this one is not there: older shops have theirs elsewhere."""


_PAGED = "per_page=100&page=1"
_OF_WORDPRESS = f"{_PAGED}&_fields=id,link,slug,modified,title,content,excerpt"
_MOST_COLLECTIONS = 10
_COLLECTION = re.compile(r"/(?:shop|store|products?|collections?|catalog(?:ue)?|produits?|tienda|negozio)(?:/|$)", re.I)


def shelves_of(platform: Platform, response: Response, home: str) -> tuple[Shelf, ...]:
    """The lists that a site of this platform may have. `response`: its home page."""
    root = urljoin(home, "/")
    if platform is Platform.SHOPIFY:
        return (Shelf("shopify products", urljoin(root, "products.json?limit=250&page=1")),)
    if platform is Platform.SQUARESPACE:
        return tuple(Shelf("squarespace collection", f"{url}?format=json") for url in _collections(response, home))
    if platform not in (Platform.WOOCOMMERCE, Platform.WORDPRESS):
        return ()
    api = _wordpress_api(response, home)
    if platform is Platform.WOOCOMMERCE:
        by_core = Shelf("wordpress products", _route(api, "wp/v2/product", _OF_WORDPRESS))
        older = Shelf("woocommerce products", _route(api, "wc/store/products", _PAGED), by_core)
        return (Shelf("woocommerce products", _route(api, "wc/store/v1/products", _PAGED), older),)
    return (
        Shelf("wordpress pages", _route(api, "wp/v2/pages", _OF_WORDPRESS)),
        Shelf("wordpress posts", _route(api, "wp/v2/posts", _OF_WORDPRESS)),
    )


def _wordpress_api(response: Response, home: str) -> str:
    """Where the site says that its REST API is (developer.wordpress.org: API discovery); else the usual place."""
    said = (response.headers.get("Link") or b"").decode("latin-1")
    named = match.group(1) if (match := _API_LINK.search(said)) else ""
    if not named and isinstance(response, TextResponse):
        named = response.xpath("//link[@rel='https://api.w.org/']/@href").get() or ""
    try:
        address = urljoin(response.url, named) if named else ""
    except ValueError:
        address = ""
    return address if address and same_site(address, home) else urljoin(home, "/wp-json/")


def _route(api: str, route: str, query: str) -> str:
    """Sites without readable addresses have their API under `?rest_route=/`."""
    if "rest_route=" in urlsplit(api).query:
        return f"{api.rstrip('/')}/{route}&{query}"
    return f"{api.rstrip('/')}/{route}?{query}"


def _collections(response: Response, home: str) -> list[str]:
    """Pages that the home page links to and that may be a shop's lists, by their address."""
    if not isinstance(response, TextResponse):
        return []
    found: dict[str, None] = {}
    for href in response.xpath("//a/@href").getall():
        try:
            parts = urlsplit(urljoin(response.url, href.strip()))
            url = parts._replace(query="", fragment="").geturl()
        except ValueError:
            continue
        if same_site(url, home) and (_COLLECTION.search(parts.path) or telling(url) > 1):
            found[url] = None
    return list(found)[:_MOST_COLLECTIONS]
