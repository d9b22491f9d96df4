"""Taking a seller's pages in: read from their captures, judged, and their claims followed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import insert, inspect
from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, select

from monitor import organisations
from monitor.classify import Judgement, judge_document
from monitor.config import Site
from monitor.evidence.runfolder import RunFolder, read_payload
from monitor.history import Chronicle
from monitor.knowledge import Knowledge
from monitor.lives import ClaimState
from monitor.market.changes import follow, unsettled
from monitor.market.claims import PageReading, claims_followed_on, claims_on, folded_quote, highest, product_named
from monitor.market.products import TOLD, ProductsOfRun, Received, offered_on, stretches_of, told_by
from monitor.market.rejudge import rejudge_page
from monitor.market.sameness import Marks
from monitor.reading.captured import read_captured
from monitor.reading.flicker import same_but_for_flicker
from monitor.reading.text import Document
from monitor.records import PageRecord, PageState
from monitor.tables.db import id_of
from monitor.tables.models import NOT_THERE, Cause, Claim, EventKind, Page, PageVersion

_AHEAD = 50
"""Held versions read together."""
_HEAVY: tuple[Any, ...] = (PageVersion.text, PageVersion.document, PageVersion.dropped)


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
    if not records:
        return ()
    held = session.exec(select(Page).where(Page.source_id == chronicle.source_id))
    pages = {page.url: page for page in held}
    return _Intake(session, folder, site, jurisdictions, knowledge, chronicle, pages).take(records)


def standing_claims(session: Session, source_id: str) -> int:
    """How many claims stand on a source's pages now."""
    standing = (ClaimState.LIVE, ClaimState.MISSING, ClaimState.REWORDING)
    statement = select(func.count()).select_from(Claim).where(Claim.source_id == source_id)
    return session.exec(statement.where(Claim.state.in_(standing))).one()  # type: ignore[attr-defined]


def _where_read(record: PageRecord) -> dict[str, Any]:
    """What is kept beside the blocks: where in its capture the page stands, and what of it was not read."""
    kept = {"part": record.part, "unread": list(record.unread)}
    return {name: value for name, value in kept.items() if value}


