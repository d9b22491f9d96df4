"""`exowatch products`: what is offered, what each product is said to be, and what changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from monitor.commands.common import UserError, clean, counted, database, day, plain, say, screen, state_of
from monitor.config.file import nearest

if TYPE_CHECKING:
    from rich.console import Console
    from sqlalchemy import Engine

    from monitor.queries import ProductRow, ProductsAsked
    from monitor.queries.fact_rows import FactRow
    from monitor.queries.page_rows import PageEvent
    from monitor.queries.product_lists import OfferingPage
    from monitor.queries.rows import ClaimRow, ProductPage

_KINDS = {
    "name": "name", "brand": "brand", "seller": "seller", "price": "price", "form": "form",
    "source_material": "made from", "route": "used", "dose": "amount", "country": "served to",
}  # fmt: skip
_IN_A_LINE = ("brand", "form", "source_material", "route", "price", "country")
_VALUES_SHOWN = 4
"""Values of one kind in a list's line; `products show` has them all."""
_EVENTS = 20


class _ProductOrCommand(TyperGroup):
    """A product's number or address after `exowatch products` shows it: what is no command of the group is one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])


products = typer.Typer(
    cls=_ProductOrCommand,
    invoke_without_command=True,
    help="Products: what each is said to be, its claims and changes.",
)


@products.callback()
def show_all(
    context: typer.Context,
    site: Annotated[str, typer.Option(metavar="SITE", help="Offered there: an address, a host or a site's id.")] = "",
    name: Annotated[str, typer.Option(metavar="WORDS", help="All of these words in its name or brand.")] = "",
    form: Annotated[str, typer.Option(metavar="FORM", help="serum, ampoule, cream, powder_vial …")] = "",
    source_material: Annotated[
        str, typer.Option(metavar="MATERIAL", help="umbilical_cord, placenta, human, plant …")
    ] = "",
    route: Annotated[str, typer.Option(metavar="ROUTE", help="topical, microneedling, injection, intravenous …")] = "",
    country: Annotated[str, typer.Option(metavar="CODE", help="Served to: us, uk, kr … or worldwide.")] = "",
    claims: Annotated[bool, typer.Option("--claims", help="With standing claims.")] = False,
    flagged: Annotated[bool, typer.Option("--flagged", help="With standing claims that are flagged.")] = False,
    changed_since: Annotated[
        str, typer.Option(metavar="DATE", help="New, or changed by its seller, since this day (UTC).")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Products to show.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, with each fact's words and place.")] = False,
) -> None:
    """Products by name: site, firm, what each is said to be, its standing claims, when it was seen first and last.

    Filters are joined by "and". What a site's first reading brought is no change.
    """
    if context.invoked_subcommand is not None:
        return
    from monitor import queries

    since = day(changed_since, "--changed-since") if changed_since else None
    asked = queries.ProductsAsked(
        site=site,
        name=name,
        form=form,
        source_material=source_material,
        route=route,
        country=_country(country),
        claims=claims,
        flagged=flagged,
        changed_since=datetime.combine(since, time(), UTC) if since else None,
    )
    _must_be_known(asked)
    config = state_of(context).config
    with database(config) as engine:
        rows, total = queries.products(engine, asked, limit=limit), queries.count_products(engine, asked)
        if not total and site:
            _must_be_offered_at(engine, site)
        in_all = queries.count_products(engine)
    if as_json:
        found = [plain(asdict(row)) | {"unstated": list(row.unstated)} for row in rows]
        typer.echo(json.dumps({"total": total, "products": found}, indent=2, ensure_ascii=False))
        return
    _print_rows(rows, total, in_all)


def _print_rows(rows: Sequence[ProductRow], total: int, in_all: int) -> None:
    console = screen()
    for row in rows:
        _print_row(console, row)
    if any(row.rehearsal for row in rows):
        say(console, "Demonstration: some were read from a rehearsal server, not from the web.")
    say(console, _ending(len(rows), total, in_all))


def _ending(shown: int, total: int, in_all: int) -> str:
    if not in_all:
        return "No product is known yet: read sites with `exowatch run`; `exowatch market` shows which there are"
    of_all = "" if total == in_all else f" of {in_all:,}"
    return f"{counted(total, 'product')}{of_all}" + (f", the first {shown:,} shown (--limit)" if shown < total else "")


def _must_be_known(asked: ProductsAsked) -> None:
    """Raises UserError for a value that no product can have, with the nearest that one can."""
    from monitor.queries import fact_vocabulary

    if asked.form or asked.source_material or asked.route:
        for kind, known in fact_vocabulary().items():
            given = getattr(asked, kind)
            if given and given not in known:
                option = f"--{kind.replace('_', '-')}"
                hint = nearest(given, known) or f"; there are: {', '.join(known)}"
                raise UserError(f"{option}: {clean(given)} is no {kind.replace('_', ' ')} of the vocabulary{hint}")


def _country(written: str) -> str:
    """The code of a code or an English name. Raises UserError."""
    if not written:
        return ""
    from monitor.products.regions import WORLDWIDE, country_code  # late: it brings all that reads products

    code = country_code(written)
    if not code:
        raise UserError(f"--country: {clean(written)} is no country; write us, uk, kr, eu … or {WORLDWIDE}")
    return code


def _must_be_offered_at(engine: Engine, site: str) -> None:
    from monitor import queries
    from monitor.webname import host_of, meant_host

    if queries.count_products(engine, queries.ProductsAsked(site=site)):
        return
    hosts = [host.removeprefix("www.") for host in queries.product_hosts(engine)]
    listed = f"; products are known of: {', '.join(hosts[:20])}" if hosts else ""
    raise UserError(f"no product of {clean(site)} is known{meant_host(host_of(site) or site, hosts) or listed}")


def _print_row(console: Console, row: ProductRow) -> None:
    head = Text(f"product {row.id}  ", style="dim").append(clean(row.name), style="bold")
    console.print(head.append(clean(f"  {_whose(row)}"), style="not bold"), soft_wrap=True, highlight=False)
    if told := " · ".join(_values(row, kind) for kind in _IN_A_LINE if row.values(kind)):
        say(console, f"    {clean(told)}")
    elif not row.facts:
        say(console, f"    {_not_offered(gone=False)}")
    claims = f"{counted(row.claims, 'standing claim')}, {row.flagged:,} flagged" if row.claims else "no standing claims"
    changed = f", changed {row.changed_at:%Y-%m-%d}" if row.changed_at else ""
    say(console, f"    {claims}; first seen {row.first_seen:%Y-%m-%d}, last seen {row.last_seen:%Y-%m-%d}{changed}")


def _whose(row: ProductRow | ProductPage) -> str:
    """Host and firm; a name that is nobody's own bears the host already."""
    host = "" if row.name.endswith(f"({row.host})") else row.host
    return ", ".join(one for one in (host, row.organisation.name if row.organisation else "") if one)


