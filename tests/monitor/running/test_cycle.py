"""One pass: every source once, whatever happens to the others; nothing twice; nothing lost by a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text
from sqlmodel import select

from monitor.config import Config, SourceChoice, Watchlist
from monitor.knowledge import load
from monitor.locks import BusyError, hold
from monitor.running.cycle import Cycle, Order, Pass, Reading, chosen_sources
from monitor.running.programs import Children, Crawled, Ended, crawl
from monitor.tables.db import open_engine, reading, transaction
from monitor.tables.models import Event, Notice, Run, WatchMatch
from tests.monitor.doubles import Rooms
from tests.monitor.doubles import rooms as make_rooms
from tests.runs import RunMaker, notice_card

AT = datetime(2026, 11, 16, 6, tzinfo=UTC)
TWO = ("us_one", "us_two")


class Told:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.starts: list[str] = []
        self.counts: list[dict[str, Any]] = []
        self.readings: list[Reading] = []
        self.notes: list[str] = []

    def started(self, source_id: str) -> None:
        self.starts.append(source_id)

    def progress(self, _source_id: str, counts: dict[str, Any]) -> None:
        self.counts.append(counts)

    def ended(self, reading: Reading) -> None:
        self.readings.append(reading)

    def note(self, text: str) -> None:
        self.notes.append(text)


class Desk:
    """Passes over stand-in sources in a folder of their own."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.config = Config(
            data=Path("var"),
            sources={source: SourceChoice() for source in TWO},
            watchlists=(Watchlist(name="Bravo", terms=("bravo",)),),
        )
        self.file = rooms.configure("contact: desk@watch.example\n")
        self.told = Told()
        self.children = Children()

    def cycle(self) -> Cycle:
        self.told = Told()
        return Cycle(self.config, self.file, load(), self.told, children=self.children)

    def run(self, *sources: str, **order: Any) -> Pass:
        return self.cycle().run(Order(sources=sources or TWO, **order))

    def engine(self) -> Engine:
        return open_engine(self.config.database_url)

    def rows(self, table: Any) -> list[Any]:
        engine = self.engine()
        with reading(engine) as session:
            found = list(session.exec(select(table)).all())
        engine.dispose()
        return found

    def folders(self) -> list[str]:
        return sorted(folder.name for folder in self.config.runs_folder.glob("*"))


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rooms:
    return make_rooms(tmp_path, monkeypatch)


@pytest.fixture
def desk(rooms: Rooms) -> Iterator[Desk]:
    rooms.plan({"us_one": {"notices": {"a": "Alfa", "b": "Bravo"}}, "us_two": {"notices": {"c": "Charlie"}}})
    desk = Desk(rooms)
    yield desk
    desk.children.stop()


def states(done: Pass) -> dict[str, str]:
    return {reading.source_id: reading.state for reading in done.readings}


def test_every_source_is_read_taken_in_and_reported(desk: Desk) -> None:
    done = desk.run()
    assert states(done) == {"us_one": "taken_in", "us_two": "taken_in"}
    assert done.exit_code == 0
    assert done.digest == "var/digests/2026-W48.html"
    assert {notice.key for notice in desk.rows(Notice)} == {"a", "b", "c"}
    assert sorted(desk.told.starts) == list(TWO)
    assert desk.told.counts[0]["responses"] == 1
    calls = desk.rooms.calls()
    assert [call["source"] for call in calls if call["source"] != "digest"].count("us_one") == 1
    assert calls[-1]["arguments"] == ["digest", "--config", str(desk.file)]


def test_a_second_pass_knows_what_is_held_and_changes_nothing(desk: Desk) -> None:
    desk.run()
    done = desk.run()
    assert [dict(reading.events) for reading in done.readings] == [{}, {}]
    assert {reading.source_id: reading.known for reading in done.readings} == {"us_one": 2, "us_two": 1}
    assert [call["known"] for call in desk.rooms.calls() if call["source"] == "us_one"] == [0, 2]
    assert len(desk.rows(Notice)) == 3


def test_what_is_new_later_meets_the_watchlists(desk: Desk) -> None:
    desk.run()
    assert desk.rows(WatchMatch) == []  # a first reading is history
    desk.rooms.plan({"us_one": {"notices": {"a": "Alfa", "b": "Bravo", "d": "Bravo again"}}, "us_two": {}})
    done = desk.run("us_one")
    assert done.matches == 1
    (match,) = desk.rows(WatchMatch)
    assert match.watchlist == "Bravo"


