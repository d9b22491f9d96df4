"""Tables about products: each as its pages describe it, and each thing that is said of it with its words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select, exists, func
from sqlmodel import Session, col, select

from monitor.queries.exports.shapes import Column, Filters, Row, Table, batches, equal
from monitor.queries.product_lists import claims_seen
from monitor.queries.reach import STANDING
from monitor.tables.models import Claim, Organisation, Page, Product
from monitor.tables.product_facts import ProductFact

FACT_KINDS = ("name", "brand", "seller", "price", "form", "source_material", "route", "dose", "country")

_SAID = FACT_KINDS[1:]
"""What a product is said to be, besides its name."""
PRODUCTS = (
    Column("id", "Number of the product in this database; its page is /products/<id>", "number"),
    Column("name", "Name, as the seller writes it; with its host where it only says what kind of thing it is"),
    Column("host", "Host on which it is offered"),
    Column("organisation", "Who offers it, as far as it is known"),
    Column("organisation_id", "Number of the organisation", "number"),
    Column("claims", "Number of claims about it that were ever flagged or put up for review", "number"),
    Column("standing", "Number of claims about it that stand now, flagged or for review", "number"),
    Column("flagged", "Number of those that are flagged", "number"),
    *(
        Column(kind, f"What its pages say now, of the kind {kind}; each with its words in the table facts", "list")
        for kind in _SAID
    ),
    Column("first_seen", "When it was first seen", "time"),
    Column("last_seen", "When it was last seen", "time"),
)


def _products(session: Session, asked: Filters) -> Iterator[Row]:
    claims = select(func.count()).where(Claim.product_id == Product.id)
    standing = claims.where(col(Claim.state).in_(STANDING))
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            Product.id,
            Product.name,
            Product.host,
            Organisation.name,
            Product.organisation_id,
            claims.scalar_subquery(),
            standing.scalar_subquery(),
            standing.where(Claim.decision == "flag").scalar_subquery(),
            Product.first_seen,
            Product.last_seen,
        )
        .select_from(Product)
        .join(Organisation, col(Organisation.id) == Product.organisation_id, isouter=True)
        .where(
            *equal({col(Product.id): asked.product, col(Product.organisation_id): asked.organisation}),
            *asked.within(col(Product.first_seen)),
        )
    )
    if asked.source:
        statement = statement.where(exists().where(col(Page.host) == Product.host, col(Page.source_id) == asked.source))
    for rows in batches(session, statement, col(Product.id)):
        said, seen = _said_of(session, [row[0] for row in rows]), claims_seen(session, [row[0] for row in rows])
        for *told, first_seen, last_seen in rows:
            last = max(last_seen, seen.get(told[0], last_seen))
            yield (*told, *(tuple(sorted(said[told[0], kind])) for kind in _SAID), first_seen, last)


def _said_of(session: Session, products: Sequence[int]) -> dict[tuple[int, str], set[str]]:
    """What is said of each product now, by kind."""
    found: dict[tuple[int, str], set[str]] = defaultdict(set)
    statement = select(ProductFact.product_id, ProductFact.kind, ProductFact.value)
    current = statement.where(col(ProductFact.product_id).in_(products), col(ProductFact.current))
    for product, kind, value in session.exec(current):
        found[product, kind].add(value)
    return found


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
                    col(ProductFact.page_id): asked.page,
                    col(ProductFact.kind): asked.kind,
                    col(Page.source_id): asked.source,
                    col(Product.organisation_id): asked.organisation,
                }
            ),
            *asked.within(col(ProductFact.first_seen)),
        )
    )
    return (tuple(row) for rows in batches(session, statement, col(ProductFact.id)) for row in rows)


TABLES = (
    Table(
        "products",
        "Products",
        "Products as sellers name them, with what is said of them now.",
        PRODUCTS,
        ("source", "since", "until", "product", "organisation"),
        _products,
    ),
    Table(
        "facts",
        "Product facts",
        "What pages say that products are, in which words, and since when.",
        FACTS,
        ("source", "kind", "since", "until", "page", "product", "organisation"),
        _facts,
    ),
)
