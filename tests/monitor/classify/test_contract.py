"""The line contract of `exowatch judge`, and inputs meant to break it."""

import json
from typing import Any

import pytest

from monitor.classify import Query, judge, judge_lines
from monitor.knowledge import load

KNOWLEDGE = load()
FIELDS = {"id", "decision", "role", "lang", "text_sha256", "knowledge_version", "findings", "dropped"}
CLAIM_FIELDS = {
    "quote", "start", "end", "category", "status", "rule_id", "confidence", "decision", "obfuscated", "hedged",
    "jurisdictions", "why",
}  # fmt: skip


def _out(*lines: Any, with_text: bool = False) -> list[tuple[dict[str, Any], bool]]:
    raw = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return [(json.loads(text), good) for text, good in judge_lines(raw, KNOWLEDGE, with_text)]


def test_fields_of_an_answer() -> None:
    page = "<p>Our exosomes treat arthritis.</p><p>Exosomes do not cure autism.</p>"
    [(answer, good)] = _out({"id": "1", "html": page, "jurisdictions": ["us"]}, with_text=True)
    assert good
    assert set(answer) >= FIELDS | {"text"}
    assert (answer["id"], answer["decision"], answer["lang"]) == ("1", "flag", "en")
    for claim in answer["findings"] + answer["dropped"]:
        assert set(claim) >= CLAIM_FIELDS
        assert answer["text"][claim["start"] : claim["end"]] == claim["quote"]
    [verdict] = answer["findings"][0]["jurisdictions"]
    assert set(verdict) >= {"code", "severity", "legal_basis", "assessed"}
    assert verdict["code"] == "us"
    assert answer["dropped"][0]["status"] == "negated"
    assert answer["dropped"][0]["decision"] == "drop"


def test_text_is_added_only_when_asked() -> None:
    [(answer, _)] = _out({"id": "1", "text": "Exosomes"})
    assert "text" not in answer


def test_bad_lines_are_named_and_the_rest_goes_on() -> None:
    answers = _out(
        {"id": "a", "text": "Our exosomes treat arthritis."},
        "{not json",
        {"id": "b"},
        {"id": "c", "text": "x", "html": "<p>"},
        ["list"],
        {"id": "d", "text": 7},
        {"text": "no id"},
        {"id": "e", "text": "x", "jurisdictions": [1]},
        "",
        {"id": "f", "text": ""},
    )
    assert [good for _, good in answers] == [True, False, False, False, False, False, False, False, True]
    assert [answer["id"] for answer, _ in answers] == ["a", None, "b", "c", None, "d", None, "e", "f"]
    assert all(set(answer) == {"id", "error"} for answer, good in answers if not good)
    assert answers[-1][0]["decision"] == "clear"


@pytest.mark.parametrize(
    "query",
    [
        Query(id="empty", html=""),
        Query(id="nul", text="\x00" * 1000 + "exosomes treat arthritis\x00"),
        Query(id="surrogate", text="exosomes \ud800 treat arthritis"),
        Query(id="broken", html="<p><<li>exosomes <b>cure <!-- arthritis"),
        Query(id="bytes", html=b"\xff\xfe\xfd exosomes treat \x81 arthritis"),
        Query(id="right to left", text="\u202eالإكسوسوم يعالج التهاب المفاصل\u202c"),
        Query(id="mixed scripts", text="exosomes エクソソーム экзосомы 엑소좀 treat 治療 arthritis"),
        Query(id="commas", text="exosomes " + "," * 20_000 + " treat arthritis"),
        Query(id="quotes", text="exosomes " + '"' * 20_000 + "?" * 20_000),
        Query(id="open brackets", text="exosomes " + "(" * 20_000),
        Query(id="one name", text="exosomes" * 5_000),
    ],
    ids=lambda query: query.id,
)
def test_hostile_input_is_answered(query: Query) -> None:
    answer = judge(query, KNOWLEDGE).to_json(with_text=True)
    json.dumps(answer).encode()
    assert answer["decision"] in ("flag", "review", "clear")


def test_a_long_word_and_a_long_list_are_answered() -> None:
    word = judge(Query(id="w", text="exosome " + "w" * 5_000_000), KNOWLEDGE)
    assert word.decision == "clear"
    page = "<h2>Conditions we treat with exosomes</h2><ul>" + "<li>Lupus" * 20_000
    listed = judge(Query(id="l", html=page), KNOWLEDGE)
    assert sum(claim.category == "disease_treatment" for claim in listed.findings) == 20_000


def test_many_hits_in_one_sentence_stay_bounded() -> None:
    text = "Exosomes " + "treat arthritis and " * 20_000
    judged = judge(Query(id="m", text=text), KNOWLEDGE)
    assert judged.decision != "clear"
    assert all(len(claim.quote) <= 700 for claim in judged.findings)


@pytest.mark.timeout(60)
def test_a_page_without_the_product_is_cleared_however_deep_its_tags_stand() -> None:
    judged = judge(Query(id="deep", html="<div>" * 300_000 + "opening hours"), KNOWLEDGE)
    assert judged.decision == "clear"
