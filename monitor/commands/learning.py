"""`evaluate` and `train`: how good the classifier is, and teaching it what people decided."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.commands.common import FAILED, MISUSED, UserError, counted, database, state_of

if TYPE_CHECKING:
    from monitor.training.evaluate import Report

_NEEDED = "training needs scikit-learn: pip install scikit-learn"


def evaluate(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Labelled JSONL; left out: the gold set that is shipped.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="PAGE", help="Write the figures as a page of HTML, too.")
    ] = None,
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Beside TF-IDF too, trained now on what the model learnt from.")
    ] = False,
) -> None:
    """Precision, recall and F1 of the classifier on labelled texts, with intervals and beside simpler ways."""
    from monitor.knowledge import load
    from monitor.training.evaluate import digest, to_text
    from monitor.training.evaluate import evaluate as measure
    from monitor.training.labelled import read_labelled
    from monitor.training.promote import GOLD, TEXTS

    chosen = file or GOLD
    try:
        teaching = [row for path in TEXTS for row in read_labelled(path)] if baselines else []
        report = measure(read_labelled(chosen), load(), digest(chosen), teaching)
    except OSError as error:
        told = f"evaluate: {chosen}: {error.strerror}; give a file of labelled texts, one JSON object a line"
        raise UserError(told, MISUSED) from error
    except ValueError as error:
        raise UserError(f"evaluate: {error}", MISUSED) from error
    except ModuleNotFoundError as error:
        raise UserError(f"evaluate --baselines: {error.name} is not installed; {_NEEDED}", MISUSED) from error
    typer.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=1) if as_json else to_text(report))
    if html:
        _page(report, chosen, html)


def _page(report: Report, measured: Path, page: Path) -> None:
    from monitor.running.programs import Children, write_evaluation

    ended = write_evaluation({"file": measured.name, **report.to_json()}, page, Children())
    if ended.code:
        raise UserError(f"evaluate: {ended.complaint}", ended.code if ended.code == MISUSED else FAILED)
    typer.echo(ended.output.strip(), err=True)


def train(context: typer.Context) -> None:
    """Train the model anew, with people's decisions; used only if the gold set does not fall."""
    from monitor.config import now
    from monitor.market.review import labelled
    from monitor.training.promote import train_and_promote

    config = state_of(context).config
    with database(config) as engine, tempfile.TemporaryDirectory(prefix="exowatch-reviews-") as name:
        reviews = Path(name) / "reviews.jsonl"
        rows = [json.dumps(row, ensure_ascii=False) for row in labelled(engine)]
        reviews.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
        try:
            done = train_and_promote([reviews] if rows else [], now(config).date())
        except ModuleNotFoundError as error:
            raise UserError(f"train: {error.name} is not installed; {_NEEDED}", MISUSED) from error
        except ValueError as error:
            raise UserError(f"train: {error}", FAILED) from error
    typer.echo(f"learnt from {counted(done.learnt_from, 'text')}, {len(rows)} of them decided in review")
    typer.echo(f"F1 on the gold set: {done.before:.3f} before, {done.after:.3f} now")
    typer.echo("the new model is in use" if done.promoted else "the old model stays: the new one does worse")
