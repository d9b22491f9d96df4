"""The shapes in which facts about products are given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

STATED_KINDS = ("price", "form", "source_material", "route", "dose", "country")
"""Kinds of which it is said that a seller does not state them."""


@dataclass(frozen=True)
class FactRow:
    """One thing that a product is said to be. Either offsets in the text of a page version, or a place in a capture."""

    kind: str
    value: str
    quote: str
    page_url: str
    version_id: int
    capture_id: str
    start: int | None
    end: int | None
    place: str
    """`structured:…` where it was read from structured data; empty where it stands in the text."""
    pages: int
    """Pages that say so."""
    first_seen: datetime
    last_seen: datetime
    current: bool


@dataclass(frozen=True)
class FactCount:
    """Standing claims about products that are said to be so, and how many products these are.

    A product that says two things counts for both; `unstated` counts claims whose product says nothing of the kind.
    """

    value: str
    claims: int
    products: int


def unstated_of(facts: tuple[FactRow, ...]) -> tuple[str, ...]:
    """What a product's pages leave unsaid."""
    said = {fact.kind for fact in facts if fact.current}
    return tuple(kind for kind in STATED_KINDS if kind not in said)
