"""The two foldings of a text: without accents for the rules, with them for the model. Both have the same offsets."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.folding import fold, fold_words


@given(st.text(max_size=60))
def test_both_foldings_are_as_long(text: str) -> None:
    folded = fold(text)
    assert len(folded.accented) == len(folded.text)


@pytest.mark.parametrize(
    ("text", "accented"),
    [
        ("Ação NÃO é", "ação não é"),
        ("Größe wächst", "grösse wächst"),
        ("Tiếng Việt", "tiếng việt"),
        (unicodedata.normalize("NFD", "Pielęgnacja skóry"), "pielęgnacja skóry"),
        ("“Été” — l’œil", '"été" - l\'oeil'),
        ("外泌体 治疗", "外泌体 治疗"),
    ],
)
def test_accents_are_kept_and_signs_made_even(text: str, accented: str) -> None:
    assert fold(text).accented == accented


@pytest.mark.parametrize("text", ["exоsоmes", "ex0somes", "3x0somes", "ex0s0m3s", "EXO\u200bSOMES", "ｅｘｏｓｏｍｅｓ"])
def test_a_disguise_is_taken_off_in_both(text: str) -> None:
    folded = fold(f"Naïve {text} heal")
    assert folded.accented == "naïve exosomes heal"
    assert folded.text == "naive exosomes heal"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("τα εξωσώματα", "ΤΑ ΕΞΩΣΩΜΑΤΑ"),
        ("отёк лёгких", "отек легких"),
        ("الإكسوسومات", "الاكسوسومات"),
        ("علاج الركبة", "علاج الركبه"),
        ("پوستی", "پوستي"),
        ("کرم", "كرم"),
    ],
)
def test_letters_written_for_each_other_are_one(one: str, other: str) -> None:
    assert fold(one).text == fold(other).text
    assert fold(one).accented == one


@given(st.lists(st.text(alphabet="abZ013$@5. -éВо日ß…", max_size=12), max_size=8))
def test_words_of_a_list_are_folded_as_each_alone(words: list[str]) -> None:
    assert fold_words(words) == [fold(one).text for one in words]
