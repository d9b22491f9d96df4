"""The landscape of a period as a view of figures, built from what was counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from monitor.clock import card_facts, is_on, plans
from monitor.config import Config, installed_sources
from monitor.knowledge import load
from monitor.queries import Engine
from monitor.queries import landscape as counted
from monitor.queries.landscape_rows import Asked
from monitor.queries.landscape_rows import Landscape as Rows
from reports.landscape.asking import asked
from reports.landscape.figures import glance, known, letters, market, notices, registers
from reports.landscape.figures.known import Reach
from reports.landscape.figures.making import Making
from reports.landscape.view import Figure, Landscape, Section
from reports.languages import Speech, speech
from reports.period import Period
from reports.words import Words

INSTANT = timedelta(microseconds=1)


def gather(
    engine: Engine,
    config: Config,
    of: Period,
    now: datetime,
    *,
    language: str = "",
    jurisdictions: Sequence[str] = (),
) -> Landscape:
    """The landscape of a period. The same stored data (and day, in a period that is not over) give the same.

    Where no language is named it speaks the configuration's, as the digest does.
    """
    spoken = speech(language or config.digest.language)
    learnt = counted.learnt_until(engine)
    # A rehearsed clock stands still here while it runs on in the crawler: what was read is known now all the same.
    wanted = asked(of, max(now, learnt + INSTANT) if learnt else now, jurisdictions)
    rows = counted.landscape(engine, wanted)
    return build(rows, of, spoken, reach(config, rows), config.site_address)


def build(rows: Rows, of: Period, spoken: Speech, far: Reach, site: str) -> Landscape:
    """Figures of what was counted; `site`: where permalinks lead."""
    make = Making(spoken, Words(spoken), rows.asked, *_names(rows.asked, of, spoken))
    figures = [
        *glance.figures(make, rows),
        *notices.figures(make, rows),
        *market.figures(make, rows),
        *letters.figures(make, rows),
        *registers.figures(make, rows),
        *known.figures(make, rows, far),
    ]
    places = tuple(sorted(rows.asked.jurisdictions or ()))
    return Landscape(
        name="-".join([of.name, *places]),
        title=spoken.gettext("The landscape of %(period)s", period=of.name),
        language=spoken.code,
        period_from=of.first,
        period_to=of.last,
        counted_to=rows.asked.now.last,
        before_name=make.before,
        before_from=rows.asked.before.first,
        before_to=rows.asked.before.last,
        timezone=of.timezone,
        known_at=rows.known_at,
        rehearsal=rows.rehearsal,
        jurisdictions=places,
        lead=tuple(glance.lead(make, rows)),
        sections=tuple(_sections(make, figures)),
        site=site,
    )


def _names(of_what: Asked, of: Period, spoken: Speech) -> tuple[str, str]:
    """What the two periods are called in tables."""
    now, before = of_what.now, of_what.before
    if now.last == of.last:
        return now.name, before.name
    days = before.days
    return (
        spoken.gettext("%(period)s so far", period=now.name),
        spoken.ngettext(
            "%(period)s, its first %(num)s day", "%(period)s, its first %(num)s days", days, period=before.name
        ),
    )  # fmt: skip


def _sections(make: Making, figures: Sequence[Figure]) -> Iterator[Section]:
    titles = {
        "glance": make.gettext("At a glance"),
        "notices": make.gettext("What regulators published"),
        "claims": make.gettext("What sellers claim"),
        "sellers": make.gettext("Who sells"),
        "letters": make.gettext("After a letter"),
        "trials": make.gettext("Trials"),
        "papers": make.gettext("Papers"),
        "rules": make.gettext("Rules"),
        "known": make.gettext("What was read, and what is not known"),
    }
    for key, title in titles.items():
        held = tuple(_never_blank(make, figure) for figure in figures if figure.section == key)
        if held:
            yield Section(id=f"part-{key}", title=title, figures=held)


def _never_blank(make: Making, figure: Figure) -> Figure:
    """A figure without a line says so."""
    return figure if figure.rows or figure.says else figure.model_copy(update={"says": (make.gettext("None."),)})


def reach(config: Config, rows: Rows) -> Reach:
    """What configuration, cards and knowledge say of what was not read."""
    known_ids = {one.id for one in rows.coverage}
    wanted = rows.asked.jurisdictions
    cards = {plan.source_id: card_facts(plan.source_id, config.cards) for plan in plans(config)}
    never = [
        str(card.get("title", key))
        for key, card in cards.items()
        if key not in known_ids and (wanted is None or card.get("jurisdiction") in wanted)
    ]
    off = sum(1 for key in installed_sources(config.cards) if not is_on(config, key))
    return Reach(tuple(never), off, load().scoring.level)
