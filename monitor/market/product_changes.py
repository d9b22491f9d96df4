"""What readings of pages do to facts about products: first readings are history, later ones may be changes.

A new or vanished value of form, source material, route or country changes a product: it is told when the second
reading in a row has it so. Names, brands, sellers, prices and doses follow what is read, and are not told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from monitor.history import Chronicle
from monitor.market.product_rows import index_product, product_of
from monitor.products import Fact, ProductReading
from monitor.tables.db import id_of
from monitor.tables.models import Cause, EventKind, Organisation, Page, Product
from monitor.tables.product_facts import ProductFact, ProductPlace

TOLD = ("form", "source_material", "route", "country")
"""Kinds of which a change is told."""
_ENOUGH = 2
_CHUNK = 900
"""Below SQLite's oldest limit of 999 bound values."""
Key = tuple[str, str]


@dataclass(frozen=True)
class ProductsRead:
    """The products of one page, as read well once. `readings` None: the same page as before, not read again."""

    page: Page
    version_id: int
    capture_id: str
    """Where the places of structured data count."""
    readings: Sequence[ProductReading] | None
    seen: datetime
    reader: str


def unsettled_products(session: Session, source_id: str) -> frozenset[int]:
    """Pages of a source with something about a product that waits for its second reading."""
    of_source = col(Page.source_id) == source_id
    waiting = ((col(ProductFact.readings) == 1) & ~col(ProductFact.current)) | (
        (col(ProductFact.lacking) == 1) & col(ProductFact.current)
    )
    facts = select(ProductFact.page_id).join(Page, col(Page.id) == ProductFact.page_id).where(of_source, waiting)
    places = select(ProductPlace.page_id).join(Page, col(Page.id) == ProductPlace.page_id)
    return frozenset([*session.exec(facts), *session.exec(places.where(of_source, ProductPlace.lacking == 1))])


def readers(session: Session, source_id: str) -> dict[int, str]:
    """What read the products of each page of a source last."""
    places = select(ProductPlace.page_id, ProductPlace.reader).join(Page, col(Page.id) == ProductPlace.page_id)
    return dict(session.exec(places.where(Page.source_id == source_id)).all())


def follow_products(
    session: Session, reads: Sequence[ProductsRead], gone: Mapping[int, datetime], chronicle: Chronicle | None
) -> list[str]:
    """Carry readings to facts. Gives the addresses of pages that ask for a second reading.

    `gone`: pages (by id) that are confirmed to be no more. `chronicle` None: our rules changed, and nothing is told.
    """
    follower = _Follower(session, silent=chronicle is None)
    follower.load(reads)
    for read in reads:
        if read.readings is not None:
            follower.take(read, read.readings)
    follower.end_pages(gone)
    _touch(session, [read for read in reads if read.readings is None])
    follower.index()
    if chronicle is not None:
        follower.tell(chronicle)
    return follower.waiting


@dataclass
class _Change:
    """What came and went of one product in this run, with the page that showed it last."""

    page: Page
    seen: datetime
    gained: list[ProductFact] = field(default_factory=list)
    lost: list[ProductFact] = field(default_factory=list)


