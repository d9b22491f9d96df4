"""A digest's view, built from what a period brought."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from monitor.config import Config
from monitor.queries.week_rows import Week
from reports.digest import beside, sources_read
from reports.digest.headline import headline, subject
from reports.digest.priority import priorities
from reports.digest.sections import Maker, sections, tally
from reports.digest.view import Digest, Judged, Section
from reports.languages import speech
from reports.law import Law, Provision
from reports.period import Period


def build(
    week: Week,
    period: Period,
    config: Config,
    *,
    law: Law,
    known: datetime,
    name: str = "",
    wanted: tuple[str, ...] = (),
    asked: tuple[str, ...] = (),
    watchlists: tuple[str, ...] = (),
    language: str = "en",
) -> Digest:
    """The whole digest, nothing cut. The same stored data, law and `known` give the same digest.

    `wanted`: the jurisdictions it is kept to; `asked`: those of them that no configuration named, told in the subject.
    """
    spoken = speech(language)
    maker = Maker(law, {source.id: source for source in week.sources}, week.reach)
    found, around = sections(week, config, maker), beside.all_beside(week, maker)
    every, seen = tally(week, None, config), sources_read.seen(week, config)
    told = headline(every, around.products.total, around.registered.total, spoken)
    return Digest(
        name=name or period.name,
        language=language,
        title=config.digest.title,
        subject=subject(
            config.digest.title, "-".join([period.name, *asked]), told, len(seen.blind), watchlists, spoken
        ),
        period_from=period.first,
        period_to=period.last,
        timezone=period.timezone,
        generated_at=known,
        rehearsal=week.rehearsal,
        jurisdictions=wanted,
        asked_watchlists=watchlists,
        tally=every,
        waiting_flag=week.waiting.flag,
        waiting_review=week.waiting.review,
        waiting_high=week.waiting.high,
        priorities=priorities(week),
        sections=found,
        **vars(around),
        **vars(seen),
        provisions=_cited(found, (around.rules, around.reviews), law),
        site=config.site_address,
    )


def _cited(found: Iterable[Section], judged: Iterable[Judged], law: Law) -> dict[str, Provision]:
    """The provisions that any item touches, by their ids."""
    shown = [item for section in found for group in section.claims for page in group.pages for item in page.claims]
    shown += [item for group in judged for item in group.items]
    return {basis: law(basis) for basis in sorted({basis for item in shown for basis in item.basis})}
