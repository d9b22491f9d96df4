"""A list that has not changed is not sent again; and an unchanged list never hides what is still to be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor.records import LIST_KEY, Outcome
from tests.crawler.conftest import Crawls, Ended, list_page, notice_page
from tests.loopback import Asked, Loopback, Reply


class ListServer:
    """A list with an ETag, and a page for each entry."""

    def __init__(self, web: Loopback, crawls: Crawls) -> None:
        self.etag = '"one"'
        self.links = ["/n/1", "/n/2"]
        self.conditions: list[tuple[str, str]] = []
        start = crawls.card["start"].partition("://")[2]
        web.routes[start] = self._list
        for link in ("/n/1", "/n/2", "/n/3"):
            web.routes[link] = notice_page(f"Notice {link}")

    def _list(self, asked: Asked) -> Reply:
        given = (asked.headers.get("If-None-Match", ""), asked.headers.get("If-Modified-Since", ""))
        self.conditions.append(given)
        headers = {"ETag": self.etag, "Last-Modified": "Mon, 16 Nov 2026 06:00:00 GMT"}
        if given[0] == self.etag:
            return Reply(status=304, headers=headers)
        page = list_page(*self.links)
        return Reply(page.body, headers=headers)


@pytest.fixture
def server(web: Loopback, crawls: Crawls) -> ListServer:
    return ListServer(web, crawls)


def known(crawls: Crawls, ended: Ended, **owed: str) -> Path:
    """What the monitor hands on after a run that read everything on its list."""
    run = ended.run
    lines = [{"key": key, "digest": owed.get("digest", digest)} for key, digest in run.seen.items()]
    lines += [
        {"key": f"{LIST_KEY}{url}", "digest": one.asked, "etag": one.etag, "last_modified": one.last_modified}
        for url, one in run.lists.items()
    ]
    path = crawls.home / "known.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_an_unchanged_list_is_read_well_and_brings_nothing(crawls: Crawls, server: ListServer) -> None:
    first = crawls.run()
    assert first.code == 0, first.err
    [(address, state)] = first.run.lists.items()
    assert (address, state.etag, state.last_modified) == (
        crawls.card["start"],
        '"one"',
        "Mon, 16 Nov 2026 06:00:00 GMT",
    )
    second = crawls.run("--known", known(crawls, first))

    assert server.conditions == [("", ""), ('"one"', "Mon, 16 Nov 2026 06:00:00 GMT")]
    assert second.code == 0, second.err
    run = second.run
    assert (run.outcome, run.unchanged, run.listed, run.problems) == (Outcome.OK, 1, None, ())
    assert second.records == []
    assert run.lists == first.run.lists
    assert [capture.status for capture in second.captures if capture.url == address] == [304]


def test_a_changed_list_is_read_as_ever(crawls: Crawls, server: ListServer) -> None:
    path = known(crawls, crawls.run())
    server.etag, server.links = '"two"', ["/n/1", "/n/2", "/n/3"]
    second = crawls.run("--known", path)

    assert (second.run.unchanged, second.run.listed, len(second.records)) == (0, 3, 1)
    assert next(iter(second.run.lists.values())).etag == '"two"'


@pytest.mark.parametrize("option", ["--full", "--sweep"])
def test_a_whole_reading_asks_without_condition(crawls: Crawls, server: ListServer, option: str) -> None:
    path = known(crawls, crawls.run())
    assert crawls.run("--known", path, option).run.listed == 2
    assert server.conditions == [("", "")] * 2


def test_what_is_still_owed_is_not_hidden_by_an_unchanged_list(crawls: Crawls, server: ListServer) -> None:
    path = known(crawls, crawls.run(), digest="")
    assert len(crawls.run("--known", path).records) == 2
    assert server.conditions == [("", "")] * 2


def test_what_is_asked_otherwise_is_another_list(crawls: Crawls, server: ListServer) -> None:
    path = known(crawls, crawls.run())
    assert crawls.run("--known", path, "--since", "2026-01-01").run.unchanged == 0
    assert server.conditions[-1] == ("", "")
