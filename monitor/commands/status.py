"""`exowatch` alone: where things stand."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from monitor.commands.common import State, UserError, clean, counted, counts, database, say, screen
from monitor.config import Config, live_flaw, now

if TYPE_CHECKING:
    from monitor.queries.market import SiteRow
    from monitor.queries.outbox import Outbox
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
        standing, outbox = queries.standing(engine), queries.outbox_standing(engine, shown=5)
        sites = queries.market(engine, config, now(config))
    _print_standing(console, standing)
    _print_market(console, sites)
    _print_landscape(console, config)
    _print_outbox(console, config, outbox)
    _print_schedule(console, config, standing)
    _next(console, config, state, standing)


def _print_standing(console: Console, standing: Standing) -> None:
    mode = "  (rehearsal: not read from the web)" if standing.rehearsal else ""
    say(
        console,
        f"{counted(standing.notices, 'notice')}, {counted(standing.claims_live, 'standing claim')}, "
        f"{counted(standing.organisations, 'organisation')}{mode}",
    )
    if standing.last_runs:
        table = Table("source", "last run", "state", "what it brought", box=None, padding=(0, 2, 0, 0))
        for run in standing.last_runs[:20]:
            state = "[red]not taken in[/]" if run.state == "quarantined" else "taken in"
            table.add_row(run.source_id, _moment(run.finished_at), state, counts(run.changes) or "nothing new")
        console.print(table, highlight=False)
    for source in standing.blind:
        since = f" since {_moment(source.since)}" if source.since else ""
        console.print(f"[bold red]{source.state.upper()}[/] {source.id}{since}: ", end="", highlight=False)
        console.print(source.reason, markup=False, highlight=False)
    waiting = standing.waiting
    by_kind = f"{waiting.flag:,} flagged, {waiting.review:,} to review ({waiting.high:,} of High severity)"
    say(console, f"waiting for a person: {by_kind}")
    digest = standing.last_digest
    if digest:
        say(console, f"last digest: {digest.name}, {_moment(digest.written_at)}")


def _print_market(console: Console, sites: tuple[SiteRow, ...]) -> None:
    read = [site for site in sites if site.state != "off"]
    if not read:
        say(console, "market: no seller's site is read; add one with exowatch market add URL")
        return
    states = Counter(site.state for site in read)
    told = "".join(f", {states[state]:,} {state}" for state in ("blind", "stale", "new") if states[state])
    pages, products = sum(site.pages for site in read), sum(site.products for site in read)
    held = f"{counted(pages, 'page')}, {counted(products, 'product')}"
    say(console, f"market: {counted(len(read), 'site')}{told}; {held} (exowatch market)")


def _print_landscape(console: Console, config: Config) -> None:
    """The landscape written last, by its folder: no table knows of it."""
    written = {file: file.stat().st_mtime for file in config.landscapes_folder.glob("*.*")}
    if not written:
        say(console, "landscape: none was written yet (exowatch landscape)")
        return
    last = max(written, key=written.__getitem__)
    say(console, f"last landscape: {clean(last.stem)}, {_moment(datetime.fromtimestamp(written[last], UTC))}")


def _print_outbox(console: Console, config: Config, outbox: Outbox) -> None:
    for letter in outbox.failed:
        console.print("[bold red]NOT SENT[/] ", end="", highlight=False)
        say(console, f"letter {letter.id} to {letter.recipient} ({letter.key}): {clean(letter.error)}")
    more = outbox.counts.get("failed", 0) - len(outbox.failed)
    if more > 0:
        say(console, f"{more:,} more were not sent: exowatch outbox")
    if outbox.waiting:
        delayed = f"; {clean(outbox.delayed[0].error)}" if outbox.delayed else ""
        say(console, f"outbox: {outbox.waiting:,} waiting{delayed} (exowatch outbox)")
    elif config.targets:
        say(console, f"outbox: nothing waits, {counted(outbox.counts.get('sent', 0), 'letter')} sent (exowatch outbox)")


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
