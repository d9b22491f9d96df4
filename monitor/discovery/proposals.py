"""New sites, proposed with reasons. A person accepts or refuses; a refused site is not proposed again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlalchemy.orm import defer
from sqlmodel import Session, func, select

from monitor import organisations
from monitor.config import Config, Site
from monitor.config.sites import entry_of
from monitor.discovery.screening import publishers
from monitor.knowledge import Knowledge
from monitor.market.claims import folded_quote
from monitor.products.names import own_words
from monitor.records import NoticeType
from monitor.tables.db import reading, transaction
from monitor.tables.leads import Choice, LeadKind, SiteChoice, SiteLead
from monitor.tables.models import Notice, NoticeRevision, Page, Product, Source
from monitor.tables.registers import NoticePlace
from monitor.webname import home_of, host_of, may_be_seller, site_name, site_of

ENOUGH = 2
"""Weight from which a site is proposed. Below it is what one seller links to once, in passing."""
_NAMING = (  # notices that are about someone who sells; guidance and news quote addresses of anybody
    NoticeType.WARNING_LETTER,
    NoticeType.UNTITLED_LETTER,
    NoticeType.ENFORCEMENT_REPORT,
    NoticeType.RECALL,
    NoticeType.ALERT,
    NoticeType.ADVISORY,
    NoticeType.RULING,
    NoticeType.COURT_ACTION,
    NoticeType.IMPORT_ALERT,
)
_START_PAGES = 5


@dataclass(frozen=True)
class Reason:
    """Why a site is proposed: one sentence, the address to look at, how much it weighs."""

    kind: str
    """`notice`, `linked`, `same_product`, `swept` or `captured`."""
    why: str
    url: str
    site_url: str
    """The address of the proposed site that this is about."""
    weight: int


@dataclass(frozen=True)
class Proposal:
    """A site that nobody reads, the weightiest reasons first."""

    site: str
    url: str
    name: str
    reasons: tuple[Reason, ...]

    @property
    def weight(self) -> int:
        return _weight(self.reasons)

    def as_site(self) -> Site:
        """What to put under `sites:` in config.yaml."""
        pages = [one.site_url for one in self.reasons if _is_page_of(one.site_url, self.url)]
        start = list(dict.fromkeys(pages))[:_START_PAGES]
        return Site.model_validate({"url": self.url, "name": self.name, "start": start})

    def entry(self) -> str:
        """That as it is written there."""
        return entry_of(self.as_site())


@dataclass(frozen=True)
class Decided:
    """The decision that holds for a site."""

    site: str
    choice: str
    reason: str
    decided_by: str
    at: datetime
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Discovered:
    """What is proposed; what was accepted and is not in the configuration yet; how much is not shown, and why."""

    proposed: tuple[Proposal, ...]
    accepted: tuple[Proposal, ...]
    weak: tuple[Proposal, ...]
    refused: int


class NoSuchSiteError(Exception):
    """Nothing points to this site. `known`: the sites that something points to."""

    def __init__(self, site: str, known: Iterable[str]) -> None:
        super().__init__(f"nothing points to {site}")
        self.known = tuple(known)


def discover(engine: Engine, config: Config, knowledge: Knowledge) -> Discovered:
    """Every site that something points to and nobody reads, by what a person decided about it."""
    with reading(engine) as session:
        decided = _decided(session)
        found = _proposals(session, config, knowledge)
    by_choice: dict[str, list[Proposal]] = defaultdict(list)
    for proposal in found:
        choice = decided[proposal.site].choice if proposal.site in decided else ""
        by_choice[choice or ("proposed" if proposal.weight >= ENOUGH else "weak")].append(proposal)
    return Discovered(
        tuple(by_choice["proposed"]),
        tuple(by_choice[Choice.ACCEPTED]),
        tuple(by_choice["weak"]),
        len(by_choice[Choice.REFUSED]),
    )


def decide(
    engine: Engine,
    config: Config,
    knowledge: Knowledge,
    site: str,
    choice: Choice,
    *,
    reason: str,
    by: str,
    at: datetime,
) -> Proposal:
    """Keep a person's choice with the reasons as they stand. Raises NoSuchSiteError, and ValueError without a reason.

    `site` may be written as an address.
    """
    if not reason.strip():
        raise ValueError("a choice needs a reason: others will read it")
    with transaction(engine) as session:
        proposals = {one.site: one for one in _proposals(session, config, knowledge)}
        proposal = proposals.get(site_of(site))
        if proposal is None:
            raise NoSuchSiteError(site, proposals)
        shown = [one.why for one in proposal.reasons]
        session.add(
            SiteChoice(site=proposal.site, choice=choice, reason=reason.strip(), decided_by=by, at=at, shown=shown)
        )
    return proposal


def choices(engine: Engine) -> tuple[Decided, ...]:
    """The decision that holds for each site, the latest first."""
    with reading(engine) as session:
        return tuple(sorted(_decided(session).values(), key=lambda one: one.at, reverse=True))


def _decided(session: Session) -> dict[str, Decided]:
    rows = session.exec(select(SiteChoice).order_by(SiteChoice.id))  # type: ignore[arg-type]
    return {
        row.site: Decided(row.site, row.choice, row.reason, row.decided_by, row.at, tuple(row.shown)) for row in rows
    }


def _proposals(session: Session, config: Config, knowledge: Knowledge) -> list[Proposal]:
    known = _known_sites(session, config, knowledge)
    reasons: dict[str, list[Reason]] = defaultdict(list)
    for site, reason in (*_from_notices(session), *_from_leads(session)):
        if site not in known and may_be_seller(site):
            reasons[site].append(reason)
    made = [_proposal(session, site, found) for site, found in reasons.items()]
    return sorted(made, key=lambda one: (-one.weight, one.site))


def _proposal(session: Session, site: str, reasons: list[Reason]) -> Proposal:
    ordered = tuple(sorted(dict.fromkeys(reasons), key=lambda one: (-one.weight, one.kind, one.url)))
    url = home_of(ordered[0].site_url)
    owner = organisations.by_host(session, organisations.host_of(url))
    return Proposal(site, url, owner.name if owner else "", ordered)


def _is_page_of(url: str, home: str) -> bool:
    """True for a page of that host beside its front page, at an address that a configuration may hold."""
    parts = urlsplit(url)
    return (
        host_of(url) == host_of(home)
        and home_of(url) == home
        and "@" not in parts.netloc
        and parts.path not in ("", "/")
    )


def _weight(reasons: Iterable[Reason]) -> int:
    """The heaviest reason of each kind, and of links one for each seller that links."""
    heaviest: dict[str, int] = {}
    for one in reasons:
        kind = f"linked {site_of(one.url)}" if one.kind == LeadKind.LINKED else one.kind
        heaviest[kind] = max(heaviest.get(kind, 0), one.weight)
    return sum(heaviest.values())


def _known_sites(session: Session, config: Config, knowledge: Knowledge) -> set[str]:
    """Sites that are read, that publish, or that are sources themselves."""
    known = {site_of(site.url) for site in config.sites} | publishers(knowledge)
    known |= {site_name(host) for host in session.exec(select(Page.host).distinct())}
    for card in session.exec(select(Source.card)):
        known.add(site_of(str(card.get("start", ""))))
        known.add(site_of(str((card.get("authority") or {}).get("url", ""))))
    return known


def _from_notices(session: Session) -> Iterator[tuple[str, Reason]]:
    """What regulators' notices quote."""
    latest = (
        select(NoticeRevision.notice_id, func.max(NoticeRevision.number).label("number"))
        .group_by(NoticeRevision.notice_id)  # type: ignore[arg-type]
        .subquery()
    )
    statement = (
        select(Notice, NoticeRevision.record["quoted_urls"])
        .join(NoticeRevision, NoticeRevision.notice_id == Notice.id)  # type: ignore[arg-type]
        .join(
            latest,
            (latest.c.notice_id == NoticeRevision.notice_id) & (latest.c.number == NoticeRevision.number),
        )
        .where(Notice.tier.in_(("core", "adjacent")), Notice.notice_type.in_(_NAMING))  # type: ignore[attr-defined]
        .options(defer(Notice.text))  # type: ignore[arg-type]
        .order_by(Notice.id)  # type: ignore[arg-type]
    )
    places = _other_places(session)
    for notice, quoted in session.exec(statement):
        own = list(quoted or ())
        for url in own:
            yield site_of(url), _named_in(notice, url)
        named = {site_of(url) for url in own}
        for place in places.get(notice.id or 0, ()):
            for url in place.record.get("quoted_urls") or ():
                if site_of(url) not in named:
                    yield site_of(url), _named_in(notice, url, place)


