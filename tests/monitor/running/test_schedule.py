"""The clock: what is due and overdue, never twice at once, and an orderly end."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.interval import IntervalTrigger
from hypothesis import given
from hypothesis import strategies as st

from monitor.clock import Plan, finished_week, is_overdue, last_digest_time, next_reading, next_time
from monitor.config import Config, DigestChoice, Schedule, SourceChoice
from monitor.migrations import upgrade
from monitor.running.schedule import DIGEST_JOB, Clock, digest_trigger, memory, trigger_of
from monitor.tables.db import open_engine, transaction
from monitor.tables.models import DigestIssue, Run, Source
from tests.monitor.doubles import Rooms
from tests.monitor.doubles import rooms as make_rooms

TUESDAY = datetime(2026, 11, 24, 12, tzinfo=UTC)
SCHEDULES = st.one_of(
    st.builds(Schedule, every=st.just("hour"), at=st.times().map(lambda t: t.replace(second=0, microsecond=0))),
    st.builds(Schedule, every=st.just("day"), at=st.times().map(lambda t: t.replace(second=0, microsecond=0))),
    st.builds(
        Schedule,
        every=st.just("week"),
        on=st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
        at=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    ),
    st.builds(
        Schedule,
        every=st.just("month"),
        day=st.integers(1, 28),
        at=st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    ),
)


@given(SCHEDULES, st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1)).map(lambda t: t.replace(tzinfo=UTC)))
def test_the_librarys_trigger_fires_when_our_arithmetic_says(schedule: Schedule, moment: datetime) -> None:
    ours = next_time(schedule, moment)
    assert ours > moment
    assert trigger_of(schedule).get_next_fire_time(None, moment + timedelta(microseconds=1)) == ours
    assert not is_overdue(schedule, moment, ours - timedelta(microseconds=1))
    assert is_overdue(schedule, moment, ours)


def test_a_weekday_is_the_day_it_says() -> None:
    monday = Schedule(every="week", on="mon")
    assert next_time(monday, TUESDAY) == datetime(2026, 11, 30, 5, tzinfo=UTC)
    assert f"{next_time(monday, TUESDAY):%A}" == "Monday"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"])
def test_the_digest_falls_due_once_a_week_in_its_readers_zone_through_every_change_of_clocks(zone: str) -> None:
    choice = DigestChoice(timezone=zone, on="sun")
    trigger = digest_trigger(choice)
    last, fired = None, []
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(104):
        last = trigger.get_next_fire_time(last, moment)
        moment = last + timedelta(seconds=1)
        fired.append(last)
        assert last_digest_time(choice, moment) == last
    assert {f"{at.astimezone(ZoneInfo(zone)):%A %H:%M}" for at in fired} == {"Sunday 06:30"}
    assert len({at.astimezone(ZoneInfo(zone)).isocalendar()[:2] for at in fired}) == 104


def test_a_digest_reports_on_the_week_that_is_over() -> None:
    assert finished_week(datetime(2026, 11, 30, 6, 30, tzinfo=UTC), "UTC") == "2026-W48"
    assert finished_week(datetime(2027, 1, 4, 6, 30, tzinfo=UTC), "UTC") == "2026-W53"
    assert finished_week(datetime(2026, 11, 29, 23, 30, tzinfo=UTC), "Europe/Berlin") == "2026-W48"
    assert finished_week(datetime(2026, 11, 29, 23, 30, tzinfo=UTC), "UTC") == "2026-W47"


def test_what_is_overdue_comes_next_and_otherwise_the_nearest() -> None:
    config = Config(
        sources={
            "us_hourly": SourceChoice(schedule=Schedule(every="hour")),
            "us_weekly": SourceChoice(schedule=Schedule(every="week", on="mon")),
            "us_off": SourceChoice(on=False),
        }
    )
    fresh = {"us_hourly": TUESDAY, "us_weekly": TUESDAY}
    assert next_reading(config, fresh, TUESDAY) == ("us_hourly", TUESDAY + timedelta(hours=1), False)
    late = {**fresh, "us_weekly": TUESDAY - timedelta(days=8)}
    assert next_reading(config, late, TUESDAY) == ("us_weekly", TUESDAY, True)
    assert next_reading(config, {"us_hourly": TUESDAY}, TUESDAY) == ("us_weekly", TUESDAY, True)
    assert next_reading(Config(), {}, TUESDAY) is None


# --- jobs as they are made at the start


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = Config(
        data=tmp_path / "var",
        sources={name: SourceChoice(schedule=Schedule(every="day")) for name in ("us_never", "us_late", "us_fresh")},
        digest=DigestChoice(on="mon"),
    )
    engine = open_engine(made.database_url)
    upgrade(engine)
    engine.dispose()
    return made


def remember(config: Config, reads: dict[str, datetime], digest: datetime | None = None) -> None:
    engine = open_engine(config.database_url)
    with transaction(engine) as session:
        for source_id, at in reads.items():
            session.add(Source(id=source_id, title="", jurisdiction="us", kind="notice", card={}, state_since=at))
            session.flush()
            session.add(
                Run(
                    id=f"{source_id}-1",
                    source_id=source_id,
                    state="taken_in",
                    started_at=at,
                    finished_at=at,
                    taken_in_at=at,
                    folder="",
                    record={},
                )
            )
        if digest:
            session.add(
                DigestIssue(name="2026-W40", period_from=digest, period_to=digest, written_at=digest, sha256="0" * 64)
            )
    engine.dispose()


def jobs_of(config: Config, now: datetime) -> dict[str, datetime]:
    clock = Clock(config, Path("config.yaml"))
    clock._add_jobs(now)
    return {job.id: job.next_run_time for job in clock.scheduler.get_jobs()}


def test_what_is_overdue_is_done_at_the_start_and_the_rest_at_its_time(config: Config) -> None:
    remember(config, {"us_late": TUESDAY - timedelta(days=2), "us_fresh": TUESDAY - timedelta(hours=1)}, TUESDAY)
    jobs = jobs_of(config, TUESDAY)
    assert jobs["us_never"] == jobs["us_late"] == TUESDAY
    assert jobs["us_fresh"] == datetime(2026, 11, 25, 5, tzinfo=UTC)
    assert jobs[DIGEST_JOB] == datetime(2026, 11, 30, 6, 30, tzinfo=UTC)


def test_a_digest_that_was_missed_is_written_at_the_start(config: Config) -> None:
    remember(config, {"us_fresh": TUESDAY - timedelta(days=9)}, TUESDAY - timedelta(days=8))
    assert jobs_of(config, TUESDAY)[DIGEST_JOB] == TUESDAY


def test_before_anything_was_read_there_is_no_digest_to_catch_up(config: Config) -> None:
    assert memory(config) == ({}, None)
    assert jobs_of(config, TUESDAY)[DIGEST_JOB] == datetime(2026, 11, 30, 6, 30, tzinfo=UTC)
    remember(config, {"us_fresh": TUESDAY - timedelta(hours=1)})
    assert jobs_of(config, TUESDAY)[DIGEST_JOB] == datetime(2026, 11, 30, 6, 30, tzinfo=UTC)


def test_jobs_may_be_late_by_hours_are_joined_and_never_doubled(config: Config) -> None:
    clock = Clock(config, Path("config.yaml"))
    clock._add_jobs(TUESDAY)
    clock.scheduler.start(paused=True)
    try:
        for job in clock.scheduler.get_jobs():
            assert (job.misfire_grace_time >= 3600, job.coalesce, job.max_instances) == (True, True, 1)
    finally:
        clock.scheduler.shutdown()


def wait_for(what: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def test_a_job_that_still_runs_is_not_started_over_itself(
    config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = tmp_path / "log"
    script = tmp_path / "slow.py"
    script.write_text(
        "import pathlib, time\n"
        f"log = pathlib.Path({str(log)!r})\n"
        "log.open('a').write('start ')\nwhile not log.with_name('go').exists(): time.sleep(0.02)\n"
        "log.open('a').write('end ')\n"
    )
    caplog.set_level(logging.INFO)
    clock = Clock(config, Path("config.yaml"), program=[sys.executable, str(script)])
    clock.scheduler.add_job(clock._read, IntervalTrigger(seconds=0.1), args=["us_late"], id="us_late")
    clock.scheduler.start()
    try:
        wait_for(lambda: "us_late: still running from last time" in caplog.text)
        assert log.read_text() == "start "
        (tmp_path / "go").touch()
        wait_for(lambda: "start end start" in log.read_text())
    finally:
        clock.children.stop()
        clock.scheduler.shutdown(wait=True)
    assert "start start" not in log.read_text()


def test_a_job_that_breaks_is_logged_and_the_clock_goes_on(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock(config, Path("config.yaml"), program=["/nowhere/exowatch"])
    clock._add_source(Plan("us_late", Schedule()), overdue=True, now=datetime.now(UTC))
    clock.scheduler.start()
    try:
        wait_for(lambda: "us_late: failed: " in caplog.text)
        assert clock.scheduler.running
    finally:
        clock.scheduler.shutdown()


# --- the command, as a process


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rooms:
    return make_rooms(tmp_path, monkeypatch)


class Running:
    """`exowatch schedule`, running, with what it said so far."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "monitor", "schedule"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line
        self.process.stdout.close()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=120)
        self._listener.join()
        return code