class _Follower:
    def __init__(self, session: Session, *, silent: bool) -> None:
        self._session = session
        self._silent = silent
        self._changes: dict[int, _Change] = {}
        self._touched: dict[int, tuple[Product, Page]] = {}
        self._products: dict[tuple[str, str], Product] = {}
        self._held: dict[Any, dict[int, list[Any]]] = {}
        self.waiting: list[str] = []

    def load(self, reads: Sequence[ProductsRead]) -> None:
        """What is held of the pages that were read, each page once: pages read twice are looked up in between."""
        counts = Counter(id_of(read.page) for read in reads if read.readings is not None)
        once = [page_id for page_id, count in counts.items() if count == 1]
        tables: tuple[Any, ...] = (ProductPlace, ProductFact)
        for table in tables:
            held = self._held[table] = {page_id: [] for page_id in once}
            for first in range(0, len(once), _CHUNK):
                some = col(table.page_id).in_(once[first : first + _CHUNK])
                for row in self._session.exec(select(table).where(some)):
                    held[row.page_id].append(row)

    def take(self, read: ProductsRead, readings: Sequence[ProductReading]) -> None:
        page_id = id_of(read.page)
        places = {place.product_id: place for place in self._all(ProductPlace, page_id)}
        facts: dict[int, list[ProductFact]] = {}
        for fact in self._all(ProductFact, page_id):
            if fact.current or fact.readings:
                facts.setdefault(fact.product_id, []).append(fact)
        waits = False
        met: set[int] = set()
        for reading in readings:
            product = self._product(read, reading.name)
            key = id_of(product)
            if key in met:
                continue
            met.add(key)
            place = places.get(key)
            silent = self._silent or place is None or place.reader != read.reader
            self._put_place(place, key, read, reading)
            waits |= self._settle(product, read, reading, facts.get(key, []), silent=silent)
        for key, place in places.items():
            if key not in met:
                waits |= self._lacking(place, facts.get(key, []), read)
        if waits:
            self.waiting.append(read.page.url)

    def _product(self, read: ProductsRead, name: str) -> Product:
        key = (read.page.host, name)
        held = self._products.get(key)
        if held is None:
            held = self._products[key] = product_of(self._session, read.page, name, read.seen)
        held.last_seen = max(held.last_seen, read.seen)
        return held

    def _all(self, table: Any, page_id: int) -> Iterable[Any]:
        """Rows of a page: those that were loaded, once."""
        held = self._held.get(table, {}).pop(page_id, None)
        return self._session.exec(select(table).where(table.page_id == page_id)).all() if held is None else held

    def _put_place(self, place: ProductPlace | None, product_id: int, read: ProductsRead, one: ProductReading) -> None:
        start, end = one.stretch or (None, None)
        if place is None:
            place = ProductPlace(
                product_id=product_id,
                page_id=id_of(read.page),
                version_id=read.version_id,
                reader=read.reader,
                start=start,
                end=end,
                last_seen=read.seen,
            )
        else:
            place.version_id, place.reader, place.lacking, place.last_seen = read.version_id, read.reader, 0, read.seen
            place.start, place.end = start, end
        self._session.add(place)

    def _settle(
        self, product: Product, read: ProductsRead, reading: ProductReading, held: list[ProductFact], *, silent: bool
    ) -> bool:
        """One product's facts on one page, beside those that were held. True if something waits."""
        said: dict[Key, Fact] = {}
        for fact in reading.facts:
            said.setdefault(fact.key, fact)
        known = {(fact.kind, fact.value): fact for fact in held}
        waits = changed = False
        for key, row in known.items():
            found = said.get(key)
            before = row.current
            if found is not None:
                self._seen_again(row, found, read, silent=silent)
            else:
                self._not_seen(row, read, silent=silent)
            changed |= row.current != before
            waits |= row.lacking == 1 and row.current
        for key, found in said.items():
            if key not in known:
                row = self._new(id_of(product), found, read, at_once=silent or found.kind not in TOLD)
                changed |= row.current
                waits |= not row.current
        if changed:
            self._touched[id_of(product)] = (product, read.page)
        return waits

    def _new(self, product_id: int, fact: Fact, read: ProductsRead, *, at_once: bool) -> ProductFact:
        row = ProductFact(
            product_id=product_id,
            page_id=id_of(read.page),
            kind=fact.kind,
            value=fact.value,
            quote=fact.quote,
            version_id=read.version_id,
            capture_id=read.capture_id,
            start=fact.start,
            end=fact.end,
            place=fact.place,
            first_seen=read.seen,
            last_seen=read.seen,
            current=at_once,
            readings=_ENOUGH if at_once else 1,
        )
        self._session.add(row)
        return row

    def _show(self, row: ProductFact, fact: Fact, read: ProductsRead) -> None:
        row.quote, row.start, row.end, row.place = fact.quote, fact.start, fact.end, fact.place
        row.version_id, row.capture_id, row.last_seen = read.version_id, read.capture_id, read.seen
        self._session.add(row)

    def _seen_again(self, row: ProductFact, fact: Fact, read: ProductsRead, *, silent: bool) -> None:
        self._show(row, fact, read)
        row.lacking, row.readings = 0, _ENOUGH
        if not row.current:
            row.current = True
            if not silent:
                self._change(row, read).gained.append(row)

    def _not_seen(self, row: ProductFact, read: ProductsRead, *, silent: bool) -> None:
        if not row.current:  # seen once and never again: it was no change
            self._session.delete(row)
            row.readings = 0
            return
        row.lacking += 1
        self._session.add(row)
        if silent or row.kind not in TOLD:
            row.current = False
        elif row.lacking >= _ENOUGH:
            row.current = False
            self._change(row, read).lost.append(row)
        if not row.current:
            row.readings = 0

    def _lacking(self, place: ProductPlace, facts: list[ProductFact], read: ProductsRead) -> bool:
        """A product that a page offered and does not show now: gone from there at the second reading, untold."""
        place.lacking += 1
        if place.lacking < _ENOUGH and not self._silent and place.reader == read.reader:
            self._session.add(place)
            return True
        self._end(place, facts, read.page)
        return False

    def _end(self, place: ProductPlace, facts: Iterable[ProductFact], page: Page) -> None:
        for fact in facts:
            if fact.current or fact.readings:
                fact.current, fact.readings = False, 0
                self._session.add(fact)
        self._touched[place.product_id] = (self._session.get_one(Product, place.product_id), page)
        self._session.delete(place)

    def end_pages(self, gone: Mapping[int, datetime]) -> None:
        """A page that is gone says nothing any more; that is told of the page."""
        for page_id in gone:
            page = self._session.get_one(Page, page_id)
            facts: dict[int, list[ProductFact]] = {}
            for fact in self._all(ProductFact, page_id):
                facts.setdefault(fact.product_id, []).append(fact)
            for place in self._all(ProductPlace, page_id):
                self._end(place, facts.get(place.product_id, []), page)

    def _change(self, row: ProductFact, read: ProductsRead) -> _Change:
        change = self._changes.setdefault(row.product_id, _Change(read.page, read.seen))
        change.page, change.seen = read.page, max(change.seen, read.seen)
        return change

    def index(self) -> None:
        self._session.flush()
        for product, page in self._touched.values():
            index_product(self._session, product, page)

    def tell(self, chronicle: Chronicle) -> None:
        """One event for each product of which something changed, over all pages that offer it."""
        for product_id, change in self._changes.items():
            after = self._values(product_id)
            new = {id_of(row) for row in change.gained}
            before = {kind: set(values) for kind, values in self._values(product_id, without=new).items()}
            for row in change.lost:
                before.setdefault(row.kind, set()).add(row.value)
            changed = {
                kind: {"before": sorted(before.get(kind, ())), "after": sorted(after.get(kind, ()))}
                for kind in TOLD
                if before.get(kind, set()) != after.get(kind, set())
            }
            if changed:
                self._write(chronicle, product_id, change, changed)

    def _values(self, product_id: int, without: Collection[int] = ()) -> dict[str, set[str]]:
        rows = self._session.exec(
            select(ProductFact).where(
                ProductFact.product_id == product_id, ProductFact.current, col(ProductFact.kind).in_(TOLD)
            )
        )
        found: dict[str, set[str]] = {}
        for row in rows:
            if row.id not in without:
                found.setdefault(row.kind, set()).add(row.value)
        return found

    def _write(self, chronicle: Chronicle, product_id: int, change: _Change, changed: dict[str, Any]) -> None:
        product, page = self._session.get_one(Product, product_id), change.page
        owner = self._session.get(Organisation, page.organisation_id) if page.organisation_id else None
        rows = [*change.gained, *change.lost]
        chronicle.write(
            EventKind.PRODUCT_CHANGED,
            Cause.SOURCE,
            object_kind="product",
            object_id=product_id,
            at=change.seen,
            jurisdictions=[one["code"] for one in page.jurisdictions],
            detail={
                "product": product.name,
                "organisation": owner.name if owner else "",
                "host": product.host,
                "page_id": page.id,
                "url": page.url,
                "changed": changed,
                "said": [
                    {"kind": row.kind, "value": row.value, "quote": row.quote, "fact": row.id, "now": row.current}
                    for row in rows
                    if row.kind in changed
                ],
            },
        )


