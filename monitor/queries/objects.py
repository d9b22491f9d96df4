"""One claim, product, notice or organisation, with all that belongs to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor.queries.facts import (
    claim_rows,
    events_of,
    evidence,
    in_order,
    notice_rows,
    notices_naming,
    organisations_named,
)
from monitor.queries.product_lists import claims_seen
from monitor.queries.products import facts_of, rehearsed_products
from monitor.queries.rows import (
    Alias,
    ClaimPage,
    ClaimRow,
    Context,
    Dropped,
    Named,
    NoticePage,
    NoticeRevisionRow,
    OrganisationPage,
    Place,
    ProductPage,
    Seller,
    Wording,
)
from monitor.queries.week_notices import changed_fields
from monitor.reading.text import Block, Document
from monitor.tables.db import reading
from monitor.tables.models import (
    Claim,
    ClaimRevision,
    Notice,
    NoticeOrganisation,
    NoticeRevision,
    Organisation,
    OrganisationAlias,
    Page,
    PageVersion,
    Product,
)
from monitor.tables.registers import NoticePlace

AROUND = 400
"""Most characters of a page shown on each side of a quote."""
_FRAME = frozenset({"nav", "footer", "title", "meta"})
"""Kinds of block that are no context of what stands beside them."""


def claim(engine: Engine, claim_id: int) -> ClaimPage | None:
    """Everything about one claim; None if there is none of that id."""
    with reading(engine) as session:
        row = claim_rows(session, [claim_id]).get(claim_id)
        stored = session.get(Claim, claim_id)
        if row is None or stored is None:
            return None
        version = session.get_one(PageVersion, stored.version_id)
        page = session.get_one(Page, stored.page_id)
        wordings = session.exec(
            select(ClaimRevision, PageVersion.capture_id)
            .join(PageVersion, col(PageVersion.id) == ClaimRevision.version_id)
            .where(ClaimRevision.claim_id == claim_id)
            .order_by(col(ClaimRevision.number))
        ).all()
        return ClaimPage(
            claim=row,
            context=_context(stored, version),
            wordings=tuple(Wording(w.number, w.quote, w.seen_at, capture) for w, capture in wordings),
            history=events_of(session, "claim", claim_id),
            evidence=evidence(session, version.capture_id),
            dropped=tuple(
                Dropped(*(str(each.get(key, "")) for key in ("quote", "status", "category", "why")))
                for each in version.dropped
            ),
            page_role=page.role,
            addressed=tuple((str(each.get("code", "")), str(each.get("why", ""))) for each in page.jurisdictions),
            notices=notices_naming(session, row.organisation.id if row.organisation else None),
        )


def claims(engine: Engine, ids: Sequence[int]) -> dict[int, ClaimRow]:
    """Claims by id, as they stand now."""
    with reading(engine) as session:
        return claim_rows(session, ids)


def read_in_rehearsal(engine: Engine, *, notices: Sequence[int] = (), products: Sequence[int] = ()) -> bool:
    """True if any of these was read from a rehearsal server, not from the web."""
    with reading(engine) as session:
        stored = session.exec(select(Notice).where(col(Notice.id).in_(notices))).all() if notices else []
        return any(row.rehearsal for row in notice_rows(session, stored).values()) or bool(
            rehearsed_products(session, products)
        )


def _context(claim: Claim, version: PageVersion) -> Context:
    text, start, end = version.text, claim.start, claim.end
    first, last = _stretch(Document.from_json(text, version.document), start, end)
    before = text[max(first, start - AROUND) : start]
    after = text[end : min(last, end + AROUND)]
    if start - AROUND > first:
        before = before.partition(" ")[2]
    if end + AROUND < last:
        after = after.rpartition(" ")[0]
    holds = text[start:end] == claim.quote
    quote, first, last = text[start:end], claim.words_start, claim.words_end
    words = (quote[:first], quote[first:last], quote[last:])
    return Context(before, quote, after, start, end, version.text_sha256, holds, words)


def _stretch(document: Document, start: int, end: int) -> tuple[int, int]:
    """The blocks that hold a quote, with their neighbours under the same heading; menus are left out."""
    blocks = document.blocks
    held = [number for number, block in enumerate(blocks) if block.start < end and start < block.end]
    if not held:
        return start, end
    first, last = held[0], held[-1]
    while first and _beside(blocks[first - 1], blocks[held[0]]) and start - blocks[first - 1].start <= AROUND:
        first -= 1
    while (
        last + 1 < len(blocks) and _beside(blocks[last + 1], blocks[held[-1]]) and blocks[last + 1].end - end <= AROUND
    ):
        last += 1
    return blocks[first].start, blocks[last].end


def _beside(block: Block, holding: Block) -> bool:
    return bool(holding.heading_path) and block.heading_path == holding.heading_path and block.kind not in _FRAME


def product(engine: Engine, product_id: int) -> ProductPage | None:
    """A product with its claims; None if there is none of that id."""
    with reading(engine) as session:
        stored = session.get(Product, product_id)
        if stored is None:
            return None
        claims = claim_rows(session, select(Claim.id).where(Claim.product_id == product_id))  # type: ignore[arg-type]
        owner = organisations_named(session, [stored.organisation_id]).get(stored.organisation_id or 0)
        owner = owner or next((claim.organisation for claim in claims.values() if claim.organisation), None)
        return ProductPage(
            id=product_id,
            name=stored.name,
            host=stored.host,
            organisation=owner,
            first_seen=stored.first_seen,
            last_seen=max([stored.last_seen, *claims_seen(session, [product_id]).values()]),
            claims=in_order(claims.values()),
            notices=notices_naming(session, owner.id if owner else None),
            rehearsal=product_id in rehearsed_products(session, [product_id]),
            facts=facts_of(session, [product_id], ended=True).get(product_id, ()),
        )


def organisation(engine: Engine, organisation_id: int) -> OrganisationPage | None:
    """A firm with its products, claims and notices; None if there is none of that id."""
    with reading(engine) as session:
        stored = session.get(Organisation, organisation_id)
        if stored is None:
            return None
        aliases = session.exec(
            select(OrganisationAlias)
            # how a name is compared is nothing that anyone is called
            .where(OrganisationAlias.organisation_id == organisation_id, OrganisationAlias.kind != "folded")
            .order_by(col(OrganisationAlias.kind), col(OrganisationAlias.value))
        ).all()
        products = session.exec(
            select(Product).where(Product.organisation_id == organisation_id).order_by(col(Product.name))
        ).all()
        claims = claim_rows(
            session,
            select(Claim.id)  # type: ignore[arg-type]
            .join(Page, col(Page.id) == Claim.page_id)
            .join(Product, col(Product.id) == Claim.product_id, isouter=True)
            .where((col(Page.organisation_id) == organisation_id) | (col(Product.organisation_id) == organisation_id)),
        )
        notices = notices_naming(session, organisation_id)
        return OrganisationPage(
            id=organisation_id,
            name=stored.name,
            country=stored.country,
            first_seen=stored.first_seen,
            aliases=tuple(Alias(alias.kind, alias.value, alias.basis) for alias in aliases),
            products=tuple(Named(each.id or 0, each.name) for each in products),
            claims=in_order(claims.values()),
            notices=notices,
            rehearsal=any(row.rehearsal for row in claims.values()) or any(row.rehearsal for row in notices),
        )


def notice(engine: Engine, notice_id: int) -> NoticePage | None:
    """Everything about one notice; None if there is none of that id."""
    with reading(engine) as session:
        stored = session.get(Notice, notice_id)
        if stored is None:
            return None
        revisions = session.exec(
            select(NoticeRevision).where(NoticeRevision.notice_id == notice_id).order_by(col(NoticeRevision.number))
        ).all()
        record: Mapping[str, Any] = revisions[-1].record if revisions else {}
        roles = session.exec(select(NoticeOrganisation).where(NoticeOrganisation.notice_id == notice_id)).all()
        places = session.exec(
            select(NoticePlace).where(NoticePlace.notice_id == notice_id).order_by(NoticePlace.source_id)
        ).all()
        quoted = [url for said in (record, *(one.record for one in places)) for url in said.get("quoted_urls") or ()]
        return NoticePage(
            notice=notice_rows(session, [stored])[notice_id],
            text=stored.text,
            marks=_marks(stored),
            references=tuple(record.get("references") or ()),
            products=tuple(record.get("products") or ()),
            status=str(record.get("status") or ""),
            classification=str(record.get("classification") or ""),
            roles={link.organisation_id: link.role for link in roles},
            revisions=_revision_rows(list(revisions)),
            sellers=_sellers(session, tuple(dict.fromkeys(quoted))),
            history=events_of(session, "notice", notice_id),
            evidence=evidence(session, stored.capture_id),
            places=tuple(Place(place.source_id, place.url, place.why, place.first_seen) for place in places),
        )


def _marks(notice: Notice) -> tuple[tuple[int, int], ...]:
    """Where in its text the words stand that put the notice in its tier: none overlapping, none outside."""
    spans = sorted(
        (int(term["start"]), int(term["end"]))
        for term in notice.tier_terms
        if term.get("in") == "text" and {"start", "end"} <= term.keys()
    )
    kept: list[tuple[int, int]] = []
    for start, end in spans:
        if 0 <= start < end <= len(notice.text) and (not kept or start >= kept[-1][1]):
            kept.append((start, end))
    return tuple(kept)


def _revision_rows(revisions: list[NoticeRevision]) -> tuple[NoticeRevisionRow, ...]:
    earlier: list[NoticeRevision | None] = [None, *revisions]
    return tuple(
        NoticeRevisionRow(
            number=revision.number,
            seen_at=revision.seen_at,
            capture_id=revision.capture_id,
            changed=changed_fields(before.record, revision.record) if before else (),
        )
        for before, revision in zip(earlier, revisions, strict=False)
    )


def _sellers(session: Session, urls: tuple[str, ...]) -> tuple[Seller, ...]:
    """Hosts that a notice quotes, each with its organisation if we read or know it."""
    by_host: dict[str, list[str]] = defaultdict(list)
    for url in urls:
        if host := _host(url):
            by_host[host].append(url)
    named_host = [*by_host, *(f"www.{host}" for host in by_host)]
    owners: dict[str, int] = {}
    for host, owner in session.exec(select(Page.host, Page.organisation_id).where(col(Page.host).in_(named_host))):
        if owner is not None:
            owners[host.removeprefix("www.")] = owner
    aliases = session.exec(
        select(OrganisationAlias.value, OrganisationAlias.organisation_id).where(
            OrganisationAlias.kind == "host", col(OrganisationAlias.value).in_(named_host)
        )
    )
    owners |= {host.removeprefix("www."): owner for host, owner in aliases}
    named = organisations_named(session, owners.values())
    return tuple(Seller(host, tuple(found), named.get(owners.get(host, 0))) for host, found in by_host.items())


def _host(url: str) -> str:
    try:
        return (urlsplit(url if "//" in url else f"//{url}").hostname or "").removeprefix("www.")
    except ValueError:  # regulators quote addresses that never were ones
        return ""
