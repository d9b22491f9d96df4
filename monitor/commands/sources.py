"""`exowatch sources`: every source and how it stands; turning one on or off; asking one whether its card still fits."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from monitor.commands.common import (
    FAILED,
    UserError,
    choose,
    clean,
    counted,
    database,
    say,
    screen,
    state_of,
    vocabulary,
)
from monitor.config import Config, installed_sources, live_flaw, now

if TYPE_CHECKING:
    from monitor.queries.rows import SourceRow

STATES = ("ok", "quiet", "stale", "blind", "off")
_STYLES = {"ok": "green", "quiet": "yellow", "stale": "bold red", "blind": "bold red", "off": "dim"}
SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="Its id, as `exowatch sources` shows it.")]
sources = typer.Typer(invoke_without_command=True, help="Every source: what it is, and how it stands.")


@sources.callback()
def show(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    state: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE", help="Only these: ok, quiet, stale, blind, off; may be given several times."),
    ] = None,
) -> None:
    """Every source: what inclusion in it means, when it was read well last, its state and why.

    ok: read in its rhythm. quiet: read well, and nothing as new as usual. stale: not read well for more than four
    times its rhythm. blind: its last reading failed. off: not read.
    """
    if context.invoked_subcommand is not None:
        return
    for name in state or ():
        choose(name, STATES, "state", "sources")
    rows = [row for row in rows_of(state_of(context).config) if not state or row.state in state]
    if as_json:
        typer.echo(json.dumps([_json(row) for row in rows], indent=2, ensure_ascii=False))
        return
    console = screen()
    for row in rows:
        _print(console, row)
    counted = Counter(row.state for row in rows)
    told = ", ".join(f"{counted[name]} {name}" for name in STATES if counted[name])
    say(console, f"{len(rows):,} source{'' if len(rows) == 1 else 's'}: {told or 'none'}")


def rows_of(config: Config) -> tuple[SourceRow, ...]:
    """Every source as it stands. Raises UserError if the crawler cannot list its cards."""
    from monitor import queries
    from monitor.running.programs import cards

    try:
        listed = cards(config.cards)
    except RuntimeError as error:
        raise UserError(str(error), FAILED) from error
    if config.database_is_missing:
        return queries.source_rows(None, config, listed, now(config))
    with database(config) as engine:
        return queries.source_rows(engine, config, listed, now(config))


def _json(row: SourceRow) -> dict[str, Any]:
    return {
        key: value.isoformat() if isinstance(value, date | datetime) else value for key, value in asdict(row).items()
    }


def _print(console: Console, row: SourceRow) -> None:
    marks = [mark for mark, holds in (("demo", row.demo), ("unverified", row.unverified)) if holds]
    head = Text(f"{row.id}  {row.jurisdiction}{f' {row.language}' if row.language else ''}  ")
    head.append(row.state, style=_STYLES[row.state]).append(f"  {clean(row.title)}{_listed(marks)}")
    console.print(head, soft_wrap=True, highlight=False)
    for line in _lines(row):
        console.print(Text(f"    {clean(line)}"), soft_wrap=True, highlight=False)


def _listed(marks: list[str]) -> str:
    return f" [{', '.join(marks)}]" if marks else ""


def _lines(row: SourceRow) -> list[str]:
    lines = [f"means: {row.means}"] if row.means else []
    if row.reason and row.state != "off":
        lines.append(f"reason: {row.reason}")
    lines += [f"warning: {warning}" for warning in row.warnings]
    if row.last_success_at is None:
        return [*lines, "never read well"]
    seen = f"read well {row.last_success_age} ago ({row.last_success_at:%Y-%m-%d %H:%M} UTC)"
    new = f"last new item {row.last_new_item_at:%Y-%m-%d}" if row.last_new_item_at else "nothing new since"
    lines.append("; ".join(part for part in (seen, new, _envelope(row)) if part))
    if row.backfilled_since:
        how = "read back" if row.backfill_done else "being read back"
        lines.append(f"{how} to {row.backfilled_since}")
    return lines


def _envelope(row: SourceRow) -> str:
    if row.listed is None:
        return f"{counted(row.records, 'record')} in the last run" if row.records is not None else ""
    least, most = row.expected_min, row.expected_max
    if least is None and most is None:
        return f"{row.listed:,} on its list"
    bounds = f"{least or 0:,} to {most:,}" if most is not None else f"at least {least:,}"
    return f"{row.listed:,} on its list, {bounds} expected"


@sources.command()
def on(context: typer.Context, source: SourceName) -> None:
    """Read this source from now on: writes `on: true` for it into the configuration."""
    _switch(context, source, on=True)


@sources.command()
def off(context: typer.Context, source: SourceName) -> None:
    """Read this source no more: writes `on: false` for it into the configuration. What was read stays."""
    _switch(context, source, on=False)


def _switch(context: typer.Context, source: str, *, on: bool) -> None:
    from monitor.config.edit import EditError, switch

    state = state_of(context)
    config = state.config
    names = {*installed_sources(config.cards), *(site.source_id for site in config.sites)}
    choose(source, names, "source", "exowatch sources")
    try:
        changed = switch(state.file, source, on=on, vocabulary=vocabulary())
    except EditError as error:
        raise UserError(str(error)) from error
    word = "on" if on else "off"
    typer.echo(f"{state.file}: {source} is {word}" if changed else f"{state.file}: {source} was {word} already")


@sources.command()
def check(context: typer.Context, source: SourceName) -> None:
    """Read one page of a source live and say, point by point, what still fits its card. Nothing is kept."""
    from monitor.commands.running import stopping
    from monitor.running.programs import Children
    from monitor.running.programs import check as ask

    state = state_of(context)
    config = state.config
    choose(
        source, {*installed_sources(config.cards), *(s.source_id for s in config.sites)}, "source", "exowatch sources"
    )
    if flaw := live_flaw(config):
        raise UserError(f"{state.file}: {flaw}")
    children = Children()
    with stopping(children):
        ended = ask(source, Path(state.file), children)
    if ended.output.strip():
        typer.echo(ended.output.rstrip())
    if ended.code:
        for line in ended.last_lines:
            typer.echo(line, err=True)
        raise typer.Exit(FAILED)
