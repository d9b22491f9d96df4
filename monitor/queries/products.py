"""Products with what is said of them, and claims by what their products are said to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, case, exists, func, or_
from sqlmodel import Session, col, select

from monitor.queries.fact_rows import FactCount, FactRow, unstated_of
from monitor.queries.facts import chunks, organisations_named, rehearsal_runs
from monitor.queries.product_lists import changed, changes_of, claims_seen, offered_at
from monitor.queries.reach import STANDING
from monitor.queries.rows import Named
from monitor.tables.db import reading
from monitor.tables.models import Claim, Page, PageVersion, Product
from monitor.tables.product_facts import ProductFact

UNSTATED = "unstated"


@dataclass(frozen=True)
class ProductsAsked:
    """What narrows a list of products; empty is any. A product must meet all of it."""

    site: str = ""
    """An address, a host or a site's id; hosts below the host are meant too."""
    name: str = ""
    """Words of its name or brand, in any order."""
    form: str = ""
    source_material: str = ""
    route: str = ""
    country: str = ""
    claims: bool = False
    """Those with standing claims."""
    flagged: bool = False
    """Those with standing claims that are flagged, not for review alone."""
    changed_since: datetime | None = None
    """Those that the seller changed since: see `product_lists.changed`."""


@dataclass(frozen=True)
class ProductRow:
    """A product with what is said of it now. `claims`, `flagged`: how many stand, and how many of them are flagged."""

    id: int
    name: str
    host: str
    organisation: Named | None
    first_seen: datetime
    last_seen: datetime
    facts: tuple[FactRow, ...]
    claims: int = 0
    flagged: int = 0
    changed_at: datetime | None = None
    """When the seller was last seen to change what it says of it, or its claims. None: not since the first reading."""
    rehearsal: bool = False
    """Read from a rehearsal server, not from the web."""

    def values(self, kind: str) -> tuple[str, ...]:
        return tuple(fact.value for fact in self.facts if fact.kind == kind)

    @property
    def unstated(self) -> tuple[str, ...]:
        return unstated_of(self.facts)


def product_facts(engine: Engine, product_id: int, *, ended: bool = False) -> tuple[FactRow, ...]:
    """What is said of a product, by kind and value. `ended`: with what was said once and is not any more."""
    with reading(engine) as session:
        return facts_of(session, [product_id], ended=ended).get(product_id, ())


def products(
    engine: Engine, asked: ProductsAsked | None = None, *, limit: int | None = None, offset: int = 0
) -> tuple[ProductRow, ...]:
    """Products by name, each with its facts."""
    statement = select(Product).order_by(func.lower(Product.name), col(Product.id)).limit(limit).offset(offset)
    with reading(engine) as session:
        return product_rows(session, session.exec(statement.where(*_conditions(asked))).all())


def count_products(engine: Engine, asked: ProductsAsked | None = None) -> int:
    with reading(engine) as session:
        return session.exec(select(func.count()).select_from(Product).where(*_conditions(asked))).one()


def product_rows(session: Session, found: Sequence[Product]) -> tuple[ProductRow, ...]:
    ids = [one.id or 0 for one in found]
    facts, counts, changes = facts_of(session, ids), _claims_of(session, ids), changes_of(session, ids)
    named = organisations_named(session, (one.organisation_id for one in found))
    rehearsed, seen = rehearsed_products(session, ids), claims_seen(session, ids)
    rows = []
    for one in found:
        claims, flagged = counts.get(one.id or 0, (0, 0))
        rows.append(
            ProductRow(
                id=one.id or 0,
                name=one.name,
                host=one.host,
                organisation=named.get(one.organisation_id or 0),
                first_seen=one.first_seen,
                last_seen=max(one.last_seen, seen.get(one.id or 0, one.last_seen)),
                facts=facts.get(one.id or 0, ()),
                claims=claims,
                flagged=flagged,
                changed_at=changes.get(one.id or 0),
                rehearsal=one.id in rehearsed,
            )
        )
    return tuple(rows)


def _conditions(asked: ProductsAsked | None) -> Iterator[ColumnElement[bool]]:
    if asked is None:
        return
    wanted = {kind: getattr(asked, kind) for kind in ("form", "source_material", "route", "country")}
    yield from (_said(kind, col(ProductFact.value) == value) for kind, value in wanted.items() if value)
    if asked.site:
        yield offered_at(asked.site)
    if asked.name:
        yield from _named(asked.name)
    if asked.claims or asked.flagged:
        flags = (Claim.decision == "flag",) if asked.flagged else ()
        yield exists().where(col(Claim.product_id) == Product.id, col(Claim.state).in_(STANDING), *flags)
    if asked.changed_since:
        yield changed(asked.changed_since)


