"""`exowatch run` and what it tells: passes, exit codes, signals."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from rich.console import Console

from monitor.commands.listeners import Bars, Lines, listening, sentence
from monitor.running.cycle import Reading
from tests.monitor.commandline import CONFIG, OTHER, SOURCE, Said
from tests.monitor.doubles import Rooms


def test_run_reads_judges_and_writes_the_digest(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    said = exowatch("run")
    assert said.code == 0
    assert f"{SOURCE}: reading" in said.out
    assert f"{SOURCE}: read, 2 records in 2 requests, 0 known and unchanged; " in said.out
    assert "2 notices published" in said.out
    assert said.out.endswith("digest: var/digests/2026-W48.html\n")
    again = exowatch("run")
    assert again.out.count("nothing new") == 2


def test_run_passes_on_what_it_was_asked(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    assert exowatch("run", "--source", OTHER, "--since", "2026-11-01", "--full", "--dry-run").code == 0
    (call,) = rooms.calls()
    assert (call["source"], call["since"], call["full"]) == (OTHER, "2026-11-01", True)
    assert not (rooms.folder / "var" / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ["run", "--source", "us_fda_waring_letters"],
            "no such source: us_fda_waring_letters; did you mean us_fda_warning",
        ),
        (["run", "--since", "last week"], "--since: last week is no date; write it as 2026-11-16"),
        (["search", "x", "--kind", "claims"], "no such kind: claims; did you mean claim?"),
        (["watch", "try", "Brava"], "no such watchlist: Brava; did you mean Bravo?"),
        (["digest", "--from", "2026-01-01"], "--from and --to go together"),
        (
            ["digest", "--week", "2026-W47", "--from", "2026-01-01", "--to", "2026-01-02"],
            "give one of --week, and --from with --to",
        ),
        (["intake", "var/runs/x.part"], "var/runs/x.part: this run was never finished"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(
    exowatch: Callable[..., Said], arguments: list[str], complaint: str
) -> None:
    said = exowatch(*arguments)
    assert said.code == 2
    assert said.err.startswith(complaint)
    assert said.err.count("\n") == 1


def test_without_a_contact_the_web_is_not_read(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    rooms.configure(CONFIG.replace("desk@watch.example", ""))
    for command in ("run", "schedule"):
        said = exowatch(command)
        assert (said.code, rooms.calls()) == (2, [])
        assert said.err.startswith("config.yaml: contact: is empty")
    rooms.configure(CONFIG.replace("desk@watch.example", "") + "rehearsal: {address: 127.0.0.1:8099}\n")
    assert exowatch("run", "--no-digest").code == 0


def test_with_nothing_on_it_says_so(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    rooms.configure("contact: desk@watch.example\n")
    said = exowatch("run")
    assert (said.code, said.err.startswith("config.yaml: no source is on; ")) == (2, True)


def test_a_failed_source_or_digest_gives_exit_code_1(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    rooms.plan({SOURCE: {"no_folder": True}, OTHER: {"notices": {"c": "Charlie"}}, "digest": {"fails": True}})
    said = exowatch("run")
    assert said.code == 1
    assert f"{SOURCE}: FAILED: the crawler left no run folder: Traceback: the spider broke" in said.out
    assert said.err == "the digest was not written: the digest broke\n"


def test_a_database_that_cannot_be_opened_is_said_so(
    exowatch: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXOWATCH_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none?connect_timeout=2")
    for command in (["search", "x"], ["run"]):
        said = exowatch(*command)
        assert said.code == 1
        assert said.err.startswith("the database cannot be opened: ")


def test_sigterm_stops_a_run_and_its_crawler(rooms: Rooms) -> None:
    rooms.plan({SOURCE: {"seconds": 100}, OTHER: {"seconds": 100}})
    running = subprocess.Popen([sys.executable, "-m", "monitor", "run"], stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while len(rooms.calls()) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    out, _ = running.communicate(timeout=60)
    assert running.returncode == 143
    assert out.count("stopped: asked to stop") == 2
    for call in rooms.calls():
        with pytest.raises(ProcessLookupError):
            os.kill(call["pid"], 0)


def test_on_a_terminal_bars_move_and_results_stay() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=160)
    with listening(screen) as listener:
        listener.started("us_one")
        listener.progress("us_one", {"responses": 12, "records": 5, "elapsed": 3.0})
        assert isinstance(listener, Bars)
        assert [task.fields["counts"] for task in listener.tasks] == ["12 responses, 5 records"]
        listener.ended(Reading("us_one", "quarantined", ("an empty [list]",)))
        listener.note("a [note]")
    assert isinstance(screen.file, io.StringIO)
    said = screen.file.getvalue()
    assert "us_one: NOT TAKEN IN: an empty [list]" in said
    assert "a [note]" in said


def test_in_a_log_progress_is_a_line_now_and_then() -> None:
    screen = Console(file=io.StringIO(), width=240)
    with listening(screen) as listener:
        assert isinstance(listener, Lines)
        for second in range(25):
            listener.progress("us_one", {"responses": second, "records": 0, "elapsed": float(second)})
    assert isinstance(screen.file, io.StringIO)
    lines = screen.file.getvalue().splitlines()
    assert [line.partition("Z ")[2] for line in lines] == [
        "us_one: 10 responses, 0 records",
        "us_one: 20 responses, 0 records",
    ]


def test_a_sentence_for_every_state() -> None:
    read = Reading(
        "us_one", "taken_in", events={"claim_appeared": 2, "page_gone": 0}, findings=3, records=1200, requests=4
    )
    assert sentence(read) == (
        "us_one: read, 1,200 records in 4 requests, 0 known and unchanged; 2 claims appeared; 3 claims stand"
    )
    assert sentence(Reading("us_one", "busy", ("by another",))) == "us_one: skipped: by another"
    assert sentence(Reading("us_one", "failed", second_look=True)) == "us_one (second look): FAILED"
