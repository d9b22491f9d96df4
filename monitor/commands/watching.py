"""`watch check` and `watch try`: what a watchlist can catch, and what it would have caught."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.commands.common import FAILED, OK, choose, clean, counted, database, knowledge, say, screen, state_of
from monitor.config import now

if TYPE_CHECKING:
    from monitor.watching.views import EventView
    from monitor.watching.watchlists import Match, Trial

watch = typer.Typer(no_args_is_help=True, help="Watchlists: check them, try them on the past.")
_SHOWN = 200


@watch.command()
def check(context: typer.Context) -> None:
    """Find lists that can never match, that match everything, or that have run out.

    Exit code 1 if there is one.
    """
    from monitor.watching.check import check_lists, severity_ceilings

    state = state_of(context)
    config = state.config
    ceilings = severity_ceilings(knowledge().law, config.jurisdictions)
    findings = check_lists(config, now(config).date(), ceilings)
    for finding in findings:
        typer.echo(f"{state.file}: {finding.watchlist}: {finding.level}: {finding.message}")
    errors = sum(finding.level == "error" for finding in findings)
    told = counted(errors, "error"), counted(len(findings) - errors, "warning")
    typer.echo(f"{counted(len(config.watchlists), 'watchlist')}: {', '.join(told)}")
    raise typer.Exit(FAILED if errors else OK)


@watch.command(name="try")
def try_(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The list's name in the configuration.")],
    days: Annotated[int, typer.Option(min=1, max=3660, metavar="N", help="How far to look back.")] = 90,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a list would have caught in the past days, and why; nothing is saved or sent."""
    from monitor.watching.watchlists import try_list

    config = state_of(context).config
    choose(name, (each.name for each in config.watchlists), "watchlist", "the configuration")
    watchlist = next(each for each in config.watchlists if each.name == name)
    with database(config) as engine:
        trial = try_list(engine, watchlist, days=days, now=now(config))
    if as_json:
        typer.echo(json.dumps(_json(trial), indent=2, ensure_ascii=False))
        return
    _print(screen(), name, days, trial)


def _json(trial: Trial) -> dict[str, Any]:
    return {
        "since": trial.since.isoformat(),
        "until": trial.until.isoformat(),
        "events": trial.events,
        "history": trial.history,
        "a_week": round(trial.a_week, 1),
        "noisy": trial.is_noisy,
        "caught": [
            {
                "event": view.id,
                "kind": view.kind,
                "at": view.at.isoformat(),
                "severity": view.severity,
                "jurisdictions": sorted(view.jurisdictions),
                "headline": view.headline,
                "why": [reason.to_json() for reason in match.why],
            }
            for view, match in trial.caught
        ],
    }


def _print(console: Console, name: str, days: int, trial: Trial) -> None:
    table = Table("when", "what", "where", "headline", "why", box=None, padding=(0, 2, 0, 0))
    for view, match in trial.caught[-_SHOWN:]:
        what = view.kind.replace("_", " ") + (f" ({view.severity})" if view.severity else "")
        table.add_row(f"{view.at:%Y-%m-%d}", what, " ".join(sorted(view.jurisdictions)), _headline(view), _why(match))
    if trial.caught:
        console.print(table, highlight=False)
    if len(trial.caught) > _SHOWN:
        say(console, f"the last {_SHOWN} are shown; --json gives all")
    console.print(
        Text(
            f"{name}: {len(trial.caught):,} of {counted(trial.events, 'event')} in {counted(days, 'day')} "
            f"({trial.a_week:.1f} a week)"
        )
    )
    if trial.history:
        say(
            console,
            f"{trial.history:,} more are history: they were there when their source was read first, and alert nobody",
        )
    if trial.is_noisy:
        advice = "add exclude:, categories: or min_severity: to narrow it"
        say(console, f"NOISY: that is more than people read; {advice}")


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


def _headline(view: EventView) -> Text:
    text = _one_line(view.headline)
    return Text(text if len(text) <= 120 else text[:119] + "…")


def _why(match: Match) -> Text:
    parts = []
    for reason in match.why:
        said = "" if reason.quote == reason.term else f" ({_one_line(reason.quote)})"
        parts.append(f"{reason.criterion} {reason.term}{said}")
    return Text("; ".join(parts))
