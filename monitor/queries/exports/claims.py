"""Tables about claims: as they stand, what they touch, how they were worded, what people decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_
from sqlmodel import Session, col, select

from monitor.queries.exports.shapes import Column, Filters, Row, Table, batches, equal, texts
from monitor.queries.facts import rehearsal_runs
from monitor.tables.clusters import ClaimCluster, ClusterWording
from monitor.tables.models import (
    Claim,
    ClaimPlace,
    ClaimRevision,
    Finding,
    Organisation,
    Page,
    PageVersion,
    Product,
    Review,
)

_NARROW = ("jurisdiction", "category", "severity", "source", "watchlist", "since", "until")
_OBJECTS = ("claim", "page", "product", "organisation")
_OWNER = func.coalesce(Product.organisation_id, Page.organisation_id)


def _joined(*columns: Any) -> Select[Any]:
    """Claims with their page, product and organisation; the claim's id comes first."""
    statement: Select[Any] = (
        select(Claim.id, *columns)
        .select_from(Claim)
        .join(Page, col(Page.id) == Claim.page_id)
        .join(Product, col(Product.id) == Claim.product_id, isouter=True)
        .join(Organisation, col(Organisation.id) == _OWNER, isouter=True)
    )
    return statement


def _conditions(asked: Filters) -> list[ColumnElement[bool]]:
    conditions = equal(
        {
            col(Claim.category): asked.category,
            col(Claim.severity): asked.severity,
            col(Claim.source_id): asked.source,
            col(Claim.id): asked.claim,
            col(Claim.product_id): asked.product,
        }
    )
    if asked.organisation is not None:
        either = (col(Page.organisation_id), col(Product.organisation_id))
        conditions.append(or_(*(owner == asked.organisation for owner in either)))
    if asked.page is not None:
        placed = select(ClaimPlace.claim_id).where(ClaimPlace.page_id == asked.page)
        conditions.append(or_(col(Claim.page_id) == asked.page, col(Claim.id).in_(placed)))
    return conditions + asked.watched("claim", col(Claim.id))


def _assessed(session: Session, claims: Sequence[int]) -> dict[int, list[str]]:
    """Jurisdictions of each claim's current findings that rest on a sourced rule."""
    found: dict[int, list[str]] = defaultdict(list)
    statement = select(Finding.claim_id, Finding.jurisdiction).where(
        col(Finding.claim_id).in_(claims), col(Finding.current).is_(True), col(Finding.assessed).is_(True)
    )
    for claim, code in session.execute(statement.order_by(col(Finding.jurisdiction))):
        found[claim].append(code)
    return found


CLAIMS = (
    Column("id", "Number of the claim in this database; its page is /claims/<id>", "number"),
    Column("quote", "The claim word for word, in its latest wording"),
    Column("language", "Language of the page, as it declares or as it was recognised"),
    Column("category", "Category of the claim"),
    Column("severity", "High, Medium or Low: the highest over its findings"),
    Column("state", "live, missing, rewording, withdrawn or superseded (no longer a claim under our changed rules)"),
    Column("decision", "flag: flagged by a rule; review: a person has to decide"),
    Column("confidence", "From 0 to 1", "number"),
    Column("review_state", "unreviewed, confirmed, dismissed or reopened, as a person decided"),
    Column("status", "How it is said: affirmed, question, scientific …"),
    Column("rule", "Id of the rule that flagged it"),
    Column("why", "The rule’s explanation"),
    Column("hedged", "Whether it is hedged (“may help”)", "boolean"),
    Column("obfuscated", "Whether it is written with look-alike or hidden characters", "boolean"),
    Column("jurisdictions", "Jurisdictions in which a rule with a source touches it", "list"),
    Column("organisation", "Who is behind the page or the product, as far as it is known"),
    Column("organisation_id", "Number of the organisation", "number"),
    Column("product", "Product that it is about, where one is named"),
    Column("product_id", "Number of the product", "number"),
    Column("host", "Host of the page"),
    Column("page", "Address of the page"),
    Column("page_title", "Title of the page"),
    Column("headings", "Headings under which it stands, from the outermost", "list"),
    Column("source", "Id of the source that read it"),
    Column("first_seen", "When it was first seen", "time"),
    Column("last_seen", "When it was last seen", "time"),
    Column("ended", "When it was withdrawn or ceased to be one", "time"),
    Column("history", "Whether it was there at the source’s first reading, and may be older", "boolean"),
    Column("capture", "Id of the capture in which it was last seen"),
    Column("start", "Offset of its first character in the text of that capture’s page", "number"),
    Column("end", "Offset after its last character", "number"),
    Column("cluster", "Claims that have the same value here are worded nearly the same, whoever makes them"),
    Column("demonstration", "Whether it was read from a rehearsal server, not from the web", "boolean"),
)


