"""Everything about one trial, publication or authorisation."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from monitor.queries.facts import events_of, evidence, rehearsal_runs
from monitor.queries.rows import Place, RegisteredPage
from monitor.tables.db import reading
from monitor.tables.models import Capture
from monitor.tables.registers import Authorisation, Publication, PublicationPlace, Trial

TABLES: dict[str, Any] = {"trial": Trial, "publication": Publication, "authorisation": Authorisation}
_SHOWN = {
    "trial": (
        "key status why_stopped study_type phases conditions interventions sponsor countries enrolment started "
        "completed posted updated has_results"
    ).split(),
    "publication": "key journal authors published types retracted preprint language".split(),
    "authorisation": (
        "status status_text number substance holder authority jurisdiction authorised ended updated indication kinds"
    ).split(),
}


def registered(engine: Engine, kind: str, object_id: int) -> RegisteredPage | None:
    """One of them by its kind and id; None if there is none of that id. Raises KeyError for another kind."""
    with reading(engine) as session:
        row = session.get(TABLES[kind], object_id)
        return _page(session, kind, row) if row is not None else None


def _page(session: Session, kind: str, row: Trial | Publication | Authorisation) -> RegisteredPage:
    capture = session.get(Capture, row.capture_id)
    return RegisteredPage(
        kind=kind,
        id=row.id or 0,
        title=row.product if isinstance(row, Authorisation) else row.title,
        url=row.url,
        source_id=row.source_id,
        tier="" if isinstance(row, Authorisation) else row.tier,
        tier_terms=() if isinstance(row, Authorisation) else tuple(dict.fromkeys(t["term"] for t in row.tier_terms)),
        facts=tuple((name, shown) for name in _SHOWN[kind] if (shown := _shown(getattr(row, name)))),
        text=_text(row),
        unread=() if isinstance(row, Authorisation) else tuple(row.unread),
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        baseline=row.baseline,
        rehearsal=capture is not None and capture.run_id in rehearsal_runs(session),
        places=_places(session, row) if isinstance(row, Publication) else (),
        history=events_of(session, kind, row.id or 0),
        evidence=evidence(session, row.capture_id),
        language="" if isinstance(row, Authorisation) else row.language,
    )


def _text(row: Trial | Publication | Authorisation) -> str:
    if isinstance(row, Trial):
        return "\n".join(part for part in (row.summary, row.text) if part)
    return row.abstract if isinstance(row, Publication) else ""


def _shown(value: Any) -> str:
    """A value as people read it; nothing for one that says nothing."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        return "; ".join(str(one) for one in value)
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def _places(session: Session, paper: Publication) -> tuple[Place, ...]:
    statement = select(PublicationPlace).where(PublicationPlace.publication_id == paper.id)
    return tuple(
        Place(place.source_id, place.url, "its doi or number", place.first_seen)
        for place in session.exec(statement.order_by(PublicationPlace.source_id))
    )
