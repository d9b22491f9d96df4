"""What edited knowledge would do to held findings: the same that re-judging then does, and nothing is written."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, MetaData
from sqlmodel import select

from monitor.config import Config, Site
from monitor.intake.runs import take_in
from monitor.knowledge import Knowledge, Rule, load
from monitor.lives import ClaimState
from monitor.market.claims import folded_quote
from monitor.market.effect import Effect, View, effect
from monitor.market.rejudge import rejudge
from monitor.tables.db import reading
from monitor.tables.models import Claim, Finding
from tests.monitor.edited import with_rules
from tests.runs import RunMaker, page_card

MONDAY = datetime(2026, 11, 9, 6, tzinfo=UTC)
HOME = "http://kelda.example/"
LUPUS = "Our exosome therapy treats lupus."
HAIR = "The exosome serum regrows hair on bald scalps."
SAFE = "The exosome serum has no side effects."
SKIN = "Exosomes heal acne scars."
DRIP = "We give exosomes by IV infusion at our clinic."
LOOKS = "With exosomes the skin looks fresh and smooth."
DENIED = "Exosomes do not cure diabetes."
ALL = (LUPUS, HAIR, SAFE, SKIN, DRIP, LOOKS, DENIED)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data=tmp_path / "var", sites=(Site(url=HOME, name="Kelda Labs", country="us"),))


def page_html(claims: Sequence[str], price: str = "$450") -> str:
    paragraphs = "".join(f"<p>{claim}</p>" for claim in claims)
    return (
        '<html lang="en"><head><title>Kelda exosome therapy</title></head><body><h1>Exosome therapy</h1>'
        f"{paragraphs}<p>Book your appointment now: {price} a session.</p></body></html>"
    )


class Desk:
    def __init__(self, engine: Engine, config: Config, knowledge: Knowledge) -> None:
        self.engine, self.config, self.knowledge = engine, config, knowledge
        self.at = MONDAY

    def take(self, source: str, pages: dict[str, str]) -> None:
        self.at += timedelta(hours=1)
        maker = RunMaker(page_card(source), self.at, self.config.runs_folder)
        for url, html in pages.items():
            maker.page(url, html)
        assert take_in(self.engine, maker.write(), self.config, self.knowledge).state == "taken_in"

    def effect(self, edited: Knowledge) -> Effect:
        return effect(self.engine, edited, self.config.jurisdictions, in_use=self.knowledge.version)

    def rejudge(self, edited: Knowledge) -> dict[str, int]:
        self.at += timedelta(hours=1)
        done = rejudge(self.engine, edited, self.config, now=self.at)
        self.knowledge = edited
        return done


@pytest.fixture
def desk(engine: Engine, config: Config, knowledge: Knowledge) -> Desk:
    return Desk(engine, config, knowledge)


def strict(knowledge: Knowledge) -> Knowledge:
    """Nothing is sure enough."""
    return with_rules(sure(knowledge, 0.9999, 0.9998), "strict")


def sure(knowledge: Knowledge, flag: float, review: float | None = None) -> Knowledge:
    fusion = knowledge.scoring.fusion.model_copy(update={"flag": flag, "review": review or min(0.3, flag)})
    return replace(knowledge, scoring=knowledge.scoring.model_copy(update={"fusion": fusion}))


def severities(knowledge: Knowledge, code: str, severity: str) -> Any:
    rules = knowledge.law.rule_sets[code]
    changed = rules.model_copy(
        update={"rules": tuple(rule.model_copy(update={"severity": severity}) for rule in rules.rules)}
    )
    return replace(knowledge.law, rule_sets={**knowledge.law.rule_sets, code: changed})


def rows(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in the database."""
    metadata = MetaData()
    metadata.reflect(engine)
    with reading(engine) as session:
        return {
            name: sorted(tuple(map(str, row)) for row in session.execute(table.select()))
            for name, table in metadata.tables.items()
        }


Standing = dict[int, tuple[str, View]]