def _values(row: ProductRow, kind: str) -> str:
    values = [
        value.replace("_", " ") if kind in ("form", "source_material", "route") else value for value in row.values(kind)
    ]
    more = f" and {len(values) - _VALUES_SHOWN} more" if len(values) > _VALUES_SHOWN else ""
    return f"{_KINDS[kind]} {', '.join(values[:_VALUES_SHOWN])}{more}"


@products.command()
def show(
    context: typer.Context,
    product: Annotated[
        str, typer.Argument(metavar="PRODUCT", help="Its number, or the address of a page that offers it.")
    ],
    everything: Annotated[bool, typer.Option("--all", help="Everything that happened, not the latest alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """One product: each fact with the words that say so and their place, its claims, its pages, and its history."""
    from monitor import queries

    with database(state_of(context).config) as engine:
        number = _meant(engine, product)
        found = queries.product(engine, number)
        if found is None:
            raise UserError(f"there is no product {number}; `exowatch products` lists them")
        pages, history = queries.pages_offering(engine, number), queries.product_history(engine, number)
    if as_json:
        told = plain(asdict(found)) | {"unstated": list(found.unstated)}
        told |= {"pages": [plain(asdict(one)) for one in pages], "history": [plain(asdict(one)) for one in history]}
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    console = screen()
    for line in _account(found, pages, history, everything=everything):
        say(console, clean(line))


def _meant(engine: Engine, product: str) -> int:
    """The product's number. Raises UserError where an address leads to none, or to several."""
    from monitor import queries

    if product.isdecimal() and product.isascii() and len(product) < 19:
        return int(product)
    if "." not in product:
        raise UserError(
            f"{clean(product)} is neither a product's number nor a page's address; "
            f"find it with `exowatch products --name {clean(product)}`"
        )
    sought = queries.find_product(engine, product)
    if len(sought.products) == 1:
        return sought.products[0].id
    if sought.products:
        listed = "\n".join(f"  {one.id}  {clean(one.name)}" for one in sought.products)
        raise UserError(f"{clean(product)} offers several products; give the number of one:\n{listed}")
    if sought.page_known:
        raise UserError(f"{clean(product)} is held, and offers no exosome or cell product; see `exowatch page` for it")
    near = "; the nearest are:\n" + "\n".join(f"  {clean(url)}" for url in sought.nearest) if sought.nearest else ""
    raise UserError(f"{clean(product)}: no such page is held{near}")


def _account(
    found: ProductPage, pages: tuple[OfferingPage, ...], history: tuple[PageEvent, ...], *, everything: bool
) -> Iterator[str]:
    yield f"product {found.id}  {found.name}  {_whose(found)}".rstrip()
    yield f"first seen {found.first_seen:%Y-%m-%d}, last seen {found.last_seen:%Y-%m-%d}"
    if found.rehearsal:
        yield "Demonstration: read from a rehearsal server, not from the web."
    yield from _said(found)
    yield ""
    yield f"{counted(sum(claim.ended_at is None for claim in found.claims), 'standing claim')}"
    yield from (f"  {_claim(claim)}" for claim in found.claims)
    yield ""
    yield f"{counted(len(pages), 'page')} that {'offers' if len(pages) == 1 else 'offer'} it now"
    yield from (f"  {page.url}{'' if page.state == 'live' else f'  ({page.state})'}" for page in pages)
    if found.notices:
        yield ""
        yield f"{counted(len(found.notices), 'notice')} of regulators about the firm"
        for notice in found.notices:
            yield f"  {notice.issued or notice.posted or ''}  {notice.authority}: {notice.title}  {notice.url}"
    shown = history if everything else history[:_EVENTS]
    yield ""
    yield "What happened, the latest first" if history else "Nothing happened to it since it was read first"
    yield from (line for event in shown for line in _event(event))
    if len(shown) < len(history):
        yield f"  {len(history) - len(shown):,} earlier, see --all"


def _said(found: ProductPage) -> Iterator[str]:
    current = [fact for fact in found.facts if fact.current]
    ended = [fact for fact in found.facts if not fact.current]
    yield ""
    if current:
        yield "What its pages say it is"
        yield from (line for fact in current for line in _fact(fact))
        if found.unstated:
            yield f"  not stated: {', '.join(_KINDS[kind] for kind in found.unstated)}"
    else:
        yield _not_offered(gone=bool(ended))
    if ended:
        yield ""
        yield "Said once, and not any more"
        yield from (line for fact in ended for line in _fact(fact))


def _not_offered(*, gone: bool) -> str:
    return "No page offers it any more" if gone else "No page offers it under this name: claims call their product so"


def _fact(fact: FactRow) -> Iterator[str]:
    worded = fact.kind in ("form", "source_material", "route")
    until = "" if fact.current else f", until {fact.last_seen:%Y-%m-%d}"
    value = fact.value.replace("_", " ") if worded else fact.value
    yield f"  {_KINDS[fact.kind]}: {value}  (since {fact.first_seen:%Y-%m-%d}{until})"
    place = fact.place or f"characters {fact.start} to {fact.end} of page version {fact.version_id}"
    more = f" and on {counted(fact.pages - 1, 'more page')}" if fact.pages > 1 else ""
    yield f"    “{fact.quote}”  {fact.page_url}{more}; {place}, capture {fact.capture_id}"


def _claim(claim: ClaimRow) -> str:
    kind = f"{claim.severity or 'not assessed'} {claim.category.replace('_', ' ')}"
    decided = "flagged" if claim.decision == "flag" else "for review"
    ended = f", ended {claim.ended_at:%Y-%m-%d}" if claim.ended_at else ""
    lasted = f"since {claim.first_seen:%Y-%m-%d}{ended}"
    return f"claim {claim.id}: “{claim.quote}” ({kind}, {decided}, {claim.state}, {lasted})"


def _event(told: PageEvent) -> Iterator[str]:
    event = told.event
    cause = "" if event.cause == "source" else f" ({event.cause})"
    history = ", first reading" if event.baseline else ""
    about = f", claim {event.object_id}: “{told.what}”" if event.object_kind == "claim" else ""
    yield f"  {event.at:%Y-%m-%d %H:%M} UTC  {event.kind.replace('_', ' ')}{cause}{history}{about}"
    for kind, change in (event.detail.get("changed") or {}).items() if event.object_kind == "product" else ():
        before, after = (
            ", ".join(change.get(side) or ["not stated"]).replace("_", " ") for side in ("before", "after")
        )
        yield f"    {_KINDS.get(kind, kind)}: {before} → {after}"
