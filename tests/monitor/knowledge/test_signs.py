"""Signs of countries and languages: every mistake in them is named with file, row and what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from monitor.knowledge import HERE, KnowledgeError, check_signs, wordlists
from monitor.knowledge.check_words import WordRows
from monitor.knowledge.files import Problem, RowFile
from monitor.knowledge.files import read as read_file
from monitor.knowledge.wordlists import (
    COUNTRIES,
    DELIVERY,
    LATIN,
    POSTCODES,
    SCRIPTS,
    SIGNS,
    any_of,
    by_words,
    in_use,
    read,
    words_of,
)
from tests.monitor.knowledge.copies import spoil

Change = Callable[[Any], Any]


def looked(folder: Path, name: str) -> list[Problem]:
    rows, file = WordRows(date(2026, 11, 26)), read_file(folder / name, folder)
    assert isinstance(file, RowFile)
    rows.read({name: file})
    return rows.problems


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in check_signs.FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((HERE / name).read_bytes())
    return tmp_path


def words(name: str, **terms: str) -> Change:
    return lambda raw: raw["words"][name]["terms"].update(terms)


def without(name: str, key: str) -> Change:
    return lambda raw: raw["words"][name]["terms"].pop(key)


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        (COUNTRIES, words("name", gb="Albion"), "Britain is uk here; write uk"),
        (COUNTRIES, words("name", zz="Nowhere"), "zz is no country of ISO 3166-1 in small letters; correct it"),
        (COUNTRIES, words("name", any="Nowhere"), "any"),
        (COUNTRIES, words("name", fj="Fiji | Italia"), "“Italia” stands under it too, and means one of them alone"),
        (COUNTRIES, words("city", fj="Suva"), "fj has no words under name; add them there first"),
        (COUNTRIES, words("city", de="Bonn*"), "'Bonn*': stars, gaps and equals signs are not read here"),
        (COUNTRIES, words("member_state", it="Italy | Italia"), "has 2, and needs one alone; correct it"),
        (COUNTRIES, words("district", it="Lazio"), "is read of ae, au, cn, jp, kr, sg, tw alone, not of it"),
        (COUNTRIES, without("district", "jp"), "jp is missing; put it back"),
        (POSTCODES, words("area", uk="AB | 1X"), "'1X': an area has one or two capital letters; correct it"),
        (POSTCODES, words("state_code", us="AL | Alaska"), "'Alaska': a short form has two or three capital letters"),
        (SIGNS, words("currency", us="USD | $"), "'$': a code of ISO 4217 has three capital letters"),
        (SIGNS, words("currency", us="USD | GBP"), "“GBP” stands under"),
        (SIGNS, words("currency_sign", us="US$ | $"), "'$': a bare $ or ¥ belongs to several countries"),
        (SIGNS, words("bare_dollar", any="ca | nowhere"), "nowhere is no country of ISO 3166-1"),
        (SIGNS, words("bare_dollar", ca="ca"), "its words stand under any, not ca"),
        (SIGNS, words("general_ending", any=".ai"), "'.ai': an ending has two small letters, without a point"),
        (SIGNS, words("home", qq="it"), "qq is no language of ISO 639-1; correct it"),
        (SIGNS, words("home", it="it | ch"), "has 2, and needs one alone"),
        (SIGNS, words("shared_by", fr="fr | gb"), "Britain is uk here"),
        (DELIVERY, words("delivers", hu="szállítás"), "hu has no words under to, so these are never met"),
        (DELIVERY, words("delivers", de="{Versand,Lieferung}"), "begins with fewer than three letters"),
        (DELIVERY, words("to", xx="nach"), "xx is no language of ISO 639-1"),
        (SCRIPTS, words("together", ru="uk | ru"), "begins with uk; begin with ru, which is meant where nothing tells"),
        (SCRIPTS, words("together", ru="ru | uk | bg | sr | be | kk | tg"), "tg has neither letters nor words"),
        (SCRIPTS, words("together", cs="cs | sk | ru"), "ru stands with "),
        (SCRIPTS, words("letter", tg="ҷ"), "tg stands with no language under together, so this is never read"),
        (SCRIPTS, words("letter", mr="ळऴ"), "'ळऴ': one letter stands between two bars"),
        (LATIN, words("word", de="und | für uns"), "'für uns': one word of Latin letters stands between two bars"),
        (LATIN, words("own_letter", hu="ő | űű"), "'űű': one letter stands between two bars"),
        (LATIN, words("product", fr="exosomas"), "“exosomas” stands under"),
        (LATIN, words("beside_exosomen", de="der"), "is read of nl alone, not of de"),
    ],
)
def test_mistakes_are_named(copy: Path, file: str, change: Change, told: str) -> None:
    spoil(copy / file, change)

    found = looked(copy, file)

    assert any(one.level == "error" and told in one.message for one in found), [one.text() for one in found]
    assert all(one.file == file and one.line > 0 for one in found)


@pytest.mark.parametrize(
    ("was", "now", "row"),
    [('      "no": NOK', "      no: NOK", "      uk: GBP"), ('      "no": "no"', '      "no": no', "      de: eu")],
)
def test_norway_without_quotes_is_told_of(copy: Path, was: str, now: str, row: str) -> None:
    path = copy / SIGNS
    text = path.read_text(encoding="utf-8")
    assert text.count(f"{was}\n") == 1
    path.write_text(text.replace(f"{was}\n", f"{now}\n"), encoding="utf-8")

    (problem,) = looked(copy, SIGNS)

    assert problem.message == 'no, yes, on and off are no words to YAML; put quotes around it: "no"'
    assert problem.line == text[: text.index(f"{row}\n")].count("\n")  # `terms:`, right above the first row
    with pytest.raises(KnowledgeError, match="expected `terms`"):
        read(copy, SIGNS)


def test_a_file_of_another_name_is_told_of(copy: Path) -> None:
    (copy / "places" / "country.yaml").write_text("words: {}\n", encoding="utf-8")

    (problem,) = looked(copy, "places/country.yaml")
    assert problem.message == "no file of this name is read (nearest: places/countries.yaml); rename or remove it"


def test_what_is_kept_is_what_is_written_and_an_edited_file_is_read_anew(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(wordlists, "HERE", copy)
    anew = in_use.__wrapped__
    assert anew(SIGNS) == anew(SIGNS) == read(HERE, SIGNS)
    assert len(list((tmp_path / "cache" / "exowatch").glob("words_signs-*.kept"))) == 1

    spoil(copy / SIGNS, words("currency_sign", za="R"))
    assert anew(SIGNS)["currency_sign"] == {**read(HERE, SIGNS)["currency_sign"], "za": "R"}

    (copy / SIGNS).unlink()
    with pytest.raises(KnowledgeError, match=r"signs\.yaml: there is no such file; put it back"):
        anew(SIGNS)


def test_words_come_as_they_are_written() -> None:
    terms = {"uk": "U.K. | Great  Britain", "us": "US{,A}"}

    assert words_of(terms, "us") == ("US", "USA")
    assert words_of(terms, "fr") == ()
    assert by_words(terms) == {"U.K.": "uk", "Great Britain": "uk", "US": "us", "USA": "us"}
    assert any_of(["US", "U.K.", "USA", "US"]) == r"U\.K\.|USA|US"
    assert any_of([]) == "(?!)"
