"""Every source there is, read or not: its card, whether it is on, and how its readings went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor.clock import cadence_of, is_on
from monitor.config import Config
from monitor.intake.health import Facts, span, state_of
from monitor.queries.facts import chunks
from monitor.queries.rows import SourceRow
from monitor.tables.db import reading
from monitor.tables.models import SHIPPED, Run, RunState, Source
from monitor.tables.registers import Backfill
from monitor.webname import host_of

Card = Mapping[str, Any]


def source_rows(engine: Engine | None, config: Config, cards: Iterable[Card], now: datetime) -> tuple[SourceRow, ...]:
    """Installed sources, configured sites, and what was read once and is no more installed, in this order.

    `engine` None: nothing has been read yet. `cards`: as the crawler lists them.
    """
    known = {str(card["id"]): card for card in cards}
    for site in config.sites:
        known.setdefault(site.source_id, _site_card(site.source_id, site.name, site.country, site.url))
    if engine is None:
        return tuple(_row(key, card, config, now, _Held()) for key, card in known.items())
    with reading(engine) as session:
        held = _held(session)
    gone = {key: one.source.card for key, one in held.items() if key not in known and one.source is not None}
    return tuple(_row(key, card, config, now, held.get(key, _Held())) for key, card in (known | gone).items())


def _site_card(source_id: str, title: str, country: str, url: str) -> Card:
    means = (
        "A seller's or clinic's site that the configuration names. That it is watched says nothing about the seller."
    )
    return {
        "id": source_id,
        "title": title or host_of(url).removeprefix("www."),
        "jurisdiction": country.lower(),
        "kind": "page",
        "means": means,
        "start": url,
        "frequency": "daily",
    }


class _Held:
    """What the database has of one source."""

    def __init__(
        self,
        source: Source | None = None,
        last: Run | None = None,
        good: Run | None = None,
        backfill: Backfill | None = None,
    ) -> None:
        self.source, self.last, self.good, self.backfill = source, last, good, backfill


def _held(session: Session) -> dict[str, _Held]:
    held = {one.id: _Held(one) for one in session.exec(select(Source).where(Source.kind != SHIPPED))}
    newest: dict[str, tuple[str, datetime]] = {}
    good: dict[str, tuple[str, datetime]] = {}
    for run_id, source_id, state, at in session.exec(select(Run.id, Run.source_id, Run.state, Run.finished_at)):
        for found, counts in ((newest, True), (good, state == RunState.TAKEN_IN)):
            if counts and (source_id not in found or at > found[source_id][1]):
                found[source_id] = (run_id, at)
    for which, found in (("last", newest), ("good", good)):
        for ids in chunks(run_id for run_id, _ in found.values()):
            for run in session.exec(select(Run).where(col(Run.id).in_(ids))):
                if run.source_id in held:
                    setattr(held[run.source_id], which, run)
    for backfill in session.exec(select(Backfill)):
        if backfill.source_id in held:
            held[backfill.source_id].backfill = backfill
    return held


def _row(source_id: str, card: Card, config: Config, now: datetime, held: _Held) -> SourceRow:
    source, good = held.source, held.good
    expect = card.get("expect") or {}
    listed = expect.get("listed") or {}
    success = source.last_success_at if source else None
    state, reason = state_of(
        Facts(
            on=is_on(config, source_id),
            state=source.state if source else "",
            reason=source.state_reason if source else "",
            last_success=success,
            last_new=(source.last_new_item_at or source.baseline_at) if source else None,
            newest=_day(good.record.get("newest")) if good else None,
            usual_days=expect.get("newest_within_days"),
        ),
        cadence_of(config, source_id),
        now,
    )
    return SourceRow(
        id=source_id,
        title=str(card.get("title", source_id)),
        authority=str((card.get("authority") or {}).get("name", "")),
        jurisdiction=str(card.get("jurisdiction", "")),
        language=str(card.get("language", "")),
        kind=str(card.get("kind", "")),
        means=str(card.get("means", "")),
        address=str(card.get("start", "")),
        on=state != "off",
        state=state,
        reason=reason,
        warnings=tuple(str(one.get("message", "")) for one in good.reasons) if good else (),
        last_run_at=source.last_run_at if source else None,
        last_success_at=success,
        last_success_age=span(now - success) if success else "",
        last_new_item_at=source.last_new_item_at if source else None,
        listed=held.last.record.get("listed") if held.last else None,
        records=sum((held.last.record.get("items") or {}).values()) if held.last else None,
        expected_min=listed.get("min"),
        expected_max=listed.get("max"),
        frequency=str(card.get("frequency", "")),
        delay=(card.get("pace") or {}).get("delay"),
        unverified=bool(card.get("unverified", False)),
        demo=bool(card.get("demo", False)),
        terms_of_use=str(card.get("terms_of_use", "")),
        backfilled_since=held.backfill.since if held.backfill else None,
        backfill_done=bool(held.backfill and held.backfill.done_at),
    )


def _day(value: object) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else None
