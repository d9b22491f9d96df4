"""The command line asked: searching, judging, sources, watchlists, evidence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.intake.shipped import letters
from tests.monitor.commandline import CONFIG, OTHER, SOURCE, Said, process
from tests.monitor.doubles import Rooms
from tests.runs import RunMaker, notice_card


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


def test_a_severity_that_there_is_not_is_told_with_those_that_there_are(exowatch: Callable[..., Said]) -> None:
    said = exowatch("search", "bravo", "--severity", "none")
    assert said.code == 2
    assert "no such severity: none; search has: High, Low, Medium" in said.err
    assert "High" in exowatch("search", "bravo", "--severity", "high").err


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
