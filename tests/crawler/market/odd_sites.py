"""Invented sites whose pages are odd: broken, endless, guarded, shown only to some."""

from __future__ import annotations

import gzip
import itertools
import threading

from tests.crawler.market.building import (
    NO_PAGE,
    Built,
    html,
    page,
    plain,
    sitemap,
)
from tests.crawler.test_us_pdf import tiny_pdf
from tests.loopback import Answer, Asked, Reply

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
