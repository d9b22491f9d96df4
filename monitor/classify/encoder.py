"""The encoder: a small multilingual transformer of ours, in numpy.

Its layers are the lower ones of multilingual-e5-small, taught anew by `python -m monitor.training build` to tell claims
from reports; see `docs/model.md`. Weights are int8, a scale a row; piece vectors 4 bits, a scale for each 32.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.classify.pieces import END, PAD, START, Floats, Pieces

HEADS = 12
MOST_PIECES = 158
_TOKENS = 1_536  # of a batch: larger ones fall out of the processor's cache
_SMALL = 1e-5
_GROUP = 32
_QUICK = 1.702  # x / (1 + e^-1.702x) stands for GELU (Hendrycks and Gimpel 2016)
_SURE = 30.0


@dataclass(frozen=True)
class Read:
    """`pooled`: (texts, 2 × size). `marks`: for each text, how likely each of its pieces is part of a claim."""

    pooled: Floats
    marks: tuple[Floats, ...]


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
        self._scales = arrays["word_scales"]
        if len(self._packed) != self.pieces.count:
            raise ValueError(f"{self.pieces.count} pieces and {len(self._packed)} vectors: these must be as many")
        self.size = int(self._packed.shape[1]) * 2
        self._places = arrays["places"].astype(np.float32)
        self._first = (arrays["norm.w"].astype(np.float32), arrays["norm.b"].astype(np.float32))
        self._arrays = arrays
        self._mark = arrays["mark.w"].astype(np.float32), np.float32(arrays["mark.b"])
        self._look = arrays["look.w"].astype(np.float32)
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

    def numbers(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        return self.pieces.read(text, MOST_PIECES)

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

    def read(self, numbers: Sequence[Sequence[int]]) -> Read:
        """Texts by their pieces' numbers. Each is read by itself, whatever stands beside it."""
        pooled = np.zeros((len(numbers), 2 * self.size), np.float32)
        marks: list[Floats] = [np.zeros(0, np.float32)] * len(numbers)
        for batch in _batches(numbers):
            states, there = self._states([numbers[index] for index in batch])
            pooled[batch] = self._pooled(states, there)
            told = states @ self._mark[0] + self._mark[1]
            for row, index in enumerate(batch):
                marks[index] = logistic(told[row, 1 : 1 + len(numbers[index])])
        return Read(pooled, tuple(marks))

    def _states(self, numbers: Sequence[Sequence[int]]) -> tuple[Floats, Floats]:
        long = max(len(one) for one in numbers) + 2
        padded = np.full((len(numbers), long), PAD, np.int64)
        for row, one in enumerate(numbers):
            padded[row, : len(one) + 2] = [START, *one, END]
        there = (padded != PAD).astype(np.float32)
        states = normed(self.vectors(padded) + self._places[:long], self._first)
        closed = ((there - 1) * np.float32(1e9))[:, None, None, :]
        for layer in self.layers:
            states = layer(states, closed)
        return states, there

    def _pooled(self, states: Floats, there: Floats) -> Floats:
        mean = (states * there[:, :, None]).sum(axis=1) / there.sum(axis=1, keepdims=True)
        weights = states @ self._look + (there - 1) * np.float32(1e9)
        weights = np.exp(weights - weights.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        return np.hstack([mean, (states * weights[:, :, None]).sum(axis=1)]).astype(np.float32)

    def vectors(self, numbers: npt.NDArray[np.int64]) -> Floats:
        """Piece vectors: two 4-bit numbers a byte, low half first within each group of 32."""
        packed = self._packed[numbers]
        grouped = packed.reshape(*packed.shape[:-1], -1, _GROUP // 2)
        wide = np.concatenate([grouped & 15, grouped >> 4], axis=-1).astype(np.float32) - 8
        wide *= self._scales[numbers].astype(np.float32)[..., None]
        return np.asarray(wide.reshape(*numbers.shape, self.size), np.float32)


def logistic(values: Floats) -> Floats:
    return (1 / (1 + np.exp(-np.clip(values, -_SURE, _SURE)))).astype(np.float32)


def _pair(held: Mapping[str, npt.NDArray[Any]], name: str) -> tuple[Floats, Floats]:
    weights = held[f"{name}.w"].astype(np.float32)
    if f"{name}.s" in held:
        weights = np.ascontiguousarray((weights * held[f"{name}.s"][:, None]).T)
    return weights, held[f"{name}.b"].astype(np.float32)


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
