"""Events as watchlists see them: their text, names, hosts and facts as they were when the event was written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from monitor.organisations import host_of, is_own_host
from monitor.tables.models import (
    Claim,
    Event,
    NoticeOrganisation,
    NoticeRevision,
    OrganisationAlias,
    Page,
    Product,
)
from monitor.tables.registers import RecordRevision

CHUNK = 500
_TOLD = ("quote", "after", "before", "product", "title", "reason")
"""Texts in an event's detail, in the order in which a reason is looked for."""
REGISTERED = ("trial", "publication", "authorisation")
_REGISTERED_TEXTS = ("title", "product", "substance", "indication", "summary", "text", "abstract")


@dataclass(frozen=True)
class Passage:
    """A piece of an event's text. `place` tells which: quote, before, title, summary, text, organisation …"""

    place: str
    text: str


@dataclass(frozen=True)
class EventView:
    """An event as matching sees it."""

    id: int
    kind: str
    at: datetime
    jurisdictions: frozenset[str] = frozenset()
    severity: str = ""
    category: str = ""
    passages: tuple[Passage, ...] = ()
    names: tuple[str, ...] = ()
    """The organisation by every name it has."""
    hosts: tuple[str, ...] = ()
    baseline: bool = False

    @property
    def headline(self) -> str:
        """What the event is about, in its own words."""
        return self.passages[0].text if self.passages else self.kind


@dataclass(frozen=True)
class _Facts:
    """What stands in the tables about the objects of some events."""

    claims: dict[str, tuple[Claim, Page, str]]
    pages: dict[str, Page]
    revisions: dict[str, list[NoticeRevision]]
    notice_organisations: dict[str, list[int]]
    aliases: dict[int, dict[str, list[str]]]
    registered: dict[tuple[str, str], list[RecordRevision]]
    """Versions of trials, publications and authorisations, by kind and id."""


def views(session: Session, events: Sequence[Event]) -> list[EventView]:
    """The events, in order, ready to be matched."""
    seen: list[EventView] = []
    for start in range(0, len(events), CHUNK):
        some = events[start : start + CHUNK]
        facts = _load(session, some)
        seen += [_view(event, facts) for event in some]
    return seen


def _load(session: Session, events: Sequence[Event]) -> _Facts:
    ids: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if event.object_id.isdigit():
            ids[event.object_kind].add(int(event.object_id))
    claims = _claims(session, ids["claim"])
    pages = {str(page.id): page for page in session.exec(select(Page).where(col(Page.id).in_(ids["page"])))}
    revisions: dict[str, list[NoticeRevision]] = defaultdict(list)
    statement = select(NoticeRevision).where(col(NoticeRevision.notice_id).in_(ids["notice"]))
    for revision in session.exec(statement.order_by(col(NoticeRevision.number))):
        revisions[str(revision.notice_id)].append(revision)
    named: dict[str, list[int]] = defaultdict(list)
    links = select(NoticeOrganisation).where(col(NoticeOrganisation.notice_id).in_(ids["notice"]))
    for link in session.exec(links.order_by(col(NoticeOrganisation.organisation_id))):
        named[str(link.notice_id)].append(link.organisation_id)
    owners = {organisation for some in named.values() for organisation in some}
    owners |= {page.organisation_id for page in pages.values() if page.organisation_id}
    owners |= {page.organisation_id for _, page, _ in claims.values() if page.organisation_id}
    return _Facts(claims, pages, revisions, named, _aliases(session, owners), _registered(session, ids))


def _registered(session: Session, ids: dict[str, set[int]]) -> dict[tuple[str, str], list[RecordRevision]]:
    found: dict[tuple[str, str], list[RecordRevision]] = defaultdict(list)
    for kind in REGISTERED:
        statement = select(RecordRevision).where(
            RecordRevision.object_kind == kind, col(RecordRevision.object_id).in_(ids[kind])
        )
        for revision in session.exec(statement.order_by(col(RecordRevision.id))):
            found[kind, str(revision.object_id)].append(revision)
    return found


def _claims(session: Session, ids: Iterable[int]) -> dict[str, tuple[Claim, Page, str]]:
    statement = (
        select(Claim, Page, Product.name)
        .join(Page, col(Page.id) == Claim.page_id)
        .join(Product, col(Product.id) == Claim.product_id, isouter=True)
        .where(col(Claim.id).in_(list(ids)))
    )
    return {str(claim.id): (claim, page, product or "") for claim, page, product in session.exec(statement)}


