"""Teaching the encoder the labels: is it a claim, whose voice, which category, which pieces of it are the claim."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from monitor.classify.pieces import END, PAD, START
from monitor.training.network import Network

_SORTED_WITHIN = 1_024
_PIECES_AT_ONCE = 2_048
_TEXTS_AT_ONCE = 32
_FIRM = 0.02  # how far a label stays from certainty
_WARMING = 0.06  # share of the steps in which the rate rises
_LEAST_RATE = 0.02
_VOICE, _CATEGORY, _MARK = 0.4, 1.5, 0.5  # weights of the losses beside the claim's
_RATE, _FALLING, _NEW = 1e-4, 0.9, 10.0  # of the uppermost layer; times this for each below; times this for the heads
EPOCHS = 5
SEED = 20261125


@dataclass(frozen=True)
class Lesson:
    """`voice`: its column, -1 unknown. `marks`: per piece; None where a claim's words were not told."""

    numbers: tuple[int, ...]
    claim: float
    voice: int
    categories: tuple[float, ...]
    marks: tuple[float, ...] | None


Say = Callable[[str], None]


def teach(network: Network, lessons: Sequence[Lesson], voices: int, say: Say, epochs: int = EPOCHS) -> None:
    """Adam with a rate that rises and falls. Takes minutes; the seed makes it the same on one machine."""
    random.seed(SEED)
    torch.manual_seed(SEED)
    groups = network.groups(_RATE, _FALLING, _NEW)
    adam = torch.optim.AdamW([{**group, "lr": group["rate"]} for group in groups], weight_decay=0.01)
    steps = epochs * len(list(_batches(lessons)))
    step = 0
    network.train()
    for epoch in range(epochs):
        total = 0.0
        for batch in _batches(lessons):
            share = min(1.0, (step + 1) / (_WARMING * steps)) * max(_LEAST_RATE, 1 - step / steps)
            for group in adam.param_groups:
                group["lr"] = group["rate"] * share
            numbers, there = _padded(batch)
            with torch.autocast("cpu", torch.bfloat16):
                heads, marks = network(numbers, there)
            missed = _missed(batch, heads, marks, there, voices)
            adam.zero_grad()
            missed.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            adam.step()
            step += 1
            total += missed.item()
        say(f"epoch {epoch + 1} of {epochs}: loss {total * epochs / steps:.3f}")


def _missed(batch: Sequence[Lesson], heads: Tensor, marks: Tensor, there: Tensor, voices: int) -> Tensor:
    """How far the answers are from the labels."""
    claims = torch.tensor([one.claim for one in batch])
    told = functional.binary_cross_entropy_with_logits(heads[:, 0], claims * (1 - 2 * _FIRM) + _FIRM)
    spoken = torch.tensor([one.voice for one in batch])
    if bool((spoken >= 0).any()):
        told = told + _VOICE * functional.cross_entropy(heads[:, 1 : 1 + voices], spoken, ignore_index=-1)
    if bool(claims.any()):
        named = torch.tensor([one.categories for one in batch if one.claim])
        told = told + _CATEGORY * functional.binary_cross_entropy_with_logits(heads[claims > 0, 1 + voices :], named)
    known = there & torch.tensor([one.marks is not None for one in batch])[:, None]
    if bool(known.any()):
        told = told + _MARK * functional.binary_cross_entropy_with_logits(marks[known], _marks(batch, there)[known])
    return told


def _batches(lessons: Sequence[Lesson]) -> Iterator[list[Lesson]]:
    """In another order every time, texts of like length together."""
    order = list(range(len(lessons)))
    random.shuffle(order)
    made: list[list[Lesson]] = []
    for first in range(0, len(order), _SORTED_WITHIN):
        near = sorted(order[first : first + _SORTED_WITHIN], key=lambda number: len(lessons[number].numbers))
        batch: list[Lesson] = []
        for number in near:
            long = len(lessons[number].numbers) + 2
            if batch and (len(batch) >= _TEXTS_AT_ONCE or (len(batch) + 1) * long > _PIECES_AT_ONCE):
                made.append(batch)
                batch = []
            batch.append(lessons[number])
        made.append(batch)
    random.shuffle(made)
    yield from made


def _padded(batch: Sequence[Lesson]) -> tuple[Tensor, Tensor]:
    long = max(len(one.numbers) for one in batch) + 2
    numbers = torch.full((len(batch), long), PAD)
    for row, one in enumerate(batch):
        numbers[row, : len(one.numbers) + 2] = torch.tensor([START, *one.numbers, END])
    return numbers, numbers != PAD


def _marks(batch: Sequence[Lesson], there: Tensor) -> Tensor:
    marks = torch.zeros(there.shape)
    for row, one in enumerate(batch):
        if one.marks is not None:
            marks[row, 1 : 1 + len(one.marks)] = torch.tensor(one.marks)
    return marks
