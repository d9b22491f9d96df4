"""The sellers' spider as a program: what it reads of a site, what it leaves, and what it remembers."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from crawler.archive import record_uuid
from crawler.market.site import card_of
from monitor.config import Site
from monitor.records import CaptureRecord, Outcome, PageRecord, PageState
from tests.crawler.conftest import Crawls, Ended
from tests.loopback import Asked, Loopback, Reply

HOST = "www.follica.example"
HOME = f"http://{HOST}/"


def page(title: str, *links: str, text: str = "Something about it.") -> Reply:
    anchors = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    return Reply(
        f'<html lang="en"><head><title>{title} - Follica</title></head>'
        f"<body><h1>{title}</h1><p>{text}</p><ul>{anchors}</ul></body></html>"
    )


def sitemap(*places: str, index: bool = False) -> str:
    outer, inner = ("sitemapindex", "sitemap") if index else ("urlset", "url")
    body = "".join(f"<{inner}><loc>{place}</loc></{inner}>" for place in places)
    return f'<?xml version="1.0"?><{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{body}</{outer}>'


class Shop:
    """A small site on the loopback server."""

    def __init__(self, web: Loopback) -> None:
        self.web = web

    def put(self, path: str, reply: Any) -> None:
        self.web.routes[f"{HOST}{path}"] = reply

    @property
    def asked(self) -> list[str]:
        """Pages asked for, in order: without robots.txt and sitemaps."""
        return [path for path in self.web.paths(HOST) if "sitemap" not in path]


@pytest.fixture
def shop(web: Loopback, crawls: Crawls) -> Shop:
    watch(crawls)
    shop = Shop(web)
    shop.put("/", page("Home", "/about", "/hair", "/exosomes"))
    for name in ("about", "hair", "exosomes"):
        shop.put(f"/{name}", page(name))
    return shop


def watch(crawls: Crawls, **site: Any) -> None:
    crawls.card = card_of(Site(**{"url": HOME, "country": "us", **site})).model_dump(mode="json")


def answer_of(ended: Ended, page: PageRecord) -> CaptureRecord:
    return next(capture for capture in ended.captures if capture.id == page.capture)


def known_file(crawls: Crawls, ended: Ended, read_at: datetime | None = None) -> Path:
    """What the monitor would hand to the next run: every page read, with what its server gave to compare by."""
    lines = [
        json.dumps(
            {
                "key": page.url,
                "digest": ended.run.seen[page.url],
                "etag": page.etag,
                "last_modified": page.last_modified,
                "read_at": (read_at or datetime(2026, 1, 1, tzinfo=UTC)).isoformat(),
                "capture": answer_of(ended, page).model_dump(mode="json", include={"id", "url", "fetched_at"}),
            }
        )
        for page in pages(ended)
    ]
    path = crawls.home / "known.jsonl"
    path.write_text("\n".join(lines))
    return path


def pages(ended: Ended) -> list[PageRecord]:
    assert all(isinstance(record, PageRecord) for record in ended.records)
    return [record for record in ended.records if isinstance(record, PageRecord)]


def paths(ended: Ended) -> list[str]:
    return [record.url.removeprefix(HOME.rstrip("/")) for record in pages(ended)]


def test_a_site_is_read_from_its_home_page_the_telling_pages_first(shop: Shop, crawls: Crawls) -> None:
    ended = crawls.run()

    assert ended.code == 0, ended.err
    assert paths(ended) == ["/", "/exosomes", "/hair", "/about"]
    assert ended.run.listed == 4
    assert ended.run.problems == ()
    home = pages(ended)[0]
    assert (home.title, home.language, home.state) == ("Home - Follica", "en", PageState.READ)
    assert home.capture in {capture.id for capture in ended.captures}


def test_sitemaps_are_found_through_robots_txt_packed_and_nested(shop: Shop, crawls: Crawls) -> None:
    shop.put("/robots.txt", Reply(f"User-agent: *\nSitemap: {HOME}maps-sitemap.xml\n", content_type="text/plain"))
    nested = sitemap(f"{HOME}sitemap-1.xml.gz", "https://elsewhere.example/sitemap.xml", index=True)
    shop.put("/maps-sitemap.xml", Reply(nested, content_type="application/xml"))
    packed = gzip.compress(sitemap(f"{HOME}clinic/drip", "https://elsewhere.example/x", f"{HOME}cart/").encode())
    shop.put("/sitemap-1.xml.gz", Reply(packed, content_type="application/gzip"))
    shop.put("/clinic/drip", page("Drip"))

    ended = crawls.run()

    assert "/clinic/drip" in paths(ended)
    assert not any(asked.host == "elsewhere.example" for asked in shop.web.asked)
    assert ended.run.not_kept["no page: cart, login, calendar, list order, file"] == 1
    assert "/sitemap.xml" not in shop.web.paths(HOST)


def test_the_usual_sitemap_is_tried_and_one_that_is_none_does_no_harm(shop: Shop, crawls: Crawls) -> None:
    shop.put("/sitemap.xml", Reply("<html>not here</html>"))
    shop.put("/sitemap_index.xml", Reply(sitemap(f"{HOME}deep/serum"), content_type="text/xml"))
    shop.put("/deep/serum", page("Serum"))

    ended = crawls.run()

    assert "/deep/serum" in paths(ended)
    assert ended.run.not_kept == {"sitemap not understood": 1}
    assert ended.run.outcome is Outcome.OK


def test_the_spider_stays_on_the_site_and_out_of_traps(shop: Shop, crawls: Crawls) -> None:
    links = [
        "https://elsewhere.example/exosome",
        "//blog.follica.example/skin",
        "/cart",
        "/leave",
        "/doc.zip",
        "/data",
        "/gone",
    ]
    shop.put("/", page("Home", *links))
    shop.put("/leave", Reply("", status=302, headers={"Location": "https://elsewhere.example/landing"}))
    shop.put("/data", Reply("{}", content_type="application/json"))
    shop.web.routes["blog.follica.example/skin"] = page("Skin", f"{HOME}cart", "https://blog.follica.example/cart")
    shop.web.routes["elsewhere.example/landing"] = page("Landing")

    ended = crawls.run()

    assert {record.url for record in pages(ended)} == {HOME, "http://blog.follica.example/skin"}
    assert ended.run.not_kept == {
        "no page: cart, login, calendar, list order, file": 3,
        "leads to another site": 1,
        "no page: another content type": 1,
        "not there (status 404)": 1,
    }
    assert ended.run.problems == ()


def test_one_page_under_many_addresses_is_read_once(shop: Shop, crawls: Crawls) -> None:
    shop.put("/", page("Home", "/hair?utm_source=a", "/hair#b", "/old-hair", "/hair"))
    shop.put("/old-hair", Reply("", status=301, headers={"Location": "/hair"}))

    ended = crawls.run()

    assert sorted(paths(ended)) == ["/", "/hair"]
    assert ended.run.not_kept["leads to a page that was read already"] == 1


def test_the_limit_of_pages_cuts_the_least_telling_and_is_named_once(shop: Shop, crawls: Crawls) -> None:
    watch(crawls, pages=3)

    ended = crawls.run()

    assert paths(ended) == ["/", "/exosomes", "/hair"]
    assert [problem.kind for problem in ended.run.problems] == ["limit_reached"]
    assert "3 pages" in ended.problems["limit_reached"]
    assert ended.run.not_kept == {"beyond the limit of pages": 1}
    assert ended.run.outcome is Outcome.OK


def test_the_limit_of_depth_counts_links(shop: Shop, crawls: Crawls) -> None:
    for number in range(6):
        shop.put(f"/step{number}", page(f"Step {number}", f"/step{number + 1}"))
    shop.put("/", page("Home", "/step0"))
    watch(crawls, depth=3)

    ended = crawls.run()

    assert paths(ended) == ["/", "/step0", "/step1", "/step2"]
    assert ended.run.not_kept == {"more than 3 links from a start page": 1}


def test_start_pages_are_read_where_nothing_leads_to_them(shop: Shop, crawls: Crawls) -> None:
    watch(crawls, start=[f"{HOME}hidden"])
    shop.put("/hidden", page("Hidden"))

    assert "/hidden" in paths(crawls.run())


def test_a_soft_404_is_a_problem_and_no_content(shop: Shop, crawls: Crawls) -> None:
    shop.put("/hair", page("Page not found"))

    ended = crawls.run()

    assert "/hair" not in paths(ended)
    assert "Page not found" in ended.problems["soft_404"]


def test_a_captcha_blinds_the_run(shop: Shop, crawls: Crawls) -> None:
    shop.put("/", Reply("<title>Just a moment...</title><p>Verify you are human</p>"))

    ended = crawls.run()

    assert (ended.records, ended.run.outcome) == ([], Outcome.BLOCKED)


def test_robots_txt_is_obeyed(shop: Shop, crawls: Crawls) -> None:
    shop.put("/robots.txt", Reply("User-agent: *\nDisallow: /hair\n", content_type="text/plain"))

    ended = crawls.run()

    assert "/hair" not in shop.asked
    assert ended.run.not_kept == {"robots.txt forbids it": 1}


# A second reading


def conditional(body: Reply, etag: str) -> Any:
    def answer(asked: Asked) -> Reply:
        if asked.headers.get("If-None-Match") == etag:
            return Reply("", status=304, headers={"ETag": etag})
        return Reply(body.body, headers={"ETag": etag})

    return answer


def test_an_unchanged_page_costs_no_body_and_counts_as_read(shop: Shop, crawls: Crawls) -> None:
    shop.put("/hair", conditional(page("Hair"), '"h1"'))
    first = crawls.run()

    second = crawls.run("--known", known_file(crawls, first))

    states = {record.url: record for record in pages(second)}
    assert states[f"{HOME}hair"].state is PageState.UNCHANGED
    assert states[f"{HOME}hair"].etag == '"h1"'
    assert states[f"{HOME}about"].state is PageState.READ
    assert second.run.seen == first.run.seen

    third = crawls.run("--known", known_file(crawls, first), "--full")
    assert {record.state for record in pages(third)} == {PageState.READ}


def test_a_not_modified_is_kept_as_a_revisit_of_the_answer_that_it_speaks_of(shop: Shop, crawls: Crawls) -> None:
    shop.put("/hair", conditional(page("Hair"), '"h1"'))
    first = crawls.run()
    second = crawls.run("--known", known_file(crawls, first))

    [held] = [answer_of(first, page) for page in pages(first) if page.url == f"{HOME}hair"]
    [told] = [record for record in records_of(second.folder) if record["type"] == "revisit"]
    assert told["WARC-Profile"] == "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
    assert told["WARC-Refers-To"] == record_uuid(held.id)
    assert told["WARC-Refers-To-Target-URI"] == held.url
    assert told["WARC-Refers-To-Date"] == held.fetched_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert (told["status"], told["body"]) == ("304", b"")
    referred = [record for record in records_of(first.folder) if record["WARC-Record-ID"] == told["WARC-Refers-To"]]
    assert [(record["type"], record["WARC-Date"]) for record in referred] == [("response", told["WARC-Refers-To-Date"])]

    again = crawls.replay(second.folder)
    assert [(page.url, page.state) for page in pages(again)] == [(page.url, page.state) for page in pages(second)]


def test_a_site_whose_server_says_it_wrongly_is_asked_without_condition(shop: Shop, crawls: Crawls) -> None:
    shop.put("/hair", conditional(page("Hair"), '"h1"'))
    watch(crawls, conditional=False)
    first = crawls.run()
    second = crawls.run("--known", known_file(crawls, first))

    assert {record.state for record in pages(second)} == {PageState.READ}
    assert not [asked for asked in shop.web.asked if {"If-None-Match", "If-Modified-Since"} & asked.headers.keys()]


def records_of(folder: Path) -> list[dict[str, Any]]:
    """The answers in a run's archive: their WARC headers, with type, status and body."""
    with (folder / "run.warc.gz").open("rb") as file:
        return [
            dict(record.rec_headers.headers)
            | {"type": record.rec_type, "status": record.http_headers.get_statuscode()}
            | {"body": record.content_stream().read()}
            for record in ArchiveIterator(file, check_digests="raise")
            if record.rec_type in ("response", "revisit")
        ]


