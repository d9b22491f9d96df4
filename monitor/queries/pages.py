"""A seller's page over time: its versions with what changed from one to the next, and what happened to its claims."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from monitor.queries.facts import chunks, claim_rows, event_row, in_order, organisations_named, rehearsal_runs
from monitor.queries.page_rows import PageEvent, PageHistory, VersionRow, unread_as_told
from monitor.queries.reach import sites_of
from monitor.reading.text import Document
from monitor.tables.db import reading
from monitor.tables.models import Capture, ClaimPlace, Event, EventKind, Page, PageVersion

NEWEST = 5
"""Versions whose differences are shown where not all are asked for."""


def page(engine: Engine, page_id: int, *, newest: int | None = NEWEST) -> PageHistory | None:
    """Everything about one page; None if there is none of that id. `newest`: how many versions; None: every one."""
    with reading(engine) as session:
        stored = session.get(Page, page_id)
        if stored is None:
            return None
        placed = session.exec(select(ClaimPlace.claim_id).where(ClaimPlace.page_id == page_id)).all()
        claims = claim_rows(session, list(placed))
        named = organisations_named(session, [stored.organisation_id])
        versions = _versions(session, page_id, newest)
        rehearsed = rehearsal_runs(session)
        in_all = select(func.count()).select_from(PageVersion).where(PageVersion.page_id == page_id)
        return PageHistory(
            id=page_id,
            url=stored.url,
            title=stored.title,
            host=stored.host,
            source_id=stored.source_id,
            language=stored.language,
            role=stored.role,
            state=stored.state,
            organisation=named.get(stored.organisation_id or 0),
            addressed=tuple((str(one["code"]), str(one.get("why", ""))) for one in stored.jurisdictions),
            first_seen=stored.first_seen,
            last_read=stored.last_read,
            versions_in_all=session.exec(in_all).one(),
            versions=versions,
            claims=in_order(claims.values()),
            reach={claim: len(sites) for claim, sites in sites_of(session, placed).items()},
            events=_events(session, page_id, placed),
            rehearsal=any(version.run_id in rehearsed for version in versions),
        )


def _versions(session: Session, page_id: int, newest: int | None) -> tuple[VersionRow, ...]:
    """The newest first; one more than asked for is read, since the oldest shown differs from the one before it."""
    statement = select(PageVersion, Capture.payload_sha256).join(
        Capture, col(Capture.id) == PageVersion.capture_id, isouter=True
    )
    statement = statement.where(PageVersion.page_id == page_id).order_by(col(PageVersion.number).desc())
    found = session.exec(statement if newest is None else statement.limit(newest + 1)).all()
    from monitor.reading.differences import between  # late: it brings what judging rests on

    documents = [_document(version) for version, _ in found]
    differences = [between(old, new) for new, old in pairwise(documents)]
    told = [*differences, None] if newest is None or len(found) <= newest else differences
    return tuple(
        VersionRow(
            number=version.number,
            read_at=version.read_at,
            run_id=version.run_id,
            capture_id=version.capture_id,
            payload_sha256=payload or "",
            text_sha256=version.text_sha256,
            decision=version.decision,
            blocks=len(document.blocks),
            unread=unread_as_told(version.document.get("unread", ())),
            difference=difference,
        )
        for (version, payload), document, difference in zip(found, documents, told, strict=False)
    )


def _document(version: PageVersion) -> Document:
    return Document.from_json(version.text, version.document)


def _events(session: Session, page_id: int, claims: Sequence[int]) -> tuple[PageEvent, ...]:
    """What happened to the page and to the claims that stand or stood on it, the newest first."""
    found = session.exec(select(Event).where(Event.object_kind == "page", Event.object_id == str(page_id))).all()
    rows = [*found]
    for some in chunks(str(claim) for claim in claims):
        rows += session.exec(select(Event).where(Event.object_kind == "claim", col(Event.object_id).in_(some)))
    return tuple(told(event) for event in sorted(rows, key=lambda one: (one.at, one.id or 0), reverse=True))


def told(event: Event) -> PageEvent:
    """An event with the words it is about; of a reworded claim what changed in them."""
    detail = event.detail
    if event.kind == EventKind.CLAIM_REWORDED and detail.get("before"):
        from monitor.reading.differences import words_between  # late: it brings what judging rests on

        pieces = words_between(str(detail["before"]), str(detail.get("after") or detail.get("quote") or ""))
        return PageEvent(event_row(event), str(detail.get("quote", "")), pieces)
    return PageEvent(event_row(event), str(detail.get("quote") or detail.get("title") or detail.get("product") or ""))
