"""What the inputs of the encoder's parts are multiplied by, so that 8 bits serve all of them (SmoothQuant)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from monitor.classify.pieces import Floats
from monitor.classify.weights import EVENED, Arrays, rounded
from monitor.training.plain import Layer, begun, layers

_SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # of an input's reach that is taken from it
_LEAST = 1e-2
_MOST = 255


def evened(held: Arrays, texts: Sequence[Sequence[int]]) -> dict[str, Floats]:
    """`<layer>.<part>.even`, (in,): of the shares that one by which the part comes out nearest to its plain numbers."""
    states = [begun(held, one) for one in texts]
    found: dict[str, Floats] = {}
    for number in range(layers(held)):
        layer = Layer(held, number)
        read = [layer(one) for one in states]
        for part in EVENED:
            found[f"{number}.{part}.even"] = best([given[part] for given, _ in read], layer.parts[part][0])
        states = [one for _, one in read]
    return found


def best(inputs: Sequence[Floats], weights: Floats) -> Floats:
    logs = np.log(np.maximum(np.max([np.abs(one).max(axis=0) for one in inputs], axis=0), _LEAST))
    evens = [np.exp(share * (logs.mean() - logs)).astype(np.float32) for share in _SHARES]
    plain = np.concatenate(inputs) @ weights
    return min(evens, key=lambda even: float(np.square(run(inputs, weights, even) - plain).sum()))


def run(inputs: Sequence[Floats], weights: Floats, even: Floats) -> Floats:
    """The part as ONNX Runtime runs it."""
    numbers, steps = rounded(weights / even[:, None])
    return np.asarray(np.concatenate([_narrow(one * even) for one in inputs]) @ (numbers * steps), np.float32)


def _narrow(inputs: Floats) -> Floats:
    """In 8 bits and back, with the step and the zero of `DynamicQuantizeLinear`."""
    low, high = min(float(inputs.min()), 0.0), max(float(inputs.max()), 0.0)
    step = (high - low) / _MOST or 1.0
    zero = np.round(-low / step)
    numbers: npt.NDArray[np.float32] = np.clip(np.round(inputs / step) + zero, 0, _MOST) - zero
    return np.asarray(numbers * step, np.float32)
