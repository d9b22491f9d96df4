"""The landscape on the site: `/landscape` lists the periods, `/landscape/2026-Q4` and `/landscape/2026` show them."""

from __future__ import annotations

import re
from collections import OrderedDict
from datetime import date
from threading import Lock

from fastapi import FastAPI, Response

from monitor import queries
from monitor.config import Config, now
from monitor.queries.exports import Column
from monitor.queries.landscape import first_day, mark
from reports import period
from reports.exports.sheets import FORMATS, Sheet
from reports.landscape import Figure, Landscape, body, gather, table_of
from reports.languages import LANGUAGES
from reports.period import Period
from reports.render import moment
from reports.site.common import missing, page
from reports.site.exports import sent

_NAME = re.compile(r"\d{4}(-Q[1-4])?")
_FILE = re.compile(rf"([a-z-]+)\.({'|'.join(FORMATS)})")
MOST_KEPT = 16
"""Landscapes that are kept ready: one is seconds of work where much has happened."""


class Kept:
    """Landscapes as they were counted, for as long as nothing new was read."""

    def __init__(self, engine: queries.Engine, config: Config) -> None:
        self._engine, self._config = engine, config
        self._held: OrderedDict[tuple[object, ...], Landscape] = OrderedDict()
        self._guard = Lock()

    def of(self, which: Period) -> Landscape:
        """Raises ValueError for a period that has not begun."""
        moment_now = now(self._config)
        key = (which.name, moment_now.date(), mark(self._engine))
        with self._guard:
            held = self._held.get(key)
            if held is None:
                held = self._held[key] = gather(self._engine, self._config, which, moment_now, language=LANGUAGES[0])
            self._held.move_to_end(key)
            while len(self._held) > MOST_KEPT:
                self._held.popitem(last=False)
        return held


def add_landscapes(app: FastAPI, engine: queries.Engine, config: Config) -> None:
    kept = Kept(engine, config)

    @app.get("/landscape")
    def overview() -> Response:
        return page("landscapes.html", "/landscape", years=_years(engine, config))

    @app.get("/landscape/{name}")
    def landscape(name: str) -> Response:
        found = _landscape(kept, config, name)
        here = f"/landscape/{found.name}"
        cite = f"Exowatch, {found.title}, from what was read up to {moment(found.known_at)}."
        return page(
            "landscape_page.html", here, rehearsal=False, cite=cite, **body(found, downloads=f"{here}/tables")
        )  # fmt: skip

    @app.get("/landscape/{name}/tables/{file}")
    def table(name: str, file: str) -> Response:
        wanted = _FILE.fullmatch(file) or missing()
        found = _landscape(kept, config, name)
        figure = next((one for one in found.figures if one.id == wanted[1]), None) or missing()
        return sent(sheet_of(found, figure), wanted[2])


def _landscape(kept: Kept, config: Config, name: str) -> Landscape:
    if not _NAME.fullmatch(name):
        missing()
    try:
        zone = config.digest.timezone
        return kept.of(period.quarter(name, zone) if "-" in name else period.year(name, zone))
    except ValueError:  # no such year, or one that has not begun
        return missing()  # type: ignore[no-any-return]


def sheet_of(landscape: Landscape, figure: Figure) -> Sheet:
    """A figure's table as a download, with what it counts beside it."""
    numeric = (False, *figure.numeric)
    columns = [
        Column(name, "" if place else figure.means, "number" if numeric[place] else "text")
        for place, name in enumerate(figure.columns)
    ]
    notes = {
        "landscape": landscape.name,
        "from": landscape.period_from.isoformat(),
        "counted_to": landscape.counted_to.isoformat(),
        "basis": figure.basis,
        "notes": " ".join((*figure.says, *figure.notes)),
    }
    return Sheet(f"{landscape.name}-{figure.id}", figure.means, columns, table_of(figure), notes)


def _years(engine: queries.Engine, config: Config) -> list[tuple[str, list[str]]]:
    """Years with their quarters, from the first day of which anything is held; the newest first."""
    first = first_day(engine)
    if first is None:
        return []
    zone, today = config.digest.timezone, now(config).date()
    last = period.quarter_of(today, zone)
    # A misprinted date of long ago must not make a list of centuries.
    found, one = [], last
    while one.last >= max(first, date(today.year - 30, 1, 1)):
        found.append(one)
        one = period.before(one)
    years = sorted({one.first.year for one in found}, reverse=True)
    return [(str(year), [one.name for one in found if one.first.year == year]) for year in years]