def test_what_was_asked_reaches_the_crawler(desk: Desk) -> None:
    desk.run("us_one", since=date(2026, 11, 1), full=True, digest=False)
    (call,) = desk.rooms.calls()
    assert (call["source"], call["since"], call["full"], call["pages"]) == ("us_one", "2026-11-01", True, [])


def test_how_far_back_a_source_goes_is_the_configurations_unless_the_command_says(desk: Desk) -> None:
    desk.config = desk.config.model_copy(update={"sources": {"us_one": SourceChoice(since=date(2026, 10, 1))}})
    desk.run("us_one", digest=False)
    desk.run("us_one", since=date(2026, 11, 1), digest=False)
    assert [call["since"] for call in desk.rooms.calls()] == ["2026-10-01", "2026-11-01"]


def test_a_source_that_fails_stops_no_other(desk: Desk) -> None:
    desk.rooms.plan({"us_one": {"no_folder": True}, "us_two": {"notices": {"c": "Charlie"}}})
    done = desk.run()
    assert states(done) == {"us_one": "failed", "us_two": "taken_in"}
    assert done.exit_code == 1
    assert "the spider broke" in done.readings[0].reasons[0]
    assert done.digest


def test_a_blind_source_is_quarantined_with_the_reason_and_told(desk: Desk) -> None:
    desk.rooms.plan({"us_one": {"outcome": "blocked"}, "us_two": {"notices": {"c": "Charlie"}}})
    done = desk.run()
    assert states(done) == {"us_one": "quarantined", "us_two": "taken_in"}
    assert done.readings[0].reasons
    assert done.exit_code == 1


def test_a_digest_that_fails_is_told_and_the_pass_stands(desk: Desk) -> None:
    desk.rooms.plan({"us_one": {"notices": {"a": "Alfa"}}, "digest": {"fails": True}})
    done = desk.run("us_one")
    assert done.digest_failed == "the digest was not written: the digest broke"
    assert done.exit_code == 1
    assert len(desk.rows(Notice)) == 1


def test_a_dry_run_keeps_nothing(desk: Desk) -> None:
    done = desk.run(dry_run=True)
    assert states(done) == {"us_one": "taken_in", "us_two": "taken_in"}
    assert dict(done.readings[0].events)
    assert not desk.config.runs_folder.exists()
    assert desk.config.database_is_missing
    assert [call["source"] for call in desk.rooms.calls()] != []
    assert "digest" not in [call["source"] for call in desk.rooms.calls()]
    desk.run("us_two")
    before = desk.folders()
    done = desk.run("us_one", dry_run=True)
    assert done.readings[0].records == 2
    assert desk.folders() == before
    assert {run.source_id for run in desk.rows(Run)} == {"us_two"}


def test_a_dry_run_makes_no_tables_in_a_fresh_postgresql(
    desk: Desk, postgresql_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = open_engine(postgresql_server)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE bare"))
    monkeypatch.setenv("EXOWATCH_DATABASE_URL", admin.url.set(database="bare").render_as_string(hide_password=False))
    assert states(desk.run("us_one", dry_run=True)) == {"us_one": "taken_in"}
    engine = desk.engine()
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("DROP DATABASE bare"))
    admin.dispose()