@pytest.fixture
def start() -> Iterator[Callable[[], Running]]:
    started: list[Running] = []

    def begin() -> Running:
        started.append(Running())
        return started[-1]

    yield begin
    for running in started:
        running.end(signal.SIGKILL)


def ready(rooms: Rooms, **orders: Any) -> None:
    rooms.card(*orders)
    rooms.plan(orders)
    sources = "".join(f"  {source}: {{schedule: {{every: hour}}}}\n" for source in orders)
    rooms.configure(f"contact: desk@watch.example\nsources:\n{sources}")


def test_the_clock_reads_what_is_overdue_and_ends_in_order_on_sigterm(
    rooms: Rooms, start: Callable[[], Running]
) -> None:
    ready(rooms, us_one={"notices": {"a": "Alfa"}}, us_two={"notices": {"b": "Bravo"}})
    clock = start()
    wait_for(lambda: len(rooms.calls("end")) == 2)
    wait_for(lambda: clock.said.count("nothing new") + clock.said.count("notice published") >= 2)
    assert clock.end() == 0
    assert clock.said.rstrip().endswith("stopped")
    assert {call["source"] for call in rooms.calls()} == {"us_one", "us_two"}
    engine = open_engine(f"sqlite:///{rooms.folder}/var/exowatch.db")
    engine.dispose()
    again = start()
    wait_for(lambda: "us_one: next at" in again.said)
    assert again.end() == 0
    assert "overdue" not in again.said
    assert len(rooms.calls()) == 2


def test_the_clock_stops_its_children_and_leaves_nothing_behind(rooms: Rooms, start: Callable[[], Running]) -> None:
    ready(rooms, us_one={"seconds": 100, "notices": {"a": "Alfa"}})
    clock = start()
    (call,) = wait_for(rooms.calls)
    assert clock.end() == 0
    assert len(rooms.calls("end")) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(call["pid"], 0)
    (folder,) = (rooms.folder / "var" / "runs").glob("us_one-*")
    assert not folder.name.endswith(".part")


def test_a_run_by_hand_beside_the_clock_is_skipped(rooms: Rooms, start: Callable[[], Running]) -> None:
    ready(rooms, us_one={"seconds": 100, "notices": {"a": "Alfa"}})
    clock = start()
    wait_for(rooms.calls)
    by_hand = subprocess.run(
        [sys.executable, "-m", "monitor", "run", "--source", "us_one", "--no-digest"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert by_hand.returncode == 0
    assert "us_one: skipped: it is being read already, by process" in by_hand.stdout
    second = start()
    assert second.process.wait(timeout=60) == 1
    wait_for(lambda: "the schedule is running already" in second.said)
    assert clock.end() == 0
    assert len(rooms.calls()) == 1
