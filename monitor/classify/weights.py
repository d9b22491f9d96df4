"""The encoder's weights: as they lie in `encoder.npz`, as plain numbers, and as they are run.

Stored are the 4 bits of E5, a scale for each 32, and beside them the two thin matrices that were learnt. They are run
in 8 bits, each column with a step of its own, their inputs in 8 bits with one step a text. On processors without VNNI
ONNX Runtime multiplies two neighbours of a column and adds the products in 16 bits, which large ones overflow (its
guide "Quantize ONNX models", U8S8; `vpmaddubsw` in its `QgemmU8X8KernelAvx2.S`). So no two neighbours make more than
128 together, and the sums are exact on every machine. Inputs of large reach would leave the others few steps: they are
made even (`even`), and their weights the other way (Xiao et al. 2022, SmoothQuant).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.classify.pieces import Floats

Arrays = Mapping[str, npt.NDArray[Any]]
PARTS = ("attend", "gather", "inner", "outer")
NORMS = ("norm", "last")
EVENED = ("attend", "inner", "outer")
"""The parts whose inputs are multiplied by `even` first."""
_GROUP = 32
_SIZES = 128
_LARGEST, _TOGETHER = 127, 127  # and one more by rounding: 255 × 128 fits
_NONE = 1e-6


def plain(held: Arrays, name: str) -> Floats:
    """The weights of a part as (in, out), float32."""
    weights = widened(held[f"{name}.w"], stepped(held[f"{name}.s"], held[f"{name}.s.r"]))
    weights += _thin(held, f"{name}.down").T @ _thin(held, f"{name}.up")
    return weights


def run(held: Arrays, number: int) -> dict[str, npt.NDArray[Any]]:
    """What the graph needs of layer `number`, by the graph's names."""
    made: dict[str, npt.NDArray[Any]] = {}
    for part in PARTS:
        name = f"{number}.{part}"
        weights = plain(held, name)
        if part in EVENED:
            made[f"{part}.even"] = stepped(held[f"{name}.even"], held[f"{name}.even.r"])
            weights /= made[f"{part}.even"][:, None]
        made[f"{part}.w"], made[f"{part}.s"] = rounded(weights)
        made[f"{part}.b"] = held[f"{name}.b"].astype(np.float32)
    for part in NORMS:
        made |= {f"{part}.{half}": held[f"{number}.{part}.{half}"].astype(np.float32) for half in "wb"}
    return made


def ready(held: Arrays) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """All that a reader needs, each layer as it is run. One layer at a time is held."""
    layers = sum(name.endswith(".attend.w") for name in held)
    yield from ((name, held[name]) for name in held if not name[0].isdigit())
    for number in range(layers):
        yield from ((f"{number}.{name}", value) for name, value in run(held, number).items())


def as_kept(arrays: Arrays, number: int) -> dict[str, npt.NDArray[Any]]:
    """What `run` gives of a layer, out of what `ready` gave."""
    of_layer = f"{number}."
    return {name.removeprefix(of_layer): value for name, value in arrays.items() if name.startswith(of_layer)}


def rounded(weights: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """In 8 bits, and the step of each column. `weights`: (in, out)."""
    sizes = np.abs(weights)
    steps = np.maximum(sizes.max(axis=0) / _LARGEST, (sizes[0::2] + sizes[1::2]).max(axis=0) / _TOGETHER)
    steps = np.maximum(steps, _NONE).astype(np.float32)
    np.divide(weights, steps, out=sizes)  # in place: each new array of this size takes as long as what is done to it
    return np.rint(sizes, out=sizes).astype(np.int8), steps


_TWO = np.array([[one % 16 - 8, one // 16 - 8] for one in range(256)], np.float32).view(np.float64)[:, 0]
"""Both numbers of a byte, the low half first, as one value of eight bytes: one look-up for two weights."""


def widened(packed: npt.NDArray[np.uint8], steps: Floats) -> Floats:
    """`packed`: (in, out / 2), two neighbours of a row a byte. `steps`: (in / 32, out), each for 32 of its column."""
    wide = _TWO[packed].view(np.float32)
    grouped = wide.reshape(len(steps), -1, steps.shape[1])
    grouped *= steps[:, None, :]
    return wide


def vectors(packed: npt.NDArray[np.uint8], steps: Floats) -> Floats:
    """Piece vectors (pieces, size): two 4-bit numbers a byte, low half first within each group of 32."""
    grouped = packed.reshape(len(packed), -1, _GROUP // 2)
    wide = np.concatenate([grouped & 15, grouped >> 4], axis=-1).astype(np.float32) - 8
    wide *= steps[..., None]
    return np.asarray(wide.reshape(len(packed), -1), np.float32)


def stepped(codes: npt.NDArray[np.uint8], bounds: Floats) -> Floats:
    """The step that each byte stands for: one of 128 between the bounds, each the same share larger than the last;
    from 128 on the same, negative.
    """
    low, high = bounds
    sizes = low * (high / low) ** (np.arange(_SIZES, dtype=np.float32) / (_SIZES - 1))
    return np.concatenate([sizes, -sizes]).astype(np.float32)[codes]


def _thin(held: Arrays, name: str) -> Floats:
    """One of the two thin matrices whose product is what was learnt beside E5's weights: (16, in or out)."""
    return np.asarray(held[name] * held[f"{name}.s"][:, None], np.float32)