def test_a_new_telling_page_comes_before_known_ones_that_are_not(shop: Shop, crawls: Crawls) -> None:
    watch(crawls, pages=3)
    shop.put("/", page("Home", "/about", "/team"))
    shop.put("/team", page("Team"))
    first = crawls.run()
    assert paths(first) == ["/", "/about", "/team"]
    shop.put("/", page("Home", "/about", "/team", "/exosomes", "/contact"))

    second = crawls.run("--known", known_file(crawls, first))

    assert paths(second) == ["/", "/exosomes", "/about"]
    assert "limit_reached" in second.problems


def test_what_was_read_a_little_ago_is_not_asked_for_again(shop: Shop, crawls: Crawls) -> None:
    crawls.config["rehearsal"]["now"] = "2026-11-16T08:00:00Z"
    first = crawls.run()
    known = known_file(crawls, first, datetime(2026, 11, 15, 20, tzinfo=UTC))
    shop.web.asked.clear()

    second = crawls.run("--known", known)
    assert (second.records, second.run.known, second.run.listed, second.run.outcome) == ([], 4, 4, Outcome.OK)
    assert shop.asked == []

    crawls.config["rehearsal"]["now"] = "2026-11-16T20:00:00Z"
    third = crawls.run("--known", known)
    assert len(third.records) == 4


