"""One landscape in each of its forms: a page that stands alone, plain text, PDF, JSON, tables; and as files."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from markupsafe import Markup

from reports.files import write_whole
from reports.landscape import charts
from reports.landscape.view import Cell, Figure, Landscape
from reports.languages import Speech, speech
from reports.render import line, render, stylesheet

FORMATS = ("html", "txt", "json", "pdf")
USUAL = FORMATS[:3]
MOST_ROWS = 60
"""Rows of a table that a page shows; text, JSON and downloads have all."""


def tables(landscape: Landscape) -> list[tuple[str, tuple[str, ...], list[tuple[Cell, ...]]]]:
    """Every table whole, for downloads: its figure's id, its heads, its rows."""
    return [(figure.id, figure.columns, table_of(figure)) for figure in landscape.figures]


def table_of(figure: Figure) -> list[tuple[Cell, ...]]:
    """The rows of a figure, each with its label first; the last is that of the sums, if it has one."""
    rows = (*figure.rows, *([figure.total] if figure.total else []))
    return [(one.label, *one.cells) for one in rows]


def shown(cell: Cell, spoken: Speech) -> str:
    """A cell as pages and texts show it; what is not known is a dash."""
    if cell is None:
        return "–"
    if isinstance(cell, date):
        return spoken.day(cell)
    return spoken.number(cell) if isinstance(cell, int) else line(cell)


def body(landscape: Landscape, *, base: str = "", downloads: str = "", pictures: str = "svg") -> dict[str, Any]:
    """What the templates of a landscape are given.

    `pictures`: `svg` in the page, or `png` as images. `downloads`: where the tables can be had, if anywhere.
    """
    spoken = speech(landscape.language)

    def picture(figure: Figure) -> Markup:
        if figure.chart is None:
            return Markup("")
        if pictures == "svg":
            return Markup(charts.svg(figure.chart, figure.id))  # noqa: S704 - our own drawing, its texts escaped
        data = base64.b64encode(charts.png(figure.chart)).decode()
        return Markup('<img src="data:image/png;base64,{}" alt="{}">').format(data, figure.chart.alternative)

    def cell(value: Cell) -> str:
        return shown(value, spoken)

    given = {"landscape": landscape, "base": base, "downloads": downloads, "most": MOST_ROWS}
    return {**given, "picture": picture, "cell": cell}


def as_html(landscape: Landscape, *, pictures: str = "svg") -> str:
    """A page that stands alone, with no script and nothing to be fetched."""
    return render(
        "landscape.html",
        landscape.language,
        css=stylesheet(),
        **body(landscape, base=landscape.site, pictures=pictures),
    )


def as_text(landscape: Landscape) -> str:
    """Everything, nothing cut."""
    return render("landscape.txt", landscape.language, **body(landscape, base=landscape.site))


def as_json(landscape: Landscape) -> str:
    return landscape.model_dump_json(indent=1) + "\n"


def as_pdf(landscape: Landscape) -> bytes:
    """The page on paper. Raises PdfError where what makes it is not installed."""
    from reports.pdf import pdf_of

    identifier = hashlib.sha256(as_json(landscape).encode()).digest()[:16]
    return pdf_of(as_html(landscape, pictures="png"), identifier)


_WRITERS: dict[str, Callable[[Landscape], bytes]] = {
    "html": lambda landscape: as_html(landscape).encode(),
    "txt": lambda landscape: as_text(landscape).encode(),
    "json": lambda landscape: as_json(landscape).encode(),
    "pdf": as_pdf,
}


def write(landscape: Landscape, folder: Path, formats: Sequence[str] = USUAL) -> list[Path]:
    """Write the files asked for, each whole or not at all; one in another language bears its code."""
    folder.mkdir(parents=True, exist_ok=True)
    name = landscape.name if landscape.language == "en" else f"{landscape.name}.{landscape.language}"
    written = []
    for kind in formats:
        path = folder / f"{name}.{kind}"
        write_whole(path, _WRITERS[kind](landscape))
        written.append(path)
    return written
