"""The encoder: a small multilingual transformer of ours, run by ONNX Runtime.

Its layers are those of multilingual-e5-small, taught anew by `python -m monitor.training build` to tell claims from
reports; see `docs/model.md`. The graph is a small file without weights: as many layers as are read before the encoder
may give a text up. It is loaded for the first layers, and again with the weights of the next.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.classify import weights
from monitor.classify.marking import Marker
from monitor.classify.pieces import END, START, Floats, Pieces

MOST_PIECES = 158
_REMEMBERED = 2_048
_SMALL = 1e-5
_SURE = 30.0


@dataclass(frozen=True)
class Read:
    """Of one text. `pooled`: (2 × size,). `marks`: for each piece, how likely it is part of a claim.

    `halfway`: (size,), the mean after the first layers. What was given up there has `whole` false, and zeros.
    """

    pooled: Floats
    marks: Floats
    halfway: Floats
    whole: bool


GivesUp = Callable[[Floats], bool]
"""From `halfway`: whether the text need not be read on."""
Run = Callable[[Floats], Floats]
"""(1, pieces, size) → the same, some layers on."""
Layer = Callable[[int], Mapping[str, npt.NDArray[Any]]]
"""From a layer's number: what the graph needs of it, by the graph's names."""


class Encoder:
    """Raises KeyError or ValueError when the arrays do not fit together. Safe in threads.

    `layer`: left out, the layers are worked out from `arrays`.
    """

    def __init__(self, arrays: weights.Arrays, graph: bytes, layer: Layer | None = None) -> None:
        texts = bytes(arrays["pieces"]).decode().split("\n")
        self.pieces = Pieces(texts, arrays["scores"].astype(np.float32))
        self._packed = arrays["words"]
        self._steps = arrays["word_scales"], arrays["word_scales.r"]
        if len(self._packed) != self.pieces.count:
            raise ValueError(f"{self.pieces.count} pieces and {len(self._packed)} vectors: these must be as many")
        self.size = int(self._packed.shape[1]) * 2
        self._places = arrays["places"].astype(np.float32)
        self._first = arrays["norm.w"].astype(np.float32), arrays["norm.b"].astype(np.float32)
        self._mark = Marker(arrays)
        self._look = arrays["look.w"].astype(np.float32)
        self._sieve = arrays["sieve"]
        self._sieve_scale = np.float32(arrays["sieve_scale"])
        self._early, self._layers = int(arrays["early"]), sum(name.endswith(".attend.w") for name in arrays)
        if self._layers % self._early:
            raise ValueError(f"{self._layers} layers, read {self._early} at a time: the last would be too few")
        self._layer: Layer | None = layer or partial(weights.run, arrays)
        self._graph = graph
        self._stages: tuple[Run, ...] = ()
        self._making = Lock()

    @cached_property
    def numbers(self) -> Callable[[str], tuple[list[int], list[tuple[int, int]]]]:
        """A text's pieces and their places, not to be changed. Pages of a site repeat one another: kept for a while."""
        return lru_cache(maxsize=_REMEMBERED)(lambda text: self.pieces.read(text, MOST_PIECES))

    @cached_property
    def glance(self) -> Callable[[str], Floats]:
        """What `sift` makes of a text, (width,). Kept for a while, as its numbers are."""
        return lru_cache(maxsize=_REMEMBERED)(lambda text: self.sift([self.numbers(text)[0]])[0])

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

    def read(self, numbers: Sequence[int], gives_up: GivesUp | None = None) -> Read:
        """A text by its pieces' numbers. Texts are read one by one, so that none depends on what stands beside it."""
        first, *rest = self._stages or self._made()
        early = states = first(self._begun(numbers))
        halfway = early[0].mean(axis=0)
        if gives_up is not None and gives_up(halfway):
            return Read(np.zeros(2 * self.size, np.float32), np.zeros(len(numbers), np.float32), halfway, whole=False)
        for stage in rest:
            states = stage(states)
        marks = logistic(self._mark(early[0], states[0])[1:-1])
        return Read(self._pooled(states[0]), marks, halfway, whole=True)

    def _made(self) -> tuple[Run, ...]:
        """The graph with the weights of its layers; the stored ones are not needed any more."""
        with self._making:
            if self._layer is not None:
                starts = range(0, self._layers, self._early)
                self._stages = tuple(stage(self._graph, self._layer, start, self._early) for start in starts)
                self._layer = None
        return self._stages

    def _begun(self, numbers: Sequence[int]) -> Floats:
        """(1, pieces, size): what the first layer is given."""
        chosen = np.array([START, *numbers, END])
        codes, bounds = self._steps
        steps = weights.stepped(codes[chosen], bounds)
        states = weights.vectors(self._packed[chosen], steps) + self._places[: len(chosen)]
        return normed(states, self._first)[None]

    def _pooled(self, states: Floats) -> Floats:
        looked = states @ self._look
        looked = np.exp(looked - looked.max())
        looked /= looked.sum()
        return np.concatenate([states.mean(axis=0), looked @ states]).astype(np.float32)


def stage(graph: bytes, layer: Layer, start: int, many: int) -> Run:
    """The graph with the weights of `many` layers from `start` on."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else it reports each session to its maker; read once, when it is loaded
    import onnxruntime as ort  # late: what never reads a text does without

    held = {f"{place}.{name}": one for place in range(many) for name, one in layer(start + place).items()}
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC  # the graph is as it should be run
    options.enable_cpu_mem_arena = False  # it would keep what the longest text needed
    options.add_external_initializers(list(held), [ort.OrtValue.ortvalue_from_numpy(one) for one in held.values()])
    session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def read(states: Floats) -> Floats:
        (out,) = session.run(None, {"states": states})
        return np.asarray(out, np.float32)

    return read


def normed(states: Floats, norm: tuple[Floats, Floats]) -> Floats:
    states = np.subtract(states, states.mean(axis=-1, keepdims=True), dtype=np.float32)
    states /= np.sqrt(np.mean(states * states, axis=-1, keepdims=True) + np.float32(_SMALL))
    states *= norm[0]
    states += norm[1]
    return states


def logistic(values: Floats) -> Floats:
    return (1 / (1 + np.exp(-np.clip(values, -_SURE, _SURE)))).astype(np.float32)
