"""`review`: what waits for a person, and what a person decides."""

from __future__ import annotations

import getpass
import json
from dataclasses import asdict
from typing import Annotated

import typer

from monitor.commands.common import MISUSED, UserError, choose, clean, database, state_of

review = typer.Typer(
    name="review",
    help="What waits for a person's decision, and deciding it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_WORDS = {"confirm": "confirmed", "dismiss": "dismissed"}


@review.command("list")
def waiting_claims(
    context: typer.Context,
    state: Annotated[
        str, typer.Option(metavar="STATE", help="unreviewed, reopened, confirmed, dismissed; left out: the first two.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Claims to show.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines.")] = False,
) -> None:
    """Standing claims that wait: High severity first, then what the machine is least sure of."""
    from monitor.market import review as reviews
    from monitor.tables.models import ReviewState

    if state:
        choose(state, [one.value for one in ReviewState], "state", "review list")
    with database(state_of(context).config) as engine:
        rows = reviews.waiting(engine, states=[state] if state else ["unreviewed", "reopened"], limit=limit)
    for row in rows:
        if as_json:
            typer.echo(json.dumps(asdict(row), ensure_ascii=False))
            continue
        severity = row.severity or "Not assessed"
        typer.echo(
            f"{row.id}  {severity}, {row.category}, {row.decision}, confidence {row.confidence:.0%}, {row.review_state}"
        )
        typer.echo(f"    \u201c{clean(row.quote)}\u201d")
        typer.echo(f"    {clean(row.url)}")
    if not rows and not as_json:
        typer.echo("Nothing waits for review.")


@review.command("decide")
def decide_claim(
    context: typer.Context,
    claim: Annotated[int, typer.Argument(metavar="CLAIM", help="Its number, as `exowatch review list` shows it.")],
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="confirm or dismiss.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; others will read it.")],
    by: Annotated[str, typer.Option(metavar="NAME", help="Who decides; left out: your login name.")] = "",
) -> None:
    """Confirm that a claim is flagged rightly, or dismiss it. Kept until its wording changes."""
    from monitor.config import now
    from monitor.market import review as reviews
    from monitor.tables.models import ReviewState

    choose(decision, list(_WORDS), "decision", "review decide")
    config = state_of(context).config
    with database(config) as engine:
        try:
            reviews.decide(
                engine,
                claim,
                ReviewState(_WORDS[decision]),
                reviewer=by or getpass.getuser(),
                reason=reason,
                at=now(config),
            )
        except (reviews.NoSuchClaimError, ValueError) as error:
            raise UserError(f"review decide: {error}; `exowatch review list` shows what waits", MISUSED) from error
    typer.echo(f"claim {claim}: {_WORDS[decision]}")
