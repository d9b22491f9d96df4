"""The sellers' sites: `/market` lists them, `/market/site_…` shows one, `/pages/12` a page's versions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from fastapi import FastAPI, Response

from monitor import queries
from monitor.config import Config, now
from monitor.reading.differences import Piece
from reports.render import moment
from reports.site.common import missing, page

LARGEST_ID = 2**31 - 1
_AROUND = 300
"""Characters of unchanged words that are shown on each side of a change."""


def add_market(app: FastAPI, engine: queries.Engine, config: Config) -> None:
    @app.get("/market")
    def market() -> Response:
        rows = queries.market(engine, config, now(config))
        return page("market.html", "/market", rehearsal=any(row.rehearsal for row in rows), rows=rows)

    @app.get("/market/{name}")
    def site(name: str) -> Response:
        found = queries.site(engine, config, name, now(config)) or missing()
        cite = f"Exowatch, site {found.site.url}: read well last {moment(found.site.last_read_at)}."
        here = f"/market/{found.site.id}"
        return page("site.html", here, rehearsal=found.site.rehearsal, found=found, cite=cite)

    @app.get("/pages/{number:int}")
    def history(number: int, every: bool = False) -> Response:
        if not 0 < number <= LARGEST_ID:
            missing()
        asked = {"newest": None} if every else {}
        found = queries.page(engine, number, **asked) or missing()
        latest = found.versions[0] if found.versions else None
        seen = (
            f" Version {latest.number} of {moment(latest.read_at)}, SHA-256 {latest.payload_sha256}." if latest else ""
        )
        cite = f"Exowatch, page {number}: {found.url}.{seen}"
        here = f"/pages/{number}"
        return page(
            "page_history.html", here, rehearsal=found.rehearsal, found=found, cite=cite, shortened=shortened
        )  # fmt: skip


def shortened(pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces, with the middle of long unchanged stretches left out."""
    return [
        replace(piece, text=f"{piece.text[:_AROUND]} … {piece.text[-_AROUND:]}")
        if piece.kind == "same" and len(piece.text) > 2 * _AROUND + 3
        else piece
        for piece in pieces
    ]
