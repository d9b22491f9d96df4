"""Which names are somebody's own, and which say only what kind of product it is."""

from __future__ import annotations

import pytest

from monitor.folding import fold
from monitor.products.names import is_generic, letters, name_on, own_words

GENERIC = [
    "exosomes", "Exosome Serum", "Exosome serum 5 ml", "EXOSOME AMPOULES No. 5", "Umbilical Cord Exosomes",
    "Stem Cell Therapy", "Exosomen-Serum", "Stammzelltherapie", "Exosomas para las articulaciones",
    "Terapia con células madre", "Nos exosomes", "Siero con esosomi",
    "Terapia com exossomas", "Exosomenbehandeling", "Terapia egzosomami", "Kök hücre tedavisi", "Терапия экзосомами",
    "Терапія екзосомами", "θεραπεία με εξωσώματα", "علاج بالإكسوسومات", "درمان با اگزوزوم", "טיפול באקסוזומים",
    "एक्सोसोम थेरेपी", "Liệu pháp exosome", "Terapi eksosom", "Exosombehandling", "Terapie cu exozomi", "Exoszóma terápia",
    "エクソソーム美容液", "エクソソーム 100億個", "엑소좀 앰플", "外泌体精华", "เซรั่มเอ็กโซโซม", "Exo\u200bsome",
]  # fmt: skip
OWN = {
    "Kelda Exosome Serum": "kelda",
    "Keldexo 15": "keldexo",
    "Exosomira": "exosomira",
    "Rose Exosome Serum": "rose",
    "3Kel exosome": "3kel",
    "켈다 엑소좀 앰플": "켈다",
    "凯达外泌体精华": "凯达",
    "ケルダエクソソーム美容液": "ケルダ",
}


@pytest.mark.parametrize("name", GENERIC)
def test_a_name_of_kinds_alone_is_nobodys_own(name: str) -> None:
    assert is_generic(name)
    assert own_words(letters(fold(name).text)) == frozenset()
    assert name_on("shop.example", name)[1] == f"{name} (shop.example)"


@pytest.mark.parametrize("name", OWN)
def test_one_word_of_its_own_makes_a_name(name: str) -> None:
    assert not is_generic(name)
    assert own_words(letters(fold(name).text)) == {OWN[name]}
    assert name_on("shop.example", name)[1] == name


def test_two_letters_of_a_brand_are_its_own() -> None:
    assert not is_generic("QX exosome serum")
    assert is_generic("Exosome serum X")


@pytest.mark.parametrize(
    ("names", "found_by"),
    [
        (
            ("exosome", "Exosomes", "Our exosome therapy", "The exosome menu", "Exosomentherapie", "外泌體療程"),
            "exosomes",
        ),
        (("stem cell", "Stem cell treatments", "Terapia con células madre", "Stammzelltherapie"), "stem cells"),
        (("Exosomes and stem cells",), "exosomes stem cells"),
    ],
)
def test_what_is_called_no_more_than_its_kind_is_one_product_of_its_host(names: tuple[str, ...], found_by: str) -> None:
    assert {name_on("clinic.example", name)[0] for name in names} == {found_by}


def test_forms_and_purposes_tell_products_of_one_host_apart() -> None:
    names = ("Exosome serum", "Exosome cream", "Exosome hair programme", "Umbilical cord exosomes", "Exosomes")

    assert len({name_on("clinic.example", name)[0] for name in names}) == len(names)


def test_case_accents_and_look_alikes_make_no_other_name() -> None:
    assert name_on("a.example", "Kеlda Éxo")[0] == name_on("a.example", "kelda exo")[0]
