"""The words of `products/`: nothing wrong with what ships, and every mistake named with file, row and what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from monitor.knowledge import HERE, KnowledgeError
from monitor.knowledge.check_products import ProductRows
from monitor.knowledge.files import Problem, RowFile
from monitor.knowledge.files import read as read_file
from monitor.knowledge.products import FOLDER, SHAPES, load
from tests.monitor.knowledge.copies import copy_to, spoil

TODAY = date(2026, 11, 26)
ABOVE_C = ("en", "es", "de", "fr", "pt", "it", "ja", "ko", "zh", "tr", "pl")


def looked(folder: Path) -> ProductRows:
    rows = ProductRows(TODAY)
    found = {path: read_file(path, folder) for path in sorted((folder / FOLDER).glob("*.yaml"))}
    rows.problems += [one for one in found.values() if isinstance(one, Problem)]
    rows.read({file.name: file for file in found.values() if isinstance(file, RowFile)})
    return rows


def test_what_ships_has_no_flaw_and_words_in_every_language_above_c() -> None:
    rows = looked(HERE)

    assert [one.text() for one in (*rows.problems, *rows.lacking(ABOVE_C))] == []
    assert rows.count > 100


def test_a_file_belongs_to_the_knowledge_s_version(tmp_path: Path) -> None:
    copy = copy_to(tmp_path / "knowledge")
    before = load(copy / FOLDER).version
    spoil(copy / FOLDER / "form.yaml", lambda raw: raw["values"][0].update(means="Another meaning"))

    assert load(copy / FOLDER).version != before == load(HERE / FOLDER).version


def value(number: int, **changes: Any) -> Callable[[Any], Any]:
    return lambda raw: raw["values"][number].update(changes)


@pytest.mark.parametrize(
    ("file", "change", "level", "told"),
    [
        ("form.yaml", value(0, value="serum"), "error", "serum stands in row 1 already; join the two"),
        ("form.yaml", value(0, colour="red"), "error", "unknown key"),
        ("form.yaml", value(0, terms={"english": "vial"}), "error", "terms.english"),
        ("form.yaml", value(0, terms={"en": "a * b"}), "error", "a star may only stand at the beginning or the end"),
        ("form.yaml", value(0, terms={"en": "vial{,s"}), "error", "a brace is opened"),
        ("form.yaml", value(0, terms={"en": "Ámpoule | ampoule"}), "warning", "stands twice, accents and case apart"),
        ("form.yaml", value(0, beside={"en": "ampoule"}), "warning", "under terms and beside: “ampoule”"),
        ("form.yaml", value(0, terms={"en": "vial"}), "warning", "“vial” also means ampoule"),
        ("form.yaml", lambda raw: raw.update(kind="route"), "error", "kind route does not belong here"),
        ("route.yaml", lambda raw: raw.update(read_on="2026-11-27"), "error", "read_on 2026-11-27 lies in the future"),
        ("route.yaml", lambda raw: raw.pop("source"), "error", "source is missing; add it"),
        ("cues.yaml", lambda raw: raw["cues"].pop("contrast"), "error", "contrast is missing; put it back"),
        ("cues.yaml", lambda raw: raw["cues"]["product"]["terms"].update(en="x | x"), "warning", "stands twice"),
        ("doses.yaml", lambda raw: raw["scales"][0].update(factor=1), "error", "factor"),
        ("doses.yaml", lambda raw: raw["units"][0]["terms"].update(en="particle"), "warning", "“particle” also means"),
        ("doses.yaml", lambda raw: raw["scales"][0]["terms"].update(en="million"), "error", "“million” is 1000 "),
        ("countries.yaml", lambda raw: raw["names"].update(xq="Xanadu"), "error", "xq is no country of ISO 3166-1"),
        ("countries.yaml", lambda raw: raw["names"].update(gb="Britain"), "error", "write uk"),
        ("countries.yaml", lambda raw: raw["languages"].append("qx"), "error", "no names of countries in qx"),
    ],
)  # fmt: skip
def test_mistakes_are_named(tmp_path: Path, file: str, change: Callable[[Any], Any], level: str, told: str) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    for name in SHAPES:
        (folder / name).write_bytes((HERE / FOLDER / name).read_bytes())
    spoil(folder / file, change)

    found = looked(tmp_path).problems

    assert any(one.level == level and told in one.message for one in found), [one.text() for one in found]
    assert all(one.file == f"{FOLDER}/{file}" and one.line > 0 for one in found)


def test_a_file_of_another_name_is_told_of(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "forms.yaml").write_text("kind: form\n", encoding="utf-8")

    (problem,) = looked(tmp_path).problems
    assert problem.message == "no file of this name is read (nearest: products/form.yaml); rename or remove it"


def test_a_language_without_words_is_told_of() -> None:
    told = [one.message for one in looked(HERE).lacking(["de", "sw"])]

    assert len(told) == 3
    assert all("no value has words in sw" in one for one in told)


def test_what_cannot_be_read_is_refused_with_its_place(tmp_path: Path) -> None:
    copy = copy_to(tmp_path / "knowledge")
    spoil(copy / FOLDER / "route.yaml", lambda raw: raw["values"][2].pop("means"))

    with pytest.raises(KnowledgeError, match=r"route.yaml: values\.2\.means: Field required"):
        load(copy / FOLDER)