def standing(engine: Engine) -> Standing:
    """Claims that stand, each with its folded quote and how it is judged."""
    with reading(engine) as session:
        found: Standing = {}
        alive = (ClaimState.LIVE, ClaimState.MISSING, ClaimState.REWORDING)
        for claim in session.exec(select(Claim)):
            if claim.state in alive and claim.id is not None:
                law = [
                    (row.jurisdiction, row.severity, tuple(row.legal_basis))
                    for row in session.exec(select(Finding).where(Finding.claim_id == claim.id))
                    if row.current
                ]
                view = View(claim.category, claim.decision, claim.severity, claim.rule_id, tuple(sorted(law)))
                found[claim.id] = (folded_quote(claim.quote), view)
        return found


def compare(foretold: Effect, before: Standing, after: Standing) -> None:
    """What was foretold is what came."""
    appeared = sorted((after[one] for one in after.keys() - before.keys()), key=repr)
    assert sorted(((folded_quote(one.quote), one.after) for one in foretold.of("appears")), key=repr) == appeared
    assert {one.claim_id for one in foretold.of("vanishes")} == before.keys() - after.keys()
    changed = {one for one in after.keys() & before.keys() if before[one][1].differs(after[one][1])}
    assert {one.claim_id: (one.before, one.after) for one in foretold.of("changes")} == {
        one: (before[one][1], after[one][1]) for one in changed
    }
    assert foretold.standing == len(before)


def two_sites(desk: Desk) -> None:
    desk.take(
        "site_kelda_example",
        {
            HOME: page_html([LUPUS, HAIR, SAFE]),
            f"{HOME}fr": page_html([LUPUS, SKIN, DENIED]),
            f"{HOME}shop": page_html([DRIP, LOOKS]),
        },
    )
    desk.take("site_vesper_example", {"http://vesper.example/": page_html([HAIR, SAFE, SKIN, SKIN])})


def test_nothing_changes_under_the_same_rules(desk: Desk, knowledge: Knowledge) -> None:
    two_sites(desk)
    assert desk.effect(knowledge).pages == 0
    same = desk.effect(with_rules(knowledge, "the same by another name"))
    assert (same.pages, same.behind, same.shifts) == (4, 0, ())
    assert same.standing == len(standing(desk.engine)) > 4


def test_what_vanishes_says_why_and_where(desk: Desk, knowledge: Knowledge) -> None:
    two_sites(desk)
    before = standing(desk.engine)
    rules = strict(knowledge)
    foretold = desk.effect(rules)
    assert {one.claim_id for one in foretold.of("vanishes")} == before.keys()
    (shift,) = [one for one in foretold.of("vanishes") if one.quote == HAIR and one.url == HOME]
    assert shift.before is not None
    assert (shift.before.category, shift.after) == ("hair_regrowth", None)
    assert "left out" in shift.why.lower()
    desk.rejudge(rules)
    compare(foretold, before, standing(desk.engine))


def test_a_severity_changes_in_one_jurisdiction(desk: Desk, knowledge: Knowledge) -> None:
    two_sites(desk)
    before = standing(desk.engine)
    rules = with_rules(knowledge, "all low", law=severities(knowledge, "us", "Low"))
    foretold = desk.effect(rules)
    assert not foretold.of("appears")
    assert not foretold.of("vanishes")
    assert foretold.of("changes")
    for shift in foretold.of("changes"):
        assert shift.before is not None
        assert shift.after is not None
        assert "law" in shift.changed
        was, now = ({code: given for code, given, _ in view.law} for view in (shift.before, shift.after))
        assert now["us"] == "Low" != was["us"]
        assert {code for code in was if was[code] != now[code]} == {"us"}
    desk.rejudge(rules)
    compare(foretold, before, standing(desk.engine))


def test_another_category_for_the_same_words(desk: Desk, knowledge: Knowledge) -> None:
    two_sites(desk)
    before = standing(desk.engine)
    moved = tuple(
        Rule("guarantee", rule.row) if rule.category == "hair_regrowth" else rule for rule in knowledge.claims
    )
    rules = with_rules(knowledge, "moved", claims=moved)
    foretold = desk.effect(rules)
    changes = [one for one in foretold.of("changes") if one.quote == HAIR]
    assert [one.changed[0] for one in changes] == ["category", "category"]
    desk.rejudge(rules)
    compare(foretold, before, standing(desk.engine))


