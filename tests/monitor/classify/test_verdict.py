"""Which provisions a claim touches, over every category and jurisdiction."""

from __future__ import annotations

import dataclasses
from itertools import product
from pathlib import Path

import pytest

import monitor.knowledge
from monitor.classify.shapes import ProductFacts, Verdict
from monitor.classify.verdict import verdicts
from monitor.knowledge.law import Law, load

LAW = load(Path(monitor.knowledge.__file__).parent)
CODES = ("us", "uk", "eu", "ca")
CATEGORIES = [one.id for one in LAW.categories.values() if one.verdict]
MATERIALS = ("human", "animal", "plant", "synthetic", "unstated")
ROUTES = ("topical", "needling", "injection", "iv", "inhaled", "oral", "unstated")
HUMAN_INJECTED = ProductFacts("human", "injection", "vial")
HUMAN_SERUM = ProductFacts("human", "topical", "serum")
PLANT_SERUM = ProductFacts("plant", "topical", "serum")


def one(category: str, facts: ProductFacts, code: str, role: str = "seller", law: Law = LAW) -> Verdict:
    (found,) = verdicts(law, category, facts, [code], role)
    return found


@pytest.mark.parametrize(("category", "code"), list(product(CATEGORIES, CODES)))
def test_every_category_has_an_answer_for_all_facts(category: str, code: str) -> None:
    declared = category in LAW.rule_sets[code].no_rule
    for material, route, role in product(MATERIALS, ROUTES, ("seller", "clinic", "supplier", "unknown")):
        found = one(category, ProductFacts(material, route), code, role)
        assert found.assessed is not declared
        if declared:
            assert (found.severity, found.legal_basis) == ("", ())
            assert LAW.rule_sets[code].no_rule[category] in found.why
        else:
            assert found.severity in ("High", "Medium", "Low")
            assert found.legal_basis
            assert all(LAW.provision(name).source for name in found.legal_basis)


@pytest.mark.parametrize("category", ["disease_treatment", "outbreak_claim", "vulnerable_group", "route_injection_iv",
                                      "approval_misrep"])  # fmt: skip
@pytest.mark.parametrize("code", CODES)
def test_what_is_always_high(category: str, code: str) -> None:
    assert {one(category, facts, code).severity for facts in (HUMAN_INJECTED, HUMAN_SERUM, PLANT_SERUM)} == {"High"}


@pytest.mark.parametrize("category", ["hair_regrowth", "skin_drug_claim", "drug_structure_function",
                                      "safety_absolute", "legal_loophole"])  # fmt: skip
@pytest.mark.parametrize("code", CODES)
def test_what_is_medium_on_the_skin(category: str, code: str) -> None:
    assert {one(category, facts, code).severity for facts in (HUMAN_SERUM, PLANT_SERUM)} == {"Medium"}


@pytest.mark.parametrize("category", ["superiority", "clinically_proven", "testimonial", "endorsement", "dose_count"])
@pytest.mark.parametrize("code", CODES)
def test_what_is_low_on_the_skin(category: str, code: str) -> None:
    assert {one(category, facts, code).severity for facts in (HUMAN_SERUM, PLANT_SERUM)} == {"Low"}


@pytest.mark.parametrize(
    ("category", "facts", "role", "code", "severity", "cites"),
    [
        ("disease_treatment", HUMAN_INJECTED, "seller", "us", "High", {"us-fdca-201g1", "us-fdca-505a"}),
        ("disease_treatment", HUMAN_INJECTED, "seller", "us", "High", {"us-phsa-351i", "us-phsa-351a1"}),
        ("disease_treatment", HUMAN_INJECTED, "clinic", "us", "High", {"us-fdca-301k", "us-phsa-351a1"}),
        ("disease_treatment", PLANT_SERUM, "seller", "us", "High", {"us-fdca-201g1", "us-fdca-505a"}),
        ("disease_treatment", HUMAN_INJECTED, "seller", "uk", "High", {"uk-hmr2012-r279"}),
        ("hair_regrowth", PLANT_SERUM, "seller", "uk", "Medium", {"uk-hmr2012-r279"}),
        ("human_source", HUMAN_SERUM, "seller", "eu", "Medium", {"eu-1223-annex2-416", "eu-1223-art14"}),
        ("human_source", HUMAN_SERUM, "seller", "uk", "Medium", {"uk-1223-annex2-416"}),
        ("human_source", HUMAN_SERUM, "seller", "us", "Low", {"us-21cfr1271-3d"}),
        ("disease_treatment", HUMAN_SERUM, "seller", "ca", "High", {"ca-fdr-C08002", "ca-fda-s3-1"}),
        ("route_injection_iv", HUMAN_INJECTED, "clinic", "eu", "High", {"eu-1223-art2-1a", "eu-2001-83-art6"}),
        ("route_microneedling", HUMAN_SERUM, "clinic", "eu", "Medium", {"eu-1223-annex2-416"}),
        ("route_microneedling", PLANT_SERUM, "clinic", "eu", "Low", {"eu-1223-art2-1a"}),
        ("approval_misrep", PLANT_SERUM, "seller", "eu", "High", {"eu-655-2013"}),
        ("legal_loophole", HUMAN_INJECTED, "supplier", "us", "Medium", {"us-21cfr1271-3d"}),
        ("drug_structure_function", ProductFacts("plant", "oral"), "seller", "us", "Low", {"us-fdca-201g1"}),
    ],
)  # fmt: skip
def test_known_cases(category: str, facts: ProductFacts, role: str, code: str, severity: str, cites: set[str]) -> None:
    found = one(category, facts, code, role)
    assert found.severity == severity
    assert cites <= set(found.legal_basis)