def _other_places(session: Session) -> dict[int, list[NoticePlace]]:
    """Other sources' entries of notices, by notice: one may have the letter whole where another has a line of it."""
    found: dict[int, list[NoticePlace]] = defaultdict(list)
    for place in session.exec(select(NoticePlace).order_by(NoticePlace.source_id, NoticePlace.key)):
        found[place.notice_id].append(place)
    return found


def _named_in(notice: Notice, url: str, place: NoticePlace | None = None) -> Reason:
    day = notice.issued or notice.posted
    kind = f"{notice.notice_type.replace('_', ' ')}{f' of {day}' if day else ''}"
    told = f"“{notice.title}” ({kind}, {notice.authority})" + (f", as {place.source_id} has it" if place else "")
    address = url if "://" in url else f"https://{url}"
    weight = 5 if notice.tier == "core" else 3
    return Reason("notice", f"named in {told}", place.url if place else notice.url, address, weight)


def _from_leads(session: Session) -> Iterator[tuple[str, Reason]]:
    products = _products(session)
    for lead in session.exec(select(SiteLead).order_by(SiteLead.id)):  # type: ignore[arg-type]
        yield lead.site, _lead_reason(lead)
        if lead.kind == LeadKind.SWEPT:
            yield from _same_products(lead, products)


