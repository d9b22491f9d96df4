"""What is left of a source's requests of the day, counted over all its runs; and when its whole list is due again."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlmodel import col, func, select

from monitor.clock import card_facts
from monitor.tables.db import reading
from monitor.tables.models import Run, RunState, Source

SWEEP_DAYS = 28
"""After so many days a list is gone through as a whole: what was edited far down is found then."""


def left_today(engine: Engine, source_id: str, now: datetime, own: tuple[Path, ...] = ()) -> int | None:
    """Requests that the source may still make before midnight (UTC); None where its card sets no bound.

    Sources on one host share what it allows: the bound is the source's own, the count is the host's. `own`: folders
    of cards of one's own.
    """
    most = daily_requests(engine, source_id, own)
    if most is None:
        return None
    begin = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    with reading(engine) as session:
        cards = dict(session.exec(select(Source.id, Source.card)).all())
        host = _host(cards.get(source_id) or card_facts(source_id, own))
        sharing = [key for key, card in cards.items() if key == source_id or (host and _host(card) == host)]
        made = session.exec(
            select(func.coalesce(func.sum(col(Run.record)["requests"].as_integer()), 0)).where(
                col(Run.source_id).in_(sharing), Run.started_at >= begin, col(Run.record)["mode"].as_string() == "live"
            )
        ).one()
    return max(most - int(made), 0)


def daily_requests(engine: Engine, source_id: str, own: tuple[Path, ...] = ()) -> int | None:
    """What the source's card allows in a day; a card that is made from the configuration is that of its last run."""
    card: Any = card_facts(source_id, own)
    if not card:
        with reading(engine) as session:
            held = session.get(Source, source_id)
            card = held.card if held else {}
    bound = (card.get("pace") or {}).get("daily_requests")
    return int(bound) if bound is not None else None


def _host(card: Any) -> str:
    return (urlsplit(str(card.get("start", ""))).hostname or "").removeprefix("www.")


def sweep_is_due(engine: Engine, source_id: str, now: datetime) -> bool:
    """True if the source's list was not gone through as a whole for `SWEEP_DAYS`. Its first reading counts as one."""
    with reading(engine) as session:
        held = session.get(Source, source_id)
        if held is None or held.kind == "page" or held.baseline_at is None:
            return False
        asked = col(Run.record)["request"]
        last: datetime | None = session.exec(
            select(func.max(Run.finished_at)).where(
                Run.source_id == source_id,
                Run.state == RunState.TAKEN_IN,
                asked["sweep"].as_boolean() | asked["full"].as_boolean(),
            )
        ).one()
        return now - max(last or held.baseline_at, held.baseline_at) > timedelta(days=SWEEP_DAYS)
