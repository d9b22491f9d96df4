"""`search`, `judge`, `serve`: what asks, and changes nothing of what is remembered."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.commands.common import (
    MISUSED,
    OK,
    choose,
    clean,
    counted,
    database,
    knowledge,
    say,
    screen,
    state_of,
)

if TYPE_CHECKING:
    from rich.text import Text

    from monitor.search import Piece, SearchHit

KINDS = ("claim", "notice", "product", "organisation", "trial", "publication", "authorisation")


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help='Words; "a phrase" in quotes; a beginning* of a word.')],
    jurisdiction: Annotated[str, typer.Option(metavar="CODE", help="us, uk, eu, ca …")] = "",
    kind: Annotated[
        str,
        typer.Option(metavar="KIND", help="claim, notice, product, organisation, trial, publication, authorisation."),
    ] = "",
    category: Annotated[
        str, typer.Option(metavar="CATEGORY", help="Claims of this category, such as hair_regrowth.")
    ] = "",
    severity: Annotated[str, typer.Option(metavar="SEVERITY", help="High, Medium or Low.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="Hits to show.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find claims, notices, products, organisations, trials, papers and authorisations by words."""
    from monitor import queries
    from monitor.search import search as look

    if kind:
        choose(kind, KINDS, "kind", "search")
    if severity:
        choose(severity, ("High", "Medium", "Low"), "severity", "search")
    config = state_of(context).config
    with database(config) as engine:
        found = look(
            engine, query, jurisdiction=jurisdiction, kind=kind, category=category, severity=severity, limit=limit
        )
        reach = queries.reach(engine, [hit.object_id for hit in found.hits if hit.kind == "claim"])
    if as_json:
        hits = [_hit_json(hit, reach) for hit in found.hits]
        typer.echo(json.dumps({"query": query, "total": found.total, "bounded": found.bounded, "hits": hits}, indent=2))
        return
    console = screen()
    for hit in found.hits:
        console.print(_hit_text(hit, reach))
    shown = "" if found.total <= len(found.hits) else f", the first {len(found.hits)} shown (--limit)"
    say(console, f"{found.total_text} found{shown}")
    if not found.total:
        say(console, "Fewer words, a beginning with an asterisk (regenerat*) or one filter less may find it.")
        say(console, "What was never read is not found: `exowatch sources` shows what is read.")


def _plain(pieces: Sequence[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def _hit_json(hit: SearchHit, reach: Mapping[int, int]) -> dict[str, Any]:
    """`reach`, of a claim: on how many sites its wording stands."""
    told = {"reach": reach[hit.object_id]} if hit.kind == "claim" and hit.object_id in reach else {}
    return {
        "kind": hit.kind,
        "id": hit.object_id,
        "title": _plain(hit.title),
        "snippet": _plain(hit.snippet),
        "jurisdictions": list(hit.jurisdictions),
        "severity": hit.severity,
        "seen_at": hit.seen_at.isoformat(),
        **told,
    }


def _hit_text(hit: SearchHit, reach: Mapping[int, int]) -> Text:
    from rich.text import Text

    sites = reach.get(hit.object_id, 1) if hit.kind == "claim" else 1
    others = f"the same wording on {counted(sites - 1, 'other site')}" if sites > 1 else ""
    told = (hit.severity, " ".join(hit.jurisdictions), f"{hit.seen_at:%Y-%m-%d}", others)
    facts = " · ".join(part for part in told if part)
    text = Text(f"{hit.kind} {hit.object_id}  ", style="dim")
    text.append_text(_marked(hit.title)).append(f"  {facts}\n", style="dim").append("    ")
    return text.append_text(_marked(hit.snippet))


def _marked(pieces: Sequence[Piece]) -> Text:
    from rich.text import Text

    text = Text()
    for piece in pieces:
        text.append(clean(piece.text), style="bold" if piece.marked else "")
    return text


def judge(
    with_text: Annotated[bool, typer.Option("--with-text", help="Add the text that offsets count in.")] = False,
) -> None:
    """Judge pages or texts, without the web or a database: JSON lines in, JSON lines out.

    A line that cannot be read is answered with its error; the exit code is then 2.
    """
    from monitor.classify.contract import judge_lines

    rules = knowledge()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Half a surrogate pair is no UTF-8; written as \udXXX it is still JSON.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    failed = False
    for raw in sys.stdin.buffer:
        try:
            answers = judge_lines([raw.decode("utf-8")], rules, with_text)
        except UnicodeDecodeError as error:
            answers = iter([(json.dumps({"id": None, "error": f"not UTF-8: byte {error.start}"}), False)])
        for answer, judged in answers:
            failed = failed or not judged
            sys.stdout.write(answer + "\n")
            sys.stdout.flush()
    raise typer.Exit(MISUSED if failed else OK)


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="N", help="Port on this machine.")] = 8017,
) -> None:
    """Serve the web site on this machine (127.0.0.1) until stopped."""
    from monitor.running.programs import REPORTS, replace_with

    state = state_of(context)
    with database(state.config):
        pass  # brought up to date here: the site only reads
    sys.stdout.flush()
    replace_with([*REPORTS, "serve", "--config", str(state.file), "--port", str(port)])