def test_a_known_page_is_asked_for_though_nothing_leads_to_it(shop: Shop, crawls: Crawls) -> None:
    first = crawls.run()
    shop.put("/", page("Home"))

    second = crawls.run("--known", known_file(crawls, first))

    assert sorted(paths(second)) == ["/", "/about", "/exosomes", "/hair"]


def test_a_page_that_went_is_gone_if_the_site_answers_otherwise(shop: Shop, crawls: Crawls) -> None:
    first = crawls.run()
    del shop.web.routes[f"{HOST}/exosomes"]
    shop.put("/hair", Reply("", status=410))

    second = crawls.run("--known", known_file(crawls, first))

    assert {record.url.removeprefix(HOME): record.state for record in pages(second)} == {
        "": PageState.READ,
        "about": PageState.READ,
        "exosomes": PageState.GONE,
        "hair": PageState.GONE,
    }


def test_a_site_that_answers_nothing_well_has_lost_no_page(shop: Shop, crawls: Crawls) -> None:
    first = crawls.run()
    known = known_file(crawls, first)
    for route in [route for route in shop.web.routes if route.startswith(HOST)]:
        del shop.web.routes[route]

    second = crawls.run("--known", known)

    assert second.records == []
    assert len([problem for problem in second.run.problems if problem.kind == "http_error"]) == 4


