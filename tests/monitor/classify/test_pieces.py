"""Cutting text into pieces: nothing is lost, places are true, the likeliest cut wins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.classify.pieces import UNKNOWN, Pieces

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
OWN = ["▁heal", "ing", "▁h", "eal", "s", "▁", "h", "e", "a", "l", "痛", "み", "▁膝"]
SCORES = np.array([0, 0, 0, 0, -1, -2, -4, -4, -3, -5, -6, -6, -6, -6, -3, -3, -3], np.float32)
PIECES = Pieces([*SPECIAL, *OWN], SCORES)


def _cut(text: str) -> list[str]:
    return [text[first:last] for first, last in PIECES.read(text, 1_000)[1]]


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("healing heals", ["heal", "ing", "heal", "s"]),
        ("膝痛み", ["膝", "痛", "み"]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_the_likeliest_pieces(text: str, cut: list[str]) -> None:
    assert _cut(text) == cut


def test_an_unknown_character_is_said_to_be_unknown() -> None:
    numbers, places = PIECES.read("heal☂", 10)
    assert numbers[-1] == UNKNOWN
    assert places[-1] == (4, 5)


def test_what_stands_for_no_text_is_never_found_in_one() -> None:
    assert min(PIECES.read("<s> <pad> </s> <unk>", 100)[0]) >= UNKNOWN


def test_no_more_pieces_than_asked_for() -> None:
    assert [len(part) for part in PIECES.read("heal " * 50, 7)] == [7, 7]


def test_pieces_and_scores_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="2 pieces and 1 scores"):
        Pieces(["one", "two"], np.zeros(1, np.float32))


@given(st.text(alphabet=st.one_of(st.sampled_from("heals ing痛み膝 \n"), st.characters()), max_size=200))
def test_places_follow_one_another_and_cover_every_word(text: str) -> None:
    numbers, places = PIECES.read(text, 1_000)
    assert len(numbers) == len(places)
    assert all(first <= last for first, last in places)
    assert [one for one in places if one[0] < one[1]] == sorted({one for one in places if one[0] < one[1]})
    assert "".join(text[first:last] for first, last in places) == "".join(text.split())