def _aliases(session: Session, organisations: Iterable[int]) -> dict[int, dict[str, list[str]]]:
    aliases: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    wanted = list(organisations)
    for start in range(0, len(wanted), CHUNK):
        statement = select(OrganisationAlias).where(
            col(OrganisationAlias.organisation_id).in_(wanted[start : start + CHUNK]),
            col(OrganisationAlias.kind).in_(("name", "host")),
        )
        for alias in session.exec(statement.order_by(col(OrganisationAlias.id))):
            aliases[alias.organisation_id][alias.kind].append(alias.value)
    return aliases


def _view(event: Event, facts: _Facts) -> EventView:
    passages = [Passage(place, text) for place in _TOLD if isinstance(text := event.detail.get(place), str) and text]
    passages += [Passage("claim", text) for text in _texts(event.detail.get("claims"))]
    said = event.detail.get("said")
    passages += [Passage("fact", text) for one in said or () for text in _texts(one.get("quote"))]
    names: list[str] = [*_texts(event.detail.get("organisation")), *_texts(event.detail.get("organisations"))]
    hosts: list[str] = _texts(event.detail.get("host"))
    category = str(event.detail.get("category") or "")
    owners: list[int | None] = []
    if event.object_kind == "claim" and event.object_id in facts.claims:
        claim, page, product = facts.claims[event.object_id]
        passages += [Passage("product", product)] if product and not event.detail.get("product") else []
        passages = passages or [Passage("quote", claim.quote)]
        category = category or claim.category
        owners.append(page.organisation_id)
        hosts.append(page.host)
    elif event.object_kind == "page" and event.object_id in facts.pages:
        owners.append(facts.pages[event.object_id].organisation_id)
        hosts.append(facts.pages[event.object_id].host)
    elif event.object_kind == "notice":
        owners += facts.notice_organisations.get(event.object_id, [])
        record = _as_of(facts.revisions.get(event.object_id, []), event.at)
        passages = _notice_passages(record) or passages
        names += [str(each.get("name", "")) for each in record.get("organisations", [])]
        hosts += [host for url in _texts(record.get("quoted_urls")) if is_own_host(host := _host(url))]
    elif event.object_kind in REGISTERED:
        versions = facts.registered.get((event.object_kind, event.object_id), [])
        passages = _registered_passages(_as_of(versions, event.at)) or passages
    for owner in owners:
        if owner in facts.aliases:
            names += facts.aliases[owner]["name"]
            hosts += facts.aliases[owner]["host"]
    return EventView(
        id=event.id or 0,
        kind=event.kind,
        at=event.at,
        jurisdictions=frozenset(event.jurisdictions),
        severity=event.severity,
        category=category,
        passages=tuple(passages),
        names=tuple(dict.fromkeys(name for name in names if name)),
        hosts=tuple(dict.fromkeys(host for host in hosts if host)),
        baseline=event.baseline,
    )


def _notice_passages(record: dict[str, Any]) -> list[Passage]:
    passages = [Passage(place, str(record.get(place) or "")) for place in ("title", "summary", "text")]
    passages += [Passage("product", product) for product in _texts(record.get("products"))]
    return [passage for passage in passages if passage.text]


def _registered_passages(record: dict[str, Any]) -> list[Passage]:
    passages = [Passage(place, str(record.get(place) or "")) for place in _REGISTERED_TEXTS]
    passages += [Passage(one, text) for one in ("interventions", "conditions") for text in _texts(record.get(one))]
    return [passage for passage in passages if passage.text]


def _as_of(revisions: Sequence[NoticeRevision | RecordRevision], at: datetime) -> dict[str, Any]:
    """The notice as it was then: a later revision must not change what an earlier event is found by."""
    then = [revision for revision in revisions if revision.seen_at <= at]
    found = (then or list(revisions[:1]))[-1:]
    return found[0].record if found else {}


def _host(url: str) -> str:
    try:
        return host_of(url)
    except ValueError:  # a letter may quote an address that is none
        return ""


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [text for text in value if isinstance(text, str) and text] if isinstance(value, list) else []
