"""What was read for how much of the period, and what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitor.queries.landscape_rows import Coverage, Landscape
from reports.landscape.figures import market
from reports.landscape.figures.making import Making, named, row
from reports.landscape.view import Chart, Figure, Row, Stretches

SOURCES = "sources-read"
UNKNOWN = "not-known"
MOST_LINES = 30
"""Lines of the picture; the table has every source."""
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Reach:
    """What only the configuration, the cards and the knowledge can tell."""

    never_read: Sequence[str]
    """Titles of sources that are on and were never read."""
    off: int
    """Installed sources that are not read."""
    level: Callable[[str], str]
    """How well a language is read: A, B or C."""


def figures(make: Making, rows: Landscape, reach: Reach) -> Iterator[Figure]:
    yield _sources(make, rows)
    yield _first_readings(make, rows)
    yield _unknown(make, rows, reach)


def whole(rows: Landscape) -> int:
    """How many sources have no gap in the period."""
    return sum(1 for one in rows.coverage if not one.gaps)


def _days(one: Coverage, why: str) -> int:
    return sum((last - first).days + 1 for first, last, how in one.gaps if how == why)


def _sources(make: Making, rows: Landscape) -> Figure:
    order = sorted(rows.coverage, key=lambda one: (one.days, one.kind == "page", one.id))
    table = [_seen(make, one) for one in order]
    days = make.asked.now.days
    return Figure(
        id=SOURCES,
        section="known",
        title=make.gettext("Sources, and for how much of the period they were read"),
        means=make.gettext(
            "Days of the period on which a source could be seen: all but those before its first good reading and "
            "those of blind spans, which last from the day after the last good reading to the day before the next. "
            "The least read come first."
        ),
        basis="queries.landscape_coverage; source, run, event",
        says=(
            make.gettext(
                "Sources seen on all %(days)s days: %(whole)s of %(all)s.",
                whole=whole(rows),
                all=len(table),
                days=days,
            ),
        ),
        columns=(
            make.gettext("Source"),
            make.gettext("days seen"),
            make.gettext("days blind"),
            make.gettext("days not yet read"),
            make.gettext("good readings"),
            make.gettext("failed readings"),
            make.gettext("Jurisdiction"),
            make.gettext("Id"),
        ),
        rows=tuple(table),
        chart=_spans(make, order),
        notes=(make.gettext("The picture shows the %(num)s least read.", num=MOST_LINES),)
        if len(table) > MOST_LINES
        else (),
    )


def _seen(make: Making, one: Coverage) -> Row:
    days = (one.days, _days(one, "blind"), _days(one, "unread"))
    return row(named(one.title), *days, one.readings, one.failed, make.place(one.jurisdiction), one.id, quoted=True)


def _spans(make: Making, order: Sequence[Coverage]) -> Chart | None:
    if not order:
        return None
    now = make.asked.now
    starts = [now.first + day * DAY for day in range(now.days) if (now.first + day * DAY).day == 1]
    step = max(1, len(starts) // 7 + (len(starts) % 7 > 0))
    ticks = [((start - now.first).days, make.day(start)) for start in starts[::step]] or [(0, make.day(now.first))]
    return make.chart(
        "spans",
        make.gettext("Days of the period on which sources were seen"),
        make.gettext("days"),
        (),
        (),
        spans=tuple(
            Stretches(label=named(one.title), spans=tuple(_stretches(make, one))) for one in order[:MOST_LINES]
        ),
        sorts=(
            ("read", make.gettext("seen")),
            ("blind", make.gettext("blind")),
            ("unread", make.gettext("not yet read")),
        ),
        ticks=tuple(ticks),
    )


def _stretches(make: Making, one: Coverage) -> Iterable[tuple[int, int, str]]:
    begin, done = make.asked.now.first, 0
    for first, last, why in one.gaps:
        if (first - begin).days > done:
            yield done, (first - begin).days - 1, "read"
        yield (first - begin).days, (last - begin).days, why
        done = (last - begin).days + 1
    if done < make.asked.now.days:
        yield done, make.asked.now.days - 1, "read"


def _first_readings(make: Making, rows: Landscape) -> Figure:
    table = [
        row(
            named(one.title),
            one.first_read,
            one.brought.get("notice_published", 0),
            one.brought.get("claim_appeared", 0),
            one.brought.get("trial_registered", 0),
            one.brought.get("publication_indexed", 0),
            quoted=True,
        )
        for one in rows.coverage
        if one.first_read
    ]
    return Figure(
        id="first-readings",
        section="known",
        title=make.gettext("Read for the first time"),
        means=make.gettext(
            "What a first reading brings is history: its claims and its sellers are new here, not in the world. Its "
            "notices, trials and papers count on their own days."
        ),
        basis="queries.landscape_coverage; event",
        columns=(
            make.gettext("Source"),
            make.gettext("On"),
            make.gettext("Notices"),
            make.gettext("Claims"),
            make.gettext("Trials"),
            make.gettext("Papers"),
        ),
        rows=tuple(table),
        says=() if table else (make.gettext("None."),),
    )


def _unknown(make: Making, rows: Landscape, reach: Reach) -> Figure:
    return Figure(
        id=UNKNOWN,
        section="known",
        title=make.gettext("What is not known"),
        means=make.gettext("What these figures cannot say, in numbers. Nothing is asserted about any of it."),
        basis="configuration, source cards; queries.landscape; page, finding, notice, claim",
        columns=(make.gettext("What"), make.gettext("Number"), make.gettext("Which")),
        rows=tuple(_unknowns(make, rows, reach)),
    )


def _unknowns(make: Making, rows: Landscape, reach: Reach) -> Iterator[Row]:
    level_c = {code: n for code, n in rows.unknown.languages.items() if code and reach.level(code) == "C"}
    claims = market.totals(rows.claims.by_severity)
    silent = next((one.end for one in rows.claims.by_jurisdiction if one.key == ("",)), 0)
    blind = [one for one in rows.coverage if one.gaps and one.gaps[-1][1] == make.asked.now.last]
    yield row(make.gettext("sources that are on and were never read"), len(reach.never_read), _list(reach.never_read))
    yield row(make.gettext("sources blind or not yet read at the end"), len(blind), _list(one.title for one in blind))
    yield row(make.gettext("installed sources that are not on"), reach.off, "")
    yield row(make.gettext("standing claims not assessed in any jurisdiction"), silent, "")
    yield row(
        make.gettext("jurisdictions that pages address and that are not assessed"),
        len(rows.unknown.not_assessed),
        _list(make.place(code) for code in rows.unknown.not_assessed),
    )
    yield row(
        make.gettext("pages in languages in which a person decides every finding"),
        sum(level_c.values()),
        _list(make.words.language(code) for code in level_c),
    )
    yield row(make.gettext("pages whose language is not known"), rows.unknown.languages.get("", 0), "")
    yield row(make.gettext("standing claims that nobody has reviewed"), rows.claims.unreviewed, "")
    yield row(make.gettext("claims that came from first readings in the period"), claims.first_read, "")
    yield row(make.gettext("notices of the period of which only the index entry was held"), rows.notices.entries, "")
    yield row(make.gettext("notices without a date"), rows.notices.undated, "")
    for name, counts in (
        (make.gettext("standing claims whose source material is unstated"), rows.claims.by_material),
        (make.gettext("standing claims whose route is unstated"), rows.claims.by_route),
    ):
        yield row(name, sum(one.end for one in counts if one.key[0] in ("", "unstated")), "")


def _list(names: Iterable[str]) -> str:
    return "; ".join(named(name) for name in sorted(names, key=str.casefold))
