"""What a seller's page is called, which pages belong to a site, which are telling, and what is no page."""

from __future__ import annotations

import gzip
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.market import site
from crawler.market.addresses import is_trap, normalise, same_site
from crawler.market.frontier import FIRST, Frontier
from crawler.market.page import NotAPageError, links_of, record_of, told_by
from crawler.market.telling import telling
from crawler.source import BlockedError, SoftNotFoundError
from monitor.config import Site
from monitor.records import PageRecord
from tests.crawler.responses import response_of

HOME = "https://www.follica.example/"
CARD = site.card_of(Site(url=HOME, country="UK", name="Follica"))


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("HTTPS://WWW.Follica.Example", "https://www.follica.example/"),
        ("https://follica.example:443/a#top", "https://follica.example/a"),
        ("http://follica.example:8080/a/", "http://follica.example:8080/a/"),
        (
            "https://follica.example/p?b=2&utm_source=x&a=1&fbclid=y&PHPSESSID=z",
            "https://follica.example/p?a=1&b=2",
        ),
        ("https://follica.example/p;jsessionid=1A2B?x=", "https://follica.example/p?x="),
        ("https://follica.example/ü b", "https://follica.example/%C3%BC%20b"),
        ("mailto:desk@follica.example", ""),
        ("javascript:void(0)", ""),
        ("http://[broken", ""),
        ("https://follica.example:99999/", ""),
        ("", ""),
    ],
)
def test_a_pages_identity(url: str, identity: str) -> None:
    assert normalise(url) == identity


ADDRESSES = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    st.sampled_from(["follica.example", "WWW.follica.example:443", "a.b.example:8080", "[::1]", "müller.example"]),
    st.text(alphabet="/ab%2C ;=ü.~é\t", max_size=15).map(lambda path: f"/{path}"),
    st.sampled_from(["", "?", "?b=1&a=2&utm_x=3", "?a=%zz&&b", "?q=ü;c"]),
    st.sampled_from(["", "#x", "#", "#a?b"]),
)


@given(ADDRESSES | st.text(max_size=60))
def test_an_identity_is_its_own_identity(url: str) -> None:
    once = normalise(url)

    assert normalise(once) == once
    assert "#" not in once
    assert "utm_" not in once.partition("?")[2]


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("https://follica.example/x", True),
        ("http://www.follica.example/x", True),
        ("https://shop.follica.example/x", True),
        ("https://notfollica.example/x", False),
        ("https://follica.example.evil.example/x", False),
        ("https://follica.example@evil.example/", False),
        ("https://follica.example:8443/", False),
        ("ftp://follica.example/", False),
        ("https://follica.example:x/", False),
    ],
)
def test_what_belongs_to_a_site(url: str, inside: bool) -> None:
    assert same_site(url, HOME) is inside


@pytest.mark.parametrize(
    "path",
    [
        "cart",
        "en/checkout/",
        "my-account/orders",
        "wp-json/wp/v2/pages",
        "serum?add-to-cart=7",
        "shop?orderby=price",
        "shop?filter_color=red",
        "calendar/2026",
        "2026/11/25/",
        "events/2026-11",
        "brochure.zip",
        "img/a.JPG",
        "a/b/a/b/a/b",
        "p?a=1&b=2&c=3&d=4&e=5",
        "search?q=x",
        "x" * 2001,
    ],
)
def test_traps_are_told(path: str) -> None:
    assert is_trap(HOME + path)


@pytest.mark.parametrize(
    "path",
    ["", "products/serum", "cartilage-therapy", "blog/2026/11/hair-story", "p?id=7", "accounting-for-skin", "a.html"],
)
def test_pages_are_no_traps(path: str) -> None:
    assert not is_trap(HOME + path)


@pytest.mark.parametrize(
    ("path", "said", "rank"),
    [
        ("exosome-serum", "", 3),
        ("p/12", "Our Exosomes", 3),
        ("p/%E3%82%A8%E3%82%AF%E3%82%BD%E3%82%BD%E3%83%BC%E3%83%A0", "", 3),
        ("p/1", "엑소좀 앰플", 3),
        ("traitements", "Vésicules extracellulaires", 3),
        ("regenerative-medicine", "", 2),
        ("p/2", "Células madre", 2),
        ("hair-loss", "", 1),
        ("p/3", "Behandlungen", 1),
        ("faq", "", 1),
        ("team", "People", 0),
        ("privacy-policy", "", -1),
        ("tag/skin", "", -1),
    ],
)
def test_how_telling_a_page_is(path: str, said: str, rank: int) -> None:
    assert telling(HOME + path, said) == rank


def test_the_queue_gives_the_telling_first_and_each_once() -> None:
    frontier = Frontier()
    for path in ("team", "exosome", "hair", "exosome"):
        frontier.add(HOME + path, depth=1)
    frontier.add(HOME + "about", depth=0, known=True)
    frontier.add(HOME, depth=0, rank=FIRST)
    frontier.add(HOME + "team", depth=1, said="Stem cells")

    taken = []
    while place := frontier.take():
        taken.append(place.url.removeprefix(HOME))
        frontier.add(place.url, depth=0, rank=FIRST)

    assert taken == ["", "exosome", "team", "hair", "about"]
    assert len(frontier) == 0


# Pages


def page(title: str = "Serum", body: str = "<h1>Serum</h1>", head: str = "") -> str:
    return f'<html lang="de-AT"><head><title>{title}</title>{head}</head><body>{body}</body></html>'


