"""`outbox`: what was sent, what waits, what failed; sending it, and who wants no more."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from monitor.commands.common import FAILED, MISUSED, UserError, choose, clean, database, say, screen, state_of
from monitor.config import Config
from monitor.config.delivery import mail_address
from monitor.config.file import nearest

if TYPE_CHECKING:
    from monitor.queries.outbox import LetterRow

outbox = typer.Typer(
    name="outbox",
    help="What is sent to people: what waits, what failed, who wants no more.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@outbox.callback()
def listing(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Letters to show.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Without a command: the newest letters with their state, and the addresses that are sent nothing."""
    if context.invoked_subcommand is not None:
        return
    from monitor import queries

    with database(state_of(context).config) as engine:
        rows, held = queries.letters(engine, limit=limit), queries.suppressions(engine)
        counts = queries.outbox_standing(engine).counts
    if as_json:
        told = {
            "counts": counts,
            "letters": [asdict(row) for row in rows],
            "suppressions": [asdict(row) for row in held],
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2, default=_plain))
        return
    console = screen()
    if rows:
        table = Table("id", "state", "to", "what", "when", "remark", box=None, padding=(0, 2, 0, 0))
        for row in rows:
            table.add_row(
                str(row.id), row.state, Text(clean(row.recipient)), Text(clean(row.subject)[:80]), _when(row),
                Text(clean(row.error)),
            )  # fmt: skip
        console.print(table, highlight=False)
    say(
        console, ", ".join(f"{number:,} {state}" for state, number in sorted(counts.items())) or "Nothing was sent yet."
    )
    for entry in held:
        reason = f": {clean(entry.reason)}" if entry.reason else ""
        say(console, f"not sent to {entry.address} ({entry.scope}): {entry.cause} {entry.at:%Y-%m-%d}{reason}")


def _plain(value: Any) -> str:
    return str(value.isoformat())


def _when(row: LetterRow) -> str:
    if row.sent_at:
        return f"sent {row.sent_at:%Y-%m-%d %H:%M}"
    if row.next_attempt and row.attempts:
        return f"again {row.next_attempt:%Y-%m-%d %H:%M}"
    return f"{row.created_at:%Y-%m-%d %H:%M}"


@outbox.command()
def send(
    context: typer.Context,
    week: Annotated[
        str,
        typer.Option(
            metavar="WEEK", help="That week's digest (2026-W47) for everyone who gets one, whatever their time."
        ),
    ] = "",
    dry: Annotated[
        bool, typer.Option("--dry", help="Write .eml files into the data folder's outbox instead; change nothing.")
    ] = False,
) -> None:
    """Send what is due and what waits. Nothing is sent twice: do it as often as you like."""
    _post(context, [*(["--week", week] if week else []), *(["--dry"] if dry else [])])


@outbox.command()
def test(
    context: typer.Context,
    to: Annotated[str, typer.Argument(metavar="ADDRESS", help="A mail address, or a channel's or webhook's name.")],
) -> None:
    """Send one test, and say what the server answered."""
    from monitor.watching import outbox as letters

    config = state_of(context).config
    address = _someone(config, to)
    with database(config) as engine:
        held = [why for scope in letters.SCOPES if (why := letters.is_suppressed(engine, address, scope))]
    if held:
        raise UserError(
            f"{address}: no test was sent, for it is sent nothing ({held[0]}); if its owner wants that again: "
            f"exowatch outbox unsuppress {address}"
        )
    _post(context, ["--test", to])


def _post(context: typer.Context, arguments: list[str]) -> None:
    from monitor.commands.running import stopping
    from monitor.running.programs import Children, post

    state = state_of(context)
    if "--test" not in arguments and not state.config.targets:
        raise UserError(f"{state.file}: nobody to send to; add recipients:, channels: or webhooks:", MISUSED)
    children = Children()
    with stopping(children):
        ended = post(state.file, children, arguments)
    if ended.output.strip():
        typer.echo(ended.output.strip())
    elif "--dry" in arguments and not ended.code:
        typer.echo("nothing is due: no file was written")
    if ended.code:
        raise UserError("\n".join(ended.last_lines) or "some letters failed: exowatch outbox", _code(ended.code))


def _code(code: int) -> int:
    return MISUSED if code == MISUSED else FAILED


def _someone(config: Config, name: str) -> str:
    """Whom letters can go to: a channel or webhook by its name, or any mail address, as mail writes it."""
    names = [target.key for target in config.targets]
    if name in names:
        return name
    try:
        return mail_address(name)
    except ValueError as error:
        told = nearest(name, names) or "; a mail address looks like anna@example.org"
        raise UserError(f"{clean(name)}: no mail address, and no channel or webhook of that name{told}") from error


@outbox.command()
def retry(
    context: typer.Context,
    letter: Annotated[int, typer.Argument(metavar="ID", help="Its number, as `exowatch outbox` shows it.")],
) -> None:
    """Let a letter that failed, or was held back, go again with the next sending."""
    from datetime import UTC, datetime

    from monitor.watching import outbox as letters

    with database(state_of(context).config) as engine:
        flaw = letters.retry(engine, letter, now=datetime.now(UTC))
    if flaw:
        raise UserError(f"letter {letter}: {flaw}")
    typer.echo(f"letter {letter}: waits; exowatch outbox send")


@outbox.command()
def suppress(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Whom nothing more is sent.")],
    scope: Annotated[str, typer.Option(metavar="SCOPE", help="all, digest or alert.")] = "all",
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why.")] = "",
) -> None:
    """Send an address nothing more; what waits for it is held back."""
    from monitor.config import now
    from monitor.watching import outbox as letters

    choose(scope, letters.SCOPES, "scope", "outbox suppress")
    config = state_of(context).config
    address = _someone(config, address)
    with database(config) as engine:
        letters.suppress(engine, address, scope, cause="by hand", reason=reason, now=now(config))
    typer.echo(f"{address}: is sent nothing more ({scope})")


@outbox.command()
def unsuppress(
    context: typer.Context,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who is sent to again.")],
) -> None:
    """Send to an address again, from now on. Only do this when its owner asked for it."""
    from monitor.watching import outbox as letters

    with contextlib.suppress(ValueError):  # what is held may be no address, and has to come out all the same
        address = mail_address(address)
    with database(state_of(context).config) as engine:
        removed = letters.unsuppress(engine, address)
    if not removed:
        raise UserError(f"{address}: nothing is held back from it; exowatch outbox shows who is")
    typer.echo(f"{address}: is sent to again; what was held back goes with exowatch outbox retry ID")
