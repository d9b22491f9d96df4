"""One claim's rows: itself, its wordings, its findings, its product, its place in the search."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from monitor import search
from monitor.classify import JudgedClaim, Judgement, Verdict
from monitor.history import Chronicle
from monitor.knowledge import Knowledge
from monitor.lives import ENOUGH, ClaimState
from monitor.market.product_rows import index_product, product_of
from monitor.products.offering import heading_offers, main_heading
from monitor.products.words import names_product
from monitor.reading.text import fold
from monitor.tables.db import id_of
from monitor.tables.models import Claim, ClaimPlace, ClaimRevision, Finding, Organisation, Page, Product

_LONGEST_NAME = 80
_SEVERITIES = ("High", "Medium", "Low")


@dataclass(frozen=True)
class PageReading:
    """A page as read well once, in the version that its text is."""

    page: Page
    version_id: int
    knowledge_version: str
    findings: Sequence[JudgedClaim] | None
    """Claims of this reading; None where the text was judged before and nothing on the page waits to be settled."""
    seen: datetime
    product: str = ""
    """The one product that the page is about, as it names it; empty if it is not about one."""
    offered: Sequence[tuple[int, int, str]] = ()
    """Parts of the text that speak of one product each, the narrowest first: start, end, name."""

    def product_at(self, place: int) -> str:
        """The product that the page speaks of at an offset; empty if it does not say."""
        return next((name for start, end, name in self.offered if start <= place < end), "") or self.product


def product_named(judgement: Judgement, url: str, knowledge: Knowledge) -> str:
    """The product a page is about: named alone in its structured data, in its main heading, or by a coined word.

    What a heading names must be on offer there: a post about exosomes is no product.
    """
    structured = judgement.document.marks.get("product_names", [])
    if len(structured) == 1:
        return structured[0]
    words = {folded_quote(claim.product) for claim in judgement.findings} | set(
        map(folded_quote, judgement.product_names)
    )
    document = judgement.document
    main = main_heading(document)
    if main is not None and main.end - main.start <= _LONGEST_NAME:
        heading = document.text[main.start : main.end]
        named = any(word and word in folded_quote(heading) for word in words) or names_product(heading, knowledge)
        asked = heading.rstrip().endswith(("?", "？"))
        if named and not asked and heading_offers(document, judgement.role, url, knowledge):
            return heading
    return judgement.product_names[0] if len(judgement.product_names) == 1 else ""


def folded_quote(quote: str) -> str:
    """A quote as identity compares it: look-alikes, case and white space gone."""
    return " ".join(fold(quote).text.casefold().split())


def highest(severities: Iterable[str]) -> str:
    """The gravest of some severities, in words; empty if none is assessed."""
    found = set(severities)
    return next((severity for severity in _SEVERITIES if severity in found), "")


def limited(verdict: Verdict, jurisdictions: Sequence[str]) -> Verdict:
    """The operator names the jurisdictions that are judged; any other one is said not to be."""
    if verdict.code in jurisdictions or not verdict.assessed:
        return verdict
    return Verdict(verdict.code, "", (), False, "not assessed: not among the jurisdictions of the configuration")


def claims_on(session: Session, page: Page) -> Sequence[Claim]:
    """Claims that stand on a page."""
    statement = select(Claim).join(ClaimPlace, ClaimPlace.claim_id == Claim.id)  # type: ignore[arg-type]
    return session.exec(statement.where(ClaimPlace.page_id == page.id, ClaimPlace.lacking == 0)).all()


def claims_followed_on(session: Session, page: Page) -> Sequence[Claim]:
    """Claims that stand on a page, and those that one reading of it lacked."""
    over = (ClaimState.WITHDRAWN, ClaimState.SUPERSEDED)
    statement = select(Claim).join(ClaimPlace, ClaimPlace.claim_id == Claim.id)  # type: ignore[arg-type]
    followed = statement.where(ClaimPlace.page_id == page.id, ClaimPlace.lacking < ENOUGH)
    return session.exec(followed.where(col(Claim.state).not_in(over)).order_by(col(Claim.id))).all()


def _words_of(judged: JudgedClaim) -> tuple[int, int]:
    """Where in its statement the words stand that claim."""
    stated = judged.statement
    return max(judged.start, stated.start) - stated.start, min(judged.end, stated.end) - stated.start


class ClaimWriter:
    """Writes one claim's rows. `jurisdictions`: those that the operator wants judged."""

    def __init__(self, session: Session, jurisdictions: Sequence[str]) -> None:
        self._session = session
        self._jurisdictions = jurisdictions
        self._products: dict[tuple[int, str], int] = {}

    def make(self, judged: JudgedClaim, reading: PageReading, folded: str, chronicle: Chronicle) -> Claim:
        """A new claim, with its first wording."""
        claim = Claim(
            source_id=chronicle.source_id,
            page_id=id_of(reading.page),
            category=judged.category,
            rule_id=judged.rule_id,
            status=judged.status,
            quote="",
            folded=folded,
            decision=judged.decision,
            confidence=judged.confidence,
            severity="",
            version_id=reading.version_id,
            start=judged.statement.start,
            end=judged.statement.end,
            first_seen=reading.seen,
            last_seen=reading.seen,
            baseline=chronicle.baseline,
        )
        self._session.add(claim)
        self._session.flush()
        self._add_revision(claim, judged, reading)
        self.describe(claim, judged, reading)
        return claim

    def describe(self, claim: Claim, judged: JudgedClaim, reading: PageReading) -> None:
        """Bring a claim up to its latest judgement."""
        stated = judged.statement
        if folded_quote(stated.text) != claim.folded:
            self._add_revision(claim, judged, reading)
        claim.quote, claim.words_start, claim.words_end = stated.text, *_words_of(judged)
        claim.category, claim.rule_id, claim.status = judged.category, judged.rule_id, judged.status
        claim.decision, claim.confidence, claim.why = judged.decision, judged.confidence, judged.why
        claim.hedged, claim.obfuscated = judged.hedged, judged.obfuscated
        claim.heading_path = list(judged.heading_path)
        claim.product_id = self._product_of(judged, reading)
        codes = self._set_findings(claim, judged, reading)
        self._session.add(claim)
        self._index(claim, reading, codes)

    def _add_revision(self, claim: Claim, judged: JudgedClaim, reading: PageReading) -> None:
        self._session.add(
            ClaimRevision(
                claim_id=id_of(claim),
                number=len(self.revisions(claim)) + 1,
                quote=judged.statement.text,
                version_id=reading.version_id,
                start=judged.statement.start,
                end=judged.statement.end,
                seen_at=reading.seen,
            )
        )
        self._session.flush()

    def _set_findings(self, claim: Claim, judged: JudgedClaim, reading: PageReading) -> Collection[str]:
        """Replace the findings where they differ; replaced rows stay, no longer current. Gives their jurisdictions."""
        held = self.findings(claim)
        wanted = {verdict.code: limited(verdict, self._jurisdictions) for verdict in judged.jurisdictions}
        same = {
            row.jurisdiction: (row.rule_id, row.severity, tuple(row.legal_basis), row.assessed, row.decision)
            for row in held
        } == {
            code: (judged.rule_id, one.severity, one.legal_basis, one.assessed, judged.decision)
            for code, one in wanted.items()
        }
        claim.severity = highest(verdict.severity for verdict in wanted.values() if verdict.assessed)
        if same:
            return wanted
        for row in held:
            row.current = False
            self._session.add(row)
        for code, verdict in wanted.items():
            self._session.add(
                Finding(
                    claim_id=id_of(claim),
                    jurisdiction=code,
                    rule_id=judged.rule_id,
                    severity=verdict.severity,
                    confidence=judged.confidence,
                    decision=judged.decision,
                    assessed=verdict.assessed,
                    legal_basis=list(verdict.legal_basis),
                    addressed_why=verdict.why,
                    knowledge_version=reading.knowledge_version,
                    made_at=reading.seen,
                )
            )
        self._session.flush()
        return wanted

    def _product_of(self, judged: JudgedClaim, reading: PageReading) -> int | None:
        name = reading.product_at(judged.start) or judged.product
        if not name:
            return None
        key = (id_of(reading.page), name)
        if key not in self._products:
            product = product_of(self._session, reading.page, name, reading.seen)
            index_product(self._session, product, reading.page)
            self._products[key] = id_of(product)
        return self._products[key]

    def _organisation_name(self, page: Page) -> str:
        organisation = self._session.get(Organisation, page.organisation_id) if page.organisation_id else None
        return organisation.name if organisation else ""

    def _index(self, claim: Claim, reading: PageReading, codes: Collection[str]) -> None:
        page = reading.page
        product = self._session.get(Product, claim.product_id) if claim.product_id else None
        words = [
            self._organisation_name(page),
            product.name if product else "",
            *claim.heading_path,
            page.title,
            page.url,
        ]
        search.index(
            self._session,
            "claim",
            id_of(claim),
            title=claim.quote,
            body="\n".join([*words, claim.category.replace("_", " ")]),
            jurisdictions=codes,
            severity=claim.severity,
            seen_at=claim.first_seen,
        )

    def revisions(self, claim: Claim) -> Sequence[ClaimRevision]:
        statement = select(ClaimRevision).where(ClaimRevision.claim_id == claim.id).order_by(ClaimRevision.number)  # type: ignore[arg-type]
        return self._session.exec(statement).all()

    def findings(self, claim: Claim) -> Sequence[Finding]:
        statement = select(Finding).where(Finding.claim_id == claim.id, Finding.current == True)  # noqa: E712  # SQL
        return self._session.exec(statement.order_by(Finding.jurisdiction)).all()

    def codes(self, claim: Claim) -> list[str]:
        return [row.jurisdiction for row in self.findings(claim)]

    def detail(self, claim: Claim) -> dict[str, Any]:
        """What a reader of the event needs without another look-up."""
        page = self._session.get(Page, claim.page_id)
        product = self._session.get(Product, claim.product_id) if claim.product_id else None
        if page is None:
            raise LookupError(f"claim {claim.id} has no page; the database was altered by hand")
        return {
            "quote": claim.quote,
            "category": claim.category,
            "rule_id": claim.rule_id,
            "decision": claim.decision,
            "product": product.name if product else "",
            "organisation": self._organisation_name(page),
            "page_id": page.id,
            "url": page.url,
            "host": page.host,
            "legal_basis": {row.jurisdiction: row.legal_basis for row in self.findings(claim)},
        }
