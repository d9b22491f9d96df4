"""The law table that ships, and what its loader refuses."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import monitor.knowledge
from monitor.classify.places import places
from monitor.config import jurisdiction_codes
from monitor.knowledge.law import Law, is_authorised, load
from monitor.knowledge.yaml_rows import KnowledgeError, read_yaml

SHIPPED = Path(monitor.knowledge.__file__).parent
FINDINGS = SHIPPED.parents[1] / "docs" / "findings.md"
ASSESSED = (
    "ae", "ar", "au", "br", "ca", "ch", "cn", "co", "de", "es", "eu", "fr", "hk", "id", "ie", "in", "ir", "it", "jp",
    "kr", "mx", "my", "nz", "ph", "pl", "sa", "sg", "th", "tr", "tw", "uk", "us", "vn",
)  # fmt: skip


@pytest.fixture(scope="module")
def law() -> Law:
    return load(SHIPPED)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The knowledge folder's law part, to be spoilt."""
    shutil.copytree(SHIPPED / "law", tmp_path / "law")
    shutil.copy(SHIPPED / "authorisations.yaml", tmp_path)
    return tmp_path


def spoil(path: Path, change: Callable[[Any], Any]) -> None:
    raw = yaml.safe_load(path.read_text())
    change(raw)
    path.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False))


def row(rows: list[dict[str, Any]], row_id: str) -> dict[str, Any]:
    return next(one for one in rows if one["id"] == row_id)


def test_these_jurisdictions_are_assessed(law: Law) -> None:
    assert law.assessed == set(ASSESSED)


def test_every_assessed_code_may_stand_in_a_configuration(law: Law) -> None:
    assert law.assessed <= jurisdiction_codes()


def test_every_code_that_is_assessed_is_a_country_that_pages_can_address(law: Law) -> None:
    assert law.assessed <= places().countries


LEAST = {
    "us": 30, "uk": 15, "eu": 18, "ca": 24, "au": 15, "ch": 10, "kr": 13, "jp": 19, "tw": 6, "cn": 15, "sg": 7,
    "in": 9, "br": 9, "mx": 7, "sa": 3, "ae": 4, "th": 5, "tr": 3, "de": 11, "fr": 9, "es": 6, "it": 6, "id": 8,
}  # fmt: skip


@pytest.mark.parametrize(("code", "least"), LEAST.items())
def test_provisions_ship_for_each(law: Law, code: str, least: int) -> None:
    assert sum(one.jurisdiction == code for one in law.provisions.values()) >= least


def test_every_row_has_a_source_and_a_reading_day_or_is_unverified(law: Law) -> None:
    bare = [one for one in law.provisions.values() if one.source is None or one.read_on is None]
    assert {one.status for one in bare} == {"unverified"}


@pytest.mark.parametrize(
    ("provision", "status"),
    [
        ("us-fdca-505a", "verified"),
        ("eu-1223-annex2-416", "verified"),
        ("us-21cfr312-7", "partly"),
        ("uk-1223-annex2-416", "partly"),
        ("uk-blueguide", "unverified"),
        ("jp-pmd-68", "verified"),
        ("kr-exosome-word", "partly"),
        ("cn-gd-2022", "partly"),
        ("cn-human-ban", "unverified"),
        ("sg-acd-annex2-human", "unverified"),
    ],
)
def test_status_follows_what_was_read(law: Law, provision: str, status: str) -> None:
    assert law.provision(provision).status == status


def test_corrections_are_followed(law: Law) -> None:
    assert "364c" in law.provision("us-fdca-301d").summary
    assert law.provision("ca-fda-s20").concerns == ("misbranding",)
    assert "device" in law.provision("ca-fda-s20").summary
    assert "true or not" in law.provision("eu-655-2013").note
    assert "1 January 2025" in law.provision("uk-hmr2012-r279").note
    assert "Five since" in law.provision("jp-mhlw-guideline").note
    assert "nor animal" in law.provision("ch-vkos").summary
    assert "21 February 2025" in law.provision("kr-arb").summary
    assert "limited, not barred" in law.provision("sg-hcsa-ads").note
    assert "sober praise" in law.provision("br-cfm-2336").summary
    assert "1 January 2026" in law.provision("tw-rma").summary


def test_unsigned_rows_say_so(law: Law) -> None:
    rules = {rule.id for rule_set in law.rule_sets.values() for rule in rule_set.rules if rule.signed_by is None}
    provisions = {one.id for one in law.provisions.values() if one.signed_by is None}
    assert set(law.unsigned) == rules | provisions
    assert law.unsigned


