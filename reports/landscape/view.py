"""The view model of a landscape: what its HTML, text, PDF, JSON and downloads all show.

It is made of figures. A figure is a table, what it counts, where that stands, and perhaps a picture of it: nothing
is said that does not come from a table, and no picture shows what its table does not hold.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from reports.views import View

Cell = int | date | str | None
"""A number, a day, words, or nothing: not known."""


class Row(View):
    label: str
    cells: tuple[Cell, ...] = ()
    path: str = ""
    """Where the site shows it; empty if nowhere."""
    quoted: bool = False
    """The label is a stranger's text: its language is not ours."""


class Series(View):
    """Numbers of one kind, one for each label of its chart."""

    name: str
    values: tuple[int, ...]


class Stretches(View):
    """What one line of a chart of spans shows: (first day, last day, sort), days counted from 0."""

    label: str
    spans: tuple[tuple[int, int, str], ...]


class Chart(View):
    """What a picture is made of. Labels, names and values are those of the figure's table.

    `bars`: one bar a label, the first series filled, the second (the period before) marked by a line.
    `columns`: series on top of one another, a column a label. `pairs`: series beside one another.
    `dots`: one dot a value of the first series, in days; a line where the median is.
    `spans`: one line a label, days of the period from left to right.
    """

    kind: Literal["bars", "columns", "pairs", "dots", "spans"]
    title: str
    labels: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    axis: str = ""
    """What the numbers are: "notices", "days"."""
    spans: tuple[Stretches, ...] = ()
    sorts: tuple[tuple[str, str], ...] = ()
    """Sort of a span → what it is called."""
    ticks: tuple[tuple[int, str], ...] = ()
    """Day of the period → what stands below it."""
    numbered: str = ""
    """What a picture says that shows the numbers of lines of the table in the place of labels it cannot draw."""
    alternative: str = ""
    """The picture in words, made from its data."""


class Figure(View):
    """`means` says what is counted, `basis` which question and tables it comes from."""

    id: str
    section: str
    title: str
    means: str
    basis: str
    says: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """Heads: the first is that of the labels."""
    rows: tuple[Row, ...] = ()
    total: Row | None = None
    chart: Chart | None = None
    notes: tuple[str, ...] = ()

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Which of the columns after the first hold numbers or dashes alone, and at least one number."""
        columns = [[one.cells[place] for one in self.rows] for place in range(len(self.columns) - 1)]
        return tuple(
            all(cell is None or type(cell) is int for cell in column) and any(type(cell) is int for cell in column)
            for column in columns
        )


class Statement(View):
    """A sentence, and the figure whose table holds its numbers."""

    text: str
    figure: str


class Section(View):
    id: str
    title: str
    figures: tuple[Figure, ...]


class Landscape(View):
    """A whole landscape. Days up to `counted_to` are counted, the period before for as many days."""

    name: str
    title: str
    language: str
    period_from: date
    period_to: date
    counted_to: date
    before_name: str
    before_from: date
    before_to: date
    timezone: str
    known_at: datetime | None
    """When the latest of what was counted became known; None: nothing was read yet."""
    rehearsal: bool
    jurisdictions: tuple[str, ...]
    lead: tuple[Statement, ...]
    """The most telling numbers as sentences."""
    sections: tuple[Section, ...]
    site: str
    """Address of the site that permalinks lead to."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        return tuple(figure for section in self.sections for figure in section.figures)

    def title_of(self, figure: str) -> str:
        return next(one.title for one in self.figures if one.id == figure)

    @property
    def unfinished(self) -> bool:
        return self.counted_to < self.period_to
