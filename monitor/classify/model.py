"""The trained model: word vectors and heads read from `knowledge/model`, checked against their card.

Heads on one input (what the words mean, what the rules saw): is this stretch a claim, who speaks, of what category,
which sentence carries it. numpy alone; nothing in the files can run code.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.classify.second import Reads, Second, reader, unsure
from monitor.classify.signs import Stretch, matrix, signs
from monitor.classify.vectors import Floats, WordVectors
from monitor.knowledge import Knowledge, KnowledgeError

FOLDER = Path(__file__).parents[1] / "knowledge" / "model"
VECTORS, HEADS, SECOND, CARD = "vectors.npz", "heads.npz", "second.npz", "card.json"
_SURE = 30.0  # beyond this a logistic is 0 or 1
_STEEP = 80.0  # the largest exponent that single precision holds with room to spare
_WORTH_A_LOOK = 0.06  # below this by the linear head, a stretch is not likened to the landmarks


@dataclass(frozen=True)
class Readings:
    """One row a stretch. `claim`: calibrated probability; `voices` and `categories`: probabilities by column."""

    claim: Floats
    voices: Floats
    categories: Floats
    place: Floats  # which of a claim's sentences carries it: to be compared, no probability


@dataclass(frozen=True)
class Heads:
    """`landmarks`: (L, D) training stretches that decide by likeness (a support vector machine), with their `pulls`.

    `weights`: (D + 1, 2 + voices + categories), linear; the columns are claim, voices, categories, place.
    """

    centre: Floats
    stretch: float
    sign_scales: Floats
    sign_names: tuple[str, ...]
    landmarks: Floats
    pulls: Floats
    level: float
    width: float
    weights: Floats
    platt: tuple[float, float]
    voices: tuple[str, ...]
    categories: tuple[str, ...]

    def input(self, vectors: Floats, found: npt.NDArray[np.float32]) -> Floats:
        """Vectors are centred and made one length; an unknown text stays at the origin."""
        moved = np.where(np.any(vectors, axis=1, keepdims=True), vectors - self.centre, 0)
        lengths = np.linalg.norm(moved, axis=1, keepdims=True)
        words = self.stretch * moved / np.maximum(lengths, 1e-9)
        return np.hstack([words, found * self.sign_scales]).astype(np.float32)

    def linear(self, inputs: Floats) -> Floats:
        return np.asarray(inputs @ self.weights[:-1] + self.weights[-1], np.float32)

    @cached_property
    def _towards(self) -> Floats:
        return np.ascontiguousarray(2 * self.width * self.landmarks.T, np.float32)

    @cached_property
    def _pulls(self) -> Floats:
        """Each landmark's pull with its own length taken in, so that one exponential is enough."""
        return np.asarray(self.pulls * np.exp(-self.width * np.sum(self.landmarks**2, axis=1)), np.float32)

    def claim(self, inputs: Floats) -> Floats:
        """Calibrated probabilities."""
        near = inputs @ self._towards
        np.exp(np.minimum(near, _STEEP, out=near), out=near)
        margin = np.exp(-self.width * np.sum(inputs**2, axis=1)) * (near @ self._pulls) + self.level
        slope, level = self.platt
        return logistic(slope * margin + level)


class Model:
    """Reads stretches of text. Thread-safe but for the order in which words are remembered."""

    def __init__(
        self, vectors: WordVectors, heads: Heads, digest: str, second: Second | None = None, reads: Reads | None = None
    ) -> None:
        self.vectors = vectors
        self.heads = heads
        self.digest = digest
        self.second = second
        self.reads = reads

    def read(self, stretches: Sequence[Stretch]) -> Readings:
        heads = self.heads
        found = matrix((signs(one) for one in stretches), heads.sign_names)
        inputs = heads.input(self.vectors.texts([one.text for one in stretches]), found)
        logits = heads.linear(inputs)
        many = len(heads.voices)
        claim = logistic(logits[:, 0])
        likely = claim >= _WORTH_A_LOOK
        if likely.any():
            claim[likely] = heads.claim(inputs[likely])
        if self.second is not None and self.reads is not None and (asked := unsure(claim)).any():
            texts = [one.text for one, ask in zip(stretches, asked, strict=True) if ask]
            inputs2 = self.second.input(self.reads(texts), inputs[asked][:, self.vectors.size :])
            claim[asked] = self.second.joint(claim[asked], inputs2)
        voices = np.exp(logits[:, 1 : 1 + many] - logits[:, 1 : 1 + many].max(axis=1, keepdims=True))
        return Readings(
            claim=claim,
            voices=voices / voices.sum(axis=1, keepdims=True),
            categories=logistic(logits[:, 1 + many : -1]),
            place=logits[:, -1],
        )


