"""Which provisions a claim touches, over every category and jurisdiction."""

from __future__ import annotations

import dataclasses
from itertools import product
from pathlib import Path

import pytest

import monitor.knowledge
from monitor.classify.judge import judge_document
from monitor.classify.shapes import ProductFacts, Verdict
from monitor.classify.verdict import verdicts
from monitor.knowledge.law import Law, load
from monitor.reading.text import read_text

LAW = load(Path(monitor.knowledge.__file__).parent)
CODES = tuple(sorted(LAW.rule_sets))
"""All jurisdictions with rules."""
FULL = ("us", "uk", "eu", "ca")
"""Those whose tables answer every category named in the tests below."""
CATEGORIES = [one.id for one in LAW.categories.values() if one.verdict]
MATERIALS = ("human", "animal", "plant", "synthetic", "unstated")
ROUTES = ("topical", "needling", "injection", "iv", "inhaled", "oral", "unstated")
HUMAN_INJECTED = ProductFacts("human", "injection", "vial")
HUMAN_SERUM = ProductFacts("human", "topical", "serum")
PLANT_SERUM = ProductFacts("plant", "topical", "serum")


def one(category: str, facts: ProductFacts, code: str, role: str = "seller", law: Law = LAW) -> Verdict:
    (found,) = verdicts(law, category, facts, [code], role)
    return found


def severities(category: str, code: str, *facts: ProductFacts) -> set[str]:
    return {one(category, each, code).severity for each in facts}


def answer(category: str, code: str, severity: str) -> set[str]:
    """The severity wanted; none where the jurisdiction's table declares that it has no rule."""
    return {"" if category in LAW.rule_sets[code].no_rule else severity}


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
    assert severities(category, code, HUMAN_INJECTED, HUMAN_SERUM, PLANT_SERUM) == answer(category, code, "High")


@pytest.mark.parametrize("category", ["hair_regrowth", "skin_drug_claim", "drug_structure_function",
                                      "safety_absolute", "legal_loophole"])  # fmt: skip
@pytest.mark.parametrize("code", CODES)
def test_what_is_medium_on_the_skin(category: str, code: str) -> None:
    assert severities(category, code, HUMAN_SERUM, PLANT_SERUM) == answer(category, code, "Medium")


@pytest.mark.parametrize("category", ["superiority", "clinically_proven", "testimonial", "endorsement", "dose_count"])
@pytest.mark.parametrize("code", CODES)
def test_what_is_low_on_the_skin(category: str, code: str) -> None:
    assert severities(category, code, HUMAN_SERUM, PLANT_SERUM) == answer(category, code, "Low")


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
    assert severities("superiority", code, HUMAN_INJECTED) == answer("superiority", code, "Medium")
    assert severities("hair_regrowth", code, HUMAN_INJECTED) == answer("hair_regrowth", code, "High")


@pytest.mark.parametrize("code", FULL)
def test_the_full_tables_answer_what_is_compared_here(code: str) -> None:
    assert set(LAW.rule_sets[code].no_rule) <= {"veterinary", "pay_to_participate"}


def test_looks_alone_give_no_verdict() -> None:
    assert verdicts(LAW, "cosmetic_appearance", PLANT_SERUM, [*CODES, "gl"], "seller") == ()


def test_a_jurisdiction_without_rules_is_not_assessed() -> None:
    found = one("disease_treatment", HUMAN_INJECTED, "gl")
    assert (found.severity, found.legal_basis, found.assessed) == ("", (), False)
    assert found.why.startswith("Not assessed.")


def test_a_member_state_points_to_the_union() -> None:
    found = one("disease_treatment", HUMAN_INJECTED, "nl")
    assert not found.assessed
    assert "the Netherlands" in found.why
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
    found = verdicts(LAW, "disease_treatment", HUMAN_INJECTED, ["uk", "us", "uk", "kr", "gl"], "seller")
    assert [verdict.code for verdict in found] == ["uk", "us", "kr", "gl"]


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no category 'disease_treatmen' \(nearest: disease_treatment\)"):
        verdicts(LAW, "disease_treatmen", HUMAN_INJECTED, ["us"], "seller")


HUMAN_NEEDLED = ProductFacts("human", "needling", "vial")
PLANT_NEEDLED = ProductFacts("plant", "needling", "ampoule")
MILK_SERUM = ProductFacts("animal", "topical", "serum")
UNSTATED_SERUM = ProductFacts("unstated", "topical", "serum")


