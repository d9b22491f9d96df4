"""The figures of an evaluation as one page of HTML that stands alone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from reports import words
from reports.render import render, stylesheet

_GROUPS = {
    "category": "Categories of claim",
    "language": "Languages",
    "level": "Levels of language",
    "role": "Roles of page",
    "kind": "Kinds of text",
}
_LEVELS = {"A": "A: read best", "B": "B: read well", "C": "C: read least"}


class Rates(BaseModel):
    """Of one group of texts. One without claims has no F1, only the share that was flagged all the same."""

    n: int
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    low: float | None = None
    high: float | None = None
    falsely_flagged: float | None = None


class Bin(BaseModel):
    """Texts whose confidence lies in one tenth: the mean that was said, and the share that was true."""

    least: float = Field(alias="from")
    most: float = Field(alias="to")
    n: int
    said: float
    true: float


class Figures(BaseModel):
    """What `exowatch evaluate --json` prints."""

    file: str = ""
    corpus: str
    knowledge: str = ""
    n: int
    flag: Rates
    review: Rates
    interval: tuple[float, float]
    calibration: dict[str, float]
    span_f1: float
    compared: dict[str, Rates]
    by: dict[str, dict[str, Rates]]
    bins: list[Bin] = []
    levels: dict[str, str] = {}
    person_only: list[str] = []


@dataclass(frozen=True)
class Line:
    """One row of a table: its name in words, a remark, its figures."""

    name: str
    remark: str
    rates: Rates


@dataclass(frozen=True)
class Group:
    anchor: str
    title: str
    claims: tuple[Line, ...]
    without: tuple[Line, ...]
    """Those that hold no claim."""


def write(figures: Path, out: Path) -> Path:
    """Raises ValueError where the figures cannot be understood, OSError where a file cannot be read or written."""
    page = to_html(read(figures.read_text(encoding="utf-8"), figures.name))
    out.write_text(page, encoding="utf-8")
    return out


def read(text: str, name: str) -> Figures:
    try:
        raw: Any = json.loads(text)
        return Figures.model_validate(raw)
    except ValidationError as flaw:
        first = flaw.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ValueError(f"{name}: {where}: {first['msg']}; give what exowatch evaluate --json prints") from flaw
    except ValueError as flaw:
        raise ValueError(f"{name}: no JSON ({flaw}); give what exowatch evaluate --json prints") from flaw


def to_html(figures: Figures) -> str:
    groups = [_group(anchor, title, figures) for anchor, title in _GROUPS.items() if figures.by.get(anchor)]
    compared = [Line(name, "", rates) for name, rates in figures.compared.items()]
    return render("evaluation.html", figures=figures, groups=groups, compared=compared, css=stylesheet())


def _group(anchor: str, title: str, figures: Figures) -> Group:
    lines = [
        Line(_name(anchor, name), _remark(anchor, name, figures), rates) for name, rates in figures.by[anchor].items()
    ]
    claims = [line for line in lines if line.rates.f1 is not None]
    if anchor != "level":
        claims.sort(key=lambda line: -line.rates.n)
    without = sorted((line for line in lines if line.rates.f1 is None), key=lambda line: -line.rates.n)
    return Group(anchor, title, tuple(claims), tuple(without))


def _name(anchor: str, name: str) -> str:
    if anchor == "category":
        return words.category(name)
    if anchor == "language":
        return words.language(name) or "not told"
    return _LEVELS.get(name, name) if anchor == "level" else name or "not told"


def _remark(anchor: str, name: str, figures: Figures) -> str:
    if anchor != "language" or name not in figures.levels:
        return ""
    decides = "; a person decides every finding" if name in figures.person_only else ""
    return f"level {figures.levels[name]}{decides}"