def test_what_was_cleared_appears_again_as_the_same_claim(desk: Desk, knowledge: Knowledge) -> None:
    two_sites(desk)
    first = standing(desk.engine)
    desk.rejudge(strict(knowledge))
    before = standing(desk.engine)
    foretold = desk.effect(knowledge)
    back = [one for one in foretold.of("appears") if one.quote == HAIR]
    assert {one.claim_id for one in back} == {one for one, (quote, _) in first.items() if quote == folded_quote(HAIR)}
    desk.rejudge(knowledge)
    compare(foretold, before, standing(desk.engine))
    assert standing(desk.engine) == first


def test_pages_under_yet_other_rules_are_told_of(desk: Desk, knowledge: Knowledge) -> None:
    two_sites(desk)
    desk.knowledge = with_rules(knowledge, "a newer installation")
    found = desk.effect(with_rules(knowledge, "edited"))
    assert (found.pages, found.behind) == (4, 4)


def test_nothing_is_written_and_progress_is_told(desk: Desk, knowledge: Knowledge) -> None:
    two_sites(desk)
    before = rows(desk.engine)
    steps: list[tuple[int, int]] = []
    rules = strict(knowledge)
    effect(desk.engine, rules, desk.config.jurisdictions, told=lambda done, pages: steps.append((done, pages)))
    assert rows(desk.engine) == before
    assert steps == [(number, 4) for number in range(1, 5)]


def test_jurisdictions_that_are_not_configured_stay_unassessed(
    desk: Desk, knowledge: Knowledge, config: Config
) -> None:
    desk.config = config.model_copy(update={"jurisdictions": ("uk",)})
    two_sites(desk)
    before = standing(desk.engine)
    rules = with_rules(knowledge, "all low", law=severities(knowledge, "us", "Low"))
    foretold = desk.effect(rules)
    assert foretold.shifts == ()
    desk.rejudge(rules)
    compare(foretold, before, standing(desk.engine))


def random_edit(chance: random.Random, knowledge: Knowledge, number: int) -> Knowledge:
    """Rules taken away or moved to another category, severities turned, thresholds shifted."""
    rules = knowledge
    categories = sorted(knowledge.categories)
    gone = set(chance.sample(categories, chance.randint(0, 6)))
    source, target = chance.sample(categories, 2)
    claims = tuple(
        Rule(target, rule.row) if rule.category == source else rule
        for rule in knowledge.claims
        if rule.category not in gone
    )
    flag = chance.choice([0.2, 0.55, 0.8, 0.95])
    rules = sure(rules, flag, review=flag * chance.choice([0.5, 0.9, 0.99]))
    code = chance.choice(["us", "uk", "eu"])
    return with_rules(
        rules, f"edit {number}", claims=claims, law=severities(rules, code, chance.choice(["Low", "High"]))
    )


@pytest.mark.parametrize("seed", range(4))
def test_it_says_what_rejudging_then_does(desk: Desk, knowledge: Knowledge, seed: int) -> None:
    chance = random.Random(seed)
    pages = {
        source: [f"http://{source}.example/{name}" for name in ("", "a", "b")][: chance.randint(1, 3)]
        for source in ("kelda", "vesper")
    }
    number = 0
    seen = 0
    for _ in range(2):
        for source, urls in pages.items():
            html = {
                url: page_html(chance.sample(ALL, chance.randint(1, 5)), chance.choice(["$9", "£9", "€9"]))
                for url in urls
            }
            desk.take(f"site_{source}_example", html)
        for _ in range(3):
            number += 1
            rules = random_edit(chance, knowledge, number)
            before = standing(desk.engine)
            foretold = desk.effect(rules)
            desk.rejudge(rules)
            compare(foretold, before, standing(desk.engine))
            seen += len(foretold.shifts)
    assert seen
