"""Figures: precision, recall, F1 with bootstrap intervals, calibration, overlap of quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from monitor.folding import fold

Bools = npt.NDArray[np.bool_]
SEED = 7
_DRAWS = 1000
_BINS = 10
_TOKEN = re.compile(r"[\u3040-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|[^\W_]+")


def f1(right: float, wrong: float, missed: float) -> float:
    return 2 * right / max(2 * right + wrong + missed, 1e-9)


def counts(truth: Bools, said: Bools) -> dict[str, float]:
    """precision, recall, f1 and n; all rounded to four places."""
    right, wrong, missed = int((truth & said).sum()), int((~truth & said).sum()), int((truth & ~said).sum())
    return {
        "n": len(truth),
        "precision": round(right / max(right + wrong, 1), 4),
        "recall": round(right / max(right + missed, 1), 4),
        "f1": round(f1(right, wrong, missed), 4),
    }


def interval(truth: Bools, said: Bools) -> tuple[float, float]:
    """The middle 95 % of F1 over texts drawn again with replacement."""
    draw = np.random.default_rng(SEED)
    found = []
    for _ in range(_DRAWS):
        chosen = draw.integers(0, len(truth), len(truth))
        true, yes = truth[chosen], said[chosen]
        found.append(f1((true & yes).sum(), (~true & yes).sum(), (true & ~yes).sum()))
    low, high = np.percentile(found, [2.5, 97.5])
    return round(float(low), 3), round(float(high), 3)


def spread(truth: Bools, said: Bools) -> dict[str, float]:
    """`low` and `high`: the same interval from the four counts alone, for the many groups of a report.

    A draw without any claim, labelled or said, has no F1 and is left out.
    """
    right, wrong, missed = int((truth & said).sum()), int((~truth & said).sum()), int((truth & ~said).sum())
    n = len(truth)
    shares = np.array([right, wrong, missed, n - right - wrong - missed]) / n
    drawn = np.random.default_rng(SEED).multinomial(n, shares, _DRAWS)
    told = drawn[drawn[:, :3].any(axis=1)]
    low, high = np.percentile(2 * told[:, 0] / (2 * told[:, 0] + told[:, 1] + told[:, 2]), [2.5, 97.5])
    return {"low": round(float(low), 4), "high": round(float(high), 4)}


def bins(truth: Bools, sure: npt.NDArray[np.float32]) -> list[dict[str, float]]:
    """For each tenth of confidence that occurs: how many texts, the mean confidence `said`, and the share `true`."""
    tenth = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    return [
        {
            "from": one / _BINS,
            "to": (one + 1) / _BINS,
            "n": int((tenth == one).sum()),
            "said": round(float(sure[tenth == one].mean()), 4),
            "true": round(float(truth[tenth == one].mean()), 4),
        }
        for one in range(_BINS)
        if (tenth == one).any()
    ]


def calibration(truth: Bools, sure: npt.NDArray[np.float32]) -> dict[str, float]:
    """Brier score, and the expected calibration error over ten bins."""
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    error = sum(
        (bins == one).mean() * abs(float(truth[bins == one].mean()) - float(sure[bins == one].mean()))
        for one in range(_BINS)
        if (bins == one).any()
    )
    return {"brier": round(float(((sure - truth) ** 2).mean()), 4), "ece": round(float(error), 4)}


def overlap(text: str, labelled: Iterable[str], quoted: Iterable[str]) -> float:
    """F1 of the words of `text` that the labels and the quotes cover."""
    folded = fold(text).text
    tokens = [match.span() for match in _TOKEN.finditer(folded)]
    truth, said = _covered(folded, tokens, labelled), _covered(folded, tokens, quoted)
    right = len(truth & said)
    return f1(right, len(said) - right, len(truth) - right)


def _covered(folded: str, tokens: list[tuple[int, int]], quotes: Iterable[str]) -> set[int]:
    found: set[int] = set()
    for quote in quotes:
        words = fold(quote).text.strip()
        start = folded.find(words) if words else -1
        while start >= 0:
            end = start + len(words)
            found |= {number for number, (first, last) in enumerate(tokens) if start <= first and last <= end}
            start = folded.find(words, end)
    return found
