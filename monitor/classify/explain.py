"""Why a statement was flagged or left out, in one or two sentences made from its cues."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.classify.compose import Candidate
from monitor.classify.context import Reading
from monitor.classify.scan import Hit
from monitor.classify.spans import word_end
from monitor.folding import Folded

_WHERE = {
    "sentence": "the product is named in the sentence",
    "block": "the product is named beside it",
    "heading": "the product is named in the heading or lead-in",
    "neighbour": "the product is named next to it",
    "title": "the page's title names the product",
    "context": "the text was said to stand on a page about the product",
    "page": "the product is named elsewhere on the page only",
}
_EXCUSES = {
    "negated": "the statement is negated",
    "attributed": "it is attributed to others",
    "quoted": "a regulator's voice quotes or answers it",
    "scientific": "it is told in a scientific voice",
    "question": "it is asked and not answered with yes",
    "cosmetic": "it speaks of appearance alone",
}


def why(
    candidate: Candidate,
    reading: Reading,
    folded: Folded,
    role_why: str,
    sure: float,
    decision: str,
    *,
    person_only: bool,
) -> str:
    words = _words(candidate.key, folded)
    told = f"Rule {candidate.rule.id}: {words}; {_WHERE[candidate.product]}."
    if reading.status != "affirmed":
        cues = _words(reading.cues, folded)
        by = f" ({cues})" if cues else f" ({role_why})" if role_why else ""
        return f"{told} Left out: {_EXCUSES[reading.status]}{by}."
    if decision == "drop":
        return f"{told} By the rules alone too unsure ({sure:.2f}): left out."
    hedged = " The hedge " + _words(reading.hedges, folded) + " does not cancel it." if reading.hedges else ""
    decides = " In this language a person decides." if person_only else ""
    return f"{told} Nothing negates or attributes it.{hedged}{decides}"


def _words(hits: Sequence[Hit], folded: Folded) -> str:
    shown = []
    for hit in hits[:6]:
        start, end = folded.span(hit.start, word_end(folded.text, hit.end))
        shown.append(f"“{folded.original[start:end]}”")
    return " + ".join(dict.fromkeys(shown))
