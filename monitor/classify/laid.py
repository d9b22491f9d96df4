"""Arrays laid out in bytes one after another, to be kept and read again without copying them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]
_EDGE = 64
"""Each begins at a multiple of so many bytes, as what multiplies them likes best."""
_LENGTH = 8


def laid_out(arrays: Iterable[tuple[str, npt.NDArray[Any]]]) -> Iterator[bytes]:
    """The arrays, then where each stands, then how long that list is. One array at a time is held."""
    index: dict[str, tuple[str, tuple[int, ...], int]] = {}
    at = 0
    for name, array in arrays:
        index[name] = (array.dtype.str, array.shape, at)
        yield array.tobytes()
        gap = -array.nbytes % _EDGE
        yield bytes(gap)
        at += array.nbytes + gap
    told = json.dumps(index).encode()
    yield told
    yield len(told).to_bytes(_LENGTH, "little")


def arrays_of(held: memoryview) -> Arrays:
    """The arrays in such bytes, not to be changed."""
    end = len(held) - _LENGTH
    index = json.loads(bytes(held[end - int.from_bytes(held[end:], "little") : end]))
    return {
        name: np.frombuffer(held, kind, count=int(np.prod(shape)), offset=at).reshape(shape)
        for name, (kind, shape, at) in index.items()
    }