def _named(name: str) -> Iterator[ColumnElement[bool]]:
    """Products that bear each word of a name, in their own name or as their brand."""
    from monitor.products.stretches import folded_name  # late: it brings all that reads products

    for word in folded_name(name).split():
        yield or_(
            col(Product.folded).contains(word, autoescape=True),
            func.lower(Product.name).contains(word, autoescape=True),
            _said("brand", func.lower(ProductFact.value).contains(word, autoescape=True)),
        )


def _said(kind: str, value: ColumnElement[bool]) -> ColumnElement[bool]:
    of_product = col(ProductFact.product_id) == Product.id
    return exists().where(of_product, col(ProductFact.kind) == kind, value, col(ProductFact.current))


def _claims_of(session: Session, product_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    flags = func.sum(case((col(Claim.decision) == "flag", 1), else_=0))
    for some in chunks(product_ids):
        statement = select(Claim.product_id, func.count(), flags).where(col(Claim.product_id).in_(some))
        rows = session.exec(statement.where(col(Claim.state).in_(STANDING)).group_by(col(Claim.product_id)))
        found |= {product_id or 0: (claims, flagged) for product_id, claims, flagged in rows}
    return found


def rehearsed_products(session: Session, product_ids: Sequence[int]) -> frozenset[int]:
    """Those of which anything was read in a rehearsal."""
    runs = rehearsal_runs(session)
    found: set[int] = set()
    for some in chunks(product_ids) if runs else ():
        for table in (ProductFact, Claim):
            read = select(table.product_id, PageVersion.run_id).join(
                PageVersion, col(PageVersion.id) == table.version_id
            )
            rows = session.exec(read.where(col(table.product_id).in_(some)).distinct())
            found |= {product_id or 0 for product_id, run in rows if run in runs}
    return frozenset(found)


def facts_of(session: Session, product_ids: Sequence[int], *, ended: bool = False) -> dict[int, tuple[FactRow, ...]]:
    """Facts by product: each value once, shown as the page read last has it."""
    from monitor.products import KINDS  # late: it brings all that reads products

    rows: dict[tuple[int, str, str], list[tuple[ProductFact, str]]] = {}
    for some in chunks(product_ids):
        statement = select(ProductFact, Page.url).join(Page, col(Page.id) == ProductFact.page_id)
        statement = statement.where(col(ProductFact.product_id).in_(some))
        said = col(ProductFact.current)
        # a new value that was read once only is not said yet
        statement = statement.where(said | (col(ProductFact.readings) == 0)) if ended else statement.where(said)
        for fact, url in session.exec(statement.order_by(col(ProductFact.id))):
            rows.setdefault((fact.product_id, fact.kind, fact.value), []).append((fact, url))
    found: dict[int, list[FactRow]] = {}
    for (product_id, _, _), said_on in rows.items():
        found.setdefault(product_id, []).append(_fact_row(said_on))
    return {
        product_id: tuple(sorted(facts, key=lambda one: (not one.current, KINDS.index(one.kind), one.value)))
        for product_id, facts in found.items()
    }


def _fact_row(said_on: Sequence[tuple[ProductFact, str]]) -> FactRow:
    current = [pair for pair in said_on if pair[0].current]
    shown, url = max(current or said_on, key=lambda pair: (pair[0].last_seen, -(pair[0].id or 0)))
    return FactRow(
        kind=shown.kind,
        value=shown.value,
        quote=shown.quote,
        page_url=url,
        version_id=shown.version_id,
        capture_id=shown.capture_id,
        start=shown.start,
        end=shown.end,
        place=shown.place,
        pages=len({fact.page_id for fact, _ in current or said_on}),
        first_seen=min(fact.first_seen for fact, _ in said_on),
        last_seen=shown.last_seen,
        current=bool(current),
    )


def claims_by_fact(engine: Engine, kind: str) -> tuple[FactCount, ...]:
    """Standing claims by what their products are said to be, the most first; `unstated` is the last row, if any."""
    standing = col(Claim.state).in_(STANDING)
    of_kind = (col(ProductFact.kind) == kind, col(ProductFact.current))
    claims = func.count(col(Claim.id).distinct())
    sold = func.count(col(Claim.product_id).distinct())
    with reading(engine) as session:
        counted = session.exec(
            select(ProductFact.value, claims, sold)
            .join(Claim, col(Claim.product_id) == ProductFact.product_id)
            .where(standing, *of_kind)
            .group_by(ProductFact.value)
        ).all()
        said = exists().where(col(ProductFact.product_id) == Claim.product_id, *of_kind)
        left, theirs = session.exec(select(claims, sold).where(standing, ~said)).one()
    rows = sorted((FactCount(*row) for row in counted), key=lambda one: (-one.claims, one.value))
    return (*rows, FactCount(UNSTATED, left, theirs)) if left else tuple(rows)
