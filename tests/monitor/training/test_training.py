"""Reading labels, figures, and the whole way from labelled texts to a model."""

import json
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from monitor.classify.model import CARD, ENCODER, FOLDER, GRAPH, HEADS, load_model
from monitor.knowledge import load
from monitor.training.__main__ import main
from monitor.training.evaluate import evaluate, to_text
from monitor.training.labelled import Labelled, counter_examples, held_out, lessons, read_labelled
from monitor.training.measure import calibration, counts, interval, overlap

KNOWLEDGE = load()
LINE = {
    "id": "a",
    "lang": "en",
    "text": "Exosomes cure colds.",
    "positive": True,
    "kind": "list item",
    "role": "clinic",
}


def _file(folder: Path, *rows: dict[str, object]) -> Path:
    path = folder / "labelled.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_line_that_is_no_labelled_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 2: no labelled text"):
        read_labelled(_file(tmp_path, LINE, {"id": "b"}))


def test_a_labelled_text_keeps_its_spans(tmp_path: Path) -> None:
    spans = [{"quote": "cure colds", "category": "disease_treatment"}]
    (row,) = read_labelled(_file(tmp_path, {**LINE, "spans": spans}))
    assert row.spans == (("cure colds", "disease_treatment"),)
    assert (row.voice, row.categories) == ("seller", frozenset({"disease_treatment"}))


def test_a_lesson_knows_where_its_claim_stands() -> None:
    text = "Welcome to our house. Exosomes cure colds."
    row = Labelled(
        "a", "en", True, "marketing claim", "clinic", text, spans=(("Exosomes cure colds", "disease_treatment"),)
    )
    made = lessons([row], KNOWLEDGE)
    assert made.claims == [True]
    assert made.categories == [frozenset({"disease_treatment"})]
    (quotes,) = made.quotes
    assert quotes is not None
    assert [made.texts[0][start:end] for start, end in quotes] == ["exosomes cure colds"]


def test_a_claim_whose_words_were_not_told_teaches_no_place() -> None:
    row = Labelled("a", "en", True, "marketing claim", "clinic", "Exosomes cure colds.")
    assert lessons([row], KNOWLEDGE).quotes == [None]


def test_one_text_in_ten_is_kept_from_training_and_no_counter_example() -> None:
    rows = [Labelled(f"t-{number}", "en", False, "news", "news", "text") for number in range(2_000)]
    assert 120 < sum(map(held_out, rows)) < 280
    assert [held_out(row) for row in rows] == [held_out(row) for row in rows]
    assert not any(map(held_out, counter_examples(KNOWLEDGE)))


def test_counter_examples_are_those_that_no_rule_takes_for_a_claim() -> None:
    found = counter_examples(KNOWLEDGE)
    assert len(found) > 50
    assert not any(row.positive for row in found)


def test_counts() -> None:
    truth, said = np.array([True, True, False, False]), np.array([True, False, True, False])
    assert counts(truth, said) == {"n": 4, "precision": 0.5, "recall": 0.5, "f1": 0.5}
    low, high = interval(truth, said)
    assert 0 <= low < 0.5 < high <= 1


def test_calibration_of_a_sure_and_right_model_is_perfect() -> None:
    truth = np.array([True, False])
    assert calibration(truth, np.array([1.0, 0.0], np.float32)) == {"brier": 0.0, "ece": 0.0}
    assert calibration(truth, np.array([0.0, 1.0], np.float32)) == {"brier": 1.0, "ece": 1.0}


@pytest.mark.parametrize(
    ("quoted", "reached"),
    [(["cure colds"], 1.0), (["Exosomes cure colds"], 0.8), (["Welcome"], 0.0), (["ＣＵＲＥ colds"], 1.0)],
)
def test_overlap_counts_words(quoted: list[str], reached: float) -> None:
    assert overlap("Welcome. Exosomes cure colds.", ["cure colds"], quoted) == pytest.approx(reached)


def test_a_report_names_every_approach_and_group() -> None:
    rows = [
        Labelled("a", "en", True, "marketing claim", "clinic", "Our exosomes treat arthritis.", spans=(("x", "y"),)),
        Labelled("b", "en", False, "news", "news", "The exosome firm moved its office to the river."),
    ]
    report = evaluate(rows, KNOWLEDGE, "digest")
    assert set(report.compared) == {"keywords", "rules alone", "model alone", "rules and model"}
    assert report.by["kind"]["news"] == {"n": 1, "falsely_flagged": 0.0}
    assert "rules and model" in to_text(report)


def test_nothing_to_evaluate_is_an_error() -> None:
    with pytest.raises(ValueError, match="no labelled text"):
        evaluate([], KNOWLEDGE, "digest")


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(tmp_path / "none.jsonl")]) == 1
    assert "none.jsonl" in capsys.readouterr().err


def test_training_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    from monitor.training.build import train

    rows = [
        Labelled(f"{number}", "en", number % 2 == 0, "x", "clinic", f"{text} {number}", spans=((text, name),))
        for number in range(40)
        for text, name in [("exosomes cure colds", "a"), ("exosomes are vesicles", "b")][number % 2 :][:1]
    ]
    written = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        for file in (ENCODER, GRAPH, CARD):
            shutil.copy(FOLDER / file, folder / file)
        train(KNOWLEDGE, rows, [], date(2026, 1, 1), None, folder)
        written.append((folder / HEADS).read_bytes())
    assert written[0] == written[1]
    assert load_model(tmp_path / "one").second is None
