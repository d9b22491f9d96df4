"""Tables of what registers and indexes hold: trials, publications, authorisations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, col, select

from monitor.queries.exports.shapes import Column, Filters, Row, Table, batches, equal, texts
from monitor.queries.facts import rehearsal_runs
from monitor.tables.models import Capture
from monitor.tables.registers import Authorisation, Publication, Trial

_SEEN = (
    Column("url", "Address of the entry"),
    Column("source", "Id of the source"),
    Column("first_seen", "When it was first seen", "time"),
    Column("last_seen", "When it was last seen", "time"),
    Column("history", "Whether it came with the source’s first reading", "boolean"),
    Column("capture", "Id of the capture that it was read from"),
    Column("demonstration", "Whether it was read from a rehearsal server, not from the web", "boolean"),
)
_CONCERNS = Column("concerns", "core: names exosomes or the like; adjacent: cell and tissue products; other")


def _read(
    session: Session, asked: Filters, kind: str, table: Any, columns: tuple[Any, ...], lists: tuple[int, ...]
) -> Iterator[Row]:
    """Rows of a register's table. `lists` are the places, in the row, of columns that hold lists."""
    conditions = {col(table.source_id): asked.source}
    if asked.jurisdiction:
        conditions[col(table.jurisdiction)] = asked.jurisdiction
    seen = (table.url, table.source_id, table.first_seen, table.last_seen, table.baseline, table.capture_id)
    statement: Select[Any] = (
        select(table.id, *columns, *seen, Capture.run_id)  # type: ignore[call-overload]
        .select_from(table)
        .join(Capture, col(Capture.id) == table.capture_id)
        .where(*equal(conditions), *asked.within(col(table.first_seen)), *asked.watched(kind, col(table.id)))
    )
    rehearsed = rehearsal_runs(session)
    for rows in batches(session, statement, col(table.id)):
        for row in rows:
            values = [texts(value) if place in lists else value for place, value in enumerate(row)]
            yield (*values[:-1], values[-1] in rehearsed)


TRIALS = (
    Column("id", "Number of the trial in this database; its page is /trials/<id>", "number"),
    Column("number", "Its number in the registry"),
    Column("title", "Title"),
    Column("language", "Language of the entry"),
    Column("jurisdiction", "Jurisdiction of the registry"),
    Column("status", "Recruitment status, as the registry writes it. A registry lists what sponsors enter"),
    Column("why_stopped", "Why it was stopped, in the sponsor’s words"),
    Column("study_type", "Kind of study"),
    Column("phases", "Phases", "list"),
    Column("conditions", "Conditions", "list"),
    Column("interventions", "Interventions", "list"),
    Column("sponsor", "Sponsor"),
    Column("countries", "Countries", "list"),
    Column("enrolment", "Number of participants, reached or foreseen", "number"),
    Column("started", "Start date", "date"),
    Column("completed", "Primary completion, reached or foreseen", "date"),
    Column("posted", "First posted", "date"),
    Column("updated", "Last updated by the sponsor", "date"),
    Column("has_results", "Whether results are posted", "boolean"),
    _CONCERNS,
    *_SEEN,
)


def _trials(session: Session, asked: Filters) -> Iterator[Row]:
    columns = (
        Trial.key,
        Trial.title,
        Trial.language,
        Trial.jurisdiction,
        Trial.status,
        Trial.why_stopped,
        Trial.study_type,
        Trial.phases,
        Trial.conditions,
        Trial.interventions,
        Trial.sponsor,
        Trial.countries,
        Trial.enrolment,
        Trial.started,
        Trial.completed,
        Trial.posted,
        Trial.updated,
        Trial.has_results,
        Trial.tier,
    )
    return _read(session, asked, "trial", Trial, columns, lists=(8, 9, 10, 12))


PUBLICATIONS = (
    Column("id", "Number of the paper in this database; its page is /publications/<id>", "number"),
    Column("number", "doi:…, pmid:… or the index’s own id"),
    Column("title", "Title"),
    Column("language", "Language of the paper"),
    Column("journal", "Journal"),
    Column("authors", "Authors", "list"),
    Column("published", "Date of publication; the first of the month or year where no more is printed", "date"),
    Column("types", "Kinds of publication, as the index has them", "list"),
    Column("retracted", "Whether an index says that it was retracted", "boolean"),
    Column("preprint", "Whether it is a preprint", "boolean"),
    Column("abstract", "Abstract"),
    _CONCERNS,
    *_SEEN,
)


def _publications(session: Session, asked: Filters) -> Iterator[Row]:
    columns = (
        Publication.key,
        Publication.title,
        Publication.language,
        Publication.journal,
        Publication.authors,
        Publication.published,
        Publication.types,
        Publication.retracted,
        Publication.preprint,
        Publication.abstract,
        Publication.tier,
    )
    return _read(session, asked, "publication", Publication, columns, lists=(5, 7))


AUTHORISATIONS = (
    Column("id", "Number of the entry in this database; its page is /authorisations/<id>", "number"),
    Column("product", "Name under which it is sold"),
    Column("substance", "Proper name or active substance"),
    Column("holder", "Holder"),
    Column("authority", "Authority"),
    Column("jurisdiction", "Jurisdiction of the register"),
    Column("number", "Its number in the register"),
    Column("status", "authorised, conditional, suspended, withdrawn, refused or unknown"),
    Column("status_as_written", "Status, as the register writes it"),
    Column("authorised", "Date of authorisation", "date"),
    Column("ended", "Date on which it ended", "date"),
    Column("updated", "Date on which the register last changed it", "date"),
    Column("indication", "Indication"),
    Column("kinds", "The register’s own classes", "list"),
    *_SEEN,
)


def _authorisations(session: Session, asked: Filters) -> Iterator[Row]:
    columns = (
        Authorisation.product,
        Authorisation.substance,
        Authorisation.holder,
        Authorisation.authority,
        Authorisation.jurisdiction,
        Authorisation.number,
        Authorisation.status,
        Authorisation.status_text,
        Authorisation.authorised,
        Authorisation.ended,
        Authorisation.updated,
        Authorisation.indication,
        Authorisation.kinds,
    )
    return _read(session, asked, "authorisation", Authorisation, columns, lists=(13,))


TABLES = (
    Table(
        "trials",
        "Trials",
        "Clinical trials as their registries show them: no approval of any kind.",
        TRIALS,
        ("jurisdiction", "source", "watchlist", "since", "until"),
        _trials,
    ),
    Table(
        "publications",
        "Papers",
        "Papers as indexes of the literature show them.",
        PUBLICATIONS,
        ("source", "watchlist", "since", "until"),
        _publications,
    ),
    Table(
        "authorisations",
        "Authorisations",
        "What authorities have approved, refused or withdrawn, as their registers show it.",
        AUTHORISATIONS,
        ("jurisdiction", "source", "watchlist", "since", "until"),
        _authorisations,
    ),
)
