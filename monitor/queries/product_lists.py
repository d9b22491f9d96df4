"""Which products are meant: by site, by what happened to them, by an address; and the history of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Engine, String, and_, cast, exists, func, or_
from sqlmodel import Session, col, select

from monitor.queries.facts import chunks
from monitor.queries.page_address import find_page
from monitor.queries.page_rows import PageEvent
from monitor.queries.pages import told
from monitor.queries.rows import Named
from monitor.tables.db import reading
from monitor.tables.models import Cause, Claim, Event, EventKind, Page, Product
from monitor.tables.product_facts import ProductFact, ProductPlace
from monitor.webname import host_of

_TOLD = (
    EventKind.CLAIM_APPEARED,
    EventKind.CLAIM_REWORDED,
    EventKind.CLAIM_WITHDRAWN,
    EventKind.CLAIM_REAPPEARED,
    EventKind.PRODUCT_CHANGED,
)
"""What a seller does to a product or to its claims."""


@dataclass(frozen=True)
class OfferingPage:
    """A page that offers a product, as it was read well last."""

    id: int
    url: str
    title: str
    state: str
    last_read: datetime


@dataclass(frozen=True)
class SoughtProduct:
    """What an address leads to: the products that its page offers; where no such page is held, the nearest."""

    products: tuple[Named, ...] = ()
    page_known: bool = False
    nearest: tuple[str, ...] = ()


def offered_at(site: str) -> ColumnElement[bool]:
    """Condition: on that host or below it, or on a page of the source of that id."""
    host = host_of(site).removeprefix("www.")
    on_host = or_(col(Product.host) == host, col(Product.host).endswith(f".{host}", autoescape=True))
    places = exists().where(
        col(ProductPlace.product_id) == Product.id, col(Page.id) == ProductPlace.page_id, col(Page.source_id) == site
    )
    return or_(on_host, places)


def changed(since: datetime) -> ColumnElement[bool]:
    """Condition: the seller changed what it says of the product or one of its claims, or it is new since then.

    What a first reading of a site brought is no change, and neither is what our rules or a reviewer did.
    """
    event = and_(col(Event.at) >= since, *_by_the_seller())
    of_product = and_(col(Event.object_kind) == "product", col(Event.object_id) == cast(Product.id, String))
    of_claim = and_(
        col(Claim.product_id) == Product.id,
        col(Event.object_kind) == "claim",
        col(Event.object_id) == cast(Claim.id, String),
    )
    is_new = exists().where(
        col(ProductPlace.product_id) == Product.id,
        col(Page.id) == ProductPlace.page_id,
        col(Event.source_id) == Page.source_id,
        col(Event.kind) == EventKind.BASELINE_READ,
        col(Event.at) < Product.first_seen,
    )
    return or_(
        exists().where(event, of_product),
        exists().where(event, of_claim),
        and_(col(Product.first_seen) >= since, is_new),
    )


def _by_the_seller() -> tuple[ColumnElement[bool], ...]:
    return col(Event.kind).in_(_TOLD), col(Event.cause) == Cause.SOURCE, ~col(Event.baseline)


def changes_of(session: Session, product_ids: Sequence[int]) -> dict[int, datetime]:
    """When the seller was last seen to change what it says of each product, or its claims."""
    owners: dict[tuple[str, str], int] = {("product", str(product_id)): product_id for product_id in product_ids}
    for some in chunks(product_ids):
        rows = session.exec(select(Claim.id, Claim.product_id).where(col(Claim.product_id).in_(some)))
        owners |= {("claim", str(claim)): product_id or 0 for claim, product_id in rows}
    found: dict[int, datetime] = {}
    for some in chunks({key for _, key in owners}):
        events = select(Event.object_kind, Event.object_id, func.max(Event.at)).where(
            col(Event.object_id).in_(some), *_by_the_seller()
        )
        for kind, key, at in session.exec(events.group_by(Event.object_kind, Event.object_id)):
            if (product_id := owners.get((kind, key))) is not None:
                found[product_id] = max(found.get(product_id, at), at)
    return found


def claims_seen(session: Session, product_ids: Sequence[int]) -> dict[int, datetime]:
    """When a claim about each product was seen last: a product that only claims name is on no page's list."""
    found: dict[int, datetime] = {}
    for some in chunks(product_ids):
        statement = select(Claim.product_id, func.max(Claim.last_seen)).where(col(Claim.product_id).in_(some))
        found |= {product_id or 0: at for product_id, at in session.exec(statement.group_by(col(Claim.product_id)))}
    return found


def find_product(engine: Engine, address: str) -> SoughtProduct:
    """The products that the page at an address offers, by name."""
    sought = find_page(engine, address)
    if sought.page_id is None:
        return SoughtProduct(nearest=sought.nearest)
    with reading(engine) as session:
        statement = select(Product.id, Product.name).join(ProductPlace, col(ProductPlace.product_id) == Product.id)
        rows = session.exec(statement.where(ProductPlace.page_id == sought.page_id).order_by(Product.name)).all()
    return SoughtProduct(tuple(Named(key or 0, name) for key, name in rows), page_known=True)


def pages_offering(engine: Engine, product_id: int) -> tuple[OfferingPage, ...]:
    """The pages that offer a product now, by address."""
    with reading(engine) as session:
        statement = select(Page).join(ProductPlace, col(ProductPlace.page_id) == Page.id)
        rows = session.exec(statement.where(ProductPlace.product_id == product_id).order_by(col(Page.url))).all()
        return tuple(OfferingPage(row.id or 0, row.url, row.title, row.state, row.last_read) for row in rows)


def product_history(engine: Engine, product_id: int) -> tuple[PageEvent, ...]:
    """What happened to a product and to its claims, the newest first."""
    with reading(engine) as session:
        claims = session.exec(select(Claim.id).where(Claim.product_id == product_id)).all()
        rows = [*session.exec(select(Event).where(Event.object_kind == "product", Event.object_id == str(product_id)))]
        for some in chunks(str(claim) for claim in claims):
            rows += session.exec(select(Event).where(Event.object_kind == "claim", col(Event.object_id).in_(some)))
        return tuple(told(event) for event in sorted(rows, key=lambda one: (one.at, one.id or 0), reverse=True))


def fact_values(engine: Engine) -> dict[str, tuple[str, ...]]:
    """The values that products are said to have now, by kind: what a list can be narrowed by."""
    kinds = ("form", "source_material", "route", "country")
    found: dict[str, tuple[str, ...]] = dict.fromkeys(kinds, ())
    with reading(engine) as session:
        statement = select(ProductFact.kind, ProductFact.value).distinct().where(col(ProductFact.current))
        for kind, value in session.exec(statement.where(col(ProductFact.kind).in_(kinds)).order_by(ProductFact.value)):
            found[kind] = (*found[kind], value)
    return found


@cache
def fact_vocabulary() -> Mapping[str, tuple[str, ...]]:
    """Every value that a product can be said to have, by kind; countries apart."""
    from monitor.knowledge import load  # lists of products are mostly asked for without such a value

    words = load().products
    return {kind: tuple(one.value for one in words.of(kind)) for kind in ("form", "source_material", "route")}


def product_hosts(engine: Engine) -> tuple[str, ...]:
    with reading(engine) as session:
        return tuple(session.exec(select(Product.host).distinct().order_by(Product.host)))
