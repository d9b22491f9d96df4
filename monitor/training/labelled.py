"""Labelled passages and pages, one JSON object a line, and what the model is shown of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.classify.judge import windows_of
from monitor.classify.shapes import Query
from monitor.folding import fold
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import Example

VOICES = ("seller", "news", "regulator", "science", "education", "reagent", "patient")
COUNTER = "counter example"
_LAWFUL = "cosmetic_appearance"
_HELD = 10
_VOICE_OF_ROLE = {
    **dict.fromkeys(("seller", "clinic", "supplier", "marketplace"), "seller"),
    **{voice: voice for voice in VOICES},
    "legal": "education",
}
_VOICE_OF_KIND = {"testimonial": "patient", "news": "news", "science": "science", "regulator": "regulator"}


@dataclass(frozen=True)
class Labelled:
    """One labelled text. `spans`: (quote, category); `placed`: the quotes were told, not just the categories."""

    id: str
    lang: str
    positive: bool
    kind: str
    role: str
    text: str | None = None
    html: str | None = None
    url: str = ""
    product_context: bool = False
    spans: tuple[tuple[str, str], ...] = ()
    placed: bool = True

    @property
    def voice(self) -> str:
        return _VOICE_OF_KIND.get(self.kind) or _VOICE_OF_ROLE.get(self.role, "")

    @property
    def categories(self) -> frozenset[str]:
        return frozenset(category for _, category in self.spans)

    def query(self) -> Query:
        return Query(self.id, html=self.html, text=self.text, url=self.url, product_context=self.product_context)


def read_labelled(path: Path) -> list[Labelled]:
    """Raises ValueError with file and line when a line is no labelled text."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(_labelled(json.loads(line)))
        except (ValueError, KeyError, TypeError, AttributeError) as flaw:
            told = f"{path}, line {number}: no labelled text ({flaw!r}); see knowledge/gold/README.md"
            raise ValueError(told) from flaw
    return found


def _labelled(raw: dict[str, Any]) -> Labelled:
    if (raw.get("text") is None) == (raw.get("html") is None):
        raise ValueError("give either text or html")
    whole = [{"quote": raw.get("text") or "", "category": name} for name in raw.get("categories", [])]
    return Labelled(
        id=str(raw["id"]),
        lang=str(raw.get("lang", "")),
        positive=bool(raw["positive"]),
        kind=str(raw.get("kind") or "page"),
        role=str(raw.get("role") or ""),
        text=raw.get("text"),
        html=raw.get("html"),
        url=str(raw.get("url") or ""),
        product_context=bool(raw.get("product_context")),
        spans=tuple((str(span["quote"]), str(span["category"])) for span in raw.get("spans") or whole),
        placed=bool(raw.get("spans")) or not whole,
    )


def counter_examples(knowledge: Knowledge) -> list[Labelled]:
    """What the rules' own examples say is no claim. Their positive ones would only teach to trust the rules."""
    found: dict[str, Labelled] = {}
    for rule in knowledge.claims:
        for number, example in enumerate(rule.row.examples.negative):
            shown = example if isinstance(example, Example) else Example(text=example)
            if shown.text in found:
                continue
            text, html = (None, shown.text) if shown.html else (shown.text, None)
            row = Labelled(f"{rule.id}-{number}", shown.lang, False, COUNTER, "", text, html)
            if all(claim.status != "affirmed" for claim in windows_of(row.query(), knowledge)[0].claims):
                found[shown.text] = row
    return list(found.values())


@dataclass
class Lessons:
    """What is learnt from, a row a window. `quotes`: where its claims stand in its text; None: not told."""

    texts: list[str] = field(default_factory=list)
    claims: list[bool] = field(default_factory=list)
    voices: list[str] = field(default_factory=list)
    categories: list[frozenset[str]] = field(default_factory=list)
    quotes: list[tuple[tuple[int, int], ...] | None] = field(default_factory=list)
    sources: list[Labelled] = field(default_factory=list)

    def part(self, chosen: Iterable[int]) -> Lessons:
        at = list(chosen)
        return Lessons(*([column[one] for one in at] for column in vars(self).values()))


def lessons(rows: Iterable[Labelled], knowledge: Knowledge) -> Lessons:
    """Every text is shown as on a page about the product: whether one is named is the gate's business."""
    made = Lessons()
    for row in rows:
        _, found = windows_of(row.query(), knowledge)
        quotes = [(fold(quote).accented.strip(), category) for quote, category in row.spans if category != _LAWFUL]
        for window in found:
            under = window.stretch.under
            text, own = under + window.stretch.text, len(under) + (0 if len(found) == 1 else window.stretch.lead)
            places = ((text.find(quote, own), quote, category) for quote, category in quotes)
            said = [one for one in places if one[0] >= 0]
            claim = row.positive and (bool(said) or len(found) == 1)
            made.texts.append(text)
            made.claims.append(claim)
            made.voices.append(row.voice)
            made.categories.append(frozenset(name for _, name in quotes if claim) if len(found) == 1 else _names(said))
            told = tuple((at, at + len(quote)) for at, quote, _ in said)
            made.quotes.append(told if (told and row.placed) or not claim else None)
            made.sources.append(row)
    return made


def _names(said: Iterable[tuple[int, str, str]]) -> frozenset[str]:
    return frozenset(name for _, _, name in said)


def held_out(row: Labelled) -> bool:
    """One text in ten is kept from training, so that what is learnt can be measured: the same ones every time."""
    return row.kind != COUNTER and hashlib.sha256(row.id.encode()).digest()[0] % _HELD == 0
