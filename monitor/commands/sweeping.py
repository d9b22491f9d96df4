"""`exowatch sweep`: archives gone through for pages that may sell exosome products."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.commands.common import FAILED, OK, UserError, clean, counted, knowledge, say, screen

if TYPE_CHECKING:
    from rich.console import Console

    from monitor.discovery.sweep import Report, Task, Told

STOPPED = 128 + signal.SIGTERM


def sweep(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATHS", help="WARC or WET files, or patterns such as 'cc/*.wet.gz'."),
    ] = None,
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", metavar="FILE", help="A file with a path a line, from the list's own folder."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the candidates go, as JSON lines.")] = Path(
        "sweep.jsonl"
    ),
) -> None:
    """Find pages that may sell exosome products in WARC or WET files.

    Nothing is fetched and no database is needed. Stop it when you like: the same command goes on where it stopped,
    by what FILE.state.jsonl says. `exowatch discover add FILE` takes the candidates up.
    """
    from monitor.discovery.sweep import Journal, SweepError, files_of
    from monitor.discovery.sweep import sweep as go_through
    from monitor.locks import BusyError, hold

    console = screen()
    try:
        files = files_of(paths or [], lists or [])
        known = knowledge()
        with hold(out.parent, f".{out.name}"):
            journal = Journal(out, known.version)
            try:
                with _stopping() as stop, _telling(console, len(files)) as told:
                    report = go_through(files, journal, known, told=told, stop=stop)
            finally:
                journal.close()
    except SweepError as error:
        raise UserError(f"sweep: {error}") from error
    except BusyError as busy:
        raise UserError(f"{out}: a sweep writes it already, {busy}; wait, or give another --out", FAILED) from busy
    raise typer.Exit(_summed_up(console, report, out))


@contextmanager
def _stopping() -> Iterator[Event]:
    """Set by SIGTERM, SIGHUP or Ctrl-C: the sweep ends after the page at hand."""
    asked = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        asked.set()

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before: dict[signal.Signals, Any] = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _telling(console: Console, files: int) -> Iterator[Told]:
    """A bar on a terminal; elsewhere a line for each file that is done."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    done = 0

    def tell(task: Task, ended: bool) -> None:
        nonlocal done
        done += ended
        if ended:
            say(console, clean(f"{Path(task.file).name}: {_counts(task)} ({done} of {files})"))

    if not sys.stdout.isatty():
        yield tell
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bars:
        bar = bars.add_task("", total=None)

        def draw(task: Task, ended: bool) -> None:
            bars.update(bar, description=clean(Path(task.file).name), total=task.size, completed=task.offset)
            tell(task, ended)

        yield draw


def _counts(task: Task) -> str:
    told = ", ".join(map(counted, (task.records, task.pages, task.found), ("record", "page", "candidate")))
    return f"{told}; PROBLEM: {task.problem}" if task.problem else told


def _summed_up(console: Console, report: Report, out: Path) -> int:
    totals: Counter[str] = Counter()
    for task in report.tasks:
        totals.update({"records": task.records, "pages": task.pages, "found": task.found})
        totals.update({f"- {why}": count for why, count in task.left_out.items()})
    left = ", ".join(f"{count:,} {why[2:]}" for why, count in totals.most_common() if why.startswith("- "))
    again = f", {report.skipped:,} of them done before" if report.skipped else ""
    say(
        console,
        f"{counted(len(report.tasks), 'file')}{again}: {counted(totals['pages'], 'page')}, "
        f"{counted(totals['found'], 'candidate')} in {out}",
    )
    if left:
        say(console, f"left out: {left}")
    if report.stopped:
        say(console, "stopped as asked; the same command goes on from here")
        return STOPPED
    return FAILED if report.problems else OK