def _claims(session: Session, asked: Filters) -> Iterator[Row]:
    rehearsed = rehearsal_runs(session)
    for rows in batches(session, _asked_claims(asked), col(Claim.id)):
        assessed = _assessed(session, [row[0] for row in rows])
        for row in rows:
            yield (
                *row[:14],
                tuple(assessed.get(row[0], ())),
                *row[14:21],
                texts(row[21]),
                *row[22:31],
                row[31] in rehearsed,
            )


def _asked_claims(asked: Filters) -> Select[Any]:
    """The claims asked for, with the run that each was last seen in; the claim's id comes first."""
    statement = _joined(
        Claim.quote,
        Page.language,
        Claim.category,
        Claim.severity,
        Claim.state,
        Claim.decision,
        Claim.confidence,
        Claim.review_state,
        Claim.status,
        Claim.rule_id,
        Claim.why,
        Claim.hedged,
        Claim.obfuscated,
        Organisation.name,
        Organisation.id,
        col(Product.name),
        Claim.product_id,
        Page.host,
        Page.url,
        Page.title,
        Claim.heading_path,
        Claim.source_id,
        Claim.first_seen,
        Claim.last_seen,
        Claim.ended_at,
        Claim.baseline,
        PageVersion.capture_id,
        Claim.start,
        Claim.end,
        func.coalesce(ClusterWording.cluster, ""),
        PageVersion.run_id,
    ).join(PageVersion, col(PageVersion.id) == Claim.version_id)
    statement = statement.join(ClaimCluster, col(ClaimCluster.claim_id) == Claim.id, isouter=True)
    statement = statement.join(ClusterWording, col(ClusterWording.id) == ClaimCluster.wording_id, isouter=True)
    statement = statement.where(*_conditions(asked), *asked.within(col(Claim.first_seen)))
    if asked.jurisdiction:
        statement = statement.where(col(Claim.id).in_(_touched(asked.jurisdiction)))
    return statement


def _touched(jurisdiction: str) -> Select[Any]:
    found: Select[Any] = select(Finding.claim_id).where(
        Finding.jurisdiction == jurisdiction, col(Finding.current).is_(True), col(Finding.assessed).is_(True)
    )
    return found


FINDINGS = (
    Column("id", "Number of the finding", "number"),
    Column("claim_id", "Number of the claim", "number"),
    Column("jurisdiction", "Jurisdiction whose rules are meant"),
    Column("severity", "High, Medium or Low in this jurisdiction"),
    Column("rule", "Id of the rule"),
    Column("provisions", "Ids of the provisions that the rule touches, as the law table has them", "list"),
    Column("assessed", "false: no rule of this jurisdiction has a source, so nothing is asserted about it", "boolean"),
    Column("decision", "flag or review"),
    Column("confidence", "From 0 to 1", "number"),
    Column("addressed_because", "Why the page is held to address this jurisdiction"),
    Column("knowledge", "Version of the knowledge under which it was made"),
    Column("made", "When it was made", "time"),
    Column("current", "false: a later judgement replaced it", "boolean"),
    Column("category", "Category of the claim"),
    Column("quote", "The claim word for word, in its latest wording"),
    Column("language", "Language of the page"),
    Column("organisation", "Who is behind the page or the product, as far as it is known"),
    Column("page", "Address of the page"),
)


def _findings(session: Session, asked: Filters) -> Iterator[Row]:
    statement = (
        select(
            Finding.id,
            Finding.claim_id,
            Finding.jurisdiction,
            Finding.severity,
            Finding.rule_id,
            Finding.legal_basis,
            Finding.assessed,
            Finding.decision,
            Finding.confidence,
            Finding.addressed_why,
            Finding.knowledge_version,
            Finding.made_at,
            Finding.current,
            Claim.category,
            Claim.quote,
            Page.language,
            Organisation.name,
            Page.url,
        )  # type: ignore[call-overload]
        .select_from(Finding)
        .join(Claim, col(Claim.id) == Finding.claim_id)
        .join(Page, col(Page.id) == Claim.page_id)
        .join(Product, col(Product.id) == Claim.product_id, isouter=True)
        .join(Organisation, col(Organisation.id) == _OWNER, isouter=True)
        .where(*_conditions(asked), *asked.within(col(Finding.made_at)))
        .where(*equal({col(Finding.jurisdiction): asked.jurisdiction}))
    )
    for rows in batches(session, statement, col(Finding.id)):
        for row in rows:
            yield (*row[:5], texts(row[5]), *row[6:])


