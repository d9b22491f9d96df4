"""The held-out texts must be judged as well as ever before; a floor is lowered only with a reason, in a chain."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from monitor.knowledge import HERE, load
from monitor.training.evaluate import digest, evaluate
from monitor.training.labelled import read_labelled

FLOORS = Path(__file__).parent / "floors.json"
HELD: dict[str, Any] = json.loads(FLOORS.read_text(encoding="utf-8"))
LATEST = HELD["history"][-1]
_WORDING = 30


def seal(entry: dict[str, Any], before: str) -> str:
    said = {name: value for name, value in entry.items() if name != "seal"}
    return hashlib.sha256((before + json.dumps(said, sort_keys=True, ensure_ascii=False)).encode()).hexdigest()


@pytest.mark.parametrize("name", sorted(LATEST["floors"]))
def test_the_held_out_texts_are_judged_as_well_as_ever(name: str) -> None:
    path = HERE / "gold" / name
    assert digest(path) == LATEST["corpus"][name], f"{name} was changed: measure anew and add an entry that says why"
    report = evaluate(read_labelled(path), load(), digest(path))
    figures = {"flag_f1": report.flag["f1"], "flag_precision": report.flag["precision"]}
    figures |= {"review_recall": report.review["recall"], "span_f1": report.span_f1}
    below = {
        figure: (figures[figure], floor) for figure, floor in LATEST["floors"][name].items() if figures[figure] < floor
    }
    assert not below
    assert report.compared["rules and model"]["f1"] > report.compared["rules alone"]["f1"]
    assert report.compared["rules and model"]["f1"] > report.compared["keywords"]["f1"]


def test_the_history_of_floors_is_unbroken() -> None:
    before = ""
    for entry in HELD["history"]:
        assert entry["seal"] == seal(entry, before), f"the entry of {entry['date']} was changed after it was written"
        before = entry["seal"]


def test_a_lowered_floor_says_why() -> None:
    for earlier, later in zip(HELD["history"], HELD["history"][1:], strict=False):
        for name, floors in earlier["floors"].items():
            for figure, floor in floors.items():
                lowered = later["floors"].get(name, {}).get(figure, 0.0) < floor
                assert not lowered or figure in later["why"], f"{name}: {figure} fell in {later['date']} without a word"


def test_what_is_held_out_is_not_trained_on() -> None:
    taught = sorted((HERE / "training").glob("*.jsonl"))
    held = set[str]().union(*(_sentences(path) for path in (HERE / "gold").glob("passages*.jsonl")))
    for path in taught:
        assert not held & _sentences(path), path.name
    card = json.loads((HERE / "model" / "card.json").read_text(encoding="utf-8"))
    assert set(card["heads"]["texts"]) == {path.name for path in taught}


def _sentences(path: Path) -> set[str]:
    """Texts long enough to be somebody's wording: a bare name of a disease is nobody's."""
    return {row.text for row in read_labelled(path) if row.text and len(row.text) > _WORDING}