def test_plant_material_is_no_biological_product() -> None:
    assert not [name for name in one("disease_treatment", PLANT_SERUM, "us").legal_basis if name.startswith("us-phsa")]


@pytest.mark.parametrize("code", CODES)
def test_weak_signs_weigh_more_inside_the_body(code: str) -> None:
    assert one("superiority", HUMAN_INJECTED, code).severity == "Medium"
    assert one("hair_regrowth", HUMAN_INJECTED, code).severity == "High"


def test_looks_alone_give_no_verdict() -> None:
    assert verdicts(LAW, "cosmetic_appearance", PLANT_SERUM, [*CODES, "jp"], "seller") == ()


def test_a_jurisdiction_without_rules_is_not_assessed() -> None:
    found = one("disease_treatment", HUMAN_INJECTED, "jp")
    assert (found.severity, found.legal_basis, found.assessed) == ("", (), False)
    assert found.why.startswith("Not assessed.")


def test_a_member_state_points_to_the_union() -> None:
    found = one("disease_treatment", HUMAN_INJECTED, "de")
    assert not found.assessed
    assert "Germany" in found.why
    assert "eu" in found.why


def test_no_source_no_verdict() -> None:
    bare = {
        name: row.model_copy(update={"source": None, "status": "unverified"}) for name, row in LAW.provisions.items()
    }
    law = dataclasses.replace(LAW, provisions=bare)
    assert law.assessed == frozenset()
    found = one("disease_treatment", HUMAN_INJECTED, "us", law=law)
    assert (found.severity, found.legal_basis, found.assessed) == ("", (), False)
    assert "no provision that has a source" in found.why


def test_an_unsourced_provision_is_not_cited_beside_a_sourced_one() -> None:
    gone = "us-fdca-505a"
    bare = LAW.provision(gone).model_copy(update={"source": None, "status": "unverified"})
    law = dataclasses.replace(LAW, provisions={**LAW.provisions, gone: bare})
    found = one("disease_treatment", HUMAN_INJECTED, "us", law=law)
    assert found.assessed
    assert gone not in found.legal_basis


def test_unverified_is_said_where_nothing_cited_was_read_in_full() -> None:
    assert "Unverified: the text of no provision" in one("pay_to_participate", HUMAN_INJECTED, "us").why
    assert "Unverified: the text of no provision" in one("human_source", HUMAN_SERUM, "uk").why


def test_single_unverified_provisions_are_named() -> None:
    found = one("hair_regrowth", PLANT_SERUM, "eu")
    assert "Unverified among the provisions cited: eu-cjeu-c616-20." in found.why


def test_verified_ones_say_nothing_of_it() -> None:
    assert "Unverified" not in one("disease_treatment", HUMAN_INJECTED, "us").why


@pytest.mark.parametrize(("category", "code"), list(product(CATEGORIES, CODES)))
def test_why_names_the_rule_and_leaves_the_decision_to_a_person(category: str, code: str) -> None:
    found = one(category, HUMAN_SERUM, code)
    if found.assessed:
        rule = LAW.rule_sets[code].rule(category, "human", "topical", "seller")
        assert rule is not None
        assert found.why.startswith(f"Flagged by rule {rule.id}: ")
        assert found.why.endswith("A person decides.")
        assert "Unsigned" in found.why


def test_a_signed_row_is_not_called_unsigned() -> None:
    rules = LAW.rule_sets["us"]
    signed = rules.model_copy(
        update={"rules": tuple(rule.model_copy(update={"signed_by": "A. Advocate"}) for rule in rules.rules)}
    )
    rows = {name: row.model_copy(update={"signed_by": "A. Advocate"}) for name, row in LAW.provisions.items()}
    law = dataclasses.replace(LAW, provisions=rows, rule_sets={**LAW.rule_sets, "us": signed})
    assert "Unsigned" not in one("disease_treatment", HUMAN_INJECTED, "us", law=law).why
    half = dataclasses.replace(law, provisions=LAW.provisions)
    assert "Unsigned" in one("disease_treatment", HUMAN_INJECTED, "us", law=half).why


def test_order_is_kept_and_repeats_are_left_out() -> None:
    found = verdicts(LAW, "disease_treatment", HUMAN_INJECTED, ["uk", "us", "uk", "jp"], "seller")
    assert [verdict.code for verdict in found] == ["uk", "us", "jp"]


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no category 'disease_treatmen' \(nearest: disease_treatment\)"):
        verdicts(LAW, "disease_treatmen", HUMAN_INJECTED, ["us"], "seller")
