"""What every maker of figures uses: the language, the names of the two periods, and charts with their words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from monitor.queries.landscape_rows import Asked
from reports.landscape import charts
from reports.landscape.view import Cell, Chart, Row, Series
from reports.languages import Speech
from reports.render import line, short
from reports.words import Words

FEWEST_FOR_A_SHARE = 20
"""Below it a share says more than the numbers know: 2 of 3 is no 67 %."""
LONGEST_NAME = 120
MOST_BARS = 15


@dataclass(frozen=True)
class Making:
    """The making of one landscape's figures."""

    speech: Speech
    words: Words
    asked: Asked
    now: str
    """What the period is called."""
    before: str

    def gettext(self, text: str, /, **values: Any) -> str:
        return self.speech.gettext(text, **values)

    def ngettext(self, one: str, many: str, number: int, /, **values: Any) -> str:
        return self.speech.ngettext(one, many, number, **values)

    def day(self, value: date | None) -> str:
        return self.speech.day(value)

    def share(self, part: int, whole: int) -> str:
        """` (61 %)`, or nothing where there are too few."""
        return f" ({self.speech.percent(part / whole)})" if whole >= FEWEST_FOR_A_SHARE else ""

    def place(self, code: str) -> str:
        return self.words.jurisdiction(code) if code else self.gettext("not assessed")

    def bars(self, title: str, axis: str, rows: Sequence[tuple[str, int, int | None]]) -> Chart | None:
        """A bar a row, with a mark for the period before. Only so many as can be read; the table has all."""
        rows = [row for row in rows if row[1] or row[2]][:MOST_BARS]
        if not rows:
            return None
        series = [Series(name=self.now, values=tuple(row[1] for row in rows))]
        if any(row[2] is not None for row in rows):
            series.append(Series(name=self.before, values=tuple(row[2] or 0 for row in rows)))
        return self.chart("bars", title, axis, [row[0] for row in rows], series)

    def chart(
        self, kind: Any, title: str, axis: str, labels: Iterable[str], series: Iterable[Series], **more: Any
    ) -> Chart:
        made = Chart(
            kind=kind, title=title, axis=axis, labels=tuple(labels), series=tuple(series),
            numbered=self.gettext("(n): line n of the table"), **more,
        )  # fmt: skip
        return made.model_copy(update={"alternative": charts.alternative(made, self.speech)})


def named(text: object) -> str:
    """A stranger's text as a label: one line, of a length that a table can hold."""
    return short(line(text), LONGEST_NAME)


def row(label: str, *cells: Cell, path: str = "", quoted: bool = False) -> Row:
    return Row(label=label, cells=cells, path=path, quoted=quoted)


def summed(label: str, rows: Iterable[Row]) -> Row:
    """The sums of rows of numbers."""
    columns = zip(*(one.cells for one in rows), strict=True)
    return Row(label=label, cells=tuple(sum(cell for cell in column if isinstance(cell, int)) for column in columns))


def ranked(numbers: Mapping[str, tuple[int, ...]]) -> list[tuple[str, tuple[int, ...]]]:
    """The largest first; by name where they are equal."""
    return sorted(numbers.items(), key=lambda item: (tuple(-number for number in item[1]), item[0]))
