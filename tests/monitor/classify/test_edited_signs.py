"""What a lawyer edits in `knowledge/places/` and `knowledge/languages/` is what pages are judged by."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from monitor.classify import Query, addressed, delivering, judge, language, places, postal, tongues
from monitor.folding import fold
from monitor.knowledge import HERE, _version, load, wordlists
from monitor.knowledge.wordlists import COUNTRIES, DELIVERY, LATIN, POSTCODES, SCRIPTS, SIGNS
from monitor.reading.text import read_text
from tests.monitor.knowledge.copies import spoil

Edit = Callable[..., None]
_MADE_OF_THEM = (
    wordlists.in_use, places.places, delivering.delivering, addressed._price, addressed._anchors, postal._before,
    postal._anchors, tongues.shared_scripts, language._told,
)  # fmt: skip


@pytest.fixture
def edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edit]:
    """Puts words into a list of a copy, which is then the knowledge in use."""
    for name in ("places", "languages"):
        shutil.copytree(HERE / name, tmp_path / name)

    def change(file: str, name: str, **terms: str) -> None:
        def more(raw: Any) -> None:
            held = raw["words"][name]["terms"]
            held.update({key: f"{held[key]} | {words}" if key in held else words for key, words in terms.items()})

        spoil(tmp_path / file, more)
        forget()

    def forget() -> None:
        for made in _MADE_OF_THEM:
            made.cache_clear()
        addressed._SPOTS = addressed.Remembered(addressed._spots_in)

    monkeypatch.setattr(wordlists, "HERE", tmp_path)
    forget()
    yield change
    monkeypatch.undo()
    forget()


def codes(text: str, url: str = "https://kelda.example/serum", lang: str = "en") -> list[str]:
    return [one.code for one in addressed.addressed(read_text(text), url, lang)]


@pytest.mark.parametrize(
    ("text", "rows", "code"),
    [
        ("One vial: 990 kr today.", [(SIGNS, "currency_sign", {"se": "kr"})], "se"),
        ("One vial: 990 ISK.", [(SIGNS, "currency", {"is": "ISK"})], "is"),
        ("Ships to Fiji.", [(COUNTRIES, "name", {"fj": "Fiji"})], "fj"),
        ("Find us at 53111 Bonn, any day.", [(COUNTRIES, "city", {"de": "Bonn"})], "de"),
        ("愛媛県松山市一番町", [(COUNTRIES, "district", {"jp": "愛媛県"})], "jp"),
        ("1 Kelda Street, Barrigada, GU 96913", [(POSTCODES, "state_code", {"us": "GU"})], "us"),
        ("Kelda House, QQ1 4AB", [(POSTCODES, "area", {"uk": "QQ"})], "uk"),
        (
            "Wysyłka do Polska.",
            [(DELIVERY, "delivers", {"pl": "wysyłka"}), (DELIVERY, "to", {"pl": "do"})],
            "pl",
        ),
        ("Our surgery in Italy.", [(DELIVERY, "premises", {"en": "surgery"})], "it"),
    ],
)
def test_a_sign_that_is_written_down_is_known(
    edit: Edit, text: str, rows: list[tuple[str, str, dict[str, str]]], code: str
) -> None:
    assert code not in codes(text)

    for file, name, terms in rows:
        edit(file, name, **terms)
    assert code in codes(text)


def test_words_that_exclude_a_country_and_endings_that_say_nothing_are_known(edit: Edit) -> None:
    assert codes("Shipping to, bar Italy.") == ["eu", "it"]
    assert codes("A serum.", "https://kelda.gr/serum") == ["eu", "gr"]

    edit(DELIVERY, "excluding", en="bar")
    edit(SIGNS, "general_ending", any="gr")
    assert codes("Shipping to, bar Italy.") == codes("A serum.", "https://kelda.gr/serum") == []


def test_a_verdict_follows_the_row(edit: Edit) -> None:
    page = "<p>Our exosomes cure arthritis in three weeks.</p><p>One vial: 990 kr today.</p>"

    def judged() -> set[str]:
        answer = judge(Query(id="edited", html=page, url="https://kelda.example/serum"), load())
        assert answer.decision == "flag"
        return {one.code for finding in answer.findings for one in finding.jurisdictions}

    assert "se" not in judged()

    edit(SIGNS, "currency_sign", se="kr")
    assert judged() == {"eu", "se"}


def test_a_country_that_joins_the_union_is_judged_under_its_law(edit: Edit) -> None:
    assert codes("Ships to Ukraine.") == ["ua"]

    edit(COUNTRIES, "member_state", ua="Ukraine")
    assert codes("Ships to Ukraine.") == ["eu", "ua"]


def spoken(text: str) -> str:
    document = read_text(text)
    return language.language(document, fold(document.text).text)


def test_words_and_letters_of_a_language_are_known(edit: Edit) -> None:
    estonian = "Eksosoomid on nahale, mis vajab hoolt, ja need ei ole ravim ega midagi muud kui kosmeetika"
    tajik = "Экзосомҳо барои пӯсти шумо"
    assert (spoken(estonian), spoken(tajik)) == (spoken(estonian), "ru") != ("et", "ru")

    edit(LATIN, "word", et="ja | mis | need | ei | ole | ega | kui | midagi")
    edit(SCRIPTS, "together", ru="tg")
    edit(SCRIPTS, "letter", tg="ҳ | ӯ")
    assert (spoken(estonian), spoken(tajik)) == ("et", "tg")


def test_another_row_makes_another_version_of_the_knowledge(tmp_path: Path, edit: Edit) -> None:
    before = _version(tmp_path)
    edit(SIGNS, "currency_sign", se="kr")
    assert _version(tmp_path) != before
