"""The account of a reading: every step stands on the text, and says what was looked for and not found."""

from __future__ import annotations

import pytest

from monitor.classify import Query, judge
from monitor.classify.account import Account, accounts
from monitor.classify.shapes import EXCUSED_STATUSES
from monitor.knowledge import HERE, load
from monitor.knowledge.precedents import load as load_precedents

KNOWLEDGE = load()
PRECEDENTS = load_precedents(HERE)
PAGE = """<html lang="en"><body><h1>Exosome therapy at our clinic</h1><h2>Conditions we treat</h2>
<ul><li>Lupus</li><li>Autism</li></ul><p>Exosomes may help people with knee pain, studies say. Book now.</p>
<p>Exosomes do not cure diabetes.</p><p>Our nurses and our exosomes trеat asthma in a quiet room.</p></body></html>"""


def told(html: str | None = None, text: str | None = None) -> tuple[str, list[Account]]:
    made = judge(Query(id="x", html=html, text=text, lang="en", jurisdictions=("us", "zz")), KNOWLEDGE)
    return made.document.text, accounts(made, (*made.findings, *made.dropped), KNOWLEDGE, PRECEDENTS)


@pytest.fixture(scope="module")
def page() -> dict[str, Account]:
    text, found = told(PAGE)
    for one in found:
        assert text[one.start : one.end] == one.quote
        shown = [*one.words, *one.hedges, *(word for excuse in one.excuses for word in (*excuse.acted, *excuse.weak))]
        assert all(text[word.start : word.end] == word.text for word in shown)
    return {one.quote: one for one in found if one.category == "disease_treatment"}


def test_a_list_item_under_its_headings(page: dict[str, Account]) -> None:
    one = page["Lupus"]
    assert (one.decision, one.block) == ("flag", "list_item")
    assert one.heading_path == ("Exosome therapy at our clinic", "Conditions we treat")
    assert [(word.text, word.meets) for word in one.words] == [("Lupus", "condition")]
    assert one.rule.id == "disease.list_item"
    assert "condition" in one.rule.needs[0]
    assert "lead_treat" in one.rule.lead[0]
    assert one.rule.source
    assert one.meaning.startswith("Treats, cures")


def test_every_excuse_was_looked_for_and_the_weak_ones_are_shown(page: dict[str, Account]) -> None:
    one = next(account for quote, account in page.items() if "knee pain" in quote)
    assert [excuse.status for excuse in one.excuses] == list(EXCUSED_STATUSES)
    assert not [excuse for excuse in one.excuses if excuse.found]
    weak = {excuse.status: [word.text for word in excuse.weak] for excuse in one.excuses}
    assert weak["scientific"] == ["studies"]
    assert weak["negated"] == []
    assert "may help" in " ".join(word.text for word in one.hedges)


def test_what_was_not_flagged_says_which_words_excused_it(page: dict[str, Account]) -> None:
    one = page["Exosomes do not cure diabetes."]
    assert (one.decision, one.status) == ("drop", "negated")
    found = [excuse for excuse in one.excuses if excuse.found]
    assert [(excuse.status, [word.text for word in excuse.acted]) for excuse in found] == [("negated", ["do not"])]
    assert one.law == ()
    assert {word.meets for word in one.words} == {"act_treat", "condition"}


def test_disguised_letters_are_told_as_they_were_read(page: dict[str, Account]) -> None:
    one = page["exosomes trеat asthma in a quiet room"]
    assert one.statement == "Our nurses and our exosomes trеat asthma in a quiet room."
    assert one.disguised_as == "our nurses and our exosomes treat asthma in a quiet room."
    assert page["Lupus"].disguised_as == ""


def test_law_with_its_provisions_and_what_is_not_assessed(page: dict[str, Account]) -> None:
    us, unknown = page["Lupus"].law
    assert (us.code, us.assessed, us.severity) == ("us", True, "High")
    cited = {one.id: one for one in us.cited}
    assert cited["us-fdca-505a"].source
    assert cited["us-fdca-505a"].url.startswith("https://")
    assert cited["us-fdca-505a"].read_on == "2026-11-25"
    assert cited["us-fdca-505a"].signed_by == ""
    assert (unknown.code, unknown.assessed, unknown.cited) == ("zz", False, ())
    assert unknown.why.startswith("Not assessed.")


def test_thresholds_and_three_precedents(page: dict[str, Account]) -> None:
    one = page["Lupus"]
    assert 0 < one.review_at < one.flag_at <= one.confidence <= 1
    assert len(one.precedents) == 3
    assert one.precedents[0].precedent.id == "spiel-lupus"
    made = one.to_json()
    assert made["precedents"][0]["letters"][0]["firm"]
    assert made["excuses"][0]["looked_for"]


def test_every_statement_of_the_shipped_examples_can_be_told() -> None:
    statuses = set()
    for rule in KNOWLEDGE.claims:
        example = next(one for one in rule.row.examples.positive if not isinstance(one, str) or one)
        text = example if isinstance(example, str) else example.text
        for one in told(text=text)[1]:
            statuses.add(one.status)
            assert one.rule.note
            assert one.why
    assert "affirmed" in statuses