def test_every_rule_can_be_cited(law: Law) -> None:
    for rule_set in law.rule_sets.values():
        for rule in rule_set.rules:
            assert law.sourced(rule), rule.id
            assert all(law.provision(one).jurisdiction == rule_set.jurisdiction for one in rule.legal_basis)


def test_the_table_of_jurisdictions_in_the_docs_is_that_of_the_rows(law: Law) -> None:
    rows = re.findall(r"^\| `([a-z]{2})` \| [^|]+ \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", FINDINGS.read_text(), re.M)
    told = {code: tuple(map(int, counts)) for code, *counts in rows}
    held = {
        code: (
            *(
                sum(one.jurisdiction == code and one.status == status for one in law.provisions.values())
                for status in ("verified", "partly", "unverified")
            ),
            sum(one.verdict for one in law.categories.values()) - len(rule_set.no_rule),
        )
        for code, rule_set in law.rule_sets.items()
    }
    assert told == held


@pytest.mark.parametrize(
    ("rule", "sources"),
    [
        ("kr-exosome", ("kr-mfds-guide-2025", "kr-exosome-word")),
        ("kr-exosome-count", ("kr-mfds-guide-2025", "kr-exosome-word")),
        ("br-human", ("br-exosome-class", "br-sbd-note")),
    ],
)
def test_contradicting_sources_are_marked(law: Law, rule: str, sources: tuple[str, ...]) -> None:
    disputed = {one.id: one.disputed for rules in law.rule_sets.values() for one in rules.rules if one.disputed}
    assert disputed[rule] == sources
    assert len(disputed) == 3


def test_an_unknown_provision_names_the_nearest(law: Law) -> None:
    with pytest.raises(KeyError, match="us-fdca-505a"):
        law.provision("us-fdca-505b")


def test_nothing_is_said_to_be_unlawful_by_our_own_words(law: Law) -> None:
    said = [rule.why + rule.conditions for rule_set in law.rule_sets.values() for rule in rule_set.rules]
    assert not [words for words in said if "illegal" in words.lower() or "unlawful" in words.lower()]


def test_no_exosome_product_is_authorised(law: Law) -> None:
    statement = law.statement("us")
    assert statement is not None
    assert statement.none_authorised
    assert statement.issued.isoformat() == "2019-12-06"
    assert statement.source.url.startswith("https://www.fda.gov/")
    assert law.statement("jp") is None
    assert not [one for one in law.authorisations if one.status == "in_force"]


def test_a_listing_is_no_approval(law: Law) -> None:
    assert [one.number for one in law.authorisations if one.status == "listed"] == ["NDC 88051-002"]
    assert not is_authorised(law, "Exosomes", "us")


@pytest.mark.parametrize("status", ["in_force", "withdrawn", "suspended", "listed"])
def test_only_what_is_in_force_is_authorised(copy: Path, status: str) -> None:
    def approve(raw: dict[str, Any]) -> None:
        raw["authorisations"][0] |= {"product": "Vesimed  Alpha", "aliases": ["VM-1"], "status": status}

    spoil(copy / "authorisations.yaml", approve)
    found = load(copy)
    for name in ("vesimed alpha", "VESIMED ALPHA", "vm-1"):
        assert is_authorised(found, name, "us") is (status == "in_force")
        assert not is_authorised(found, name, "uk")
    assert not is_authorised(found, "vesimed", "us")