def _touch(session: Session, reads: Sequence[ProductsRead]) -> None:
    """Pages that are as they were: what they say was seen again, written in bulk."""
    seen = {id_of(read.page): read.seen for read in reads}
    if not seen:
        return
    session.flush()
    connection = session.connection()
    rows = [{"key": page_id, "at": at} for page_id, at in sorted(seen.items())]
    key: Any = bindparam("key")
    at: Any = bindparam("at")
    facts = update(ProductFact).where(col(ProductFact.page_id) == key, col(ProductFact.current))
    connection.execute(facts.values(last_seen=at), rows)
    connection.execute(update(ProductPlace).where(col(ProductPlace.page_id) == key).values(last_seen=at), rows)
    latest: dict[int, datetime] = {}
    ids = sorted(seen)
    for first in range(0, len(ids), _CHUNK):
        some = ids[first : first + _CHUNK]
        offered = select(ProductPlace.product_id, ProductPlace.page_id).where(col(ProductPlace.page_id).in_(some))
        for product_id, page_id in session.exec(offered):
            latest[product_id] = max(latest.get(product_id, seen[page_id]), seen[page_id])
    if latest:
        older = update(Product).where(col(Product.id) == key, col(Product.last_seen) < at)
        connection.execute(older.values(last_seen=at), [{"key": one, "at": when} for one, when in latest.items()])
