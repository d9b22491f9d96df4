"""Turning a source on or off changes that line of the operator's file, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import Config, Vocabulary, load
from monitor.config.edit import EditError, switch

NAMES = Vocabulary(sources=frozenset({"us_a", "us_b"}))


def edited(tmp_path: Path, text: str, source: str, *, on: bool) -> tuple[str, Config]:
    file = tmp_path / "config.yaml"
    file.write_text(text, encoding="utf-8")
    assert switch(file, source, on=on, vocabulary=NAMES)
    assert list(tmp_path.iterdir()) == [file]
    return file.read_text(encoding="utf-8"), load(file, NAMES)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "sources:\n  us_a:\n    on: true # why\n    since: 2026-01-01\n",
            "    on: false # why\n    since: 2026-01-01\n",
        ),
        ("sources:\n  us_a: # ours\n    since: 2026-01-01\n  us_b: {}\n", "  us_a: # ours\n    on: false\n    since"),
        ("sources:\n  us_a:\n  us_b:\n", "  us_a:\n    on: false\n  us_b:\n"),
        ("sources:\n  us_a: {}\n", "  us_a: {on: false}\n"),
        ("sources:\n  us_a: {since: 2026-01-01} # ours\n", "  us_a: {on: false, since: 2026-01-01} # ours\n"),
        ("sources: {us_a: {on: true}}\n", "sources: {us_a: {on: false}}\n"),
    ],
)
def test_a_source_is_turned_off(tmp_path: Path, before: str, after: str) -> None:
    text, config = edited(tmp_path, before, "us_a", on=False)
    assert after in text
    assert not config.sources["us_a"].on


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("contact: a@b.example\n", "contact: a@b.example\nsources:\n  us_a: {on: true}\n"),
        ("sources:\n  us_b: {}\n", "sources:\n  us_a: {on: true}\n  us_b: {}\n"),
        ("sources: {}\n", "sources:\n  us_a: {on: true}\n"),
        ("sources: {us_b: {}}\n", "sources: {us_a: {on: true}, us_b: {}}\n"),
        ("sources:\n  us_a: {on: false}\n", "sources:\n  us_a: {on: true}\n"),
    ],
)
def test_a_source_is_turned_on(tmp_path: Path, before: str, after: str) -> None:
    text, config = edited(tmp_path, before, "us_a", on=True)
    assert text == after
    assert config.sources["us_a"].on


def test_where_one_line_holds_several_it_is_told_and_not_guessed(tmp_path: Path) -> None:
    before = "sources: {us_b: {}, us_a: {}}\n"
    with pytest.raises(EditError, match="put on: false under sources: us_a:"):
        edited(tmp_path, before, "us_a", on=False)
    assert [file.read_text() for file in tmp_path.iterdir()] == [before]


def test_a_site_is_turned_off_and_no_other(tmp_path: Path) -> None:
    before = "sites:\n  - url: https://kelda.example/\n    pages: 3\n  - url: https://follica.example/\n"
    _, config = edited(tmp_path, before, "site_follica_example", on=False)
    assert [site.on for site in config.sites] == [True, False]


def test_what_stands_so_already_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("sources: {us_a: {}}\n", encoding="utf-8")
    assert not switch(file, "us_a", on=True, vocabulary=NAMES)
    assert not switch(file, "us_b", on=False, vocabulary=NAMES)
    assert file.read_text() == "sources: {us_a: {}}\n"
