"""A small database as two weeks of reading would leave it. Firms and regulators are invented."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from sqlmodel import Session, SQLModel, select

from monitor import search
from monitor.tables.models import (
    Capture,
    Cause,
    Claim,
    ClaimRevision,
    Event,
    EventKind,
    Finding,
    Notice,
    NoticeOrganisation,
    NoticeRevision,
    Organisation,
    OrganisationAlias,
    Page,
    PageVersion,
    Product,
    Run,
    Source,
    WatchMatch,
)
from reports.law import Provision

MONDAY = datetime(2026, 11, 16, 5, 0, tzinfo=UTC)
"""Of ISO week 2026-W47."""
EARLIER = MONDAY - timedelta(days=7)
NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
HOSTILE = 'Glow<script>alert(1)</script>\u202e\x07\r\nBcc: all@victim.example "x"'

PROVISIONS = {
    "us-a": Provision(
        id="us-a",
        jurisdiction="us",
        instrument="Drug Act",
        provision="s. 201(g)",
        summary="What is meant to treat a disease is a drug.",
        url="https://law.example/us/201",
        read_on=date(2026, 3, 26),
        status="verified",
    ),
    "uk-b": Provision(
        id="uk-b",
        jurisdiction="uk",
        instrument="Medicines Regulations",
        provision="reg. 2",
        summary="Presented as curing: a medicine.",
        url="https://law.example/uk/2",
        status="unverified",
    ),
}


def law(provision_id: str) -> Provision:
    return PROVISIONS.get(provision_id, Provision(id=provision_id))


def _terms(text: str) -> list[dict[str, Any]]:
    """The words that made a notice one on exosomes."""
    place = text.find("exosome")
    return (
        [{"term": "exosome", "quote": "exosome", "start": place, "end": place + 7, "in": "text"}] if place >= 0 else []
    )


Row = TypeVar("Row", bound=SQLModel)


@dataclass
class Factory:
    """Adds rows to one session; each method gives back what it made."""

    session: Session
    counter: int = 0
    pages: dict[str, Page] = field(default_factory=dict)

    def _next(self) -> int:
        self.counter += 1
        return self.counter

    def source(
        self, id: str, title: str = "", *, jurisdiction: str = "us", kind: str = "notice", **more: Any
    ) -> Source:
        card = {"id": id, "start": f"https://{id.replace('_', '-')}.example/", "means": "Published by an authority."}
        card["kind"] = kind
        values: dict[str, Any] = {"card": card, "state_since": EARLIER} | more
        row = Source(id=id, title=title or id, jurisdiction=jurisdiction, kind=kind, **values)
        return self._add(row)

    def run(
        self, source: Source, at: datetime, *, state: str = "taken_in", mode: str = "live", reasons: Iterable[str] = ()
    ) -> Run:
        row = Run(
            id=f"{source.id}-{at:%Y%m%dT%H%M%SZ}-{self._next():04x}",
            source_id=source.id,
            state=state,
            reasons=[{"level": "error", "code": "x", "message": reason} for reason in reasons],
            started_at=at - timedelta(minutes=2),
            finished_at=at,
            taken_in_at=at,
            folder=f"runs/{source.id}",
            record={
                "mode": mode,
                "replay_of": "",
                "card": {"demo": False},
                "outcome": "ok",
                "requests": 4,
                "items": {"notice": 2},
            },
        )
        return self._add(row)

    def capture(self, run: Run, url: str, at: datetime | None = None) -> Capture:
        number = self._next()
        row = Capture(
            id=f"{run.id}/{number:05}",
            run_id=run.id,
            url=url,
            fetched_at=at or run.finished_at,
            status=200,
            content_type="text/html",
            payload_sha256=hashlib.sha256(f"{url}{number}".encode()).hexdigest(),
            offset=0,
            length=100,
        )
        return self._add(row)

    def organisation(self, name: str, *, hosts: Iterable[str] = (), country: str = "US") -> Organisation:
        row = Organisation(name=name, folded=f"{name.casefold()}{self._next()}", country=country, first_seen=EARLIER)
        self._add(row)
        for host in hosts:
            self._add(OrganisationAlias(organisation_id=row.id or 0, kind="host", value=host, basis="site configured"))
        return row

    def notice(
        self,
        run: Run,
        title: str,
        *,
        tier: str = "core",
        posted: date | None = None,
        baseline: bool = False,
        organisation: Organisation | None = None,
        text: str = "The firm sells an exosome product without approval.",
        quoted_urls: Iterable[str] = (),
        event: bool = True,
        **more: Any,
    ) -> Notice:
        key, at = f"k{self._next()}", run.finished_at
        capture = self.capture(run, f"https://regulator.example/letters/{key}")
        source = self.session.get_one(Source, run.source_id)
        values: dict[str, Any] = {
            "notice_type": "warning_letter",
            "authority": "Office of Invented Medicines",
            "summary": "Unapproved product",
        } | more
        row = Notice(
            source_id=run.source_id,
            key=key,
            title=title,
            url=capture.url,
            jurisdiction=source.jurisdiction,
            language="en",
            issued=posted,
            posted=posted,
            text=text,
            tier=tier,
            tier_terms=_terms(text) if tier == "core" else [],
            content_digest=key,
            capture_id=capture.id,
            first_seen=at,
            last_seen=at,
            baseline=baseline,
            **values,
        )
        self._add(row)
        self.notice_revision(row, run, quoted_urls=quoted_urls)
        if organisation:
            self._address(row, organisation)
        if event:
            self.event(EventKind.NOTICE_PUBLISHED, run, "notice", row.id, baseline=baseline)
        places = [row.jurisdiction]
        search.index(self.session, "notice", row.id or 0, title=title, body=text, seen_at=at, jurisdictions=places)
        return row

    def _address(self, notice: Notice, organisation: Organisation) -> None:
        ids = {"notice_id": notice.id or 0, "organisation_id": organisation.id or 0}
        self._add(NoticeOrganisation(role="addressee", **ids))

    def notice_revision(self, notice: Notice, run: Run, **changes: Any) -> NoticeRevision:
        number = len(self.session.exec(select(NoticeRevision).where(NoticeRevision.notice_id == notice.id)).all()) + 1
        fields = ("title", "text", "url", "authority", "notice_type", "summary", "issued", "posted")
        held = {name: getattr(notice, name) for name in (*fields, "comments_close", "effective")}
        record = {name: str(value) if value else None for name, value in held.items()}
        record |= {"references": ["REF-1"], "status": "open"} | changes
        record["quoted_urls"] = list(record.get("quoted_urls", ()))
        row = NoticeRevision(
            notice_id=notice.id or 0,
            number=number,
            run_id=run.id,
            capture_id=notice.capture_id,
            seen_at=run.finished_at,
            content_digest=f"{notice.content_digest}{number}",
            record=record,
        )
        return self._add(row)

    def page(self, run: Run, url: str, text: str, organisation: Organisation | None = None) -> tuple[Page, PageVersion]:
        """A new version of a page; the page itself is made at the first."""
        page = self.pages.get(url)
        if page is None:
            page = Page(
                source_id=run.source_id,
                organisation_id=organisation.id if organisation else None,
                url=url,
                host=url.split("/")[2],
                title="Serum",
                language="en",
                role="seller",
                jurisdictions=[{"code": "us", "why": "prices in US dollars"}],
                first_seen=run.finished_at,
                last_read=run.finished_at,
            )
            self.pages[url] = self._add(page)
        version = PageVersion(
            page_id=page.id or 0,
            number=self._next(),
            run_id=run.id,
            capture_id=self.capture(run, url).id,
            read_at=run.finished_at,
            text=text,
            text_sha256=hashlib.sha256(text.encode()).hexdigest(),
            document={"blocks": [["paragraph", 0, len(text), 0, []]], "marks": {}},
            knowledge_version="k1",
            decision="flag",
            dropped=[
                {
                    "quote": "It does not cure anything.",
                    "status": "negated",
                    "category": "disease_treatment",
                    "why": "a negation stands before it",
                }
            ],
        )
        return page, self._add(version)

    def product(self, name: str, host: str, organisation: Organisation | None = None) -> Product:
        row = Product(
            organisation_id=organisation.id if organisation else None,
            host=host,
            name=name,
            folded=f"{name.casefold()}{self._next()}",
            first_seen=EARLIER,
            last_seen=MONDAY,
        )
        return self._add(row)

    def claim(
        self,
        version: PageVersion,
        quote: str,
        *,
        severity: str = "High",
        category: str = "disease_treatment",
        product: Product | None = None,
        basis: Iterable[tuple[str, str, str]] = (("us", "High", "us-a"),),
        assessed: bool = True,
        baseline: bool = False,
        event: str | None = EventKind.CLAIM_APPEARED,
        cause: str = Cause.SOURCE,
        **more: Any,
    ) -> Claim:
        """`basis`: jurisdiction, severity, provision of each finding."""
        start = version.text.index(quote)
        page = self.session.get_one(Page, version.page_id)
        run = self.session.get_one(Run, version.run_id)
        values: dict[str, Any] = {"decision": "flag", "confidence": 0.93, "why": "Names a disease as treated."} | more
        row = Claim(
            source_id=page.source_id,
            page_id=page.id or 0,
            product_id=product.id if product else None,
            category=category,
            rule_id=f"{category}.1",
            status="affirmed",
            quote=quote,
            folded=quote.casefold(),
            heading_path=["Serum"],
            severity=severity,
            version_id=version.id or 0,
            start=start,
            end=start + len(quote),
            words_end=len(quote.partition(" in ")[0]),
            first_seen=version.read_at,
            last_seen=version.read_at,
            baseline=baseline,
            **values,
        )
        self._add(row)
        self.wording(row, version, quote, 1)
        for code, level, provision in basis:
            self._finding(row, code, level, provision, assessed=assessed)
        if event:
            self.event(event, run, "claim", row.id, severity=severity, cause=cause, baseline=baseline)
        named, places = product.name if product else page.title, [code for code, _, _ in basis]
        self._index_claim(row, body=f"{named}\n{page.url}", jurisdictions=places)
        return row

    def _finding(self, claim: Claim, jurisdiction: str, severity: str, provision: str, *, assessed: bool) -> None:
        self._add(
            Finding(
                claim_id=claim.id or 0,
                jurisdiction=jurisdiction,
                rule_id=f"{jurisdiction}.{claim.category}",
                severity=severity,
                confidence=claim.confidence,
                decision=claim.decision,
                assessed=assessed,
                legal_basis=[provision],
                addressed_why="prices in its currency",
                knowledge_version="k1",
                made_at=claim.first_seen,
            )
        )

    def _index_claim(self, claim: Claim, *, body: str, jurisdictions: list[str]) -> None:
        search.index(
            self.session,
            "claim",
            claim.id or 0,
            title=claim.quote,
            body=body,
            seen_at=claim.first_seen,
            jurisdictions=jurisdictions,
            severity=claim.severity,
        )

    def wording(self, claim: Claim, version: PageVersion, quote: str, number: int) -> None:
        start = version.text.index(quote)
        self._add(
            ClaimRevision(
                claim_id=claim.id or 0,
                number=number,
                quote=quote,
                version_id=version.id or 0,
                start=start,
                end=start + len(quote),
                seen_at=version.read_at,
            )
        )

    def event(
        self,
        kind: str,
        run: Run,
        object_kind: str,
        object_id: Any,
        *,
        at: datetime | None = None,
        cause: str = Cause.SOURCE,
        **more: Any,
    ) -> Event:
        row = Event(
            at=at or run.finished_at,
            kind=kind,
            cause=cause,
            source_id=run.source_id,
            run_id=run.id,
            object_kind=object_kind,
            object_id=str(object_id),
            dedupe_key=f"{kind}:{object_kind}:{object_id}:{self._next()}",
            **more,
        )
        return self._add(row)

    def match(self, watchlist: str, event: Event, term: str, quote: str) -> None:
        why = [{"criterion": "terms", "term": term, "quote": quote, "start": 0, "end": len(term)}]
        self._add(WatchMatch(watchlist=watchlist, event_id=event.id or 0, why=why, matched_at=event.at))

    def _add(self, row: Row) -> Row:
        self.session.add(row)
        self.session.flush()
        return row
