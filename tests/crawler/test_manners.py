"""What the crawler does when a server asks for something, refuses, or leads somewhere that it must not go."""

from __future__ import annotations

import gzip
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from crawler.manners import retry_after
from monitor.records import Outcome
from tests.crawler.conftest import START, Crawls, list_page, notice_page
from tests.loopback import Asked, Loopback, Reply

APOLOGY = Reply(
    "<html><head><title>FDA Apology</title></head><body><p>Sorry.</p></body></html>",
    status=404,
)


def one_notice(web: Loopback, link: str = "/1") -> None:
    web.routes["alerts.example/list"] = list_page(link)
    web.routes["alerts.example/1"] = notice_page("Alert 1")


def test_robots_txt_is_obeyed_and_named_once(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/robots.txt"] = Reply("User-agent: *\nDisallow: /closed/\n", content_type="text/plain")
    web.routes["alerts.example/list"] = list_page("/closed/1", "/closed/2", "/1")
    web.routes["alerts.example/1"] = notice_page("Alert 1")

    ended = crawls.run()

    assert web.paths() == ["/list", "/1"]
    (problem,) = ended.run.problems
    assert (problem.kind, problem.url) == ("robots", "https://alerts.example/closed/1")
    assert ended.run.not_kept == {"robots.txt forbids it": 2}
    assert ended.code == 0


def test_a_rule_for_our_own_name_counts(web: Loopback, crawls: Crawls) -> None:
    robots = "User-agent: Exowatch\nDisallow: /\n\nUser-agent: *\nDisallow:\n"
    web.routes["alerts.example/robots.txt"] = Reply(robots, content_type="text/plain")
    one_notice(web)

    ended = crawls.run()

    assert web.paths() == []
    assert (ended.code, ended.run.outcome) == (2, Outcome.ERRORS)
    assert ended.problems == {"robots": "robots.txt forbids this address"}


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_failing_robots_txt_allows_nothing(web: Loopback, crawls: Crawls, status: int) -> None:
    web.routes["alerts.example/robots.txt"] = Reply("", status=status)
    one_notice(web)

    ended = crawls.run()

    assert web.paths() == []
    assert f"robots.txt could not be read (status {status})" in ended.problems["http_error"]
    assert ended.code == 2


def test_a_robots_txt_that_never_comes_allows_nothing(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/robots.txt"] = Reply("", wait=threading.Event())
    one_notice(web)
    crawls.config["network"] = {"timeout_seconds": 0.3, "retries": 0}

    ended = crawls.run()

    assert web.paths() == []
    assert "robots.txt could not be read (DownloadTimeoutError" in ended.problems["download_error"]


def test_no_robots_txt_allows_all_even_if_its_error_page_reads_like_one(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/robots.txt"] = Reply("User-agent: *\nDisallow: /\n", status=404)
    one_notice(web)

    assert crawls.run().code == 0


def test_crawl_delay_is_kept(web: Loopback, crawls: Crawls) -> None:
    # a rehearsal waits a thousandth: 0.4 s
    web.routes["alerts.example/robots.txt"] = Reply("User-agent: *\nCrawl-delay: 400\n", content_type="text/plain")
    one_notice(web)

    crawls.run()

    times = [asked.at for asked in web.asked]
    assert len(times) == 3
    # a busy machine may notice a request late, and the next one then seems to follow sooner
    assert all(later - earlier >= 0.25 for earlier, later in pairwise(times))


def test_the_cards_own_delay_is_kept_where_robots_txt_asks_for_less(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/robots.txt"] = Reply("User-agent: *\nCrawl-delay: 1\n", content_type="text/plain")
    crawls.card["pace"] = {"delay": 300}
    one_notice(web)

    crawls.run()

    times = [asked.at for asked in web.asked]
    # 0.3 s apart where they are sent; a busy machine may notice one late, and the next then seems to follow sooner
    assert len(times) == 3
    assert all(later - earlier >= 0.2 for earlier, later in pairwise(times))


def test_retry_after_is_waited_for(web: Loopback, crawls: Crawls) -> None:
    one_notice(web)
    busy = iter([Reply("", status=429, headers={"Retry-After": "500"})])
    web.routes["alerts.example/1"] = lambda asked: next(busy, notice_page("Alert 1"))

    ended = crawls.run()

    first, second = [asked.at for asked in web.asked if asked.path == "/1"]
    assert second - first >= 0.49
    assert ended.code == 0
    assert len(ended.records) == 1
    assert ended.run.responses["429"] == 1


def test_who_asks_for_a_long_wait_is_left_alone(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/list"] = list_page("/1", "/2")
    web.routes["alerts.example/1"] = Reply("", status=503, headers={"Retry-After": "86400"})

    ended = crawls.run()

    assert web.paths() == ["/list", "/1"]
    assert "asked to wait 86400 s" in ended.problems["blocked"]
    assert (ended.code, ended.run.outcome) == (5, Outcome.BLOCKED)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Mon, 16 Nov 2026 05:02:00 GMT", 120.0),
        ("Mon, 16 Nov 2026 04:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after(value, datetime(2026, 11, 16, 5, 0, tzinfo=UTC)) == seconds


def test_a_redirect_to_the_apology_page_blocks_the_source(web: Loopback, crawls: Crawls) -> None:
    apology = "/apology_objects/abuse-detection-apology.html"
    web.routes["alerts.example/list"] = list_page("/1", "/2", "/3")
    web.routes["alerts.example/1"] = Reply("", status=302, headers={"Location": apology})
    web.routes[apology] = APOLOGY

    ended = crawls.run()

    assert (ended.code, ended.run.outcome, ended.run.finish_reason) == (5, Outcome.BLOCKED, "blocked")
    assert web.paths() == ["/list", "/1"], "the host is asked for nothing more"
    (problem,) = ended.run.problems
    assert problem.kind == "blocked"
    assert "apology" in problem.message
    assert problem.capture == ended.captures[-1].id
    assert ended.records == []


@pytest.mark.parametrize(
    "reply",
    [
        APOLOGY,
        Reply("", status=302, headers={"Location": "/core/install.php"}),
        Reply("<title>Just a moment...</title>", status=403, headers={"cf-mitigated": "challenge"}),
        Reply("<title>Shop</title><p>Our systems have detected unusual traffic.</p>", status=429),
        Reply('<meta http-equiv="refresh" content="5; URL=/?bm-verify=AAQ"><title>&nbsp;</title>'),
    ],
    ids=["apology", "bait", "cloudflare", "unusual traffic", "akamai"],
)
def test_a_block_page_never_reaches_the_reader(web: Loopback, crawls: Crawls, reply: Reply) -> None:
    web.routes["alerts.example/list"] = reply

    ended = crawls.run()

    assert (ended.code, ended.run.outcome) == (5, Outcome.BLOCKED)
    assert [problem.kind for problem in ended.run.problems] == ["blocked"]
    assert web.paths() == ["/list"], "a block is never retried"
    assert len(ended.captures) == 2, "the block page is evidence too"


def test_a_block_of_the_same_site_by_its_other_name_blocks_the_source(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/list"] = Reply("", status=301, headers={"Location": "https://www.alerts.example/list"})
    web.routes["www.alerts.example/list"] = list_page("/1", "/2")
    web.routes["www.alerts.example/1"] = notice_page("Alert 1")
    web.routes["www.alerts.example/2"] = APOLOGY

    ended = crawls.run()

    assert len(ended.records) == 1
    assert (ended.code, ended.run.outcome) == (5, Outcome.BLOCKED)


def test_a_block_elsewhere_stops_that_host_only(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/list"] = list_page("https://other.example/1", "https://other.example/2", "/3")
    web.routes["other.example/1"] = APOLOGY
    web.routes["other.example/2"] = notice_page("Alert 2")
    web.routes["alerts.example/3"] = notice_page("Alert 3")
    # the other host is slow to be asked again, so that its block is known by then
    web.routes["other.example/robots.txt"] = Reply("User-agent: *\nCrawl-delay: 300\n", content_type="text/plain")

    ended = crawls.run()

    assert [record.title for record in ended.records] == ["Alert 3"]
    assert web.paths("other.example") == ["/1"]
    assert (ended.code, ended.run.finish_reason) == (0, "finished")
    assert [problem.kind for problem in ended.run.problems] == ["blocked"]


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1/secret",
        "http://127.0.0.1:{port}/secret",
        "http://2130706433/secret",
        "http://0x7f000001/secret",
        "http://[::1]/secret",
        "http://[::ffff:127.0.0.1]/secret",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.8/",
        "http://localhost:{port}/secret",
        "http://intranet/secret",
        "http://printer.local/",
        "file:///etc/passwd",
        "ftp://alerts.example/file",
    ],
)
def test_a_redirect_to_what_is_not_the_public_web_is_refused(web: Loopback, crawls: Crawls, target: str) -> None:
    web.routes["alerts.example/list"] = list_page("/1")
    web.routes["alerts.example/1"] = Reply("", status=302, headers={"Location": target.format(port=web.port)})
    web.routes["/secret"] = notice_page("Secret")

    ended = crawls.run()

    assert web.paths() == ["/list", "/1"]
    assert ended.records == []
    (problem,) = ended.run.problems
    assert problem.kind == "refused_address"
    assert problem.capture == ended.captures[-1].id, "the redirect itself is kept"
    assert {asked.host for asked in web.asked} == {"alerts.example"}


def test_a_page_that_sends_the_reader_to_a_private_address_is_refused(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/list"] = list_page("/1")
    refresh = f'<meta http-equiv="refresh" content="0; url=http://127.0.0.1:{web.port}/secret">'
    web.routes["alerts.example/1"] = Reply(f"<html><head>{refresh}</head><body><h1>One moment</h1></body></html>")
    web.routes["/secret"] = notice_page("Secret")

    ended = crawls.run()

    assert ended.records == []
    assert "127.0.0.1 is not a public address" in ended.problems["refused_address"]
    assert "/secret" not in web.paths()


@pytest.mark.parametrize("link", ["http://127.0.0.1:{port}/secret", "file:///etc/passwd", "data:text/html,<h1>x</h1>"])
def test_a_link_to_what_is_not_the_public_web_is_refused(web: Loopback, crawls: Crawls, link: str) -> None:
    web.routes["alerts.example/list"] = list_page(link.format(port=web.port), "/1")
    web.routes["alerts.example/1"] = notice_page("Alert 1")
    web.routes["/secret"] = notice_page("Secret")

    ended = crawls.run()

    assert [record.title for record in ended.records] == ["Alert 1"]
    assert "refused_address" in ended.problems
    assert "/secret" not in web.paths()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_public_name_that_resolves_to_this_machine_is_refused(web: Loopback, crawls: Crawls, address: str) -> None:
    crawls.config = {"contact": "mailto:watch@office.example"}
    crawls.environment["EXOWATCH_TEST_DNS"] = f"rebound.example={address}"
    crawls.card["start"] = f"http://rebound.example:{web.port}/list"
    web.routes["/list"] = notice_page("Secret")

    ended = crawls.run()

    assert web.asked == [], "not even robots.txt is asked for"
    assert ended.run.mode == "live"
    assert ended.captures == []
    assert f"the name leads to {address}" in str(ended.problems)
    assert ended.code == 2


def test_a_body_beyond_the_limit_is_broken_off(web: Loopback, crawls: Crawls) -> None:
    sent = []

    def megabytes() -> Iterator[bytes]:
        for number in range(200):
            sent.append(number)
            yield b"x" * 1024**2

    one_notice(web)
    crawls.config["network"] = {"max_body_mb": 2}
    web.routes["alerts.example/1"] = lambda asked: Reply(chunks=megabytes())

    ended, peak = crawls.run_measured()

    assert peak < 200 * 1024**2
    assert ended.problems == {"too_large": "larger than the 2 MB of network.max_body_mb"}
    assert len(sent) < 100
    assert ended.records == []
    assert (ended.folder / "run.warc.gz").stat().st_size < 1024**2


def test_a_body_that_says_it_is_too_large_is_not_begun(web: Loopback, crawls: Crawls) -> None:
    one_notice(web)
    crawls.config["network"] = {"max_body_mb": 1}
    web.routes["alerts.example/1"] = Reply(b"x" * (2 * 1024**2))

    ended = crawls.run()

    assert ended.problems == {"too_large": "larger than the 1 MB of network.max_body_mb"}
    assert [capture.url for capture in ended.captures][1:] == [START]


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS + 16)
    zeros = bytes(1024**2)
    return b"".join(packer.compress(zeros) for _ in range(megabytes)) + packer.flush()


def test_a_gzip_bomb_is_not_unpacked(web: Loopback, crawls: Crawls) -> None:
    one_notice(web)
    crawls.config["network"] = {"max_body_mb": 4}
    packed = bomb(1024)
    assert len(packed) < 4 * 1024**2
    web.routes["alerts.example/1"] = Reply(packed, headers={"Content-Encoding": "gzip"})

    ended, peak = crawls.run_measured()

    assert peak < 200 * 1024**2

    assert ended.problems == {"too_large": "larger than the 4 MB of network.max_body_mb"}
    assert ended.captures[-1].status == 200, "what came is kept, packed as it came"
    assert ended.records == []


def test_a_run_stops_at_its_bytes(web: Loopback, crawls: Crawls) -> None:
    links = [f"/{number}" for number in range(20)]
    web.routes["alerts.example/list"] = list_page(*links)
    web.routes |= {f"alerts.example{link}": Reply(b"<h1>Big</h1>" + b" " * 300_000) for link in links}
    crawls.config["network"] = {"max_run_mb": 1}

    ended = crawls.run()

    assert ended.run.finish_reason == "limit_bytes"
    assert "network.max_run_mb" in ended.problems["limit_reached"]
    assert 1024**2 < ended.run.received_bytes < 3 * 1024**2
    assert ended.code == 0


def test_a_run_stops_at_its_requests(web: Loopback, crawls: Crawls) -> None:
    links = [f"/{number}" for number in range(20)]
    web.routes["alerts.example/list"] = list_page(*links)
    web.routes |= {f"alerts.example{link}": notice_page(link) for link in links}
    crawls.card["pace"] = {"delay": 1, "daily_requests": 6}

    ended = crawls.run()

    assert len(web.asked) <= 6
    assert ended.run.finish_reason == "limit_requests"
    assert "6 requests a day" in ended.problems["limit_reached"]


def test_a_page_that_fails_is_named_with_its_status(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/list"] = list_page("/1", "/gone")
    web.routes["alerts.example/1"] = notice_page("Alert 1")

    ended = crawls.run()

    (problem,) = ended.run.problems
    assert (problem.kind, problem.message) == ("http_error", "answered with status 404")
    assert problem.url == "https://alerts.example/gone"
    assert problem.capture == ended.captures[-1].id
    assert ended.code == 0


def test_a_list_that_fails_is_not_an_empty_one(web: Loopback, crawls: Crawls) -> None:
    web.routes["alerts.example/list"] = Reply("", status=500)

    ended = crawls.run()

    assert (ended.code, ended.run.outcome) == (2, Outcome.ERRORS)
    assert web.paths() == ["/list"] * 3, "asked again as often as network.retries says"


def test_a_server_that_hangs_up_is_named(web: Loopback, crawls: Crawls) -> None:
    def hang_up(asked: Asked) -> Reply:
        raise BrokenPipeError

    one_notice(web)
    web.routes["alerts.example/1"] = hang_up

    ended = crawls.run()

    (problem,) = ended.run.problems
    assert problem.kind == "download_error"
    assert problem.url == "https://alerts.example/1"


def test_it_says_who_it_is_and_keeps_no_cookies(web: Loopback, crawls: Crawls) -> None:
    crawls.config["contact"] = "https://watch.example/about"
    web.routes["alerts.example/list"] = Reply(
        list_page("/1").body, headers={"Set-Cookie": "session=1; Path=/", "Content-Language": "en"}
    )
    web.routes["alerts.example/1"] = notice_page("Alert 1")

    crawls.run()

    assert {asked.headers["User-Agent"].partition("/")[0] for asked in web.asked} == {"Exowatch"}
    assert web.asked[-1].headers["User-Agent"].endswith(" (+https://watch.example/about)")
    assert all("Cookie" not in asked.headers for asked in web.asked)


def test_an_ordinary_gzip_page_is_read(web: Loopback, crawls: Crawls) -> None:
    one_notice(web)
    web.routes["alerts.example/1"] = Reply(gzip.compress(b"<h1>Packed</h1>"), headers={"Content-Encoding": "gzip"})

    assert [record.title for record in crawls.run().records] == ["Packed"]
