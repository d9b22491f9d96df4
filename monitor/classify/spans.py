"""Sentences and clauses of a block, as offsets in the folded text."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ENDS = re.compile(
    r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[^\s])|(?<=[。！？!?．｡])(?=[^\s。！？!?\"')」』])|(?<=[;；])\s*|\n+|\s+[|•·●▪✓✔]\s+|(?<=[؟।])\s+"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:dr|mr|mrs|ms|prof|st|vs|e\.g|i\.e|etc|approx|inc|ltd|co|no|fig|al|u\.s|u\.k|sra?|dra|z\.b|bzw|ca|usw|art|nr|p|cat|sec)|\b[a-z])\.$"
)
_LONGEST = 600


@dataclass(frozen=True)
class Span:
    """A sentence, by folded offsets; `question` says that it ends with a question mark."""

    start: int
    end: int
    question: bool


def sentences(text: str, start: int, end: int) -> list[Span]:
    """Splits one block. Very long runs are cut at commas or spaces so that every step stays bounded."""
    spans: list[Span] = []
    begin = start
    for match in _ENDS.finditer(text, start, end):
        if match.start() <= begin:
            continue
        if text[match.start() - 1] == "." and _ABBREVIATION.search(text, max(begin, match.start() - 8), match.start()):
            continue
        _push(spans, text, begin, match.start())
        begin = match.end()
    _push(spans, text, begin, end)
    return spans


def _push(spans: list[Span], text: str, start: int, end: int) -> None:
    while end - start > _LONGEST:
        cut = max(text.rfind(mark, start + _LONGEST // 2, start + _LONGEST) for mark in (", ", "、", "，", " "))
        cut = cut + 1 if cut > start else start + _LONGEST
        _trim(spans, text, start, cut)
        start = cut
    _trim(spans, text, start, end)


def _trim(spans: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append(Span(start, end, text[start:end].rstrip("\"')」』 ").endswith(("?", "؟", "？"))))
