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
from monitor.training.network import Adapted, Network, narrowed
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

    def four_bits(shape: tuple[int, int]) -> np.ndarray:
        numbers, steps = narrowed(torch.from_numpy(draw.normal(0, 0.1, shape).astype(np.float32)))
        return (numbers * steps).reshape(shape).numpy()

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
            tensors[f"l{layer}.{part}.w"] = four_bits(shape)
            tensors[f"l{layer}.{part}.b"] = draw.normal(0, 0.1, shape[0]).astype(np.float32)
        for norm in ("aln", "oln"):
            tensors[f"l{layer}.{norm}.w"] = np.ones(SIZE, np.float32)
            tensors[f"l{layer}.{norm}.b"] = np.zeros(SIZE, np.float32)
    scores = -np.arange(count, dtype=np.float32)
    return E5(SIZE, LAYERS, 12, INNER, PIECES, scores, tensors, packed, scales)


def _lesson(*numbers: int, claim: bool) -> Lesson:
    return Lesson(numbers, float(claim), 0 if claim else 1, (float(claim),), tuple(float(claim) for _ in numbers))


def _network(e5: E5) -> Network:
    torch.manual_seed(1)
    return Network(e5, range(LAYERS), CHOSEN, COLUMNS, 0.1, early=1)


def _written(path: Path, e5: E5, network: Network) -> Encoder:
    write(path, e5, CHOSEN, network, np.ones((len(PIECES), 4), np.float32))
    with np.load(path, allow_pickle=False) as arrays:
        return Encoder(dict(arrays))


def test_numpy_reads_what_pytorch_taught(tmp_path: Path) -> None:
    e5 = _e5()
    network = _network(e5)
    for part in network.modules():
        if isinstance(part, Adapted):
            torch.nn.init.normal_(part.up, std=0.05)
    encoder = _written(tmp_path / "encoder.npz", e5, network)
    assert np.allclose(encoder.vectors(CHOSEN[None])[0], e5.tensors["emb.word"], rtol=0.02)
    texts = [[4, 6], [5, 7, 8, 6, 4], [4]]
    read = encoder.read(texts)
    assert read.whole.all()
    network.eval()
    for row, numbers in enumerate(texts):
        ids = torch.tensor([[0, *numbers, 2]])
        given: dict[str, torch.Tensor] = {}
        for name, head in (("pooled", network.heads), ("halfway", network.halfway)):
            head.register_forward_pre_hook(lambda _, args, name=name, given=given: given.update({name: args[0][0]}))
        with torch.no_grad():
            told = network(ids, ids != 1)
        assert np.allclose(read.pooled[row], given["pooled"].numpy(), atol=0.05)
        assert np.allclose(read.halfway[row], given["halfway"].numpy(), atol=0.05)
        assert np.allclose(read.marks[row], told.marks[0, 1:-1].sigmoid().numpy(), atol=0.05)


def test_the_weights_that_stay_are_written_as_they_were(tmp_path: Path) -> None:
    e5 = _e5()
    encoder = _written(tmp_path / "encoder.npz", e5, _network(e5))
    for number, layer in enumerate(encoder.layers):
        assert np.allclose(layer.inner[0], e5.tensors[f"l{number}.fi.w"].T, rtol=0.025)
        assert np.allclose(layer.gather[0], e5.tensors[f"l{number}.ao.w"].T, rtol=0.025)


def test_what_is_given_up_halfway_changes_nothing_for_the_others(tmp_path: Path) -> None:
    e5 = _e5()
    encoder = _written(tmp_path / "encoder.npz", e5, _network(e5))
    texts = [[4, 6], [5, 7, 8, 6, 4], [4], [7, 7]]
    gone = np.array([False, True, False, False])
    whole = encoder.read(texts)
    least = np.array([whole.halfway[1]])
    read = encoder.read(texts, lambda halfway: np.isclose(halfway, least, atol=1e-5).all(axis=1))
    assert np.array_equal(~read.whole, gone)
    assert np.allclose(read.pooled[~gone], whole.pooled[~gone], atol=1e-4)
    assert not read.pooled[gone].any()
    assert [len(marks) for marks in read.marks] == [len(text) for text in texts]
    assert not read.marks[1].any()
    assert not encoder.read(texts, lambda halfway: np.ones(len(halfway), np.bool_)).whole.any()


def test_the_lessons_are_learnt() -> None:
    network = _network(_e5())
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
        told = network(torch.tensor([[0, 4, 6, 2], [0, 5, 7, 2]]), torch.ones(2, 4, dtype=torch.bool))
    assert told.heads[0, 0] > 0 > told.heads[1, 0]
    assert told.early[0, 0] > 0 > told.early[1, 0]
    assert told.marks[0, 1] > told.marks[1, 1]
