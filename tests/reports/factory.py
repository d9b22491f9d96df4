"""A small database as two weeks of reading would leave it. Firms and regulators are invented."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlmodel import Session, SQLModel, select

from monitor import search
from monitor.tables.db import transaction
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
        url = f"https://regulator.example/letters/{key}"
        capture = self.capture(run, url)
        source = self.session.get_one(Source, run.source_id)
        place = text.find("exosome")
        terms = [{"term": "exosome", "quote": "exosome", "start": place, "end": place + 7, "in": "text"}]
        values: dict[str, Any] = {
            "notice_type": "warning_letter",
            "authority": "Office of Invented Medicines",
            "summary": "Unapproved product",
        } | more
        row = Notice(
            source_id=run.source_id,
            key=key,
            title=title,
            url=url,
            jurisdiction=source.jurisdiction,
            language="en",
            issued=posted,
            posted=posted,
            text=text,
            tier=tier,
            tier_terms=terms if place >= 0 and tier == "core" else [],
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
            self._add(NoticeOrganisation(notice_id=row.id or 0, organisation_id=organisation.id or 0, role="addressee"))
        if event:
            self.event(EventKind.NOTICE_PUBLISHED, run, "notice", row.id, baseline=baseline)
        search.index(
            self.session,
            "notice",
            row.id or 0,
            title=title,
            body=text,
            seen_at=at,
            jurisdictions=[row.jurisdiction],
        )
        return row

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
            self._add(
                Finding(
                    claim_id=row.id or 0,
                    jurisdiction=code,
                    rule_id=f"{code}.{category}",
                    severity=level,
                    confidence=row.confidence,
                    decision=row.decision,
                    assessed=assessed,
                    legal_basis=[provision],
                    addressed_why="prices in its currency",
                    knowledge_version="k1",
                    made_at=version.read_at,
                )
            )
        if event:
            self.event(event, run, "claim", row.id, severity=severity, cause=cause, baseline=baseline)
        search.index(
            self.session,
            "claim",
            row.id or 0,
            title=quote,
            body=f"{product.name if product else page.title}\n{page.url}",
            seen_at=version.read_at,
            jurisdictions=[code for code, _, _ in basis],
            severity=severity,
        )
        return row

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


TEXT_1 = "Glow serum\nOur exosome serum treats arthritis in four weeks.\nIt may help hair grow.\nShips to the US."
TEXT_2 = (
    "Glow serum\nOur exosome serum treats arthritis in two weeks.\nNo side effects at all.\nInjected into the scalp.\n"
    "Ships to the US."
)


def two_weeks(engine: Engine, mode: str = "live") -> dict[str, Any]:
    """Two weeks with everything a digest can meet; gives ids by short names. The second week is 2026-W47."""
    with transaction(engine) as session:
        make = Factory(session)
        letters = make.source("us_letters", "Warning letters")
        market = make.source("site_glow_example", "Glow Labs’ site", kind="page")
        blind = make.source(
            "uk_alerts", "Medicine alerts", jurisdiction="uk", state="blind", state_since=MONDAY + timedelta(days=1),
            state_reason="answered with a page that apologises (HTTP 200)",
        )  # fmt: skip
        fresh = make.source("ca_recalls", "Recalls", jurisdiction="ca")
        first_letters, first_market = make.run(letters, EARLIER, mode=mode), make.run(market, EARLIER, mode=mode)
        make.run(blind, EARLIER, mode=mode)
        letters.baseline_run = first_letters.id
        glow = make.organisation("Glow Labs", hosts=["glow.example"])
        hostile = make.organisation(HOSTILE)
        old = make.notice(first_letters, "Old letter", posted=date(2025, 3, 1), baseline=True, organisation=glow)
        page, version = make.page(first_market, "https://glow.example/serum", TEXT_1, glow)
        serum = make.product("Glow Serum", "glow.example", glow)
        arthritis = make.claim(
            version, "treats arthritis in four weeks", product=serum, baseline=True,
            basis=(("us", "High", "us-a"), ("uk", "Medium", "uk-b")),
        )  # fmt: skip
        hair = make.claim(
            version, "may help hair grow", severity="Medium", category="hair_regrowth", decision="review",
            basis=(("us", "Medium", "us-a"),), baseline=True, confidence=0.61,
        )  # fmt: skip

        second_letters, second_market = make.run(letters, MONDAY, mode=mode), make.run(market, MONDAY, mode=mode)
        first_fresh = make.run(fresh, MONDAY + timedelta(hours=1), mode=mode)
        make.run(blind, MONDAY + timedelta(days=1), state="quarantined", mode=mode, reasons=["0 entries; never empty"])
        new = make.notice(
            second_letters, "Letter to Glow Labs", posted=date(2026, 11, 16), organisation=glow,
            quoted_urls=["https://www.glow.example/serum", "https://else.example/a"],
        )  # fmt: skip
        bad = make.notice(second_letters, f"Letter to {HOSTILE}", posted=date(2026, 11, 17), organisation=hostile)
        adjacent = make.notice(second_letters, "Umbilical cord cells", tier="adjacent", posted=date(2026, 11, 17))
        make.notice(second_letters, "Cheese recall", tier="other", posted=date(2026, 11, 17))
        make.notice_revision(old, second_letters, status="closed", quoted_urls=[])
        make.event(EventKind.NOTICE_UPDATED, second_letters, "notice", old.id)
        history = make.notice(first_fresh, "Old recall", posted=date(2024, 1, 5), baseline=True)
        recent = make.notice(first_fresh, "Recall of this week", posted=date(2026, 11, 18), baseline=True)
        make.event(
            EventKind.BASELINE_READ,
            first_fresh,
            "source",
            fresh.id,
            detail={"title": "Recalls", "brought": {"notice_published": 2}},
        )
        make.event(
            EventKind.SOURCE_BLIND, first_fresh, "source", blind.id, at=MONDAY + timedelta(days=1),
            detail={"reason": "answered with a page that apologises (HTTP 200)"},
        ).source_id = blind.id  # fmt: skip

        _, later = make.page(second_market, "https://glow.example/serum", TEXT_2, glow)
        reworded_quote = "treats arthritis in two weeks"
        make.wording(arthritis, later, reworded_quote, 2)
        arthritis.quote, arthritis.version_id = reworded_quote, later.id or 0
        arthritis.start = TEXT_2.index(reworded_quote)
        arthritis.end = arthritis.start + len(reworded_quote)
        reworded = make.event(
            EventKind.CLAIM_REWORDED, second_market, "claim", arthritis.id,
            detail={"before": "treats arthritis in four weeks", "after": reworded_quote}, severity="High",
        )  # fmt: skip
        hair.state, hair.ended_at = "withdrawn", MONDAY
        make.event(EventKind.CLAIM_WITHDRAWN, second_market, "claim", hair.id, severity="Medium")
        safe = make.claim(
            later, "No side effects at all", category="safety_absolute", severity="Medium", product=serum,
            basis=(("us", "Medium", "us-a"),),
        )  # fmt: skip
        scalp = make.claim(
            later, "Injected into the scalp", category="route_injection_iv", product=serum,
            event=EventKind.CLAIM_FLAGGED, cause=Cause.RULES, basis=(("us", "High", "us-unknown"),),
        )  # fmt: skip
        make.event(
            EventKind.PAGE_GONE, second_market, "page", page.id, severity="Medium", jurisdictions=["us", "br"],
            detail={"claims": ["may help hair grow", "may help hair grow"]},
        )  # fmt: skip
        make.match("Arthritis watch", reworded, "arthritis", reworded_quote)
        for row, kind in ((serum, "product"), (glow, "organisation")):
            search.index(session, kind, row.id or 0, title=row.name, body="glow.example", seen_at=MONDAY)
        session.flush()
        return {
            "glow": glow.id, "hostile": hostile.id, "serum": serum.id, "page": page.id,
            "old": old.id, "new": new.id, "bad": bad.id, "adjacent": adjacent.id,
            "history": history.id, "recent": recent.id,
            "arthritis": arthritis.id, "hair": hair.id, "safe": safe.id, "scalp": scalp.id,
        }  # fmt: skip
