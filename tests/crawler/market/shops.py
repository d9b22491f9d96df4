"""A market of invented sites, each built differently, with what a reading of it must give."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.crawler.test_us_pdf import tiny_pdf
from tests.loopback import Answer, Asked, Reply

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


# Platforms


def shopify() -> Built:
    products = [product(1, "Exo Drops", "<p>Regrows hair with <b>exosomes</b>.</p>"), product(2, "Lip Balm")]
    return Built(
        "shopify",
        {
            "/": page("Orrel", "/products/exo-drops", head=SHOPIFY_HEAD),
            "/products.json": as_json({"products": products}),
            "/products/exo-drops": page("Exo Drops"),
            "/products/lip-balm": page("Lip Balm"),
        },
        pages={"/", "/products/exo-drops.json", "/products/lip-balm.json", "/products/exo-drops", "/products/lip-balm"},
        platforms=("shopify",),
        catalogues={"shopify products": "catalog"},
        never_asked=("/products.json?limit=250&page=2", "/products/exo-drops.json"),
    )


def fifty_thousand() -> Built:
    """The telling product stands far down; what Shopify itself gives no more (beyond 25,000) is not asked for."""

    def answer(asked: Asked) -> Reply:
        number = int(parse_qs(urlsplit(asked.path).query)["page"][0])
        if number * 250 > 25_000:
            return Reply('{"errors":"Page * Limit exceeds the 25000 limit."}', status=400)
        numbers = range((number - 1) * 250, number * 250)
        found = [product(one, f"Towel {one}") if one != 20_011 else product(one, "Exosome Vial") for one in numbers]
        return as_json({"products": found})

    return Built(
        "fifty_thousand",
        {"/": page("Depot", head=SHOPIFY_HEAD), "/products.json": answer, "/products/exosome-vial": page("Vial")},
        pages={"/", "/products/exosome-vial.json", "/products/towel-0.json", "/products/exosome-vial"},
        platforms=("shopify",),
        catalogues={"shopify products": "catalog"},
        problems={"limit_reached"},
        not_kept={"entries of catalogues beyond the limit of pages": 24_998},
        most_requests=110,
        site={"pages": 2},
    )


def woocommerce() -> Built:
    serum = {
        "id": 12,
        "name": "Growth Serum &amp; Roller",
        "permalink": "http://www.woocommerce.example/product/serum/",
        "short_description": "<p>For thinning hair.</p>",
        "description": "<p>Placenta exosomes from donors.</p>",
        "prices": {"currency_code": "EUR", "currency_minor_unit": 2, "price": "12900"},
        "images": [{"alt": "A vial", "src": "/v.jpg"}],
    }
    about = {
        "id": 3,
        "link": "http://www.woocommerce.example/about/",
        "title": {"rendered": "About"},
        "content": {"rendered": "<p>We heal.</p>", "protected": False},
    }
    return Built(
        "woocommerce",
        {
            "/": page("Haus Tilde", head=WOO_HEAD),
            "/wp-json/wc/store/v1/products": as_json([serum], **{"X-WP-TotalPages": "1"}),
            "/wp-json/wp/v2/pages": as_json([about], **{"X-WP-TotalPages": "1"}),
            "/wp-json/wp/v2/posts": as_json([]),
            "/product/serum/": page("Growth Serum"),
            "/about/": page("About"),
        },
        pages={
            "/",
            "/wp-json/wc/store/v1/products/12",
            "/wp-json/wp/v2/pages/3",
            "/product/serum/",
            "/about/",
        },
        platforms=("woocommerce", "wordpress"),
        catalogues={"woocommerce products": "catalog", "wordpress pages": "catalog", "wordpress posts": "empty"},
    )


def wordpress_clinic() -> Built:
    """Without readable addresses: its API stands under `?rest_route=`. One page is behind a password."""

    def entry(number: int, words: str, protected: bool = False) -> dict[str, Any]:
        return {
            "id": number,
            "link": f"http://www.wordpress-clinic.example/?page_id={number}",
            "title": {"rendered": f"Treatment {number}"},
            "content": {"rendered": words, "protected": protected},
        }

    def answer(asked: Asked) -> Reply:
        query = parse_qs(urlsplit(asked.path).query)
        if "page_id" in query:
            return page(f"Treatment {query['page_id'][0]}")
        route = query.get("rest_route", [""])[0]
        if route == "/wp/v2/pages":
            first = query["page"] == ["1"]
            found = [entry(1, "<p>Drip.</p>"), entry(2, "", True)] if first else [entry(3, "<p>Knee.</p>")]
            return as_json(found, **{"X-WP-TotalPages": "2"})
        if route:
            return Reply('{"code":"rest_no_route"}', status=404, content_type="application/json")
        return page("Clinic Onda", head='<link rel="https://api.w.org/" href="/?rest_route=/">')

    return Built(
        "wordpress_clinic",
        {"/": answer},
        pages={"/", *(f"/?rest_route=/wp/v2/pages/{n}" for n in (1, 3)), *(f"/?page_id={n}" for n in (1, 2, 3))},
        platforms=("wordpress",),
        catalogues={"wordpress pages": "catalog", "wordpress posts": "unavailable"},
        not_kept={"behind a password": 1},
    )


def squarespace() -> Built:
    """A list with the text of one product and the title alone of the other."""
    items = [
        {"id": "a", "title": "Mist", "fullUrl": "/shop/mist", "body": "<p>Calms skin.</p>", "updatedOn": 1},
        {"id": "b", "title": "Cell Vial", "fullUrl": "/shop/vial", "updatedOn": 2},
    ]

    def shop(asked: Asked) -> Reply:
        return as_json({"items": items}) if "format=json" in asked.path else page("Shop", "/shop/mist")

    return Built(
        "squarespace",
        {
            "/": page("Studio Vell", "/shop", head=SQUARE_HEAD),
            "/shop": shop,
            "/shop/mist": page("Mist"),
            "/shop/vial": page("Cell Vial"),
        },
        pages={"/", "/shop", "/shop/mist?format=json", "/shop/mist", "/shop/vial"},
        platforms=("squarespace",),
        catalogues={"squarespace collection": "catalog"},
    )


def wix() -> Built:
    """No public catalogue: its sitemaps lead to its pages."""
    home = "http://www.wix.example"
    return Built(
        "wix",
        {
            "/": page("Aura Lem", head='<script src="https://static.parastorage.com/x.js"></script>'),
            "/robots.txt": plain(f"User-agent: *\nSitemap: {home}/sitemap.xml\n"),
            "/sitemap.xml": Reply(sitemap(f"{home}/store-products-sitemap.xml", index=True), content_type="text/xml"),
            "/store-products-sitemap.xml": Reply(sitemap(f"{home}/product-page/gel"), content_type="text/xml"),
            "/product-page/gel": page("Gel"),
        },
        pages={"/", "/product-page/gel"},
        platforms=("wix",),
        never_asked=("/_api", "/products.json", "/wp-json"),
    )


# What catalogues answer instead


def guarded_catalogue() -> Built:
    """The catalogue is behind a challenge, the pages are open: the site stays readable."""
    wall = Reply("<title>Just a moment...</title><p>Verify you are human</p>", status=403)
    return Built(
        "guarded_catalogue",
        {"/": page("Nerin", "/hair", head=SHOPIFY_HEAD), "/products.json": wall, "/hair": page("Hair")},
        pages={"/", "/hair"},
        platforms=("shopify",),
        catalogues={"shopify products": "blocked"},
        problems={"blocked"},
    )


def limiting_catalogue() -> Built:
    """Two hundred and fifty products, and then "too many requests": what came is kept, and the list is told as cut."""
    first = as_json({"products": [product(one, f"Cream {one}") for one in range(250)]})

    def answer(asked: Asked) -> Reply:
        return first if "page=1" in asked.path else Reply("slow down", status=429, headers={"Retry-After": "1"})

    return Built(
        "limiting_catalogue",
        {"/": page("Sorel", head=SHOPIFY_HEAD), "/products.json": answer},
        pages={"/", "/products/cream-0.json", "/products/cream-1.json"},
        platforms=("shopify",),
        catalogues={"shopify products": "rate_limited"},
        problems={"limit_reached"},
        site={"pages": 2},
    )


def html_for_catalogue() -> Built:
    return Built(
        "html_for_catalogue",
        {"/": page("Palm", head=SHOPIFY_HEAD), "/products.json": page("All products")},
        pages={"/"},
        platforms=("shopify",),
        catalogues={"shopify products": "not_json"},
    )


def other_json() -> Built:
    return Built(
        "other_json",
        {"/": page("Quay", head=SHOPIFY_HEAD), "/products.json": as_json({"catalogue": []})},
        pages={"/"},
        platforms=("shopify",),
        catalogues={"shopify products": "unexpected_json"},
    )


def forbidden_catalogue() -> Built:
    return Built(
        "forbidden_catalogue",
        {
            "/": page("Rime", head=SHOPIFY_HEAD),
            "/robots.txt": plain("User-agent: *\nDisallow: /products.json\n"),
            "/products.json": as_json({"products": [product(1, "Exo")]}),
        },
        pages={"/"},
        platforms=("shopify",),
        catalogues={"shopify products": "unavailable"},
        problems={"robots"},
        not_kept={"robots.txt forbids it": 1},
        never_asked=("/products.json",),
    )


def same_page_for_ever() -> Built:
    """A catalogue that ignores the number of its page."""
    full = as_json({"products": [product(one, f"Cream {one}") for one in range(250)]})
    return Built(
        "same_page_for_ever",
        {"/": page("Tarn", head=SHOPIFY_HEAD), "/products.json": full},
        pages={"/", "/products/cream-0.json"},
        platforms=("shopify",),
        catalogues={"shopify products": "catalog"},
        problems={"limit_reached"},
        site={"pages": 1},
        most_requests=9,
    )


# Pages


def broken_data() -> Built:
    """Structured data with the breakages that are met; one address is in it alone."""
    scripts = (
        "null",
        "{broken",
        '<!--\n{"@type":"ItemList","itemListElement":[{"@type":"ListItem","url":"/p/alone","name":"Exo"}]}\n-->',
        '{"@type":"Organization","name":"Lumen\n & Co"}',
    )
    head = "".join(f'<script type="application/ld+json">{script}</script>' for script in scripts)
    return Built(
        "broken_data",
        {"/": page("Lumen", head=head), "/p/alone": page("Alone", body='<img src="a.jpg"><img src="b.jpg">')},
        pages={"/", "/p/alone"},
        not_kept={
            "unread on pages: broken scripts of structured data": 1,
            "unread on pages: the text in images": 2,
        },
    )


def right_to_left() -> Built:
    text = html("إكسوسوم للشعر", "/%D8%B4%D8%B9%D8%B1", lang="ar", more=' dir="rtl"').encode("cp1256")
    return Built(
        "right_to_left",
        {
            "/": Reply(text, content_type="text/html; charset=windows-1256"),
            "/%D8%B4%D8%B9%D8%B1": Reply(html("شعر", lang="ar", more=' dir="rtl"')),
        },
        pages={"/", "/%D8%B4%D8%B9%D8%B1"},
    )


def japanese() -> Built:
    """Declared in the page alone, and in Shift_JIS."""
    head = '<meta charset="Shift_JIS">'
    body = html("エクソソーム点滴", "/%E6%AF%9B%E9%AB%AA", head=head, lang="ja").encode("shift_jis")
    return Built(
        "japanese",
        {
            "/": Reply(body, content_type="text/html"),
            "/%E6%AF%9B%E9%AB%AA": Reply(
                html("毛髪再生", head=head, lang="ja").encode("shift_jis"), content_type="text/html"
            ),
        },
        pages={"/", "/%E6%AF%9B%E9%AB%AA"},
    )


def endless_calendar() -> Built:
    """Every day leads to the next one; and one calendar hides its days in plain paths."""
    count = itertools.count(1)

    def day(asked: Asked) -> Reply:
        number = next(count)
        return page(f"Day {number}", f"/agenda/{number}", f"/calendar/2026-12-{number}", f"/visits?month={number}")

    return Built(
        "endless_calendar",
        {
            "/": page("Oriel", "/agenda/0", "/calendar/2026-12", "/visits?month=1", "/2026/11/25/"),
            **{f"/agenda/{number}": day for number in range(60)},
        },
        pages={"/", "/agenda/0", "/agenda/1", "/agenda/2"},
        not_kept={"more than 3 links from a start page": 1, NO_PAGE: 3},
        never_asked=("/calendar", "/visits", "/2026"),
        site={"depth": 3},
    )


def redirect_loops() -> Built:
    def to(place: str) -> Reply:
        return Reply("", status=302, headers={"Location": place})

    count = itertools.count(1)
    return Built(
        "redirect_loops",
        {
            "/": page("Wend", "/a", "/n/0", "/hair"),
            "/a": to("/b"),
            "/b": to("/a"),
            **{f"/n/{number}": (lambda asked: to(f"/n/{next(count)}")) for number in range(60)},
            "/hair": page("Hair"),
        },
        pages={"/", "/hair"},
        problems={"download_error"},
    )


def session_ids() -> Built:
    """Every answer gives every link another session."""
    count = itertools.count(1)

    def links() -> list[str]:
        n = next(count)
        return [f"/hair;jsessionid=A{n}?PHPSESSID=B{n}", f"/(S(lit3{n}))/skin", f"/?sid={n}"]

    def answer(title: str) -> Answer:
        return lambda asked: page(title, *links())

    return Built(
        "session_ids",
        {"/": answer("Yarrow"), "/hair": answer("Hair"), "/skin": answer("Skin")},
        pages={"/", "/hair", "/skin"},
        most_requests=12,
    )


def soft_404s() -> Built:
    missing = page("Page not found - Zephyr")
    return Built(
        "soft_404s",
        {"/": page("Zephyr", "/hair", "/gone", "/lost"), "/hair": page("Hair"), "/gone": missing, "/lost": missing},
        pages={"/", "/hair"},
        problems={"soft_404"},
    )


def cloaked_block() -> Built:
    """Answered with 200, and not with the page."""
    wall = Reply('<title>Welcome</title><p>Please press &amp; hold to confirm.</p><div id="px-captcha"></div>')
    return Built(
        "cloaked_block",
        {"/": page("Aster", "/hair"), "/hair": wall, "/skin": page("Skin")},
        pages={"/"},
        outcome="blocked",
        problems={"blocked"},
        never_asked=("/skin",),
    )


def login_wall() -> Built:
    form = '<form action="/session"><input name="u"><input type="password" name="p"></form>'
    return Built(
        "login_wall",
        {
            "/": page("Bryn", "/trade-prices", "/protocols", "/hair"),
            "/trade-prices": page("Trade prices", body=form),
            "/protocols": Reply("", status=302, headers={"Location": "/account/login"}),
            "/account/login": page("Welcome back"),
            "/hair": page("Hair"),
        },
        pages={"/", "/hair"},
        problems={"blocked"},
    )


def login_everywhere() -> Built:
    """A shop that is closed: its home page leads to its password page."""
    return Built(
        "login_everywhere",
        {"/": Reply("", status=302, headers={"Location": "/password"}), "/password": page("Opening soon")},
        pages=set(),
        outcome="blocked",
        problems={"blocked"},
    )


def forbidding_robots() -> Built:
    return Built(
        "forbidding_robots",
        {"/robots.txt": plain("User-agent: *\nDisallow: /\n"), "/": page("Cairn", "/hair"), "/hair": page("Hair")},
        pages=set(),
        outcome="errors",
        problems={"robots"},
        never_asked=("/hair", "/sitemap", "/wp-"),
    )


def silent_robots() -> Built:
    """robots.txt never answers: nothing else may be asked (RFC 9309, 2.3.1.4)."""
    never = threading.Event()
    return Built(
        "silent_robots",
        {"/robots.txt": Reply("", wait=never), "/": page("Dune")},
        pages=set(),
        outcome="errors",
        problems={"download_error"},
        never_asked=("/sitemap", "/wp-", "/products"),
        network={"timeout_seconds": 0.4, "retries": 0},
    )


def brochures() -> Built:
    text = "Price list\nExosome infusion 4,900 EUR\n"
    return Built(
        "brochures",
        {
            "/": page("Elm", "/media/prices.pdf", "/media/scan.pdf", "/media/broken.pdf"),
            "/media/prices.pdf": Reply(
                tiny_pdf(text).decode("latin-1").encode("latin-1"), content_type="application/pdf"
            ),
            "/media/scan.pdf": Reply(tiny_pdf(""), content_type="application/octet-stream"),
            "/media/broken.pdf": Reply(b"%PDF-1.4 and no more", content_type="application/pdf"),
        },
        pages={"/", "/media/prices.pdf"},
        not_kept={"PDF without text that can be read": 2},
    )


def huge_sitemap() -> Built:
    """Sixty thousand addresses, packed, behind an index that names itself as well."""
    home = "http://www.huge-sitemap.example"
    places = [f"{home}/p/{number}" for number in range(60_000)] + [f"{home}/p/exosome"]

    return Built(
        "huge_sitemap",
        {
            "/": page("Fell"),
            "/robots.txt": plain(f"Sitemap: {home}/index.xml\n"),
            "/index.xml": Reply(sitemap(f"{home}/all.xml.gz", index=True), content_type="text/xml"),
            "/all.xml.gz": Reply(gzip.compress(sitemap(*places).encode()), content_type="application/gzip"),
            "/p/exosome": page("Exosome"),
            "/p/0": page("Nought"),
        },
        pages={"/", "/p/exosome", "/p/0"},
        problems={"limit_reached"},
        not_kept={"beyond the limit of pages": 59_999},
        site={"pages": 3},
    )


BUILDERS = (
    shopify,
    fifty_thousand,
    woocommerce,
    wordpress_clinic,
    squarespace,
    wix,
    guarded_catalogue,
    limiting_catalogue,
    html_for_catalogue,
    other_json,
    forbidden_catalogue,
    same_page_for_ever,
    broken_data,
    right_to_left,
    japanese,
    endless_calendar,
    redirect_loops,
    session_ids,
    soft_404s,
    cloaked_block,
    login_wall,
    login_everywhere,
    forbidding_robots,
    silent_robots,
    brochures,
    huge_sitemap,
)


def market() -> Iterator[Built]:
    """Every site, built afresh: some of them count."""
    for builder in BUILDERS:
        yield builder()
