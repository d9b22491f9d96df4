"""The day's requests are counted over runs and over sources of one host; whole lists come round again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import Engine

from monitor.commands.listeners import sentence
from monitor.records import Pace, RunRequest, SourceCard
from monitor.running import budget
from monitor.running.cycle import Cycle, Order, Reading
from monitor.running.programs import Crawled, CrawlRequest
from tests.monitor.registered import MONDAY, Registry, registry
from tests.runs import notice_card

CARD = notice_card("us_test_rationed", pace=Pace(delay=1, daily_requests=10), start="http://office.example/a")
SHARING = notice_card("us_test_sharing", start="http://www.office.example/b")
ELSEWHERE = notice_card("us_test_elsewhere", start="http://other.example/b")


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Registry:
    return registry(engine, tmp_path)


def read(desk: Registry, card: SourceCard, requests: int, **changes: Any) -> None:
    maker = desk.maker(card, **changes)
    for number in range(requests):
        maker.notice(f"n{number}", "Kelda Labs")
    desk.take(maker)


def test_requests_of_today_are_counted_over_runs(desk: Registry) -> None:
    read(desk, CARD, 3)
    assert budget.left_today(desk.engine, CARD.id, desk.at) == 7
    read(desk, CARD, 5)
    assert budget.left_today(desk.engine, CARD.id, desk.at) == 2
    read(desk, CARD, 5)
    assert budget.left_today(desk.engine, CARD.id, desk.at) == 0
    assert budget.left_today(desk.engine, CARD.id, desk.at + timedelta(days=1)) == 10


def test_sources_of_one_host_share_its_day(desk: Registry) -> None:
    read(desk, CARD, 1)
    read(desk, SHARING, 4)
    read(desk, ELSEWHERE, 4)

    assert budget.left_today(desk.engine, CARD.id, desk.at) == 5
    assert budget.left_today(desk.engine, SHARING.id, desk.at) is None


def test_a_rehearsal_asks_no_server_and_uses_nothing_up(desk: Registry) -> None:
    read(desk, CARD, 4, mode="rehearsal")
    assert budget.left_today(desk.engine, CARD.id, desk.at) == 10


def test_a_whole_list_is_due_after_four_weeks_and_not_before(desk: Registry) -> None:
    assert not budget.sweep_is_due(desk.engine, CARD.id, MONDAY)
    read(desk, CARD, 1)
    assert not budget.sweep_is_due(desk.engine, CARD.id, desk.at + timedelta(days=28))
    later = desk.at + timedelta(days=29)
    assert budget.sweep_is_due(desk.engine, CARD.id, later)
    desk.at = later
    read(desk, CARD, 1)
    assert budget.sweep_is_due(desk.engine, CARD.id, later)
    read(desk, CARD, 1, request=RunRequest(sweep=True))
    assert not budget.sweep_is_due(desk.engine, CARD.id, later)


def test_a_source_whose_day_is_used_up_is_put_off_and_that_is_well(
    desk: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.running.budget.card_facts", lambda *_: CARD.model_dump(mode="json"))
    read(desk, CARD, 10)
    asked: list[CrawlRequest] = []

    def crawl(request: CrawlRequest, *_: Any) -> Crawled:
        asked.append(request)
        return Crawled(None, "not asked for")

    config = desk.config.model_copy(update={"database": desk.engine.url.render_as_string(hide_password=False)})
    cycle = Cycle(config, Path("config.yaml"), desk.knowledge, Quiet(), crawler=crawl)
    with time_machine.travel(desk.at, tick=False):
        done = cycle.run(Order(sources=(CARD.id,), digest=False))
    assert [reading.state for reading in done.readings] == ["rationed"]
    assert sentence(done.readings[0]) == (
        "us_test_rationed: put off: the requests that its card allows in a day are used up; it goes on tomorrow (UTC)"
    )
    assert (done.exit_code, asked) == (0, [])


class Quiet:
    def started(self, source_id: str) -> None: ...
    def progress(self, source_id: str, counts: dict[str, Any]) -> None: ...
    def ended(self, reading: Reading) -> None: ...
    def note(self, text: str) -> None: ...