def logistic(values: Floats) -> Floats:
    return (1 / (1 + np.exp(-np.clip(values, -_SURE, _SURE)))).astype(np.float32)


def load_model(folder: Path = FOLDER) -> Model:
    """Raises KnowledgeError when a file is missing, was changed, or does not fit its card."""
    card = _card(folder / CARD)
    heads = _arrays(folder / HEADS, card)
    try:
        made = Heads(
            centre=heads["centre"],
            stretch=float(heads["stretch"]),
            sign_scales=heads["sign_scales"],
            sign_names=tuple(card["signs"]),
            landmarks=heads["landmarks"].astype(np.float32),
            pulls=heads["pulls"],
            level=float(heads["level"]),
            width=float(heads["width"]),
            weights=heads["weights"],
            platt=(float(heads["platt"][0]), float(heads["platt"][1])),
            voices=tuple(card["voices"]),
            categories=tuple(card["categories"]),
        )
    except KeyError as flaw:
        raise KnowledgeError(f"{folder}: the model does not fit its card ({flaw}). {_AGAIN}") from flaw
    second, reads = (_second(folder, card), reader()) if SECOND in card["files"] else (None, None)
    return Model(load_vectors(folder), made, card["files"][HEADS][:16], second, reads)


def _second(folder: Path, card: dict[str, Any]) -> Second:
    held = _arrays(folder / SECOND, card)
    try:
        return Second(
            centre=held["centre"],
            directions=held["directions"],
            stretch=float(held["stretch"]),
            landmarks=held["landmarks"].astype(np.float32),
            pulls=held["pulls"],
            level=float(held["level"]),
            width=float(held["width"]),
            blend=(float(held["blend"][0]), float(held["blend"][1]), float(held["blend"][2])),
        )
    except KeyError as flaw:
        raise KnowledgeError(f"{folder}: the second opinion does not fit its card ({flaw}). {_AGAIN}") from flaw


def load_vectors(folder: Path = FOLDER) -> WordVectors:
    """The word vectors alone. Raises KnowledgeError as `load_model` does."""
    arrays = _arrays(folder / VECTORS, _card(folder / CARD))
    try:
        return WordVectors(bytes(arrays["words"]).decode().split("\n"), arrays["rows"], arrays["scales"])
    except (KeyError, ValueError) as flaw:
        raise KnowledgeError(f"{folder}: the word vectors do not fit together ({flaw}). {_AGAIN}") from flaw


_AGAIN = "Install Exowatch again, or make it with `python -m monitor.training train`."


def _card(path: Path) -> dict[str, Any]:
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as flaw:
        raise KnowledgeError(f"{path}: cannot be read ({flaw}). {_AGAIN}") from flaw
    return card


def _arrays(path: Path, card: dict[str, Any]) -> dict[str, Any]:
    try:
        held = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as flaw:
        raise KnowledgeError(f"{path}: cannot be read ({flaw}). {_AGAIN}") from flaw
    written = card.get("files", {}).get(path.name)
    if held != written:
        raise KnowledgeError(f"{path}: its sha256 is {held[:16]}…, its card says {str(written)[:16]}…. {_AGAIN}")
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def model(knowledge: Knowledge) -> Model:
    """The model of a `Knowledge`, read when first asked for."""
    made = knowledge.compiled.get("model")
    if not isinstance(made, Model):
        made = knowledge.compiled["model"] = load_model(knowledge.folder / FOLDER.name)
    return made
