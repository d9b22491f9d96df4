"""The words by which regulators' notices are sorted: shape and reading of `relevance.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from monitor.knowledge.sound import Files, Written
from monitor.knowledge.yaml_rows import KnowledgeError, Row, parse_row, parse_rows


class TermGroup(Row):
    """Spellings of one term. `term` is the name under which a hit is reported."""

    term: str = Field(min_length=2)
    words: tuple[str, ...] = Field(min_length=1)
    where: Literal["word", "start", "anywhere"] = "word"
    exact_case: bool = False
    unless: tuple[str, ...] = ()
    note: str = ""


class TierRow(Row):
    """One tier; the tiers stand in order of weight."""

    tier: Literal["core", "adjacent"]
    means: str = Field(min_length=20)
    groups: tuple[TermGroup, ...] = Field(min_length=1)


@dataclass(frozen=True, eq=False)
class Relevance:
    """All tiers, the weightiest first. Compared by identity."""

    tiers: tuple[TierRow, ...]


def load(path: Path, files: Files | None = None) -> Relevance:
    """Reads `relevance.yaml`. Raises KnowledgeError with file and row."""
    raw = (files or Written()).read(path)
    if not isinstance(raw, dict) or set(raw) != {"tiers"} or not isinstance(raw["tiers"], list):
        raise KnowledgeError(f"{path}: expected one key, `tiers`, with a list of tiers")
    rows = []
    for number, one in enumerate(raw["tiers"], 1):
        groups = parse_rows(TermGroup, one.get("groups") if isinstance(one, dict) else None, path)
        rows.append(parse_row(TierRow, {**one, "groups": groups}, path, number))
    if [row.tier for row in rows] != ["core", "adjacent"]:
        raise KnowledgeError(f"{path}: the tiers must be core and adjacent, in this order")
    _check_words(path, rows)
    return Relevance(tuple(rows))


def _check_words(path: Path, rows: list[TierRow]) -> None:
    """A word stands once: twice, the second would never decide anything."""
    seen: dict[str, str] = {}
    for row in rows:
        for group in row.groups:
            for word in group.words:
                if not word.strip():
                    raise KnowledgeError(f"{path}, {row.tier}, {group.term}: an empty word would match everything")
                key = word if group.exact_case else word.casefold()
                if key in seen:
                    raise KnowledgeError(f"{path}, {row.tier}, {group.term}: {word!r} stands under {seen[key]} already")
                seen[key] = f"{row.tier}, {group.term}"
