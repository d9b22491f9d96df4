"""Invented sites on shop systems, and what their catalogues answer instead of a list."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.crawler.market.building import (
    SHOPIFY_HEAD,
    SQUARE_HEAD,
    WOO_HEAD,
    Built,
    as_json,
    page,
    plain,
    product,
    sitemap,
)
from tests.loopback import Asked, Reply

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
