"""What stands around a few words on a page, so that the same words elsewhere can be told apart from a copy. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

from monitor.reading.text import Block, Document

FEWEST_SIBLINGS = 4
"""Items that a list must have, the words' own with them, to be known again."""
_REACH = 60
"""Blocks looked at on either side."""
_MOST = 600
"""Letters kept: enough to tell a list or a sentence from another."""


def around(document: Document, start: int, end: int, enough: Callable[[str], bool]) -> str:
    """The sentence that holds `text[start:end]`; where that says no more, the list that it is an item of.

    `enough`: are these so many words that they are known again? Items come in the order of the alphabet, so that a list
    in another order is the same list. Empty where the words stand alone.
    """
    blocks = document.blocks
    at = bisect_right(blocks, start, key=lambda block: block.start) - 1
    if at < 0 or end > blocks[at].end:
        return ""
    own = blocks[at]
    before = document.text[max(own.start, start - _MOST // 2) : start]
    rest = f"{before} {document.text[end : min(own.end, end + _MOST // 2)]}"
    if enough(rest):
        return rest
    nearby = blocks[max(0, at - _REACH) : at + _REACH + 1]
    items = sorted({document.text[block.start : block.end].casefold() for block in nearby if _is_sibling(own, block)})
    if len(items) < FEWEST_SIBLINGS:
        return ""
    told = " ".join([*own.heading_path[-1:], *items])[:_MOST]
    return told if enough(told) else ""


def _is_sibling(own: Block, other: Block) -> bool:
    same_level = own.kind != "heading" or own.level == other.level
    return own.kind == other.kind and own.heading_path == other.heading_path and same_level
