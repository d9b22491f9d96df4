"""Languages of one script are told apart, and one that shares its letters with none is what it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.classify import language as language_module
from monitor.classify.language import language, languages
from monitor.folding import fold
from monitor.reading.text import read_html, read_text


def _spoken(text: str) -> str:
    document = read_text(text)
    return language(document, fold(document.text).text)


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("ru", "Экзосомы восстанавливают кожу после лазера"),
        ("ru", "Лечение суставов"),
        ("uk", "Екзосоми відновлюють шкіру після лазера"),
        ("uk", "Псоріаз"),
        ("bg", "Екзозомите се използват и за кожата, след което тя изглежда по-добре"),
        ("sr", "Егзосоми се користе за обнављање коже и косе"),
        ("be", "Экзасомы для скуры ў Мінску"),
        ("ar", "إكسوسومات لتجديد البشرة في عيادتنا"),
        ("ar", "كريم للبشرة"),
        ("fa", "اگزوزوم برای جوان‌سازی پوست در کلینیک ما"),
        ("fa", "ريزش مو با اين روش از بين مي رود و پوست هم شاداب است"),
        ("ur", "جلد کے لیے ایکسوسوم کا استعمال"),
        ("hi", "त्वचा के लिए एक्सोसोम का उपयोग"),
        ("mr", "त्वचेसाठी एक्सोसोम वापरले जाते आणि ते सुरक्षित आहे"),
        ("bn", "ত্বকের জন্য এক্সোসোম থেরাপি"),
        ("el", "Εξωσώματα για το δέρμα"),
        ("he", "אקסוזומים לעור הפנים"),
        ("nl", "Exosomen voor de huid, zonder naalden en in een half uur klaar, bij ons in de praktijk"),
        ("de", "Exosomen für die Haut, ohne Nadeln und in einer halben Stunde, bei uns in der Praxis"),
        ("de", "Exosomen gegen Falten"),
    ],
)
def test_a_language_is_told_from_those_of_its_script(lang: str, text: str) -> None:
    assert _spoken(text) == lang


@pytest.mark.parametrize(("declared", "spoken"), [("uk", "uk"), ("bg", "bg"), ("en", "ru"), ("", "ru")])
def test_what_a_page_declares_decides_where_its_letters_do_not(declared: str, spoken: str) -> None:
    document = read_html(f'<html lang="{declared}"><body><p>Препарат</p></body></html>')
    assert language(document, fold(document.text).text) == spoken


def test_what_a_page_declares_yields_to_its_letters() -> None:
    document = read_html('<html lang="uk"><body><p>Мы лечим экзему</p></body></html>')
    assert language(document, fold(document.text).text) == "ru"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("exosomes τα εξωσώματα", {"el"}),
        ("exosomes and tgf-β", set()),
        ("אקסוזומים", {"he"}),
        ("एक्सोसोम", {"hi"}),
    ],
)
def test_words_of_another_script_on_a_page_are_looked_for(text: str, more: set[str]) -> None:
    assert languages("en", fold(text).text) == {"en", *more}


def test_persian_is_not_read_by_arabic_words() -> None:
    assert "ar" not in languages("fa", "پوست")
    assert "ar" in languages("en", "پوست")


def test_short_texts_are_told_apart_by_what_is_kept_as_by_what_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    texts = ("Exosomes cure diabetes.", "Le sérum agit vite", "Exosomen gegen Falten", "soro para o cabelo", "", "x1")
    unpacked = language_module._unpacked()
    monkeypatch.setattr(language_module, "_unpacked", lambda: unpacked)
    told = [unpacked.rank(text) for text in texts]
    assert len({ranked[0][0] for ranked in told}) > 2
    for _ in range(2):  # kept, and read again
        assert [language_module._loaded.__wrapped__().rank(text) for text in texts] == told
    assert [path.name.partition("-")[0] for path in (tmp_path / "exowatch").iterdir()] == ["languages"]
    (tmp_path / "exowatch").rename(tmp_path / "gone")
    (tmp_path / "exowatch").write_text("a file where the folder should be")
    assert language_module._loaded.__wrapped__() is unpacked
