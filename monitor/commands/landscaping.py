"""`landscape`: the evolving picture of a quarter or a year."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.commands.common import FAILED, MISUSED, UserError, database, day, state_of


def landscape(
    context: typer.Context,
    quarter: Annotated[
        str, typer.Option(metavar="QUARTER", help="A quarter such as 2026-Q4; left out: this one, so far.")
    ] = "",
    year: Annotated[str, typer.Option(metavar="YEAR", help="A whole year such as 2026.")] = "",
    since: Annotated[
        str, typer.Option("--from", metavar="DATE", help="First day of another period (2026-01-01).")
    ] = "",
    until: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day of it.")] = "",
    jurisdiction: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="Only this one; may be given several times.")
    ] = None,
    language: Annotated[str, typer.Option(metavar="LANGUAGE", help="en, de or fr.")] = "en",
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
    from monitor.programs import Children, write_landscape

    state = state_of(context)
    if bool(since) != bool(until):
        raise UserError("--from and --to go together; give both, or --quarter or --year")
    if sum(map(bool, (quarter, year, since))) > 1:
        raise UserError("give one of --quarter, --year, and --from with --to")
    with database(state.config):
        pass  # a database that is new begins with the history that ships
    arguments = ["--language", language, "--format", form]
    arguments += ["--quarter", quarter] if quarter else []
    arguments += ["--year", year] if year else []
    if since:
        arguments += ["--from", day(since, "--from").isoformat(), "--to", day(until, "--to").isoformat()]
    for code in jurisdiction or ():
        arguments += ["--jurisdiction", code]
    arguments += ["--out", str(out)] if out else []
    ended = write_landscape(state.file, Children(), arguments)
    if ended.output.strip():
        typer.echo(ended.output.strip())
    if ended.code:
        raise UserError(ended.complaint, ended.code if ended.code == MISUSED else FAILED)
