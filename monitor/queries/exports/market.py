"""Tables about the market: sellers' sites, their pages, and every text that a page had."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, func
from sqlmodel import Session, col, select

from monitor.queries.exports.shapes import Column, Filters, Row, Table, batches, equal, texts
from monitor.queries.facts import rehearsal_runs
from monitor.queries.market import SiteCounts, site_counts
from monitor.queries.page_rows import unread_as_told
from monitor.queries.standing import source_states
from monitor.tables.models import Capture, ClaimPlace, Organisation, Page, PageVersion

SITES = (
    Column("id", "Id of the site as a source; its page is /market/<id>"),
    Column("title", "What it is called"),
    Column("url", "Where it begins"),
    Column("state", "ok, quiet (nothing as new as usual), stale (not read well for long) or blind (cannot be read)"),
    Column("since", "Since when it has been blind or stale", "time"),
    Column("reason", "Why it is blind or stale"),
    Column("last_read_well", "When it was last read well", "time"),
    Column("last_tried", "When it was last tried", "time"),
    Column("built_with", "Shop systems that it was seen to be built with", "list"),
    Column("catalogues", "What each of its catalogues gave in the last whole reading", "list"),
    Column("pages", "Number of its pages that are there", "number"),
    Column("pages_gone", "Number of its pages that are gone", "number"),
    Column("products", "Number of products that it offers", "number"),
    Column("flagged", "Number of its standing claims that are flagged", "number"),
    Column("for_review", "Number of its standing claims that a person has to decide on", "number"),
    Column("jurisdictions", "Jurisdictions that its pages are held to address, the most pages first", "list"),
    Column("unread", "What the last whole reading did not read, and how much of it", "list"),
    Column("demonstration", "Whether it was read from a rehearsal server, not from the web", "boolean"),
)


def _sites(session: Session, asked: Filters) -> Iterator[Row]:
    sites = [one for one in source_states(session) if one.kind == "page" and asked.source in ("", one.id)]
    counts = site_counts(session, [one.id for one in sites])
    for site in sites:
        found = counts.get(site.id, SiteCounts())
        yield (
            site.id,
            site.title,
            site.start,
            site.state,
            site.since,
            site.reason,
            site.last_success_at,
            site.last_run_at,
            found.whole.platforms,
            tuple(f"{name}: {gave}" for name, gave in found.whole.catalogues.items()),
            found.pages,
            found.gone,
            found.products,
            found.flagged,
            found.for_review,
            tuple(code for code, _ in found.addressed.most_common()),
            tuple(f"{what}: {number}" for what, number in found.whole.unread.items()),
            found.whole.rehearsal,
        )


PAGES = (
    Column("id", "Number of the page in this database; its versions are at /pages/<id>", "number"),
    Column("url", "Address"),
    Column("host", "Host"),
    Column("title", "Title, as last read"),
    Column("language", "Language, as it declares or as it was recognised"),
    Column("role", "Kind of page: seller, clinic, supplier, marketplace, news …"),
    Column("state", "live, missing (gone once, not yet confirmed) or gone"),
    Column("jurisdictions", "Jurisdictions that it is held to address", "list"),
    Column("organisation", "Who is behind it, as far as it is known"),
    Column("versions", "Number of its versions", "number"),
    Column("claims", "Number of flagged claims that stand on it, or stood when it was last read", "number"),
    Column("source", "Id of the source that reads it"),
    Column("first_seen", "When it was first read", "time"),
    Column("last_read", "When it was last read well, changed or not", "time"),
)


def _pages(session: Session, asked: Filters) -> Iterator[Row]:
    versions = select(func.count()).where(PageVersion.page_id == Page.id).scalar_subquery()
    claims = select(func.count()).where(ClaimPlace.page_id == Page.id, ClaimPlace.lacking == 0).scalar_subquery()
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            Page.id,
            Page.url,
            Page.host,
            Page.title,
            Page.language,
            Page.role,
            Page.state,
            Page.jurisdictions,
            Organisation.name,
            versions,
            claims,
            Page.source_id,
            Page.first_seen,
            Page.last_read,
        )
        .select_from(Page)
        .join(Organisation, col(Organisation.id) == Page.organisation_id, isouter=True)
        .where(
            *equal(
                {
                    col(Page.source_id): asked.source,
                    col(Page.id): asked.page,
                    col(Page.organisation_id): asked.organisation,
                }
            ),
            *asked.within(col(Page.first_seen)),
            *asked.watched("page", col(Page.id)),
        )
    )
    for rows in batches(session, statement, col(Page.id)):
        for row in rows:
            yield (*row[:7], tuple(str(each.get("code", "")) for each in row[7]), *row[8:])


VERSIONS = (
    Column("id", "Number of the version in this database", "number"),
    Column("page_id", "Number of the page; its versions are at /pages/<page_id>", "number"),
    Column("page", "Address of the page"),
    Column("number", "First text, second …", "number"),
    Column("read", "When this text was first read", "time"),
    Column("decision", "What judging made of the text: flag, review or clear"),
    Column("text", "The visible text: what offsets of claims and facts count in"),
    Column("text_sha256", "SHA-256 of the text"),
    Column("unread", "What stands on the page and was not read, such as text in pictures", "list"),
    Column("source", "Id of the source that reads the page"),
    Column("run", "Id of the run that read it"),
    Column("capture", "Id of the capture that it was read from"),
    Column("sha256", "SHA-256 of that capture’s body as received"),
    Column("demonstration", "Whether it was read from a rehearsal server, not from the web", "boolean"),
)


def _versions(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            PageVersion.id,
            PageVersion.page_id,
            Page.url,
            PageVersion.number,
            PageVersion.read_at,
            PageVersion.decision,
            PageVersion.text,
            PageVersion.text_sha256,
            col(PageVersion.document)["unread"],
            Page.source_id,
            PageVersion.run_id,
            PageVersion.capture_id,
            Capture.payload_sha256,
        )
        .join(Page, col(Page.id) == PageVersion.page_id)
        .join(Capture, col(Capture.id) == PageVersion.capture_id, isouter=True)
        .where(
            *equal(
                {
                    col(PageVersion.page_id): asked.page,
                    col(Page.source_id): asked.source,
                    col(Page.organisation_id): asked.organisation,
                }
            ),
            *asked.within(col(PageVersion.read_at)),
        )
    )
    rehearsed = rehearsal_runs(session)
    for rows in batches(session, statement, col(PageVersion.id)):
        for row in rows:
            yield (*row[:8], unread_as_told(texts(row[8])), *row[9:], row[10] in rehearsed)


TABLES = (
    Table(
        "sites",
        "Sites",
        "Sites of sellers and clinics that were read, with what was found on each and what was not read.",
        SITES,
        ("source",),
        _sites,
    ),
    Table(
        "pages",
        "Sellers’ pages",
        "Pages of sellers and clinics that are read again and again.",
        PAGES,
        ("source", "watchlist", "since", "until", "page", "organisation"),
        _pages,
    ),
    Table(
        "versions",
        "Versions of pages",
        "Every text that a seller’s page was read with, whole.",
        VERSIONS,
        ("source", "since", "until", "page", "organisation"),
        _versions,
    ),
)
