"""The encoder in float32 and numpy alone: slow, and what its run in 8 bits is measured against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from monitor.classify.encoder import normed
from monitor.classify.pieces import END, START, Floats
from monitor.classify.weights import NORMS, PARTS, Arrays, plain, stepped, vectors

HEADS = 12
_QUICK = 1.702  # x / (1 + e^-1.702x) stands for GELU (Hendrycks and Gimpel 2016)
_SURE = 30.0

Part = tuple[Floats, Floats]


def layers(held: Arrays) -> int:
    return sum(name.endswith(".attend.w") for name in held)


def begun(held: Arrays, numbers: Sequence[int]) -> Floats:
    """(pieces, size): what the first layer is given."""
    chosen = np.array([START, *numbers, END])
    steps = stepped(held["word_scales"], held["word_scales.r"])
    states = vectors(held["words"][chosen], steps[chosen]) + held["places"][: len(chosen)].astype(np.float32)
    return normed(states, (held["norm.w"], held["norm.b"]))


class Layer:
    """One layer: its parts as (weights, shift)."""

    def __init__(self, held: Arrays, number: int) -> None:
        self.parts: dict[str, Part] = {
            part: (plain(held, f"{number}.{part}"), held[f"{number}.{part}.b"]) for part in PARTS
        }
        self.parts |= {part: (held[f"{number}.{part}.w"], held[f"{number}.{part}.b"]) for part in NORMS}

    def __call__(self, states: Floats) -> tuple[dict[str, Floats], Floats]:
        """The inputs of its parts, and the states: (pieces, size) → the same."""
        given = {"attend": states}
        given["gather"] = _seen(self._times("attend", states))
        given["inner"] = normed(states + self._times("gather", given["gather"]), self.parts["norm"])
        wide = self._times("inner", given["inner"])
        given["outer"] = wide / (1 + np.exp(np.clip(-_QUICK * wide, -_SURE, _SURE)))
        return given, normed(given["inner"] + self._times("outer", given["outer"]), self.parts["last"])

    def _times(self, part: str, states: Floats) -> Floats:
        weights, shift = self.parts[part]
        return np.asarray(states @ weights + shift, np.float32)


def _seen(asked: Floats) -> Floats:
    long, size = len(asked), asked.shape[1] // 3
    query, key, value = asked.reshape(long, 3, HEADS, size // HEADS).transpose(1, 2, 0, 3)
    near = query @ key.transpose(0, 2, 1) / np.float32((size // HEADS) ** 0.5)
    near = np.exp(near - near.max(axis=-1, keepdims=True))
    near /= near.sum(axis=-1, keepdims=True)
    return np.asarray((near @ value).transpose(1, 0, 2).reshape(long, size), np.float32)
