"""A folder that was found sound is read from what is kept of it: the same knowledge, until anything in it changes."""

import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

import monitor.knowledge
from monitor.classify import Query, judge
from monitor.classify.model import model
from monitor.knowledge import HERE, Knowledge, KnowledgeError, read, sound, yaml_rows

from .copies import copy_to

TEXTS = (
    "Our stem cell exosomes cure arthritis and regrow hair. No side effects. FDA approved.",
    "Die Behörde warnt: Exosomen heilen keine Arthrose.",
    "Exosomes are studied in Parkinson's disease; results are not known yet.",
    "エクソソーム点滴で糖尿病を治療します。",
    "A moisturising serum with exosomes for 49 dollars.",
)


def load(folder: Path) -> Knowledge:
    """As a program of its own loads it: nothing is remembered from the last time."""
    return monitor.knowledge._load.__wrapped__(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = copy_to(tmp_path / "knowledge")
    shutil.rmtree(copy / "model")
    return copy


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "exowatch"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the YAML files that were parsed."""
    files: list[str] = []

    def noted(path: Path) -> Any:
        files.append(path.name)
        return yaml_rows.read_yaml(path)

    monkeypatch.setattr(sound, "read_yaml", noted)
    return files


def _said(knowledge: Knowledge) -> dict[str, Any]:
    """All that it says, as values that can be compared."""
    told = {name: getattr(knowledge, name) for name in ("version", "claims", "categories", "roles", "scoring", "law")}
    told["relevance"] = knowledge.relevance.tiers
    told["terms"], told["cues"] = list(knowledge.lexicon), list(knowledge.context)
    told["diseases"] = (knowledge.conditions.digest, list(knowledge.conditions.groups()))
    told["products"] = [getattr(knowledge.products, one.name) for one in fields(knowledge.products)]
    return told | {"register": vars(knowledge.register)}


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_kept_or_not_it_says_the_same(folder: Path, cache: Path, parsed: list[str]) -> None:
    anew = _said(read(folder))
    first = _said(load(folder))
    assert [path.name.partition("-")[0] for path in cache.iterdir()] == ["knowledge"]
    assert len(parsed) > 100
    parsed.clear()
    again = _said(load(folder))
    assert parsed == []
    for part, told in anew.items():
        assert first[part] == told, part
        assert again[part] == told, part


def test_kept_or_not_it_judges_the_same() -> None:
    anew, first, again = read(HERE), load(HERE), load(HERE)
    for one in (first, again):
        one.compiled["model"] = model(anew)  # the same for all: it is no part of what is kept here
    found = 0
    for text in TEXTS:
        judged = [judge(Query(id="t", text=text), one).to_json() for one in (anew, first, again)]
        assert judged[0] == judged[1] == judged[2]
        found += len(judged[0]["findings"])
    assert found > 2


def test_what_no_page_asked_for_is_not_made() -> None:
    load(HERE)
    kept = load(HERE)
    judge(Query(id="t", text="The shop is open on Sundays until late in the evening."), kept)
    assert not {"law", "products", "relevance", "register"} & vars(kept).keys()
    assert kept.law is kept.law
    assert "law" in vars(kept)
    other = replace(kept, version="another")
    assert (other.law, other.products) == (kept.law, kept.products)
    with pytest.raises(AttributeError, match="no lore"):
        _ = kept.lore  # type: ignore[attr-defined]


def test_any_change_is_read(folder: Path, parsed: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    held = load(folder)
    assert held.scoring.flag == 0.70
    for file, old, new in (
        ("scoring.yaml", "flag: 0.70", "flag: 0.71"),
        ("conditions/review.yaml", "leave:", "leave: "),
        ("signoffs.csv", "file,", "file ,"),
    ):
        parsed.clear()
        _edit(folder / file, old, new)
        before, held = held, load(folder)
        assert len(parsed) > 100, file
        assert held.version != before.version
        assert held.scoring.flag == 0.71
    parsed.clear()
    monkeypatch.setattr(monitor.knowledge, "rests_on", lambda: ("other", "code"))
    assert load(folder).version == held.version
    assert len(parsed) > 100


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("law/rules/us.yaml", "severity: High", "severity: Highest", "us.yaml"),
        ("products/doses.yaml", "scales:", "scails:", "doses.yaml"),
    ],
)
def test_a_row_that_became_wrong_stops_the_load(folder: Path, file: str, old: str, new: str, told: str) -> None:
    load(folder)
    _edit(folder / file, old, new)
    with pytest.raises(KnowledgeError, match=told):
        load(folder)


def test_a_folder_that_changes_while_it_is_read_is_not_kept(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(path: Path) -> Any:
        if path.name == "scoring.yaml":
            _edit(path, "flag: 0.70", "flag: 0.71")
        return yaml_rows.read_yaml(path)

    with monkeypatch.context() as patch:
        patch.setattr(sound, "read_yaml", meanwhile)
        assert load(folder).scoring.flag == 0.71
    assert not cache.exists()
    _edit(folder / "scoring.yaml", "flag: 0.71", "flag: 0.70")
    assert load(folder).scoring.flag == 0.70


def test_what_only_yaml_can_say_is_not_kept(folder: Path, cache: Path) -> None:
    _edit(folder / "roles" / "roles.yaml", "hosts: [", "hosts: !!set {example.org: null}\n    paths: [")
    for _ in range(2):
        assert any(row.hosts == ("example.org",) for row in load(folder).roles)
        assert not cache.exists()


def test_where_nothing_can_be_kept_it_is_read_each_time(folder: Path, cache: Path, parsed: list[str]) -> None:
    cache.parent.mkdir()
    cache.write_text("a file where the folder should be")
    first = load(folder)
    parsed.clear()
    assert load(folder).law == first.law
    assert len(parsed) > 100
