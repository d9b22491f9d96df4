"""What an invented site is built of, and what a reading of it must give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.loopback import Answer, Reply

SHOPIFY_HEAD = '<link rel="preconnect" href="https://cdn.shopify.com">'
WOO_HEAD = '<link rel="stylesheet" href="/wp-content/plugins/woocommerce/assets/css/woocommerce.css">'
SQUARE_HEAD = '<script src="https://static1.squarespace.com/static/site.js"></script>'
NO_PAGE = "no page: cart, login, calendar, list order, file"


@dataclass
class Built:
    """One site: its answers, and what must come of it. Paths are below its own home page."""

    name: str
    routes: dict[str, Answer]
    pages: set[str]
    """Paths of the pages and entries that are recorded."""
    outcome: str = "ok"
    platforms: tuple[str, ...] = ()
    catalogues: dict[str, str] = field(default_factory=dict)
    problems: set[str] = field(default_factory=set)
    not_kept: dict[str, int] = field(default_factory=dict)
    """At least these counts."""
    never_asked: tuple[str, ...] = ()
    """Beginnings of paths that no request may have."""
    most_requests: int = 40
    site: dict[str, Any] = field(default_factory=dict)
    network: dict[str, Any] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"www.{self.name.replace('_', '-')}.example"

    @property
    def home(self) -> str:
        return f"http://{self.host}/"


def html(title: str, *links: str, head: str = "", body: str = "", lang: str = "en", more: str = "") -> str:
    anchors = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    return (
        f"<html lang={lang!r}{more}><head><title>{title}</title>{head}</head>"
        f"<body><h1>{title}</h1><p>What there is to say about it.</p>{body}<ul>{anchors}</ul></body></html>"
    )


def page(title: str, *links: str, **parts: str) -> Reply:
    return Reply(html(title, *links, **parts))


def as_json(data: Any, **headers: str) -> Reply:
    return Reply(json.dumps(data), content_type="application/json; charset=utf-8", headers=headers)


def plain(text: str) -> Reply:
    return Reply(text, content_type="text/plain")


def sitemap(*places: str, index: bool = False) -> str:
    outer, inner = ("sitemapindex", "sitemap") if index else ("urlset", "url")
    body = "".join(f"<{inner}><loc>{place}</loc></{inner}>" for place in places)
    return f'<?xml version="1.0"?><{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{body}</{outer}>'


def product(number: int, title: str, words: str = "") -> dict[str, Any]:
    """A product as products.json shows it."""
    return {
        "id": number,
        "title": title,
        "handle": title.lower().replace(" ", "-"),
        "body_html": words or None,
        "vendor": "Maison Orrel",
        "product_type": "Serum",
        "tags": ["night", "ampoule"],
        "updated_at": f"2026-11-{number % 28 + 1:02}T08:00:00Z",
        "variants": [{"id": number, "title": "Default Title", "price": "49.00", "available": True}],
        "images": [],
    }
