"""A claim of approval is compared with what is approved: matched, left to a person, and never silently dropped."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from monitor.approved import informed
from monitor.classify import judge
from monitor.classify.approvals import matched
from monitor.classify.shapes import JudgedClaim, Query, Statement, Verdict
from monitor.config import Config, Site
from monitor.intake.runs import take_in
from monitor.knowledge import Knowledge, load
from monitor.knowledge.approvals import Approval, Register, approvals_of
from monitor.market.rejudge import rejudge
from monitor.tables.db import reading
from monitor.tables.models import Claim, Finding
from tests.monitor.registered import Registry, card_of, entry, registry
from tests.runs import RunMaker, page_card

SEEN = date(2026, 11, 25)
VESIMED = Approval("Vesimed-X", "us", "BL 900001", "Office of Tests", SEEN)
UNION = Approval("Kelda Flow", "eu", "EU/1/26/1", "Agency of Tests", SEEN, conditional=True)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


def claim(quote: str, *codes: str, category: str = "approval_misrep", decision: str = "flag") -> JudgedClaim:
    verdicts = tuple(Verdict(code, "High", (f"{code}-1",), True, "Flagged by rule x.") for code in codes)
    return JudgedClaim(
        quote=quote,
        start=0,
        end=len(quote),
        statement=Statement(quote, 0, len(quote)),
        category=category, status="affirmed", rule_id="approval.agency",
        confidence=0.9, decision=decision, obfuscated=False, hedged=False, why="Rule.", block_id=0, heading_path=(),
        product="exosomes", cues=(), jurisdictions=verdicts,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("terms", "found"),
    [
        (["vesimed x"], True),
        (["VESIMED-X"], True),
        (["exosomes", "Vеsimed X"], True),  # a Cyrillic е
        (["Vesimed"], False),
        (["Vesimed X Plus"], False),
        ([], False),
    ],
)
def test_a_product_is_known_by_its_whole_name(terms: list[str], found: bool) -> None:
    register = Register([VESIMED])
    assert register.authorised(terms, "us") == ((VESIMED,) if found else ())
    assert register.authorised(terms, "uk") == ()


def test_a_name_is_met_in_running_text_as_whole_words() -> None:
    register = Register([VESIMED, UNION, Approval("Ex", "us", "1", "Office", SEEN)])
    assert register.named_in("Our Vesimed-X exosomes are FDA approved", "us") == (VESIMED,)
    assert register.named_in("Our Vesimed-Xtra exosomes are FDA approved", "us") == ()
    assert register.named_in("Ex and kelda flow", "us") == ()
    assert register.named_in("Ex and kelda flow", "eu") == (UNION,)
    assert len(register) == 3
    assert Register().named_in("Vesimed-X", "us") == ()


def test_a_claim_about_an_approved_product_is_not_called_false_there() -> None:
    [found] = matched([claim("Vesimed X exosomes are FDA approved", "us", "uk")], Register([VESIMED]))

    us, uk = found.jurisdictions
    assert (us.assessed, us.severity, us.legal_basis) == (False, "", ())
    assert us.why == (
        "Matches an authorisation: Vesimed-X (BL 900001), Office of Tests, in its register on 2026-11-25. "
        "No provision is asserted for it; a person decides."
    )
    assert (uk.assessed, uk.severity, uk.why) == (True, "High", "Flagged by rule x.")
    assert found.decision == "review"
    assert found.why.startswith("Rule. Matches an authorisation: Vesimed-X")


def test_what_the_union_authorised_counts_in_its_states() -> None:
    quote = "Kelda Flow is approved"
    [found] = matched([claim(quote, "de", "eu", "uk", "us")], Register([UNION]))
    assert [one.assessed for one in found.jurisdictions] == [False, False, True, True]
    assert "under conditions" in found.jurisdictions[0].why


@pytest.mark.parametrize(
    "other",
    [
        claim("Our exosomes are FDA approved", "us"),
        claim("Vesimed-X cures arthritis", "us", category="disease_treatment"),
        claim("Vesimed-X is FDA approved", "uk"),
        claim("Vesimed-X is not FDA approved", "us", decision="drop"),
    ],
)
def test_every_other_claim_stays_as_it_was(other: JudgedClaim) -> None:
    assert matched([other], Register([VESIMED])) == [other]


def test_the_table_that_lawyers_edit_is_part_of_it(knowledge: Knowledge) -> None:
    row = knowledge.law.authorisations[0]
    law = replace(knowledge.law, authorisations=(row.model_copy(update={"status": "in_force", "product": "Vesimed"}),))
    names = [one.product for one in approvals_of(law)]
    assert names == ["Vesimed", *row.aliases]
    assert list(approvals_of(knowledge.law)) == []


def test_judging_asks_it(knowledge: Knowledge) -> None:
    text = "Our Vesimed-X exosomes are FDA approved. Buy the exosome serum now."
    query = Query("q", text=text, jurisdictions=("us",), product_context=True)
    [without] = [one for one in judge(query, knowledge).findings if one.category == "approval_misrep"]
    told = replace(knowledge, register=Register([VESIMED]))
    [with_it] = [one for one in judge(query, told).findings if one.category == "approval_misrep"]

    assert without.jurisdictions[0].assessed
    assert not with_it.jurisdictions[0].assessed
    assert with_it.decision == "review"
    assert told.version == knowledge.version


# --- from the register to a finding

REGISTER = card_of("us_test_register", "authorisation")
PAGE = (
    "<html lang='en'><head><title>Vesimed-X exosomes</title></head><body><h1>Vesimed-X exosome serum</h1>"
    "<p>Our Vesimed-X exosomes are FDA approved.</p><p>Add to cart: $90. Ships across the US.</p></body></html>"
)


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Registry:
    found = registry(engine, tmp_path)
    found.config = Config(data=tmp_path / "var", sites=(Site(url="http://kelda.example/", country="us"),))
    return found


@pytest.mark.parametrize(("status", "asserted"), [("authorised", False), ("withdrawn", True), ("refused", True)])
def test_a_sellers_page_is_judged_by_what_the_register_shows(desk: Registry, status: str, asserted: bool) -> None:
    maker = desk.maker(REGISTER)
    entry(maker, product="Vesimed-X", status=status)
    desk.take(maker)
    site = RunMaker(page_card(), desk.at, desk.config.runs_folder)
    site.page("http://kelda.example/", PAGE)
    take_in(desk.engine, site.write(), desk.config, desk.knowledge)

    with reading(desk.engine) as session:
        held = session.exec(select(Claim).where(Claim.category == "approval_misrep")).one()
        finding = session.exec(
            select(Finding).where(Finding.claim_id == held.id, Finding.jurisdiction == "us", Finding.current)
        ).one()
        assert len(informed(session, desk.knowledge).register) == (0 if asserted else 1)
    assert finding.assessed is asserted
    assert bool(finding.legal_basis) is asserted
    assert ("Matches an authorisation: Vesimed-X" in held.why) is not asserted


def test_judging_again_asks_the_same_register(desk: Registry) -> None:
    maker = desk.maker(REGISTER)
    entry(maker, product="Vesimed-X")
    desk.take(maker)
    site = RunMaker(page_card(), desk.at, desk.config.runs_folder)
    site.page("http://kelda.example/", PAGE)
    take_in(desk.engine, site.write(), desk.config, desk.knowledge)
    before = desk.events()

    assert rejudge(desk.engine, replace(desk.knowledge, version="another"), desk.config, now=desk.at) == {}
    assert desk.events() == before


def test_a_register_that_changes_has_the_held_page_judged_again_once(desk: Registry) -> None:
    site = RunMaker(page_card(), desk.at, desk.config.runs_folder)
    site.page("http://kelda.example/", PAGE)
    take_in(desk.engine, site.write(), desk.config, desk.knowledge)

    def asserted() -> bool:
        with reading(desk.engine) as session:
            held = session.exec(select(Claim).where(Claim.category == "approval_misrep")).one()
            made = select(Finding).where(Finding.claim_id == held.id, Finding.jurisdiction == "us", Finding.current)
            return session.exec(made).one().assessed

    def judged_again(after: timedelta) -> dict[str, int]:
        return rejudge(desk.engine, desk.knowledge, desk.config, now=desk.at + after)

    assert asserted()
    assert judged_again(timedelta(hours=1)) == {}
    for days, status in ((1, "authorised"), (2, "withdrawn"), (3, "authorised")):
        desk.at += timedelta(days=1)
        maker = desk.maker(REGISTER)
        entry(maker, product="Vesimed-X", status=status)
        desk.take(maker)

        assert judged_again(timedelta(hours=1)) == {"claim_flagged": 1}, days
        assert asserted() is (status == "withdrawn")
        assert judged_again(timedelta(hours=2)) == {}
