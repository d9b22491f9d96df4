"""Reading the knowledge folder: one version, clear errors."""

import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import monitor.knowledge
from monitor.knowledge import KnowledgeError, load
from monitor.knowledge.shapes import expand, well_written
from monitor.knowledge.yaml_rows import read_yaml

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


def test_the_version_covers_the_model_by_its_card(folder: Path) -> None:
    before = load(folder).version
    changed = folder.parent / "changed"
    shutil.copytree(folder, changed)
    card = changed / "model" / "card.json"
    card.write_text(card.read_text("utf-8") + "\n", "utf-8")
    assert load(changed).version != before


def test_every_file_says_what_yaml_says() -> None:
    files = [path for path in sorted(HOME.rglob("*.yaml")) if path.parent.name in ("law", "context", "knowledge")]
    assert len(files) > 20
    for path in files:
        assert read_yaml(path) == yaml.safe_load(path.read_text("utf-8")), path


@pytest.mark.parametrize(
    "written",
    [
        "", "a", "~", "no: [yes, off, 'on', 12, 1.5, 0x1f, -3, null, '']", "day: 2026-11-26", "? 2\n: a\n? true\n: b",
        "at: 2026-11-26T10:00:00Z", "a: &one [x, {y: z}]\nb: *one", "a:\nb: |\n  two\n  lines\n", "!!str 12",
        "a: !!set {x, y}", "tone: e\u0301 ja 日本",
    ],
)  # fmt: skip
def test_values_are_those_of_yaml(written: str, tmp_path: Path) -> None:
    path = tmp_path / "row.yaml"
    path.write_text(written, "utf-8")
    assert read_yaml(path) == yaml.safe_load(written)


@given(st.lists(st.sampled_from(["a", "b c", "{", "}", "{,x}", ",", "*", "=", " ", "|", "ש"]), max_size=9).map("".join))
def test_what_is_well_written_is_so_spelling_by_spelling(terms: str) -> None:
    def told(spelt: str) -> bool:
        stars, equal = "*" in spelt.strip("*"), spelt.startswith("=")
        return bool(spelt.strip("* ")) and not stars and (not equal or "ש" in spelt)

    try:
        fit = terms.count("{") == terms.count("}") and all(map(told, expand(terms)))
    except ValueError:
        fit = False
    try:
        assert (well_written(terms), fit) == (terms, True)
    except ValueError:
        assert not fit


def test_the_words_of_some_languages_and_classes_are_those_of_all() -> None:
    known = load()
    terms, cues = list(known.lexicon), list(known.context)
    assert {term.name for term in terms} == known.lexicon.names()
    assert list(known.lexicon.spoken({"ja", "any"})) == [term for term in terms if term.lang in ("ja", "any")] != []
    assert list(known.lexicon.named({"condition"})) == [term for term in terms if term.name == "condition"] != []
    assert list(known.context.spoken({"de"})) == [cue for cue in cues if cue.lang == "de"] != []


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
