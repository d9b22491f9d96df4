"""What a labelled file says of Exowatch and of what it is measured against, in one run over the same texts."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from monitor.classify.judge import judge
from monitor.classify.shapes import Judgement
from monitor.folding import fold
from monitor.knowledge import Knowledge
from monitor.knowledge.shapes import Fusion
from monitor.reading.text import read_html
from monitor.training.labelled import Labelled
from monitor.training.measure import Bools, bins, calibration, counts, interval, overlap, spread

KEYWORDS = (
    "treat cure heal regenerat repair reverse anti-aging antiaging rejuvenat stem cell exosome therapy fda approved "
    "hair growth regrow restore pain relief no side effects clinically proven autism arthritis alzheimer"
).split()
_NEXT_TO_NOTHING, _EVER = 1e-9, 99.0
_ALONE = {"rules alone": 1.0, "model alone": 0.0}


@dataclass
class Report:
    """Figures by name. `compared`: every approach on the same texts."""

    corpus: str
    n: int
    flag: dict[str, float]
    review: dict[str, float]
    interval: tuple[float, float]
    calibration: dict[str, float]
    span_f1: float
    compared: dict[str, dict[str, float]]
    by: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    bins: list[dict[str, float]] = field(default_factory=list)
    levels: dict[str, str] = field(default_factory=dict)
    """The level of each language met (`scoring.yaml`)."""
    person_only: list[str] = field(default_factory=list)
    """Of these languages those in which nothing is flagged: a person decides."""
    knowledge: str = ""

    def to_json(self) -> dict[str, Any]:
        return vars(self)


def evaluate(rows: Sequence[Labelled], knowledge: Knowledge, corpus: str, teaching: Sequence[Labelled] = ()) -> Report:
    """`corpus`: digest of the file. `teaching`: what TF-IDF is trained on, with scikit-learn; else it is left out."""
    if not rows:
        raise ValueError("no labelled text in the file: nothing to evaluate")
    truth = np.array([row.positive for row in rows])
    judged = [judge(row.query(), knowledge) for row in rows]
    flagged = np.array([one.decision == "flag" for one in judged])
    kept = np.array([one.decision != "clear" for one in judged])
    sure = np.array([_sure(one) for one in judged], np.float32)
    compared = {"keywords": counts(truth, _keywords(rows))}
    if teaching:
        compared["TF-IDF + LR"] = counts(truth, _tfidf(rows, teaching))
    for name, share in _ALONE.items():
        compared[name] = counts(truth, _alone(rows, knowledge, share))
    compared["rules and model"] = counts(truth, flagged)
    report = Report(
        corpus=corpus,
        n=len(rows),
        flag=counts(truth, flagged),
        review=counts(truth, kept),
        interval=interval(truth, flagged),
        calibration=calibration(truth, sure),
        span_f1=_spans(rows, judged),
        compared=compared,
    )
    report.by = {
        "language": _grouped(truth, flagged, [row.lang for row in rows]),
        "kind": _grouped(truth, flagged, [row.kind for row in rows]),
        "role": _grouped(truth, flagged, [row.role for row in rows]),
        "category": _categories(rows, judged),
    }
    langs = sorted({row.lang for row in rows})
    report.levels = {lang: knowledge.scoring.level(lang) for lang in langs}
    report.person_only = [lang for lang in langs if lang in knowledge.scoring.review_only]
    report.by["level"] = _grouped(truth, flagged, [report.levels[row.lang] for row in rows])
    report.bins, report.knowledge = bins(truth, sure), knowledge.version
    return report


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sure(judged: Judgement) -> float:
    claims = (*judged.findings, *judged.dropped)
    return max((claim.confidence for claim in claims if claim.status == "affirmed"), default=0.0)


def _text(row: Labelled) -> str:
    return fold(read_html(row.html).text if row.html is not None else row.text or "").text


def _keywords(rows: Sequence[Labelled]) -> Bools:
    return np.array([any(word in text for word in KEYWORDS) for text in map(_text, rows)])


def _tfidf(rows: Sequence[Labelled], teaching: Sequence[Labelled]) -> Bools:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=3)
    made = make_pipeline(make_union(words, letters), LogisticRegression(C=10, max_iter=2000))
    made.fit([_text(row) for row in teaching], [row.positive for row in teaching])
    return np.asarray(made.predict([_text(row) for row in rows]), np.bool_)


def _alone(rows: Sequence[Labelled], knowledge: Knowledge, share: float) -> Bools:
    """Rules or model with the other's say taken away; what a sentence says of itself stays."""
    scoring = knowledge.scoring
    page = scoring.fusion.on_a_page.model_copy(update={"rule": share})
    fusion = scoring.fusion.model_copy(update={"rules_share": share, "on_a_page": page})
    if share == 1.0:
        fusion = _as_rules(fusion, scoring.flag, scoring.review)
    other = replace(knowledge, scoring=scoring.model_copy(update={"fusion": fusion}))
    return np.array([judge(row.query(), other).decision == "flag" for row in rows])


