"""Making the encoder: what is read is what PyTorch taught, and the lessons are learnt.

Runs where PyTorch and onnx are installed (the dependency group `train`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from monitor.classify.encoder import Encoder
from monitor.classify.model import ENCODER, GRAPH
from monitor.classify.weights import plain, vectors
from monitor.training.e5 import E5
from monitor.training.encode import write
from monitor.training.network import Adapted, Network, narrowed
from monitor.training.plain import Layer, begun
from monitor.training.rounding import best, run
from monitor.training.teaching import Lesson, teach

SIZE, INNER, LAYERS, COLUMNS = 96, 64, 2, 9
PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁heal", "▁shop", "ing", "▁open", "s")
CHOSEN = np.arange(len(PIECES))
TEXTS = [[4, 6], [5, 7, 8, 6, 4], [4]]


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


def _written(folder: Path, e5: E5, network: Network) -> dict[str, np.ndarray]:
    write(folder, e5, CHOSEN, network, np.ones((len(PIECES), 4), np.float32), TEXTS)
    with np.load(folder / ENCODER, allow_pickle=False) as arrays:
        return dict(arrays)


def test_what_pytorch_taught_is_what_is_read(tmp_path: Path) -> None:
    """In plain numbers to a hundredth, by ONNX Runtime in 8 bits to a tenth of states that spread by one."""
    e5 = _e5()
    network = _network(e5)
    for part in network.modules():
        if isinstance(part, Adapted):
            torch.nn.init.normal_(part.up, std=0.05)
    arrays = _written(tmp_path, e5, network)
    encoder = Encoder(arrays, (tmp_path / GRAPH).read_bytes())
    network.eval()
    given: dict[str, torch.Tensor] = {}
    for name, head in (("pooled", network.heads), ("halfway", network.halfway)):
        head.register_forward_pre_hook(lambda _, args, name=name: given.update({name: args[0][0]}))
    for numbers in TEXTS:
        read = encoder.read(numbers)
        states = begun(arrays, numbers)
        for number in range(LAYERS):
            _, states = Layer(arrays, number)(states)
        ids = torch.tensor([[0, *numbers, 2]])
        with torch.no_grad():
            told = network(ids, ids != 1)
        assert read.whole
        assert np.allclose(states.mean(axis=0), given["pooled"].numpy()[:SIZE], atol=0.05)
        assert np.allclose(read.pooled, given["pooled"].numpy(), atol=0.1)
        assert np.allclose(read.halfway, given["halfway"].numpy(), atol=0.1)
        assert np.allclose(read.marks, told.marks[0, 1:-1].sigmoid().numpy(), atol=0.1)


def test_the_weights_that_stay_are_written_as_they_were(tmp_path: Path) -> None:
    e5 = _e5()
    arrays = _written(tmp_path, e5, _network(e5))
    assert np.allclose(
        vectors(arrays["words"], np.full((len(PIECES), SIZE // 32), 0.01)), e5.tensors["emb.word"], rtol=0.02
    )
    for number in range(LAYERS):
        assert np.allclose(plain(arrays, f"{number}.inner"), e5.tensors[f"l{number}.fi.w"].T, rtol=0.025)
        assert np.allclose(plain(arrays, f"{number}.gather"), e5.tensors[f"l{number}.ao.w"].T, rtol=0.025)


def test_a_text_that_is_given_up_is_read_halfway_alone(tmp_path: Path) -> None:
    e5 = _e5()
    encoder = Encoder(_written(tmp_path, e5, _network(e5)), (tmp_path / GRAPH).read_bytes())
    whole = encoder.read([5, 7, 8])
    seen: list[np.ndarray] = []
    read = encoder.read([5, 7, 8], lambda halfway: bool(seen.append(halfway) or True))
    assert not read.whole
    assert np.array_equal(seen[0], whole.halfway)
    assert np.array_equal(read.halfway, whole.halfway)
    assert not read.pooled.any()
    assert read.marks.tolist() == [0, 0, 0]
    kept = encoder.read([5, 7, 8], lambda halfway: False)
    assert np.array_equal(kept.pooled, whole.pooled)


def test_layers_that_the_graph_does_not_divide_are_refused(tmp_path: Path) -> None:
    e5 = _e5()
    arrays = _written(tmp_path, e5, _network(e5)) | {"early": np.asarray(3)}
    with pytest.raises(ValueError, match="2 layers, read 3 at a time"):
        Encoder(arrays, (tmp_path / GRAPH).read_bytes())


def test_inputs_of_large_reach_are_made_even() -> None:
    """One input a hundred times as far as the others: in 8 bits these would be lost."""
    draw = np.random.default_rng(2)
    inputs = [draw.normal(0, 1, (20, 64)).astype(np.float32) for _ in range(5)]
    for one in inputs:
        one[:, 7] *= 100
    weights = draw.normal(0, 0.1, (64, 32)).astype(np.float32)
    told = np.concatenate(inputs) @ weights
    even = best(inputs, weights)
    missed = [float(np.abs(run(inputs, weights, one) - told).mean()) for one in (even, np.ones(64, np.float32))]
    assert even[7] == even.min()
    assert missed[0] < missed[1] / 3


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
