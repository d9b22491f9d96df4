"""`knowledge copy`, `check`, `effect`, `sign`: the way of a changed row from a lawyer's copy to the findings."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from monitor.commands.common import (
    FAILED,
    OK,
    UserError,
    clean,
    counted,
    database,
    say,
    screen,
    state_of,
)
from monitor.commands.common import knowledge as in_use

if TYPE_CHECKING:
    from monitor.classify import Judgement
    from monitor.knowledge import Knowledge
    from monitor.knowledge.check import Checked
    from monitor.knowledge.shapes import Example
    from monitor.market.effect import Effect, Shift

knowledge = typer.Typer(no_args_is_help=True, help="What judging rests on: copy it, edit it, check it, see its effect.")
_COPIED = ("*.yaml", "*.csv", "*.json", "*.jsonl", "*.npz", "*.onnx", "*.gz", "*.txt", "*.md")


def judge_example(example: Example, rules: Knowledge) -> Judgement:
    """A rule's example, judged as a text by itself or as a page."""
    from monitor.classify import Query, judge

    html, text = (example.text, None) if example.html else (None, example.text)
    return judge(Query(id="example", html=html, text=text, lang=example.lang or "en"), rules)


def _folder(given: Path | None) -> Path:
    from monitor.knowledge import HERE

    folder = given or HERE
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; make one with `exowatch knowledge copy {folder}`")
    return folder


def _checked(folder: Path) -> Checked:
    from datetime import UTC, datetime

    from monitor.knowledge.check import check as look

    return look(folder, judge_example, datetime.now(UTC).date())


