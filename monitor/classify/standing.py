"""What speaks for or against a stretch of a whole page being a claim, besides its own wording: where it stands.

The model reads stretches one by one. The same words weigh more beside the product than in its neighbour's sentence,
more on a page about it than on one that sells ten other things, and a heading mostly says what its text says again.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log

from monitor.classify.compose import PRODUCTS, Page
from monitor.classify.windows import Stretch, Window
from monitor.knowledge.shapes import Standing

_NO_WARNING = frozenset({"none", "absolute", "safe", "safe_and_effective", "guarantee", "act_treat", "act_reduce"})
_OTHER = "other_product"
_FAR = "page"


def standing(window: Window, product_share: float, weights: Standing) -> float:
    """Log odds, to be added to those of the wording. `product_share`: of its page."""
    near = weights.near.get(window.stretch.product, weights.near[_FAR])  # a page may be about it and never name it
    odds = weights.base + near + weights.product_share * product_share
    if tells(window.stretch):
        odds += weights.telling_word
    if window.part.block.kind == "heading":
        odds += weights.heading
    return odds


def product_share(page: Page) -> float:
    """ln of how many blocks name the product to how many name another and not it."""
    others = sum(_OTHER in part.names and not part.names & PRODUCTS for part in page.parts)
    return log((len(page.products) + 1) / (others + 1))


def tells(stretch: Stretch) -> bool:
    """Does it hold a word of claims, and not just a cue or a name of the product?"""
    return any(not hit.name.startswith("cue:") and hit.name not in PRODUCTS for hit in stretch.hits)


def warns(window: Window) -> bool:
    """Does it speak of harm, and not of its absence or of something that is treated?"""
    names = {hit.name for hit in window.stretch.hits}
    return "harm" in names and not names & _NO_WARNING


def of_other(names: Iterable[str]) -> bool:
    """Does it speak of another product, and of ours not at all?"""
    found = set(names)
    return _OTHER in found and not found & PRODUCTS
