"""Which sources a digest rests on, and which were not read: silence from those does not mean that nothing is new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.clock import card_facts, plans
from monitor.config import Config
from monitor.queries.rows import SourceState
from monitor.queries.week_rows import Week
from reports.digest.view import RunItem, SourceItem


@dataclass(frozen=True)
class Seen:
    """All sources of a period by what was seen of them: fields of `Digest`."""

    sources_total: int
    sources_read: int
    read: tuple[SourceItem, ...]
    blind: tuple[SourceItem, ...]
    not_read: tuple[SourceItem, ...]
    quiet: tuple[SourceItem, ...]
    quarantined: tuple[RunItem, ...]


def seen(week: Week, config: Config) -> Seen:
    never = never_read(week.sources, config)
    read = tuple(source_item(source) for source in week.sources if source.read)
    return Seen(
        sources_total=len(week.sources) + len(never),
        sources_read=len(read),
        read=read,
        blind=tuple(source_item(source) for source in week.sources if source.blind),
        not_read=(*not_read(week.sources, config), *never),
        quiet=tuple(item for item in read if item.state == "quiet"),
        quarantined=quarantined(week),
    )


def source_item(source: SourceState) -> SourceItem:
    return SourceItem(
        id=source.id,
        title=source.title,
        jurisdiction=source.jurisdiction,
        state=source.state,
        reason=source.reason,
        since=source.since,
        last_success=source.last_success_at,
    )


def not_read(sources: Iterable[SourceState], config: Config) -> tuple[SourceItem, ...]:
    """Neither read well in the period nor blind. Those turned off say so: nobody need look for what is wrong."""
    return tuple(_unread(source, config) for source in sources if not source.read and not source.blind)


def _unread(source: SourceState, config: Config) -> SourceItem:
    item = source_item(source)
    choice, site = config.sources.get(source.id), config.site_of(source.id)
    turned_off = (choice is not None and not choice.on) or (site is not None and not site.on)
    return item.model_copy(update={"state": "off", "reason": ""}) if turned_off else item


def never_read(sources: Iterable[SourceState], config: Config) -> tuple[SourceItem, ...]:
    """Sources that are on and of which no reading was ever whole: without a line here nobody would miss them."""
    known = {source.id for source in sources}
    return tuple(_never(plan.source_id, config) for plan in plans(config) if plan.source_id not in known)


def _never(source_id: str, config: Config) -> SourceItem:
    card, site = card_facts(source_id, config.cards), config.site_of(source_id)
    named = {"title": site.name or site.url, "jurisdiction": site.country} if site else {}
    return SourceItem(
        id=source_id,
        title=str(card.get("title") or named.get("title") or source_id),
        jurisdiction=str(card.get("jurisdiction") or named.get("jurisdiction") or ""),
        state="never",
    )


def quarantined(week: Week) -> tuple[RunItem, ...]:
    titles = {source.id: source.title for source in week.sources}
    return tuple(
        RunItem(
            id=run.id,
            source_id=run.source_id,
            source_title=titles.get(run.source_id, run.source_id),
            finished_at=run.finished_at,
            reasons=run.reasons,
        )
        for run in week.quarantined
    )