@pytest.mark.parametrize(
    ("category", "facts", "role", "code", "severity", "cites", "says"),
    [
        ("human_source", HUMAN_SERUM, "clinic", "au", "Medium", {"au-tga-hct-guidance"}, "advertised to the public"),
        ("route_injection_iv", HUMAN_INJECTED, "clinic", "au", "High", {"au-tga-32BI"}, "not settled"),
        ("testimonial", HUMAN_SERUM, "clinic", "au", "Medium", {"au-nl-s133"}, "may not use testimonials"),
        ("testimonial", HUMAN_SERUM, "seller", "au", "Low", {"au-code-s24"}, "real and checked"),
        ("human_source", HUMAN_SERUM, "seller", "ch", "Medium", {"ch-lgv-54", "ch-vkos"}, "human cells, tissues"),
        ("route_microneedling", ProductFacts("animal", "needling"), "seller", "ch", "Medium", {"ch-vkos"}, "animal"),
        ("route_microneedling", PLANT_NEEDLED, "seller", "ch", "Low", {"ch-lgv-53-2"}, "depth of the needle"),
        ("skin_drug_claim", MILK_SERUM, "seller", "ch", "Medium", {"ch-vkos", "ch-hmg-4"}, "animal tissues"),
        ("human_source", HUMAN_SERUM, "seller", "kr", "Medium", {"kr-mfds-guide-2025", "kr-safety-annex3"}, "wording"),
        ("route_microneedling", PLANT_NEEDLED, "seller", "kr", "Medium", {"kr-mfds-guide-2025"}, "Wording of needles"),
        ("route_injection_iv", HUMAN_INJECTED, "clinic", "kr", "High", {"kr-court-2025"}, "suspension"),
        ("testimonial", HUMAN_SERUM, "clinic", "kr", "Medium", {"kr-msa-56"}, "stories of treatment"),
        ("hair_regrowth", PLANT_SERUM, "seller", "jp", "Medium", {"jp-pmd-2-2", "jp-pmd-68"}, "quasi-drugs"),
        ("testimonial", HUMAN_SERUM, "clinic", "jp", "Medium", {"jp-mcr-1-9"}, "patients' stories"),
        ("legal_loophole", HUMAN_SERUM, "supplier", "jp", "Medium", {"jp-memo-2024-1"}, "reagent"),
        ("human_source", HUMAN_SERUM, "seller", "tw", "Medium", {"tw-csa-6"}, "in the single case"),
        ("disease_treatment", HUMAN_INJECTED, "clinic", "tw", "High", {"tw-rma"}, "none for exosomes has passed"),
        ("human_source", HUMAN_SERUM, "seller", "cn", "Medium", {"cn-gd-2022"}, "false concept"),
        ("stem_cell_misnomer", HUMAN_SERUM, "seller", "cn", "Low", {"cn-nmpa-2021", "cn-gd-2022"}, "false concept"),
        ("pay_to_participate", HUMAN_INJECTED, "clinic", "cn", "Medium", {"cn-order818"}, "may not charge"),
        ("testimonial", HUMAN_SERUM, "clinic", "sg", "Low", {"sg-hcsa-ads"}, "given directly"),
        ("route_injection_iv", PLANT_SERUM, "clinic", "in", "High", {"in-cdsco-2026"}, "may inject them"),
        ("vulnerable_group", HUMAN_INJECTED, "clinic", "in", "High", {"in-sc-2026"}, "Autism"),
        ("route_injection_iv", HUMAN_INJECTED, "seller", "br", "High", {"br-nt33"}, "No cosmetic may be injected"),
        ("testimonial", HUMAN_SERUM, "clinic", "br", "Low", {"br-cfm-2336"}, "sober praise"),
        ("skin_drug_claim", PLANT_SERUM, "seller", "mx", "Medium", {"mx-lgs-269-271"}, "heal"),
        ("route_injection_iv", HUMAN_INJECTED, "clinic", "sa", "High", {"sa-moh-exo"}, "for the skin only"),
        ("approval_misrep", HUMAN_SERUM, "seller", "ae", "High", {"ae-dl-38-2024"}, "approval"),
        ("route_microneedling", PLANT_NEEDLED, "seller", "th", "Medium", {"th-cos-ads"}, "devices that enter the body"),
        ("testimonial", HUMAN_SERUM, "clinic", "tr", "Medium", {"tr-tanitim-2025"}, "thanks or satisfaction"),
        ("outbreak_claim", HUMAN_SERUM, "seller", "de", "High", {"de-hwg-12"}, "notifiable infections"),
        ("route_injection_iv", HUMAN_INJECTED, "clinic", "fr", "High", {"fr-csp-l5421-2"}, "authorisation"),
        ("pay_to_participate", HUMAN_SERUM, "clinic", "es", "Medium", {"es-rd1907-1996-art4"}, "clinical research"),
        ("testimonial", HUMAN_SERUM, "clinic", "it", "Medium", {"it-l145-2018-525"}, "titles, services and prices"),
        ("route_microneedling", HUMAN_NEEDLED, "seller", "id", "Medium", {"id-bpom-16"}, "withdrawn"),
        ("endorsement", PLANT_SERUM, "seller", "vn", "Low", {"vn-342-2025"}, "Doctors, pharmacists and clinics"),
    ],
)  # fmt: skip
def test_what_is_particular_to_a_jurisdiction(
    category: str, facts: ProductFacts, role: str, code: str, severity: str, cites: set[str], says: str
) -> None:
    found = one(category, facts, code, role)
    assert found.severity == severity
    assert cites <= set(found.legal_basis)
    assert says in found.why
    assert found.disputed == ()


