"""A source's past is read in steps that are kept, within the day's requests, and is gone on with where it stopped."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlmodel import select

from monitor import clock
from monitor.cli import main
from monitor.commands.backfilling import sentence
from monitor.config import Config
from monitor.intake.runs import known_items
from monitor.knowledge import load
from monitor.records import Expectation, Outcome, Problem, RunRequest
from monitor.running.backfill import Step, backfill, backfills, first_day
from monitor.running.cycle import Cycle
from monitor.running.programs import Children, Crawled, CrawlRequest
from monitor.tables.db import open_engine, reading
from monitor.tables.models import Event, Notice, Run
from tests.runs import RunMaker, notice_card

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
SOURCE = "us_test_past"
CARD = notice_card(SOURCE, expect=Expectation())


class Letters:
    """A crawler over a list of letters, one a day back from yesterday, newest first; each costs one request."""

    def __init__(self, config: Config, count: int) -> None:
        self.config = config
        self.days = [NOON.date() - timedelta(days=number) for number in range(1, count + 1)]
        self.asked: list[CrawlRequest] = []
        self.unreadable: set[date] = set()
        self.outcome = Outcome.OK
        self.at = NOON

    def __call__(self, request: CrawlRequest, *_: Any) -> Crawled:
        self.asked.append(request)
        known = {item.key: item.digest for item in request.known}
        self.at += timedelta(minutes=5)
        maker = RunMaker(CARD, self.at, self.config.runs_folder, outcome=self.outcome)
        maker.request = RunRequest(since=request.since, limit=request.limit, sweep=request.sweep)
        beyond = 0
        for day in self.days if self.outcome is Outcome.OK else ():
            key = day.isoformat()
            if request.since and day < request.since:
                maker.seen[key] = "read-older"
            elif known.get(key) == "read":
                maker.seen[key], maker.known = "read", maker.known + 1
            elif len(maker.captures) >= (request.most_requests or 10**6):
                maker.seen[key], maker.finish_reason = "", "limit_requests"
            elif len(maker.records) >= (request.limit or 10**6):
                maker.seen[key], beyond = "", beyond + 1
            else:
                maker.notice(key, f"Letter of {key}", posted=day, issued=day)
                maker.seen[key] = "" if day in self.unreadable else "read"
        if maker.finish_reason == "limit_requests":
            maker.problems.append(Problem(kind="limit_reached", message="made the requests"))
        if beyond:
            maker.not_kept = {"beyond the limit asked for": beyond}
        return Crawled(maker.write())


class Quiet:
    def started(self, source_id: str) -> None: ...
    def progress(self, source_id: str, counts: dict[str, Any]) -> None: ...
    def ended(self, reading: Any) -> None: ...
    def note(self, text: str) -> None: ...


@pytest.fixture
def config(tmp_path: Path, database_url: str) -> Config:
    return Config(data=tmp_path / "var", database=database_url, contact="desk@watch.example")


@pytest.fixture
def letters(config: Config, monkeypatch: pytest.MonkeyPatch) -> Letters:
    pace = {"delay": 30, "daily_requests": None}
    monkeypatch.setattr("monitor.running.backfill.card_facts", lambda *_: {"pace": pace})
    monkeypatch.setattr("monitor.running.budget.card_facts", lambda *_: {"pace": pace, "start": CARD.start})
    made = Letters(config, 40)
    made.pace = pace  # type: ignore[attr-defined]
    return made


def read_back(letters: Letters, since: date, *, step: int = 10, steps: int | None = None) -> list[Step]:
    cycle = Cycle(letters.config, Path("config.yaml"), load(), Quiet(), crawler=letters, children=Children())
    with time_machine.travel(letters.at, tick=False):
        return list(backfill(cycle, SOURCE, since, step=step, steps=steps))


def held(config: Config) -> list[str]:
    engine = open_engine(config.database_url)
    with reading(engine) as session:
        keys = [notice.key for notice in session.exec(select(Notice).order_by(Notice.id))]  # type: ignore[arg-type]
    engine.dispose()
    return keys


def test_the_past_is_read_step_by_step_and_ends(letters: Letters) -> None:
    found = read_back(letters, date(2026, 10, 31))

    assert [(step.number, step.records, step.state) for step in found] == [
        (1, 10, "going"),
        (2, 20, "going"),
        (3, 25, "done"),
    ]
    assert found[-1].reached == date(2026, 10, 31)
    assert len(held(letters.config)) == 25
    assert [(one.limit, one.sweep, one.since) for one in letters.asked] == [(10, True, date(2026, 10, 31))] * 3


def test_what_is_left_is_told_by_the_days_read_and_the_pace_of_the_card(letters: Letters) -> None:
    first = read_back(letters, date(2026, 10, 31), steps=1)[0]

    # 10 letters in the 9 days between newest and oldest, 15 days to go; 30 seconds for each.
    assert first.left == 17
    assert first.time_left == timedelta(minutes=8, seconds=30)
    assert sentence(SOURCE, date(2026, 10, 31), first) == (
        "us_test_past: step 1: 10 records, 10 in all, back to 2026-11-15; about 17 left, 8 minutes at its pace"
    )


def test_it_goes_on_where_it_stopped_and_reads_nothing_twice(letters: Letters) -> None:
    read_back(letters, date(2026, 10, 31), steps=2)
    found = read_back(letters, date(2026, 10, 31))

    assert [(step.records, step.state) for step in found] == [(25, "done")]
    assert len(held(letters.config)) == len(set(held(letters.config))) == 25
    engine = open_engine(letters.config.database_url)
    [one] = backfills(engine)
    assert (one.steps, one.records, one.reached) == (3, 25, date(2026, 10, 31))
    assert one.done_at is not None
    engine.dispose()


def test_a_step_that_was_whole_and_not_taken_in_is_taken_in_first(letters: Letters) -> None:
    read_back(letters, date(2026, 10, 31), steps=1)
    engine = open_engine(letters.config.database_url)
    request = CrawlRequest(
        SOURCE, letters.config.runs_folder, list(known_items(engine, SOURCE)), since=date(2026, 10, 31), limit=10
    )
    engine.dispose()
    letters(request)  # killed between the crawl and the intake
    assert len(held(letters.config)) == 10
    found = read_back(letters, date(2026, 10, 31))

    assert [step.state for step in found] == ["done"]
    assert len(held(letters.config)) == 25


def test_the_requests_of_a_day_bound_all_steps_together(letters: Letters) -> None:
    letters.pace["daily_requests"] = 17  # type: ignore[attr-defined]
    found = read_back(letters, date(2026, 10, 31))

    assert [(step.state, step.reading.records) for step in found] == [("going", 10), ("going", 7), ("rationed", 0)]
    assert [one.most_requests for one in letters.asked] == [17, 7]
    assert found[0].time_left == timedelta(days=1)
    letters.at += timedelta(days=1)
    assert [step.state for step in read_back(letters, date(2026, 10, 31))] == ["done"]
    assert len(held(letters.config)) == 25


def test_entries_that_cannot_be_read_do_not_keep_it_going_for_ever(letters: Letters) -> None:
    letters.unreadable = {date(2026, 11, 20)}
    found = read_back(letters, date(2026, 11, 16))

    assert [step.state for step in found] == ["going", "stuck"]


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.STOPPED])
def test_a_step_that_fails_ends_it_and_loses_nothing(letters: Letters, outcome: Outcome) -> None:
    read_back(letters, date(2026, 10, 31), steps=1)
    letters.outcome = outcome
    assert [step.state for step in read_back(letters, date(2026, 10, 31))] == ["failed"]
    letters.outcome = Outcome.OK
    assert read_back(letters, date(2026, 10, 31))[-1].state == "done"
    assert len(held(letters.config)) == 25


def test_what_lies_before_the_first_reading_is_history(letters: Letters) -> None:
    read_back(letters, date(2026, 10, 31))
    engine = open_engine(letters.config.database_url)
    with reading(engine) as session:
        news = session.exec(select(Event).where(Event.kind == "notice_published", Event.baseline == False)).all()  # noqa: E712
        assert len(session.exec(select(Run)).all()) == 3
    engine.dispose()
    assert news == []


def test_further_back_is_another_backfill(letters: Letters) -> None:
    read_back(letters, date(2026, 11, 16))
    found = read_back(letters, date(2026, 10, 31))

    assert found[-1].state == "done"
    assert found[-1].records == 16
    assert len(held(letters.config)) == 25


@pytest.mark.parametrize(
    ("text", "day"), [("2021", date(2021, 1, 1)), ("2021-03", date(2021, 3, 1)), ("2021-03-15", date(2021, 3, 15))]
)
def test_a_year_or_a_month_is_its_first_day(text: str, day: date) -> None:
    assert first_day(text) == day


@pytest.mark.parametrize("text", ["21", "2021-13", "2021-02-30", "March 2021", "2021-3", ""])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no date|must be in|day is out of range"):
        first_day(text)


# --- the command


@pytest.fixture
def exowatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("contact: desk@watch.example\nsources: {us_fda_warning_letters: {}}\n")

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["backfill", *arguments])
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["us_fda_waring_letters", "--since", "2021"], "did you mean us_fda_warning_letters?"),
        (["us_fda_warning_letters"], "--since is needed: how far back, such as --since 2021"),
        (
            ["us_fda_warning_letters", "--since", "soon"],
            "--since: soon is no date; write it as 2021, 2021-03 or 2021-03-15",
        ),
        (["us_fda_warning_letters", "--since", "2999"], "--since: 2999-01-01 has not come yet"),
    ],
)
def test_a_wrong_question_is_answered_in_a_line(exowatch: Callable[..., Any], arguments: list[str], told: str) -> None:
    code, _, err = exowatch(*arguments)
    assert code == 2
    assert told in err
    assert not Path("var").exists()


def test_how_far_each_has_come(exowatch: Callable[..., Any], letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXOWATCH_DATABASE_URL", letters.config.database_url)
    assert exowatch()[1].startswith("No source's past was asked for")
    read_back(letters, date(2026, 10, 31), steps=1)
    assert exowatch()[1].startswith(
        "us_test_past: to 2026-10-31: 10 records in 1 step, back to 2026-11-15; going, last step 2026-11-25 "
    )


def test_the_clock_reads_cards_as_files(tmp_path: Path) -> None:
    assert clock.card_facts("us_fda_warning_letters")["pace"]["delay"] == 30
    assert clock.card_facts("no_such_source") == {}
    assert json.dumps(clock.frequency_of("no_such_source")) == '"daily"'
