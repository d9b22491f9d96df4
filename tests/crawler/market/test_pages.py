"""What stands in the place of a page, what is unread on one, and which addresses are one and the same."""

from __future__ import annotations

import pytest

from crawler.market.addresses import asks_for_login, is_pdf, is_trap, normalise
from crawler.market.page import LoginWallError, NotAPageError, record_of, told_by, unread_of
from crawler.market.site import card_of, read
from monitor.config import Site
from monitor.records import PageRecord
from tests.crawler.responses import response_of
from tests.crawler.test_us_pdf import tiny_pdf

HOME = "https://www.orrel.example/"
CARD = card_of(Site(url=HOME))
FORM = '<form><input name="u"><input type="password"></form>'


def record(body: str, head: str = "") -> PageRecord:
    response = response_of(HOME, f"<html><head>{head}</head><body>{body}</body></html>")
    return record_of(told_by(response), response, CARD)


def test_pictures_that_may_hold_text_are_counted_as_unread() -> None:
    pictures = (
        '<img src="a.jpg"><img src="a.jpg"><img data-src="b.jpg" width="600px"><img srcset="c.jpg 2x">'
        '<img src="icon.png" width="24"><img src="dot.gif" height=1><img src="logo.svg">'
        '<img src="data:image/gif;base64,R0lGOD"><img>'
    )

    found = record(pictures)

    assert found.unread == ("the text in 3 images",)
    assert list(unread_of(found)) == [("the text in images", 3)]


def test_one_picture_is_told_as_one() -> None:
    found = record('<img src="text.png">')

    assert found.unread == ("the text in 1 image",)
    assert list(unread_of(found)) == [("the text in images", 1)]


def test_broken_structured_data_is_named_and_a_page_without_either_says_nothing() -> None:
    assert record("x", '<script type="application/ld+json">{"a":</script>').unread == (
        "1 broken script of structured data",
    )
    assert record("<p>x</p>").unread == ()


def test_the_site_is_named_by_open_graph_or_by_its_organisation() -> None:
    script = '<script type="application/ld+json">{"@type":"Organization","name":"Orrel Labs"}</script>'

    assert record("x", script).site_name == "Orrel Labs"
    assert record("x", f'{script}<meta property="og:site_name" content="Orrel">').site_name == "Orrel"


def test_a_login_in_the_place_of_a_page_is_no_page() -> None:
    with pytest.raises(LoginWallError, match="asks for a password"):
        record(f"<h1>Members</h1>{FORM}<script>{'x' * 3000}</script>")

    assert record(f"<p>{'Our clinic treats knees. ' * 80}</p>{FORM}").url == HOME


@pytest.mark.parametrize(
    ("path", "asks"),
    [("account/login", True), ("wp-login.php", True), ("password", True), ("login-tips", False), ("", False)],
)
def test_addresses_at_which_one_logs_in(path: str, asks: bool) -> None:
    assert asks_for_login(HOME + path) is asks


@pytest.mark.parametrize(
    "url",
    [
        f"{HOME}(S(lit3py55t21z5v55vlm25s55))/skin",
        f"{HOME}(A(x)S(y))/skin",
        f"{HOME}skin;jsessionid=1?PHPSESSID=2&sid=3",
    ],
)
def test_sessions_make_no_other_page(url: str) -> None:
    assert normalise(url) == f"{HOME}skin"
    assert normalise(f"{HOME}a/(Small)/b") == f"{HOME}a/(Small)/b"


def test_brochures_are_pages_and_archives_are_not() -> None:
    assert is_pdf(f"{HOME}media/Prices.PDF?v=2")
    assert not is_trap(f"{HOME}media/prices.pdf")
    assert is_trap(f"{HOME}media/prices.zip")


@pytest.mark.parametrize("kind", ["application/pdf", "application/octet-stream"])
def test_a_brochure_is_read_and_titled_by_its_first_line(kind: str) -> None:
    [found] = read(response_of(f"{HOME}p.pdf", tiny_pdf("Aurel prices\nDrip 4,900"), kind), CARD)

    assert isinstance(found, PageRecord)
    assert (found.title, found.url, found.unread) == ("Aurel prices", f"{HOME}p.pdf", ())


@pytest.mark.parametrize("body", [tiny_pdf(""), b"%PDF-1.7 broken"])
def test_a_brochure_of_pictures_is_named(body: bytes) -> None:
    with pytest.raises(NotAPageError, match="document"):
        list(read(response_of(f"{HOME}p.pdf", body, "application/pdf"), CARD))
