"""docs/knowledge.md: every row that it shows can be put where it says, and passes `check`."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.classify import Query, judge
from monitor.commands.knowledge import judge_example
from monitor.knowledge import read
from monitor.knowledge.check import check
from monitor.knowledge.shapes import ClaimRule
from tests.monitor.knowledge.copies import copy_to, spoil

PAGE = Path(__file__).parents[3] / "docs" / "knowledge.md"
BLOCKS = re.findall(
    r"^```yaml\n# (\S+\.yaml)(, first)?\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


def joined(old: Any, new: Any, first: bool, key: str = "") -> Any:
    """A row added to its file as a person would: words to their class, rows to their list."""
    if isinstance(old, dict):
        return {**old, **{name: joined(old.get(name), value, first, name) for name, value in new.items()}}
    if isinstance(old, list):
        return [*new, *old] if first else [*old, *new]
    return f"{old.rstrip()} | {new}" if isinstance(old, str) else new


def put(folder: Path, file: str, first: bool, text: str) -> None:
    added = yaml.safe_load(text)
    path = folder / file
    path.write_text(
        yaml.safe_dump(
            joined(yaml.safe_load(path.read_text(encoding="utf-8")), added, first), allow_unicode=True, sort_keys=False
        ),
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_to(tmp_path_factory.mktemp("taught") / "knowledge")
    for file, first, text in BLOCKS:
        put(folder, file, bool(first), text)
    return folder


def test_every_kind_of_row_is_shown() -> None:
    assert [file.partition("/")[0] for file, _, _ in BLOCKS] == [
        "lexicon", "context", "claims", "law", "law", "scoring.yaml", "precedents.yaml", "products",
        "generic_names.yaml", "passing", "places", "languages",
    ]  # fmt: skip
    assert len(re.findall("^```yaml", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == len(BLOCKS)


def test_all_of_it_together_passes_the_check(taught: Path) -> None:
    found = check(taught, judge_example, date(2026, 11, 26))
    assert [one.text() for one in found.errors] == []
    assert found.judged


def test_the_rows_do_what_the_page_says(taught: Path) -> None:
    knowledge = read(taught)

    def statuses(text: str) -> set[str]:
        made = judge(Query(id="x", text=text, lang="en", jurisdictions=("us",)), knowledge)
        return {one.status for one in (*made.findings, *made.dropped)}

    assert statuses("Our exosomes treat tennis elbow.") == {"affirmed"}
    assert statuses("Nobody has ever shown that exosomes treat tennis elbow.") == {"negated"}
    assert statuses("Exosomes treat tennis elbow, their leaflet boasted.") == {"attributed"}
    made = judge(
        Query(id="x", text="Exosomes with microneedling regrow hair.", lang="en", jurisdictions=("us",)), knowledge
    )
    (verdict,) = next(one for one in made.findings if one.category == "hair_regrowth").jurisdictions
    assert (verdict.severity, "us-hair-needling" in verdict.why) == ("High", True)


def test_a_row_below_one_that_takes_every_case_is_refused_as_the_page_says(tmp_path: Path) -> None:
    folder = copy_to(tmp_path / "knowledge")
    (rule,) = [(file, text) for file, first, text in BLOCKS if first]
    put(folder, rule[0], False, rule[1])
    errors = check(folder, judge_example, date(2026, 11, 26)).errors
    assert [one.row for one in errors if "never reached for hair_regrowth" in one.message]


def test_the_table_names_every_field_of_a_claim_rule() -> None:
    text = PAGE.read_text(encoding="utf-8")
    claims = text[text.index("## Claim rules") : text.index("## Law")]
    assert [name for name in ClaimRule.model_fields if f"`{name}`" not in claims] == []


def test_an_example_that_is_wrong_would_be_seen(tmp_path: Path) -> None:
    folder = copy_to(tmp_path / "knowledge")
    file, first, text = BLOCKS[2]
    put(folder, file, bool(first), text.replace("Exosomes do not regrow hair.", "Exosomes do regrow hair."))
    errors = check(folder, judge_example, date(2026, 11, 26)).errors
    assert [one.row for one in errors] == ["row 6 (hair.lashes)"]
    spoil(folder / file, lambda raw: raw["rules"].pop())
    assert check(folder, judge_example, date(2026, 11, 26)).errors == ()
