"""The command line: what it says, where it points, and the exit codes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from rich.console import Console
from typer.main import get_command

from monitor.cli import app, main
from monitor.commands.listeners import Bars, Lines, listening, sentence
from monitor.cycle import Reading
from monitor.shipped import letters
from tests.monitor.doubles import ROOT, Rooms
from tests.monitor.doubles import rooms as make_rooms
from tests.runs import RunMaker, notice_card

SOURCE, OTHER = "us_fda_warning_letters", "ca_hc_recalls"
CONFIG = f"""
contact: desk@watch.example
sources: {{{SOURCE}: {{}}, {OTHER}: {{}}}}
watchlists:
  - {{name: Bravo, terms: [bravo]}}
  - {{name: Dead, terms: [hair], exclude: [hair]}}
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rooms:
    found = make_rooms(tmp_path, monkeypatch)
    found.configure(CONFIG)
    found.card(SOURCE, OTHER)
    found.plan({SOURCE: {"notices": {"a": "Alfa", "b": "Bravo"}}, OTHER: {"notices": {"c": "Charlie"}}})
    return found


@pytest.fixture
def exowatch(rooms: Rooms, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run a command in this process."""

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        code = ended.value.code
        assert isinstance(code, int)
        assert "Traceback" not in err
        return Said(code, out, err)

    return run


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monitor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


# --- where things stand


def test_alone_it_says_where_things_stand_and_what_to_do_next(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    said = exowatch()
    assert said.code == 0
    assert said.out == "Nothing has been read yet.\nnext: exowatch run\n"
    rooms.configure(CONFIG.replace("desk@watch.example", '""'))
    assert "next: edit config.yaml: contact: is empty; give a mail or web address" in exowatch().out
    rooms.configure(CONFIG)
    assert exowatch("run", "--no-digest").code == 0
    said = exowatch()
    assert f"{3 + len(letters())} notices, 0 standing claims" in said.out  # three were read, the others shipped
    assert f"{SOURCE}" in said.out
    assert "next on the clock: " in said.out
    assert said.out.endswith("next: exowatch schedule\n")
    rooms.plan({SOURCE: {"outcome": "blocked"}})
    assert exowatch("run", "--source", SOURCE, "--no-digest").code == 1
    said = exowatch()
    assert f"BLIND {SOURCE} since " in said.out
    assert said.out.endswith(f"next: exowatch run --source {SOURCE}\n")


def test_alone_it_says_how_the_market_the_landscape_and_the_outbox_stand(
    exowatch: Callable[..., Said], rooms: Rooms
) -> None:
    assert exowatch("run", "--no-digest").code == 0
    said = exowatch().out
    assert "market: no seller's site is read; add one with exowatch market add URL\n" in said
    assert "landscape: none was written yet (exowatch landscape)\n" in said
    assert "outbox: " not in said  # nobody is sent anything
    rooms.configure(
        CONFIG
        + """
sites: [{url: "https://vale.example"}, {url: "https://kelda.example"}, {url: "https://orme.example", on: false}]
mail: {sender: watch@watch.example}
recipients: [{address: anna@reader.example}]
"""
    )
    folder = rooms.folder / "var" / "landscapes"
    folder.mkdir()
    for moment, name in enumerate(("2026-Q4.txt", "2026-Q3.html")):  # the last one written, not the last period
        (folder / name).touch()
        os.utime(folder / name, (moment * 60, moment * 60))
    said = exowatch().out
    assert "market: 2 sites, 2 new; 0 pages, 0 products (exowatch market)\n" in said
    assert "last landscape: 2026-Q3, 1970-01-01 00:01 UTC\n" in said
    assert "outbox: nothing waits, 0 letters sent (exowatch outbox)\n" in said


def test_without_a_configuration_it_says_how_to_give_one(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    (rooms.folder / "config.yaml").unlink()
    assert (
        exowatch().err
        == "config.yaml: no such file here; go to the folder that has it, or give it: exowatch --config FILE\n"
    )
    for command in (["run"], ["sources"], ["watch", "check"], ["search", "x"]):
        said = exowatch(*command)
        assert said.code == 2
        assert said.err.startswith("config.yaml: no such file here; ")
    assert exowatch("--config", "there.yaml", "run").err.startswith("there.yaml: no such file; ")


def test_the_configuration_is_found_by_the_variable(
    exowatch: Callable[..., Said], rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rooms.folder / "config.yaml").rename(rooms.folder / "elsewhere.yaml")
    monkeypatch.setenv("EXOWATCH_CONFIG", "elsewhere.yaml")
    assert exowatch().code == 0


@pytest.mark.parametrize(
    "command", [[], ["run"], ["schedule"], ["sources"], ["watch", "try", "Bravo"], ["serve"], ["digest"]]
)
def test_a_wrong_configuration_stops_every_command_before_anything_is_started(
    exowatch: Callable[..., Said], rooms: Rooms, command: list[str]
) -> None:
    rooms.configure(
        "contact: a@b.example\nsources: {us_fda_waring_letters: {}}\nwatchlists: [{name: A, categories: [hair]}]\n"
    )
    said = exowatch(*command)
    assert said.code == 2
    assert said.err.splitlines()[0] == (
        "config.yaml:2: sources.us_fda_waring_letters: no such source; did you mean us_fda_warning_letters?"
    )
    assert said.err.splitlines()[1].startswith("config.yaml:3: watchlists[0].categories[0]: no such category: hair")
    assert rooms.calls() == []
    assert not (rooms.folder / "var").exists()


# --- run


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


# --- asking


def test_search_finds_words_and_says_how_many(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    exowatch("run", "--no-digest")
    said = exowatch("search", "bravo")
    assert "Bravo" in said.out
    assert said.out.endswith("found\n")
    found = json.loads(exowatch("search", "exosomes", "--kind", "notice", "--jurisdiction", "us", "--json").out)
    assert found["total"] == 3
    assert {hit["title"] for hit in found["hits"]} == {"Alfa", "Bravo", "Charlie"}
    assert json.loads(exowatch("search", "exosomes", "--jurisdiction", "uk", "--json").out)["total"] == 0
    assert "the first 1 shown (--limit)" in exowatch("search", "exosomes", "--limit", "1").out


def test_scraped_text_cannot_steer_the_terminal(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    rooms.plan({SOURCE: {"notices": {"a": "Evil\x1b[2J [red]letter[/red]\x07"}}})
    exowatch("run", "--source", SOURCE, "--no-digest")
    for arguments in (["search", "letter"], ["watch", "try", "Bravo"], []):
        assert "\x1b" not in exowatch(*arguments).out
    assert "[red]letter[/red]" in exowatch("search", "letter").out


def test_judge_answers_line_by_line_and_goes_on_after_a_bad_one(rooms: Rooms) -> None:
    good = {"id": "p", "text": "Our exosome serum regrows hair.", "product_context": True, "jurisdictions": ["us"]}
    lines = json.dumps(good) + "\n{broken\n" + json.dumps({**good, "id": "q"}) + "\n"
    done = process("judge", "--with-text", input=lines)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 2
    assert [answer.get("id") for answer in answers][::2] == ["p", "q"]
    assert "error" in answers[1]
    assert (
        answers[0]["text"][answers[0]["findings"][0]["start"] : answers[0]["findings"][0]["end"]]
        == (answers[0]["findings"][0]["quote"])
    )
    assert process("judge", input=json.dumps(good) + "\n").returncode == 0
    assert process("judge", input="").stdout == ""


def test_judge_takes_bytes_that_are_no_text_and_text_that_is_no_character(rooms: Rooms) -> None:
    lines = b'{"id": "a", "text": "\xff"}\n{"id": "b", "text": "half \\ud800 a pair"}\n' + b"[" * 100_000 + b"\n"
    command = [sys.executable, "-m", "monitor", "judge", "--with-text"]
    done = subprocess.run(command, input=lines, capture_output=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (2, b"")
    assert answers[0]["error"].startswith("not UTF-8")
    assert answers[1]["id"] == "b"
    assert "error" in answers[2]


def test_digest_is_asked_of_reports(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    said = exowatch(
        "digest", "--from", "2026-01-01", "--to", "2026-03-31", "--jurisdiction", "us", "--jurisdiction", "uk"
    )
    assert said == Said(0, "var/digests/2026-W48.html\n", "")
    (call,) = rooms.calls()
    assert call["arguments"] == [
        *("digest", "--config", "config.yaml", "--from=2026-01-01", "--to=2026-03-31"),
        *("--jurisdiction=us", "--jurisdiction=uk"),
    ]
    rooms.plan({"digest": {"fails": True}})
    assert exowatch("digest", "--week", "2026-W47") == Said(1, "", "the digest broke\n")


def test_serve_becomes_the_site(rooms: Rooms) -> None:
    assert process("serve", "--port", "8123").returncode == 0
    (call,) = rooms.calls()
    assert call["arguments"] == ["serve", "--config", "config.yaml", "--port", "8123"]


def test_sources_shows_all_that_can_be_read_and_how_each_stands(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    rooms.configure(
        CONFIG.replace(f"{OTHER}: {{}}", f"{OTHER}: {{on: false}}") + "sites: [{url: https://kelda.example/}]\n"
    )
    exowatch("run", "--source", SOURCE, "--no-digest")
    rows = {row["id"]: row for row in json.loads(exowatch("sources", "--json").out)}
    assert (rows[SOURCE]["on"], rows[SOURCE]["state"]) == (True, "ok")
    assert (rows[OTHER]["on"], rows[OTHER]["state"]) == (False, "off")
    assert (rows["site_kelda_example"]["on"], rows["site_kelda_example"]["last_success_at"]) == (True, None)
    assert SOURCE in exowatch("sources").out


def test_sources_says_what_each_is_and_why_it_stands_so(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    exowatch("run", "--source", SOURCE, "--no-digest")
    rooms.plan({SOURCE: {"outcome": "blocked"}})
    exowatch("run", "--source", SOURCE, "--no-digest")
    said = exowatch("sources")
    assert f"{SOURCE}  us  blind  {SOURCE.title()}\n" in said.out
    assert "    reason: the server answered with a block page instead of its content\n" in said.out
    assert "    read well less than a minute ago (20" in said.out
    assert said.out.endswith("2 sources: 1 stale, 1 blind\n")
    only = exowatch("sources", "--state", "blind").out
    assert OTHER not in only
    assert only.endswith("1 source: 1 blind\n")
    assert "no such state: blnd; did you mean blind?" in exowatch("sources", "--state", "blnd").err


def test_a_source_is_turned_off_and_on_in_the_configuration(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    rooms.configure(f"contact: desk@watch.example # ours\nsources:\n  {SOURCE}: {{}}\n")
    assert exowatch("sources", "off", SOURCE).out == f"config.yaml: {SOURCE} is off\n"
    assert exowatch("sources", "off", SOURCE).out == f"config.yaml: {SOURCE} was off already\n"
    assert exowatch("sources", "on", OTHER).code == 0
    text = (rooms.folder / "config.yaml").read_text()
    assert text.startswith("contact: desk@watch.example # ours\n")
    rows = {row["id"]: row["on"] for row in json.loads(exowatch("sources", "--json").out)}
    assert rows == {SOURCE: False, OTHER: True}
    said = exowatch("sources", "on", "us_fda_waring_letters")
    assert (said.code, said.err) == (2, "no such source: us_fda_waring_letters; did you mean us_fda_warning_letters?\n")


def test_a_source_is_checked_by_the_crawler(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    said = exowatch("sources", "check", SOURCE)
    assert (said.code, said.out) == (0, "list: fits\n")
    rooms.plan({SOURCE: {"list": "has no rows"}})
    said = exowatch("sources", "check", SOURCE)
    assert (said.code, said.out, said.err) == (1, "list: has no rows\n", "one point does not fit\n")
    assert [call["arguments"] for call in rooms.calls()] == [["--config", "config.yaml"]] * 2
    rooms.configure(CONFIG.replace("desk@watch.example", '""'))
    assert "contact: is empty" in exowatch("sources", "check", SOURCE).err
    assert len(rooms.calls()) == 2


def test_history_ships_and_is_loaded_once(exowatch: Callable[..., Said]) -> None:
    assert exowatch("history", "load").out == f"0 added, 0 corrected, {len(letters())} held already\n"
    assert f"{len(letters())} notices" in exowatch().out


def test_a_rehearsal_begins_with_an_empty_database(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    rooms.configure(CONFIG + 'rehearsal: {address: "127.0.0.1:8099"}\n')
    said = exowatch("search", "cells").out
    assert said.startswith("0 found\n")
    assert "`exowatch sources` shows what is read" in said
    said = exowatch("history", "load")
    assert said == Said(
        2, "", "config.yaml: a rehearsal's database holds invented things alone; take rehearsal: out first\n"
    )


# --- watchlists


def test_watch_check_names_a_list_that_can_never_match(exowatch: Callable[..., Said]) -> None:
    said = exowatch("watch", "check")
    assert said.code == 1
    assert "config.yaml: Dead: error: can never match: exclude: rules out every one of its terms" in said.out
    assert said.out.endswith("2 watchlists: 1 error, 0 warnings\n")


def test_watch_try_shows_what_a_list_would_have_caught_and_why(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    exowatch("run", "--no-digest")
    said = exowatch("watch", "try", "Bravo", "--days", "7")
    assert "Bravo: 0 of" in said.out
    assert "1 more are history" in said.out
    rooms.plan({SOURCE: {"notices": {"a": "Alfa", "b": "Bravo", "d": "Bravo again"}}})
    assert "1 watchlist match\n" in exowatch("run", "--source", SOURCE, "--no-digest").out
    found = json.loads(exowatch("watch", "try", "Bravo", "--json").out)
    (caught,) = found["caught"]
    assert caught["headline"] == "Bravo again"
    assert caught["why"][0] == {
        "criterion": "term",
        "term": "bravo",
        "quote": "Bravo",
        "start": 0,
        "end": 5,
        "place": "title",
    }
    assert "term bravo (Bravo)" in exowatch("watch", "try", "Bravo").out


# --- evidence, intake


def test_evidence_that_was_altered_is_found(exowatch: Callable[..., Said], rooms: Rooms) -> None:
    exowatch("run", "--no-digest")
    said = exowatch("evidence", "verify")
    assert (said.code, "all hold" in said.out) == (0, True)
    warc = next((rooms.folder / "var" / "runs").glob(f"{SOURCE}-*/run.warc.gz"))
    warc.write_bytes(warc.read_bytes()[:-20])
    said = exowatch("evidence", "verify")
    assert (said.code, "do not hold" in said.out) == (1, True)


def test_a_run_folder_can_be_taken_in_by_hand_once(exowatch: Callable[..., Said], tmp_path: Path) -> None:
    maker = RunMaker(notice_card(SOURCE), datetime.now(UTC) - timedelta(hours=1), tmp_path / "elsewhere", mode="replay")
    maker.notice("a", "Alfa", "exosomes")
    folder = str(maker.write())
    assert exowatch("intake", folder, "--dry-run").out.startswith(f"{maker.run_id}: taken in; ")
    said = exowatch("intake", folder)
    assert (said.code, "1 notice published" in said.out) == (0, True)
    assert "was dealt with before" in exowatch("intake", folder).out
    said = exowatch("intake", str(tmp_path))
    assert (said.code, "no run.json" in said.err) == (1, True)


# --- the front door


def test_the_version_and_the_way_in() -> None:
    done = process("--version", cwd=ROOT)
    assert (done.returncode, done.stdout.startswith("exowatch ")) == (0, True)
    assert process("--nonsense", cwd=ROOT).returncode == 2
    assert process("serch", cwd=ROOT).returncode == 2


def test_asking_for_help_loads_nothing_heavy() -> None:
    heavy = "{'sqlalchemy', 'sqlmodel', 'apscheduler', 'numpy', 'selectolax', 'scrapy', 'py3langid', 'onnxruntime'}"
    script = f"""
import sys, monitor.cli
loaded = lambda names: print(sorted(names & set(sys.modules)))
loaded({heavy} | {{'pydantic', 'rich', 'yaml', 'monitor.config'}})
monitor.cli.app(['--help'], standalone_mode=False)
loaded({heavy})
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert (done.stdout[:3], done.stdout[-3:]) == ("[]\n", "[]\n")
    assert "\nCommands:\n" in done.stdout


def test_a_text_without_the_product_is_judged_without_the_model() -> None:
    script = """
import sys
from monitor.cli import main
try:
    main(["judge"])
except SystemExit as end:
    left_out = {'sqlalchemy', 'numpy', 'onnxruntime', 'rich', 'monitor.config', 'monitor.records', 'tldextract'}
    print(end.code, sorted(left_out & set(sys.modules)))
"""
    line = '{"id": "a", "text": "The cream is for the skin of the hands and of the face."}'
    done = subprocess.run(
        [sys.executable, "-c", script], input=line, capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.startswith('{"id": "a", "decision": "clear"')
    assert done.stdout.endswith("\n0 []\n")


def commands(command: Any = None, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    command = command or get_command(app)
    found = [(path, command)]
    for name, each in getattr(command, "commands", {}).items():
        found += commands(each, (*path, name))
    return found


@pytest.mark.parametrize(
    ("path", "command"), commands(), ids=lambda value: "-".join(value) if isinstance(value, tuple) else ""
)
def test_every_command_and_option_has_help(path: tuple[str, ...], command: Any) -> None:
    assert command.help, path
    for parameter in command.params:
        if parameter.name not in ("help", "install_completion", "show_completion"):
            assert getattr(parameter, "help", ""), (path, parameter.name)


# --- how a pass is told


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
