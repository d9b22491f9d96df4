"""Downloads: `/export` lists every table, `/export/claims.csv` and the like are them, as a stream."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from monitor import queries, search
from monitor.config import Config
from monitor.queries import exports
from monitor.queries.exports import Column, FilterError, Row
from reports.digest import Digest, Tally
from reports.exports import sheets
from reports.exports.filters import filters_of
from reports.exports.sheets import Sheet
from reports.site.common import missing, page, refuse, sentence

_FILE = re.compile(r"([a-z_]+)\.(csv|xlsx|json|jsonl)")
_PIECE = 1 << 16
FOUND = (
    Column("kind", "What was found: claim, notice, product, organisation, trial, publication, authorisation"),
    Column("id", "Its number; its page is /<kind>s/<id>", "number"),
    Column("title", "The claim’s wording, or its title or name"),
    Column("snippet", "The part of its text that meets the words"),
    Column("jurisdictions", "Jurisdictions that it concerns", "list"),
    Column("severity", "Severity, of claims"),
    Column("first_seen", "When it was first seen", "time"),
)
"""Columns of the table `search`: what a search of the site found, at most 1,000."""
_SEARCHED = ("q", "jurisdiction", "kind", "category", "severity")


def add_exports(app: FastAPI, engine: queries.Engine, config: Config) -> None:
    @app.get("/export")
    def overview() -> Response:
        return page("exports.html", "/export", tables=tuple(exports.TABLES.values()))

    @app.get("/export/{file}")
    def download(file: str, request: Request) -> Response:
        found = _FILE.fullmatch(file) or missing()
        given = dict(request.query_params)
        try:
            return sent(_sheet(engine, config, found[1], given), found[2])
        except FilterError as error:
            help = f"{sentence(error)} The page /export lists what there is."
            return refuse("This table cannot be narrowed so", help)


def _sheet(engine: queries.Engine, config: Config, name: str, given: Mapping[str, str]) -> Sheet:
    if name == "search":
        return _found(engine, given)
    if name == "glance":
        return _glance(engine, config, given.get("digest", ""))
    table = exports.TABLES.get(name) or missing()
    asked = filters_of(table, given)
    notes = {"filters": {key: str(value) for key, value in asked.given.items()}}
    return Sheet(table.name, table.meaning, table.columns, exports.rows(engine, table, asked), notes)


def _found(engine: queries.Engine, given: Mapping[str, str]) -> Sheet:
    wrong = [name for name in given if name not in _SEARCHED]
    if wrong:
        raise FilterError(f"a search has no filter {wrong[0][:60]}; it has: {', '.join(_SEARCHED)}")
    asked: dict[str, Any] = {name: given.get(name, "") for name in _SEARCHED[1:]}
    found = search.search(engine, given.get("q", "")[:500], limit=search.BOUND, **asked)
    meaning = "What a search found." + (" More meet it; here are those recorded last." if found.bounded else "")
    notes = {"filters": {name: value for name, value in given.items() if value}}
    return Sheet("search", meaning, FOUND, (_hit(hit) for hit in found.hits), notes)


def _glance(engine: queries.Engine, config: Config, name: str) -> Sheet:
    """A digest's numbers, as it was written: a row for each jurisdiction, and one for all."""
    row = queries.digest(engine, name) or missing()
    try:
        digest = Digest.model_validate_json((config.digests_folder / f"{row.name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # gone, or written by another version: the digest's own page says what to do
        missing()
    tallies = [*((section.code or "not assessed", section.tally) for section in digest.sections), ("all", digest.tally)]
    counted = tuple(Tally.model_fields)
    columns = (
        Column("jurisdiction", "Jurisdiction; all: each notice and each change once"),
        *(Column(each, f"Number of: {each.replace('_', ' ')}", "number") for each in counted),
    )
    rows = ((code, *(getattr(tally, each) for each in counted)) for code, tally in tallies)
    return Sheet("glance", "A digest’s numbers, as it was written.", columns, rows, {"digest": row.name})


def _hit(hit: search.SearchHit) -> Row:
    title, snippet = ("".join(piece.text for piece in pieces) for pieces in (hit.title, hit.snippet))
    return hit.kind, hit.object_id, title, snippet, hit.jurisdictions, hit.severity, hit.seen_at


def sent(sheet: Sheet, form: str) -> Response:
    """A table as a download."""
    headers = {"Content-Disposition": f'attachment; filename="exowatch-{sheet.name}.{form}"'}
    if form == "xlsx":
        return StreamingResponse(_workbook(sheet), media_type=sheets.FORMATS[form], headers=headers)
    writers: Mapping[str, Callable[[Sheet], Iterator[bytes]]] = {
        "csv": sheets.as_csv,
        "json": sheets.as_json,
        "jsonl": sheets.as_json_lines,
    }
    return StreamingResponse(writers[form](sheet), media_type=sheets.FORMATS[form], headers=headers)


def _workbook(sheet: Sheet) -> Iterator[bytes]:
    """A workbook is written whole before its first byte can be sent: on the disk, not in memory."""
    with tempfile.TemporaryFile() as file:
        sheets.write_xlsx(sheet, file)
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece
