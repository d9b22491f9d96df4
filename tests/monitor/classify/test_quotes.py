"""Which words of a sentence are quoted: whole words, whole clauses where they can be, and only what is marked."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classify.quotes import Marked, Quote, quotes

SURE, PERHAPS, NOT = 0.95, 0.15, 0.03


def _marked(text: str, *claims: str, rest: float = NOT) -> list[Marked]:
    """Each word a piece, marked where it stands in one of the claims."""
    places = [(text.index(claim), text.index(claim) + len(claim)) for claim in claims]
    found, at = [], 0
    for word in text.split(" "):
        inside = any(first <= at and at + len(word) <= last for first, last in places)
        found.append((at, at + len(word), SURE if inside else rest))
        at += len(word) + 1
    return found


def _said(text: str, marked: list[Marked]) -> list[str]:
    return [text[one.start : one.end] for one in quotes(text, 0, len(text), marked)]


def _stated(text: str, marked: list[Marked]) -> list[str]:
    return [text[one.since : one.until] for one in quotes(text, 0, len(text), marked)]


@pytest.mark.parametrize(
    ("text", "claims", "said"),
    [
        ("Exosomes treat arthritis.", ["Exosomes treat arthritis."], ["Exosomes treat arthritis"]),
        (
            "Our guests tell us over tea that the vesicles rebuild worn cartilage, and parking is free.",
            ["the vesicles rebuild worn cartilage,"],
            ["the vesicles rebuild worn cartilage"],
        ),
        (
            "Less pain in a week, served with a view of the harbour and its boats, and no more tablets.",
            ["Less pain in a week,", "no more tablets."],
            ["Less pain in a week", "and no more tablets"],
        ),
        (
            "At our house by the lake, with its garden, the drops that we brew regrow lost hair.",
            ["regrow lost hair."],
            ["regrow lost hair"],
        ),
        ("One dose holds 1,200,000 particles.", ["1,200,000 particles."], ["1,200,000 particles"]),
        ("We open at nine and close at five.", [], []),
    ],
)
def test_what_is_quoted(text: str, claims: list[str], said: list[str]) -> None:
    assert _said(text, _marked(text, *claims)) == said


def test_a_clause_is_finished_rather_than_broken_off() -> None:
    text = "Healing knees with drops, and more."
    marked = _marked(text, "Healing knees", rest=PERHAPS)
    assert _said(text, marked) == ["Healing knees with drops"]
    assert _stated(text, marked) == ["Healing knees with drops"]
    long = "Healing knees with drops that our founder found in a cave one winter, and more."
    assert _said(long, _marked(long, "Healing knees", rest=PERHAPS)) == ["Healing knees"]


def test_a_statement_is_the_clause_whatever_of_it_is_quoted() -> None:
    text = "Call us today, for the drops that we brew regrow lost hair in a month, and bring a friend."
    clause = "for the drops that we brew regrow lost hair in a month"
    for words in ("regrow lost hair", "drops that we brew regrow lost hair", "regrow lost hair in a month,"):
        assert _said(text, _marked(text, words)) == [words.rstrip(",")]
        assert _stated(text, _marked(text, words)) == [clause]


def test_pieces_of_one_word_are_quoted_together() -> None:
    text = "it regrows hair"
    marked = [(0, 2, NOT), (3, 5, 0.2), (5, 10, SURE), (11, 15, SURE)]
    (said,) = _said(text, marked)
    assert said.endswith("regrows hair")


def test_signs_of_dense_scripts_stand_alone() -> None:
    text = "当院の幹細胞上清は膝の痛みを消します"
    marked = [(at, at + 1, SURE if at >= text.index("膝") else 0.001) for at in range(len(text))]
    assert _said(text, marked) == ["膝の痛みを消します"]


def test_thai_is_written_without_blanks_too() -> None:
    text = "นัดได้ทุกวันเอ็กโซโซมรักษาข้อเข่าเสื่อม"
    start = text.index("รักษา")
    marked = [(at, at + 1, SURE if at >= start else 0.001) for at in range(len(text))]
    assert _said(text, marked) == ["รักษาข้อเข่าเสื่อม"]


def test_only_the_sentence_itself_is_quoted() -> None:
    text = "We heal. We heal too."
    marked = _marked(text, text)
    assert quotes(text, 9, len(text), marked) == [Quote(9, len(text) - 1, 9, len(text) - 1, worth=3.0)]


TEXTS = st.lists(st.text("aäß9,.;:–膝の ", min_size=1, max_size=8), min_size=1, max_size=14).map(" ".join)


@given(TEXTS, st.data())
def test_quotes_are_whole_words_in_order_and_marked(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), min_size=2)))
    pieces = [(one, two, data.draw(st.floats(0, 1))) for one, two in pairwise(cuts)]
    start, end = cuts[0], cuts[-1]
    found = quotes(text, start, end, pieces)
    assert all(one.until <= other.since for one, other in pairwise(found))
    for one in found:
        first, last = one.start, one.end
        assert start <= one.since <= first < last <= one.until <= end
        assert text[first:last] == text[first:last].strip()
        around = last + len(text[last:]) - len(text[last:].lstrip(" ,.;:–"))
        before = len(text[:first].rstrip(" ,.;:–"))  # what was trimmed off may have been the marked piece
        assert any(sure > 0.3 for begin, stop, sure in pieces if begin < around and stop > before)
        if first > start and text[first - 1] not in " ,.;:–" and text[first - 1 : first + 1].isascii():
            assert not text[first - 1].isalnum() or not text[first].isalnum()


@given(TEXTS)
def test_nothing_marked_is_nothing_quoted(text: str) -> None:
    assert quotes(text, 0, len(text), [(at, at + 1, 0.05) for at in range(len(text))]) == []
