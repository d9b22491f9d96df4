"""How sure: weights from data added up, confidence = logistic of the sum, two thresholds."""

from __future__ import annotations

from math import exp

from monitor.classify.compose import Candidate
from monitor.classify.context import Reading
from monitor.classify.shapes import SELLING_ROLES
from monitor.knowledge.shapes import Scoring

_APPEARANCE_RULES = ("antiageing_longevity", "drug_structure_function", "hair_regrowth", "skin_drug_claim")


def features(candidate: Candidate, reading: Reading, role: str, obfuscated: bool) -> dict[str, float]:
    """What speaks for and against, by the names of scoring.yaml."""
    near = candidate.sentence.names
    found = {f"product_{candidate.product}": 1.0}
    found["role_selling" if role in SELLING_ROLES else "role_unknown"] = 1.0
    if candidate.part.voice.seller:
        found["seller_cue"] = 1.0
    if obfuscated:
        found["obfuscated"] = 1.0
    if "other_product" in near and candidate.product != "sentence" and candidate.rule.category != "superiority":
        found["other_product"] = 1.0
    if "appearance_cue" in near and candidate.rule.category in _APPEARANCE_RULES:
        found["appearance_cue"] = 1.0
    if candidate.answered:
        found["question_answered"] = 1.0
    if candidate.part.block.kind in ("nav", "footer"):
        found["in_navigation"] = 1.0
    if candidate.rule.row.structure == "list":
        found["lead_in"] = 1.0
    if reading.voice:
        found["reporting_voice"] = reading.voice
    return found


def confidence(base: float, found: dict[str, float], scoring: Scoring) -> float:
    total = base + sum(scoring.weights[name] * value for name, value in found.items())
    return round(1 / (1 + exp(-total)), 4)


def decide(sure: float, lang: str, scoring: Scoring) -> str:
    if sure >= scoring.flag and lang not in scoring.review_only:
        return "flag"
    return "review" if sure >= scoring.review else "drop"
