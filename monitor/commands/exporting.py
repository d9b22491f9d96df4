"""`export`, `feed`, `feeds`: tables and feeds as files, and where the site has them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from monitor.commands.common import database, day, state_of

Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write; left out: standard output.")]
Many = list[str] | None
Watchlist = Annotated[str, typer.Option(metavar="NAME", help="What met this watchlist, and why.")]
Jurisdictions = Annotated[Many, typer.Option(metavar="CODE", help="May be given several times: any of them.")]
Categories = Annotated[Many, typer.Option(metavar="CATEGORY", help="May be given several times.")]
Severities = Annotated[Many, typer.Option(metavar="SEVERITY", help="May be given several times.")]
Sources = Annotated[Many, typer.Option(metavar="ID", help="May be given several times.")]
Kinds = Annotated[Many, typer.Option(metavar="KIND", help="Kind of event; may be given several times.")]
History = Annotated[bool, typer.Option("--history", help="With what first readings brought, and other matters.")]


def export(
    context: typer.Context,
    table: Annotated[str, typer.Argument(help="Name of the table; left out: prints which there are.")] = "",
    form: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", help="csv, xlsx, json or jsonl; left out: as FILE ends, or csv."),
    ] = "",
    jurisdiction: Annotated[str, typer.Option(metavar="CODE", help="us, uk, eu, ca …")] = "",
    category: Annotated[str, typer.Option(metavar="CATEGORY", help="Category of claim.")] = "",
    severity: Annotated[str, typer.Option(metavar="SEVERITY", help="High, Medium or Low.")] = "",
    source: Annotated[str, typer.Option(metavar="ID", help="Id of a source.")] = "",
    kind: Annotated[str, typer.Option(metavar="KIND", help="Kind of event, or type of notice.")] = "",
    watchlist: Annotated[str, typer.Option(metavar="NAME", help="What met this watchlist.")] = "",
    since: Annotated[str, typer.Option(metavar="DATE", help="From this day on (UTC).")] = "",
    until: Annotated[str, typer.Option(metavar="DATE", help="Up to this day, it included (UTC).")] = "",
    claim: Annotated[str, typer.Option(metavar="N", help="Number of a claim.")] = "",
    notice: Annotated[str, typer.Option(metavar="N", help="Number of a notice.")] = "",
    page: Annotated[str, typer.Option(metavar="N", help="Number of a page.")] = "",
    product: Annotated[str, typer.Option(metavar="N", help="Number of a product.")] = "",
    organisation: Annotated[str, typer.Option(metavar="N", help="Number of an organisation.")] = "",
    about: Annotated[
        str, typer.Option("--object", metavar="WHAT:N", help="Of events, what they are about: claim:12.")
    ] = "",
    out: Out = None,
) -> None:
    """Write a whole table as CSV, XLSX, JSON or JSON lines."""
    given = {
        "format": form,
        "jurisdiction": jurisdiction,
        "category": category,
        "severity": severity,
        "source": source,
        "kind": kind,
        "watchlist": watchlist,
        "since": day(since, "--since").isoformat() if since else "",
        "until": day(until, "--until").isoformat() if until else "",
        "claim": claim,
        "notice": notice,
        "page": page,
        "product": product,
        "organisation": organisation,
        "object": about,
        "out": str(out) if out else "",
    }
    _become(context, "export", [table] if table else [], given)


def feed(
    context: typer.Context,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="atom, rss or json; left out: as FILE ends, or atom.")
    ] = "",
    watchlist: Watchlist = "",
    jurisdiction: Jurisdictions = None,
    category: Categories = None,
    severity: Severities = None,
    source: Sources = None,
    kind: Kinds = None,
    history: History = False,
    address: Annotated[str, typer.Option(metavar="URL", help="Where FILE will be published, its name included.")] = "",
    out: Out = None,
) -> None:
    """Write a feed to a file, with its archives beside it: for readers who have no site."""
    given = {"format": form, "watchlist": watchlist, "address": address, "out": str(out) if out else ""}
    _become(context, "feed", _narrowed(jurisdiction, category, severity, source, kind, history=history), given)


def feeds(
    context: typer.Context,
    watchlist: Watchlist = "",
    jurisdiction: Jurisdictions = None,
    category: Categories = None,
    severity: Severities = None,
    source: Sources = None,
    kind: Kinds = None,
    history: History = False,
) -> None:
    """Print the addresses under which the site gives feeds."""
    narrowed = _narrowed(jurisdiction, category, severity, source, kind, history=history)
    _become(context, "feeds", narrowed, {"watchlist": watchlist})


def _narrowed(*filters: Many, history: bool) -> list[str]:
    names = ("jurisdiction", "category", "severity", "source", "kind")
    given = [f"--{name}={value}" for name, values in zip(names, filters, strict=True) for value in values or ()]
    return [*given, "--history"] if history else given


def _become(context: typer.Context, command: str, arguments: Sequence[str], given: Mapping[str, str]) -> None:
    """Become the reports' program: what it writes may be long, and goes straight to whoever reads it."""
    from monitor.running.programs import REPORTS, replace_with

    state = state_of(context)
    with database(state.config):
        pass  # brought up to date, with what shipped: reports only read
    sys.stdout.flush()
    options = [f"--{name}={value}" for name, value in given.items() if value]
    replace_with([*REPORTS, command, *arguments, "--config", str(state.file), *options])
