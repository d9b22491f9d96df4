"""Names of diseases on a page: whole, longest, in their language, and only where they mean a disease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classify import Judgement, Query, judge
from monitor.classify.automaton import spaced
from monitor.classify.conditions import ConditionScanner, condition_scanner
from monitor.classify.scan import scanner
from monitor.folding import fold
from monitor.knowledge import load
from monitor.knowledge.conditions import Left

KNOWLEDGE = load()
COMPLAINTS = ("condition", "condition_skin", "condition_hair", "outbreak", "symptom")
LOOKALIKES = str.maketrans({"a": "а", "e": "е", "o": "о", "c": "с", "p": "р", "x": "х"})


def _named(text: str, *langs: str) -> list[tuple[str, str]]:
    """Complaints found in the text, as written, with their class."""
    folded = fold(text)
    hits = scanner(KNOWLEDGE, frozenset({"en", *langs})).hits(folded.text)
    spans = [(folded.span(hit.start, hit.end), hit.name) for hit in hits if hit.name in COMPLAINTS]
    return [(text[start:end], name) for (start, end), name in spans]


def _judged(html: str, **more: object) -> Judgement:
    return judge(Query(id="c", html=html, lang="en", **more), KNOWLEDGE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "name", "cls"),
    [
        ("Sarcoidosis", "Sarcoidosis", "condition"),
        ("Charcot-Marie-Tooth disease", "Charcot-Marie-Tooth disease", "condition"),
        ("Sjögren’s syndrome", "Sjögren’s syndrome", "condition"),
        ("for Dupuytren's contracture.", "Dupuytren's contracture", "condition"),
        ("Stargardt disease (early)", "Stargardt disease", "condition"),
        ("COELIAC DISEASE", "COELIAC DISEASE", "condition"),
        ("ichthyosis", "ichthyosis", "condition_skin"),
        ("monilethrix", "monilethrix", "condition_hair"),
        ("acne vulgaris", "acne vulgaris", "condition_skin"),
    ],
)
def test_golden_names(text: str, name: str, cls: str) -> None:
    assert (name, cls) in _named(text)


def test_the_longest_name_wins_and_keeps_the_class_of_the_lexicon() -> None:
    assert _named("juvenile rheumatoid arthritis") == [("juvenile rheumatoid arthritis", "condition")]
    assert _named("skin cancer") == [("skin cancer", "condition")]
    assert _named("muscle pain") == [("muscle pain", "symptom")]


@pytest.mark.parametrize("text", ["inflammation", "hair loss", "scars", "pain"])
def test_words_of_the_lexicon_keep_their_class(text: str) -> None:
    before = {term.name for term in KNOWLEDGE.lexicon if term.lang == "en" and text in term.words}
    assert {cls for _, cls in _named(text)} <= before
    assert len(_named(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "sarcoidosisx",
        "presarcoidosis",
        "sarcoidosis2",
        "mustached",
        "the gouty",
        "pro-sarcoidosisx",
        "crash",
        "preaches",
    ],
)
def test_a_part_of_a_word_is_no_name(text: str) -> None:
    assert _named(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Ms Alder runs the desk",
        "Ed answers the phone",
        "a small ad in the paper",
        "the pots stand on the shelf",
        "a serum that aids recovery",
        "CHF 450 a vial",
        "our best disease protocol",
        "for men 2 weeks",
        "the confusion over prices",
        "no injection site reactions",
    ],
)
def test_ambiguous_words_do_not_stand_alone(text: str) -> None:
    scan = condition_scanner(KNOWLEDGE)
    folded = fold(text).text
    assert scan.find(folded, spaced(folded), frozenset({"en"}), []) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("MS, the relapsing form of multiple sclerosis", "MS"),
        ("Sarcoidosis\nRA\nGastroparesis", "RA"),
        ("POTS and other dysautonomia", "POTS"),
        ("ED and low libido", "ED"),
    ],
)
def test_ambiguous_words_count_beside_their_neighbours(text: str, name: str) -> None:
    assert (name, "condition") in _named(text)


def test_some_ambiguous_words_ask_for_more_than_another_disease() -> None:
    assert [name for name, _ in _named("This ad is about sarcoidosis")] == ["sarcoidosis"]
    far = "MS. " + "The tram stops in front of the building. " * 6 + "Sarcoidosis"
    assert [name for name, _ in _named(far)] == ["Sarcoidosis"]


def test_short_english_names_count_on_english_pages_alone() -> None:
    assert _named("gout") == [("gout", "condition")]
    assert _named("un gout de miel", "fr") == []
    assert _named("gout", "ja") == [("gout", "condition")]
    assert _named("la sarcoidosis", "fr") == [("sarcoidosis", "condition")]
    assert _named("patients with ALS") == [("ALS", "condition")]
    assert _named("kleiner als Zellen", "de") == []


def test_names_of_other_languages_count_on_their_pages() -> None:
    assert ("mucoviscidose", "condition") in _named("la mucoviscidose", "fr")
    assert _named("la mucoviscidose", "de") == []
    assert ("Karpaltunnelsyndrom", "condition") in _named("Karpaltunnelsyndrom", "de")
    assert ("多发性硬化", "condition") in _named("治疗多发性硬化患者", "zh")


@pytest.mark.parametrize("name", ["Sarcoidosis", "Gastroparesis", "Stargardt disease"])
@pytest.mark.parametrize(
    "disguise",
    [
        str.upper,
        lambda name: name.translate(LOOKALIKES),
        "\u200b".join,
        "\u00ad".join,
        lambda name: name.replace("a", "á"),
        lambda name: "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in name),
        lambda name: name.replace("o", "0").replace("a", "@"),
    ],
)
def test_a_disguised_name_is_found(name: str, disguise: Callable[[str], str]) -> None:
    written = disguise(name)
    assert (written, "condition") in _named(f"We treat {written} with exosomes.")


@given(
    st.text(max_size=60), st.sampled_from(["sarcoidosis", "charcot-marie-tooth disease", "graft versus host disease"])
)
def test_any_surroundings_leave_a_name_whole(around: str, name: str) -> None:
    named = _named(f"{around} | {name} | {around}")
    assert any(found.lower() == name for found, _ in named)


@given(
    st.lists(
        st.sampled_from(["ms", "ed", "sarcoidosis", "skin", "cancer", "of the", "-", ",", "arthritis", "rheumatoid"]),
        max_size=40,
    )
)
def test_hits_are_in_order_and_of_one_class_never_overlap(words: list[str]) -> None:
    hits = scanner(KNOWLEDGE, frozenset({"en"})).hits(fold(" ".join(words)).text)
    assert [(hit.start, -hit.end) for hit in hits] == sorted((hit.start, -hit.end) for hit in hits)
    for cls in COMPLAINTS:
        own = [hit for hit in hits if hit.name == cls]
        assert all(first.end <= second.start for first, second in pairwise(own))


HEAD = "<h1>Exosome therapy</h1><h2>Conditions we treat with exosomes</h2>"
RARE = (
    "Sarcoidosis",
    "Gastroparesis",
    "Sjögren's syndrome",
    "Charcot-Marie-Tooth disease",
    "Ehlers-Danlos",
    "Dupuytren's contracture",
)


@pytest.mark.parametrize("name", RARE)
def test_a_bare_list_item_under_a_heading_that_treats_is_a_claim(name: str) -> None:
    judged = _judged(f"{HEAD}<ul><li>{name}</li></ul><p>Book now. Call us for a consultation.</p>")
    found = [claim for claim in judged.findings if claim.category == "disease_treatment" and claim.quote == name]
    assert [claim.decision for claim in found] == ["flag"]


@pytest.mark.parametrize("name", RARE)
def test_without_the_product_or_the_heading_it_is_none(name: str) -> None:
    opening = "<h1>Library</h1><h2>New books</h2>"
    assert _judged(f"{opening}<ul><li>{name}</li></ul>").decision == "clear"
    shelf = f"<h1>Library</h1><p>A talk on exosomes is on Monday.</p><h2>New books</h2><ul><li>{name}</li></ul>"
    of_rules = [claim for claim in _judged(shelf).findings if not claim.rule_id.startswith("model.")]
    assert [claim.quote for claim in of_rules if claim.quote == name] == []


@pytest.mark.parametrize(
    "text",
    [
        "In this randomised trial, 40 patients with sarcoidosis received exosomes or placebo; no difference was seen.",
        "The FDA warned that clinics claim their exosomes treat sarcoidosis.",
        "A newspaper reported that the clinic had promised to cure gastroparesis with exosomes, prosecutors say.",
    ],
)
def test_other_voices_stay_unflagged(text: str) -> None:
    assert judge(Query(id="v", text=text, html=None, lang="en"), KNOWLEDGE).decision != "flag"


def test_the_scan_is_made_once_and_only_for_pages_that_name_the_product() -> None:
    fresh = replace(KNOWLEDGE, compiled={})
    judge(Query(id="n", text="We treat sarcoidosis with rest.", html=None, lang="en"), fresh)
    assert "conditions" not in fresh.compiled
    judge(Query(id="p", text="Our exosomes treat sarcoidosis.", html=None, lang="en"), fresh)
    made = fresh.compiled["conditions"]
    judge(Query(id="q", text="Exosomen behandeln Sarkoidose.", html=None, lang="de"), fresh)
    assert fresh.compiled["conditions"] is made


def test_what_is_kept_of_the_names_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept, read again, made for another review, and made where nothing can be kept."""
    cache = tmp_path / "exowatch"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    text = fold("Exosomes for COPD, ALS and sarcoidosis; POTS with dysautonomia. Gicht, 糖尿病, acne vulgaris").text
    asked = (text, spaced(text), frozenset({"en", "de", "ja", "zh"}), ())
    told = condition_scanner(KNOWLEDGE).find(*asked)
    assert len(told) == 4
    assert ConditionScanner(KNOWLEDGE).find(*asked) == told
    (kept,) = cache.iterdir()
    made = kept.stat().st_mtime_ns
    assert ConditionScanner(KNOWLEDGE).find(*asked) == told
    assert kept.stat().st_mtime_ns == made

    names = KNOWLEDGE.conditions
    left = Left(why="it is left out by this test", names="sarcoidosis")
    review = names.review.model_copy(update={"leave": (*names.review.leave, left)})
    other = replace(KNOWLEDGE, conditions=replace(names, review=review))
    start = text.index("sarcoidosis")
    assert ConditionScanner(other).find(*asked) == [one for one in told if one.start != start] != told
    assert len(list(cache.iterdir())) == 2

    monkeypatch.setenv("XDG_CACHE_HOME", str(kept))
    assert ConditionScanner(KNOWLEDGE).find(*asked) == told
