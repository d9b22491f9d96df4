"""Taking a paper in. The same paper in two indexes is one publication: who else has it stands in its places."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlmodel import Session

from monitor import search
from monitor.classify.relevance import tier
from monitor.evidence.runfolder import RunFolder
from monitor.history import Chronicle
from monitor.intake.revising import add_revision, changes, content_of, digest_of, held_content, is_history, latest
from monitor.knowledge import Knowledge
from monitor.records import PublicationRecord
from monitor.tables.db import id_of
from monitor.tables.models import Cause, EventKind
from monitor.tables.registers import Publication, PublicationName, PublicationPlace

_NAMES = ("doi:", "pmid:", "pmcid:")
_LISTS = ("authors", "types", "unread")


def take_in(
    session: Session,
    record: PublicationRecord,
    folder: RunFolder,
    knowledge: Knowledge,
    chronicle: Chronicle,
    *,
    read_since: datetime | None,
) -> None:
    """Add the paper, note that another index has it too, or add a revision to what this index says of it."""
    seen = folder.capture(record.captures[0]).fetched_at
    held = _held(session, record)
    if held is None:
        baseline = is_history(chronicle, record.posted or record.published, read_since)
        held = _add(session, record, seen, knowledge, baseline=baseline)
        _tell(EventKind.PUBLICATION_INDEXED, held, record.source, chronicle, seen, baseline=baseline)
        if held.retracted:
            _tell(EventKind.PUBLICATION_RETRACTED, held, record.source, chronicle, seen, baseline=baseline)
    else:
        _update(session, held, record, seen, knowledge, chronicle)
    _name(session, held, record)
    _place(session, held, record, seen)
    _revise(session, held, record, seen, chronicle)


def names_of(record: PublicationRecord) -> Iterator[str]:
    """The names that no other paper has, the key first."""
    known = record.key.startswith(_NAMES)
    yield record.key.lower() if known else f"{record.source}:{record.key}"
    for reference in record.references:
        if reference.lower().startswith(_NAMES):
            yield reference.lower()


def _held(session: Session, record: PublicationRecord) -> Publication | None:
    for name in names_of(record):
        found = session.get(PublicationName, name)
        if found is not None:
            return session.get_one(Publication, found.publication_id)
    return None


def _add(
    session: Session, record: PublicationRecord, seen: datetime, knowledge: Knowledge, *, baseline: bool
) -> Publication:
    paper = Publication(
        source_id=record.source,
        key=next(names_of(record)),
        first_seen=seen,
        baseline=baseline,
        **_fields(record, seen, knowledge),
    )
    session.add(paper)
    session.flush()
    _index(session, paper, record)
    return paper


def _update(
    session: Session,
    paper: Publication,
    record: PublicationRecord,
    seen: datetime,
    knowledge: Knowledge,
    chronicle: Chronicle,
) -> None:
    """The index that had it first is the one whose words are shown: two that differ in a comma must not take turns."""
    was_retracted, paper.last_seen = paper.retracted, seen
    if record.source == paper.source_id:
        for name, value in _fields(record, seen, knowledge).items():
            setattr(paper, name, value)
        _index(session, paper, record)
    paper.retracted = was_retracted or record.retracted
    session.add(paper)
    if paper.retracted and not was_retracted:
        _tell(EventKind.PUBLICATION_RETRACTED, paper, record.source, chronicle, seen, baseline=chronicle.baseline)


def _name(session: Session, paper: Publication, record: PublicationRecord) -> None:
    for name in dict.fromkeys(names_of(record)):
        if session.get(PublicationName, name) is None:
            session.add(PublicationName(value=name, publication_id=id_of(paper)))
    session.flush()


def _place(session: Session, paper: Publication, record: PublicationRecord, seen: datetime) -> None:
    place = session.get(PublicationPlace, (id_of(paper), record.source))
    if place is None:
        place = PublicationPlace(
            publication_id=id_of(paper),
            source_id=record.source,
            url=record.url,
            capture_id=record.captures[0],
            first_seen=seen,
            last_seen=seen,
        )
    place.url, place.capture_id, place.last_seen = record.url, record.captures[0], seen
    session.add(place)
    session.flush()


def _revise(
    session: Session, paper: Publication, record: PublicationRecord, seen: datetime, chronicle: Chronicle
) -> None:
    before = latest(session, "publication", id_of(paper), record.source)
    if before is None or changes(held_content(before.record), content_of(record)):
        add_revision(session, id_of(paper), record, seen, chronicle)


def _fields(record: PublicationRecord, seen: datetime, knowledge: Knowledge) -> dict[str, Any]:
    found = tier(record.title, "", record.abstract, knowledge.relevance)
    return {
        **record.model_dump(exclude={"kind", "source", "key", "captures", "references"}),
        **{name: list(getattr(record, name)) for name in _LISTS},
        "tier": found.tier,
        "tier_terms": [{"term": term["term"], "quote": term["quote"]} for term in found.terms],
        "content_digest": digest_of(content_of(record)),
        "capture_id": record.captures[0],
        "last_seen": seen,
    }


def _index(session: Session, paper: Publication, record: PublicationRecord) -> None:
    search.index(
        session,
        "publication",
        id_of(paper),
        title=paper.title,
        body="\n".join([paper.key, *record.references, paper.journal, *paper.authors, paper.abstract]),
        seen_at=paper.first_seen,
    )


def _tell(
    kind: EventKind, paper: Publication, source: str, chronicle: Chronicle, seen: datetime, *, baseline: bool
) -> None:
    chronicle.write(
        kind,
        Cause.SOURCE,
        object_kind="publication",
        object_id=id_of(paper),
        at=seen,
        jurisdictions=[],
        detail={
            "title": paper.title,
            "url": paper.url,
            "key": paper.key,
            "journal": paper.journal,
            "tier": paper.tier,
            "preprint": paper.preprint,
            "published": paper.published.isoformat() if paper.published else "",
            "index": source,
        },
        baseline=baseline,
    )
