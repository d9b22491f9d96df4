"""A newly trained model takes the old one's place only if the gold set says that it is no worse."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from monitor.classify.model import FOLDER
from monitor.knowledge import HERE, read
from monitor.training.build import train
from monitor.training.evaluate import digest, evaluate
from monitor.training.labelled import Labelled, read_labelled

TEXTS = tuple(sorted((HERE / "training").glob("*.jsonl")))
GOLD = HERE / "gold" / "passages.jsonl"


@dataclass(frozen=True)
class Promotion:
    """What came of a training: F1 on the gold set before and after, and whether the new model is in use."""

    before: float
    after: float
    promoted: bool
    learnt_from: int


def train_and_promote(also: Sequence[Path], today: date, *, gold: Path = GOLD, knowledge: Path = HERE) -> Promotion:
    """Train on the shipped texts and on `also` (labelled JSONL), beside the model in use.

    Raises ModuleNotFoundError without scikit-learn, ValueError for texts that are not labelled as they must be.
    """
    files = [*TEXTS, *also]
    rows: list[Labelled] = [row for path in files for row in read_labelled(path)]
    judged_by = read_labelled(gold)
    before = evaluate(judged_by, read(knowledge), digest(gold)).flag["f1"]
    with tempfile.TemporaryDirectory(prefix="exowatch-train-") as name:
        beside = Path(name) / "knowledge"
        shutil.copytree(knowledge, beside)
        train(read(knowledge), rows, files, today, None, beside / FOLDER.name)
        after = evaluate(judged_by, read(beside), digest(gold)).flag["f1"]
        if promoted := after >= before:
            for path in sorted((beside / FOLDER.name).iterdir()):
                shutil.copy(path, knowledge / FOLDER.name / path.name)
    return Promotion(before=before, after=after, promoted=promoted, learnt_from=len(rows))
