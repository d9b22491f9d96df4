"""What the rules saw in a stretch of text, as numbers that mean the same in every language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log1p

import numpy as np
import numpy.typing as npt

from monitor.classify.scan import Hit
from monitor.classify.shapes import SELLING_ROLES, STATUSES, JudgedClaim

_MOST = 3.0
_NUMBER = re.compile(r"\S*\d\S*")
_SHORT = 6  # words of a bare list item


@dataclass(frozen=True)
class Stretch:
    """A passage of a page, by folded offsets, with what the rules know of it.

    `product`: where the nearest product word stands, as in `compose.Candidate`; empty: nowhere.
    """

    start: int
    end: int
    text: str
    hits: Sequence[Hit]
    claims: Sequence[JudgedClaim]
    product: str
    role: str
    item: bool = False
    asks: bool = False


def signs(stretch: Stretch) -> dict[str, float]:
    """Named signs, each between 0 and 3."""
    found: dict[str, float] = {}
    for hit in stretch.hits:
        name = f"has:{hit.name}"
        found[name] = min(found.get(name, 0.0) + (hit.cue.group.weight if hit.cue else 1.0), _MOST)
    for name in [name for name in found if not name.startswith("has:cue:")]:
        found[name] = 0.7 + 0.3 * found[name]  # the first says most
    _rules(stretch.claims, found)
    words = stretch.text.split()
    found["length"] = min(log1p(len(words)) / 2, _MOST)
    found["number"] = min(len(_NUMBER.findall(stretch.text)) / 2, _MOST)
    found["asks"] = float(stretch.asks)
    found["short_item"] = float(len(words) <= _SHORT)
    found["exclaims"] = float("!" in stretch.text or "！" in stretch.text)
    found["names_product"] = float(stretch.product in ("sentence", "block"))
    if stretch.role in SELLING_ROLES:
        found["role:selling"] = 1.0
    elif stretch.role != "unknown":
        found["role:reporting"] = 1.0
        found[f"role:{stretch.role}"] = 1.0
    return found


def _rules(claims: Sequence[JudgedClaim], found: dict[str, float]) -> None:
    for status in STATUSES:
        these = [claim for claim in claims if claim.status == status]
        if these:
            found[f"rule:{status}"] = 1.0
            found[f"sure:{status}"] = 2 * max(claim.confidence for claim in these)
    if claims and all(claim.status != "affirmed" for claim in claims):
        found["rule:all_excused"] = 1.0
    if not claims:
        found["rule:none"] = 1.0


def matrix(found: Iterable[dict[str, float]], names: Sequence[str]) -> npt.NDArray[np.float32]:
    """One row a stretch, one column a name; what is not named is left out."""
    at = {name: number for number, name in enumerate(names)}
    rows = list(found)
    out = np.zeros((len(rows), len(names)), np.float32)
    for row, one in enumerate(rows):
        for name, value in one.items():
            column = at.get(name)
            if column is not None:
                out[row, column] = value
    return out
