"""`exowatch`: the command line. Commands live in `monitor.commands`; here are the front door and the exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from monitor.commands import (
    asking,
    backfilling,
    discovering,
    explaining,
    exporting,
    knowledge,
    learning,
    marketing,
    pages,
    posting,
    products,
    proving,
    reporting,
    reviewing,
    running,
    sources,
    status,
    sweeping,
    watching,
)
from monitor.commands.common import FAILED, MISUSED, State, UserError, database, state_of
from monitor.config import ConfigError

app = typer.Typer(
    name="exowatch",
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
        status.where_things_stand(context.obj)


def schedule(context: typer.Context) -> None:
    """Read and report on the clock, until SIGTERM; what is overdue is done at the start."""
    import logging

    from monitor.locks import BusyError, hold
    from monitor.schedule import Clock

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


app.command()(running.run)
app.command()(schedule)
app.command()(asking.search)
app.command()(pages.page)
app.add_typer(marketing.market, name="market")
app.add_typer(products.products, name="products")
app.command()(asking.serve)
app.command()(reporting.digest)
app.command()(exporting.export)
app.command()(exporting.feed)
app.command()(exporting.feeds)
app.command()(reporting.landscape)
app.add_typer(watching.watch, name="watch")
app.add_typer(posting.outbox, name="outbox")
app.command()(asking.judge)
app.command()(explaining.explain)
app.add_typer(knowledge.knowledge, name="knowledge")
app.add_typer(reviewing.review, name="review")
app.command()(learning.evaluate)
app.command()(learning.train)
app.add_typer(sources.sources, name="sources")
app.command()(backfilling.backfill)
app.add_typer(backfilling.history, name="history")
app.add_typer(discovering.discover, name="discover")
app.command()(sweeping.sweep)
app.command()(running.intake)
app.add_typer(proving.evidence, name="evidence")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; errors that the user can put right are one line each, and no traceback."""
    try:
        app(args=arguments, prog_name="exowatch")
    except ConfigError as error:
        _fail(str(error), MISUSED)
    except UserError as error:
        _fail(str(error), error.code)


def _fail(message: str, code: int) -> None:
    sys.stderr.write(message + "\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
