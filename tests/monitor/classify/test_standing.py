"""Where a stretch of a page stands speaks for or against its being a claim."""

from __future__ import annotations

from math import log

import pytest

from monitor.classify import Query
from monitor.classify.judge import windows_of
from monitor.classify.standing import product_share, standing
from monitor.classify.windows import Window
from monitor.knowledge import Knowledge, load
from monitor.knowledge.shapes import Standing

PAGE = """<html lang="en"><title>Skin and scalp | Penhallow Rooms</title>
<h1>Penhallow Rooms</h1>
<p>Our exosomes are kept in the fridge behind the desk.</p>
<p>They calm arthritis within a month.</p>
<p>The tram is yellow and seldom late.</p>
<p>We are closed on the first Monday of a month.</p>
<p>Worn joints and arthritis have kept us busy since the spring.</p>
<h2>Worn joints</h2>
<p>Some people had redness, swelling and an infection after a treatment elsewhere.</p></html>"""
WEIGHTS = Standing(
    base=-1.0,
    wording=1.0,
    rule=1.0,
    near={"sentence": 0.0, "block": 0.0, "heading": -0.1, "neighbour": -0.2, "title": -0.4, "page": -0.8},
    telling_word=2.0,
    heading=-4.0,
    product_share=8.0,
    flag=0.5,
    review=0.1,
    speaks=1.0,
    alone=2.0,
    spoken=1.0,
)


@pytest.fixture(scope="module")
def windows() -> list[Window]:
    return windows_of(Query("a", html=PAGE), load())[1]


def _of(windows: list[Window], words: str) -> float:
    (found,) = (window for window in windows if words in window.stretch.text)
    return round(standing(found, 0.0, WEIGHTS), 3)


@pytest.mark.parametrize(
    ("words", "weight"),
    [
        ("the tram is yellow", -1.8),
        ("closed on the first", -1.8),
        ("they calm arthritis", -1.0 - 0.2 + 2.0),
        ("arthritis have kept us busy", -1.0 - 0.8 + 2.0),
        ("redness, swelling", -1.0 - 0.8 + 2.0),
    ],
)
def test_each_sign_adds_its_weight(windows: list[Window], words: str, weight: float) -> None:
    assert _of(windows, words) == pytest.approx(weight)


def test_a_heading_is_told_from_its_text(windows: list[Window]) -> None:
    (heading,) = (window for window in windows if window.part.block.kind == "heading" and "worn" in window.stretch.text)
    assert standing(heading, 0.0, WEIGHTS) == pytest.approx(-1.0 - 0.8 + 2.0 - 4.0)


def test_a_page_about_the_product_counts_for_more_than_one_about_many(windows: list[Window]) -> None:
    assert standing(windows[0], 0.5, WEIGHTS) - standing(windows[0], 0.0, WEIGHTS) == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("blocks", "share"),
    [
        (["Our exosomes come from cords."], log(2)),
        (["Our exosomes come from cords.", "We spin your PRP at once."], 0.0),
        (["Our exosomes come from cords.", "Exosomes beat PRP."], log(3)),
        (["Our exosomes come from cords.", "PRP for hair.", "PRP for knees.", "The tram stops here."], log(2 / 3)),
    ],
)
def test_the_share_of_the_product_counts_blocks(blocks: list[str], share: float) -> None:
    html = "".join(f"<p>{block}</p>" for block in blocks)
    assert product_share(windows_of(Query("a", html=html), load())[0].page) == pytest.approx(share)


def test_each_place_needs_a_weight() -> None:
    with pytest.raises(ValueError, match="give a weight for each of block, heading, neighbour, page, sentence, title"):
        Standing.model_validate(WEIGHTS.model_dump() | {"near": {"page": -1.0}})


def test_the_shipped_weights_are_read() -> None:
    knowledge: Knowledge = load()
    weights = knowledge.scoring.fusion.on_a_page
    assert weights.near["block"] > weights.near["neighbour"]
    assert weights.telling_word > 0 > weights.heading