SPOILT: list[tuple[str, Callable[[Any], Any], str]] = [
    (
        "law/rules/us.yaml",
        lambda raw: row(raw["rules"], "us-disease")["legal_basis"].append("us-fdca-505x"),
        r"us\.yaml, row 4 \(us-disease\): legal_basis names 'us-fdca-505x', .*nearest: us-fdca-505a",
    ),
    (
        "law/rules/us.yaml",
        lambda raw: row(raw["rules"], "us-disease")["legal_basis"].append("uk-hmr2012-r46"),
        "uk-hmr2012-r46, a provision of another jurisdiction",
    ),
    (
        "law/rules/us.yaml",
        lambda raw: row(raw["rules"], "us-disease")["categories"].append("disease_treatmnt"),
        r"categories names 'disease_treatmnt'.*nearest: disease_treatment.*correct it",
    ),
    (
        "law/rules/us.yaml",
        lambda raw: row(raw["rules"], "us-disease").update(severity="Severe"),
        r"row 4 \(us-disease\): severity: .*High",
    ),
    (
        "law/rules/us.yaml",
        lambda raw: row(raw["rules"], "us-disease").update(severty="High"),
        "unknown key severty .*nearest: severity",
    ),
    ("law/rules/us.yaml", lambda raw: raw["rules"].insert(0, raw["rules"][3]), "never reached for disease_treatment"),
    (
        "law/rules/us.yaml",
        lambda raw: raw["rules"].remove(row(raw["rules"], "us-guarantee")),
        "guarantee has no rule without `when`",
    ),
    ("law/rules/us.yaml", lambda raw: raw["no_rule"].update(guarantee="None read."), "also under no_rule"),
    (
        "law/rules/us.yaml",
        lambda raw: row(raw["rules"], "us-guarantee")["categories"].append("cosmetic_appearance"),
        "cosmetic_appearance gives no verdict",
    ),
    (
        "law/rules/kr.yaml",
        lambda raw: row(raw["rules"], "kr-human").update(disputed=["kr-mfds-guide-2025", "kr-exosome-word"]),
        r"\(kr-human\): .*disputed names kr-exosome-word, which legal_basis does not; cite it there or remove it",
    ),
    (
        "law/rules/kr.yaml",
        lambda raw: row(raw["rules"], "kr-human").update(disputed=["kr-mfds-guide-2025"]),
        r"\(kr-human\): .*a contradiction needs two, or none",
    ),
    ("law/rules/us.yaml", lambda raw: raw.update(jurisdiction="uk"), "belongs in uk.yaml"),
    ("law/rules/us.yaml", lambda raw: raw.update(rules="none"), "expected a list of rows"),
    (
        "law/provisions/uk.yaml",
        lambda raw: raw.append(dict(raw[0])),
        r"uk\.yaml, row 17 \(uk-hmr2012-r2\): this id is taken",
    ),
    (
        "law/provisions/uk.yaml",
        lambda raw: raw[0].update(source=None),
        r"row 1 \(uk-hmr2012-r2\): .*status verified needs a source and read_on",
    ),
    ("law/provisions/uk.yaml", lambda raw: raw[0].update(read_on=None), "needs a source and read_on"),
    ("law/provisions/uk.yaml", lambda raw: raw[0].update(read_on="31 June 2026"), "read_on: .*date"),
    ("law/provisions/uk.yaml", lambda raw: raw[0]["source"].update(url="legislation"), r"source\.url: .*web address"),
    ("law/provisions/uk.yaml", lambda raw: raw[0].update(concerns=["drugs"]), "concerns names 'drugs'"),
    ("law/provisions/uk.yaml", lambda raw: raw[0].update(id="us-hmr2012-r2"), "must begin with the jurisdiction"),
    ("law/provisions/uk.yaml", lambda raw: raw.insert(0, "a line"), "row 1: a row is a mapping"),
    ("authorisations.yaml", lambda raw: raw["statements"][0].update(issued="soon"), "statements.0.issued"),
]


@pytest.mark.parametrize(("file", "change", "message"), SPOILT, ids=[message for _, _, message in SPOILT])
def test_an_error_names_file_and_row(copy: Path, file: str, change: Callable[[Any], Any], message: str) -> None:
    spoil(copy / file, change)
    with pytest.raises(KnowledgeError, match=message) as raised:
        load(copy)
    assert str(copy / file) in str(raised.value)


def test_a_missing_file_is_named(copy: Path) -> None:
    (copy / "law" / "vocabulary.yaml").unlink()
    with pytest.raises(KnowledgeError, match=r"vocabulary\.yaml: there is no such file"):
        load(copy)


def test_an_empty_folder_is_refused(copy: Path) -> None:
    for path in (copy / "law" / "provisions").iterdir():
        path.unlink()
    with pytest.raises(KnowledgeError, match="holds no provision"):
        load(copy)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\na: 2\n", "the key 'a' stands twice"),
        (b"- {x: {b: 1, c: 2, b: 3}}\n", "the key 'b' stands twice"),
        (b"? [a]\n: 1\n", "a key is a word or a number"),
        (b"a: &loop\n  b: *loop\n", "this holds itself"),
        (b"a: !!python/name:os.system ''\n", "no valid YAML"),
        (b"a: [1\n", "no valid YAML"),
        (b"a: \xff\n", "not UTF-8"),
    ],
)
def test_broken_yaml_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "row.yaml"
    path.write_bytes(content)
    with pytest.raises(KnowledgeError, match=message):
        read_yaml(path)


def test_a_jurisdiction_without_a_source_is_not_assessed(copy: Path) -> None:
    def forget(raw: list[dict[str, Any]]) -> None:
        for one in raw:
            one |= {"source": None, "read_on": None, "status": "unverified"}

    spoil(copy / "law" / "provisions" / "uk.yaml", forget)
    assert load(copy).assessed == set(ASSESSED) - {"uk"}


def test_no_rule_bears_the_id_of_a_provision(law: Law) -> None:
    rules = [rule.id for rule_set in law.rule_sets.values() for rule in rule_set.rules]
    assert len(rules) == len(set(rules))
    assert set(rules) & set(law.provisions) == set()