FIVE_STATEMENTS = ("unapproved", "obtained", "approved equivalent", "abroad", "relief for side effects")


@pytest.mark.parametrize("category", ["disease_treatment", "route_injection_iv", "drug_structure_function",
                                      "safety_absolute", "route_microneedling"])  # fmt: skip
def test_a_japanese_clinic_is_asked_for_the_five_statements(category: str) -> None:
    found = one(
        category, ProductFacts("human", "topical" if category == "drug_structure_function" else "iv"), "jp", "clinic"
    )
    looked_at = found.why.split("To be looked at: ")[1]
    assert [said for said in FIVE_STATEMENTS if said not in looked_at] == []


def test_a_japanese_clinic_may_inject_where_a_seller_may_not_offer_it() -> None:
    assert one("route_injection_iv", HUMAN_INJECTED, "jp", "clinic").severity == "Medium"
    assert one("route_injection_iv", HUMAN_INJECTED, "jp", "seller").severity == "High"
    assert one("route_injection_iv", HUMAN_INJECTED, "jp", "supplier").legal_basis[0] == "jp-memo-2024-1"


@pytest.mark.parametrize(
    ("category", "facts", "code", "severity", "sources"),
    [
        ("human_source", PLANT_SERUM, "kr", "Medium", ("kr-mfds-guide-2025", "kr-exosome-word")),
        ("human_source", MILK_SERUM, "kr", "Medium", ("kr-mfds-guide-2025", "kr-exosome-word")),
        ("dose_count", PLANT_SERUM, "kr", "Low", ("kr-mfds-guide-2025", "kr-exosome-word")),
        ("human_source", HUMAN_SERUM, "br", "Medium", ("br-exosome-class", "br-sbd-note")),
        ("human_source", UNSTATED_SERUM, "br", "Medium", ("br-exosome-class", "br-sbd-note")),
    ],
)  # fmt: skip
def test_where_sources_disagree_a_person_is_needed_and_both_are_named(
    category: str, facts: ProductFacts, code: str, severity: str, sources: tuple[str, ...]
) -> None:
    found = one(category, facts, code)
    assert found.disputed == sources
    assert found.severity == severity
    assert found.assessed
    assert "Needs a person: sources disagree" in found.why
    assert all(source in found.why for source in sources)
    assert found.to_json()["disputed"] == list(sources)


@pytest.mark.parametrize(
    ("facts", "code"), [(HUMAN_SERUM, "kr"), (UNSTATED_SERUM, "kr"), (HUMAN_INJECTED, "br"), (HUMAN_SERUM, "eu")]
)
def test_what_sources_agree_on_is_not_disputed(facts: ProductFacts, code: str) -> None:
    found = one("human_source", facts, code)
    assert found.disputed == ()
    assert "sources disagree" not in found.why


def test_a_dispute_ends_where_one_side_has_no_source() -> None:
    gone = LAW.provision("br-sbd-note").model_copy(update={"source": None, "status": "unverified"})
    law = dataclasses.replace(LAW, provisions={**LAW.provisions, gone.id: gone})
    found = one("human_source", HUMAN_SERUM, "br", law=law)
    assert found.assessed
    assert found.disputed == ()
    assert "sources disagree" not in found.why


@pytest.mark.parametrize("code", ["de", "fr", "es", "it"])
def test_national_law_leaves_to_the_union_what_it_is_silent_on(code: str) -> None:
    found = one("dose_count", HUMAN_SERUM, code)
    assert not found.assessed
    assert "eu" in found.why


@pytest.mark.parametrize("code", ["sg", "th"])
def test_a_presumed_entry_is_no_ground_for_a_verdict(code: str) -> None:
    assert LAW.provision(f"{code}-acd-annex2-human").status == "unverified"
    assert not one("human_source", HUMAN_SERUM, code).assessed


def test_judging_answers_for_every_jurisdiction_asked_for() -> None:
    judged = judge_document(
        read_text("Our exosome therapy cures arthritis."), monitor.knowledge.load(), jurisdictions=CODES
    )
    (claim,) = [claim for claim in judged.findings if claim.category == "disease_treatment"]
    assert [verdict.code for verdict in claim.jurisdictions] == list(CODES)
    silent = {code for code in CODES if "disease_treatment" in LAW.rule_sets[code].no_rule}
    assert {verdict.code for verdict in claim.jurisdictions if not verdict.assessed} == silent


def test_what_was_read_in_an_account_only_is_named() -> None:
    found = one("route_injection_iv", HUMAN_INJECTED, "in")
    retold = [name for name in found.legal_basis if LAW.provision(name).source.kind == "secondary"]  # type: ignore[union-attr]
    assert retold == ["in-cdsco-2026", "in-dca-3"]
    assert "Read in an account or a reprint: in-cdsco-2026, in-dca-3." in found.why
    assert "Read in an account" not in one("hair_regrowth", PLANT_SERUM, "jp").why
