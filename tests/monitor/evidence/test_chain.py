"""The chain of runs: what is taken away or altered is missed, and the run that breaks it is named."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from monitor.config import Config, EvidenceChoice
from monitor.evidence.chain import Broken, add_pruned, add_run, chain_file, check_chain, read_chain
from monitor.evidence.recomputed import stamp_head, verify
from monitor.evidence.runfolder import EvidenceError
from monitor.evidence.stamps import StampError
from monitor.intake.runs import take_in
from monitor.knowledge import Knowledge, load
from monitor.running.cycle import Cycle, Order
from monitor.tables.db import reading
from monitor.tables.models import Run
from tests.loopback import loopback
from tests.monitor.authority import AT, Authority
from tests.runs import RunMaker, notice_card

MONDAY = datetime(2026, 11, 9, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=tmp_path / "var")


def made(config: Config, number: int) -> RunMaker:
    maker = RunMaker(notice_card(), MONDAY + timedelta(hours=number), config.runs_folder)
    maker.notice(f"n{number}", f"Letter {number}", "Your site sells exosomes.")
    return maker


@pytest.fixture
def chained(config: Config) -> list[str]:
    """Four runs in the chain, by id."""
    runs = []
    for number in range(4):
        maker = made(config, number)
        add_run(config, maker.run_id, maker.write(), MONDAY + timedelta(hours=number))
        runs.append(maker.run_id)
    return runs


def broken(config: Config, known: tuple[str, ...] = ()) -> list[Broken]:
    return list(check_chain(config, known))


def rewrite(config: Config, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path = chain_file(config)
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


def test_each_line_holds_the_digest_of_the_one_before_and_of_its_run(config: Config, chained: list[str]) -> None:
    lines = chain_file(config).read_bytes().splitlines()
    said = [json.loads(line) for line in lines]

    assert [(one["number"], one["run"]) for one in said] == list(enumerate(chained, start=1))
    assert said[0]["previous"] == "0" * 64
    for before, after in zip(lines, said[1:], strict=False):
        assert after["previous"] == hashlib.sha256(before).hexdigest()
    for one in said:
        manifest = (config.data / one["folder"] / "run.json").read_bytes()
        assert one["manifest"] == hashlib.sha256(manifest).hexdigest()
    assert broken(config, tuple(chained)) == []


def test_a_run_is_put_in_once(config: Config, chained: list[str]) -> None:
    add_run(config, chained[1], config.runs_folder / chained[1], MONDAY)
    assert [one.link.run for one in read_chain(config)] == chained


def test_a_run_that_was_removed_is_named(config: Config, chained: list[str]) -> None:
    shutil.rmtree(config.runs_folder / chained[1])
    (flaw,) = broken(config)
    assert (flaw.kind, flaw.where) == ("run", chained[1])
    assert "removed" in flaw.message


@pytest.mark.parametrize("name", ["run.json", "run.warc.gz", "captures.jsonl", "items.jsonl"])
def test_a_run_that_was_altered_is_named(config: Config, chained: list[str], name: str) -> None:
    path = config.runs_folder / chained[2] / name
    data = path.read_bytes()
    path.write_bytes(data.replace(b"Test", b"Rest", 1) if name == "run.json" else data[:-1] + b"x")
    (flaw,) = broken(config)
    assert (flaw.kind, flaw.where) == ("run", chained[2])
    assert "altered" in flaw.message


def test_a_run_made_anew_with_fitting_digests_is_named(config: Config, chained: list[str]) -> None:
    """Whoever forges a run can make its run.json fit; the chain holds the one that was."""
    forged = made(config, 1)
    forged.notice("more", "Another", "words")
    forged.run_id = chained[1]
    shutil.rmtree(config.runs_folder / chained[1])
    forged.write()
    (flaw,) = broken(config)
    assert (flaw.where, "the chain says" in flaw.message) == (chained[1], True)


@pytest.mark.parametrize("place", range(4))
def test_an_altered_line_is_named(config: Config, chained: list[str], place: int) -> None:
    hours = f"T{6 + place:02}:00:00".encode()
    rewrite(config, lambda lines: [line.replace(hours, b"T03:00:00") for line in lines])
    (flaw,) = broken(config)
    assert (flaw.kind, flaw.where) == ("chain", chained[place])
    assert "altered" in flaw.message


@pytest.mark.parametrize("place", range(4))
def test_every_line_that_is_taken_out_is_missed(config: Config, chained: list[str], place: int) -> None:
    rewrite(config, lambda lines: lines[:place] + lines[place + 1 :])
    flaws = broken(config, tuple(chained))
    assert any("removed" in flaw.message for flaw in flaws)
    assert ("chain", chained[place]) in {(flaw.kind, flaw.where) for flaw in flaws}


def test_a_chain_that_was_cut_short_is_missed_without_a_database(config: Config, chained: list[str]) -> None:
    rewrite(config, lambda lines: lines[:2])
    (flaw,) = broken(config)
    assert (flaw.where, "before line 4" in flaw.message) == (chained[1], True)


def test_lines_that_changed_places_are_missed(config: Config, chained: list[str]) -> None:
    rewrite(config, lambda lines: [lines[0], lines[2], lines[1], lines[3]])
    assert [flaw.kind for flaw in broken(config)] == ["chain"] * 3


def test_no_line_at_all_is_named(config: Config, chained: list[str]) -> None:
    rewrite(config, lambda lines: [*lines[:2], b"hello\n", lines[3]])
    (flaw,) = broken(config)
    assert "line 3: no line of a chain" in flaw.message


def test_a_chain_or_head_that_is_gone_is_missed(config: Config, chained: list[str]) -> None:
    head = chain_file(config).with_name("chain.head")
    kept = head.read_bytes()
    head.unlink()
    assert [flaw.where for flaw in broken(config)] == ["chain.head"]
    head.write_bytes(kept)
    chain_file(config).unlink()
    assert [flaw.where for flaw in broken(config, tuple(chained))] == ["its beginning", *chained]


def test_a_line_whose_writer_was_killed_is_written_anew(config: Config, chained: list[str]) -> None:
    path = chain_file(config)
    with path.open("ab") as file:
        file.write(b'{"number":5,"kind":"ru')
    maker = made(config, 5)
    add_run(config, maker.run_id, maker.write(), MONDAY)
    assert [one.link.number for one in read_chain(config)] == [1, 2, 3, 4, 5]
    assert broken(config) == []


def test_a_head_that_was_not_written_any_more_is_no_flaw(config: Config, chained: list[str]) -> None:
    head = chain_file(config).with_name("chain.head")
    kept = head.read_bytes()
    maker = made(config, 5)
    add_run(config, maker.run_id, maker.write(), MONDAY)
    head.write_bytes(kept)
    assert broken(config) == []


def test_a_run_without_its_record_is_not_chained(config: Config) -> None:
    with pytest.raises(EvidenceError, match=r"run\.json: No such file"):
        add_run(config, "x", config.runs_folder / "x", MONDAY)
    assert read_chain(config) == []


def test_what_was_pruned_is_not_missed_but_its_record_is(config: Config, chained: list[str]) -> None:
    folder = config.runs_folder / chained[0]
    add_pruned(config, chained[0], folder, MONDAY, "older than 90 days")
    for name in ("run.warc.gz", "items.jsonl", "captures.jsonl"):
        (folder / name).unlink()
    assert broken(config) == []
    (folder / "run.json").unlink()
    (flaw,) = broken(config)
    assert flaw.where == chained[0]


def test_taking_in_chains_a_run_and_a_dry_run_does_not(
    sqlite_engine: Engine, config: Config, knowledge: Knowledge
) -> None:
    folder = made(config, 0).write()
    take_in(sqlite_engine, folder, config, knowledge, dry_run=True)
    assert read_chain(config) == []
    take_in(sqlite_engine, folder, config, knowledge)
    assert [one.link.run for one in read_chain(config)] == [folder.name]
    checked = verify(sqlite_engine, config)
    assert (checked.runs, checked.captures, checked.broken) == (1, 1, ())


def test_a_run_of_the_database_that_is_not_chained_is_named_and_can_be_added(
    sqlite_engine: Engine, config: Config, knowledge: Knowledge
) -> None:
    folder = made(config, 0).write()
    take_in(sqlite_engine, folder, config, knowledge)
    shutil.rmtree(config.evidence_folder)
    (flaw,) = verify(sqlite_engine, config).broken
    assert (flaw.where, f"exowatch intake {folder}" in flaw.message) == (folder.name, True)
    assert take_in(sqlite_engine, folder, config, knowledge).state == "already"
    assert verify(sqlite_engine, config).broken == ()


def test_where_the_chain_cannot_be_written_nothing_is_taken_in(
    sqlite_engine: Engine, config: Config, knowledge: Knowledge
) -> None:
    folder = made(config, 0).write()
    chain_file(config).mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        take_in(sqlite_engine, folder, config, knowledge)
    with reading(sqlite_engine) as session:
        assert session.exec(select(Run).order_by(col(Run.id))).all() == []


# --- time stamps over the chain


def test_the_head_is_stamped_once_and_the_stamp_is_verified(
    sqlite_engine: Engine, config: Config, chained: list[str], tmp_path: Path
) -> None:
    authority = Authority()
    roots = tmp_path / "roots.pem"
    roots.write_bytes(authority.roots)
    with loopback() as web:
        web.routes["/tsa"] = authority.answer
        choice = EvidenceChoice(authority=f"http://{web.address}/tsa", roots=roots)
        config = config.model_copy(update={"evidence": choice})
        stamp = stamp_head(config)
        assert stamp is not None
        assert stamp.at == AT
        assert stamp_head(config) is None  # nothing new to be signed
        assert len(authority.asked) == 1
        authority.spoil = "status"
        maker = made(config, 5)
        add_run(config, maker.run_id, maker.write(), MONDAY)
        with pytest.raises(StampError, match="closed today"):
            stamp_head(config)
    assert [path.name for path in (config.evidence_folder / "stamps").iterdir()] == ["4.tsr"]
    assert (verify(sqlite_engine, config).stamps, verify(sqlite_engine, config).broken) == (1, ())

    rewrite(config, lambda lines: [*lines[:3], lines[3].replace(b"T09:00", b"T03:00"), lines[4]])
    assert [(flaw.kind, flaw.where) for flaw in verify(sqlite_engine, config).broken] == [
        ("chain", chained[3]),
        ("stamp", chained[3]),
    ]


def test_a_chain_made_anew_as_a_whole_is_found_by_its_stamp(
    sqlite_engine: Engine, config: Config, chained: list[str], tmp_path: Path
) -> None:
    authority = Authority()
    roots = tmp_path / "roots.pem"
    roots.write_bytes(authority.roots)
    with loopback() as web:
        web.routes["/tsa"] = authority.answer
        choice = EvidenceChoice(authority=f"http://{web.address}/tsa", roots=roots)
        config = config.model_copy(update={"evidence": choice})
        stamp_head(config)
    for name in ("chain.jsonl", "chain.head"):
        (config.evidence_folder / name).unlink()
    for run in [chained[0], *chained[2:], chained[1]]:
        add_run(config, run, config.runs_folder / run, MONDAY)
    (flaw,) = verify(sqlite_engine, config).broken
    assert (flaw.kind, "given for something else" in flaw.message) == ("stamp", True)


class Notes:
    """Listens to a pass."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    def started(self, source_id: str) -> None: ...

    def progress(self, source_id: str, counts: dict[str, Any]) -> None: ...

    def ended(self, reading: Any) -> None: ...

    def note(self, text: str) -> None:
        self.noted.append(text)


def test_each_pass_asks_for_a_stamp_and_goes_on_without_one(
    config: Config, chained: list[str], knowledge: Knowledge, tmp_path: Path
) -> None:
    authority = Authority(spoil="status")
    roots = tmp_path / "roots.pem"
    roots.write_bytes(authority.roots)
    notes = Notes()
    with loopback() as web:
        web.routes["/tsa"] = authority.answer
        choice = EvidenceChoice(authority=f"http://{web.address}/tsa", roots=roots)
        config = config.model_copy(update={"evidence": choice})
        cycle = Cycle(config, tmp_path / "config.yaml", knowledge, notes)
        order = Order(sources=(), digest=False, rest=False)
        assert cycle.run(order).exit_code == 0
        assert notes.noted == ["no time stamp: refused (status 2: closed today)"]
        authority.spoil = ""
        assert cycle.run(order).exit_code == 0
    assert [path.name for path in (config.evidence_folder / "stamps").iterdir()] == ["4.tsr"]
    assert len(notes.noted) == 1


def test_an_authority_without_roots_is_refused() -> None:
    with pytest.raises(ValueError, match="an authority needs roots"):
        EvidenceChoice(authority="http://127.0.0.1:9/tsa")
