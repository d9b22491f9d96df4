"""The products of one run's pages on their way in, and of held pages when our vocabulary changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from monitor.claims import folded_quote, product_named
from monitor.classify import Judgement, judge_document
from monitor.classify.shapes import SELLING_ROLES
from monitor.db import id_of
from monitor.history import Chronicle
from monitor.knowledge import Knowledge
from monitor.models import Page, PageVersion
from monitor.product_changes import ProductsRead, follow_products, readers, unsettled_products
from monitor.products import READER, ProductReading, Told, read_products, read_told
from monitor.products.offering import is_article, is_priced
from monitor.text import Document

Body = Callable[[], tuple[bytes, str]]
"""A capture's decoded body and its content type."""
_TOLD = "told"
"""Key beside a version's blocks: what its capture tells of products, and which capture that is."""
_UNSURE_ROLES = ("unknown", "reagent")
"""Pages of these roles offer products only if their structured data says so."""


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
    told = tuple(Told.from_json(one) for one in version.document.get(_TOLD, {}).get("products", ()))
    return products_on(judgement.document, told, judgement, knowledge, page.url)


def reread_products(
    session: Session, page: Page, version: PageVersion, judgement: Judgement, knowledge: Knowledge
) -> None:
    """Our vocabulary or our rules changed: what held texts say of products is read again. Nothing is told of it."""
    follow_products(session, [_read(page, version, judgement, knowledge, page.last_read)], {}, None)


def _read(page: Page, version: PageVersion, judgement: Judgement, knowledge: Knowledge, seen: datetime) -> ProductsRead:
    readings = offered_on(page, version, judgement, knowledge)
    capture = version.document.get(_TOLD, {}).get("capture", version.capture_id)
    return ProductsRead(page, id_of(version), capture, readings, seen, _reader(version, knowledge))


def _reader(version: PageVersion, knowledge: Knowledge) -> str:
    """What reads a version's products: code, vocabulary, and whether its structured data was kept."""
    return f"{READER}/{knowledge.products.version}{'' if _TOLD in version.document else '/text'}"


def told_by(judgement: Judgement, capture: str, body: Body, part: str) -> dict[str, Any]:
    """What a new version keeps beside its blocks: what its capture tells of products, where it names one of ours."""
    return {_TOLD: _kept(capture, read_told(*body(), part))} if judgement.names_product else {}


def _kept(capture: str, told: Iterable[Told]) -> dict[str, Any]:
    return {"capture": capture, "products": [one.to_json() for one in told]}


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

    def held(
        self, page: Page, version: PageVersion, seen: datetime, *, is_back: bool, capture: tuple[str, Body] | None
    ) -> None:
        """A text that is held. `capture`: its new capture and body, unless the server said that nothing changed."""
        key = id_of(page)
        again = is_back or key in self._unsettled
        if capture is not None and (key in self._readers or _TOLD in version.document):
            again |= self._keep(version, capture[0], read_told(*capture[1](), version.document.get("part", "")))
        if not again and self._readers.get(key, "") in ("", _reader(version, self._knowledge)):
            if key not in self._readers:
                return
            self._reads.append(ProductsRead(page, id_of(version), version.capture_id, None, seen, ""))
            return
        document = Document.from_json(version.text, version.document)
        judgement = judge_document(document, self._knowledge, url=page.url)
        self._reads.append(_read(page, version, judgement, self._knowledge, seen))

    def _keep(self, version: PageVersion, capture: str, told: tuple[Told, ...]) -> bool:
        """Keep what a capture tells of products beside the version. True if it is not what was kept before."""
        kept = _kept(capture, told)
        held = version.document.get(_TOLD)
        if held is not None and held["products"] == kept["products"]:
            return False
        version.document = {**version.document, _TOLD: kept}
        self._session.add(version)
        return True

    def follow(self, gone: Mapping[int, datetime], chronicle: Chronicle) -> list[str]:
        """Gives the addresses of pages that ask for a second reading."""
        return follow_products(self._session, self._reads, gone, chronicle)
