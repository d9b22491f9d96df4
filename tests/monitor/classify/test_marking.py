"""The marks of pieces: a step hears two neighbours on each side, as far off as it is meant to, and silence beyond."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.classify.marking import APART, HEARD, Marker

SIZE, WIDTH = 6, 4


def _arrays() -> dict[str, np.ndarray]:
    draw = np.random.default_rng(4)
    shapes = {"take": (2 * SIZE, WIDTH), "tell": (WIDTH, 1)}
    shapes |= {str(number): (HEARD * WIDTH, WIDTH) for number in range(len(APART))}
    held = {f"mark.{name}.w": draw.normal(0, 0.5, shape).astype(np.float16) for name, shape in shapes.items()}
    return held | {f"mark.{name}.b": draw.normal(0, 0.5, shape[1]).astype(np.float32) for name, shape in shapes.items()}


def _states(pieces: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(pieces)
    early, last = (draw.normal(0, 1, (pieces, SIZE)).astype(np.float32) for _ in range(2))
    return early, last


def _piece_by_piece(held: dict[str, np.ndarray], early: np.ndarray, last: np.ndarray) -> np.ndarray:
    def bent(values: np.ndarray) -> np.ndarray:
        return np.asarray(values / (1 + np.exp(-1.702 * values)))

    heard = [
        bent(np.append(one, two) @ held["mark.take.w"] + held["mark.take.b"])
        for two, one in zip(early, last, strict=True)
    ]
    for number, apart in enumerate(APART):
        after = []
        for at, own in enumerate(heard):
            places = [at + apart * step for step in range(-(HEARD // 2), HEARD // 2 + 1)]
            near = [heard[place] if 0 <= place < len(heard) else np.zeros(WIDTH) for place in places]
            after.append(own + bent(np.concatenate(near) @ held[f"mark.{number}.w"] + held[f"mark.{number}.b"]))
        heard = after
    return np.array([float((one @ held["mark.tell.w"] + held["mark.tell.b"])[0]) for one in heard])


@pytest.mark.parametrize("pieces", [1, 2, 3, 9, 40])
def test_each_piece_hears_its_neighbours(pieces: int) -> None:
    held, (early, last) = _arrays(), _states(pieces)
    assert np.allclose(Marker(held)(early, last), _piece_by_piece(held, early, last), atol=1e-3)


def test_what_is_farther_than_the_steps_reach_is_not_heard() -> None:
    marker, (early, last) = Marker(_arrays()), _states(60)
    reach = sum(APART) * (HEARD // 2)
    told = marker(early, last)
    last[0] += 5
    assert np.allclose(marker(early, last)[reach + 1 :], told[reach + 1 :])
    assert not np.allclose(marker(early, last)[: reach + 1], told[: reach + 1])


def test_a_missing_part_is_named() -> None:
    held = _arrays()
    del held["mark.1.w"]
    with pytest.raises(KeyError, match=r"mark\.1\.w"):
        Marker(held)
