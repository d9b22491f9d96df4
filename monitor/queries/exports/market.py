"""Tables about sellers' pages, and what these say that products are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, func
from sqlmodel import Session, col, select

from monitor.models import ClaimPlace, Organisation, Page, PageVersion, Product
from monitor.product_facts import ProductFact
from monitor.queries.exports.shapes import Column, Filters, Row, Table, batches, equal

FACT_KINDS = ("name", "brand", "seller", "price", "form", "source_material", "route", "dose", "country")

FACTS = (
    Column("id", "Number of the fact in this database", "number"),
    Column("product_id", "Number of the product", "number"),
    Column("product", "Name of the product"),
    Column("organisation", "Who offers it, as far as it is known"),
    Column("kind", f"What is told: {', '.join(FACT_KINDS)}"),
    Column("value", "What it is said to be: a word of the vocabulary, a code, an amount, or as written"),
    Column("quote", "The words that say so"),
    Column("language", "Language of the page"),
    Column("page_id", "Number of the page", "number"),
    Column("page", "Address of the page"),
    Column("capture", "Id of the capture in which it was last read"),
    Column("place", "Where it stands in structured data; empty where it stands in the text"),
    Column("start", "Offset of the quote’s first character in the text of that capture’s page", "number"),
    Column("end", "Offset after its last character", "number"),
    Column("current", "Whether it is said now", "boolean"),
    Column("first_seen", "When it was first said", "time"),
    Column("last_seen", "When it was last said", "time"),
)


def _facts(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            ProductFact.id,
            ProductFact.product_id,
            Product.name,
            Organisation.name,
            ProductFact.kind,
            ProductFact.value,
            ProductFact.quote,
            Page.language,
            ProductFact.page_id,
            Page.url,
            ProductFact.capture_id,
            ProductFact.place,
            ProductFact.start,
            ProductFact.end,
            ProductFact.current,
            ProductFact.first_seen,
            ProductFact.last_seen,
        )
        .select_from(ProductFact)
        .join(Product, col(Product.id) == ProductFact.product_id)
        .join(Page, col(Page.id) == ProductFact.page_id)
        .join(Organisation, col(Organisation.id) == Product.organisation_id, isouter=True)
        .where(
            *equal(
                {
                    col(ProductFact.product_id): asked.product,
                    col(ProductFact.kind): asked.kind,
                    col(Page.source_id): asked.source,
                    col(Product.organisation_id): asked.organisation,
                }
            ),
            *asked.within(col(ProductFact.first_seen)),
        )
    )
    return (tuple(row) for rows in batches(session, statement, col(ProductFact.id)) for row in rows)


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
            *equal({col(Page.source_id): asked.source, col(Page.organisation_id): asked.organisation}),
            *asked.within(col(Page.first_seen)),
            *asked.watched("page", col(Page.id)),
        )
    )
    for rows in batches(session, statement, col(Page.id)):
        for row in rows:
            yield (*row[:7], tuple(str(each.get("code", "")) for each in row[7]), *row[8:])


TABLES = (
    Table(
        "facts",
        "Product facts",
        "What pages say that products are, in which words, and since when.",
        FACTS,
        ("source", "kind", "since", "until", "product", "organisation"),
        _facts,
    ),
    Table(
        "pages",
        "Sellers’ pages",
        "Pages of sellers and clinics that are read again and again.",
        PAGES,
        ("source", "watchlist", "since", "until", "organisation"),
        _pages,
    ),
)
