"""Every card, found and not listed: what it says, what its fixture proves, and that the command reads it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crawler.fixtures import CAPTURE, TO_FILL, differences
from crawler.program import main
from crawler.source import check_options, load_cards, spider_module
from monitor.records import RECORD, SourceCard
from tests.crawler.source_fixtures import SHAPES

FIXTURES = Path(__file__).with_name("sources")
CARDS = load_cards()
OFFICIAL = {name: card for name, card in CARDS.items() if not card.demo}
EVERY = pytest.mark.parametrize("card", CARDS.values(), ids=lambda card: card.id)


def lacking(card: SourceCard, fixtures: Path = FIXTURES) -> str:
    """What a source's fixture still lacks, with the folder to fill; empty if it proves the reader."""
    folder = fixtures / card.id
    found = differences(card, folder)
    return f"{card.id}: fill {folder}:\n" + "\n".join(f"- {one}" for one in found) if found else ""


def about(card: SourceCard) -> list[dict[str, str]]:
    told: list[dict[str, str]] = json.loads((FIXTURES / card.id / "about.json").read_text(encoding="utf-8"))
    return told


def expected(card: SourceCard) -> list[dict[str, Any]]:
    lines = (FIXTURES / card.id / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@EVERY
def test_a_source_has_a_fixture_that_its_reader_reads_as_expected(card: SourceCard) -> None:
    assert not lacking(card), lacking(card)


def test_a_missing_fixture_says_which_folder_to_fill(tmp_path: Path) -> None:
    card = next(iter(OFFICIAL.values()))

    assert str(tmp_path / card.id) in lacking(card, tmp_path)
    (tmp_path / card.id).mkdir()
    (tmp_path / card.id / "about.json").write_text(json.dumps(about(card)), encoding="utf-8")
    told = lacking(card, tmp_path)
    assert str(tmp_path / card.id / about(card)[0]["file"]) in told
    assert "expected.jsonl" in told


@EVERY
def test_a_fixture_is_whole(card: SourceCard) -> None:
    files = {path.name for path in (FIXTURES / card.id).iterdir()}

    assert files == {"about.json", "expected.jsonl", *(one["file"] for one in about(card))}
    assert all(one["url"].startswith(("http://", "https://")) for one in about(card))
    assert len({one["url"] for one in about(card)}) == len(about(card))


@EVERY
def test_expected_records_are_of_the_source_and_its_kind(card: SourceCard) -> None:
    records = [RECORD.validate_json(json.dumps(line)) for line in expected(card)]

    assert records
    assert {record.source for record in records} == {card.id}
    assert {type(record) for record in records} == {SHAPES[card.kind]}
    assert all(getattr(record, "captures", ()) == (CAPTURE,) for record in records)
    assert {getattr(record, "jurisdiction", card.jurisdiction) for record in records} == {card.jurisdiction}


@EVERY
def test_the_command_reads_every_file_of_the_fixture(card: SourceCard, capsys: pytest.CaptureFixture[str]) -> None:
    folder = FIXTURES / card.id
    printed: list[Any] = []
    for one in about(card):
        command = ["read", card.id, str(folder / one["file"]), "--url", one["url"]]

        assert main([*command, "--content-type", one["content_type"]]) == 0
        printed += [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert printed == expected(card)


def test_the_command_works_as_a_program_from_any_folder(tmp_path: Path) -> None:
    card = CARDS["us_openfda_drug_enforcement"]
    (one,) = about(card)
    command = [sys.executable, "-m", "crawler", "read", card.id, str(FIXTURES / card.id / one["file"])]

    done = subprocess.run(
        [*command, "--url", one["url"]], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )

    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected(card)


@EVERY
def test_a_card_says_what_a_person_must_know(card: SourceCard) -> None:
    assert TO_FILL not in card.model_dump_json()
    assert card.means.rstrip().endswith("."), "a whole sentence"
    assert len(card.means.split()) >= 8, "what it means to stand on this list, in words"
    assert card.authority.name
    assert card.title != card.id
    assert card.demo or (card.authority.url.startswith("https://") and card.terms_of_use)
    check_options(card)


def test_no_two_sources_say_the_same_of_themselves() -> None:
    titles = [card.title for card in OFFICIAL.values()]
    means = [(card.language, card.means) for card in OFFICIAL.values()]

    assert sorted(titles) == sorted(set(titles))
    assert sorted(means) == sorted(set(means))


@EVERY
def test_an_envelope_can_be_held(card: SourceCard) -> None:
    """Its fields are fields of the kind, its shares are shares, its bounds are in order, and the fixture fills them."""
    expect = card.expect
    assert set(expect.filled) <= set(SHAPES[card.kind].model_fields)
    assert all(0 < share <= 1 for share in expect.filled.values())
    for bounds in (expect.listed, expect.records):
        assert bounds is None or bounds.max is None or bounds.min <= bounds.max
    assert expect.newest_within_days is None or expect.newest_within_days > 0
    lines = expected(card)
    read = [line for line in lines if not line.get("unread")]
    for name in expect.filled:
        assert any(line[name] for line in lines) or not read, f"no record of the fixture fills {name}"


def test_a_card_whose_markup_was_not_seen_says_so_in_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    unverified = {card.id for card in OFFICIAL.values() if card.unverified}

    assert main(["list"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines if "unverified" in line} == unverified
    assert unverified
    assert unverified < set(OFFICIAL)


def test_every_reader_has_its_cards_and_every_card_its_reader() -> None:
    folder = Path(spider_module(CARDS["ca_hc_recalls"]).__file__ or "").parent
    readers = {f"sources.{path.stem}" for path in folder.glob("*.py") if "\nclass Spider(" in path.read_text("utf-8")}
    generic = {
        f"generic.{path.stem}"
        for path in (folder.parent / "generic").glob("*.py")
        if "\nclass Spider(" in path.read_text("utf-8")
    }

    assert {card.spider for card in CARDS.values()} == readers | generic
