"""Each claim rule's own examples: what it must find, quoted, and what must not be flagged."""

import pytest

from monitor.classify import Judgement, Query, judge
from monitor.knowledge import Rule, load
from monitor.knowledge.check import agrees
from monitor.knowledge.shapes import Example

KNOWLEDGE = load()
COSMETIC = "cosmetic_appearance"


def _examples(sign: str) -> list[object]:
    return [
        pytest.param(rule, Example(text=one) if isinstance(one, str) else one, id=f"{rule.id}-{number}")
        for rule in KNOWLEDGE.claims
        for number, one in enumerate(getattr(rule.row.examples, sign))
    ]


def _judged(example: Example) -> Judgement:
    html, text = (example.text, None) if example.html else (None, example.text)
    return judge(Query(id="x", html=html, text=text, lang=example.lang or "en"), KNOWLEDGE)


@pytest.mark.parametrize(("rule", "example"), _examples("positive"))
def test_positive_example_is_found_and_quoted(rule: Rule, example: Example) -> None:
    judged = _judged(example)
    shown = [claim for claim in judged.findings + judged.dropped if claim.category == rule.category]
    if rule.category == COSMETIC:
        assert [claim.status for claim in shown] == ["cosmetic"]
        return
    kept = [claim for claim in shown if claim.decision != "drop"]
    assert kept, [(claim.rule_id, claim.status, claim.confidence) for claim in shown]
    if example.quote:
        assert any(agrees(claim.quote, example.quote) for claim in kept), [claim.quote for claim in kept]


@pytest.mark.parametrize(("rule", "example"), _examples("negative"))
def test_negative_example_is_not_flagged(rule: Rule, example: Example) -> None:
    judged = _judged(example)
    found = [claim for claim in judged.findings if claim.category == rule.category]
    kept = [claim for claim in found if claim.rule_id == rule.id or claim.decision == "flag"]
    assert not kept, [(claim.rule_id, claim.quote, claim.why) for claim in kept]


def test_enough_categories_and_rules() -> None:
    assert len(KNOWLEDGE.categories) >= 20
    assert len(KNOWLEDGE.claims) >= 45
    assert set(KNOWLEDGE.categories) == set(KNOWLEDGE.law.categories)
