"""What regulators have cited: in our own words, each with its letter, and the nearest to a claim."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from monitor.knowledge import HERE, KnowledgeError
from monitor.knowledge import load as load_knowledge
from monitor.knowledge.precedents import Precedents, load
from tests.monitor.knowledge.copies import spoil

SHIPPED = load(HERE)


def test_enough_statements_each_with_a_letter_that_can_be_looked_up() -> None:
    assert len(SHIPPED.statements) >= 30
    single = [one for one in SHIPPED.statements if len(one.letters) == 1]
    assert len(single) >= 30
    categories = load_knowledge().categories
    for one in SHIPPED.statements:
        assert one.category in categories
        for reference in one.letters:
            letter = SHIPPED.letters[reference]
            assert letter.url is None or letter.url.startswith("https://www.fda.gov/")
            assert letter.url or "not on record" in letter.note
            assert letter.text_read in ("yes", "partly", "no")


def test_a_letter_s_address_bears_its_reference_and_day() -> None:
    for letter in SHIPPED.letters.values():
        if letter.url:
            year, month, day = letter.issued.split("-")
            assert letter.url.endswith(f"-{letter.reference}-{month}{day}{year}")


def test_nothing_is_quoted_word_for_word() -> None:
    assert not [one.id for one in SHIPPED.statements if re.search('[“”"]', one.statement)]


@pytest.mark.parametrize(
    ("quote", "category", "first"),
    [
        ("Our exosomes treat lupus", "disease_treatment", "spiel-lupus"),
        ("Exosomes treat neuropathy in the feet", "disease_treatment", "new-life-neuropathy"),
        ("Exosomes against Alopecia areata", "hair_regrowth", "nyc-alopecia"),
        ("ЕХОSОMES against LUPUS", "disease_treatment", "spiel-lupus"),
        ("The therapy keeps COVID-19 away", "outbreak_claim", "green-covid-prevents"),
    ],
)
def test_the_nearest_comes_first(quote: str, category: str, first: str) -> None:
    near = SHIPPED.nearest(quote, category)
    assert len(near) == 3
    assert near[0].precedent.id == first
    assert [one.likeness for one in near] == sorted((one.likeness for one in near), reverse=True)
    assert all(0 < one.likeness <= 1 for one in near)


def test_another_language_is_near_by_its_category_alone() -> None:
    near = SHIPPED.nearest("엑소좀 탈모", "hair_regrowth")
    assert {one.precedent.category for one in near} == {"hair_regrowth"}
    assert {one.likeness for one in near} == {0.25}


def test_what_shares_nothing_is_not_near() -> None:
    assert SHIPPED.nearest("zzzz qqqq", "veterinary") == ()
    assert Precedents({}, ()).nearest("Exosomes treat lupus", "disease_treatment") == ()


def test_a_letter_that_is_not_listed_stops_the_reading(tmp_path: Path) -> None:
    (tmp_path / "precedents.yaml").write_text((HERE / "precedents.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    spoil(tmp_path / "precedents.yaml", lambda raw: raw["statements"][0].update(letters=["999999"]))
    with pytest.raises(KnowledgeError, match="names letter 999999, which is not listed"):
        load(tmp_path)
