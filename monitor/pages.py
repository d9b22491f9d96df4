"""Taking a seller's pages in: read from their captures, judged, and their claims followed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, func, select

from monitor import organisations
from monitor.changes import follow, unsettled
from monitor.claims import PageReading, claims_on, highest
from monitor.classify import Judgement, judge_document
from monitor.config import Site
from monitor.db import id_of
from monitor.history import Chronicle
from monitor.knowledge import Knowledge
from monitor.lives import ClaimState
from monitor.models import Cause, Claim, EventKind, Page, PageVersion
from monitor.records import PageRecord, PageState
from monitor.rejudge import rejudge_page
from monitor.runfolder import RunFolder, read_payload
from monitor.text import Document, read_html


def take_in(
    session: Session,
    records: Sequence[PageRecord],
    folder: RunFolder,
    *,
    site: Site | None,
    jurisdictions: Sequence[str],
    knowledge: Knowledge,
    chronicle: Chronicle,
) -> tuple[str, ...]:
    """Take the pages of one run in. Gives the addresses that ask for a second reading."""
    readings: list[PageReading] = []
    gone: dict[int, datetime] = {}
    missing: list[str] = []
    for record in records:
        seen = folder.capture(record.capture).fetched_at
        if record.state is PageState.GONE:
            page = _page_gone(session, record, seen, chronicle, gone)
            if page is not None and page.state == "missing":
                missing.append(page.url)
            continue
        page = _page_seen(session, record, seen, site, chronicle)
        version = session.get(PageVersion, page.current_version_id) if page.current_version_id else None
        if version is not None and version.knowledge_version != knowledge.version:
            # Our own change first, and by itself: what the seller changed is then told apart from it.
            rejudge_page(session, page, version, knowledge, jurisdictions, at=seen)
        readings.append(_read(session, page, version, record, seen, folder, knowledge))
    pending = follow(session, readings, gone, jurisdictions=jurisdictions, chronicle=chronicle)
    return tuple(dict.fromkeys([*pending, *missing]))


def standing_claims(session: Session, source_id: str) -> int:
    """How many claims stand on a source's pages now."""
    standing = (ClaimState.LIVE, ClaimState.MISSING, ClaimState.REWORDING)
    statement = select(func.count()).select_from(Claim).where(Claim.source_id == source_id)
    return session.exec(statement.where(Claim.state.in_(standing))).one()  # type: ignore[attr-defined]


def _page_seen(session: Session, record: PageRecord, seen: datetime, site: Site | None, chronicle: Chronicle) -> Page:
    page = _find(session, record)
    if page is None:
        host = organisations.host_of(record.url)
        page = Page(source_id=record.source, url=record.url, host=host, first_seen=seen, last_read=seen)
        page.organisation_id = _organisation_of(session, host, record, site, seen)
        session.add(page)
        session.flush()
    elif page.state == "gone":
        chronicle.write(
            EventKind.PAGE_BACK,
            Cause.SOURCE,
            object_kind="page",
            object_id=id_of(page),
            at=seen,
            jurisdictions=_codes(page),
            detail={"url": page.url, "title": page.title},
        )
    page.state = "live"
    page.last_read = seen
    if record.state is PageState.READ:
        page.title = record.title or page.title
        page.language = record.language or page.language
    return page


def _page_gone(
    session: Session, record: PageRecord, seen: datetime, chronicle: Chronicle, gone: dict[int, datetime]
) -> Page | None:
    """A page that is no more: the first time it is only missing, the second time it is gone."""
    page = _find(session, record)
    if page is None or page.state == "gone":
        return None
    if page.state == "live":
        page.state = "missing"
        session.add(page)
        return page
    page.state = "gone"
    session.add(page)
    gone[id_of(page)] = seen
    standing = claims_on(session, page)
    chronicle.write(
        EventKind.PAGE_GONE,
        Cause.SOURCE,
        object_kind="page",
        object_id=id_of(page),
        at=seen,
        jurisdictions=_codes(page),
        severity=highest(claim.severity for claim in standing),
        detail={"url": page.url, "title": page.title, "claims": [claim.quote for claim in standing]},
    )
    return page


def _find(session: Session, record: PageRecord) -> Page | None:
    return session.exec(select(Page).where(Page.source_id == record.source, Page.url == record.url)).first()


def _codes(page: Page) -> list[str]:
    return [one["code"] for one in page.jurisdictions]


def _organisation_of(session: Session, host: str, record: PageRecord, site: Site | None, seen: datetime) -> int:
    """Who is behind a page: tied to its host already, named by the operator, or what the site calls itself."""
    tied = organisations.by_host(session, host)
    if tied is None:
        if site is not None and site.name:
            name, basis = site.name, "named so in the configuration"
        elif record.site_name:
            name, basis = record.site_name, f"calls itself so on {record.url}"
        else:
            name, basis = organisations.registrable(host), "only its host is known"
        tied = organisations.find_or_make(session, name, seen, country=site.country if site else "", basis=basis)
        organisations.add_alias(session, tied, "host", host, basis)
    return id_of(tied)


def _read(
    session: Session,
    page: Page,
    version: PageVersion | None,
    record: PageRecord,
    seen: datetime,
    folder: RunFolder,
    knowledge: Knowledge,
) -> PageReading:
    """Read a page's capture and judge it. A text that is held already keeps its version."""
    if record.state is PageState.UNCHANGED and version is not None:
        return _held(session, page, version, knowledge, seen)
    capture = folder.capture(record.capture)
    payload = read_payload(folder.path, capture.offset, capture.length, capture.payload_sha256)
    document = read_html(payload.body(), payload.content_type)
    digest = hashlib.sha256(document.text.encode("utf-8", "surrogatepass")).hexdigest()
    if version is not None and version.text_sha256 == digest:
        return _held(session, page, version, knowledge, seen)
    judgement = judge_document(document, knowledge, url=page.url)
    return PageReading(
        page, _new_version(session, page, version, record, seen, folder, judgement, digest), judgement, seen
    )


def _held(session: Session, page: Page, version: PageVersion, knowledge: Knowledge, seen: datetime) -> PageReading:
    """A text that was judged before; judged again only where a claim waits for its second reading."""
    if not unsettled(session, page):
        return PageReading(page, version, None, seen)
    document = Document.from_json(version.text, version.document)
    return PageReading(page, version, judge_document(document, knowledge, url=page.url), seen)


def _new_version(
    session: Session,
    page: Page,
    version: PageVersion | None,
    record: PageRecord,
    seen: datetime,
    folder: RunFolder,
    judgement: Judgement,
    digest: str,
) -> PageVersion:
    new = PageVersion(
        page_id=id_of(page),
        number=version.number + 1 if version else 1,
        run_id=folder.run.run_id,
        capture_id=record.capture,
        read_at=seen,
        text=judgement.document.text,
        text_sha256=digest,
        document=judgement.document.to_json(),
        knowledge_version=judgement.knowledge_version,
        decision=judgement.decision,
        dropped=[claim.to_json() for claim in judgement.dropped],
    )
    session.add(new)
    session.flush()
    page.current_version_id = new.id
    page.role = judgement.role
    page.language = page.language or judgement.lang
    page.jurisdictions = [{"code": one.code, "why": one.why} for one in judgement.addressed]
    session.add(page)
    return new
