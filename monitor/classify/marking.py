"""Which pieces of a text are the claim: each piece is heard with its neighbours, near and then farther off.

What stands before a claim and what only follows it looks like the claim itself to a reader of single pieces; where a
claim begins and ends shows in what is beside it (Yu and Koltun 2016, dilated convolutions).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.classify.pieces import Floats

APART = (1, 2, 4)
"""How far off the neighbours are that each step hears."""
HEARD = 5
"""Pieces that a step hears at once: two on each side."""
_QUICK = 1.702  # x / (1 + e^-1.702x) stands for GELU (Hendrycks and Gimpel 2016)
_SURE = 30.0


class Marker:
    """Raises KeyError when an array is missing."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._taken = _part(arrays, "mark.take")
        self._steps = [(apart, *_part(arrays, f"mark.{number}")) for number, apart in enumerate(APART)]
        self._told = _part(arrays, "mark.tell")

    def __call__(self, early: Floats, last: Floats) -> Floats:
        """(pieces,): log odds. `early`, `last`: (pieces, size), what the encoder makes of them halfway and at the end.

        The marks of the text's start and end are among the pieces.
        """
        weights, shift = self._taken
        heard = _bent(np.concatenate([last, early], axis=1) @ weights + shift)
        for apart, near, level in self._steps:
            heard = heard + _bent(_beside(heard, apart) @ near + level)
        weights, shift = self._told
        return np.asarray(heard @ weights + shift, np.float32)[:, 0]


def _beside(heard: Floats, apart: int) -> Floats:
    """(pieces, HEARD × width): each piece between its neighbours; beyond the ends is silence."""
    reach = apart * (HEARD // 2)
    wide = np.pad(heard, ((reach, reach), (0, 0)))
    return np.concatenate([wide[start : start + len(heard)] for start in range(0, 2 * reach + 1, apart)], axis=1)


def _bent(values: Floats) -> Floats:
    return np.asarray(values / (1 + np.exp(np.clip(-_QUICK * values, -_SURE, _SURE))), np.float32)


def _part(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> tuple[Floats, Floats]:
    return arrays[f"{name}.w"].astype(np.float32), arrays[f"{name}.b"].astype(np.float32)
