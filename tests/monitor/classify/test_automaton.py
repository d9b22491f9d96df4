"""Terms are found wherever they stand as words, by whichever scanner is installed."""

from __future__ import annotations

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classify.automaton import Presence, Term, Terms, automaton, engine, spaced

from .scanning import PIECES, TEXTS, WORDS, plainly

TERMS = Terms(WORDS)
PRESENCE = Presence(term.words for term in WORDS if len(term.words) > 3)
LONG = [term.words for term in WORDS if len(term.words) > 3]


@given(TEXTS)
def test_terms_are_found_by_their_boundaries(text: str) -> None:
    assert TERMS.find(text, spaced(text)) == plainly(WORDS, text)


@given(st.lists(st.builds(Term, st.sampled_from(PIECES), st.booleans(), st.booleans()), max_size=12), TEXTS)
def test_any_terms_at_all(terms: list[Term], text: str) -> None:
    assert Terms(terms).find(text, spaced(text)) == plainly(terms, text)


@given(TEXTS)
def test_presence_is_that_of_any_word(text: str) -> None:
    assert PRESENCE.in_text(text) == any(words in text for words in LONG)


def test_nothing_is_present_of_no_words() -> None:
    assert not Presence([]).in_text("exosome")
    assert Terms([]).find("exosome", spaced("exosome")) == []


@given(TEXTS)
def test_spaces_stand_where_words_end(text: str) -> None:
    made = spaced(text)
    assert len(made) == len(text) + 2
    assert all(after in (before, " ") for before, after in zip(text, made[1:-1], strict=True))


def test_words_that_overlap_are_all_found() -> None:
    found = automaton(["aba", "bab", "ab"]).find("ababa")
    assert sorted(found) == [(0, 0, 3), (0, 2, 5), (1, 1, 4), (2, 0, 2), (2, 2, 4)]


@pytest.mark.parametrize(
    ("text", "there"),
    [("לא מרפא", True), ("ולא מרפא", True), ("ללא ניתוח", False), ("לאחר", False), ("لا يعالج", True), ("علاج", False)],
)
def test_a_word_that_stands_alone_is_no_part_of_another(text: str, there: bool) -> None:
    terms = Terms([Term("לא", True, True, alone=True), Term("لا", True, True, alone=True)])
    assert bool(terms.find(text, spaced(text))) is there


def test_the_choice_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXOWATCH_SCAN", "aho")
    assert engine() == "aho"
    assert type(automaton(["exosome"])).__name__ == "_Aho"


def test_left_alone_it_is_what_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EXOWATCH_SCAN", raising=False)
    assert engine() == ("hyperscan" if importlib.util.find_spec("hyperscan") else "aho")


def test_an_unknown_choice_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXOWATCH_SCAN", "fastest")
    with pytest.raises(ValueError, match="EXOWATCH_SCAN=fastest: there is no such scanner; set it to aho or hyperscan"):
        automaton(["exosome"])


def test_what_is_not_installed_cannot_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXOWATCH_SCAN", "hyperscan")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"not installed; install exowatch\[fast\]"):
        automaton(["exosome"])
