"""From letter to withdrawal: how long claims stand after their firm was written to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from monitor.queries.landscape_rows import Landscape, LetterTime
from reports.landscape.figures.making import Making, row
from reports.landscape.view import Cell, Figure, Series

ID = "letter-to-withdrawal"


def middle(times: Sequence[LetterTime]) -> float | None:
    """The median of the days; None where there is none."""
    return median(one.days for one in times) if times else None


def told(number: float | None) -> Cell:
    """A median as a cell: half days happen between two withdrawals."""
    if number is None:
        return None
    return int(number) if number == int(number) else f"{number:.1f}"


def figures(make: Making, rows: Landscape) -> Iterator[Figure]:
    times = rows.letters.times
    ended = [one for one in times if one.ended is not None]
    standing = [one for one in times if one.ended is None]
    in_period = [one for one in ended if one.in_period]
    table = [
        row(make.gettext("withdrawn or gone with their page, in the period"), len(in_period), *_range(in_period)),
        row(make.gettext("withdrawn or gone with their page, ever"), len(ended), *_range(ended)),
        row(make.gettext("still standing: days up to their last sight"), len(standing), *_range(standing)),
    ]
    title = make.gettext("From letter to withdrawal")
    chart = (
        make.chart(
            "dots",
            title,
            make.gettext("days since the letter"),
            (),
            [
                Series(name=make.gettext("withdrawn"), values=tuple(one.days for one in ended)),
                Series(name=make.gettext("still standing"), values=tuple(one.days for one in standing)),
            ],
        )
        if times
        else None
    )
    yield Figure(
        id=ID,
        section="letters",
        title=title,
        means=make.gettext(
            "Claims of a firm that a warning letter or untitled letter is addressed to, that had been seen on its "
            "pages on or before the day on which the letter was issued and were not yet gone. Days from that day to "
            "the first reading without the claim. Where several letters met a claim, the earliest counts. Claims that "
            "our changed rules ended, and those that a person dismissed, are left out. That a claim went after a "
            "letter does not say that it went because of it."
        ),
        basis="queries.landscape_letters; notice, notice_organisation, page, claim, event",
        says=_says(make, rows, ended, standing),
        columns=(
            make.gettext("Claims"),
            make.gettext("Number"),
            make.gettext("Median days"),
            make.gettext("Fewest"),
            make.gettext("Most"),
        ),
        rows=tuple(table),
        chart=chart,
        notes=_notes(make, rows),
    )


def _range(times: Sequence[LetterTime]) -> tuple[Cell, Cell, Cell]:
    days = [one.days for one in times]
    return told(middle(times)), min(days, default=None), max(days, default=None)


def _says(
    make: Making, rows: Landscape, ended: Sequence[LetterTime], standing: Sequence[LetterTime]
) -> tuple[str, ...]:
    letters = rows.letters
    known = make.gettext(
        "Letters up to the end of the period: %(letters)s, to firms: %(firms)s; firms of which pages are read: "
        "%(read)s.",
        letters=letters.letters,
        firms=letters.firms,
        read=letters.firms_read,
    )
    if not ended and not standing:
        return (
            known,
            make.gettext("No claim is known to have stood when its firm was written to: no time can be told."),
        )
    days = str(told(middle(ended))) if ended else make.gettext("none yet")
    return (
        known,
        make.gettext(
            "Claims that stood when their firm was written to: %(all)s; gone since: %(ended)s (median days: %(days)s); "
            "still standing: %(standing)s.",
            all=len(ended) + len(standing),
            ended=len(ended),
            days=days,
            standing=len(standing),
        ),
    )


def _notes(make: Making, rows: Landscape) -> tuple[str, ...]:
    letters, notes = rows.letters, []
    if letters.later:
        notes.append(
            make.ngettext(
                "%(num)s claim of these firms was seen only after the letter: no time can be told of it.",
                "%(num)s claims of these firms were seen only after the letter: no time can be told of them.",
                letters.later,
            )
        )
    if letters.undated:
        notes.append(
            make.ngettext(
                "%(num)s letter bears no day of issue and is left out.",
                "%(num)s letters bear no day of issue and are left out.",
                letters.undated,
            )
        )
    return tuple(notes)