def _as_rules(fusion: Fusion, flag: float, review: float) -> Fusion:
    levels = {"flag": flag, "review": review}
    unheard = {"wording": _NEXT_TO_NOTHING, "base": 0.0, "near": dict.fromkeys(fusion.on_a_page.near, 0.0)}
    unheard |= dict.fromkeys(("telling_word", "heading", "product_share"), 0.0) | {"rule": 1.0, "speaks": -_EVER}
    page = fusion.on_a_page.model_copy(update=levels | unheard)
    return fusion.model_copy(update=levels | {"own": 2.0, "crowd_ruled": 0.0, "on_a_page": page})


def _spans(rows: Sequence[Labelled], judged: Sequence[Judgement]) -> float:
    """Mean overlap over the texts that are claims and were flagged."""
    found = []
    for row, one in zip(rows, judged, strict=True):
        flagged = [claim.quote for claim in one.findings if claim.decision == "flag"]
        if row.positive and row.spans and flagged:
            found.append(overlap(one.document.text, (quote for quote, _ in row.spans), flagged))
    return round(float(np.mean(found)), 4) if found else 0.0


def _grouped(truth: Bools, said: Bools, names: Sequence[str]) -> dict[str, dict[str, float]]:
    places: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(names):
        places[name].append(number)
    return {name: _rates(truth[at], said[at]) for name, at in sorted(places.items())}


def _rates(truth: Bools, said: Bools) -> dict[str, float]:
    """A group without claims has no F1: its share of false flags is what counts."""
    if truth.any():
        return counts(truth, said) | spread(truth, said)
    return {"n": len(truth), "falsely_flagged": round(float(said.mean()), 4)}


def _categories(rows: Sequence[Labelled], judged: Sequence[Judgement]) -> dict[str, dict[str, float]]:
    named = sorted({name for row in rows if row.positive for name in row.categories})
    said = [{claim.category for claim in one.findings if claim.decision == "flag"} for one in judged]
    truths = np.array([[row.positive and name in row.categories for name in named] for row in rows])
    yes = np.array([[name in one for name in named] for one in said])
    pairs = {name: (truths[:, at], yes[:, at]) for at, name in enumerate(named)}
    return {name: counts(*pair) | spread(*pair) for name, pair in pairs.items()}


def to_text(report: Report) -> str:
    """The report as lines for a terminal."""
    low, high = report.interval
    lines = [
        f"{report.n} texts, corpus {report.corpus[:16]}",
        f"flag    {_line(report.flag)}  [95 % {low:.3f}–{high:.3f}]",
        f"review  {_line(report.review)}",
        f"quoted words F1 {report.span_f1:.3f}",
        f"Brier {report.calibration['brier']:.3f}, ECE {report.calibration['ece']:.3f}",
        "",
        *(f"{name:<18} {_line(row)}" for name, row in report.compared.items()),
    ]
    for what, groups in report.by.items():
        lines += ["", f"by {what}"]
        for name, row in groups.items():
            told = _line(row) if "f1" in row else f"falsely flagged {row['falsely_flagged']:.3f}"
            lines.append(f"  {name or 'unknown':<26} n {int(row['n']):>4}  {told}")
    return "\n".join(lines)


def _line(row: dict[str, float]) -> str:
    return f"P {row['precision']:.3f}  R {row['recall']:.3f}  F1 {row['f1']:.3f}"