def test_a_second_look_reads_just_the_pages_it_is_given(shop: Shop, crawls: Crawls) -> None:
    crawls.config["rehearsal"]["now"] = "2026-11-16T08:00:00Z"
    first = crawls.run()
    known = known_file(crawls, first, datetime(2026, 11, 16, 7, 59, tzinfo=UTC))
    shop.put("/hair", page("Hair, anew", "/more"))
    listed = crawls.home / "pages.txt"
    listed.write_text(f"{HOME}hair\nhttps://elsewhere.example/x\n")
    shop.web.asked.clear()

    second = crawls.run("--known", known, "--pages", listed)

    assert [record.title for record in pages(second)] == ["Hair, anew - Follica"]
    assert shop.asked == ["/hair"]
    assert second.run.not_kept == {"not on this site": 1}


def test_a_second_look_at_a_page_that_went_asks_whether_the_site_is_there(shop: Shop, crawls: Crawls) -> None:
    first = crawls.run()
    known = known_file(crawls, first)
    del shop.web.routes[f"{HOST}/hair"]
    listed = crawls.home / "pages.txt"
    listed.write_text(f"{HOME}hair\n")
    shop.web.asked.clear()

    second = crawls.run("--known", known, "--pages", listed)

    assert shop.asked == ["/hair", "/"]
    assert {record.url: record.state for record in pages(second)}[f"{HOME}hair"] is PageState.GONE


def test_a_replay_gives_the_same_pages(shop: Shop, crawls: Crawls) -> None:
    shop.put("/hair", page("Page not found"))
    first = crawls.run()

    again = crawls.replay(first.folder)

    assert again.code == first.code, again.err
    drop = {"capture"}
    assert [r.model_dump(exclude=drop) for r in pages(again)] == [r.model_dump(exclude=drop) for r in pages(first)]
    assert [problem.kind for problem in again.run.problems] == ["soft_404"]