@knowledge.command()
def copy(
    folder: Annotated[Path, typer.Argument(help="A new folder, to edit.")],
) -> None:
    """Copy the knowledge in use into a folder of your own, to edit there."""
    from monitor.knowledge import HERE

    if folder.exists():
        raise UserError(f"{folder}: is there already; give a new folder, or remove that one")
    for pattern in _COPIED:
        for path in HERE.rglob(pattern):
            target = folder / path.relative_to(HERE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    typer.echo(f"{folder}: edit it, then: exowatch knowledge check {folder}")


@knowledge.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="An edited copy; left out: the knowledge in use.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find everything that is wrong with a knowledge folder: file, row, and what to do.

    Exit code 1 if there is an error; warnings do not count.
    """
    found = _checked(_folder(folder))
    if as_json:
        typer.echo(json.dumps(_checked_json(found), indent=2, ensure_ascii=False))
    else:
        for problem in found.problems:
            typer.echo(clean(problem.text()))
        for line in _summary(found):
            typer.echo(line)
    raise typer.Exit(FAILED if found.errors else OK)


def _summary(found: Checked) -> Iterator[str]:
    unsigned = [one.file for one in found.signatures if one.state != "signed"]
    if unsigned:
        files = counted(len(found.signatures), "file")
        yield f"unsigned: {len(unsigned)} of {files}, {counted(found.unnamed, 'row')} of law"
    errors, warnings = len(found.errors), len(found.problems) - len(found.errors)
    examples = (
        f"{counted(found.judged, 'example')} judged" if found.judged else "no example judged: correct the errors first"
    )
    read = f"{counted(found.files, 'file')}, {counted(found.rows, 'row')}, {examples}"
    yield f"{read}: {counted(errors, 'error')}, {counted(warnings, 'warning')}"


def _checked_json(found: Checked) -> dict[str, Any]:
    return {
        "files": found.files,
        "rows": found.rows,
        "examples_judged": found.judged,
        "errors": len(found.errors),
        "warnings": len(found.problems) - len(found.errors),
        "problems": [
            {"level": one.level, "file": one.file, "line": one.line, "row": one.row, "message": one.message}
            for one in found.problems
        ],
        "unsigned_rows_of_law": found.unnamed,
        "signatures": [
            {
                "file": one.file,
                "state": one.state,
                "reviewer": one.reviewer,
                "date": one.date.isoformat() if one.date else None,
            }
            for one in found.signatures
        ],
    }


@knowledge.command()
def effect(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="An edited copy of the knowledge.")],
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Findings to list of each kind; 0: all.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which held findings would appear, vanish or change; nothing is written."""
    from monitor.knowledge import KnowledgeError, read
    from monitor.market.effect import effect as apply

    config = state_of(context).config
    try:
        edited = read(_folder(folder))
    except KnowledgeError as error:
        raise UserError(f"{error} See all: exowatch knowledge check {folder}", FAILED) from error
    with database(config) as engine, _progress() as told:
        found = apply(engine, edited, config.jurisdictions, in_use=in_use().version, told=told)
    if as_json:
        typer.echo(json.dumps(_effect_json(found, limit), indent=2, ensure_ascii=False))
    else:
        _print_effect(screen(), found, limit)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, nothing elsewhere: a reading of held texts is quiet work."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("judging again", total=None)
        yield lambda done, pages: bar.update(task, completed=done, total=pages)


_KINDS = (("appears", "would appear"), ("vanishes", "would vanish"), ("changes", "would change"))


def _effect_json(found: Effect, limit: int) -> dict[str, Any]:
    return {
        "knowledge_version": found.knowledge_version,
        "pages": found.pages,
        "pages_behind": found.behind,
        "standing": found.standing,
        "counts": {kind: len(found.of(kind)) for kind, _ in _KINDS},
        "shifts": [one.to_json() for kind, _ in _KINDS for one in _first(found.of(kind), limit)],
    }


def _first(shifts: tuple[Shift, ...], limit: int) -> tuple[Shift, ...]:
    return shifts[:limit] if limit else shifts


def _print_effect(console: Console, found: Effect, limit: int) -> None:
    if not found.pages:
        say(console, "no held page is affected: all of them were judged under these very rules, or there is none")
        return
    pages, claims = counted(found.pages, "page"), counted(found.standing, "standing claim")
    say(console, f"{pages} judged again; their sites have {claims}")
    if found.behind:
        say(
            console,
            f"note: {found.behind:,} of them were judged under other rules than those in use, so part of this is not "
            "your doing; `exowatch run` brings them up to date first",
        )
    say(console, ", ".join(f"{len(found.of(kind)):,} {verb}" for kind, verb in _KINDS))
    for kind, verb in _KINDS:
        shifts = found.of(kind)
        if not shifts:
            continue
        cut = f" (the first {limit} of {len(shifts):,}; --limit 0 lists all)" if limit and len(shifts) > limit else ""
        say(console, f"\n{verb}{cut}")
        for one in _first(shifts, limit):
            for line in _shift_lines(one):
                say(console, line)


def _shift_lines(one: Shift) -> Iterator[str]:
    claim = f"claim {one.claim_id}" if one.claim_id else "new"
    quote = " ".join(clean(one.quote).split())
    yield f"  {claim}  “{quote}”"
    yield f"    {clean(one.url)}"
    before, after = one.before, one.after
    if before and after:
        for name in one.changed:
            if name != "law":
                yield f"    {name}: {getattr(before, name) or 'none'} → {getattr(after, name) or 'none'}"
        yield from _law_lines(dict(_by_code(before.law)), dict(_by_code(after.law)))
        yield f"    rule {before.rule_id}" + (f" → {after.rule_id}" if before.rule_id != after.rule_id else "")
    elif view := before or after:
        yield f"    {view.category}, {view.decision}, {view.severity or 'not assessed'}; rule {view.rule_id}"
    if one.why:
        yield f"    {clean(one.why)}"


Law = tuple[tuple[str, str, tuple[str, ...]], ...]


def _by_code(law: Law) -> Iterator[tuple[str, str]]:
    for code, severity, basis in law:
        yield code, f"{severity or 'not assessed'} ({', '.join(basis) or 'no provision'})"


def _law_lines(before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    for code in sorted(before.keys() | after.keys()):
        if before.get(code) != after.get(code):
            yield f"    {code}: {before.get(code, 'not judged')} → {after.get(code, 'not judged')}"


@knowledge.command()
def sign(
    file: Annotated[str, typer.Argument(help="Its path in the folder, such as law/rules/us.yaml.")],
    reviewer: Annotated[str, typer.Option(metavar="NAME", help="Who has read the file and stands for it.")],
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="The copy that holds it.")],
) -> None:
    """Sign a file as it stands: a line in signoffs.csv. Any later change of the file makes it unsigned again."""
    from datetime import UTC, datetime

    from monitor.commands.common import choose
    from monitor.knowledge import signoffs

    home = _folder(folder)
    choose(file, signoffs.signable(home), "file", str(home))
    if not reviewer.strip():
        raise UserError("--reviewer is empty; give the name of who has read the file")
    wrong = [problem for problem in _checked(home).errors if problem.file in (file, signoffs.FILE)]
    if wrong:
        raise UserError(f"{clean(wrong[0].text())}; a file with errors cannot be signed", FAILED)
    made = signoffs.append(home, file, " ".join(reviewer.split()), datetime.now(UTC).date())
    typer.echo(f"{made.file}: signed by {made.reviewer} on {made.date}, sha256 {made.sha256[:12]}…")
