"""`exowatch outbox`, and where else it shows that something was not sent; when the clock and a pass start the post."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from monitor import queries
from monitor.cli import main
from monitor.config import load
from monitor.migrations import upgrade
from monitor.running.cycle import Cycle, Order
from monitor.running.schedule import OUTBOX_JOB, Clock, post_has_work
from monitor.tables.db import open_engine
from monitor.watching import outbox, subscriptions
from monitor.watching.outbox import Letter
from tests.monitor.commandline import Said
from tests.monitor.doubles import Rooms
from tests.monitor.doubles import rooms as make_rooms

ANNA = "anna@reader.example"
CONFIG = f"""
contact: desk@watch.example
mail: {{sender: exo@watch.example}}
recipients:
  - address: {ANNA}
"""
LETTER = Letter(ANNA, "mail", "digest", "digest-2026-W47", "Week 47\x1b[31m", "Subject: x\r\n\r\nx")


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rooms:
    found = make_rooms(tmp_path, monkeypatch)
    found.configure(CONFIG)
    return found


@pytest.fixture
def engine(rooms: Rooms) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{rooms.folder}/var/exowatch.db")
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def exowatch(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*arguments: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, out, err)

    return run


def fail(engine: Engine) -> int:
    now = datetime.now(UTC)
    outbox.put(engine, LETTER, now=now)
    letter = outbox.claim(engine, now=now)
    assert letter is not None
    outbox.note_failed(engine, letter, "550 5.7.1 refused\x07")
    return letter.id


def test_the_outbox_lists_what_was_sent_what_waits_and_what_failed(
    exowatch: Callable[..., Said], engine: Engine
) -> None:
    assert exowatch("outbox") == Said(0, "Nothing was sent yet.\n", "")
    number = fail(engine)
    outbox.suppress(
        engine, "ben@reader.example", "alert", cause="by hand", reason="asked by phone", now=datetime.now(UTC)
    )
    said = exowatch("outbox")
    assert said.code == 0
    assert f"{number}   failed  {ANNA}" in said.out
    assert "550 5.7.1 refused" in said.out
    assert "1 failed\nnot sent to ben@reader.example (alert): by hand " in said.out
    assert ": asked by phone" in said.out
    assert not {"\x1b", "\x07"} & set(said.out)
    told = json.loads(exowatch("outbox", "--json").out)
    assert told["counts"] == {"failed": 1}
    assert told["letters"][0]["recipient"] == ANNA
    assert told["suppressions"][0]["address"] == "ben@reader.example"
    assert "payload" not in told["letters"][0]


def test_alone_it_names_what_was_not_sent(exowatch: Callable[..., Said], engine: Engine) -> None:
    number = fail(engine)
    outbox.put(engine, Letter(ANNA, "mail", "alert", "alert-1", "s", "p"), now=datetime.now(UTC))
    said = exowatch()
    assert f"NOT SENT letter {number} to {ANNA} (digest-2026-W47): 550 5.7.1 refused \n" in said.out
    assert "outbox: 1 waiting (exowatch outbox)" in said.out


def test_a_letter_that_failed_goes_again_when_told(exowatch: Callable[..., Said], engine: Engine) -> None:
    number = fail(engine)
    assert exowatch("outbox", "retry", str(number)).out == f"letter {number}: waits; exowatch outbox send\n"
    assert outbox.claim(engine, now=datetime.now(UTC)) is not None
    assert exowatch("outbox", "retry", "999") == Said(2, "", "letter 999: there is no such letter\n")


def test_an_address_is_held_back_and_let_go_by_hand(exowatch: Callable[..., Said], engine: Engine) -> None:
    assert exowatch("outbox", "suppress", ANNA, "--reason", "left the firm").code == 0
    assert [(row.scope, row.cause, row.reason) for row in queries.suppressions(engine)] == [
        ("all", "by hand", "left the firm")
    ]
    assert "no such scope: diget; did you mean digest?" in exowatch("outbox", "suppress", ANNA, "--scope", "diget").err
    said = exowatch("outbox", "suppress", "ana at reader.example")
    assert said == Said(
        2, "", "ana at reader.example: no mail address, and no channel or webhook of that name; "
        "did you mean anna@reader.example?\n"
    )  # fmt: skip
    assert len(queries.suppressions(engine)) == 1
    assert exowatch("outbox", "suppress", "ben@Bücher.example").code == 0  # held as mail writes it
    assert {row.address for row in queries.suppressions(engine)} == {ANNA, "ben@xn--bcher-kva.example"}
    assert exowatch("outbox", "unsuppress", "ben@Bücher.example").code == 0
    assert exowatch("outbox", "unsuppress", ANNA).code == 0
    assert exowatch("outbox", "unsuppress", ANNA).err.startswith(f"{ANNA}: nothing is held back from it")
    assert queries.suppressions(engine) == ()


def test_sending_is_the_reports_work(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    assert exowatch("outbox", "send", "--week", "2026-W47", "--dry").code == 0
    assert exowatch("outbox", "test", "new@reader.example").code == 0
    assert [call["arguments"] for call in rooms.calls()] == [
        ["post", "--config", "config.yaml", "--week", "2026-W47", "--dry"],
        ["post", "--config", "config.yaml", "--test", "new@reader.example"],
    ]
    assert exowatch("outbox", "suppress", "New@Reader.example", "--scope", "digest", "--reason", "left").code == 0
    said = exowatch("outbox", "test", "new@reader.example")
    assert said.code == 2
    assert "new@reader.example: no test was sent, for it is sent nothing (by hand on 2026-" in said.err
    assert said.err.endswith(": left); if its owner wants that again: exowatch outbox unsuppress new@reader.example\n")
    said = exowatch("outbox", "test", "chatt")
    assert said.code == 2
    assert said.err.startswith("chatt: no mail address, and no channel or webhook of that name; ")
    assert len(rooms.calls()) == 2
    rooms.plan({"digest": {"fails": True}})
    assert exowatch("outbox", "send") == Said(1, "", "the digest broke\n")
    rooms.configure("contact: desk@watch.example\n")
    said = exowatch("outbox", "send")
    assert said == Said(2, "", "config.yaml: nobody to send to; add recipients:, channels: or webhooks:\n")


class Silent:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def started(self, source_id: str) -> None: ...
    def progress(self, source_id: str, counts: object) -> None: ...
    def ended(self, reading: object) -> None: ...
    def note(self, text: str) -> None:
        self.notes.append(text)


def one_pass(rooms: Rooms) -> tuple[Cycle, Silent]:
    from monitor.knowledge import load as load_knowledge

    listener = Silent()
    file = rooms.folder / "config.yaml"
    return Cycle(load(file), file, load_knowledge(), listener), listener


def test_a_pass_posts_only_if_there_is_something_to_post(rooms: Rooms, engine: Engine) -> None:
    cycle, listener = one_pass(rooms)
    order = Order(sources=(), digest=False)
    assert cycle.run(order).post_failed == ""
    assert rooms.calls() == []
    outbox.put(engine, LETTER, now=datetime.now(UTC))
    assert cycle.run(order).exit_code == 0
    assert [call["arguments"][0] for call in rooms.calls()] == ["post"]
    assert listener.notes == ["post: var/digests/2026-W48.html"]
    rooms.plan({"digest": {"fails": True}})
    failed = cycle.run(order)
    assert (failed.exit_code, failed.post_failed) == (
        1,
        "the post: the digest broke; exowatch outbox shows what waits and failed",
    )


def test_a_pass_notes_first_who_is_subscribed(rooms: Rooms, engine: Engine) -> None:
    cycle, _ = one_pass(rooms)
    cycle.run(Order(sources=(), digest=False))
    week_later = datetime.now(UTC) + timedelta(days=8)
    assert len(subscriptions.due(engine, cycle.config, now=week_later)) == 1


def test_the_clock_looks_each_minute_where_there_is_anyone_to_send_to(rooms: Rooms, engine: Engine) -> None:
    config = load(rooms.folder / "config.yaml")
    now = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
    clock = Clock(config, Path("config.yaml"))
    clock._add_jobs(now)
    job = clock.scheduler.get_job(OUTBOX_JOB)
    assert job is not None
    assert job.next_run_time == now  # what fell due while it was not running
    assert job.trigger.get_next_fire_time(now, now) == datetime(2026, 11, 24, 12, 1, tzinfo=UTC)
    assert not post_has_work(config)
    clock._post()
    assert rooms.calls() == []
    outbox.put(engine, LETTER, now=datetime.now(UTC))
    assert post_has_work(config)
    alone = Clock(config.model_copy(update={"recipients": ()}), Path("config.yaml"))
    alone._add_jobs(now)
    assert alone.scheduler.get_job(OUTBOX_JOB) is None
