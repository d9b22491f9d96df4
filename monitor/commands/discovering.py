"""`exowatch discover`: sites that nobody reads yet, why they are proposed, and what a person decides about them."""

from __future__ import annotations

import getpass
import json
import signal
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.commands.common import (
    FAILED,
    OK,
    State,
    UserError,
    clean,
    counted,
    database,
    knowledge,
    say,
    screen,
    state_of,
)
from monitor.config import Config, now

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Engine

    from monitor.discovery.proposals import Discovered, Proposal
    from monitor.tables.leads import Choice

STOPPED = 128 + signal.SIGTERM
_REASONS_SHOWN = 4
SiteName = Annotated[str, typer.Argument(metavar="SITE", help="As `exowatch discover` shows it, or an address of it.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="Why; others will read it.")]
By = Annotated[str, typer.Option(metavar="NAME", help="Who decides; left out: your login name.")]
discover = typer.Typer(invoke_without_command=True, help="New sites: what points to them, and deciding about them.")


@discover.callback()
def show(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Also sites that little points to.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Sites to show.")] = 30,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Sites that nobody reads yet, with the reasons for proposing each, the strongest first.

    Named in a regulator's notice; linked from a known seller's page; the same product names as a known seller's;
    found in an archive by `exowatch sweep`; captured by Common Crawl under a telling address. What a person refused is
    not proposed again.
    """
    if context.invoked_subcommand is not None:
        return
    from monitor.discovery.gathering import gather_links
    from monitor.discovery.proposals import discover as look

    config = state_of(context).config
    known = knowledge()
    with database(config) as engine:
        gathered = gather_links(engine, config, known)
        found = look(engine, config, known)
    shown = (*found.proposed, *(found.weak if everything else ()))
    for problem in gathered.unread:
        typer.echo(clean(f"could not look at the links of {problem}"), err=True)
    if as_json:
        for proposal in shown[:limit]:
            typer.echo(json.dumps(_json(proposal), ensure_ascii=False))
        return
    _tell(screen(), found, shown, limit)


def _tell(console: Console, found: Discovered, shown: Sequence[Proposal], limit: int) -> None:
    for proposal in shown[:limit]:
        _print(console, proposal)
    if found.accepted:
        say(console, "Accepted, and not in the configuration yet. Put under sites: in your configuration:")
        say(console, _entries(found.accepted))
    hidden = 0 if set(found.weak) <= set(shown) else len(found.weak)
    more = (
        f"{len(shown) - limit:,} further, see --limit" if len(shown) > limit else "",
        f"{hidden:,} that little points to, see --all" if hidden else "",
        f"{found.refused:,} refused" if found.refused else "",
    )
    told = "; ".join(part for part in more if part)
    say(console, f"{counted(len(shown), 'site')} proposed{f' ({told})' if told else ''}")
    if shown:
        say(console, "Decide with `exowatch discover accept SITE --why …` or `exowatch discover refuse SITE --why …`.")


def _json(proposal: Proposal) -> dict[str, Any]:
    return {**asdict(proposal), "weight": proposal.weight}


def _print(console: Console, proposal: Proposal) -> None:
    name = f"  {proposal.name}" if proposal.name else ""
    say(console, clean(f"{proposal.site}  {proposal.url}{name}"))
    for reason in proposal.reasons[:_REASONS_SHOWN]:
        say(console, clean(f"    {reason.why}  {reason.url}"))
    if len(proposal.reasons) > _REASONS_SHOWN:
        say(console, f"    and {len(proposal.reasons) - _REASONS_SHOWN} more")


def _entries(proposals: Iterable[Proposal]) -> str:
    text = "".join(proposal.entry() for proposal in proposals)
    return "\n".join(f"  {clean(line)}" for line in text.splitlines())


@discover.command()
def add(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILES", help="Outputs of `exowatch sweep`, or addresses.jsonl files.")
    ],
) -> None:
    """Take up what a sweep or a question to Common Crawl found. What is held already is not taken up twice."""
    from monitor.discovery.gathering import LinesError, add_file

    with database(state_of(context).config) as engine:
        for file in files:
            try:
                gathered = add_file(engine, file)
            except LinesError as error:
                raise UserError(str(error)) from error
            typer.echo(f"{file}: {gathered.looked_at:,} leads, {gathered.new:,} of them new")


@discover.command()
def ask(
    context: typer.Context,
    patterns: Annotated[
        list[str] | None,
        typer.Argument(metavar="SITES", help="Sites, or addresses ending in *; left out: the sites proposed."),
    ] = None,
    sites: Annotated[int, typer.Option(min=1, max=100, metavar="N", help="Proposed sites to ask about.")] = 10,
    newest: Annotated[int, typer.Option(min=1, max=24, metavar="N", help="Common Crawl's newest N crawls.")] = 1,
    fetch: Annotated[int, typer.Option(min=0, max=2000, metavar="N", help="Fetch the N most telling pages too.")] = 20,
) -> None:
    """Ask Common Crawl what it holds of sites at telling addresses; the sites themselves are not touched."""
    from monitor.discovery.proposals import discover as look

    state = state_of(context)
    config, known = state.config, knowledge()
    with database(config) as engine:
        asked = patterns or [one.site for one in look(engine, config, known).proposed[:sites]]
        if not asked:
            raise UserError(
                "no site is proposed, so there is none to ask about; name some: discover ask clinic.example"
            )
        raise typer.Exit(_ask(engine, state, [*asked, "--newest", str(newest), "--fetch", str(fetch)]))


def _ask(engine: Engine, state: State, arguments: list[str]) -> int:
    from monitor.commands.running import must_be_ready, stopping
    from monitor.discovery.gathering import LinesError, add_file
    from monitor.running.programs import CRAWLER, Children

    must_be_ready(state)
    children = Children()
    with stopping(children):
        ended = children.run([*CRAWLER, "commoncrawl", *arguments, "--config", str(state.file)])
    for line in ended.last_lines:
        typer.echo(clean(line), err=True)
    folder = Path(ended.output.strip().splitlines()[-1]) if ended.output.strip() else None
    if folder is None or not (folder / "run.json").is_file():
        raise UserError(
            f"Common Crawl was not asked: {ended.complaint}", STOPPED if children.stopping.is_set() else FAILED
        )
    try:
        addresses = add_file(engine, folder / "addresses.jsonl")
    except LinesError as error:
        raise UserError(str(error), FAILED) from error
    pages, candidates, new = _swept(engine, folder / "records.warc.gz")
    typer.echo(f"{addresses.looked_at:,} telling addresses, {addresses.new:,} of them new; {folder}")
    typer.echo(f"{counted(pages, 'page')} fetched, {candidates:,} may sell exosome products, {new:,} of them new")
    return OK if ended.code in (0, 1) else FAILED


def _swept(engine: Engine, records: Path) -> tuple[int, int, int]:
    """Pages, candidates, new leads in the records that came."""
    from monitor.discovery.gathering import add_candidates
    from monitor.discovery.screening import look
    from monitor.evidence.warcs import steps

    if not records.stat().st_size:
        return 0, 0, 0
    known = knowledge()
    looked = [look(step.page, known) for step in steps(records) if step.page is not None]
    candidates = [one for one in looked if not isinstance(one, str)]
    return len(looked), len(candidates), add_candidates(engine, candidates).new


@discover.command()
def accept(
    context: typer.Context,
    site: SiteName,
    why: Why,
    by: By = "",
    put_in: Annotated[
        bool, typer.Option("--add", help="Add it to the configuration, as `exowatch market add` does.")
    ] = False,
) -> None:
    """Accept a proposed site, and print its entry for the configuration, or add it there (--add)."""
    from monitor.commands.marketing import entry, write
    from monitor.tables.leads import Choice

    state = state_of(context)
    proposal = _decide(state.config, site, Choice.ACCEPTED, why, by)
    if not put_in:
        typer.echo(f"{proposal.site}: accepted. Put under sites: in {state.file}, or accept it with --add:")
        typer.echo(_entries([proposal]))
        return
    typer.echo(f"{proposal.site}: accepted")
    told = proposal.as_site().model_dump(mode="json", exclude_defaults=True, exclude={"url"})
    added = entry(state.config, proposal.url, **told)
    write(state, added)
    typer.echo(f"Read it with `exowatch run --source {added.source_id}`.")


@discover.command()
def refuse(context: typer.Context, site: SiteName, why: Why, by: By = "") -> None:
    """Refuse a proposed site: it is not proposed again, whatever else points to it."""
    from monitor.tables.leads import Choice

    proposal = _decide(state_of(context).config, site, Choice.REFUSED, why, by)
    typer.echo(f"{proposal.site}: refused; it is not proposed again (`exowatch discover accept` changes that)")


def _decide(config: Config, site: str, choice: Choice, why: str, by: str) -> Proposal:
    from monitor.discovery.proposals import NoSuchSiteError, decide
    from monitor.webname import meant_host

    with database(config) as engine:
        try:
            return decide(
                engine, config, knowledge(), site, choice, reason=why, by=by or getpass.getuser(), at=now(config)
            )
        except NoSuchSiteError as error:
            hint = meant_host(site, error.known) or "; `exowatch discover --all` shows what is"
            raise UserError(f"{clean(site)} is not proposed{hint}") from error
        except ValueError as error:
            raise UserError(f"--why: {error}") from error


@discover.command()
def choices(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """What was decided, the latest first: site, choice, by whom, when and why."""
    from monitor.discovery.proposals import choices as decided

    with database(state_of(context).config) as engine:
        rows = decided(engine)
    for row in rows:
        if as_json:
            typer.echo(json.dumps({**asdict(row), "at": row.at.isoformat()}, ensure_ascii=False))
        else:
            typer.echo(clean(f"{row.site}  {row.choice} by {row.decided_by} on {row.at:%Y-%m-%d}: {row.reason}"))
    if not rows and not as_json:
        typer.echo("Nothing was decided yet.")
