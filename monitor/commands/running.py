"""`run`, `intake`: what reads sources or what was read."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from monitor.commands.common import (
    FAILED,
    MISUSED,
    OK,
    State,
    UserError,
    choose,
    counts,
    database,
    day,
    knowledge,
    say,
    screen,
    state_of,
)
from monitor.config import installed_sources, live_flaw

if TYPE_CHECKING:
    from monitor.running.cycle import Pass
    from monitor.running.programs import Children

STOPPED = 128 + signal.SIGTERM


def run(
    context: typer.Context,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="SOURCE", help="Read this source only, on or not; may be given several times."),
    ] = None,
    since: Annotated[
        str, typer.Option(metavar="DATE", help="Read what was published since this date (2026-11-16).")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and judge, but keep nothing.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Read everything again, known or not.")] = False,
    no_digest: Annotated[bool, typer.Option("--no-digest", help="Do not write this week's digest.")] = False,
) -> None:
    """Read the sources that are on, judge what is new, and write this week's digest."""
    state = state_of(context)
    raise typer.Exit(_run(state, source or [], since, dry_run=dry_run, full=full, digest=not no_digest))


def _run(state: State, asked: list[str], since: str, *, dry_run: bool, full: bool, digest: bool) -> int:
    config = state.config
    valid = {*installed_sources(config.cards), *(site.source_id for site in config.sites)}
    for name in asked:
        choose(name, valid, "source", "exowatch")
    must_be_ready(state)
    from monitor.running.cycle import Cycle, Order, chosen_sources

    order = Order(
        sources=chosen_sources(config, asked),
        since=day(since, "--since") if since else None,
        full=full,
        dry_run=dry_run,
        digest=digest,
        rest=not asked,
    )
    if not order.sources:
        raise UserError(f"{state.file}: no source is on; set on: true for one under sources:, or add one under sites:")
    from monitor.commands.listeners import listening

    console = screen()
    if not dry_run:
        with database(config):
            pass  # reached and brought up to date before anything is started
    with listening(console) as listener:
        cycle = Cycle(config, state.file, knowledge(), listener)
        with stopping(cycle.children):
            done = cycle.run(order)
    _tell(console, done, order.dry_run)
    return done.exit_code


def must_be_ready(state: State) -> None:
    """Raises UserError if this configuration may not read the web yet."""
    flaw = live_flaw(state.config)
    if flaw:
        raise UserError(f"{state.file}: {flaw}")


@contextmanager
def stopping(children: Children) -> Iterator[None]:
    """While this lasts, SIGTERM, SIGHUP and Ctrl-C ask the children to end, and what waits for them goes on waiting."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        children.stop()

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before: dict[signal.Signals, Any] = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(console: Console, done: Pass, dry_run: bool) -> None:
    if told := counts(done.rejudged):
        say(console, f"our rules changed: {told}")
    if done.matches:
        say(console, f"{done.matches:,} watchlist {'match' if done.matches == 1 else 'matches'}")
    if dry_run:
        say(console, "dry run: nothing was kept")
    if done.digest:
        say(console, f"digest: {' '.join(done.digest.split())}")
    if done.digest_failed:
        raise UserError(done.digest_failed, FAILED)
    if done.post_failed:
        raise UserError(done.post_failed, FAILED)
    if done.stopped:
        say(console, "stopped as asked; runs that are whole are taken in next time")


def intake(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A run folder, such as var/runs/us_fda_warning_letters-…")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come of it, but keep nothing.")] = False,
) -> None:
    """Take one run folder in by hand: a replay, or one that another machine made."""
    from monitor.intake import runs as taking

    config = state_of(context).config
    if folder.suffix == ".part":
        raise UserError(f"{folder}: this run was never finished (.part); only whole runs are taken in")
    with database(config) as engine:
        try:
            taken = taking.take_in(engine, folder, config, knowledge(), dry_run=dry_run)
        except taking.UnreadableRunError as error:
            raise UserError(str(error), FAILED) from error
    reasons = "".join(f"\n  {reason.message}" for reason in taken.reasons)
    verb = {"already": "was dealt with before", "quarantined": "NOT TAKEN IN"}.get(taken.state, "taken in")
    dry = " (dry run)" if dry_run else ""
    typer.echo(f"{taken.run_id}: {verb}; {counts(taken.events) or 'no change'}{dry}{reasons}")
    for page in taken.second_look:
        typer.echo(f"  needs a second look: {page}")
    raise typer.Exit(FAILED if taken.state == "quarantined" else OK)


__all__ = ["MISUSED", "intake", "must_be_ready", "run", "stopping"]
