"""The web site: what is stored, on pages that anyone here can read and link to. It only reads."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from monitor import queries
from monitor.config import Config
from monitor.queries.rows import NoticePage
from monitor.search import Piece
from reports.digest import Digest, lead
from reports.law import Law, law_of_knowledge
from reports.render import line, moment, short
from reports.site import find
from reports.site.common import missing as _missing
from reports.site.common import page as _page
from reports.site.common import refuse as _refuse
from reports.site.exports import add_exports
from reports.site.feeds import add_feeds
from reports.site.landscapes import add_landscapes
from reports.site.market import add_market, shortened
from reports.site.products import add_products
from reports.site.unsubscribe import add_unsubscribe

LARGEST_ID = 2**31 - 1
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; script-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def create_app(engine: queries.Engine, config: Config, law: Law | None = None) -> FastAPI:
    """The site over one database. `law`: left out, the law table that ships with the monitor."""
    app = FastAPI(title="Exowatch", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=str(files("reports") / "static")), name="static")
    app.middleware("http")(_with_headers)
    app.add_exception_handler(StarletteHTTPException, _not_found)
    app.add_exception_handler(RequestValidationError, _not_understood)
    _add_overviews(app, engine)
    _add_objects(app, engine, law or law_of_knowledge())
    _add_registered(app, engine)
    _add_digests(app, engine, config)
    add_feeds(app, engine, config)
    add_exports(app, engine, config)
    add_unsubscribe(app, engine, config)
    add_landscapes(app, engine, config)
    add_market(app, engine, config)
    add_products(app, engine)
    return app


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


def _not_found(_request: Request, error: Exception) -> HTMLResponse:
    status = error.status_code if isinstance(error, StarletteHTTPException) else 404
    if status != 404:
        return _page(
            "error.html", "", status=status, title="This cannot be done here",
            help="Pages here are only read. Follow a link, or search.",
        )  # fmt: skip
    return _page(
        "error.html", "", status=404, title="There is no such page",
        help="The number may be mistyped, or the address may come from another installation of Exowatch: numbers "
        "are each database’s own. Search for the firm, the product or the words instead.",
    )  # fmt: skip


def _not_understood(_request: Request, _error: Exception) -> HTMLResponse:
    return _page(
        "error.html", "", status=400, title="This address was not understood",
        help="A part of the address has a value that does not belong there. Search again with the form.",
    )  # fmt: skip


def _add_overviews(app: FastAPI, engine: queries.Engine) -> None:
    @app.get("/")
    def index() -> HTMLResponse:
        standing = queries.standing(engine)
        titles = {source.id: source.title for source in standing.sources}
        return _page(
            "index.html", "/", rehearsal=standing.rehearsal, standing=standing, runs=standing.last_runs[:12],
            titles=titles,
        )  # fmt: skip

    @app.get("/health")
    def health() -> HTMLResponse:
        sources = queries.sources(engine)
        titles = {source.id: source.title for source in sources}
        runs = queries.runs(engine)
        return _page(
            "health.html", "/health", rehearsal=any(run.mode == "rehearsal" for run in runs), sources=sources,
            runs=runs, titles=titles, outbox=queries.outbox_standing(engine),
        )  # fmt: skip

    @app.get("/search")
    def search(
        q: str = "", jurisdiction: str = "", kind: str = "", category: str = "", severity: str = "", page: int = 1
    ) -> HTMLResponse:
        asked = find.Asked(q[:500], jurisdiction, kind, category, severity, min(max(page, 1), find.LAST_PAGE))
        found = find.look(engine, asked)
        if told := find.not_a_choice(asked, found["page"].total):
            return _refuse(*told)
        rehearsal = any(claim.rehearsal for claim in found["claims"].values()) or find.rehearsed(engine, found["page"])
        return _page("search.html", "/search", asked=asked, rehearsal=rehearsal, **found)


def _known(number: int) -> int:
    if not 0 < number <= LARGEST_ID:
        raise HTTPException(404)
    return number


def _add_objects(app: FastAPI, engine: queries.Engine, law: Law) -> None:
    @app.get("/claims/{number:int}")
    def claim(number: int) -> HTMLResponse:
        found = queries.claim(engine, _known(number)) or _missing()
        row, seen = found.claim, found.evidence
        captured = f" Captured {moment(seen.fetched_at)}, SHA-256 {seen.payload_sha256}." if seen else ""
        firm = row.organisation.name if row.organisation else row.host
        cite = f"Exowatch, claim {number}: {firm}, “{row.quote}”, {row.page_url}.{captured}"
        alike = queries.cluster_of(engine, number)
        return _page(
            "claim.html", f"/claims/{number}", rehearsal=row.rehearsal, found=found, law=law, cite=cite, alike=alike
        )  # fmt: skip

    @app.get("/products/{number:int}")
    def product(number: int) -> HTMLResponse:
        found = queries.product(engine, _known(number)) or _missing()
        cite = (
            f"Exowatch, product {number}: {found.name}, offered on {found.host}. Last seen {moment(found.last_seen)}."
        )
        reach = queries.reach(engine, [claim.id for claim in found.claims])
        return _page(
            "product.html", f"/products/{number}", rehearsal=found.rehearsal, found=found, cite=cite, reach=reach,
            pages=queries.pages_offering(engine, number), events=queries.product_history(engine, number),
            shortened=shortened,
        )  # fmt: skip

    @app.get("/organisations/{number:int}")
    def organisation(number: int) -> HTMLResponse:
        found = queries.organisation(engine, _known(number)) or _missing()
        cite = f"Exowatch, organisation {number}: {found.name}. First seen {moment(found.first_seen)}."
        return _page("organisation.html", f"/organisations/{number}", rehearsal=found.rehearsal, found=found, cite=cite)

    @app.get("/notices/{number:int}")
    def notice(number: int) -> HTMLResponse:
        found = queries.notice(engine, _known(number)) or _missing()
        row, seen = found.notice, found.evidence
        captured = f" Captured {moment(seen.fetched_at)}, SHA-256 {seen.payload_sha256}." if seen else ""
        cite = f"Exowatch, notice {number}: {row.authority}, {short(row.title, 200)}, {row.url}.{captured}"
        return _page(
            "notice.html", f"/notices/{number}", rehearsal=row.rehearsal, found=found, pieces=_pieces(found), cite=cite
        )


def _add_registered(app: FastAPI, engine: queries.Engine) -> None:
    def registered(kind: str, number: int) -> HTMLResponse:
        found = queries.registered(engine, kind, _known(number)) or _missing()
        seen = found.evidence
        captured = f" Captured {moment(seen.fetched_at)}, SHA-256 {seen.payload_sha256}." if seen else ""
        cite = f"Exowatch, {kind} {number}: {short(found.title, 200)}, {found.url}.{captured}"
        return _page("registered.html", found.path, rehearsal=found.rehearsal, found=found, cite=cite)

    @app.get("/trials/{number:int}")
    def trial(number: int) -> HTMLResponse:
        return registered("trial", number)

    @app.get("/publications/{number:int}")
    def publication(number: int) -> HTMLResponse:
        return registered("publication", number)

    @app.get("/authorisations/{number:int}")
    def authorisation(number: int) -> HTMLResponse:
        return registered("authorisation", number)


def _pieces(found: NoticePage) -> list[Piece]:
    """A notice's text, with the words marked that put it in its tier."""
    pieces, done = [], 0
    for start, end in found.marks:
        pieces += [Piece(found.text[done:start]), Piece(found.text[start:end], marked=True)]
        done = end
    return [*pieces, Piece(found.text[done:])]


