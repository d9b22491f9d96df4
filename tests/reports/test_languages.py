"""German and French say all that English says, fill the same places, and write days and numbers their own way."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from babel.messages.catalog import Message
from markupsafe import Markup

from reports.digest import Tally
from reports.digest.headline import headline
from reports.languages import LANGUAGES, speech
from reports.render import environment, render
from reports.words import Words
from tests.reports import catalogues

PLACE = re.compile(r"%\((\w+)\)s")


def forms(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def says(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


@pytest.fixture(scope="module")
def phrases() -> list[Message]:
    found = [message for message in catalogues.phrases() if message.id]
    assert len(found) > 250
    return found


@pytest.mark.parametrize("code", catalogues.TRANSLATED)
def test_no_phrase_lacks_its_translation(code: str, phrases: list[Message]) -> None:
    held = catalogues.catalogue(code)
    missing = []
    for message in phrases:
        found = held.get(message.id if isinstance(message.id, str) else message.id[0])
        if found is None or not all(forms(found)) or (isinstance(message.id, tuple) and len(forms(found)) != 2):
            missing.append(message.id)
    assert missing == [], "python -m tests.reports.catalogues adds them; then translate"


@pytest.mark.parametrize("code", catalogues.TRANSLATED)
def test_no_translation_is_left_over(code: str, phrases: list[Message]) -> None:
    said = {says(message)[0] for message in phrases}
    held = [says(message)[0] for message in catalogues.catalogue(code) if message.id]
    assert [text for text in held if text not in said] == []


@pytest.mark.parametrize("code", catalogues.TRANSLATED)
def test_places_to_fill_agree(code: str) -> None:
    for message in catalogues.catalogue(code):
        wanted = set(PLACE.findall(" ".join(says(message)))) if message.id else set()
        for form in filter(None, forms(message)) if message.id else ():
            assert set(PLACE.findall(form)) == wanted, message.id
            assert not re.search(r"%(?!\(\w+\)s|%)", form), message.id


def test_days_and_numbers_are_written_as_the_language_writes_them() -> None:
    day = date(2026, 3, 1)
    assert [speech(code).day(day) for code in LANGUAGES] == ["1 Mar 2026", "1. März 2026", "1 mars 2026"]
    assert [speech(code).number(12345) for code in LANGUAGES] == ["12,345", "12.345", "12\u202f345"]
    moment = datetime(2026, 10, 5, 4, 7, tzinfo=UTC)
    assert speech("de").moment(moment) == "5. Okt. 2026, 04:07 UTC"
    assert [speech(code).moment(None) for code in LANGUAGES] == ["never", "nie", "jamais"]
    assert speech("fr").percent(0.615) == "62 %"


def test_plural_forms_are_the_language_s_own() -> None:
    one, many = "%(num)s notice updated", "%(num)s notices updated"
    assert [speech("de").ngettext(one, many, number) for number in (0, 1, 2)] == [
        "0 Mitteilungen aktualisiert",
        "1 Mitteilung aktualisiert",
        "2 Mitteilungen aktualisiert",
    ]
    one, many = "%(num)s claim appeared", "%(num)s claims appeared"
    assert [speech("fr").ngettext(one, many, number) for number in (0, 1, 2000)] == [
        "0 allégation apparue",
        "1 allégation apparue",
        "2\u202f000 allégations apparues",
    ]
    assert speech("en").ngettext(one, many, 0) == "0 claims appeared"


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (1, "1 allégation apparue, 1 reformulée, 1 réapparue, 1 retirée"),
        (2, "2 allégations apparues, 2 reformulées, 2 réapparues, 2 retirées"),
    ],
)
def test_what_is_counted_agrees_with_its_number(number: int, told: str) -> None:
    tally = Tally(appeared=number, reworded=number, reappeared=number, withdrawn=number)
    assert headline(tally, 0, 0, speech("fr")) == told


def test_a_phrase_that_nobody_translated_is_said_in_english() -> None:
    assert speech("de").gettext("No such phrase: %(x)s", x=1) == "No such phrase: 1"


def test_places_and_languages_have_their_names() -> None:
    assert [Words(speech(code)).jurisdiction("uk") for code in LANGUAGES] == [
        "United Kingdom",
        "Vereinigtes Königreich",
        "Royaume-Uni",
    ]
    assert Words(speech("de")).language("ja") == "Japanisch"
    assert Words(speech("fr")).jurisdiction("q1") == "Q1"


def test_a_language_that_there_is_not_is_told() -> None:
    with pytest.raises(ValueError, match="no language 'es'; write one of en, de, fr"):
        speech("es")
    with pytest.raises(ValueError, match="no language 'xx'"):
        render("digest.txt", language="xx")


def test_what_fills_a_phrase_is_cleaned_and_escaped() -> None:
    page = environment("de").from_string(
        "{% autoescape true %}{{ _('Names %(terms)s.', terms=found) }}{% endautoescape %}"
    )
    assert page.render(found="<b>\u202e\nx") == "Nennt &lt;b&gt;\ufffd x."
    assert page.render(found=Markup("<i>x</i>")) == "Nennt <i>x</i>."
    plain = environment("de").from_string(
        "{% autoescape false %}{{ _('Names %(terms)s.', terms=found) }}{% endautoescape %}"
    )
    assert plain.render(found="<b>\r\nBcc: x") == "Nennt <b> Bcc: x."


def test_blocks_of_phrases_are_translated_with_their_numbers() -> None:
    page = environment("fr").from_string(
        "{% trans num=n %}{{ num }} notice updated{% pluralize %}{{ num }} notices updated{% endtrans %}"
    )
    assert page.render(n=1234) == "1\u202f234 avis mis à jour"
