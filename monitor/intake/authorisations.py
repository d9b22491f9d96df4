"""Taking an authority's register in: what is approved where, and what no longer is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from monitor import search
from monitor.approved import IN_FORCE, grants
from monitor.evidence.runfolder import RunFolder
from monitor.history import Chronicle
from monitor.intake.revising import add_revision, changes, content_of, digest_of, held_content, is_history, latest
from monitor.records import AuthorisationRecord
from monitor.tables.db import id_of
from monitor.tables.models import Cause, EventKind, Source
from monitor.tables.registers import Authorisation

_NOT_TOLD = frozenset({"url", "authority", "updated", "jurisdiction"})
"""Fields whose change says nothing about the product: kept as a revision, told to nobody."""


def take_in(
    session: Session,
    record: AuthorisationRecord,
    folder: RunFolder,
    chronicle: Chronicle,
    *,
    read_since: datetime | None,
) -> None:
    """Add the product, add a revision to it, or note that it was seen again."""
    seen = folder.capture(record.captures[0]).fetched_at
    held = session.exec(
        select(Authorisation).where(Authorisation.source_id == record.source, Authorisation.key == record.key)
    ).first()
    if held is not None:
        _update(session, held, record, seen, chronicle)
        return
    baseline = is_history(chronicle, _decided(record), read_since)
    made = Authorisation(
        source_id=record.source, key=record.key, first_seen=seen, baseline=baseline, **_fields(record, seen)
    )
    session.add(made)
    session.flush()
    add_revision(session, id_of(made), record, seen, chronicle)
    _index(session, made)
    # A refusal or a withdrawal that we meet first is no grant.
    granted = record.status in IN_FORCE and _grants(session, record)
    kind = EventKind.AUTHORISATION_GRANTED if granted else EventKind.AUTHORISATION_CHANGED
    _tell(kind, made, chronicle, seen, {}, baseline=baseline)


def _grants(session: Session, record: AuthorisationRecord) -> bool:
    source = session.get(Source, record.source)
    return source is None or grants(source)


def _decided(record: AuthorisationRecord) -> Any:
    dates = [one for one in (record.authorised, record.ended) if one is not None]
    return max(dates, default=None)


def _update(
    session: Session, held: Authorisation, record: AuthorisationRecord, seen: datetime, chronicle: Chronicle
) -> None:
    held.last_seen = seen
    session.add(held)
    before, was_in_force = latest(session, "authorisation", id_of(held), record.source), held.status in IN_FORCE
    changed = changes(held_content(before.record if before else {}), content_of(record))
    if not changed:
        return
    for name, value in _fields(record, seen).items():
        setattr(held, name, value)
    add_revision(session, id_of(held), record, seen, chronicle)
    _index(session, held)
    told = {name: change for name, change in changed.items() if name not in _NOT_TOLD}
    if told:
        granted = held.status in IN_FORCE and not was_in_force and _grants(session, record)
        kind = EventKind.AUTHORISATION_GRANTED if granted else EventKind.AUTHORISATION_CHANGED
        _tell(kind, held, chronicle, seen, {"changes": told}, baseline=chronicle.baseline)


def _fields(record: AuthorisationRecord, seen: datetime) -> dict[str, Any]:
    return {
        **record.model_dump(exclude={"kind", "source", "key", "captures"}),
        "kinds": list(record.kinds),
        "content_digest": digest_of(content_of(record)),
        "capture_id": record.captures[0],
        "last_seen": seen,
    }


def _index(session: Session, held: Authorisation) -> None:
    search.index(
        session,
        "authorisation",
        id_of(held),
        title=held.product,
        body="\n".join(
            [held.substance, held.holder, held.number, held.authority, held.indication, *held.kinds, held.status]
        ),
        jurisdictions=[held.jurisdiction],
        seen_at=held.first_seen,
    )


def _tell(
    kind: EventKind, held: Authorisation, chronicle: Chronicle, seen: datetime, more: dict[str, Any], *, baseline: bool
) -> None:
    chronicle.write(
        kind,
        Cause.SOURCE,
        object_kind="authorisation",
        object_id=id_of(held),
        at=seen,
        jurisdictions=[held.jurisdiction],
        detail={
            "title": held.product,
            "url": held.url,
            "number": held.number,
            "substance": held.substance,
            "authority": held.authority,
            "status": held.status,
            "organisations": [held.holder] if held.holder else [],
            "authorised": held.authorised.isoformat() if held.authorised else "",
            **more,
        },
        baseline=baseline,
    )
