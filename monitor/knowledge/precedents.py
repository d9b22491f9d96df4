"""Statements that a regulator has cited, in our own words: shape, reading, and which are nearest to a claim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from monitor.config.parts import WebAddress
from monitor.folding import fold
from monitor.knowledge.yaml_rows import KnowledgeError, Row, parse_row, read_yaml

FILE = "precedents.yaml"
_STEM = 5
"""Letters of a word that count: a plain stand-in for a stemmer, good enough to join `treats` and `treatment`."""
_SAME_CATEGORY = 0.25
_SHORTEST = 4
_COMMON = frozenset(
    word[:_STEM] for word in "about also from have into more other than that their them this which with".split()
)


class Letter(Row):
    """A regulator's letter. `text_read`: whether we read it whole, in part, or know it from others' accounts."""

    reference: str = Field(min_length=3)
    authority: str = Field(min_length=2)
    firm: str = Field(min_length=2)
    issued: Annotated[str, Field(pattern=r"^\d{4}-\d{2}(-\d{2})?$")]
    url: WebAddress | None
    text_read: Literal["yes", "partly", "no"]
    note: str = ""


class Precedent(Row):
    """One statement in our own words. Several letters: one or more of them cite it, which was not recorded."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    letters: tuple[str, ...] = Field(min_length=1)
    category: str
    statement: str = Field(min_length=20, max_length=200)
    note: str = ""


class PrecedentsFile(Row):
    source: str = Field(min_length=5)
    read_on: date
    letters: tuple[Letter, ...] = Field(min_length=1)
    statements: tuple[Precedent, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Near:
    """A precedent with its letters and its likeness to a claim, 0 to 1."""

    precedent: Precedent
    letters: tuple[Letter, ...]
    likeness: float

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.precedent.id,
            "category": self.precedent.category,
            "statement": self.precedent.statement,
            "note": self.precedent.note,
            "likeness": self.likeness,
            "letters": [one.model_dump(mode="json") for one in self.letters],
        }


@dataclass(frozen=True)
class Precedents:
    letters: dict[str, Letter]
    statements: tuple[Precedent, ...]

    def nearest(self, quote: str, category: str, count: int = 3) -> tuple[Near, ...]:
        """The statements most like a quote: shared words, and the same category. Nothing shared: not near."""
        words = _stems(quote)
        near = [
            Near(one, tuple(self.letters[letter] for letter in one.letters), _likeness(words, category, one))
            for one in self.statements
        ]
        near.sort(key=lambda one: (-one.likeness, len(one.letters), one.precedent.id))
        return tuple(one for one in near[:count] if one.likeness > 0)


def load(folder: Path) -> Precedents:
    """Reads `precedents.yaml` of a knowledge folder. Raises KnowledgeError."""
    path = folder / FILE
    page = parse_row(PrecedentsFile, read_yaml(path), path, 1)
    letters = {one.reference: one for one in page.letters}
    unknown = sorted({letter for one in page.statements for letter in one.letters} - set(letters))
    if unknown:
        raise KnowledgeError(f"{path}: a statement names letter {unknown[0]}, which is not listed; add it or correct")
    return Precedents(letters, page.statements)


def _likeness(words: frozenset[str], category: str, one: Precedent) -> float:
    theirs = _stems(one.statement)
    shared = 2 * len(words & theirs) / (len(words) + len(theirs)) if words and theirs else 0.0
    same = _SAME_CATEGORY if one.category == category else 0.0
    return round(min(1.0, shared * (1 - _SAME_CATEGORY) + same), 3)


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:_STEM] for word in _words(fold(text).text) if len(word) >= _SHORTEST) - _COMMON


def _words(text: str) -> Iterable[str]:
    return "".join(char if char.isalnum() else " " for char in text).split()