@dataclass
class _Intake:
    """The pages of one run on their way in."""

    session: Session
    folder: RunFolder
    site: Site | None
    jurisdictions: Sequence[str]
    knowledge: Knowledge
    chronicle: Chronicle
    pages: dict[str, Page]
    """Every page of the source that is held, by address."""
    organisations: dict[str, int] = field(default_factory=dict)
    """Who is behind a host, once it has been asked."""
    body: tuple[str, bytes, str] | None = None
    """Capture, body and content type that were read last."""
    versions: dict[int, tuple[PageVersion, dict[str, Any] | None]] = field(default_factory=dict)
    """Held versions of the pages that come next, by id, with what is kept beside each of products."""
    waiting: frozenset[int] | None = None
    """Pages with a claim that waits for a second reading, once that was asked."""

    def __post_init__(self) -> None:
        self.products = ProductsOfRun(self.session, self.chronicle.source_id, self.knowledge)
        self.marks = Marks(self.knowledge)

    def take(self, records: Sequence[PageRecord]) -> tuple[str, ...]:
        readings: list[PageReading] = []
        gone: dict[int, datetime] = {}
        told: list[tuple[Page, str, Sequence[Claim]]] = []
        missing: list[str] = []
        self._make_pages(records)
        for number, record in enumerate(records):
            if number % _AHEAD == 0:
                self._look_ahead(records[number : number + _AHEAD])
            seen = self.folder.capture(record.capture).fetched_at
            if record.state is not PageState.GONE:
                readings.append(self._take_one(record, seen))
            elif (page := self.pages.get(record.url)) is not None and page.state == "live":
                # One look is not enough: the server may have had a bad moment.
                page.state = "missing"
                self.session.add(page)
                missing.append(page.url)
            elif page is not None and page.state == "missing":
                gone[id_of(page)] = seen
                told.append((page, record.canonical_url, claims_followed_on(self.session, page)))
        pending = follow(self.session, readings, gone, jurisdictions=self.jurisdictions, chronicle=self.chronicle)
        self._tell_gone(told, gone)
        pending += self.products.follow(gone, self.chronicle)
        return tuple(dict.fromkeys([*pending, *missing]))

    def _take_one(self, record: PageRecord, seen: datetime) -> PageReading:
        is_back = (held := self.pages.get(record.url)) is not None and held.state in NOT_THERE
        page = self._page_of(record, seen)
        if self._is_as_read(page, record, is_back):
            self.products.same(page, seen)
            return PageReading(page, page.current_version_id or 0, self.knowledge.version, None, seen)
        reading = self._read(page, record, seen, is_back)
        if reading.knowledge_version != self.knowledge.version:
            page.reading = ""  # a page that came back: its text is still held as the rules of then judged it
        elif record.state is PageState.READ:
            page.reading = self._mark(record)
        return reading

    def _read(self, page: Page, record: PageRecord, seen: datetime, is_back: bool) -> PageReading:
        version, told = self._version_of(page)
        if version is not None and not is_back and version.knowledge_version != self.knowledge.version:
            # Our own change first, and by itself: what the seller changed is then told apart from it.
            rejudge_page(self.session, page, version, self.knowledge, self.jurisdictions, at=seen)
            self.session.flush()
            self.waiting = None
        if record.state is PageState.UNCHANGED and version is not None:
            self.products.held(page, version, seen, told=told, is_back=is_back, received=None)
            return self._held(page, version, seen, is_back)
        document = read_captured(*self._captured(record.capture), record.part)
        received = self._received(record)
        if version is not None and version.text_sha256 == document.sha256:
            self.products.held(page, version, seen, told=told, is_back=is_back, received=received)
            return self._held(page, version, seen, is_back)
        judgement = judge_document(document, self.knowledge, url=page.url)
        if version is not None and self._only_flickers(page, version, judgement, is_back):
            self.products.held(page, version, seen, told=told, is_back=is_back, received=received)
            return self._held(page, version, seen, is_back)
        new = self._new_version(page, version.number + 1 if version else 1, record, seen, judgement)
        offered = stretches_of(self.products.new(page, new, judgement, seen))
        about = product_named(judgement, page.url, self.knowledge) if judgement.findings else ""
        return PageReading(page, id_of(new), new.knowledge_version, judgement.findings, seen, about, offered)

    def _look_ahead(self, records: Sequence[PageRecord]) -> None:
        """Read the held versions of some pages together: one by one, each costs the database a turn.

        Without their texts and blocks: where a page says what it said before, its digest is enough.
        """
        held = ((self.pages.get(record.url), record) for record in records)
        wanted = [
            page.current_version_id
            for page, record in held
            if page is not None and page.current_version_id and not self._will_pass(page, record)
        ]
        statement = select(PageVersion, col(PageVersion.document)[TOLD]).where(col(PageVersion.id).in_(wanted))
        found = self.session.exec(statement.options(*map(defer, _HEAVY))) if wanted else ()
        self.versions = {id_of(version): (version, told) for version, told in found}

    def _version_of(self, page: Page) -> tuple[PageVersion | None, dict[str, Any] | None]:
        """The version that is held of a page, and what is kept beside it of products."""
        if not page.current_version_id:
            return None, None
        ahead = self.versions.get(page.current_version_id)
        if ahead is not None:
            return ahead
        version = self.session.get_one(PageVersion, page.current_version_id)
        return version, version.document.get(TOLD)

    def _received(self, record: PageRecord) -> Received:
        return Received(record.capture, partial(self._captured, record.capture), record.part)

    def _is_as_read(self, page: Page, record: PageRecord, is_back: bool) -> bool:
        """True if the page is to the byte what it was at its last good reading, and nothing waits for another one.

        Then the same readers would make the same of it: the text that is held, or one that differs by what flickers.
        """
        if is_back or not page.reading or self.folder.run.request.full:
            return False
        if self.products.waits(page) or self._is_unsettled(page):
            return False
        if record.state is PageState.UNCHANGED:
            return self.marks.same_reader(page.reading)
        return self.marks.same(page.reading, self._mark(record))

    def _will_pass(self, page: Page, record: PageRecord) -> bool:
        """The same ahead of its turn, and only where it can be told without the archive."""
        told = record.state is PageState.UNCHANGED or bool(record.body_sha256)
        return told and self._is_as_read(page, record, page.state in NOT_THERE)

    def _mark(self, record: PageRecord) -> str:
        digest: str = record.body_sha256
        if not digest and not record.part:
            digest = hashlib.sha256(self._captured(record.capture)[0]).hexdigest()
        return self.marks.of(digest, self.folder.capture(record.capture).content_type, record.part)

    def _is_unsettled(self, page: Page) -> bool:
        """Does a claim on this page wait for a second reading? Asked once for the site: no reading moves claims yet."""
        if self.waiting is None:
            self.waiting = unsettled(self.session, self.chronicle.source_id)
        return id_of(page) in self.waiting

    def _captured(self, capture_id: str) -> tuple[bytes, str]:
        """Body and content type, the last ones kept: a catalogue's capture holds hundreds of pages in a row."""
        if self.body is None or self.body[0] != capture_id:
            capture = self.folder.capture(capture_id)
            payload = read_payload(self.folder.path, capture.offset, capture.length, capture.payload_sha256)
            self.body = (capture_id, payload.body(), payload.content_type)
        return self.body[1], self.body[2]

    def _held(self, page: Page, version: PageVersion, seen: datetime, is_back: bool) -> PageReading:
        """A text that was judged before; judged again only where it came back or a claim waits for a second reading."""
        if not is_back and not self._is_unsettled(page):
            return PageReading(page, id_of(version), version.knowledge_version, None, seen)
        again = judge_document(self._document_of(version), self.knowledge, url=page.url)
        offered = stretches_of(offered_on(page, version, again, self.knowledge))
        about = product_named(again, page.url, self.knowledge)
        return PageReading(page, id_of(version), version.knowledge_version, again.findings, seen, about, offered)

    def _only_flickers(self, page: Page, version: PageVersion, judgement: Judgement, is_back: bool) -> bool:
        """True if a text differs from the held one by what flickers alone, and every claim on it stood there before."""
        if [one.code for one in judgement.addressed] != [one["code"] for one in page.jurisdictions]:
            return False
        held = self._document_of(version)
        if not same_but_for_flicker(held, judgement.document):
            return False
        now = {(claim.category, folded_quote(claim.statement.text)) for claim in judgement.findings}
        if is_back or self._is_unsettled(page):
            before = judge_document(held, self.knowledge, url=page.url).findings
            return now == {(claim.category, folded_quote(claim.statement.text)) for claim in before}
        with self.session.no_autoflush:  # no claim waits to be written: see `_read`
            return now == {(claim.category, claim.folded) for claim in claims_on(self.session, page)}

    def _document_of(self, version: PageVersion) -> Document:
        """A held text with its blocks, which `_look_ahead` left out: in one turn, and nothing is written for it."""
        if left_out := [name for name in ("text", "document") if name in inspect(version).unloaded]:
            with self.session.no_autoflush:
                self.session.refresh(version, left_out)
        return Document.from_json(version.text, version.document)

    def _make_pages(self, records: Sequence[PageRecord]) -> None:
        """Rows for the pages that are new, written together: one by one, each costs the database a turn."""
        gone = {record.url for record in records if record.state is PageState.GONE}
        new: dict[str, dict[str, Any]] = {}
        for record in records:
            if record.url not in self.pages and record.url not in gone and record.url not in new:
                new[record.url] = self._values_of(record, self.folder.capture(record.capture).fetched_at)
        if new:
            made = self.session.scalars(insert(Page).returning(Page), list(new.values()))
            self.pages.update((page.url, page) for page in made)

    def _make_page(self, record: PageRecord, seen: datetime) -> Page:
        page = self.pages[record.url] = Page(**self._values_of(record, seen))
        self.session.add(page)
        return page

    def _values_of(self, record: PageRecord, seen: datetime) -> dict[str, Any]:
        host = organisations.host_of(record.url)
        return {
            "source_id": record.source,
            "organisation_id": self._organisation_of(host, record, seen),
            "url": record.url,
            "host": host,
            "title": "",
            "language": "",
            "role": "",
            "jurisdictions": [],
            "state": "live",
            "first_seen": seen,
            "last_read": seen,
            "reading": "",
        }

    def _page_of(self, record: PageRecord, seen: datetime) -> Page:
        page = self.pages.get(record.url)
        if page is None:  # said to be gone, and there after all
            page = self._make_page(record, seen)
            self.session.flush()
        elif page.state == "gone":
            self._tell(EventKind.PAGE_BACK, page, seen, {"url": page.url, "title": page.title})
        page.state = "live"
        page.last_read = seen
        if record.state is PageState.READ:
            page.title = record.title or page.title
            page.language = record.language or page.language
        return page

    def _organisation_of(self, host: str, record: PageRecord, seen: datetime) -> int:
        """Who is behind a page: tied to its host already, named by the operator, or what the site calls itself."""
        if host not in self.organisations:
            tied = organisations.by_host(self.session, host)
            if tied is None:
                if self.site is not None and self.site.name:
                    name, basis = self.site.name, "named so in the configuration"
                elif record.site_name:
                    name, basis = record.site_name, f"calls itself so on {record.url}"
                else:
                    name, basis = organisations.registrable(host), "only its host is known"
                country = self.site.country if self.site else ""
                tied = organisations.find_or_make(self.session, name, seen, country=country, basis=basis)
                organisations.add_alias(self.session, tied, "host", host, basis)
            self.organisations[host] = id_of(tied)
        return self.organisations[host]

    def _new_version(
        self, page: Page, number: int, record: PageRecord, seen: datetime, judgement: Judgement
    ) -> PageVersion:
        told = told_by(judgement, self._received(record))
        values: dict[str, Any] = {
            "page_id": id_of(page),
            "number": number,
            "run_id": self.chronicle.run,
            "capture_id": record.capture,
            "read_at": seen,
            "text": judgement.document.text,
            "text_sha256": judgement.text_sha256,
            "document": judgement.document.to_json() | _where_read(record) | told,
            "knowledge_version": judgement.knowledge_version,
            "decision": judgement.decision,
            "dropped": [claim.to_json() for claim in judgement.dropped],
        }
        # Not through the session: a flush a page would write the page's own row each time, alone.
        key: Any = self.session.connection().execute(insert(PageVersion), values).inserted_primary_key
        new = PageVersion(id=key[0], **values)
        page.current_version_id = new.id
        page.role = judgement.role
        page.language = page.language or judgement.lang
        page.jurisdictions = [{"code": one.code, "why": one.why} for one in judgement.addressed]
        self.session.add(page)
        return new

    def _tell_gone(self, gone: Sequence[tuple[Page, str, Sequence[Claim]]], seen: Mapping[int, datetime]) -> None:
        """Each page that went, with the claims that went with it: once each, and none that stands elsewhere.

        `gone`: page, address that it leads to now, and the claims that were followed on it until now.
        """
        told: set[int] = set()
        for page, leads_to, followed in gone:
            went = [one for one in followed if one.state == ClaimState.WITHDRAWN and id_of(one) not in told]
            told.update(map(id_of, went))
            page.state = "moved" if leads_to and not went else "gone"
            self.session.add(page)
            if page.state == "moved":
                continue
            detail = {"url": page.url, "title": page.title, "claims": [claim.quote for claim in went]}
            detail |= {"leads_to": leads_to} if leads_to else {}
            severity = highest(claim.severity for claim in went)
            self._tell(EventKind.PAGE_GONE, page, seen[id_of(page)], detail, severity)

    def _tell(self, kind: EventKind, page: Page, seen: datetime, detail: dict[str, Any], severity: str = "") -> None:
        self.chronicle.write(
            kind,
            Cause.SOURCE,
            object_kind="page",
            object_id=id_of(page),
            at=seen,
            jurisdictions=[one["code"] for one in page.jurisdictions],
            severity=severity,
            detail=detail,
        )
