"""The whole landscape in one table, and in a few sentences; each number is that of a figure below."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.queries.landscape_notices import COUNTED
from monitor.queries.landscape_rows import Landscape
from reports.landscape.figures import known, letters, market, notices, registers
from reports.landscape.figures.making import Making, row
from reports.landscape.view import Figure, Statement


def figures(make: Making, rows: Landscape) -> Iterator[Figure]:
    now, before = notices.totals(rows)
    claims = market.totals(rows.claims.by_severity)
    moved = market.movement(rows)
    ended = [one for one in rows.letters.times if one.ended is not None]
    standing = len(rows.letters.times) - len(ended)
    table = [
        row(make.gettext("notices on exosomes"), now["core"], before["core"]),
        row(make.gettext("related notices"), now["adjacent"], before["adjacent"]),
        row(make.gettext("index entries that say too little to be sorted"), now["entry"], before["entry"]),
        row(make.gettext("rules, guidance, consultations"), len(rows.rules), None),
        row(make.gettext("claims appeared"), claims.appeared, claims.appeared_before),
        row(
            make.gettext("claims withdrawn or gone with their page"),
            claims.withdrawn + claims.gone,
            claims.withdrawn_before,
        ),
        row(make.gettext("claims standing at the beginning"), claims.start, None),
        row(make.gettext("claims standing at the end"), claims.end, None),
        row(make.gettext("new sellers"), len(moved.new), None),
        row(make.gettext("sellers vanished"), len(moved.vanished), None),
        row(make.gettext("claims gone after a letter, ever"), len(ended), None),
        row(make.gettext("claims standing after a letter"), standing, None),
        row(make.gettext("trials registered"), rows.trials.now, rows.trials.before),
        row(make.gettext("sources seen on every day"), known.whole(rows), None),
    ]
    if rows.asked.jurisdictions is None:
        table.insert(-1, row(make.gettext("papers"), rows.publications.now, rows.publications.before))
    yield Figure(
        id="glance",
        section="glance",
        title=make.gettext("In numbers"),
        means=make.gettext(
            "Each line is a figure below, where it says what is counted. A dash: not counted for the period before."
        ),
        basis="queries.landscape",
        columns=(make.gettext("What"), make.now, make.before),
        rows=tuple(table),
    )


def lead(make: Making, rows: Landscape) -> Iterator[Statement]:
    """The most telling sentences, each with the figure that its numbers come from."""
    yield Statement(text=_notices(make, rows), figure=notices.ID)
    yield Statement(text=_claims(make, rows), figure=market.CLAIMS)
    times = rows.letters.times
    if times:
        ended = [one for one in times if one.ended is not None]
        yield Statement(
            text=make.gettext(
                "Claims that stood when their firm was written to: %(all)s; gone since: %(ended)s; still standing: "
                "%(standing)s.",
                all=len(times),
                ended=len(ended),
                standing=len(times) - len(ended),
            ),
            figure=letters.ID,
        )
    yield Statement(
        text=make.gettext("Trials registered: %(now)s.", now=rows.trials.now),
        figure=registers.TRIALS,
    )
    yield Statement(
        text=make.gettext("Rules, guidance and consultations: %(number)s.", number=len(rows.rules)),
        figure=registers.RULES,
    )
    yield Statement(text=_sources(make, rows), figure=known.SOURCES)


def _sources(make: Making, rows: Landscape) -> str:
    if not rows.coverage:
        return make.gettext("No source has been read yet.")
    told = make.gettext(
        "Sources seen on every day of the period: %(whole)s of %(all)s.",
        whole=known.whole(rows),
        all=len(rows.coverage),
    )
    missed = make.gettext("What the others missed is not in these numbers.")
    return told if known.whole(rows) == len(rows.coverage) else f"{told} {missed}"


def _notices(make: Making, rows: Landscape) -> str:
    now, before = notices.totals(rows)
    return make.gettext(
        "Notices: %(now)s, of these on exosomes: %(core)s (%(earlier)s: %(before)s).",
        now=sum(now[sort] for sort in COUNTED),
        before=sum(before[sort] for sort in COUNTED),
        earlier=make.before,
        core=now["core"],
    )


def _claims(make: Making, rows: Landscape) -> str:
    claims = market.totals(rows.claims.by_severity)
    return make.gettext(
        "Claims: %(appeared)s appeared, %(left)s withdrawn or gone with their page, %(end)s standing.",
        appeared=claims.appeared,
        left=claims.withdrawn + claims.gone,
        end=claims.end,
    )
