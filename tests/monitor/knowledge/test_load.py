"""Reading the knowledge folder: one version, clear errors."""

import shutil
from pathlib import Path

import pytest

import monitor.knowledge
from monitor.knowledge import KnowledgeError, load

HOME = Path(monitor.knowledge.__file__).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "knowledge"
    shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("__pycache__", "*.py"))
    return copy


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_version_is_the_digest_of_the_files(folder: Path) -> None:
    before = load(folder)
    assert before.version == load().version
    assert load(folder) is before
    changed = folder.parent / "changed"
    shutil.copytree(folder, changed)
    _edit(changed / "scoring.yaml", "flag: 0.70", "flag: 0.71")
    assert load(changed).version != before.version


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("claims/guarantee.yaml", "needs: [[guarantee]]", "needs: [[guarantees]]", "guarantees"),
        ("claims/guarantee.yaml", "weight: 0.6", "wieght: 0.6", "wieght"),
        ("claims/guarantee.yaml", "severity: Low", "severity: Lowest", "severity"),
        ("claims/guarantee.yaml", "id: guarantee.words", "id: proven.words", "twice"),
        ("claims/guarantee.yaml", '        - "Guaranteed results with exosomes."\n', "", "positive"),
        ("lexicon/en.yaml", "treat{,s,ed,ing,able}", "treat{,s,ed,ing,able", "brace"),
        ("lexicon/en.yaml", "remission", "re*mission", "re*mission"),
        ("lexicon/en.yaml", "remedy for", "=remedy for", "equals sign"),
        ("context/en.yaml", "kind: negation", "kind: negatoin", "kind"),
        ("scoring.yaml", "product_page: -1.6", "product_page: much", "product_page"),
        ("roles/roles.yaml", "role: seller", "rolle: seller", "rolle"),
    ],
)
def test_a_wrong_row_stops_the_load_and_is_named(folder: Path, file: str, old: str, new: str, told: str) -> None:
    _edit(folder / file, old, new)
    with pytest.raises(KnowledgeError, match=told.replace("*", r"\*")) as raised:
        load(folder)
    assert "claims" in str(raised.value) or file in str(raised.value)


def test_a_missing_part_is_named(folder: Path) -> None:
    shutil.rmtree(folder / "context")
    with pytest.raises(KnowledgeError, match="context"):
        load(folder)


def test_every_rule_weight_name_is_known() -> None:
    knowledge = load()
    expected = {
        f"product_{place}" for place in ("sentence", "block", "heading", "neighbour", "title", "context", "page")
    }
    assert expected <= set(knowledge.scoring.weights)
    assert knowledge.scoring.review < knowledge.scoring.flag