def test_our_changed_rules_are_applied_before_anything_is_read_and_meet_the_watchlists(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run("us_one", digest=False)
    order: list[str] = []

    def rejudge(engine: Engine, _knowledge: Any, _config: Config, *, now: datetime) -> dict[str, int]:
        order.append(f"rejudged after {len(desk.rooms.calls())} readings")
        with transaction(engine) as session:
            notice = session.exec(select(Notice).where(Notice.title == "Bravo")).one()
            session.add(
                Event(
                    at=now,
                    kind="claim_flagged",
                    cause="rules",
                    source_id="us_one",
                    object_kind="notice",
                    object_id=str(notice.id),
                    dedupe_key="rules",
                )
            )
        return {"claim_flagged": 1}

    def note_and_crawl(*arguments: Any) -> Crawled:
        order.append(f"{len(desk.rows(WatchMatch))} match before reading")
        return crawl(*arguments)

    monkeypatch.setattr("monitor.running.cycle.rejudge", rejudge)
    cycle = Cycle(desk.config, desk.file, load(), desk.told, crawler=note_and_crawl)
    done = cycle.run(Order(sources=("us_one",), digest=False))
    assert order == ["rejudged after 1 readings", "1 match before reading"]
    assert dict(done.rejudged) == {"claim_flagged": 1}
    assert [match.watchlist for match in desk.rows(WatchMatch)] == ["Bravo"]


def test_pages_that_lack_a_claim_are_looked_at_once_more_and_only_once(desk: Desk) -> None:
    url = "http://kelda.example/"
    page = (
        '<html lang="en"><title>Kelda exosome therapy</title><h1>Exosome therapy</h1>{}<p>Add to cart $450</p></html>'
    )
    cure = "<p>Our exosome therapy treats arthritis.</p>"
    desk.rooms.plan({"us_one": {"pages": {url: page.format(cure)}, "at": AT.isoformat()}})
    first = desk.run("us_one", digest=False)
    assert [reading.second_look for reading in first.readings] == [False]
    assert first.readings[0].findings == 1
    desk.rooms.forget_calls()
    desk.rooms.plan({"us_one": {"pages": {url: page.format("")}, "at": (AT + timedelta(days=1)).isoformat()}})
    second = desk.run("us_one", digest=False)
    assert [call["pages"] for call in desk.rooms.calls()] == [[], [url]]
    assert [reading.second_look for reading in second.readings] == [False, True]
    assert dict(second.readings[1].events) == {"claim_withdrawn": 1}


# --- killed, busy, stopped


def left_whole(desk: Desk, source: str, key: str, minute: int, mode: str = "live") -> Path:
    """A run folder as a pass leaves it that was killed between crawl and intake."""
    maker = RunMaker(notice_card(source), AT + timedelta(minutes=minute), desk.config.runs_folder, mode=mode)
    maker.notice(key, key.title(), "exosomes")
    return maker.write()


def test_runs_left_by_a_killed_pass_are_taken_in_first_oldest_first(desk: Desk) -> None:
    newer, older = left_whole(desk, "us_one", "y", 2), left_whole(desk, "us_one", "x", 1)
    other = left_whole(desk, "us_off", "z", 3)
    left_whole(desk, "us_one", "replayed", 4, mode="replay")
    done = desk.run("us_one")
    assert [reading.source_id for reading in done.readings if reading.leftover] == ["us_off", "us_one", "us_one"]
    assert {run.id for run in desk.rows(Run)} >= {newer.name, older.name, other.name}
    assert [older.name in desk.told.notes[1], newer.name in desk.told.notes[2]] == [True, True]
    assert "replayed" not in {notice.key for notice in desk.rows(Notice)}
    again = desk.run("us_one")
    assert not any(reading.leftover for reading in again.readings)


def test_a_pass_over_some_sources_leaves_the_others_runs_alone(desk: Desk) -> None:
    left_whole(desk, "us_two", "z", 1)
    done = desk.run("us_one", rest=False)
    assert {run.source_id for run in desk.rows(Run)} == {"us_one"}
    assert len(done.readings) == 1


def test_a_damaged_run_is_named_and_keeps_nothing_from_being_read(desk: Desk) -> None:
    damaged = left_whole(desk, "us_one", "x", 1)
    (damaged / "items.jsonl").write_text("{}\n")
    empty = desk.config.runs_folder / "us_one-20261101T000000Z-0000"
    empty.mkdir()
    done = desk.run("us_one")
    failed = [reading.reasons[0] for reading in done.readings if reading.state == "failed"]
    assert len(failed) == 2
    assert all("move the folder away" in reason for reason in failed)
    assert done.readings[-1].state == "taken_in"
    assert done.exit_code == 1


def test_half_runs_are_named_and_removed_when_old(desk: Desk) -> None:
    runs = desk.config.runs_folder
    young, old, others = (
        runs / f"{name}.part"
        for name in (
            "us_one-20261116T060000Z-0001",
            "us_one-20261101T060000Z-0002",
            "us_one_more-20261101T060000Z-0003",
        )
    )
    for part in (young, old, others):
        part.mkdir(parents=True)
        (part / "items.jsonl").write_text("")
    week_ago = time.time() - 8 * 86_400
    for part in (old, others):
        os.utime(part, (week_ago, week_ago))
    done = desk.run("us_one")
    assert (young.exists(), old.exists(), others.exists()) == (True, False, True)
    assert any(young.name in note for note in desk.told.notes)
    assert any(old.name in note for note in desk.told.notes)
    assert done.exit_code == 0


def test_a_source_that_is_being_read_is_skipped_and_said_so(desk: Desk) -> None:
    left_whole(desk, "us_one", "x", 1)
    with hold(desk.config.data / "locks", "us_one"):
        done = desk.run()
    assert states(done) == {"us_one": "busy", "us_two": "taken_in"}
    assert f"process {os.getpid()}" in done.readings[0].reasons[0]
    assert done.exit_code == 0
    assert {run.source_id for run in desk.rows(Run)} == {"us_two"}


def test_a_lock_is_held_once_and_vanishes_with_its_holder(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from monitor.locks import hold\n"
        f"with hold(Path({str(tmp_path)!r}), 'x'): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    )
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=f"process {holder.pid} since"), hold(tmp_path, "x"):
            pass
    finally:
        holder.kill()
        holder.communicate()
    with hold(tmp_path, "x"), pytest.raises(BusyError), hold(tmp_path, "x"):
        pass


def test_a_crawler_that_outlives_its_parent_keeps_the_source_locked(desk: Desk) -> None:
    desk.rooms.plan({"us_one": {"seconds": 60, "notices": {"a": "Alfa"}}})
    desk.rooms.card("us_one")
    desk.rooms.configure("contact: desk@watch.example\ndata: var\nsources: {us_one: {}}\n")
    parent = subprocess.Popen([sys.executable, "-m", "monitor", "run"], stdout=subprocess.DEVNULL)
    crawler = _wait_for(lambda: [call["pid"] for call in desk.rooms.calls()])[0]
    parent.kill()
    parent.wait()
    try:
        assert states(desk.run("us_one"))["us_one"] == "busy"
    finally:
        os.kill(crawler, signal.SIGTERM)
    _wait_for(lambda: desk.rooms.calls("end"))
    _wait_for(lambda: not _is_held(desk))
    desk.rooms.plan({"us_one": {"notices": {"a": "Alfa"}}})
    assert desk.run("us_one").readings[-1].state == "taken_in"


def _is_held(desk: Desk) -> bool:
    try:
        with hold(desk.config.data / "locks", "us_one"):
            return False
    except BusyError:
        return True


def _wait_for(what: Any, seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen")


def test_asked_to_stop_it_stops_the_crawlers_starts_none_and_loses_nothing(desk: Desk) -> None:
    desk.config = desk.config.model_copy(update={"parallel_runs": 1})
    desk.rooms.plan({"us_one": {"seconds": 60, "notices": {"a": "Alfa"}}, "us_two": {}})

    def stop_when_started() -> None:
        _wait_for(desk.rooms.calls)
        desk.children.stop()

    stopper = threading.Thread(target=stop_when_started)
    stopper.start()
    done = desk.run()
    stopper.join()
    assert done.stopped
    assert done.exit_code == 143
    assert states(done) == {"us_one": "stopped", "us_two": "stopped"}
    assert [call["source"] for call in desk.rooms.calls()] == ["us_one"]
    (folder,) = desk.folders()
    assert json.loads((desk.config.runs_folder / folder / "run.json").read_text())["outcome"] == "stopped"


def test_a_program_that_floods_its_outputs_is_heard_to_the_end() -> None:
    script = (
        "import sys\n"
        "for n in range(30000):\n"
        "    print('x' * 50)\n"
        "    print('{\"n\": 1}' if n % 2 else 'log', file=sys.stderr)\n"
        "sys.exit(3)"
    )
    heard: list[dict[str, Any]] = []
    ended = Children().run([sys.executable, "-c", script], heard.append)
    assert isinstance(ended, Ended)
    assert (ended.code, len(ended.output), len(heard), ended.complaint) == (3, 30000 * 51, 15000, "log")


def test_the_sources_to_read_are_those_that_are_on_or_those_asked_for() -> None:
    config = Config.model_validate(
        {
            "sources": {"us_a": {}, "us_b": {"on": False}},
            "sites": [{"url": "https://x.example"}, {"url": "https://y.example", "on": False}],
        }
    )
    assert chosen_sources(config) == ("us_a", "site_x_example")
    assert chosen_sources(config, ["us_b", "us_b"]) == ("us_b",)
