"""`exowatch`: the command line. Commands live in `monitor.commands`; here are the front door and the exit codes."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from monitor.commands.common import FAILED, MISUSED, State, UserError, database, state_of
from monitor.commands.late import Given, front_of

atexit.register(gc.freeze)  # nothing is looked for in what the process held: that takes a sixth of a short command
gc.set_threshold(50_000)  # a start makes many things and drops few: to look through them often takes a twentieth of it


def schedule(context: typer.Context) -> None:
    """Read and report on the clock, until SIGTERM; what is overdue is done at the start."""
    import logging

    from monitor.commands import running
    from monitor.locks import BusyError, hold
    from monitor.running.schedule import Clock

    state = state_of(context)
    config = state.config
    running.must_be_ready(state)
    with database(config):
        pass  # reached and brought up to date before anything is started
    logging.basicConfig(
        stream=sys.stdout, level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z"
    )
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        with hold(config.data / "locks", "schedule"):
            Clock(config, state.file).run()
    except BusyError as busy:
        raise UserError(f"the schedule is running already ({busy}); stop that one first", FAILED) from busy


_COMMANDS: dict[str, Given] = {
    "run": "running.run",
    "schedule": schedule,
    "search": "asking.search",
    "page": "pages.page",
    "serve": "asking.serve",
    "digest": "reporting.digest",
    "export": "exporting.export",
    "feed": "exporting.feed",
    "feeds": "exporting.feeds",
    "landscape": "reporting.landscape",
    "judge": "asking.judge",
    "explain": "explaining.explain",
    "evaluate": "learning.evaluate",
    "train": "learning.train",
    "backfill": "backfilling.backfill",
    "sweep": "sweeping.sweep",
    "intake": "running.intake",
    "market": "marketing.market",
    "products": "products.products",
    "watch": "watching.watch",
    "outbox": "posting.outbox",
    "knowledge": "knowledge.knowledge",
    "review": "reviewing.review",
    "sources": "sources.sources",
    "history": "backfilling.history",
    "discover": "discovering.discover",
    "evidence": "proving.evidence",
}
"""In the order in which help lists them; by module of `monitor.commands` and name there, loaded when asked for."""

app = typer.Typer(
    name="exowatch",
    cls=front_of(_COMMANDS),
    help="Regulatory and product-safety monitoring of stem cell exosome products.",
    epilog="Exit codes: 0 all well; 1 something failed or was found wrong; 2 wrong configuration, argument or input; "
    "143 stopped as asked.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"exowatch {version('exowatch')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def front(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Configuration; left out: $EXOWATCH_CONFIG or ./config.yaml.")
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Without a command: where things stand, and the next useful command."""
    context.obj = State(config)
    if context.invoked_subcommand is None:
        from monitor.commands import status

        status.where_things_stand(context.obj)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; errors that the user can put right are one line each, and no traceback."""
    try:
        app(args=arguments, prog_name="exowatch")
    except UserError as error:
        _fail(str(error), error.code)
    except Exception as error:
        from monitor.config import ConfigError  # where it was raised it is loaded already

        if not isinstance(error, ConfigError):
            raise
        _fail(str(error), MISUSED)


def _fail(message: str, code: int) -> None:
    sys.stderr.write(message + "\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
