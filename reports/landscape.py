"""The landscape of a period: built once as a view of figures, then written as HTML, text, PDF and JSON."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from monitor.clock import card_facts, is_on, plans
from monitor.config import Config, installed_sources
from monitor.knowledge import load
from monitor.queries import Engine
from monitor.queries import landscape as counted
from monitor.queries.landscape_rows import Asked, Stretch
from monitor.queries.landscape_rows import Landscape as Rows
from reports import charts, period
from reports.figures import glance, known, letters, market, notices, registers
from reports.figures.known import Reach
from reports.figures.making import Making
from reports.landscape_view import Cell, Figure, Landscape, Section
from reports.languages import Speech, speech
from reports.period import Period
from reports.render import line, render, stylesheet
from reports.words import Words

QUARTERS = 12
"""How far back trends go, the quarter in which the period ends included."""
LONGEST_IN_WEEKS, LONGEST_IN_MONTHS = 100, 800
"""Days up to which a period is divided into weeks and into months; above, into quarters."""
DAY = timedelta(days=1)
FORMATS = ("html", "txt", "json", "pdf")
MOST_ROWS = 60
"""Rows of a table that a page shows; text, JSON and downloads have all."""
INSTANT = timedelta(microseconds=1)


def asked(of: Period, now: datetime, jurisdictions: Sequence[str] = ()) -> Asked:
    """What is to be counted. A period that is not over is counted up to now, and the one before for as many days.

    Raises ValueError for a period that has not begun.
    """
    today = now.astimezone(ZoneInfo(of.timezone)).date()
    if of.first > today:
        raise ValueError(f"{of.name} has not begun: it is {today}; name an earlier period")
    last = min(of.last, today)
    earlier = period.before(of)
    if last < of.last:
        until = min(earlier.last, earlier.first + (last - of.first))
        earlier = Period(earlier.name, earlier.first, until, of.timezone)
    here = _stretch(Period(of.name, of.first, last, of.timezone))
    return Asked(
        now=Stretch(here.name, here.first, here.last, here.start, min(here.end, now)),
        before=_stretch(earlier),
        steps=tuple(_steps(of, here)),
        quarters=tuple(_quarters(of)),
        timezone=of.timezone,
        jurisdictions=frozenset(jurisdictions) or None,
    )


def _stretch(of: Period, name: str = "") -> Stretch:
    return Stretch(name or of.name, of.first, of.last, of.start, of.end)


def _quarters(of: Period) -> Iterator[Stretch]:
    quarter = period.quarter_of(of.last, of.timezone)
    found = [quarter]
    while len(found) < QUARTERS:
        found.append(period.before(found[-1]))
    return (_stretch(one) for one in reversed(found))


def _steps(of: Period, here: Stretch) -> Iterator[Stretch]:
    """Equal parts of the period so far: weeks, months or quarters, the first and last cut where the period is."""
    first = here.first
    while first <= here.last:
        last = min(_step_end(of, first), here.last)
        yield _stretch(Period(of.name, first, last, of.timezone), _step_name(of, first))
        first = last + DAY


def _days(of: Period) -> int:
    return (of.last - of.first).days + 1


def _step_end(of: Period, first: date) -> date:
    if _days(of) <= LONGEST_IN_WEEKS:
        return first + (6 - first.weekday()) * DAY
    quarter = period.quarter_of(first, of.timezone)
    if _days(of) > LONGEST_IN_MONTHS:
        return quarter.last
    return (first.replace(day=1) + 32 * DAY).replace(day=1) - DAY


def _step_name(of: Period, first: date) -> str:
    if _days(of) <= LONGEST_IN_WEEKS:
        year, week, _ = first.isocalendar()
        return f"{year}-W{week:02}"
    return f"{first:%Y-%m}" if _days(of) <= LONGEST_IN_MONTHS else period.quarter_of(first, of.timezone).name


def gather(
    engine: Engine,
    config: Config,
    of: Period,
    now: datetime,
    *,
    language: str = "en",
    jurisdictions: Sequence[str] = (),
) -> Landscape:
    """The landscape of a period. The same stored data (and day, in a period that is not over) give the same."""
    spoken = speech(language)
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


def write(landscape: Landscape, folder: Path, formats: Sequence[str] = FORMATS[:3]) -> list[Path]:
    """Write the files asked for, each whole or not at all; one in another language bears its code."""
    folder.mkdir(parents=True, exist_ok=True)
    name = landscape.name if landscape.language == "en" else f"{landscape.name}.{landscape.language}"
    written = []
    for kind in formats:
        path = folder / f"{name}.{kind}"
        content = _WRITERS[kind](landscape)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.write_bytes(content)
        part.replace(path)
        written.append(path)
    return written