def _add_digests(app: FastAPI, engine: queries.Engine, config: Config) -> None:
    @app.get("/digests")
    def digests() -> HTMLResponse:
        return _page("digests.html", "/digests", digests=queries.digests(engine))

    @app.get("/digests/{name}")
    def digest(name: str) -> HTMLResponse:
        # Only a name that the database holds becomes a path.
        row = queries.digest(engine, name) or _missing()
        path = config.digests_folder / f"{row.name}.json"
        stored = _stored(path)
        if stored is None:
            return _page(
                "error.html", "", status=404, title=f"The digest {row.name} is not in its place",
                help=f"It was written on {moment(row.written_at)}, but {path.name} is missing from the folder of "
                f"digests or cannot be read. “exowatch digest --week {line(row.name)}” writes it again.",
            )  # fmt: skip
        cite = f"Exowatch, digest {row.name}, written {moment(row.written_at)}, SHA-256 {row.sha256}."
        return _page(
            "digest_page.html",
            f"/digests/{row.name}",
            digest=stored,
            lead=lead(stored),
            base="",
            cite=cite,
            language=stored.language,
        )


def _stored(path: Path) -> Digest | None:
    """The digest as it was written; None if its file is missing or was written by another version."""
    try:
        return Digest.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def serve(config: Config, host: str = "127.0.0.1", port: int = 8017) -> None:
    """Serve the site until stopped."""
    import uvicorn

    from monitor.tables.db import open_engine

    engine = open_engine(config.database_url)
    try:
        uvicorn.run(create_app(engine, config), host=host, port=port, log_level="warning", server_header=False)
    finally:
        engine.dispose()
