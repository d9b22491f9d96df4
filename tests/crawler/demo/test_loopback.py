"""The server: hosts, dates, conditional requests, keep-alive."""

from __future__ import annotations

import gzip
import http.client
from datetime import date

import pytest

from crawler.demo.loopback import Answer, Question, Running
from tests.crawler.demo.asking import WEEK_1, WEEK_2, Asker

STABLE = "https://news.health-ledger.example/2026/11/exosome-clinics"
FLICKERING = "https://www.halden-regen.example/treatments/exosome-hair"


def test_an_unknown_host_is_a_502_that_says_which(ask: Asker) -> None:
    reply = ask.get("https://nobody.example/")
    assert reply.status == 502
    assert "nobody.example" in reply.text


def test_the_port_in_the_host_header_does_not_matter(ask: Asker) -> None:
    assert ask.get(STABLE, Host="news.health-ledger.example:443").status == 200


def test_a_date_that_is_none_is_a_400_that_says_what_to_write(ask: Asker) -> None:
    reply = ask.get(STABLE, day="next week")
    assert reply.status == 400
    assert "2026-11-16" in reply.text


def test_many_requests_go_over_one_connection(address: str) -> None:
    connection = http.client.HTTPConnection(address, timeout=10)
    headers = {"Host": "news.health-ledger.example", "X-Rehearsal-Date": WEEK_1}
    connection.request("GET", "/", headers=headers)
    first = connection.getresponse()
    socket = connection.sock
    assert int(first.headers["Content-Length"]) == len(first.read())
    connection.request("GET", "/nothing", headers=headers)
    second = connection.getresponse()
    second.read()
    assert (first.version, second.status) == (11, 404)
    assert connection.sock is socket
    connection.close()


def test_head_has_the_headers_of_get_and_no_body(ask: Asker) -> None:
    reply = ask.get(STABLE, method="HEAD")
    assert reply.status == 200
    assert reply.body == b""
    assert int(reply.headers["Content-Length"]) == len(ask.get(STABLE).body)


def test_a_page_that_did_not_change_answers_304_to_its_etag_and_to_its_date(ask: Asker) -> None:
    first = ask.get(STABLE)
    by_tag = ask.get(STABLE, If_None_Match=first.headers["ETag"])
    by_date = ask.get(STABLE, If_Modified_Since=first.headers["Last-Modified"])
    assert (by_tag.status, by_tag.body, by_tag.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert by_date.status == 304
    assert ask.get(STABLE, day=WEEK_2, If_None_Match=first.headers["ETag"]).status == 304


def test_another_tag_or_date_gets_the_page(ask: Asker) -> None:
    first = ask.get(STABLE)
    assert ask.get(STABLE, If_None_Match='"else"', If_Modified_Since=first.headers["Last-Modified"]).status == 200
    assert ask.get(STABLE, If_Modified_Since="Mon, 01 Jan 2024 00:00:00 GMT").status == 200


def test_pages_are_compressed_for_those_who_ask(ask: Asker) -> None:
    plain = ask.get(STABLE)
    packed = ask.get(STABLE, Accept_Encoding="gzip, deflate")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "Content-Encoding" not in plain.headers


def test_a_flickering_page_is_another_at_every_request_and_never_304(ask: Asker) -> None:
    first, second = ask.get(FLICKERING), ask.get(FLICKERING)
    assert first.body != second.body
    assert "ETag" not in first.headers
    assert "people are looking at this page right now" in first.text


def test_posted_fields_reach_the_application() -> None:
    seen: list[Question] = []

    def app(question: Question) -> Answer:
        seen.append(question)
        return Answer("well")

    with Running(app) as running:
        asker = Asker(running.address)
        assert (
            asker.post("http://somewhere.example/x", {"start": "10", "name": "a b&c"}, day="2026-11-20").status == 200
        )
        asker.close()
    assert seen[0].form == {"start": "10", "name": "a b&c"}
    assert (seen[0].host, seen[0].path, seen[0].day) == ("somewhere.example", "/x", date(2026, 11, 20))


@pytest.mark.parametrize("day", ["2026-11-18", "2026-11-18T06:00:00Z"])
def test_a_moment_serves_as_a_date(ask: Asker, day: str) -> None:
    assert ask.get("https://www.boreal-biologics.example/products/boreal-exo-30", day=day).status == 200
