"""`exowatch` alone, and `exowatch sources`: where things stand."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.commands.common import FAILED, State, UserError, clean, database, say, screen, state_of
from monitor.config import Config, live_flaw, now

if TYPE_CHECKING:
    from monitor.queries.rows import Standing


def where_things_stand(state: State) -> None:
    """Print the last runs, what is blind, what waits, what comes next, and the next useful command."""
    console = screen()
    if not state.file.exists() and state.config_option is None:
        raise UserError(
            f"{state.file}: no such file here; go to the folder that has it, or give it: exowatch --config FILE"
        )
    config = state.config
    if config.database_is_missing:
        say(console, "Nothing has been read yet.")
        _next(console, config, state, None)
        return
    from monitor import queries

    with database(config) as engine:
        standing = queries.standing(engine)
    _print_standing(console, standing)
    _print_schedule(console, config, standing)
    _next(console, config, state, standing)


def _print_standing(console: Console, standing: Standing) -> None:
    mode = "  (rehearsal: not read from the web)" if standing.rehearsal else ""
    say(
        console,
        f"{standing.notices:,} notices, {standing.claims_live:,} standing claims, "
        f"{standing.organisations:,} organisations{mode}",
    )
    if standing.last_runs:
        table = Table("source", "last run", "state", "what it brought", box=None, padding=(0, 2, 0, 0))
        for run in standing.last_runs[:20]:
            brought = ", ".join(f"{number} {kind.replace('_', ' ')}" for kind, number in sorted(run.changes.items()))
            state = "[red]not taken in[/]" if run.state == "quarantined" else "taken in"
            table.add_row(run.source_id, _moment(run.finished_at), state, brought or "nothing new")
        console.print(table, highlight=False)
    for source in standing.blind:
        since = f" since {_moment(source.since)}" if source.since else ""
        console.print(f"[bold red]BLIND[/] {source.id}{since}: ", end="", highlight=False)
        console.print(source.reason, markup=False, highlight=False)
    waiting = standing.waiting
    by_kind = f"{waiting.flag:,} flagged, {waiting.review:,} to review ({waiting.high:,} of High severity)"
    say(console, f"waiting for a person: {by_kind}")
    digest = standing.last_digest
    if digest:
        say(console, f"last digest: {digest.name}, {_moment(digest.written_at)}")


def _print_schedule(console: Console, config: Config, standing: Standing) -> None:
    from monitor.clock import next_reading

    last = {source.id: source.last_run_at for source in standing.sources}
    planned = next_reading(config, last, now(config))
    if planned:
        source_id, at, overdue = planned
        when = "overdue" if overdue else f"at {_moment(at)}"
        say(console, f"next on the clock: {source_id}, {when} (exowatch schedule)")


def _next(console: Console, config: Config, state: State, standing: Standing | None) -> None:
    flaw = live_flaw(config)
    if flaw:
        say(console, f"next: edit {state.file}: {flaw}")
    elif standing is None or not standing.last_runs:
        say(console, "next: exowatch run")
    elif standing.blind:
        say(console, f"next: exowatch run --source {standing.blind[0].id}")
    elif standing.waiting.total:
        say(console, "next: exowatch serve")
    else:
        say(console, "next: exowatch schedule")


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"


def sources(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Every source that can be read: is it on, how it stands, when it was read last."""
    from monitor import queries
    from monitor.programs import cards

    config = state_of(context).config
    try:
        listed = cards()
    except RuntimeError as error:
        raise UserError(str(error), FAILED) from error
    standing: dict[str, Any] = {}
    if not config.database_is_missing:
        with database(config) as engine:
            standing = {source.id: source for source in queries.sources(engine)}
    rows = [_row(card["id"], card["title"], card["jurisdiction"], config, standing) for card in listed]
    rows += [
        _row(site.source_id, site.name or site.url, site.country.lower(), config, standing) for site in config.sites
    ]
    shown = {row["id"] for row in rows}
    rows += [
        _row(source.id, source.title, source.jurisdiction, config, standing)
        for source in standing.values()
        if source.id not in shown
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = Table("source", "", "on", "state", "last read well", "title", box=None, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(
            row["id"],
            row["jurisdiction"],
            "on" if row["on"] else "off",
            Text(clean(row["state"] + (f": {row['reason']}" if row["reason"] else ""))),
            (row["last_success_at"] or "never")[:16].replace("T", " "),
            Text(clean(row["title"])),
        )
    screen().print(table, highlight=False, markup=False)


def _row(source_id: str, title: str, jurisdiction: str, config: Config, standing: dict[str, Any]) -> dict[str, Any]:
    choice, site, known = config.sources.get(source_id), config.site_of(source_id), standing.get(source_id)
    state = "never read" if known is None else "blind" if known.blind else "ok"
    return {
        "id": source_id,
        "title": title,
        "jurisdiction": jurisdiction,
        "on": bool((choice and choice.on) or (site and site.on)),
        "state": state,
        "reason": known.reason if known else "",
        "last_run_at": known.last_run_at.isoformat() if known and known.last_run_at else None,
        "last_success_at": known.last_success_at.isoformat() if known and known.last_success_at else None,
    }
