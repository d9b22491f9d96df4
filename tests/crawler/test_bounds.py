"""A run ends with the requests that are left of a day; a sweep goes on where an ordinary run has seen enough."""

from __future__ import annotations

import pytest

from tests.crawler.conftest import Crawls, list_page, notice_page
from tests.crawler.test_source_runs import Desk, known_file, use
from tests.loopback import Loopback


def test_a_run_ends_with_what_is_left_of_the_day(web: Loopback, crawls: Crawls) -> None:
    links = [f"/n/{number}" for number in range(6)]
    web.routes[crawls.card["start"].partition("://")[2]] = list_page(*links)
    for link in links:
        web.routes[link] = notice_page(f"Notice {link}")
    crawls.card["pace"] = {"delay": 1, "daily_requests": 100}
    ended = crawls.run("--requests", "4")

    assert ended.run.finish_reason == "limit_requests"
    assert 2 <= len(web.asked) <= 4  # the list was read; one in hand may have been let go
    assert ended.run.request.most_requests == 4
    assert "made the 4 requests that are left of a day's for this source" in ended.problems["limit_reached"]


def test_no_requests_at_all_is_a_wrong_argument(crawls: Crawls) -> None:
    assert "must be 1 or more" in crawls.run("--requests", "0").err


@pytest.fixture
def desk(web: Loopback, crawls: Crawls) -> Desk:
    use(crawls, "demo_warning_letters", page_size=5)
    made = Desk(web)
    for number in range(1, 26):
        made.write(number, f"{10 + number // 25:02d}/{number:02d}/2026")
    return made


def test_a_sweep_goes_through_the_whole_list_and_fetches_only_what_is_new(crawls: Crawls, desk: Desk) -> None:
    known = known_file(crawls, crawls.run())
    desk.forget()
    crawls.run("--known", known)
    assert (desk.asked_pages, desk.asked_letters) == (2, [])
    desk.forget()
    desk.rows[22]["closeout"] = "closed"
    swept = crawls.run("--known", known, "--sweep")

    assert desk.asked_pages >= 5
    assert desk.asked_letters == [desk.rows[22]["number"]]
    assert swept.run.known == 24


def test_a_sweep_ends_where_it_was_to_end(crawls: Crawls, desk: Desk) -> None:
    known = known_file(crawls, crawls.run("--since", "2026-10-18"))
    desk.forget()
    crawls.run("--known", known, "--sweep", "--since", "2026-10-18")

    assert 2 <= desk.asked_pages <= 4
