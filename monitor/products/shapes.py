"""Facts about products. Frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = ("name", "brand", "seller", "price", "form", "source_material", "route", "dose", "country")
STRUCTURED = "structured:"
"""Begins a place in a capture's structured data; the rest is as in `told`."""


@dataclass(frozen=True, order=True)
class Fact:
    """One fact. Either `quote` is exactly `text[start:end]`, or `place` names the value `quote` in the capture."""

    kind: str
    value: str
    quote: str
    start: int | None = None
    end: int | None = None
    place: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.value


@dataclass(frozen=True)
class ProductReading:
    """One product as one page shows it. `stretch`: the part of the text that speaks of it; None where none does."""

    name: str
    facts: tuple[Fact, ...]
    stretch: tuple[int, int] | None = None

    def values(self, kind: str) -> tuple[str, ...]:
        return tuple(fact.value for fact in self.facts if fact.kind == kind)


@dataclass(frozen=True)
class Told:
    """A product as structured data tells it. `words`: (words, place) in which form, source and route may be named."""

    name: str
    facts: tuple[Fact, ...]
    words: tuple[tuple[str, str], ...] = field(default=())
    entry: bool = False
    """True for an entry of a catalogue: the whole document is about it."""

    def to_json(self) -> dict[str, Any]:
        facts = [[fact.kind, fact.value, fact.quote, fact.place] for fact in self.facts]
        return {"name": self.name, "facts": facts, "words": [list(pair) for pair in self.words], "entry": self.entry}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Told:
        facts = tuple(Fact(kind, value, quote, place=place) for kind, value, quote, place in stored["facts"])
        words = tuple((words, place) for words, place in stored["words"])
        return cls(stored["name"], facts, words, bool(stored["entry"]))
