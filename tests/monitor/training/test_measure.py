"""Intervals and tenths of confidence, as the report shows them."""

from __future__ import annotations

import numpy as np
import pytest

from monitor.training.measure import bins, counts, interval, spread


def test_the_quick_interval_is_that_of_drawing_texts_again() -> None:
    random = np.random.default_rng(3)
    truth = random.random(400) < 0.5
    said = np.where(random.random(400) < 0.9, truth, ~truth)
    low, high = interval(truth, said)
    found = spread(truth, said)
    assert found["low"] == pytest.approx(low, abs=0.01)
    assert found["high"] == pytest.approx(high, abs=0.01)
    assert found["low"] < counts(truth, said)["f1"] < found["high"]


def test_few_texts_leave_much_open() -> None:
    truth = np.array([True, True, False, False])
    few = spread(truth, np.array([True, False, False, False]))
    assert few["high"] - few["low"] > 0.5
    assert spread(truth, truth) == {"low": 1.0, "high": 1.0}


def test_texts_fall_into_tenths() -> None:
    truth = np.array([True, False, True, True])
    sure = np.array([0.05, 0.05, 0.95, 1.0], np.float32)
    assert bins(truth, sure) == [
        {"from": 0.0, "to": 0.1, "n": 2, "said": 0.05, "true": 0.5},
        {"from": 0.9, "to": 1.0, "n": 2, "said": 0.975, "true": 1.0},
    ]
