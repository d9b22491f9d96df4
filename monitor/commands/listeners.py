"""Telling how a pass goes: bars on a terminal, plain lines in a log."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, Task, TaskID, TextColumn, TimeElapsedColumn

from monitor.commands.common import counted, counts, say
from monitor.running.cycle import Listener, Reading

_QUIET_SECONDS = 10


def sentence(reading: Reading) -> str:
    """One line on how it went with one source."""
    name = reading.source_id + (" (second look)" if reading.second_look else " (left over)" if reading.leftover else "")
    if reading.state in ("taken_in", "already"):
        what = (
            f"read, {counted(reading.records, 'record')} in {counted(reading.requests, 'request')}, "
            f"{reading.known:,} known and unchanged"
        )
        changes = counts(reading.events) or "nothing new"
        stand = f"; {reading.findings:,} {'claim stands' if reading.findings == 1 else 'claims stand'}"
        return f"{name}: {what}; {changes}{stand if reading.findings else ''}"
    reasons = "; ".join(reading.reasons)
    return f"{name}: {_STATES.get(reading.state, reading.state)}{': ' + reasons if reasons else ''}"


_STATES = {
    "quarantined": "NOT TAKEN IN",
    "failed": "FAILED",
    "busy": "skipped",
    "rationed": "put off",
    "stopped": "stopped",
}


class Lines:
    """For a log: a line with the time at the start, now and then, and at the end of each source."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: dict[str, float] = {}
        self._guard = threading.Lock()

    def _line(self, text: str) -> None:
        with self._guard:
            say(self._console, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {text}")

    def started(self, source_id: str) -> None:
        self._line(f"{source_id}: reading")

    def progress(self, source_id: str, counts: dict[str, Any]) -> None:
        elapsed = float(counts.get("elapsed") or 0)
        if elapsed - self._told.get(source_id, 0) >= _QUIET_SECONDS:
            self._told[source_id] = elapsed
            self._line(f"{source_id}: {counts.get('responses', 0)} responses, {counts.get('records', 0)} records")

    def ended(self, reading: Reading) -> None:
        self._line(sentence(reading))

    def note(self, text: str) -> None:
        self._line(text)


class Bars:
    """For a terminal: a moving line for each source being read, its result above when it is done."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    @property
    def tasks(self) -> Sequence[Task]:
        """What is being read now."""
        return self._progress.tasks

    def started(self, source_id: str) -> None:
        self._tasks[source_id] = self._progress.add_task(source_id, total=None, counts="starting")

    def progress(self, source_id: str, counts: dict[str, Any]) -> None:
        if source_id in self._tasks:
            told = f"{counts.get('responses', 0)} responses, {counts.get('records', 0)} records"
            self._progress.update(self._tasks[source_id], counts=told)

    def ended(self, reading: Reading) -> None:
        task = self._tasks.pop(reading.source_id, None)
        if task is not None:
            self._progress.remove_task(task)
        mark = "[green]✓[/]" if reading.is_well else "[red]✗[/]"
        self._progress.console.print(f"{mark} {escape(sentence(reading))}", highlight=False)

    def note(self, text: str) -> None:
        say(self._progress.console, f"  {text}")


@contextmanager
def listening(console: Console) -> Iterator[Listener]:
    """The listener that fits where the output goes."""
    if not console.is_terminal:
        yield Lines(console)
        return
    told = TextColumn("{task.fields[counts]}")
    columns = (TextColumn("  {task.description}"), BarColumn(20), told, TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        yield Bars(progress)
