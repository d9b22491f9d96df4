"""`check`: every mistake at once, with file, line, row and what to do; and nothing wrong with what ships."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from monitor.commands.knowledge import judge_example
from monitor.knowledge import HERE, Knowledge, KnowledgeError, load, read, signoffs
from monitor.knowledge.check import Checked, agrees, check
from monitor.knowledge.files import Problem
from monitor.knowledge.shapes import Example
from tests.monitor.knowledge.copies import copy_to, spoil

TODAY = date(2026, 11, 26)


@dataclass(frozen=True)
class Said:
    """One statement as a stand-in for judging says it."""

    category: str
    decision: str = "flag"
    status: str = "affirmed"
    quote: str = ""
    rule_id: str = ""
    why: str = "Because."


@dataclass(frozen=True)
class Answer:
    findings: Sequence[Said] = ()
    dropped: Sequence[Said] = ()


@dataclass
class Agrees:
    """Judges every example as it wants to be judged, but for the texts that it is told of."""

    folder: Path
    otherwise: dict[str, Answer] = field(default_factory=dict)

    def __call__(self, example: Example, knowledge: Knowledge) -> Answer:
        if example.text in self.otherwise:
            return self.otherwise[example.text]
        for rule in knowledge.claims:
            for one in rule.row.examples.positive:
                if (one if isinstance(one, str) else one.text) == example.text:
                    said = Said(rule.category, quote=example.quote, status=example.status, rule_id=rule.id)
                    return Answer(dropped=[said]) if example.status else Answer(findings=[said])
        return Answer(dropped=[Said("any", status=example.status)])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copy_to(tmp_path / "knowledge")


def looked(folder: Path, **otherwise: Answer) -> Checked:
    return check(folder, Agrees(folder, dict(otherwise)), TODAY)


def told(found: Checked, level: str = "error") -> list[str]:
    return [one.text() for one in found.problems if one.level == level]


def row(rows: list[dict[str, Any]], row_id: str) -> dict[str, Any]:
    return next(one for one in rows if one["id"] == row_id)


def test_what_ships_has_no_error() -> None:
    found = check(HERE, judge_example, TODAY)
    assert told(found) == []
    assert found.judged >= 300
    assert found.rows > 1000
    assert {one.state for one in found.signatures} == {"unsigned"}


SPOILT: list[tuple[str, Callable[[Any], Any], str, str]] = [
    (
        "claims/hair_regrowth.yaml",
        lambda raw: raw["rules"][1].update(wieght=2),
        "row 2 (hair.loss)",
        "unknown key wieght (nearest: weight); correct or remove it",
    ),
    (
        "claims/hair_regrowth.yaml",
        lambda raw: raw["rules"][1].pop("note"),
        "row 2 (hair.loss)",
        "note is missing; add it",
    ),
    (
        "claims/hair_regrowth.yaml",
        lambda raw: raw["rules"][1]["examples"]["negative"].__delitem__(slice(2, None)),
        "row 2 (hair.loss)",
        "examples.negative has 2, and needs at least 3; add more",
    ),
    (
        "claims/hair_regrowth.yaml",
        lambda raw: raw["rules"][0]["examples"]["positive"].insert(0, {"text": "x", "language": "en"}),
        "row 1 (hair.regrow)",
        "unknown key examples.positive.0.language",
    ),
    (
        "claims/hair_regrowth.yaml",
        lambda raw: raw["rules"][0].update(needs=[["act_restor"], ["hair"]]),
        "row 1 (hair.regrow)",
        "needs asks for class 'act_restor', which no lexicon file has (nearest: act_restore)",
    ),
    (
        "claims/hair_regrowth.yaml",
        lambda raw: raw["rules"].append(dict(raw["rules"][0])),
        "row 6 (hair.regrow)",
        "this id is taken in claims/hair_regrowth.yaml",
    ),
    (
        "claims/hair_regrowth.yaml",
        lambda raw: raw.update(category="hair_regroth"),
        "",
        "law/vocabulary.yaml has no category 'hair_regroth' (nearest: hair_regrowth)",
    ),
    (
        "claims/hair_regrowth.yaml",
        lambda raw: raw.update(category="guarantee"),
        "",
        "guarantee is also in claims/guarantee.yaml; join them",
    ),
    (
        "lexicon/de.yaml",
        lambda raw: raw["classes"].update(hair="haar{e"),
        "class hair",
        "a brace is opened and not closed",
    ),
    ("lexicon/de.yaml", lambda raw: raw.pop("source"), "", "source is missing; add it"),
    (
        "context/en.yaml",
        lambda raw: raw["cues"][0].update(kind="negative"),
        "row 1 (negative)",
        "kind: should be 'negation'",
    ),
    (
        "law/provisions/uk.yaml",
        lambda raw: raw.append(dict(raw[0])),
        "row 17 (uk-hmr2012-r2)",
        "this id is taken; give every provision its own",
    ),
    (
        "law/provisions/uk.yaml",
        lambda raw: raw[0].update(categories=["disease_treatmnt"], concerns=["ads"]),
        "row 1 (uk-hmr2012-r2)",
        "there is no category 'disease_treatmnt' (nearest: disease_treatment)",
    ),
    (
        "law/provisions/uk.yaml",
        lambda raw: raw[0].update(read_on=date(2027, 1, 1)),
        "row 1 (uk-hmr2012-r2)",
        "read_on 2027-01-01 lies in the future; correct it",
    ),
    (
        "law/provisions/uk.yaml",
        lambda raw: raw[0].update(source=None),
        "row 1 (uk-hmr2012-r2)",
        "status verified needs a source and read_on",
    ),
    (
        "law/rules/us.yaml",
        lambda raw: row(raw["rules"], "us-disease")["legal_basis"].append("us-fdca-505x"),
        "row 4 (us-disease)",
        "there is no provision 'us-fdca-505x' (nearest: us-fdca-505a); correct it, or add the missing row",
    ),
    (
        "law/rules/us.yaml",
        lambda raw: row(raw["rules"], "us-disease")["legal_basis"].append("uk-hmr2012-r46"),
        "row 4 (us-disease)",
        "uk-hmr2012-r46 is a provision of another jurisdiction; cite one of us",
    ),
    (
        "law/rules/us.yaml",
        lambda raw: raw["rules"].insert(0, {**row(raw["rules"], "us-disease"), "id": "us-early"}),
        "row 2 (us-disease-human-clinic)",
        "never reached for disease_treatment, because us-early above it takes every case; move it up",
    ),
    (
        "law/rules/us.yaml",
        lambda raw: raw["rules"].remove(row(raw["rules"], "us-guarantee")),
        "",
        "guarantee has no rule without `when` as its last one",
    ),
    (
        "precedents.yaml",
        lambda raw: raw["statements"][0].update(letters=["638824"]),
        "row 1 (row1-injection)",
        "names letter '638824', which is not listed (nearest: 638823); add it",
    ),
    (
        "scoring.yaml",
        lambda raw: raw["languages"]["B"]["codes"].append("en"),
        "",
        "languages: en stands under A and under B; take it out of one; correct it",
    ),
    (
        "scoring.yaml",
        lambda raw: raw["languages"]["C"]["codes"].append("th"),
        "",
        "languages: level C is every language not named elsewhere, and names none; leave its codes empty; correct it",
    ),
    (
        "scoring.yaml",
        lambda raw: raw["languages"].pop("B"),
        "",
        "languages: level B is missing; put it back; correct it",
    ),
    (
        "scoring.yaml",
        lambda raw: raw["languages"]["B"]["codes"].append("eo"),
        "",
        "eo has no words: there is no lexicon file of that lang; add lexicon/eo.yaml, or take it out of B",
    ),
]


@pytest.mark.parametrize(("file", "change", "where", "message"), SPOILT, ids=[one[3] for one in SPOILT])
def test_a_mistake_is_told_with_file_line_and_row(
    copy: Path, file: str, change: Callable[[Any], Any], where: str, message: str
) -> None:
    spoil(copy / file, change)
    found = looked(copy)
    (problem,) = [one for one in found.errors if message in one.message][:1] or [None]
    assert problem is not None, told(found)
    assert (problem.file, problem.row) == (file, where)
    assert problem.line >= 1
    named = where.partition("(")[2].rstrip(")") or where.removeprefix("class ")
    lines = (copy / file).read_text(encoding="utf-8").splitlines()
    assert named in "\n".join(lines[: problem.line])
    assert found.judged == 0


def test_all_mistakes_are_told_at_once(copy: Path) -> None:
    for file, change, _, _ in SPOILT[:1] + SPOILT[4:5] + SPOILT[8:9] + SPOILT[15:16]:
        spoil(copy / file, change)
    (copy / "roles" / "roles.yaml").write_text("source: [", encoding="utf-8")
    (copy / "scoring.yaml").unlink()
    found = looked(copy)
    assert {one.file for one in found.errors} == {
        "claims/hair_regrowth.yaml",
        "lexicon/de.yaml",
        "law/rules/us.yaml",
        "roles/roles.yaml",
        "scoring.yaml",
    }
    with pytest.raises(KnowledgeError):
        read(copy)


JUNK = [
    "",
    "[]",
    "5",
    "a line",
    "{rules: 5}",
    "- 7",
    "{rules: [7], classes: [x], cues: {a: b}}",
    "\ta: b",
    "a: [",
    "\x00",
]


@pytest.mark.parametrize("text", JUNK, ids=repr)
def test_junk_is_an_error_with_its_file_and_never_a_crash(copy: Path, text: str) -> None:
    files = [
        "claims/guarantee.yaml", "lexicon/de.yaml", "context/de.yaml", "roles/roles.yaml", "scoring.yaml",
        "law/vocabulary.yaml", "law/provisions/uk.yaml", "law/rules/uk.yaml", "precedents.yaml", "ambiguous.yaml",
    ]  # fmt: skip
    for file in files:
        (copy / file).write_text(text, encoding="utf-8")
    errors = {one.file for one in looked(copy).errors}
    assert [file for file in files if file not in errors and (file, text) != ("law/provisions/uk.yaml", "[]")] == []


def test_a_file_that_is_not_utf_8(copy: Path) -> None:
    (copy / "claims" / "guarantee.yaml").write_bytes("category: Gewähr".encode("latin-1"))
    assert told(looked(copy))[0].startswith("claims/guarantee.yaml: error: not UTF-8 at byte 13; save it as UTF-8")


def test_what_check_passes_can_be_loaded_and_what_loading_refuses_is_told(copy: Path) -> None:
    assert looked(copy).errors == ()
    read(copy)
    spoil(copy / "relevance.yaml", lambda raw: raw["tiers"].reverse())
    found = looked(copy)
    assert ["relevance.yaml" in one.message for one in found.errors] == [True]
    assert str(copy) not in found.errors[0].message


def test_examples_that_do_not_judge_as_they_say(copy: Path) -> None:
    lost, wrong, kept, by_model = (
        "Our exosomes stop hair loss.",
        "No more knee pain with our exosome injections.",
        "No exosome product treats hair loss.",
        "Hair loss affects many men.",
    )
    otherwise = {
        lost: Answer(dropped=[Said("hair_regrowth", "drop", "negated", why="It is negated.")]),
        kept: Answer(findings=[Said("hair_regrowth", rule_id="hair.loss", why="It treats.")]),
        by_model: Answer(findings=[Said("hair_regrowth", rule_id="model.hair_regrowth", why="It reads so.")]),
        wrong: Answer(),
    }
    found = check(copy, Agrees(copy, otherwise), TODAY)
    errors = {one.message for one in found.errors}
    assert errors == {
        f"positive example 1 “{lost}” is not found: It is negated. Correct the rule, or the example",
        f"positive example 1 “{wrong}” is not found: no rule of disease_treatment is met. "
        "Correct the rule, or the example",
        f"negative example 2 “{kept}” is found all the same: It treats. Correct the rule, or the example",
    }
    warned = [one for one in found.problems if by_model in one.message]
    assert [one.level for one in warned] == ["warning"]
    lines = (copy / "claims" / "hair_regrowth.yaml").read_text(encoding="utf-8").splitlines()
    assert {lost in lines[one.line - 1] for one in found.errors if lost in one.message} == {True}
    assert found.judged >= 300


def test_a_wrong_quote_and_a_wrong_status(copy: Path) -> None:
    def quote(raw: Any) -> None:
        raw["rules"][0]["examples"]["positive"][0] = {"text": "Exosomes regrow hair.", "quote": "regrow"}
        raw["rules"][0]["examples"]["negative"][0] = {"text": "Exosomes never regrow hair.", "status": "attributed"}

    spoil(copy / "claims" / "hair_regrowth.yaml", quote)
    found = check(copy, judge_example, TODAY)
    told_of = [one.message for one in found.errors if "row 1 (hair.regrow)" in one.row]
    assert any("quotes “Exosomes regrow hair.”, not “regrow”" in message for message in told_of)
    assert any("is read as negated, not attributed" in message for message in told_of)


@pytest.mark.parametrize(
    ("found", "told", "same"),
    [
        ("Exosomes regrow hair.", "Exosomes regrow hair.", True),
        ("regrow hair", "Exosomes regrow hair.", True),
        ("Exosomes regrow hair, and we prove it", "Exosomes regrow hair", True),
        ("Exosomes regrow hair", "regrow", False),
        ("Exosomes regrow hair", "Exosomes treat gout", False),
    ],
)
def test_a_quote_may_be_a_little_longer_or_shorter_than_the_example_s(found: str, told: str, same: bool) -> None:
    assert agrees(found, told) is same


# --- warnings


def words(found: Checked, file: str, name: str) -> list[str]:
    return [one.message for one in found.problems if (one.file, one.row) == (file, f"class {name}")]


def test_short_and_common_words_want_a_neighbour(copy: Path) -> None:
    spoil(
        copy / "lexicon" / "fr.yaml", lambda raw: raw["classes"].update(condition="MS | vision | pes | MS tremblante")
    )
    (message,) = words(looked(copy), "lexicon/fr.yaml", "condition")
    assert "“ms” (may mean milliseconds" in message
    assert "“vision” (may mean" in message
    assert "“pes” (short)" in message
    assert "tremblante" not in message
    assert "rule disease.for_condition takes these with no neighbour but the product" in message


def test_a_class_that_needs_a_verb_may_hold_short_words(copy: Path) -> None:
    before = words(looked(copy), "lexicon/fr.yaml", "symptom")
    spoil(copy / "lexicon" / "fr.yaml", lambda raw: raw["classes"].update(symptom="mal | MS"))
    assert before == words(looked(copy), "lexicon/fr.yaml", "symptom") == []


def test_doubles_and_opposites(copy: Path) -> None:
    def change(raw: Any) -> None:
        raw["classes"].update(hair="cheveu{x,} | cheveux | CHEVEUX", harm="sûr", safe="sur")
        raw["classes"]["appearance_cue"] += " | cheveu"

    spoil(copy / "lexicon" / "fr.yaml", change)
    found = looked(copy)
    assert words(found, "lexicon/fr.yaml", "harm") == [
        "also in class safe, its opposite (harmful, or safe): “sur”; keep it in one of them"
    ]
    hair = words(found, "lexicon/fr.yaml", "hair")
    assert "stands twice, accents and case apart: “cheveux”; remove one of each" in hair
    assert any("also in class appearance_cue, which rule hair.regrow forbids" in message for message in hair)
    assert found.errors == ()


def test_what_was_read_long_ago_or_has_no_source(copy: Path) -> None:
    def change(raw: Any) -> None:
        raw[0].update(read_on=date(2025, 1, 1))
        raw[1].update(source=None, read_on=None, status="unverified")

    spoil(copy / "law" / "provisions" / "uk.yaml", change)
    mine = [one.message for one in looked(copy).problems if one.file == "law/provisions/uk.yaml"]
    assert any("read_on 2025-01-01 is more than a year ago; read it again" in message for message in mine)
    assert sum("has no source, so no finding may cite it" in message for message in mine) >= 2


# --- signatures


def state(folder: Path, file: str) -> tuple[str, str]:
    found = looked(folder)
    one = next(each for each in found.signatures if each.file == file)
    return one.state, one.reviewer


def test_a_changed_file_is_unsigned_again(copy: Path) -> None:
    file = "lexicon/de.yaml"
    signoffs.append(copy, file, "Ada Quill", TODAY)
    assert state(copy, file) == ("signed", "Ada Quill")
    path = copy / file
    whole = path.read_bytes()
    path.write_bytes(whole + b"# a remark\n")
    assert state(copy, file) == ("stale", "Ada Quill")
    stale = [one for one in looked(copy).problems if one.file == file and "signed it on" in one.message]
    assert [one.message for one in stale] == [
        "changed since Ada Quill signed it on 2026-11-26: it counts as unsigned; have it signed again"
    ]
    signoffs.append(copy, file, "Bo Lind", TODAY)
    assert state(copy, file) == ("signed", "Bo Lind")
    path.write_bytes(whole)
    assert state(copy, file) == ("signed", "Ada Quill")


def test_a_name_in_a_row_counts_while_its_file_is_signed(copy: Path) -> None:
    file = "law/rules/us.yaml"
    spoil(copy / file, lambda raw: raw["rules"][0].update(signed_by="Ada Quill"))

    def names() -> set[str | None]:
        return {rule.signed_by for rule in read(copy).law.rule_sets["us"].rules}

    before = looked(copy)
    assert names() == {None}
    warned = [one for one in before.problems if "bears the name of Ada Quill" in one.message]
    assert [(one.level, one.file, one.row) for one in warned] == [("warning", file, "row 1 (us-disease-human-clinic)")]
    signoffs.append(copy, file, "Ada Quill", TODAY)
    after = looked(copy)
    assert names() == {None, "Ada Quill"}
    assert after.unnamed == before.unnamed - 1
    assert not [one for one in after.problems if "bears the name" in one.message]
    (copy / file).write_text((copy / file).read_text() + "# later\n")
    assert names() == {None}


DIGEST = "0" * 64


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,digest\n", "the first line must be file,sha256,reviewer,date"),
        (
            f"file,sha256,reviewer,date\nlexicon/xx.yaml,{DIGEST},Ada,2026-11-01\n",
            "there is no such file in the folder",
        ),
        ("file,sha256,reviewer,date\nlexicon/de.yaml,abc,Ada,2026-11-01\n", "sha256 is not 64 hexadecimal digits"),
        (f"file,sha256,reviewer,date\nlexicon/de.yaml,{DIGEST},,2026-11-01\n", "names no reviewer"),
        (f"file,sha256,reviewer,date\nlexicon/de.yaml,{DIGEST},Ada,1 May\n", "1 May is no date"),
        (f"file,sha256,reviewer,date\nlexicon/de.yaml,{DIGEST},Ada,2027-01-01\n", "lies in the future"),
        (f"file,sha256,reviewer,date\nlexicon/de.yaml,{DIGEST},Ada\n", "has 3 cells"),
    ],
)
def test_a_wrong_line_of_sign_offs(copy: Path, text: str, message: str) -> None:
    (copy / "signoffs.csv").write_text(text)
    errors: list[Problem] = [one for one in looked(copy).errors if one.file == "signoffs.csv"]
    assert [message in one.message for one in errors] == [True], told(looked(copy))
    assert errors[0].line == text.count("\n")


def test_words_about_the_knowledge_make_no_other_version(copy: Path) -> None:
    before = read(copy).version
    for file in ("precedents.yaml", "ambiguous.yaml"):
        (copy / file).write_text((copy / file).read_text() + "# a remark\n")
    assert read(copy).version == before
    (copy / "scoring.yaml").write_text((copy / "scoring.yaml").read_text() + "# a remark\n")
    assert read(copy).version != before
    assert load() is load()
