"""`exowatch market`: the sellers' sites that are read; adding one by its address, and taking one out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from typer.core import TyperGroup

from monitor.commands.common import (
    FAILED,
    State,
    UserError,
    clean,
    counted,
    database,
    plain,
    say,
    screen,
    state_of,
    vocabulary,
)
from monitor.config import Config, Site, live_flaw, now

if TYPE_CHECKING:
    from monitor.queries.market import SiteAccount, SiteRow

_STYLES = {"ok": "green", "quiet": "yellow", "new": "cyan", "stale": "bold red", "blind": "bold red", "off": "dim"}
_SHOWN = 20
SiteAddress = Annotated[str, typer.Argument(metavar="SITE", help="Its address, host or id.")]


class _SiteOrCommand(TyperGroup):
    """`exowatch market kelda.example` shows that site: what is no command of the group is one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])


market = typer.Typer(
    cls=_SiteOrCommand, invoke_without_command=True, help="Sellers' sites: what each is, and how its reading stands."
)


@market.callback()
def show_all(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Every site: state, what it is built with, pages, products, standing claims, last reading, and what was not read.

    new: not read yet. ok: read in its rhythm. quiet: read well, and nothing new for long. stale: not read well for too
    long. blind: its last reading failed. off: not read.
    """
    if context.invoked_subcommand is not None:
        return
    rows = _rows(state_of(context).config)
    if as_json:
        typer.echo(json.dumps([plain(asdict(row)) for row in rows], indent=2, ensure_ascii=False))
        return
    console = screen()
    for row in rows:
        _print_row(console, row)
    say(console, f"{counted(len(rows), 'site')}" + ("" if rows else "; add one with `exowatch market add URL`"))


@market.command()
def show(
    context: typer.Context,
    site: SiteAddress,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="As many products and pages as are kept in the account.")
    ] = False,
) -> None:
    """One site: what was found, the jurisdictions that it addresses and why, its products and pages."""
    from monitor import queries

    config = state_of(context).config
    row = _row_of(config, site)
    with database(config) as engine:
        found = queries.site(engine, config, row.id, now(config))
    if found is None:
        raise UserError(f"{clean(site)}: the site went while it was looked up; ask again")
    if as_json:
        typer.echo(json.dumps(plain(asdict(found)), indent=2, ensure_ascii=False))
        return
    console = screen()
    _print_row(console, found.site)
    for line in _account(found, None if everything else _SHOWN):
        say(console, clean(line))


@market.command()
def add(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="The site's address.")],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="The firm's name; left out: what the site calls itself.")
    ] = "",
    country: Annotated[str, typer.Option(metavar="CODE", help="Where the firm sits: us, uk, kr …")] = "",
    pages: Annotated[
        int | None, typer.Option(min=1, max=100_000, metavar="N", help="Most pages in one reading.")
    ] = None,
    look: Annotated[
        bool, typer.Option("--look", help="Read its front page first, and say what it is built with.")
    ] = False,
) -> None:
    """Add a site to the configuration. Nothing is asked of it, unless with --look.

    With --look a site whose front page cannot be read is not added.
    """
    state = state_of(context)
    given = {"name": name, "country": country, "pages": pages}
    site = entry(state.config, url, **{key: value for key, value in given.items() if value})
    seen = _look_at(state, site.url) if look else {}
    write(state, site)
    for line in _seen(seen):
        typer.echo(clean(line))
    typer.echo(f"Read it with `exowatch run --source {site.source_id}`.")


@market.command()
def remove(context: typer.Context, site: SiteAddress) -> None:
    """Take a site out of the configuration. What was read of it stays, and it is read no more."""
    from monitor.config.edit import EditError
    from monitor.config.sites import remove_site

    state = state_of(context)
    known = {one.source_id: one for one in state.config.sites}
    found = known.get(_meant(site, known))
    if found is None:
        hint = _near(site, (one.url for one in known.values()))
        raise UserError(f"{clean(site)} is not in the configuration{hint}")
    try:
        remove_site(state.file, found.source_id, vocabulary())
    except EditError as error:
        raise UserError(str(error)) from error
    typer.echo(f"{state.file}: {found.url} is taken out; what was read of it stays")


def entry(config: Config, url: str, **choices: object) -> Site:
    """The configuration's entry for an address. Raises UserError if it is not to be added."""
    from monitor.config.sites import SiteRefusedError, site_to_add

    country = str(choices.get("country", ""))
    if country and (len(country) != 2 or not (country.isascii() and country.isalpha())):
        raise UserError(f"--country: {clean(country)} is no two-letter code such as us, uk, kr")
    try:
        return site_to_add(config, url, **choices)
    except SiteRefusedError as error:
        raise UserError(clean(str(error))) from error


def write(state: State, site: Site) -> None:
    """Put the site into the configuration, and print what was written."""
    from monitor.config.edit import EditError
    from monitor.config.sites import add_site, entry_of

    try:
        add_site(state.file, site, vocabulary())
    except EditError as error:
        raise UserError(str(error)) from error
    typer.echo(f"{state.file}: added under sites:")
    for line in entry_of(site).splitlines():
        typer.echo(f"  {clean(line)}")


def _look_at(state: State, url: str) -> dict[str, Any]:
    from monitor.commands.running import stopping
    from monitor.running.programs import Children
    from monitor.running.programs import look as ask

    if flaw := live_flaw(state.config):
        raise UserError(f"{state.file}: {flaw}")
    children = Children()
    with stopping(children):
        seen = ask(url, state.file, children)
    if seen.get("problem"):
        raise UserError(
            f"{clean(url)} is not added: {clean(str(seen['problem']))}; without --look it is added unseen", FAILED
        )
    return seen


def _seen(seen: Mapping[str, Any]) -> Iterator[str]:
    if not seen:
        return
    platforms, catalogues = seen.get("platforms") or (), seen.get("catalogues") or ()
    built = f"Built with {', '.join(platforms)}" if platforms else "Shows no platform that is known: its pages are read"
    yield built + (f"; its catalogues will be asked for: {', '.join(catalogues)}" if catalogues else "")
    named = seen.get("site_name") or seen.get("title")
    if named:
        yield f"Calls itself “{named}”" + (f", in {seen['language']}" if seen.get("language") else "")


def _rows(config: Config) -> tuple[SiteRow, ...]:
    from monitor import queries

    if config.database_is_missing:
        return queries.market(None, config, now(config))
    with database(config) as engine:
        return queries.market(engine, config, now(config))


def _row_of(config: Config, site: str) -> SiteRow:
    rows = {row.id: row for row in _rows(config)}
    found = rows.get(_meant(site, rows))
    if found is None:
        raise UserError(f"no such site: {clean(site)}{_near(site, (row.url for row in rows.values()))}")
    return found


def _meant(site: str, known: Mapping[str, object]) -> str:
    """The id that an address, a host or an id stands for."""
    from monitor.config import site_id

    if site in known:
        return site
    try:
        return site_id(site if "://" in site else f"https://{site}")
    except ValueError:  # a port that is no number, a broken IPv6 address
        return ""


def _near(site: str, urls: Iterator[str]) -> str:
    from monitor.webname import host_of, meant_host

    hosts = [host_of(url).removeprefix("www.") for url in urls]
    if not hosts:
        return "; there is none yet"
    listed = f"; none is written like it; there are: {', '.join(sorted(hosts)[:20])}"
    return meant_host(host_of(site) or site, hosts) or listed


def _print_row(console: Console, row: SiteRow) -> None:
    head = Text(f"{clean(row.url)}  ").append(row.state, style=_STYLES.get(row.state, ""))
    head.append(f"  {clean(row.title)}" + ("" if row.configured else "  [no more in the configuration]"))
    console.print(head, soft_wrap=True, highlight=False)
    for line in _lines(row):
        say(console, f"    {clean(line)}")


def _lines(row: SiteRow) -> Iterator[str]:
    if row.reason:
        yield f"reason: {row.reason}"
    built = f"built with {', '.join(row.platforms)}" if row.platforms else ""
    shelves = ", ".join(f"{kind}: {outcome}" for kind, outcome in row.catalogues.items())
    told = "; ".join(part for part in (built, shelves) if part)
    if told:
        yield told
    if row.last_run_at is None:
        return
    gone = f" ({row.pages_gone:,} gone)" if row.pages_gone else ""
    claims = f"{row.flagged:,} flagged, {row.for_review:,} for review" if row.flagged + row.for_review else "no claims"
    yield f"{counted(row.pages, 'page')}{gone}, {counted(row.products, 'product')}, {claims}"
    if row.jurisdictions:
        yield f"addresses {', '.join(row.jurisdictions)}"
    yield f"read well last {row.last_read_at:%Y-%m-%d %H:%M} UTC" if row.last_read_at else "never read well"
    if row.unread:
        yield "not read: " + "; ".join(f"{what} ({number:,})" for what, number in row.unread.items())


def _account(found: SiteAccount, most: int | None) -> Iterator[str]:
    if found.organisations:
        yield f"    behind it: {', '.join(one.name for one in found.organisations)}"
    for title, lines in (
        ("Addressed", [f"{code}: {counted(number, 'page')}; {why}" for code, number, why in found.addressed]),
        ("Products", [f"{one.name} ({counted(claims, 'claim')})" for one, claims in found.products]),
        ("Pages", [_page(each) for each in found.pages]),
        ("On its pages and not read", [f"{what} ({number:,})" for what, number in found.unread.items()]),
        ("Left out in the last reading", [f"{what} ({number:,})" for what, number in found.left_out.items()]),
    ):
        if lines:
            yield f"{title}"
            yield from (f"    {line}" for line in lines[:most])
        if most is not None and len(lines) > most:
            yield f"    {len(lines) - most:,} more, see --all"


def _page(page: Any) -> str:
    state = "" if page.state == "live" else f", {page.state}"
    title = f"  {page.title}" if page.title else ""
    return f"{page.url}{title} ({counted(page.versions, 'version')}, {counted(page.claims, 'claim')}{state})"
