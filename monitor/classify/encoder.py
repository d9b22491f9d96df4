"""The encoder: a small multilingual transformer of ours, in numpy.

Its layers are those of multilingual-e5-small, taught anew by `python -m monitor.training build` to tell claims from
reports; see `docs/model.md`. Weights and piece vectors are 4 bits, a scale for each 32; what was learnt stands beside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.classify.pieces import END, PAD, START, Floats, Pieces

HEADS = 12
MOST_PIECES = 158
_TOKENS = 1_536  # of a batch: larger ones fall out of the processor's cache
_REMEMBERED = 2_048
_SMALL = 1e-5
_GROUP = 32
_QUICK = 1.702  # x / (1 + e^-1.702x) stands for GELU (Hendrycks and Gimpel 2016)
_SURE = 30.0
_SIZES = 128


@dataclass(frozen=True)
class Read:
    """`pooled`: (texts, 2 × size). `marks`: for each text, how likely each of its pieces is part of a claim.

    `halfway`: (texts, size), the mean after the first layers. What was given up there has `whole` false, and zeros.
    """

    pooled: Floats
    marks: tuple[Floats, ...]
    halfway: Floats
    whole: npt.NDArray[np.bool_]


GivesUp = Callable[[Floats], npt.NDArray[np.bool_]]
"""From (texts, size) of `halfway`: which texts need not be read on."""


@dataclass(frozen=True)
class Layer:
    """Weights as `(in, out)`, float32. `inner` and `outer`: the two halves of the feed-forward part."""

    attend: tuple[Floats, Floats]
    gather: tuple[Floats, Floats]
    norm: tuple[Floats, Floats]
    inner: tuple[Floats, Floats]
    outer: tuple[Floats, Floats]
    last: tuple[Floats, Floats]

    def __call__(self, states: Floats, closed: Floats) -> Floats:
        """(texts, pieces, size) → the same. `closed`: 0 where a piece is, a large negative number where none is."""
        texts, long, size = states.shape
        each = size // HEADS
        flat = states.reshape(-1, size)
        asked, keys, values = (
            (flat @ self.attend[0] + self.attend[1]).reshape(texts, long, 3, HEADS, each).transpose(2, 0, 3, 1, 4)
        )
        near = asked @ keys.transpose(0, 1, 3, 2)
        near /= np.float32(each**0.5)
        near += closed
        near -= near.max(axis=-1, keepdims=True)
        np.exp(near, out=near)
        near /= near.sum(axis=-1, keepdims=True)
        seen = (near @ values).transpose(0, 2, 1, 3).reshape(-1, size)
        flat = normed(np.asarray(flat + seen @ self.gather[0] + self.gather[1], np.float32), self.norm)
        wide = np.asarray(flat @ self.inner[0] + self.inner[1], np.float32)
        gate = wide * np.float32(-_QUICK)
        np.exp(np.clip(gate, -_SURE, _SURE, out=gate), out=gate)
        gate += 1
        wide /= gate
        flat = normed(np.asarray(flat + wide @ self.outer[0] + self.outer[1], np.float32), self.last)
        return flat.reshape(texts, long, size)


def normed(states: Floats, norm: tuple[Floats, Floats]) -> Floats:
    states = np.subtract(states, states.mean(axis=-1, keepdims=True), dtype=np.float32)
    states /= np.sqrt(np.mean(states * states, axis=-1, keepdims=True) + np.float32(_SMALL))
    states *= norm[0]
    states += norm[1]
    return states


class Encoder:
    """Raises KeyError or ValueError when the arrays do not fit together."""

    def __init__(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        texts = bytes(arrays["pieces"]).decode().split("\n")
        self.pieces = Pieces(texts, arrays["scores"].astype(np.float32))
        self._packed = arrays["words"]
        self._steps = stepped(arrays["word_scales"], arrays["word_scales.r"])
        if len(self._packed) != self.pieces.count:
            raise ValueError(f"{self.pieces.count} pieces and {len(self._packed)} vectors: these must be as many")
        self.size = int(self._packed.shape[1]) * 2
        self._places = arrays["places"].astype(np.float32)
        self._first = (arrays["norm.w"].astype(np.float32), arrays["norm.b"].astype(np.float32))
        self._arrays = arrays
        self._mark = arrays["mark.w"].astype(np.float32), np.float32(arrays["mark.b"])
        self._look = arrays["look.w"].astype(np.float32)
        self.early = int(arrays["early"])
        self._sieve = arrays["sieve"]
        self._sieve_scale = np.float32(arrays["sieve_scale"])

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        held = self._arrays
        count = sum(name.endswith(".attend.w") for name in held)
        return tuple(
            Layer(*(_pair(held, f"{number}.{part}") for part in ("attend", "gather", "norm", "inner", "outer", "last")))
            for number in range(count)
        )

    @cached_property
    def numbers(self) -> Callable[[str], tuple[list[int], list[tuple[int, int]]]]:
        """A text's pieces and their places, not to be changed. Pages of a site repeat one another: kept for a while."""
        return lru_cache(maxsize=_REMEMBERED)(lambda text: self.pieces.read(text, MOST_PIECES))

    def sift(self, numbers: Sequence[Sequence[int]]) -> Floats:
        """(texts, width): the mean of the pieces' short vectors, without order; zero for a text without pieces."""
        out = np.zeros((len(numbers), self._sieve.shape[1]), np.float32)
        full = [index for index, one in enumerate(numbers) if one]
        if full:
            lengths = np.array([len(numbers[index]) for index in full])
            flat = np.concatenate([np.asarray(numbers[index], np.int64) for index in full])
            starts = np.concatenate([[0], np.cumsum(lengths[:-1])])
            sums = np.add.reduceat(self._sieve[flat].astype(np.float32), starts, axis=0)
            out[full] = sums * (self._sieve_scale / lengths[:, None])
        return out

    def read(self, numbers: Sequence[Sequence[int]], gives_up: GivesUp | None = None) -> Read:
        """Texts by their pieces' numbers. Each is read by itself, whatever stands beside it."""
        count = len(numbers)
        pooled, halfway = np.zeros((count, 2 * self.size), np.float32), np.zeros((count, self.size), np.float32)
        marks: list[Floats] = [np.zeros(len(one), np.float32) for one in numbers]
        whole = np.ones(count, np.bool_)
        for batch in _batches(numbers):
            states, there = self._begun([numbers[index] for index in batch])
            halfway[batch] = _mean(states, there)
            if gives_up is not None:
                whole[batch] = ~gives_up(halfway[batch])
                states, there = states[whole[batch]], there[whole[batch]]
            left = [index for index in batch if whole[index]]
            if not left:
                continue
            states = self._through(self.layers[self.early :], states, there)
            pooled[left] = self._pooled(states, there)
            told = states @ self._mark[0] + self._mark[1]
            for row, index in enumerate(left):
                marks[index] = logistic(told[row, 1 : 1 + len(numbers[index])])
        return Read(pooled, tuple(marks), halfway, whole)

    def _begun(self, numbers: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
        """The states after the first layers, and which of them stand for a piece."""
        long = max(len(one) for one in numbers) + 2
        padded = np.full((len(numbers), long), PAD, np.int64)
        for row, one in enumerate(numbers):
            padded[row, : len(one) + 2] = [START, *one, END]
        there = (padded != PAD).astype(np.float32)
        states = normed(self.vectors(padded) + self._places[:long], self._first)
        return self._through(self.layers[: self.early], states, there), there

    @staticmethod
    def _through(layers: Sequence[Layer], states: Floats, there: Floats) -> Floats:
        closed = ((there - 1) * np.float32(1e9))[:, None, None, :]
        for layer in layers:
            states = layer(states, closed)
        return states

    def _pooled(self, states: Floats, there: Floats) -> Floats:
        weights = states @ self._look + (there - 1) * np.float32(1e9)
        weights = np.exp(weights - weights.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        looked = (states * weights[:, :, None]).sum(axis=1)
        return np.hstack([_mean(states, there), looked]).astype(np.float32)

    def vectors(self, numbers: npt.NDArray[np.int64]) -> Floats:
        """Piece vectors: two 4-bit numbers a byte, low half first within each group of 32."""
        packed = self._packed[numbers]
        grouped = packed.reshape(*packed.shape[:-1], -1, _GROUP // 2)
        wide = np.concatenate([grouped & 15, grouped >> 4], axis=-1).astype(np.float32) - 8
        wide *= self._steps[numbers][..., None]
        return np.asarray(wide.reshape(*numbers.shape, self.size), np.float32)


def logistic(values: Floats) -> Floats:
    return (1 / (1 + np.exp(-np.clip(values, -_SURE, _SURE)))).astype(np.float32)


def _mean(states: Floats, there: Floats) -> Floats:
    return np.asarray((states * there[:, :, None]).sum(axis=1) / there.sum(axis=1, keepdims=True), np.float32)


def _pair(held: Mapping[str, npt.NDArray[Any]], name: str) -> tuple[Floats, Floats]:
    weights = held[f"{name}.w"]
    if f"{name}.s" in held:
        weights = widened(weights, stepped(held[f"{name}.s"], held[f"{name}.s.r"]))
        weights += _thin(held, f"{name}.down").T @ _thin(held, f"{name}.up")
    return weights.astype(np.float32, copy=False), held[f"{name}.b"].astype(np.float32)


def _thin(held: Mapping[str, npt.NDArray[Any]], name: str) -> Floats:
    """One of the two thin matrices whose product is what was learnt beside E5's weights: (16, in or out)."""
    return np.asarray(held[name] * held[f"{name}.s"][:, None], np.float32)


_TWO = np.array([[one % 16 - 8, one // 16 - 8] for one in range(256)], np.float32).view(np.float64)[:, 0]
"""Both numbers of a byte, the low half first, as one value of eight bytes: one look-up for two weights."""


def widened(packed: npt.NDArray[np.uint8], steps: Floats) -> Floats:
    """`packed`: (in, out / 2), two neighbours of a row a byte. `steps`: (in / 32, out), each for 32 of its column."""
    wide = _TWO[packed].view(np.float32)
    grouped = wide.reshape(len(steps), -1, steps.shape[1])
    grouped *= steps[:, None, :]
    return wide


def stepped(codes: npt.NDArray[np.uint8], bounds: Floats) -> Floats:
    """The step that each byte stands for: one of 128 between the bounds, each the same share larger than the last;
    from 128 on the same, negative.
    """
    low, high = bounds
    sizes = low * (high / low) ** (np.arange(_SIZES, dtype=np.float32) / (_SIZES - 1))
    return np.concatenate([sizes, -sizes]).astype(np.float32)[codes]


def _batches(numbers: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Texts of like length together, so that little is padded."""
    order = sorted((index for index, one in enumerate(numbers)), key=lambda index: len(numbers[index]))
    batch: list[int] = []
    for index in order:
        if batch and (len(batch) + 1) * (len(numbers[index]) + 2) > _TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
