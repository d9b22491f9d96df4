"""How near a notice is to exosome products, with exact offsets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import monitor.knowledge
from monitor.classify.relevance import SHOWN, tier
from monitor.knowledge.relevance import load
from monitor.knowledge.yaml_rows import KnowledgeError
from monitor.reading.text import read_html
from tests.samples import samples

SHIPPED = Path(monitor.knowledge.__file__).parent / "relevance.yaml"
WORDS = load(SHIPPED)


def of(text: str) -> str:
    return tier("", "", text, WORDS).tier


@pytest.mark.parametrize(
    "text",
    [
        "A warning on exosome products.",
        "EXOSOMES",
        "Extracellular\n  vesicles in vials",
        "stem cell secretome",
        "cell-conditioned media",
        "productos con exosomas",
        "vésicules extracellulaires",
        "Exosomen-Serum",
        "esosomi in vendita",
        "exossomos injetáveis",
        "엑소좀주사 광고",
        "エクソソーム点滴",
        "培養上清液の投与",
        "外泌体化妆品",
        "外泌體產品",
        "eksozomların satışı",
        "egzosomów nie dopuszczono",
        "экзосомы",
        "إعلان عن الإكسوسومات",
        "เอ็กโซโซมผิวหน้า",
        "exosome療法",
    ],
)
def test_core(text: str) -> None:
    assert of(text) == "core"


@pytest.mark.parametrize(
    "text",
    [
        "stem cells from cord blood",
        "Wharton’s jelly injections",
        "HCT/Ps recovered from donors",
        "amniotic fluid allograft",
        "Human placenta products",
        "A clinic offered PRP to clients",
        "platelet-rich plasma",
        "PDRN boosters",
        "Unauthorized injectable health products seized",
        "microneedling kits",
        "células madre",
        "줄기세포 화장품",
        "Stammzellen-Therapie",
    ],
)
def test_adjacent(text: str) -> None:
    assert of(text) == "adjacent"


@pytest.mark.parametrize(
    "text",
    [
        "The RNA exosome complex trims transcripts.",
        "the nuclear exosome and an exosome component",
        "Umbilical vessel catheters recalled",
        "prp as a username",
        "A kid carrier was recalled for a fall hazard",
        "amniotic fluid embolism in labour",
        "myexosomething",
        "",
    ],
)
def test_other(text: str) -> None:
    found = tier("", "", text, WORDS)
    assert (found.tier, found.terms) == ("other", ())


def test_the_other_exosome_does_not_hide_the_product() -> None:
    text = "The nuclear exosome is not meant; the exosome gel is."
    found = tier("", "", text, WORDS)
    assert [(hit["quote"], hit["start"]) for hit in found.terms] == [("exosome", text.rindex("exosome"))]


def test_core_outweighs_adjacent_and_only_its_terms_are_given() -> None:
    found = tier("Stem cells", "cord blood", "and exosomes", WORDS)
    assert found.tier == "core"
    assert [(hit["term"], hit["in"]) for hit in found.terms] == [("exosome", "text")]


def test_the_field_is_named() -> None:
    found = tier("Exosome gel", "An EXOSOME gel", "of exosomes", WORDS)
    assert [(hit["in"], hit["quote"]) for hit in found.terms] == [
        ("title", "Exosome"),
        ("summary", "EXOSOME"),
        ("text", "exosomes"),
    ]


def test_the_longest_of_overlapping_terms_is_given() -> None:
    found = tier("", "", "umbilical cord blood", WORDS)
    assert [hit["quote"] for hit in found.terms] == ["umbilical cord blood"]


def test_a_word_with_an_ending_is_quoted_whole() -> None:
    assert [hit["quote"] for hit in tier("", "", "tu eksozomların satışı", WORDS).terms] == ["eksozomların"]


def test_look_alikes_are_seen_through_and_quoted_as_written() -> None:
    for written in ("ex\u200bosomes", "еxоsоmеs", "ｅｘｏｓｏｍｅ", "EXOSOMES"):
        found = tier("", "", f"our {written} here", WORDS)
        assert found.tier == "core"
        assert [hit["quote"] for hit in found.terms] == [written]


def test_a_long_letter_gives_a_few_hits_of_each_term() -> None:
    found = tier("", "", "exosome " * 300 + "secretome", WORDS)
    assert [hit["term"] for hit in found.terms] == ["exosome"] * SHOWN + ["secretome"]


@given(
    st.text(max_size=200), st.text(max_size=60), st.sampled_from(["exosomes", "Stem  Cells", "외泌体", "外泌体", "PRP"])
)
def test_quotes_are_exact_for_any_text(before: str, after: str, word: str) -> None:
    fields = {"title": before, "summary": f"{before} {word} {after}", "text": after + "\n" + word}
    found = tier(fields["title"], fields["summary"], fields["text"], WORDS)
    for hit in found.terms:
        assert fields[hit["in"]][hit["start"] : hit["end"]] == hit["quote"]
        assert hit["quote"].strip()


@given(st.text(alphabet=st.characters(blacklist_categories=("L", "M", "N", "Cf", "Cs", "S", "Pc")), max_size=40))
def test_a_term_between_signs_is_found(around: str) -> None:
    assert of(f"{around} exosomes {around}") == "core"


SPOILT: list[tuple[Callable[[Any], Any], str]] = [
    (lambda raw: raw["tiers"].pop(0), "must be core and adjacent"),
    (lambda raw: raw.update(more=1), "one key, `tiers`"),
    (lambda raw: raw["tiers"][0]["groups"][0]["words"].append(" "), "an empty word"),
    (lambda raw: raw["tiers"][1]["groups"][0]["words"].append("Exosome"), "stands under core, exosome already"),
    (lambda raw: raw["tiers"][1]["groups"][0].update(were="word"), r"row 1 \(stem cell\): unknown key were"),
    (lambda raw: raw["tiers"][0].update(groups="exosome"), "expected a list of rows"),
]


@pytest.mark.parametrize(("change", "message"), SPOILT, ids=[message for _, message in SPOILT])
def test_a_wrong_row_is_named(tmp_path: Path, change: Callable[[Any], Any], message: str) -> None:
    raw = yaml.safe_load(SHIPPED.read_text())
    change(raw)
    path = tmp_path / "relevance.yaml"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True))
    with pytest.raises(KnowledgeError, match=message):
        load(path)


def test_the_recorded_letters() -> None:
    pages = sorted(samples("us/fda_warning_letters/pages").glob("*.html"))
    core = [page.name for page in pages if of(read_html(page.read_bytes()).text) == "core"]
    assert core == ["new-life-medical-services-llc-711102-09242025.html"]
