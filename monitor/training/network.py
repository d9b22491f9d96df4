"""The encoder as PyTorch trains it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from monitor.classify.pieces import Floats
from monitor.training.e5 import E5

MOST_PLACES = 192
_SMALL = 1e-5
_QUICK = 1.702


class Layer(nn.Module):
    """One layer of E5 as `monitor.classify.encoder.Layer` computes it."""

    def __init__(self, size: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.attend = nn.Linear(size, 3 * size)
        self.gather = nn.Linear(size, size)
        self.norm = nn.LayerNorm(size, eps=_SMALL)
        self.inner = nn.Linear(size, inner)
        self.outer = nn.Linear(inner, size)
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
        wide = self.outer(wide * torch.sigmoid(_QUICK * wide))
        out: Tensor = self.last(states + functional.dropout(wide, dropped, self.training))
        return out

    def take(self, e5: E5, number: int) -> None:
        """E5's weights of one of its layers."""
        held = e5.tensors
        _set(self.attend, *(np.concatenate([held[f"l{number}.{part}.{half}"] for part in "qkv"]) for half in "wb"))
        for own, theirs in (("gather", "ao"), ("inner", "fi"), ("outer", "fo"), ("norm", "aln"), ("last", "oln")):
            _set(getattr(self, own), held[f"l{number}.{theirs}.w"], held[f"l{number}.{theirs}.b"])


class Network(nn.Module):
    """`forward` gives per text the logits of the heads, and per piece that of being part of a claim."""

    def __init__(
        self, e5: E5, layers: Sequence[int], chosen: npt.NDArray[np.int64], columns: int, dropped: float
    ) -> None:
        super().__init__()
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
        self.mark = nn.Linear(e5.size, 1)
        self.look = nn.Linear(e5.size, 1, bias=False)

    def forward(self, numbers: Tensor, there: Tensor) -> tuple[Tensor, Tensor]:
        states = self.norm(self.words(numbers) + self.places[: numbers.shape[1]])
        states = functional.dropout(states, self.dropped, self.training)
        for layer in self.layers:
            states = layer(states, there[:, None, None, :], self.dropped)
        counted = there.unsqueeze(-1).to(states.dtype)
        mean = (states * counted).sum(1) / counted.sum(1)
        weights = self.look(states).squeeze(-1).float().masked_fill(~there, -1e4).softmax(1).to(states.dtype)
        pooled = torch.cat([mean, (states * weights.unsqueeze(-1)).sum(1)], 1)
        return self.heads(pooled).float(), self.mark(states).squeeze(-1).float()

    def groups(self, rate: float, falling: float, heads: float) -> list[dict[str, object]]:
        """What the optimiser moves, each with its rate: less the further below; the new heads more."""
        count = len(self.layers)
        made: list[dict[str, object]] = [
            {"params": list(layer.parameters()), "rate": rate * falling ** (count - 1 - number)}
            for number, layer in enumerate(self.layers)
        ]
        made.append({"params": [self.places, *self.norm.parameters()], "rate": rate * falling ** (count - 1)})
        new = [*self.heads.parameters(), *self.mark.parameters(), *self.look.parameters()]
        made.append({"params": new, "rate": rate * heads})
        return made


def _set(part: nn.Linear | nn.LayerNorm, weights: Floats, bias: Floats) -> None:
    with torch.no_grad():
        part.weight.copy_(torch.from_numpy(weights))
        assert part.bias is not None  # noqa: S101  # every part here has one
        part.bias.copy_(torch.from_numpy(bias))
