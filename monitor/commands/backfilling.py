"""`exowatch backfill` and `exowatch history`: what lies before the first reading."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from monitor.commands.common import (
    FAILED,
    OK,
    State,
    UserError,
    choose,
    counted,
    database,
    knowledge,
    say,
    screen,
    state_of,
)
from monitor.config import Config, installed_sources, now

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from monitor.running.backfill import Step

STOPPED = 143
history = typer.Typer(no_args_is_help=True, help="What regulators did before the first reading.")


@history.command()
def load(context: typer.Context) -> None:
    """Load the notices that ship with Exowatch: dated and sourced entries of regulators' lists, without their texts.

    A new database has them already. What is held is left alone; a letter that is read later takes its entry's place.
    """
    from monitor.intake.shipped import load_history

    state = state_of(context)
    config = state.config
    if config.rehearsal is not None:
        raise UserError(f"{state.file}: a rehearsal's database holds invented things alone; take rehearsal: out first")
    with database(config) as engine:
        loaded = load_history(engine, config, knowledge(), now=now(config))
    typer.echo(f"{loaded.added:,} added, {loaded.corrected:,} corrected, {loaded.held:,} held already")


def backfill(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="[SOURCE]", help="Its id; left out: how far each has come.")] = "",
    since: Annotated[
        str, typer.Option(metavar="DATE", help="Read back to this day: 2021, 2021-03 or 2021-03-15.")
    ] = "",
    step: Annotated[int, typer.Option(min=1, max=5000, metavar="N", help="Records in one step.")] = 50,
    steps: Annotated[int, typer.Option(min=0, metavar="N", help="Steps at most; 0: until it is done.")] = 0,
) -> None:
    """Read a source's past in steps, each of which is kept when it is done.

    Stop it when you like: the same command goes on where it stopped. When the requests that the source's card allows
    in a day are used up it ends, and goes on from there the next day.
    """
    state = state_of(context)
    if not source:
        _list(state.config)
        return
    choose(source, installed_sources(state.config.cards), "source", "exowatch sources")
    if not since:
        raise UserError("--since is needed: how far back, such as --since 2021")
    from monitor.running.backfill import first_day

    try:
        day = first_day(since)
    except ValueError as error:
        raise UserError(f"--since: {since} is no date; write it as 2021, 2021-03 or 2021-03-15") from error
    if day > now(state.config).date():
        raise UserError(f"--since: {day} has not come yet")
    raise typer.Exit(_run(state, source, day, step, steps or None))


def _run(state: State, source: str, since: date, step: int, steps: int | None) -> int:
    from monitor.commands.listeners import listening
    from monitor.commands.running import must_be_ready, stopping
    from monitor.locks import BusyError
    from monitor.running.backfill import backfill as read_back
    from monitor.running.cycle import Cycle

    config = state.config
    must_be_ready(state)
    with database(config) as engine:
        if done := _done_already(engine, source, since):
            typer.echo(done)
            return OK
    console, last = screen(), None
    with listening(console) as listener:
        cycle = Cycle(config, state.file, knowledge(), listener)
        try:
            with stopping(cycle.children):
                for last in read_back(cycle, source, since, step=step, steps=steps):
                    listener.note(sentence(source, since, last))
        except BusyError as busy:
            raise UserError(f"{source} is being read already, by {busy}; wait, or stop that one", FAILED) from busy
    return _told(console, source, last)


def _done_already(engine: Engine, source: str, since: date) -> str:
    from monitor.running.backfill import backfills

    for one in backfills(engine):
        if one.source_id == source and one.done_at is not None and one.since <= since:
            return f"{source}: read back to {one.since} already, on {one.done_at:%Y-%m-%d}: nothing to do"
    return ""


def sentence(source: str, since: date, step: Step) -> str:
    """One line on a step."""
    from monitor.intake.health import span

    head = f"{source}: step {step.number}: {counted(step.reading.records, 'record')}, {step.records:,} in all"
    reached = f", back to {step.reached}" if step.reached else ""
    if step.state == "done":
        return f"{head}{reached}; done: read back to {since}"
    if step.left is None or step.time_left is None:
        return f"{head}{reached}; how much is left cannot be told yet"
    return f"{head}{reached}; about {step.left:,} left, {span(step.time_left)} at its pace"


def _told(console: Console, source: str, last: Step | None) -> int:
    if last is None or last.state in ("done", "going"):
        if last is not None and last.state == "going":
            say(console, f"{source}: the steps asked for are done; the same command goes on from here")
        return OK
    reasons = "; ".join(last.reading.reasons)
    if last.state == "rationed":
        told = "the requests that its card allows in a day are used up; give the same command again tomorrow (UTC)"
        say(console, f"{source}: {told}")
        return OK
    if last.state == "stopped":
        say(console, f"{source}: stopped as asked; the same command goes on from here")
        return STOPPED
    if last.state == "stuck":
        told = "some entries could not be read, again and again; the last run's run.json names them under problems"
        raise UserError(f"{source}: {told}", FAILED)
    raise UserError(f"{source}: a step failed: {reasons or last.reading.state}", FAILED)


def _list(config: Config) -> None:
    from monitor.running.backfill import backfills

    if config.database_is_missing:
        typer.echo("Nothing has been read yet.")
        return
    with database(config) as engine:
        found = backfills(engine)
    for one in found:
        reached = f"back to {one.reached}" if one.reached else "nothing dated yet"
        how = f"done {one.done_at:%Y-%m-%d}" if one.done_at else f"going, last step {one.updated_at:%Y-%m-%d %H:%M} UTC"
        read = f"{counted(one.records, 'record')} in {counted(one.steps, 'step')}"
        typer.echo(f"{one.source_id}: to {one.since}: {read}, {reached}; {how}")
    if not found:
        typer.echo("No source's past was asked for: exowatch backfill SOURCE --since 2021")
