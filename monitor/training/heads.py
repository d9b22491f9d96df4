"""The heads: what to make of word vectors and signs. scikit-learn here, plain arrays in what is written.

The claim head is a support vector machine with a Gaussian kernel, its confidence Platt's, fitted on folds that were
not trained on; the other heads are logistic regressions on the same input.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.classify.model import Heads, logistic
from monitor.classify.second import Reads, Second, unsure
from monitor.classify.signs import matrix, signs
from monitor.classify.vectors import Floats, WordVectors
from monitor.classify.windows import Window
from monitor.training.labelled import COUNTER, VOICES, Lessons

SEED = 20261125
FOLDS = 5
_WORDS = 3.0  # how much the words weigh against the signs
_SIGNS = 0.7
_WIDTH = 0.08
_SHORT = 128  # of the directions in which E5 reads
_COST = 3.0  # of a lesson on the wrong side
_BINDING = 4.0  # how much more a counter-example of a rule counts than a training text
_FIRM = 0.5  # scikit-learn's C of the linear heads
_FIRM_RARE = 0.1  # of those with few examples

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trained:
    """`folds`: the claim probability of each lesson by a model that had not seen its fold."""

    heads: Heads
    folds: Floats
    second: Second | None
    second_folds: Floats | None


def train(made: Lessons, vectors: WordVectors, reads: Reads | None) -> Trained:
    found = [signs(window.stretch) for window in made.windows]
    names = tuple(sorted({name for one in found for name in one}))
    read = vectors.texts([window.stretch.text for window in made.windows])
    heads = _empty(read, names, made)
    inputs = heads.input(read, matrix(found, names))
    claims = np.array(made.claims)
    weights = np.array([_BINDING if source.kind == COUNTER else 1.0 for source in made.sources], np.float32)
    folds = np.zeros(len(claims), np.float32)
    for taught, held in grouped(made.groups, [source.id for source in made.sources]):
        folds[held] = _machine(inputs[taught], claims[taught], weights[taught]).decision_function(inputs[held])
    platt = _platt(folds, claims)
    first = logistic(platt[0] * folds + platt[1])
    second, second_folds = (
        _second(made, inputs[:, read.shape[1] :], claims, weights, first, reads) if reads else (None, None)
    )
    machine = _machine(inputs, claims, weights)
    heads = replace(
        heads,
        landmarks=machine.support_vectors_.astype(np.float16).astype(np.float32),
        pulls=machine.dual_coef_[0].astype(np.float32),
        level=float(machine.intercept_[0]),
        weights=_linear(heads, inputs, made, vectors),
        platt=platt,
    )
    return Trained(heads, first, second, second_folds)


def _second(
    made: Lessons, found: Floats, claims: Bools, weights: Floats, first: Floats, reads: Reads
) -> tuple[Second, Floats]:
    """The second opinion, blended with the first by a regression on held-out folds."""
    from sklearn.linear_model import LogisticRegression

    read = reads([window.stretch.text for window in made.windows])
    centre = read.mean(axis=0)
    _, directions = np.linalg.eigh((read - centre).T @ (read - centre))
    empty = Second(centre, directions[:, ::-1][:, :_SHORT].copy(), _WORDS, found[:0], first[:0], 0.0, _WIDTH, (0, 0, 0))
    inputs = empty.input(read, found)
    folds = np.zeros(len(claims), np.float32)
    for taught, held in grouped(made.groups, [source.id for source in made.sources]):
        folds[held] = _machine(inputs[taught], claims[taught], weights[taught]).decision_function(inputs[held])
    clipped = np.clip(first, 1e-5, 1 - 1e-5)
    both = np.stack([np.log(clipped / (1 - clipped)), folds], axis=1)
    blend = LogisticRegression(C=1e6).fit(both, claims)
    machine = _machine(inputs, claims, weights)
    second = replace(
        empty,
        landmarks=machine.support_vectors_.astype(np.float16).astype(np.float32),
        pulls=machine.dual_coef_[0].astype(np.float32),
        level=float(machine.intercept_[0]),
        blend=(float(blend.coef_[0, 0]), float(blend.coef_[0, 1]), float(blend.intercept_[0])),
    )
    joint = blend.predict_proba(both)[:, 1].astype(np.float32)
    return second, np.where(unsure(first), joint, first)


def _empty(read: Floats, names: tuple[str, ...], made: Lessons) -> Heads:
    categories = tuple(sorted({name for one in made.categories for name in one} - {"cosmetic_appearance"}))
    return Heads(
        centre=read.mean(axis=0),
        stretch=_WORDS,
        sign_scales=np.full(len(names), _SIGNS, np.float32),
        sign_names=names,
        landmarks=np.zeros((0, read.shape[1] + len(names)), np.float32),
        pulls=np.zeros(0, np.float32),
        level=0.0,
        width=_WIDTH,
        weights=np.zeros((0, 0), np.float32),
        platt=(1.0, 0.0),
        voices=VOICES,
        categories=categories,
    )


def _machine(inputs: Floats, claims: Bools, weights: Floats) -> Any:
    from sklearn.svm import SVC

    return SVC(C=_COST, gamma=_WIDTH, cache_size=500).fit(inputs, claims, sample_weight=weights)


def grouped(groups: Sequence[str], ids: Sequence[str]) -> list[tuple[npt.NDArray[np.int_], npt.NDArray[np.int_]]]:
    """Folds that hold every kind and language in like shares, with a text's windows together."""
    from sklearn.model_selection import StratifiedGroupKFold

    split = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # small groups cannot be in every fold
        return [(taught, held) for taught, held in split.split(np.zeros(len(groups)), list(groups), list(ids))]


def _fit(inputs: Floats, labels: npt.NDArray[np.bool_], firm: float) -> Floats:
    """Weights and intercept of one logistic regression. A label that never occurs is never given."""
    if not labels.any() or labels.all():
        flat = np.zeros(inputs.shape[1] + 1, np.float32)
        flat[-1] = 9.0 if labels.all() else -9.0
        return flat
    from sklearn.linear_model import LogisticRegression

    made = LogisticRegression(C=firm, max_iter=2000).fit(inputs, labels)
    return np.append(made.coef_[0], made.intercept_[0]).astype(np.float32)


def _platt(logits: Floats, labels: Bools) -> tuple[float, float]:
    from sklearn.linear_model import LogisticRegression

    made = LogisticRegression(C=1e6).fit(logits[:, None], labels)
    return float(made.coef_[0, 0]), float(made.intercept_[0])


def _linear(heads: Heads, inputs: Floats, made: Lessons, vectors: WordVectors) -> Floats:
    """Columns: claim, voices, categories, place."""
    claims = np.array(made.claims)
    columns = [_fit(inputs, claims, _FIRM)]
    voices = np.array(made.voices)
    columns += [_fit(inputs[voices != ""], voices[voices != ""] == voice, _FIRM) for voice in heads.voices]
    for name in heads.categories:
        has = np.array([name in one for one in made.categories])
        columns.append(_fit(inputs[claims], has[claims], _FIRM))
    columns.append(_place(heads, made.sentences, made.places, vectors))
    return np.stack(columns, axis=1).astype(np.float32)


def _place(heads: Heads, sentences: Sequence[Window], places: Sequence[bool], vectors: WordVectors) -> Floats:
    """Which sentence of a claim carries it."""
    found = matrix((signs(one.stretch) for one in sentences), heads.sign_names)
    inputs = heads.input(vectors.texts([one.stretch.text for one in sentences]), found)
    return _fit(inputs, np.array(places), _FIRM_RARE)