def _lead_reason(lead: SiteLead) -> Reason:
    day = f"{lead.seen_at:%Y-%m-%d}"
    if lead.kind == LeadKind.LINKED:
        text = f" as “{lead.detail['text']}”" if lead.detail.get("text") else ""
        why = f"linked from {lead.detail['seller']}{text}, {day}"
        return Reason(lead.kind, why, lead.found_on, lead.url, 2 if lead.strong else 1)
    if lead.kind == LeadKind.SWEPT:
        why = f"a page of it, archived {day}, {'; '.join(lead.detail['why'])}"
        return Reason(lead.kind, why, lead.url, lead.url, 3 if lead.strong else 2)
    return Reason(
        lead.kind,
        f"captured at a telling address by {lead.found_on}, {day}",
        lead.url,
        lead.url,
        2 if lead.strong else 1,
    )


def _products(session: Session) -> dict[str, dict[str, str]]:
    """Distinctive product names of the sites that are read: folded name → site → name as that site writes it."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for product in session.exec(select(Product)):
        if own_words(product.folded):
            found[product.folded].setdefault(site_name(product.host), product.name)
    return found


def _same_products(lead: SiteLead, products: dict[str, dict[str, str]]) -> Iterator[tuple[str, Reason]]:
    names: list[Any] = lead.detail.get("names") or []
    for name in names:
        for site, written in products.get(folded_quote(str(name)), {}).items():
            if site != lead.site:
                why = f"names the product “{name}”, which {site} sells" + (
                    f" as “{written}”" if written != name else ""
                )
                yield lead.site, Reason("same_product", why, lead.url, lead.url, 4)
