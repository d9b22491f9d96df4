"""Making the encoder: what numpy reads is what PyTorch taught, and the lessons are learnt.

Runs where PyTorch is installed (the dependency group `train`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from monitor.classify.encoder import Encoder
from monitor.training.e5 import E5
from monitor.training.encode import write
from monitor.training.network import Network
from monitor.training.teaching import Lesson, teach

SIZE, INNER, LAYERS, COLUMNS = 96, 64, 2, 9
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁heal", "▁shop", "ing", "▁open", "s")
CHOSEN = np.arange(len(PIECES))


def _e5() -> E5:
    draw = np.random.default_rng(4)
    count = len(PIECES)
    packed = draw.integers(0, 256, (count, SIZE // 2)).astype(np.uint8)
    scales = np.full((count, SIZE // 32), 0.01, np.float16)
    grouped = packed.reshape(count, -1, 16)
    words = (np.concatenate([grouped & 15, grouped >> 4], axis=2).astype(np.float32) - 8) * np.float32(np.float16(0.01))
    shapes = {"fi": (INNER, SIZE), "fo": (SIZE, INNER)}
    tensors = {
        "emb.word": words.reshape(count, SIZE),
        "emb.pos": draw.normal(0, 0.1, (200, SIZE)).astype(np.float32),
        "emb.type": np.zeros(SIZE, np.float32),
        "emb.ln.w": np.ones(SIZE, np.float32),
        "emb.ln.b": np.zeros(SIZE, np.float32),
    }
    for layer in range(LAYERS):
        for part in ("q", "k", "v", "ao", "fi", "fo"):
            shape = shapes.get(part, (SIZE, SIZE))
            tensors[f"l{layer}.{part}.w"] = draw.normal(0, 0.1, shape).astype(np.float32)
            tensors[f"l{layer}.{part}.b"] = draw.normal(0, 0.1, shape[0]).astype(np.float32)
        for norm in ("aln", "oln"):
            tensors[f"l{layer}.{norm}.w"] = np.ones(SIZE, np.float32)
            tensors[f"l{layer}.{norm}.b"] = np.zeros(SIZE, np.float32)
    scores = -np.arange(count, dtype=np.float32)
    return E5(SIZE, LAYERS, 12, INNER, PIECES, scores, tensors, packed, scales)


def _lesson(*numbers: int, claim: bool) -> Lesson:
    return Lesson(numbers, float(claim), 0 if claim else 1, (float(claim),), tuple(float(claim) for _ in numbers))


def test_numpy_reads_what_pytorch_taught(tmp_path: Path) -> None:
    e5 = _e5()
    torch.manual_seed(1)
    network = Network(e5, range(LAYERS), CHOSEN, COLUMNS, 0.1)
    write(tmp_path / "encoder.npz", e5, CHOSEN, network, np.ones((len(PIECES), 4), np.float32))
    with np.load(tmp_path / "encoder.npz", allow_pickle=False) as arrays:
        encoder = Encoder(dict(arrays))
    assert np.array_equal(encoder.vectors(CHOSEN[None])[0], e5.tensors["emb.word"])
    texts = [[4, 6], [5, 7, 8, 6, 4], [4]]
    read = encoder.read(texts)
    network.eval()
    for row, numbers in enumerate(texts):
        ids = torch.tensor([[0, *numbers, 2]])
        pooled: list[torch.Tensor] = []
        network.heads.register_forward_pre_hook(lambda _, given, kept=pooled: kept.append(given[0]))
        with torch.no_grad():
            _, marks = network(ids, ids != 1)
        assert np.allclose(read.pooled[row], pooled[0][0].numpy(), atol=0.05)
        assert np.allclose(read.marks[row], marks[0, 1:-1].sigmoid().numpy(), atol=0.05)


def test_the_lessons_are_learnt() -> None:
    network = Network(_e5(), range(LAYERS), CHOSEN, 9, 0.1)
    lessons = [
        _lesson(4, 6, claim=True),
        _lesson(5, 7, claim=False),
        _lesson(4, 8, claim=True),
        _lesson(5, 8, claim=False),
    ]
    said: list[str] = []
    teach(network, lessons * 20, 7, said.append, epochs=12)
    assert len(said) == 12
    network.eval()
    with torch.no_grad():
        heads, marks = network(torch.tensor([[0, 4, 6, 2], [0, 5, 7, 2]]), torch.ones(2, 4, dtype=torch.bool))
    assert heads[0, 0] > 0 > heads[1, 0]
    assert marks[0, 1] > marks[1, 1]
