"""Labelled passages and pages, one JSON object a line, and what the model is shown of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.classify.judge import windows_of
from monitor.classify.shapes import Query
from monitor.classify.windows import Window
from monitor.folding import fold
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import Example

VOICES = ("seller", "news", "regulator", "science", "education", "reagent", "patient")
COUNTER = "counter example"
_VOICE_OF_ROLE = {
    **dict.fromkeys(("seller", "clinic", "supplier", "marketplace"), "seller"),
    **{voice: voice for voice in VOICES},
    "legal": "education",
}
_VOICE_OF_KIND = {"testimonial": "patient", "news": "news", "science": "science", "regulator": "regulator"}


@dataclass(frozen=True)
class Labelled:
    """One labelled text. `spans`: (quote, category). `group`: what cross-validation must keep together."""

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

    @property
    def group(self) -> str:
        return f"{self.kind}|{self.lang}"

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
    """What is learnt from: windows with their labels, and sentences of claims that say where the claim stands."""

    windows: list[Window] = field(default_factory=list)
    claims: list[bool] = field(default_factory=list)
    voices: list[str] = field(default_factory=list)
    categories: list[frozenset[str]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    sources: list[Labelled] = field(default_factory=list)
    sentences: list[Window] = field(default_factory=list)
    places: list[bool] = field(default_factory=list)


def lessons(rows: Iterable[Labelled], knowledge: Knowledge) -> Lessons:
    """Every text is shown as on a page about the product: whether one is named is the gate's business."""
    made = Lessons()
    for row in rows:
        reader, found = windows_of(row.query(), knowledge)
        quotes = [(fold(quote).text.strip(), category) for quote, category in row.spans]
        for window in found:
            said = [(quote, category) for quote, category in quotes if quote in window.stretch.text]
            alone = len(found) == 1
            made.windows.append(window)
            made.claims.append(row.positive and (bool(said) or alone))
            made.voices.append(row.voice)
            made.categories.append(frozenset(category for _, category in (quotes if alone else said)))
            made.groups.append(row.group)
            made.sources.append(row)
            if row.positive and len(window.spans) > 1:
                for span in window.spans:
                    part = reader.window(window.part, [span], window.stretch.product, window.stretch.claims)
                    text = part.stretch.text
                    made.sentences.append(part)
                    made.places.append(any(quote in text or text in quote for quote, _ in quotes))
    return made
