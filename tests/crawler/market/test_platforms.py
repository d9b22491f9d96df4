"""What a site is built with, and which lists follow from it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.market.platforms import Platform, Shelf, platforms_of, shelves_of
from tests.crawler.responses import response_of

HOME = "https://www.orrel.example/"


@pytest.mark.parametrize(
    ("markup", "headers", "found"),
    [
        ('<link href="//cdn.shopify.com/s/theme.css">', {}, (Platform.SHOPIFY,)),
        ("<p>", {"Powered-By": "Shopify"}, (Platform.SHOPIFY,)),
        ("<p>", {"X-ShopId": "77"}, (Platform.SHOPIFY,)),
        ('<body class="home woocommerce no-js">', {}, (Platform.WOOCOMMERCE, Platform.WORDPRESS)),
        ('<meta name="generator" content="WordPress 6.9">', {}, (Platform.WORDPRESS,)),
        ("<p>", {"Link": '<https://www.orrel.example/wp-json/>; rel="https://api.w.org/"'}, (Platform.WORDPRESS,)),
        ("<script>Static.SQUARESPACE_CONTEXT = {};</script>", {}, (Platform.SQUARESPACE,)),
        ("<p>", {"X-Wix-Request-Id": "1"}, (Platform.WIX,)),
        ("<p>We compared shopify and wordpress.</p>", {"Server": "nginx"}, ()),
    ],
)
def test_a_platform_is_told_by_its_own_marks(markup: str, headers: dict[str, str], found: tuple[Platform, ...]) -> None:
    assert platforms_of(response_of(HOME, markup, headers=headers)) == found


def addresses(platform: Platform, markup: str = "<p>", headers: dict[str, str] | None = None) -> list[str]:
    return [shelf.address for shelf in shelves_of(platform, response_of(HOME, markup, headers=headers), HOME)]


def test_where_the_catalogues_of_each_platform_are() -> None:
    fields = "_fields=id,link,slug,modified,title,content,excerpt"
    page = "per_page=100&page=1"

    assert addresses(Platform.SHOPIFY) == [f"{HOME}products.json?limit=250&page=1"]
    assert addresses(Platform.WOOCOMMERCE) == [f"{HOME}wp-json/wc/store/v1/products?{page}"]
    assert addresses(Platform.WORDPRESS) == [
        f"{HOME}wp-json/wp/v2/pages?{page}&{fields}",
        f"{HOME}wp-json/wp/v2/posts?{page}&{fields}",
    ]
    assert addresses(Platform.WIX) == []


def test_the_address_of_wordpress_api_is_the_one_that_the_site_names() -> None:
    named = {"Link": f'<{HOME}blog/wp-json/>; rel="https://api.w.org/"'}
    by_route = '<link rel="https://api.w.org/" href="/index.php?rest_route=/">'
    elsewhere = '<link rel="https://api.w.org/" href="https://evil.example/wp-json/">'

    assert addresses(Platform.WOOCOMMERCE, headers=named)[0].startswith(f"{HOME}blog/wp-json/wc/")
    assert addresses(Platform.WOOCOMMERCE, by_route) == [
        f"{HOME}index.php?rest_route=/wc/store/v1/products&per_page=100&page=1"
    ]
    assert addresses(Platform.WOOCOMMERCE, elsewhere)[0].startswith(f"{HOME}wp-json/")


def test_squarespace_lists_are_what_the_home_page_links_to() -> None:
    markup = (
        '<a href="/shop?color=1">s</a><a href="/shop">s</a><a href="/about">a</a><a href="/exosome-line#x">e</a>'
        '<a href="https://elsewhere.example/shop">x</a><a href="http://[x/shop">x</a>'
    )

    assert addresses(Platform.SQUARESPACE, markup) == [f"{HOME}shop?format=json", f"{HOME}exosome-line?format=json"]


@given(st.text(max_size=200) | st.binary(max_size=200), st.text(max_size=40))
def test_looking_for_marks_never_falls_over(body: str | bytes, link: str) -> None:
    response = response_of(HOME, body, headers={"Link": link.encode("unicode_escape").decode()})
    for platform in Platform:
        assert all(isinstance(shelf, Shelf) for shelf in shelves_of(platform, response, HOME))
    assert set(platforms_of(response)) <= set(Platform)
