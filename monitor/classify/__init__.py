"""The judge of pages: which statements are claims in the seller's own voice, and what they touch. No I/O."""

from monitor.classify.contract import judge_lines
from monitor.classify.gate import Gate, gate
from monitor.classify.judge import judge, judge_document
from monitor.classify.shapes import (
    Addressed,
    Cue,
    JudgedClaim,
    Judgement,
    ProductFacts,
    Query,
    Verdict,
)

__all__ = [
    "Addressed",
    "Cue",
    "Gate",
    "JudgedClaim",
    "Judgement",
    "ProductFacts",
    "Query",
    "Verdict",
    "gate",
    "judge",
    "judge_document",
    "judge_lines",
]
