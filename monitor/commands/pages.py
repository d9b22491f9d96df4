"""`exowatch page`: what a page said over time, version by version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from monitor.commands.common import UserError, clean, counted, database, plain, say, screen, state_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from monitor.queries.page_rows import PageEvent, PageHistory, VersionRow
    from monitor.queries.rows import ClaimRow
    from monitor.reading.differences import Change, Difference, Piece

_MARKS = {"same": ("", "", ""), "removed": ("[-", "-]", "red strike"), "inserted": ("{+", "+}", "bold green")}
"""As wdiff marks words: readable without colour too."""
_AROUND = 60
"""Characters of unchanged words that are shown on each side of a change."""
_EVENTS = 20


def page(
    context: typer.Context,
    url: Annotated[str, typer.Argument(metavar="URL", help="A page's address; scheme, www. and last slash are open.")],
    everything: Annotated[bool, typer.Option("--all", help="Every version, and everything that happened.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """A page's history: its versions with what changed, word by word, its claims, and what happened to them.

    [-removed words-] and {+inserted words+} are marked so. A block that only moved is no change, and neither are dates,
    counters and banners. Without --all: the newest versions.
    """
    from monitor import queries

    with database(state_of(context).config) as engine:
        found = queries.page(engine, _sought(engine, url), **({"newest": None} if everything else {}))
    if found is None:
        raise UserError(f"{clean(url)}: the page went while it was looked up; ask again")
    if as_json:
        typer.echo(json.dumps(_json(found), indent=2, ensure_ascii=False))
        return
    _print(screen(), found, everything)


def _sought(engine: Engine, url: str) -> int:
    from monitor import queries

    sought = queries.find_page(engine, url)
    if sought.page_id is not None:
        return sought.page_id
    if sought.nearest:
        what = "that page of the site is not held" if sought.host_known else "no page of that site is held"
        raise UserError(
            f"{clean(url)}: {what}; the nearest are:\n" + "\n".join(f"  {clean(u)}" for u in sought.nearest)
        )
    raise UserError(
        f"{clean(url)}: no page of that site is held, and none that is written nearly so; "
        "`exowatch market` shows the sites that are read"
    )


def _json(found: PageHistory) -> dict[str, Any]:
    made: dict[str, Any] = plain(asdict(found))
    return made


def _print(console: Console, found: PageHistory, everything: bool) -> None:
    for line in _head(found):
        say(console, clean(line))
    for version in found.versions:
        say(console, "")
        _print_version(console, version)
    hidden = found.versions_in_all - len(found.versions)
    if hidden:
        say(console, f"\n{counted(hidden, 'earlier version')}, see --all")
    if found.claims:
        say(console, "\nClaims")
    for claim in found.claims:
        say(console, clean(f"  {_claim(claim, found.reach.get(claim.id, 1))}"))
    if found.events:
        say(console, "\nWhat happened, the latest first")
    shown = found.events if everything else found.events[:_EVENTS]
    for each in shown:
        _print_event(console, each)
    if len(shown) < len(found.events):
        say(console, f"  {len(found.events) - len(shown):,} earlier, see --all")


def _head(found: PageHistory) -> Iterator[str]:
    yield f"{found.url}{f'  {found.title}' if found.title else ''}"
    firm = f", {found.organisation.name}" if found.organisation else ""
    kind = f", a page of the kind {found.role}" if found.role else ""
    yield f"page {found.id} of {found.source_id}{firm}; {found.state}{kind}"
    yield f"first seen {_at(found.first_seen)}, read well last {_at(found.last_read)}"
    if found.addressed:
        yield "addresses " + "; ".join(f"{code}{f' ({why})' if why else ''}" for code, why in found.addressed)
    standing = sum(claim.ended_at is None for claim in found.claims)
    yield f"{counted(found.versions_in_all, 'version')}, {counted(standing, 'standing claim')}"
    if found.rehearsal:
        yield "Demonstration: read from a rehearsal server, not from the web."


def _print_version(console: Console, version: VersionRow) -> None:
    console.print(Text(f"version {version.number}, {_at(version.read_at)}", style="bold"), soft_wrap=True)
    say(console, f"  run {version.run_id}, capture {version.capture_id}")
    say(console, f"  SHA-256 of the body {version.payload_sha256 or 'not stored'}")
    for unread in version.unread:
        say(console, clean(f"  not read: {unread}"))
    if version.difference is None:
        say(console, f"  the first version: {version.blocks:,} blocks")
        return
    for change in version.difference.changes:
        _print_change(console, change)
    say(console, f"  {_same(version.difference)}")


def _same(difference: Difference) -> str:
    more = [
        text
        for number, text in (
            (difference.moved, f"{difference.moved:,} of them moved"),
            (difference.flickered, f"{difference.flickered:,} with other dates or counters"),
        )
        if number
    ]
    return f"{counted(difference.same, 'block')} the same" + "".join(f", {text}" for text in more)


def _print_change(console: Console, change: Change) -> None:
    under = f", under {' › '.join(change.heading_path)}" if change.heading_path else ""
    say(console, clean(f"  {change.kind} {change.block.replace('_', ' ')}{under}"))
    console.print(Text("    ").append_text(_marked(change.pieces)), soft_wrap=True, highlight=False)


def _marked(pieces: Iterable[Piece]) -> Text:
    text = Text()
    for piece in pieces:
        before, after, style = _MARKS[piece.kind]
        words = piece.text if piece.kind != "same" else _shortened(piece.text)
        text.append(f"{before}{clean(words)}{after}", style=style)
    return text


def _shortened(words: str) -> str:
    return words if len(words) <= 2 * _AROUND + 3 else f"{words[:_AROUND]} … {words[-_AROUND:]}"


def _claim(claim: ClaimRow, reach: int) -> str:
    ended = f", ended {_at(claim.ended_at)}" if claim.ended_at else ""
    others = f", the same wording on {counted(reach - 1, 'other site')}" if reach > 1 else ""
    kind = f"{claim.severity or 'not assessed'} {claim.category.replace('_', ' ')}, {claim.state}"
    return f"claim {claim.id}: “{claim.quote}” ({kind}, since {_at(claim.first_seen)}{ended}{others})"


def _print_event(console: Console, told: PageEvent) -> None:
    event = told.event
    cause = "" if event.cause == "source" else f" ({event.cause})"
    about = f"{event.object_kind} {event.object_id}" if event.object_kind == "claim" else ""
    head = f"  {_at(event.at)}  {event.kind.replace('_', ' ')}{cause}{f', {about}' if about else ''}"
    say(console, clean(f"{head}{': “' + told.what + '”' if told.what and not told.pieces else ''}"))
    if told.pieces:
        console.print(Text("    ").append_text(_marked(told.pieces)), soft_wrap=True, highlight=False)


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
