"""Lists of words: nothing wrong with what ships, and every mistake named with file, row and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from monitor.knowledge import HERE, KnowledgeError
from monitor.knowledge.check_words import WordRows
from monitor.knowledge.files import Problem, RowFile
from monitor.knowledge.files import read as read_file
from monitor.knowledge.wordlists import BANNERS, COUNTERS, DATES, LISTS, NAMES, in_use, pattern, read, spelt
from monitor.knowledge.yaml_rows import read_yaml
from tests.monitor.knowledge.copies import spoil


def looked(folder: Path, *more: str) -> WordRows:
    rows = WordRows(date(2026, 11, 26))
    found = [read_file(folder / name, folder) for name in (*LISTS, *more) if (folder / name).exists()]
    rows.problems += [one for one in found if isinstance(one, Problem)]
    rows.read({file.name: file for file in found if isinstance(file, RowFile)})
    return rows


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in LISTS:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((HERE / name).read_bytes())
    return tmp_path


def test_what_ships_has_no_flaw_and_words_in_every_language_above_c() -> None:
    levels = read_yaml(HERE / "scoring.yaml")["languages"]
    rows = looked(HERE)

    assert [one.text() for one in (*rows.problems, *rows.lacking([*levels["A"]["codes"], *levels["B"]["codes"]]))] == []
    assert rows.count == sum(map(len, LISTS.values())) > 30


def words(name: str, **terms: str) -> Callable[[Any], Any]:
    return lambda raw: raw["words"][name]["terms"].update(terms)


@pytest.mark.parametrize(
    ("file", "change", "level", "told"),
    [
        (BANNERS, words("asks", en="by using <8"), "error", "a gap is written <24>"),
        (BANNERS, words("asks", en="<80> agree"), "error", "has words on both sides"),
        (BANNERS, words("asks", en="using {this,that site"), "error", "a brace is opened"),
        (BANNERS, words("buttons", de="Weiter | weiter"), "warning", "stands twice in de, case apart: “weiter”"),
        (BANNERS, words("buttons", german="Weiter"), "error", "german"),
        (BANNERS, lambda raw: raw["words"].pop("asks"), "error", "asks is missing; put it back"),
        (BANNERS, lambda raw: raw["words"].update(ask=raw["words"]["asks"]), "error", "no list ask (nearest: asks)"),
        (DATES, lambda raw: raw.update(read_on="2026-11-27"), "error", "read_on 2026-11-27 lies in the future"),
        (DATES, words("month_beside_year", en="may | june"), "warning", "under month too, which takes it: “june”"),
        (DATES, lambda raw: raw["words"]["unit"].pop("note"), "error", "note is missing; add it"),
        (COUNTERS, words("visitors", de="Kunden"), "warning", "stands under people too"),
        (COUNTERS, lambda raw: raw["words"]["left"].update(terms={}), "error", "terms"),
        (COUNTERS, lambda raw: raw.pop("source"), "error", "source is missing; add it"),
        (NAMES, words("form", en="serum*"), "error", "a star is not read here"),
        (NAMES, words("part", de="Serum"), "warning", "stands under form too, which takes it: “Serum”"),
    ],
)
def test_mistakes_are_named(copy: Path, file: str, change: Callable[[Any], Any], level: str, told: str) -> None:
    spoil(copy / file, change)

    found = looked(copy).problems

    assert any(one.level == level and told in one.message for one in found), [one.text() for one in found]
    assert all(one.file == file and one.line > 0 for one in found)


def test_a_file_of_another_name_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "passing").mkdir()
    (tmp_path / "passing" / "banner.yaml").write_text("words: {}\n", encoding="utf-8")

    (problem,) = looked(tmp_path, "passing/banner.yaml").problems
    assert problem.message == "no file of this name is read (nearest: passing/banners.yaml); rename or remove it"


def test_a_language_without_words_for_kinds_and_banners_is_told_of() -> None:
    told = [one.message for one in looked(HERE).lacking(["de", "sw"])]

    assert len(told) == 6
    assert all("no words in sw" in one for one in told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda raw: raw["words"]["left"].update(terms={"en": "<3> left"}),
            r"words\.left: '<3> left': a gap is written",
        ),
        (lambda raw: raw["words"]["left"].update(terms={"en": "{a,b"}), r"words\.left: a brace is opened"),
        (lambda raw: raw["words"].pop("left"), r"words\.left: expected `terms`"),
        (lambda raw: raw["words"]["left"].update(terms=["left"]), r"words\.left: expected `terms`"),
        (lambda raw: raw.pop("words"), "expected `words`"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(copy: Path, change: Callable[[Any], Any], told: str) -> None:
    spoil(copy / COUNTERS, change)

    with pytest.raises(KnowledgeError, match=f"counters.yaml: {told}"):
        read(copy, COUNTERS)


def test_an_edited_folder_is_read_as_the_one_in_use(copy: Path) -> None:
    assert {file: read(copy, file) for file in LISTS} == {file: in_use(file) for file in LISTS}


def test_spellings_come_once_without_case_and_the_longest_first() -> None:
    terms = {"en": "view{,s}", "de": "Views | Maß", "ja": "人"}

    assert spelt(terms, but=("ja",)) == ["views", "view", "mass"]
    assert spelt(terms, ("ja",)) == ["人"]


@pytest.mark.parametrize(
    ("written", "met", "not_met"),
    [
        ("look*", "looking", "loo"),
        ("this site <8> agree", "this site, you agree", "this site, as you know, agree"),
        ("файл <8> куки", "файлы куки", "файлы и другие куки"),
        ("vol.", "vol.", "volt"),
    ],
)
def test_a_spelling_is_looked_for_as_it_is_written(written: str, met: str, not_met: str) -> None:
    assert re.fullmatch(pattern(written), met)
    assert not re.fullmatch(pattern(written), not_met)
