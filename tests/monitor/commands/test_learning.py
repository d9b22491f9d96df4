"""`exowatch evaluate` measures on anyone's labelled texts; `exowatch train` promotes only what is no worse."""

from __future__ import annotations

import json
import shutil
import sys
from datetime import date
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser

from monitor.cli import main
from monitor.knowledge import HERE
from monitor.training import promote

ROWS = (
    {"text": "Our exosome therapy treats arthritis.", "positive": True, "kind": "marketing claim"},
    {"text": "The serum leaves the skin looking smooth.", "positive": False, "kind": "lawful cosmetic"},
    {"text": "Exosome injections regrow hair on bald scalps.", "positive": True, "kind": "marketing claim"},
    {"text": "The library opens at nine and closes at six.", "positive": False, "kind": "unrelated"},
)


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    rows = [
        {"id": f"m{number}", "lang": "en", "product_context": False, "role": "seller", "status": "none", "spans": []}
        | row
        for number, row in enumerate(ROWS)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_evaluate_measures_on_my_texts(labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("evaluate", str(labelled), "--json") == 0

    report = json.loads(capsys.readouterr().out)
    assert report["n"] == 4
    assert report["flag"]["precision"] == 1.0
    assert report["flag"]["recall"] == 1.0
    assert {"keywords", "rules alone", "model alone"} <= set(report["compared"])


def test_tf_idf_is_trained_only_where_it_is_asked_for(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("".join(labelled.read_text(encoding="utf-8") for _ in range(3)), encoding="utf-8")
    monkeypatch.setattr(promote, "TEXTS", (few,))
    compared = []
    for options in ((), ("--baselines",)):
        assert run("evaluate", str(labelled), "--json", *options) == 0
        compared.append(json.loads(capsys.readouterr().out)["compared"])

    assert set(compared[1]) - set(compared[0]) == {"TF-IDF + LR"}
    assert compared[1]["TF-IDF + LR"]["f1"] == 1.0, "it is measured on what it learnt"


def test_evaluate_says_what_a_baseline_needs(
    labelled: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.pipeline", None)

    assert run("evaluate", str(labelled), "--baselines") == 2
    assert "sklearn.pipeline is not installed; training needs scikit-learn" in capsys.readouterr().err


def test_evaluate_prints_for_people(labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("evaluate", str(labelled)) == 0
    assert "by language" in capsys.readouterr().out


def test_evaluate_writes_a_page(labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "figures.html"
    assert run("evaluate", str(labelled), "--json", "--html", str(page)) == 0

    told = capsys.readouterr()
    figures, tree = json.loads(told.out), LexborHTMLParser(page.read_text(encoding="utf-8"))
    assert told.err.strip() == str(page)
    assert figures["by"]["level"]["A"]["n"] == 4
    assert figures["levels"] == {"en": "A"}
    assert "mine.jsonl" in tree.css_first(".lead").text()
    heads = [node.text() for node in tree.css("section[aria-labelledby=kind] th[scope=row]")]
    assert heads == ["marketing claim", "lawful cosmetic", "unrelated"]


def test_a_page_that_cannot_be_written_is_named(
    labelled: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("evaluate", str(labelled), "--html", str(tmp_path / "none" / "figures.html")) == 2
    assert "figures.html: No such file or directory; give another file" in capsys.readouterr().err


def test_a_file_without_labels_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": "x"}\n', encoding="utf-8")

    assert run("evaluate", str(path)) == 2
    assert "bad.jsonl" in capsys.readouterr().err


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HERE, tmp_path / "knowledge"))


def test_a_model_that_does_worse_is_not_promoted(copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Taught by four texts alone it knows next to nothing, and the gold texts say so."""
    gold = tmp_path / "gold.jsonl"
    rows = (HERE / "gold" / "passages.jsonl").read_text(encoding="utf-8").splitlines()[:120]
    gold.write_text("\n".join(rows) + "\n", encoding="utf-8")
    taught = tmp_path / "taught.jsonl"
    taught.write_text("".join(json.dumps(row) + "\n" for row in few(24)), encoding="utf-8")
    monkeypatch.setattr(promote, "TEXTS", ())
    before = {path.name: path.read_bytes() for path in (copied / "model").iterdir()}

    done = promote.train_and_promote([taught], date(2026, 11, 25), gold=gold, knowledge=copied)

    assert done.learnt_from == 24
    assert done.promoted == (done.after >= done.before)
    assert done.after < done.before
    assert {path.name: path.read_bytes() for path in (copied / "model").iterdir()} == before


def few(count: int) -> list[dict[str, object]]:
    texts = ("exosomes cure colds", "exosomes are small vesicles")
    return [
        {
            "id": f"f{number}",
            "lang": "en",
            "text": f"{texts[number % 2]} {number}",
            "product_context": False,
            "positive": number % 2 == 0,
            "kind": "x",
            "role": "clinic",
            "status": "none",
            "spans": [{"quote": texts[0], "category": "disease_treatment"}] if number % 2 == 0 else [],
        }
        for number in range(count)
    ]


def test_training_without_its_library_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")

    monkeypatch.setattr(promote, "train_and_promote", missing)
    config = tmp_path / "config.yaml"
    config.write_text(f"data: {tmp_path / 'var'}\ncontact: desk@watch.example\n", encoding="utf-8")

    assert run("--config", str(config), "train") == 2
    assert "scikit-learn" in capsys.readouterr().err
