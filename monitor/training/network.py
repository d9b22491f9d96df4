"""The encoder as PyTorch trains it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from monitor.classify.marking import APART, HEARD
from monitor.classify.pieces import Floats
from monitor.training.e5 import E5

MOST_PLACES = 192
_SMALL = 1e-5
GROUP = 32
THIN = 16
_QUICK = 1.702
_HEARING = 64  # numbers by which a piece is heard
_UNHEARD = 0.2  # share of them that is hidden in training


class Adapted(nn.Linear):
    """E5's own 4-bit weights, which stay, and what is learnt beside them: two thin matrices (Hu et al. 2021, LoRA).

    Rounded to 4 bits again, weights would lose what was learnt: it is less than half a step.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs)
        self.weight.requires_grad_(False)
        self.down = nn.Parameter(torch.empty(THIN, inputs).uniform_(-1, 1) * inputs**-0.5)
        self.up = nn.Parameter(torch.zeros(outputs, THIN))

    def forward(self, states: Tensor) -> Tensor:
        learnt = functional.linear(functional.linear(states, self.down), self.up)
        return functional.linear(states, self.weight, self.bias) + learnt


def narrowed(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers from -8 to 7 as (out, groups, 32), and the step of each group: E5's weights come out as they were."""
    groups = weight.detach().view(len(weight), -1, GROUP)
    largest = groups.gather(-1, groups.abs().argmax(-1, keepdim=True))
    steps = (largest / -8).half().float()
    steps = torch.where(steps == 0, torch.ones_like(steps), steps)
    return (groups / steps).round().clamp(-8, 7), steps


class Layer(nn.Module):
    """One layer of E5 as `monitor.training.graph` computes it."""

    def __init__(self, size: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attend = Adapted(size, 3 * size)
        self.gather = Adapted(size, size)
        self.norm = nn.LayerNorm(size, eps=_SMALL)
        self.inner = Adapted(size, inner)
        self.outer = Adapted(inner, size)
        self.last = nn.LayerNorm(size, eps=_SMALL)

    def forward(self, states: Tensor, there: Tensor, dropped: float) -> Tensor:
        texts, long, size = states.shape
        asked, keys, values = (
            self.attend(states).view(texts, long, 3, self.heads, size // self.heads).permute(2, 0, 3, 1, 4)
        )
        seen = functional.scaled_dot_product_attention(asked, keys, values, attn_mask=there)
        seen = self.gather(seen.transpose(1, 2).reshape(texts, long, size))
        states = self.norm(states + functional.dropout(seen, dropped, self.training))
        wide = self.inner(states)
        wide = self.outer(_bent(wide))
        out: Tensor = self.last(states + functional.dropout(wide, dropped, self.training))
        return out

    def take(self, e5: E5, number: int) -> None:
        """E5's weights of one of its layers."""
        held = e5.tensors
        _set(self.attend, *(np.concatenate([held[f"l{number}.{part}.{half}"] for part in "qkv"]) for half in "wb"))
        for own, theirs in (("gather", "ao"), ("inner", "fi"), ("outer", "fo"), ("norm", "aln"), ("last", "oln")):
            _set(getattr(self, own), held[f"l{number}.{theirs}.w"], held[f"l{number}.{theirs}.b"])


class Marker(nn.Module):
    """As `monitor.classify.marking` computes it."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.take = nn.Linear(2 * size, _HEARING)
        self.steps = nn.ModuleList(
            nn.Conv1d(_HEARING, _HEARING, HEARD, padding=apart * (HEARD // 2), dilation=apart) for apart in APART
        )
        self.tell = nn.Linear(_HEARING, 1)

    def forward(self, early: Tensor, last: Tensor, there: Tensor) -> Tensor:
        given = functional.dropout(torch.cat([last, early], -1), _UNHEARD, self.training)
        heard = _bent(self.take(given))
        for step in self.steps:
            known = heard.masked_fill(~there.unsqueeze(-1), 0)  # beyond a text's end is silence, as it is read alone
            known = functional.dropout(known, _UNHEARD, self.training)
            heard = heard + _bent(step(known.transpose(1, 2)).transpose(1, 2))
        told: Tensor = self.tell(heard)
        return told.squeeze(-1)


@dataclass(frozen=True)
class Told:
    """Per text the logits of the heads, at the end and after the first layers; per piece that of being in a claim."""

    heads: Tensor
    early: Tensor
    marks: Tensor


class Network(nn.Module):
    """`early`: after how many layers it is first asked what it makes of a text."""

    def __init__(
        self, e5: E5, layers: Sequence[int], chosen: npt.NDArray[np.int64], columns: int, dropped: float, early: int
    ) -> None:
        super().__init__()
        self.early = early
        self.dropped = dropped
        self.words = nn.Embedding.from_pretrained(torch.from_numpy(e5.tensors["emb.word"][chosen]), freeze=True)
        self.places = nn.Parameter(torch.from_numpy((e5.tensors["emb.pos"] + e5.tensors["emb.type"])[:MOST_PLACES]))
        self.norm = nn.LayerNorm(e5.size, eps=_SMALL)
        _set(self.norm, e5.tensors["emb.ln.w"], e5.tensors["emb.ln.b"])
        self.layers = nn.ModuleList()
        for number in layers:
            layer = Layer(e5.size, e5.inner, e5.heads)
            layer.take(e5, number)
            self.layers.append(layer)
        self.heads = nn.Linear(2 * e5.size, columns)
        self.halfway = nn.Linear(e5.size, columns)
        self.mark = Marker(e5.size)
        self.look = nn.Linear(e5.size, 1, bias=False)

    def forward(self, numbers: Tensor, there: Tensor) -> Told:
        states = self.norm(self.words(numbers) + self.places[: numbers.shape[1]])
        states = functional.dropout(states, self.dropped, self.training)
        for layer in self.layers[: self.early]:
            states = layer(states, there[:, None, None, :], self.dropped)
        begun = states
        early = self.halfway(_mean(begun, there))
        for layer in self.layers[self.early :]:
            states = layer(states, there[:, None, None, :], self.dropped)
        weights = self.look(states).squeeze(-1).float().masked_fill(~there, -1e4).softmax(1).to(states.dtype)
        pooled = torch.cat([_mean(states, there), (states * weights.unsqueeze(-1)).sum(1)], 1)
        return Told(self.heads(pooled).float(), early.float(), self.mark(begun, states, there).float())

    def groups(self, rate: float, thin: float, heads: float) -> list[dict[str, object]]:
        """What the optimiser moves, each with its rate: the thin matrices and the new heads faster than the rest."""
        new = [*self.heads.parameters(), *self.halfway.parameters(), *self.mark.parameters(), *self.look.parameters()]
        learnt = [one for part in self.modules() if isinstance(part, Adapted) for one in (part.down, part.up)]
        apart = {id(one) for one in (*new, *learnt)}
        rest = [one for one in self.parameters() if one.requires_grad and id(one) not in apart]
        return [
            {"params": rest, "rate": rate},
            {"params": learnt, "rate": rate * thin},
            {"params": new, "rate": rate * heads},
        ]


def _bent(values: Tensor) -> Tensor:
    return values * torch.sigmoid(_QUICK * values)


def _mean(states: Tensor, there: Tensor) -> Tensor:
    counted = there.unsqueeze(-1).to(states.dtype)
    return (states * counted).sum(1) / counted.sum(1)


def _set(part: nn.Linear | nn.LayerNorm, weights: Floats, bias: Floats) -> None:
    with torch.no_grad():
        part.weight.copy_(torch.from_numpy(weights))
        assert part.bias is not None  # noqa: S101  # every part here has one
        part.bias.copy_(torch.from_numpy(bias))
