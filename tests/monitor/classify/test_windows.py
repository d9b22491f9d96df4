"""A statement of a page is read after the heading that it stands under, and its words alone can be quoted."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.classify import Query
from monitor.classify.encoder import MOST_PIECES
from monitor.classify.judge import windows_of
from monitor.classify.model import model
from monitor.classify.windows import Stretch, Window, under
from monitor.knowledge import Knowledge, load

LONG = (
    "After each visit " + "we ring you and ask how the night was and whether the knee was warm, " * 8 + "then we rest."
)
PAGE = f"""<html lang="en"><title>Penhallow Rooms</title>
<h1>Exosomes at Penhallow Rooms</h1>
<p>We open at nine.</p>
<h2>What it is for</h2>
<p>Knees, hips and shoulders that creak.</p>
<ul><li>Arthritis</li><li>{LONG}</li></ul>
<h3>{"Very " * 40}Long Heading</h3>
<table><tr><td>Drip, ninety minutes, with tea</td></tr></table>
<blockquote>I danced again.</blockquote>
</html>"""


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load()


@pytest.fixture(scope="module")
def windows(knowledge: Knowledge) -> list[Window]:
    return windows_of(Query("w", html=PAGE), knowledge)[1]


def _of(windows: list[Window], words: str) -> Stretch:
    return next(window.stretch for window in windows if words in window.stretch.text)


@pytest.mark.parametrize(
    ("words", "before"),
    [
        ("exosomes at penhallow rooms", ""),
        ("we open at nine", "exosomes at penhallow rooms | "),
        ("knees, hips and shoulders", "what it is for | "),
        ("after each visit", "knees, hips and shoulders that creak. | "),
    ],
)
def test_what_a_stretch_stands_under(windows: list[Window], words: str, before: str) -> None:
    assert _of(windows, words).under == before


def test_of_a_long_heading_the_end_is_read(windows: list[Window]) -> None:
    before = _of(windows, "i danced again").under
    assert before.endswith("very very long heading | ")
    assert len(before) == 100 + len(" | ")


def test_an_item_has_its_lead_in_its_text_and_stands_under_nothing_else(windows: list[Window]) -> None:
    item = _of(windows, "arthritis")
    assert item.text[: item.lead].strip() == "knees, hips and shoulders that creak."
    assert item.under == ""


def test_a_passage_stands_under_nothing(knowledge: Knowledge) -> None:
    (window,) = windows_of(Query("p", text="Our exosomes calm sore joints."), knowledge)[1]
    assert window.stretch.under == ""


def test_a_heading_is_read_before_its_text_and_not_marked(windows: list[Window], knowledge: Knowledge) -> None:
    reader, stretch = model(knowledge), _of(windows, "knees, hips and shoulders")
    whole = Stretch(0, 1, stretch.under + stretch.text, [], "context")
    apart, together = (reader.read([one], reader.sift([one.text]), [0]) for one in (stretch, whole))
    assert np.array_equal(apart.claim, together.claim)
    own = len(reader.encoder.numbers(stretch.text)[0])
    assert len(apart.marks[0]) == own
    assert np.array_equal(apart.marks[0], together.marks[0][-own:])


def test_what_a_heading_leaves_no_room_for_is_not_marked(knowledge: Knowledge) -> None:
    page = f"<h1>Exosomes</h1><h2>{'Sore knees ' * 9}</h2><p>{'calm sore knees ' * 43}today</p>"
    windows = windows_of(Query("w", html=page), knowledge)[1]
    reader, stretch = model(knowledge), _of(windows, "calm sore knees")
    sifted = reader.sift([stretch.text])
    assert len(sifted.numbers[0]) + len(reader.encoder.numbers(stretch.under)[0]) > MOST_PIECES
    (marks,) = reader.read([stretch], sifted, [0]).marks
    assert len(marks) == len(sifted.numbers[0])
    assert not marks[-3:].any()


def test_every_block_is_found_by_its_number(windows: list[Window], knowledge: Knowledge) -> None:
    page = windows_of(Query("w", html=PAGE), knowledge)[0].page
    for window in windows:
        if not window.stretch.lead:
            assert window.stretch.under == under(page, window.part)