def test_what_a_page_says_that_it_is() -> None:
    head = '<link rel="Canonical" href="/serum?utm_source=x"><meta property="og:site_name" content=" Follica  Labs ">'
    response = response_of(
        f"{HOME}serum?gclid=1",
        page("Serum |\n Follica", head=head),
        headers={"ETag": '"a"', "Last-Modified": "yesterday"},
    )

    assert record_of(told_by(response), response, CARD) == PageRecord(
        source="site_follica_example",
        url=f"{HOME}serum",
        capture="read/00001",
        title="Serum | Follica",
        language="de-AT",
        canonical_url=f"{HOME}serum",
        etag='"a"',
        last_modified="yesterday",
        site_name="Follica Labs",
        body_sha256=hashlib.sha256(response.body).hexdigest(),
    )


@pytest.mark.parametrize(
    "markup",
    [
        page("Page not found – Follica"),
        page("404 | Follica"),
        page("Follica", "<h1>Oops! That page can&rsquo;t be found.</h1>"),
        page("Error 404"),
        page("Seite nicht gefunden"),
        page("Follica", "<h1>Page introuvable</h1>"),
        page("Página no encontrada"),
        page("ページが見つかりませんでした"),
    ],
)
def test_a_soft_404_is_no_content(markup: str) -> None:
    with pytest.raises(SoftNotFoundError):
        told_by(response_of(f"{HOME}x", markup))


@pytest.mark.parametrize(
    "markup",
    [
        page("Serum 404"),
        page("Peptide 404 Ampoule"),
        page("Side effects not found in our study"),
        page("Serum", "<p>Page not found</p>"),
        page("", "<svg><title>404</title></svg>"),
    ],
)
def test_a_page_is_not_taken_for_a_soft_404(markup: str) -> None:
    assert told_by(response_of(f"{HOME}x", markup)).links == ()


@pytest.mark.parametrize("kind", ["application/pdf", "application/json", "text/plain", "image/png"])
def test_what_is_no_html_is_no_page(kind: str) -> None:
    with pytest.raises(NotAPageError):
        told_by(response_of(f"{HOME}x", b"<html>", kind))


def test_a_captcha_is_a_block() -> None:
    with pytest.raises(BlockedError):
        told_by(response_of(HOME, page("Just a moment...", "<p>Verify you are human</p>")))


def test_links_are_absolute_once_each_with_what_they_say() -> None:
    body = (
        '<a href="serum?utm_source=a">Our <b>serum</b></a><a href="/b/serum">again</a>'
        '<a href="mailto:x@y.example">m</a><a href="http://[x">broken</a><a href="#top">top</a>'
        '<a href="/img"><img alt="Exosome jar"></a><map><area href="/map" title="x"></map>'
    )
    response = response_of(f"{HOME}a/", page(body=body, head='<base href="/b/">'))

    assert [(link.url.removeprefix(HOME), link.said) for link in links_of(response)] == [  # type: ignore[arg-type]
        ("b/serum", "Our serum"),
        ("b/", "top"),
        ("img", "Exosome jar"),
        ("map", "x"),
    ]


@given(st.text(max_size=120) | st.binary(max_size=120))
def test_a_page_reader_never_falls_over(body: str | bytes) -> None:
    response = response_of(HOME, body)
    try:
        told = told_by(response)
    except (NotAPageError, SoftNotFoundError, BlockedError):
        return
    assert record_of(told, response, CARD).url == HOME
    assert all(link.url for link in told.links)


# Cards and sitemaps


def test_the_card_of_a_site_carries_its_limits() -> None:
    card = site.card_of(Site(url="https://www.follica.example:8443/de/", pages=7, depth=2, minutes=3, delay=9))

    assert (card.id, card.kind, card.jurisdiction) == ("site_follica_example_8443", "page", "zz")
    assert (card.start, card.pace.delay) == ("https://www.follica.example:8443/de/", 9)
    assert site.Options.model_validate(card.options) == site.Options(
        start=(), pages=7, depth=2, minutes=3, revisit_hours=20
    )
    assert CARD.jurisdiction == "uk"
    assert (CARD.title, card.title) == ("Follica", "follica.example")
    assert site.card_of(Site(url="https://lumen-vale.example/")).title == "lumen-vale.example"


def test_a_country_in_words_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"follica.*country.*Korea.*two-letter"):
        site.card_of(Site(url=HOME, country="South Korea"))


URLSET = (
    b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    b"<url><loc> %s </loc></url><url/></urlset>"
)


@pytest.mark.parametrize(
    "body", [URLSET % b"https://a.example/x", gzip.compress(URLSET % b"https://a.example/x", mtime=0)]
)
def test_a_sitemap_is_read_packed_or_not(body: bytes) -> None:
    assert site.places_of(response_of(f"{HOME}sitemap.xml", body)) == (False, ["https://a.example/x"])


def test_a_sitemap_of_sitemaps_is_told() -> None:
    body = b"<sitemapindex><sitemap><loc>https://a.example/1.xml</loc></sitemap></sitemapindex>"

    assert site.places_of(response_of(f"{HOME}sitemap.xml", body)) == (True, ["https://a.example/1.xml"])


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>soft 404</html>", b"\x1f\x8b\x08broken", gzip.compress(b"<urlset>" + b" " * 40 * 1024**2, mtime=0)],
)
def test_what_is_no_sitemap_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        site.places_of(response_of(f"{HOME}sitemap.xml", body))


@given(st.binary(max_size=80) | st.binary(max_size=40).map(lambda tail: b"<urlset><url><loc>" + tail))
def test_a_sitemap_reader_never_falls_over(body: bytes) -> None:
    try:
        _, places = site.places_of(response_of(f"{HOME}sitemap.xml", body))
    except ValueError:
        return
    assert all(isinstance(place, str) for place in places)
