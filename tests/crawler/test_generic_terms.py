"""The words by which entries are kept, and printed dates."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.generic.dates import DateReader
from crawler.generic.terms import fold, languages, term_lists, terms_of
from crawler.source import LayoutChangedError

WANTED = {"en", "fr", "de", "es", "pt", "it", "ja", "ko", "zh", "tr", "ar", "th"}


def test_there_are_words_of_both_levels_for_each_language() -> None:
    assert languages() == WANTED
    for language in WANTED:
        assert {one.level for one in term_lists() if one.lang == language} == {"product", "context"}, language


@pytest.mark.parametrize("language", sorted(WANTED))
def test_every_word_is_met_by_itself(language: str) -> None:
    terms = terms_of((language,))

    for one in term_lists():
        if one.lang == language:
            for word in one.words:
                assert terms.is_near(f"x {word}y z"), word


def test_no_word_stands_twice_in_a_language() -> None:
    for language in WANTED:
        words = [fold(word) for one in term_lists() if one.lang == language for word in one.words]
        assert len(words) == len(set(words)), [word for word in words if words.count(word) > 1]


@pytest.mark.parametrize(
    ("language", "text", "near", "product"),
    [
        ("en", "Warning about EXOSOMAL serums", True, True),
        ("en", "Unauthorised injectables seized", True, False),
        ("en", "Hexosomes of the plough", False, False),
        ("en", "Undeclared milk in bread", False, False),
        ("fr", "Vésicules extracellulaires", True, True),
        ("de", "Ästhetische Behandlungen", True, False),
        ("es", "Células madre", True, True),
        ("pt", "Produtos com células-tronco", True, True),
        ("ja", "エクソソーム試薬に係る監視指導について", True, True),
        ("ja", "ｴｸｿｿｰﾑ", True, True),
        ("ja", "年末年始の休業", False, False),
        ("ko", "줄기세포배양액 화장품", True, True),
        ("zh", "外泌體化粧品", True, True),
        ("ar", "حقن غير مرخصة", True, False),
        ("fr", "Exo\u200bsomes", True, True),
    ],
)
def test_what_meets_the_words(language: str, text: str, near: bool, product: bool) -> None:
    terms = terms_of((language,))

    assert (terms.is_near(text), terms.names_a_product(text)) == (near, product)


def test_a_cards_own_words_count_beside_or_in_the_place_of_lists() -> None:
    assert terms_of(("en",), ("1223/2009",)).is_near("Regulation (EC) No 1223/2009")
    only = terms_of((), ("*exossom",))
    assert only.is_near("BIOEXOSSOMO")
    assert not only.is_near("injectable stem cell kit")
    assert not only.names_a_product("x")


def test_other_words_have_another_fingerprint() -> None:
    assert terms_of(("en",)).fingerprint != terms_of(("en",), ("x",)).fingerprint


@given(st.text(max_size=40))
def test_how_a_text_is_composed_does_not_matter(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    "printed", ["soon", "yesterday", "2 hours ago", "May 2026", "2026", "31 February 2026", "12345"]
)
def test_what_is_no_whole_date_is_refused(printed: str) -> None:
    with pytest.raises(LayoutChangedError):
        DateReader(("en",)).day(printed)


def test_a_form_is_the_only_one_that_is_read() -> None:
    reader = DateReader(("pt",), form="%m/%d/%Y %H:%M:%S")

    assert reader.day("01/10/2026 00:00:00") == date(2026, 1, 10)
    assert reader.day(" ") is None
    with pytest.raises(LayoutChangedError, match="%m/%d"):
        reader.day("2026-01-10")


@given(st.dates(min_value=date(1900, 1, 1), max_value=date(2999, 12, 31)))
def test_every_day_comes_back(day: date) -> None:
    reader = DateReader(("en",))

    assert (
        reader.day(day.isoformat()) == reader.day(f"{day:%Y%m%d}") == reader.day(f"{day.isoformat()}T23:59:59Z") == day
    )
