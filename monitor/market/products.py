"""The products of one run's pages on their way in, and of held pages when our vocabulary changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session

from monitor.classify import Judgement, judge_document
from monitor.classify.shapes import SELLING_ROLES
from monitor.history import Chronicle
from monitor.knowledge import Knowledge
from monitor.market.claims import folded_quote, product_named
from monitor.market.product_changes import ProductsRead, follow_products, readers, unsettled_products
from monitor.products import READER, ProductReading, Told, read_products, read_told
from monitor.products.offering import is_article, is_priced
from monitor.reading.text import Document
from monitor.tables.db import id_of
from monitor.tables.models import Page, PageVersion

Body = Callable[[], tuple[bytes, str]]
"""A capture's decoded body and its content type."""
TOLD = "told"
"""Key beside a version's blocks: what its capture tells of products, and which capture that is."""
_UNSURE_ROLES = ("unknown", "reagent")
"""Pages of these roles offer products only if their structured data says so."""


class Received(NamedTuple):
    """A new capture of a page: its id, its body, and where in it the page stands (`PageRecord.part`)."""

    capture: str
    body: Body
    part: str


def products_on(
    document: Document, told: tuple[Told, ...], judgement: Judgement, knowledge: Knowledge, url: str = ""
) -> tuple[ProductReading, ...]:
    """The products that a judged page offers. Empty where nobody sells, or no exosome or cell product is named.

    An article offers what its structured data says, and nothing else.
    """
    article = is_article(document, url, knowledge)
    sells = judgement.role in SELLING_ROLES or (judgement.role == "unknown" and is_priced(document))
    selling = sells and not article
    if not judgement.names_product or not (selling or (told and judgement.role in (*SELLING_ROLES, *_UNSURE_ROLES))):
        return ()
    words = {folded_quote(claim.product): claim.product for claim in reversed(judgement.findings) if claim.product}
    return read_products(
        document,
        told,
        knowledge,
        named="" if article else product_named(judgement, url, knowledge),
        words=tuple(words[key] for key in sorted(words)) if selling else (),
        lang=judgement.lang.partition("-")[0],
    )


def stretches_of(readings: Iterable[ProductReading]) -> tuple[tuple[int, int, str], ...]:
    """Which part of the text speaks of which product: start, end, name; the narrowest first."""
    found = [(*one.stretch, one.name) for one in readings if one.stretch]
    return tuple(sorted(found, key=lambda one: (one[1] - one[0], one)))


def offered_on(
    page: Page, version: PageVersion, judgement: Judgement, knowledge: Knowledge
) -> tuple[ProductReading, ...]:
    """The products of a version that is held, under a judgement of its text."""
    told = tuple(Told.from_json(one) for one in version.document.get(TOLD, {}).get("products", ()))
    return products_on(judgement.document, told, judgement, knowledge, page.url)


def reread_products(
    session: Session, page: Page, version: PageVersion, judgement: Judgement, knowledge: Knowledge
) -> None:
    """Our vocabulary or our rules changed: what held texts say of products is read again. Nothing is told of it."""
    follow_products(session, [_read(page, version, judgement, knowledge, page.last_read)], {}, None)


def _read(page: Page, version: PageVersion, judgement: Judgement, knowledge: Knowledge, seen: datetime) -> ProductsRead:
    readings = offered_on(page, version, judgement, knowledge)
    capture = version.document.get(TOLD, {}).get("capture", version.capture_id)
    reader = _reader(knowledge, is_told=TOLD in version.document)
    return ProductsRead(page, id_of(version), capture, readings, seen, reader)


def _reader(knowledge: Knowledge, *, is_told: bool) -> str:
    """What reads a version's products: code, vocabulary, and whether its structured data was kept."""
    return f"{READER}/{knowledge.products.version}{'' if is_told else '/text'}"


def told_by(judgement: Judgement, received: Received) -> dict[str, Any]:
    """What a new version keeps beside its blocks: what its capture tells of products, where it names one of ours."""
    return {TOLD: _kept(received)} if judgement.names_product else {}


def _kept(received: Received) -> dict[str, Any]:
    told = read_told(*received.body(), received.part)
    return {"capture": received.capture, "products": [one.to_json() for one in told]}


class ProductsOfRun:
    """Collects one run's readings, then carries them to the tables."""

    def __init__(self, session: Session, source_id: str, knowledge: Knowledge) -> None:
        self._session = session
        self._knowledge = knowledge
        self._unsettled = unsettled_products(session, source_id)
        self._readers = readers(session, source_id)
        self._reads: list[ProductsRead] = []

    def new(self, page: Page, version: PageVersion, judgement: Judgement, seen: datetime) -> tuple[ProductReading, ...]:
        """A text that was not held before, kept with what `told_by` gave. Gives its products."""
        if not judgement.names_product and id_of(page) not in self._readers:
            return ()
        read = _read(page, version, judgement, self._knowledge, seen)
        self._reads.append(read)
        return tuple(read.readings or ())

    def waits(self, page: Page) -> bool:
        """Does something about a product on this page wait for its second reading?"""
        return id_of(page) in self._unsettled

    def same(self, page: Page, seen: datetime) -> None:
        """A page that is to the byte as it was read last, by the same readers."""
        if id_of(page) in self._readers:
            self._reads.append(ProductsRead(page, page.current_version_id or 0, "", None, seen, ""))

    def held(
        self,
        page: Page,
        version: PageVersion,
        seen: datetime,
        *,
        told: dict[str, Any] | None,
        is_back: bool,
        received: Received | None,
    ) -> None:
        """A text that is held. `told`: what is kept beside it; `received`: None where the server sent nothing new."""
        key = id_of(page)
        again = is_back or key in self._unsettled
        is_told = told is not None
        if received is not None and (key in self._readers or is_told):
            again |= self._keep(version, told, _kept(received))
            is_told = True
        if not again and self._readers.get(key, "") in ("", _reader(self._knowledge, is_told=is_told)):
            if key not in self._readers:
                return
            self._reads.append(ProductsRead(page, id_of(version), version.capture_id, None, seen, ""))
            return
        document = Document.from_json(version.text, version.document)
        judgement = judge_document(document, self._knowledge, url=page.url)
        self._reads.append(_read(page, version, judgement, self._knowledge, seen))

    def _keep(self, version: PageVersion, held: dict[str, Any] | None, kept: dict[str, Any]) -> bool:
        """Keep what a capture tells of products beside the version. True if it is not what was kept before."""
        if held is not None and held["products"] == kept["products"]:
            return False
        version.document = {**version.document, TOLD: kept}
        self._session.add(version)
        return True

    def follow(self, gone: Mapping[int, datetime], chronicle: Chronicle) -> list[str]:
        """Gives the addresses of pages that ask for a second reading."""
        return follow_products(self._session, self._reads, gone, chronicle)
