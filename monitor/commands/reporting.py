"""`digest`, `landscape`: what a period brought, written as files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from monitor.commands.common import FAILED, MISUSED, UserError, database, day, state_of

Since = Annotated[str, typer.Option("--from", metavar="DATE", help="First day of another period (2026-01-01).")]
Until = Annotated[str, typer.Option("--to", metavar="DATE", help="Last day of it.")]
Jurisdictions = Annotated[
    list[str] | None, typer.Option(metavar="CODE", help="Only this one; may be given several times.")
]
Language = Annotated[str, typer.Option(metavar="CODE", help="en, de or fr; left out: the configuration's.")]


def digest(
    context: typer.Context,
    week: Annotated[str, typer.Option(metavar="WEEK", help="An ISO week such as 2026-W47; left out: this week.")] = "",
    since: Since = "",
    until: Until = "",
    jurisdiction: Jurisdictions = None,
    watchlist: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only what this one matched; may be given several times.")
    ] = None,
    language: Language = "",
    formats: Annotated[
        str, typer.Option("--format", metavar="FORMS", help="html, txt, pdf, json, eml, with commas between.")
    ] = "",
) -> None:
    """Write a digest as HTML, text and JSON, or in the forms asked for, and print where it lies."""
    state_of(context).config  # noqa: B018 - a wrong configuration stops here, with all that is wrong with it
    asked = [("week", week), *_days(since, until, week=week), ("language", language), ("format", formats)]
    _write(context, "digest", [*asked, *_each("jurisdiction", jurisdiction), *_each("watchlist", watchlist)])


def landscape(
    context: typer.Context,
    quarter: Annotated[
        str, typer.Option(metavar="QUARTER", help="A quarter such as 2026-Q4; left out: this one, so far.")
    ] = "",
    year: Annotated[str, typer.Option(metavar="YEAR", help="A whole year such as 2026.")] = "",
    since: Since = "",
    until: Until = "",
    jurisdiction: Jurisdictions = None,
    language: Language = "",
    form: Annotated[
        str, typer.Option("--format", metavar="FORMATS", help="Any of html,txt,pdf,json, with commas.")
    ] = "html,txt,json",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where to write; left out: landscapes/ in the data folder."),
    ] = None,
) -> None:
    """Write the landscape of a quarter, a year or other days, and print where it lies.

    Notices, claims, sellers, letters, trials, papers and rules in figures, compared with the period before; each says
    what it counts, and what is not known is said.
    """
    asked = [("quarter", quarter), ("year", year), *_days(since, until, quarter=quarter, year=year)]
    with database(state_of(context).config):
        pass  # a database that is new begins with the history that ships
    asked += [("language", language), ("format", form), ("out", str(out or ""))]
    _write(context, "landscape", [*asked, *_each("jurisdiction", jurisdiction)])


def _days(since: str, until: str, **others: str) -> list[tuple[str, str]]:
    """The first and last day, as they were given. Raises UserError for half of a period, and for two of them."""
    named = [f"--{name}" for name in others]
    if bool(since) != bool(until):
        raise UserError(f"--from and --to go together; give both, or {' or '.join(named)}")
    if sum(map(bool, (since, *others.values()))) > 1:
        raise UserError(f"give one of {', '.join(named)}, and --from with --to")
    days = ((since, "--from"), (until, "--to"))
    return [(option.removeprefix("--"), day(text, option).isoformat()) for text, option in days if text]


def _each(name: str, values: Iterable[str] | None) -> list[tuple[str, str]]:
    return [(name, value) for value in values or ()]


def _write(context: typer.Context, report: str, asked: Iterable[tuple[str, str]]) -> None:
    """Let reports write it. Its output names the files, and its complaint is told."""
    from monitor.running.programs import Children, write_report

    options = [f"--{name}={value}" for name, value in asked if value]
    ended = write_report(state_of(context).file, Children(), report, options)
    if ended.output.strip():
        typer.echo(ended.output.strip())
    if ended.code:
        raise UserError(ended.complaint, ended.code if ended.code == MISUSED else FAILED)