WORDINGS = (
    Column("id", "Number of the wording in this database", "number"),
    Column("claim_id", "Number of the claim", "number"),
    Column("number", "First wording, second …", "number"),
    Column("quote", "The wording"),
    Column("seen", "When it was first seen so", "time"),
    Column("capture", "Id of the capture that first had it"),
    Column("start", "Offset of its first character in the text of that capture’s page", "number"),
    Column("end", "Offset after its last character", "number"),
    Column("page", "Address of the page on which the claim is shown"),
)


def _wordings(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            ClaimRevision.id,
            ClaimRevision.claim_id,
            ClaimRevision.number,
            ClaimRevision.quote,
            ClaimRevision.seen_at,
            PageVersion.capture_id,
            ClaimRevision.start,
            ClaimRevision.end,
            Page.url,
        )
        .select_from(ClaimRevision)
        .join(PageVersion, col(PageVersion.id) == ClaimRevision.version_id)
        .join(Claim, col(Claim.id) == ClaimRevision.claim_id)
        .join(Page, col(Page.id) == Claim.page_id)
        .where(*equal({col(ClaimRevision.claim_id): asked.claim, col(Claim.source_id): asked.source}))
        .where(*asked.within(col(ClaimRevision.seen_at)))
    )
    return _flat(batches(session, statement, col(ClaimRevision.id)))


REVIEWS = (
    Column("id", "Number of the decision", "number"),
    Column("claim_id", "Number of the claim", "number"),
    Column("state", "confirmed, dismissed or reopened"),
    Column("reason", "The reason that was given"),
    Column("reviewer", "Who decided"),
    Column("at", "When", "time"),
    Column("quote", "The wording that was decided on"),
    Column("category", "Its category at that time"),
    Column("language", "Its language"),
)


def _reviews(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = select(  # type: ignore[call-overload]
        Review.id,
        Review.claim_id,
        Review.state,
        Review.reason,
        Review.reviewer,
        Review.at,
        Review.quote,
        Review.category,
        Review.language,
    ).where(
        *equal({col(Review.claim_id): asked.claim, col(Review.category): asked.category}),
        *asked.within(col(Review.at)),
    )
    return _flat(batches(session, statement, col(Review.id)))


DROPPED = (
    Column("page", "Address of the page"),
    Column("quote", "The candidate’s wording"),
    Column("category", "What it would have been"),
    Column("status", "What dropped it: negated, attributed, quoted, cosmetic …"),
    Column("why", "Why, in words"),
    Column("language", "Language of the page"),
    Column("capture", "Id of the capture in which it stands"),
)


def _dropped(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            PageVersion.id, Page.url, PageVersion.dropped, Page.language, PageVersion.capture_id
        )
        .select_from(PageVersion)
        .join(Page, col(Page.id) == PageVersion.page_id)
        .where(*equal({col(Page.source_id): asked.source}))
    )
    if asked.claim is not None:
        shown = select(Claim.version_id).where(Claim.id == asked.claim)
        statement = statement.where(col(PageVersion.id).in_(shown))
    else:
        newest = select(func.max(PageVersion.id)).group_by(col(PageVersion.page_id))
        statement = statement.where(col(PageVersion.id).in_(newest))
    for rows in batches(session, statement, col(PageVersion.id)):
        for _, url, dropped, language, capture in rows:
            for each in dropped:
                said = (str(each.get(key, "")) for key in ("quote", "category", "status", "why"))
                yield (url, *said, language, capture)


def _flat(found: Iterable[Sequence[Any]]) -> Iterator[Row]:
    return (tuple(row) for rows in found for row in rows)


TABLES = (
    Table(
        "claims",
        "Claims",
        "Every claim that was ever flagged or put up for review, as it stands now.",
        CLAIMS,
        (*_NARROW, *_OBJECTS),
        _claims,
    ),
    Table(
        "findings",
        "Findings",
        "What each claim touches in each jurisdiction. Not a finding that anyone broke the law; a person decides.",
        FINDINGS,
        (*_NARROW, *_OBJECTS),
        _findings,
    ),
    Table(
        "wordings",
        "Wordings",
        "Every wording of every claim.",
        WORDINGS,
        ("source", "since", "until", "claim"),
        _wordings,
    ),
    Table(
        "reviews",
        "Reviews",
        "What people decided about claims.",
        REVIEWS,
        ("category", "since", "until", "claim"),
        _reviews,
    ),
    Table(
        "dropped",
        "Looked at and not flagged",
        "Candidates on pages, as last read, that were not flagged, with what dropped each.",
        DROPPED,
        ("source", "claim"),
        _dropped,
    ),
)
