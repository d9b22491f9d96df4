"""A product's own row: found or made by its name on a host, and its place in the search."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from monitor import search
from monitor.products.names import name_on
from monitor.tables.db import id_of
from monitor.tables.models import Organisation, Page, Product
from monitor.tables.product_facts import ProductFact

SEARCHED = ("brand", "form", "source_material", "route")
"""Kinds of fact by whose words a product is found."""


def product_of(session: Session, page: Page, name: str, seen: datetime) -> Product:
    """The product of that name on a page's host; made if there is none. Case, accents and look-alikes do not matter."""
    folded, called = name_on(page.host, name)
    with session.no_autoflush:  # every product is written when it is made
        product = session.exec(select(Product).where(Product.host == page.host, Product.folded == folded)).first()
    if product is None:
        product = Product(
            organisation_id=page.organisation_id,
            host=page.host,
            name=called,
            folded=folded,
            first_seen=seen,
            last_seen=seen,
        )
        session.add(product)
        session.flush()
    elif called != name and not product.name.endswith(called.removeprefix(name)):
        product.name = called  # made when names of kinds were still taken for products' own
    product.last_seen = max(product.last_seen, seen)
    session.add(product)
    return product


def index_product(session: Session, product: Product, page: Page) -> None:
    """Put a product into the search, with the firm behind it and what it is said to be."""
    owner = session.get(Organisation, page.organisation_id) if page.organisation_id else None
    statement = select(ProductFact.kind, ProductFact.value, ProductFact.quote).where(
        ProductFact.product_id == id_of(product), ProductFact.current, col(ProductFact.kind).in_(SEARCHED)
    )
    told = {
        f"{kind.replace('_', ' ')}: {value.replace('_', ' ')} ({quote})": None
        for kind, value, quote in session.exec(statement.order_by(ProductFact.kind, ProductFact.value))
    }
    search.index(
        session,
        "product",
        id_of(product),
        title=product.name,
        body="\n".join([owner.name if owner else "", page.host, *told]),
        jurisdictions=[one["code"] for one in page.jurisdictions],
        severity="",
        seen_at=product.first_seen,
    )
