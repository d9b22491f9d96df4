"""The heads: what to make of what the encoder read. scikit-learn here, plain arrays in what is written.

Logistic regressions; the claim's confidence is Platt's, fitted on texts that were kept from training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitor.classify.encoder import Encoder
from monitor.classify.model import READ_FOLDED, Heads, linear
from monitor.classify.pieces import Floats
from monitor.classify.second import Reads, Second
from monitor.training.labelled import COUNTER, VOICES, Lessons, held_out

Bools = npt.NDArray[np.bool_]
Inputs = Callable[[Sequence[str]], Floats]
_BINDING = 8.0  # how much more a counter-example of a rule counts than a training text
_FIRM = 0.02  # scikit-learn's C of the heads on what the encoder read, which has seen most of these texts
_FIRM_SIFT = 1.0
_FIRM_SECOND = 10.0
_LOST = 0.005  # share of the claims that may be given up early
_UNLIKELY, _NEVER = -2.0, 99.0
_WORTH = -1.4  # log odds of a claim from which on a person is shown it
_SECOND_TEXTS = 3_000  # E5 reads thirty a second, and learns little from more


@dataclass(frozen=True)
class Trained:
    """`held`: what was kept from training, with the probabilities given to it, without and with E5."""

    heads: Heads
    held: Lessons
    sure: Floats
    second: Second | None
    sure_with_second: Floats | None


def train(made: Lessons, encoder: Encoder, reads: Reads | None) -> Trained:
    kept = [held_out(row) for row in made.sources]
    taught = made.part(number for number, one in enumerate(kept) if not one)
    held = made.part(number for number, one in enumerate(kept) if one)
    inputs, halfway, sifted = reading(encoder, taught.texts)
    held_inputs, held_halfway, _ = reading(encoder, held.texts)
    categories = tuple(sorted({name for one in made.categories for name in one}))
    weights = _heads(inputs, taught, categories)
    logits = linear(held_inputs, weights)[:, 0]
    platt = _platt(logits, np.array(held.claims))
    odds = platt[0] * logits + platt[1]
    early = np.stack([_fit(halfway, np.array(taught.claims), _FIRM), *_voices(halfway, taught, _FIRM)], axis=1)
    heads = Heads(
        weights=weights,
        sift=_sift(sifted, taught),
        early=early.astype(np.float32),
        early_below=_below(linear(held_halfway, early)[:, 0], np.array(held.claims, np.bool_) & (odds > _WORTH)),
        platt=platt,
        voices=VOICES,
        categories=categories,
    )
    second, joint = _second(taught, held, odds, reads) if reads else (None, None)
    return Trained(heads, held, _probabilities(odds), second, joint)


def reading(encoder: Encoder, texts: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    """What the heads are given of each text: by the encoder, by the encoder halfway, and at first sight."""
    numbers = [encoder.numbers(text[:READ_FOLDED])[0] for text in texts]
    pooled, halfway = (
        np.zeros((len(texts), 2 * encoder.size), np.float32),
        np.zeros((len(texts), encoder.size), np.float32),
    )
    for row, one in enumerate(numbers):
        read = encoder.read(one)
        pooled[row], halfway[row] = read.pooled, read.halfway
    return pooled, halfway, np.maximum(encoder.sift(numbers), 0)


def _below(early: Floats, claims: Bools) -> float:
    """What the early log odds must fall below to be final: very few of the claims do that would be found else."""
    if not claims.any():
        return -_NEVER
    return min(float(np.quantile(early[claims], _LOST)), _UNLIKELY)


def _heads(inputs: Floats, made: Lessons, categories: Sequence[str]) -> Floats:
    """Columns: claim, voices, categories."""
    claims = np.array(made.claims)
    binding = np.array([_BINDING if row.kind == COUNTER else 1.0 for row in made.sources], np.float32)
    columns = [_fit(inputs, claims, _FIRM, binding), *_voices(inputs, made, _FIRM)]
    for name in categories:
        has = np.array([name in one for one in made.categories])
        columns.append(_fit(inputs[claims], has[claims], _FIRM))
    return np.stack(columns, axis=1).astype(np.float32)


def _sift(sifted: Floats, made: Lessons) -> Floats:
    columns = [_fit(sifted, np.array(made.claims), _FIRM_SIFT), *_voices(sifted, made, _FIRM_SIFT)]
    return np.stack(columns, axis=1).astype(np.float32)


def _voices(inputs: Floats, made: Lessons, firm: float) -> list[Floats]:
    voices = np.array(made.voices)
    known = voices != ""
    return [_fit(inputs[known], voices[known] == voice, firm) for voice in VOICES]


def _fit(inputs: Floats, labels: Bools, firm: float, weights: Floats | None = None) -> Floats:
    """Weights and intercept of one logistic regression. A label that never occurs is never given."""
    if not labels.any() or labels.all():
        flat = np.zeros(inputs.shape[1] + 1, np.float32)
        flat[-1] = 9.0 if labels.all() else -9.0
        return flat
    from sklearn.linear_model import LogisticRegression

    made = LogisticRegression(C=firm, max_iter=2000).fit(inputs, labels, sample_weight=weights)
    return np.append(made.coef_[0], made.intercept_[0]).astype(np.float32)


def _platt(logits: Floats, labels: Bools) -> tuple[float, float]:
    if labels.all() or not labels.any():
        return 1.0, 0.0  # nothing to measure it by
    from sklearn.linear_model import LogisticRegression

    made = LogisticRegression(C=1e6).fit(logits[:, None], labels)
    return float(made.coef_[0, 0]), float(made.intercept_[0])


def _second(taught: Lessons, held: Lessons, odds: Floats, reads: Reads) -> tuple[Second, Floats]:
    """E5's own opinion, and the share it gets in the odds by what was kept from training."""
    from sklearn.linear_model import LogisticRegression

    some = taught.part(range(0, len(taught.texts), max(1, len(taught.texts) // _SECOND_TEXTS)))
    weights = _fit(reads(some.texts), np.array(some.claims), _FIRM_SECOND)
    read = reads(held.texts)
    own = linear(read, weights)
    blend = LogisticRegression(C=1e6).fit(np.stack([odds, own], axis=1), np.array(held.claims))
    share = max(0.0, float(blend.coef_[0, 1] / blend.coef_[0, 0]))
    second = Second(weights, share)
    return second, second.joint(_probabilities(odds), read)


def _probabilities(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), np.float32)
