"""The trained model: encoder and heads read from `knowledge/model`, checked against their card.

Two readings: `sift` takes in every stretch at once and tells which are worth reading; `read` reads them: is this a
claim, who speaks, of what category, and which of its words are the claim. Nothing in the files can run code.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monitor import kept
from monitor.classify import laid, weights
from monitor.classify.encoder import MOST_PIECES, Encoder, logistic
from monitor.classify.pieces import Floats
from monitor.classify.second import Reads, Second, reader, unsure
from monitor.classify.weights import Arrays
from monitor.classify.windows import Stretch
from monitor.knowledge import Knowledge, KnowledgeError

FOLDER = Path(__file__).parents[1] / "knowledge" / "model"
ENCODER, GRAPH, HEADS, SECOND, CARD = "encoder.npz", "encoder.onnx", "heads.npz", "second.npz", "card.json"
SELLING_VOICES = ("seller", "patient")
_REMEMBERED = 20_000  # readings, a few hundred bytes each
_SURE = 30.0
READ_FOLDED = 1_500  # characters of a stretch that are looked at: more than the encoder's pieces


@dataclass(frozen=True)
class Sifted:
    """One row a stretch. `claim`: how likely at first sight; `voices`: probabilities by column."""

    claim: Floats
    voices: Floats
    numbers: tuple[list[int], ...]
    places: tuple[list[tuple[int, int]], ...]


@dataclass(frozen=True)
class Readings:
    """One row a stretch. `claim`: calibrated probability; `voices` and `categories`: probabilities by column.

    `marks`: for each piece of the text (`Sifted.places`), how likely it is part of the claim.
    """

    claim: Floats
    voices: Floats
    categories: Floats
    marks: tuple[Floats, ...]


@dataclass(frozen=True)
class Heads:
    """`weights`: (D + 1, 1 + voices + categories), on what the encoder reads; `sift`: (S + 1, 1 + voices).

    `early`: (D / 2 + 1, 1 + voices), on what it has read halfway; a claim's log odds below `early_below` are final.
    """

    weights: Floats
    sift: Floats
    early: Floats
    early_below: float
    platt: tuple[float, float]
    voices: tuple[str, ...]
    categories: tuple[str, ...]


class Model:
    """Reads stretches of text. Safe in threads: what they remember in common is only added to, or emptied."""

    def __init__(
        self, encoder: Encoder, heads: Heads, digest: str, second: Second | None = None, reads: Reads | None = None
    ) -> None:
        self.encoder = encoder
        self.heads = heads
        self.digest = digest
        self.second = second
        self.reads = reads
        self._lately: dict[tuple[int, ...], tuple[Floats, Floats]] = {}

    def sift(self, texts: Sequence[str]) -> Sifted:
        looked = [text[:READ_FOLDED] for text in texts]
        read = [self.encoder.numbers(text) for text in looked]
        seen = np.stack([self.encoder.glance(text) for text in looked]) if looked else self.encoder.sift([])
        logits = linear(np.maximum(seen, 0), self.heads.sift)
        numbers, places = tuple(one for one, _ in read), tuple(places for _, places in read)
        return Sifted(logistic(logits[:, 0]), _shares(logits[:, 1:]), numbers, places)

    def read(self, stretches: Sequence[Stretch], sifted: Sifted, chosen: Sequence[int]) -> Readings:
        """The chosen stretches, by their place in `stretches` and `sifted`, each after what it stands under."""
        heads = [self._numbers(stretches[index].under) for index in chosen]
        texts = [_joined(head, sifted.numbers[index]) for head, index in zip(heads, chosen, strict=True)]
        logits, read = self._read(texts)
        marks = tuple(
            _padded(one[len(head) :], len(sifted.numbers[index]))
            for one, head, index in zip(read, heads, chosen, strict=True)
        )
        many = 1 + len(self.heads.voices)
        slope, level = self.heads.platt
        claim = logistic(slope * logits[:, 0] + level)
        if self.second is not None and self.reads is not None and (asked := unsure(claim)).any():
            doubtful = [stretches[index] for index, ask in zip(chosen, asked, strict=True) if ask]
            claim[asked] = self.second.joint(claim[asked], self.reads([one.under + one.text for one in doubtful]))
        return Readings(claim, _shares(logits[:, 1:many]), logistic(logits[:, many:]), marks)

    def voices(self, texts: Sequence[tuple[str, str]]) -> Floats:
        """(texts, voices): who speaks in each, given with what it stands under."""
        logits, _ = self._read([_joined(self._numbers(under), self._numbers(text)) for under, text in texts])
        return _shares(logits[:, 1 : 1 + len(self.heads.voices)])

    def selling(self, voices: Floats) -> Floats:
        """(texts,): how much of each is a seller's voice, or a patient's whom it quotes."""
        columns = [number for number, voice in enumerate(self.heads.voices) if voice in SELLING_VOICES]
        return np.asarray(voices[:, columns].sum(axis=1), np.float32)

    def _numbers(self, text: str) -> list[int]:
        return self.encoder.numbers(text[:READ_FOLDED])[0] if text else []

    def _read(self, texts: Sequence[tuple[int, ...]]) -> tuple[Floats, tuple[Floats, ...]]:
        """Logits and marks. Pages of a site repeat one another: what was read lately is not read again."""
        known = {text: self._lately[text] for text in texts if text in self._lately}
        fresh = {text: self._fresh(text) for text in dict.fromkeys(texts) if text not in known}
        if len(self._lately) > _REMEMBERED:
            self._lately.clear()
        self._lately.update(fresh)
        known |= fresh
        empty = np.zeros((0, self.heads.weights.shape[1]), np.float32)
        return np.stack([known[text][0] for text in texts]) if texts else empty, tuple(known[text][1] for text in texts)

    def _fresh(self, text: tuple[int, ...]) -> tuple[Floats, Floats]:
        """Logits and marks. Of a text that was given up: what the encoder made of it halfway, and no category."""
        found = self.encoder.read(text, self.gives_up)
        if found.whole:
            return linear(found.pooled, self.heads.weights), found.marks
        early = linear(found.halfway, self.heads.early)
        slope, level = self.heads.platt
        early[0] = (early[0] - level) / slope
        logits = np.full(self.heads.weights.shape[1], -_SURE, np.float32)
        logits[: len(early)] = early
        return logits, found.marks

    def gives_up(self, halfway: Floats) -> bool:
        """From (size,) of what was read halfway: whether it is clearly no claim."""
        return bool(linear(halfway, self.heads.early)[0] < self.heads.early_below)


def _joined(head: list[int], own: list[int]) -> tuple[int, ...]:
    """Pieces are cut word by word: those of two texts are those of the two together."""
    return (*head, *own)[:MOST_PIECES]


def _padded(marks: Floats, long: int) -> Floats:
    """What was cut off its end for the sake of its heading is no part of a claim."""
    return np.append(marks, np.zeros(long - len(marks), np.float32)) if len(marks) < long else marks


def linear(inputs: Floats, weights: Floats) -> Floats:
    return np.asarray(inputs @ weights[:-1] + weights[-1], np.float32)


def _shares(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), np.float32)


def load_model(folder: Path = FOLDER) -> Model:
    """Raises KnowledgeError when a file is missing, was changed, or does not fit its card."""
    card = _card(folder / CARD)
    held = _arrays(folder / HEADS, card)
    try:
        heads = Heads(
            weights=held["weights"],
            sift=held["sift"],
            early=held["early"],
            early_below=float(held["early_below"]),
            platt=(float(held["platt"][0]), float(held["platt"][1])),
            voices=tuple(card["voices"]),
            categories=tuple(card["categories"]),
        )
        if heads.weights.shape[1] != 1 + len(heads.voices) + len(heads.categories):
            raise ValueError(f"heads of {heads.weights.shape[1]} columns")
    except (KeyError, ValueError) as flaw:
        raise KnowledgeError(f"{folder}: the model does not fit its card ({flaw}). {_AGAIN}") from flaw
    second, reads = (_second(folder, card), reader()) if SECOND in card["files"] else (None, None)
    return Model(load_encoder(folder), heads, card["files"][HEADS][:16], second, reads)


def load_encoder(folder: Path = FOLDER) -> Encoder:
    """The encoder alone. Raises KnowledgeError as `load_model` does."""
    card = _card(folder / CARD)
    graph, digest = _held(folder / GRAPH, card), _digest(folder / ENCODER, card)
    rests_on = (digest, kept.code_of(laid.__file__, weights.__file__), np.__version__)

    def ready() -> Iterator[bytes]:
        return laid.laid_out(weights.ready(_arrays(folder / ENCODER, card)))

    try:
        found = kept.kept("encoder", rests_on, ready)
        if found is None:
            return Encoder(_arrays(folder / ENCODER, card), graph)
        return _encoder_of(found, graph)
    except (KeyError, ValueError) as flaw:
        raise KnowledgeError(f"{folder}: the encoder does not fit together ({flaw}). {_AGAIN}") from flaw


def _encoder_of(found: memoryview, graph: bytes) -> Encoder:
    arrays = laid.arrays_of(found)

    def layer(number: int) -> weights.Arrays:
        kept.release(found)  # the layers before this one are held by the runtime, in its own order
        return weights.as_kept(arrays, number)

    return Encoder(arrays, graph, layer)


def _second(folder: Path, card: dict[str, Any]) -> Second:
    held = _arrays(folder / SECOND, card)
    try:
        return Second(weights=held["weights"], share=float(held["share"]))
    except KeyError as flaw:
        raise KnowledgeError(f"{folder}: the second opinion does not fit its card ({flaw}). {_AGAIN}") from flaw


_AGAIN = "Install Exowatch again, or make it with `python -m monitor.training build`."


def _card(path: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as flaw:
        raise KnowledgeError(f"{path}: cannot be read ({flaw}). {_AGAIN}") from flaw
    return card


def _held(path: Path, card: dict[str, Any]) -> bytes:
    try:
        held = path.read_bytes()
    except OSError as flaw:
        raise KnowledgeError(f"{path}: cannot be read ({flaw}). {_AGAIN}") from flaw
    _check(path, hashlib.sha256(held).hexdigest(), card)
    return held


def _digest(path: Path, card: dict[str, Any]) -> str:
    """A file's digest, which is that of the card; the file is not held in memory."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as flaw:
        raise KnowledgeError(f"{path}: cannot be read ({flaw}). {_AGAIN}") from flaw
    _check(path, digest, card)
    return digest


def _check(path: Path, digest: str, card: dict[str, Any]) -> None:
    written = card.get("files", {}).get(path.name)
    if digest != written:
        raise KnowledgeError(f"{path}: its sha256 is {digest[:16]}…, its card says {str(written)[:16]}…. {_AGAIN}")


def _arrays(path: Path, card: dict[str, Any]) -> Arrays:
    """Each is unpacked when it is asked for, from what was checked."""
    arrays: Arrays = np.load(io.BytesIO(_held(path, card)), allow_pickle=False)
    return arrays


def model(knowledge: Knowledge) -> Model:
    """The model of a `Knowledge`, read when first asked for."""
    made = knowledge.compiled.get("model")
    if not isinstance(made, Model):
        made = knowledge.compiled["model"] = load_model(knowledge.folder / FOLDER.name)
    return made
