"""In languages of level C nothing is flagged: a person decides, and is told so."""

from __future__ import annotations

import pytest

from monitor.classify import Judgement, Query, judge
from monitor.classify.account import accounts
from monitor.classify.score import decide
from monitor.knowledge import HERE, load
from monitor.knowledge.precedents import load as load_precedents
from monitor.training.labelled import read_labelled

KNOWLEDGE = load()
SCORING = KNOWLEDGE.scoring
DECIDES = "In this language a person decides."


def _judged(text: str, lang: str) -> Judgement:
    return judge(Query(id="l", text=text, lang=lang), KNOWLEDGE)


A = "en es de fr pt it".split()
B = "ja ko zh tr pl ru uk ar fa he el nl vi th id sv cs ro hu da hi".split()


@pytest.mark.parametrize("lang", [*A, *B])
def test_levels_a_and_b_are_flagged(lang: str) -> None:
    assert SCORING.level(lang) == ("A" if lang in A else "B")
    assert decide(0.99, lang, SCORING) == "flag"


@pytest.mark.parametrize("lang", ["no", "fi", "und", ""])
def test_any_other_language_waits_for_a_person(lang: str) -> None:
    assert SCORING.level(lang) == "C"
    assert decide(0.99, lang, SCORING) == "review"
    assert decide(0.01, lang, SCORING) == "drop"


def test_a_level_that_flags_lets_its_languages_through() -> None:
    levels = {name: one.model_dump() for name, one in SCORING.languages.items()}
    levels["B"]["flags"], levels["C"]["flags"] = False, True
    changed = type(SCORING).model_validate({**SCORING.model_dump(), "languages": levels})
    assert [lang in changed.review_only for lang in ("en", "ja", "no")] == [False, True, False]


def test_the_same_words_in_english_and_elsewhere() -> None:
    text = "Our exosomes treat arthritis and regrow hair. Book now."
    assert _judged(text, "en").decision == "flag"
    elsewhere = _judged(text, "no")
    assert elsewhere.decision == "review"
    assert elsewhere.findings
    assert all(DECIDES in claim.why for claim in elsewhere.findings)
    assert not any(DECIDES in claim.why for claim in _judged(text, "en").findings)


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        (
            "fi",
            "Eksosomit ovat hoito, joka parantaa nivelrikon ja kasvattaa hiukset ilman leikkausta, ja se kestää.",
        ),
        (
            "hr",
            "Egzosomi su tretman koji liječi artritis i vraća kosu, a nakon zahvata nije potrebno mirovanje.",
        ),
        ("lt", "Egzosomos yra procedūra, kuri gydo artritą ir augina plaukus, o po jos nereikia jokio poilsio."),
        ("tl", "Ang exosome therapy ay para sa arthritis at buhok, at hindi na kailangan ng operasyon."),
        ("bg", "Екзозомите лекуват артрит и връщат косата, което се вижда след месец."),
        ("sr", "Матичне ћелије лече артритис и враћају косу, што се види после само месец дана."),
        ("ur", "ایگزوسوم سے جوڑوں کا درد ختم ہو جاتا ہے اور بال واپس آتے ہیں"),
        ("bn", "এক্সোসোমের সাহায্যে চুল গজায় এবং বাত সেরে যায়"),
    ],
)
def test_a_language_without_words_of_its_own_is_known_and_nothing_in_it_is_flagged(lang: str, text: str) -> None:
    judged = judge(Query(id="l", text=text), KNOWLEDGE)
    assert judged.names_product
    assert judged.lang == lang
    assert judged.decision != "flag"


@pytest.mark.parametrize("text", ["Kantasoluista saadut pisarat", "Cilmes šūnu terapija", "Tüvirakkude ravi"])
def test_stem_cells_are_known_by_name_in_languages_that_are_not_read(text: str) -> None:
    assert judge(Query(id="l", text=text), KNOWLEDGE).names_product


def test_an_approval_of_another_product_waits_for_a_person() -> None:
    judged = judge(Query(id="l", text="Minoxidil is FDA approved; this page is about exosomes too."), KNOWLEDGE)
    assert not [claim for claim in judged.findings if claim.decision == "flag"]
    assert any("It names another product: a person decides." in claim.why for claim in judged.findings)


def test_the_account_says_who_decides() -> None:
    judgement = _judged("Our exosomes treat arthritis.", "no")
    told = accounts(judgement, judgement.findings, KNOWLEDGE, load_precedents(HERE))
    assert told
    assert all(one.person_only for one in told)


def test_no_gold_text_of_level_c_is_flagged() -> None:
    held = read_labelled(HERE / "gold" / "passages_world_b.jsonl")
    rows = [row for row in held if SCORING.level(row.lang) == "C"][::4]
    found = [judge(row.query(), KNOWLEDGE) for row in rows]
    read_as_c = [one for one in found if one.lang in SCORING.review_only]
    assert len(read_as_c) > len(rows) * 0.6  # a short text of such a language is read as one of the usual ones
    assert {one.decision for one in read_as_c} == {"review", "clear"}
