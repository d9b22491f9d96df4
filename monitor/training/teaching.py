"""Teaching the encoder the labels: is it a claim, whose voice, which category, which pieces of it are the claim."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from monitor.classify.pieces import END, PAD, START, UNKNOWN
from monitor.training.network import Network, Told

_SORTED_WITHIN = 1_024
_PIECES_AT_ONCE = 2_048
_TEXTS_AT_ONCE = 32
_FIRM = 0.02  # how far a label stays from certainty
_WARMING = 0.06  # share of the steps in which the rate rises
_LEAST_RATE = 0.02
_VOICE, _CATEGORY, _MARK, _EARLY = 0.4, 1.5, 1.0, 0.3  # weights of the losses beside the claim's
_RATE, _THIN, _NEW = 1e-4, 6.0, 6.0  # of norms and the like; times this for the thin matrices; for the new heads
_BLANKED_TEXTS, _BLANKED_PIECES, _SHORT = 0.5, 0.1, 5  # texts of which pieces are hidden; never of a text so short
EPOCHS = 4
SEED = 20261126


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
    """Adam with a rate that rises and falls. Takes a while; the seed makes it the same on one machine."""
    random.seed(SEED)
    torch.manual_seed(SEED)
    groups = network.groups(_RATE, _THIN, _NEW)
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
            numbers, there = _padded([_blanked(one) for one in batch])
            with torch.autocast("cpu", torch.bfloat16):
                told = network(numbers, there)
            missed = _missed(batch, told, there, voices)
            adam.zero_grad()
            missed.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            adam.step()
            step += 1
            total += missed.item()
        say(f"epoch {epoch + 1} of {epochs}: loss {total * epochs / steps:.3f}")


def _blanked(lesson: Lesson) -> Lesson:
    """Some pieces hidden, so that no single word is relied on."""
    if len(lesson.numbers) <= _SHORT or random.random() >= _BLANKED_TEXTS:  # noqa: S311  # no secret
        return lesson
    hidden = (UNKNOWN if random.random() < _BLANKED_PIECES else number for number in lesson.numbers)  # noqa: S311
    return replace(lesson, numbers=tuple(hidden))


def _missed(batch: Sequence[Lesson], told: Told, there: Tensor, voices: int) -> Tensor:
    """How far the answers are from the labels."""
    claims = torch.tensor([one.claim for one in batch])
    spoken = torch.tensor([one.voice for one in batch])
    missed = _heard(told.heads, claims, spoken, voices) + _EARLY * _heard(told.early, claims, spoken, voices)
    if bool(claims.any()):
        named = torch.tensor([one.categories for one in batch if one.claim])
        given = told.heads[claims > 0, 1 + voices :]
        missed = missed + _CATEGORY * functional.binary_cross_entropy_with_logits(given, named)
    known = there & torch.tensor([one.marks is not None for one in batch])[:, None]
    if bool(known.any()):
        marks = functional.binary_cross_entropy_with_logits(told.marks[known], _marks(batch, there)[known])
        missed = missed + _MARK * marks
    return missed


def _heard(heads: Tensor, claims: Tensor, spoken: Tensor, voices: int) -> Tensor:
    """Of claim and voice alone."""
    missed = functional.binary_cross_entropy_with_logits(heads[:, 0], claims * (1 - 2 * _FIRM) + _FIRM)
    if bool((spoken >= 0).any()):
        missed = missed + _VOICE * functional.cross_entropy(heads[:, 1 : 1 + voices], spoken, ignore_index=-1)
    return missed


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
