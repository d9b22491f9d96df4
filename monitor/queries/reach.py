"""On how many sites the same wording stands, and on which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, and_, or_
from sqlmodel import Session, col, select

from monitor.lives import ClaimState
from monitor.queries.facts import chunks, organisations_named
from monitor.queries.rows import Named
from monitor.tables.clusters import ClaimCluster, ClusterWording
from monitor.tables.db import reading
from monitor.tables.models import Claim, Page
from monitor.webname import site_name

STANDING = (ClaimState.LIVE, ClaimState.MISSING, ClaimState.REWORDING)


@dataclass(frozen=True)
class Alike:
    """A claim whose wording is near the same as another's, on another site."""

    claim_id: int
    site: str
    quote: str
    state: str
    organisation: Named | None
    page_url: str
    first_seen: datetime
    last_seen: datetime


def reach(engine: Engine, claim_ids: Iterable[int]) -> dict[int, int]:
    """For each claim, the number of sites on which its wording stands now, its own always counted: 1 or more."""
    with reading(engine) as session:
        return {claim: len(sites) for claim, sites in sites_of(session, claim_ids).items()}


def sites_of(session: Session, claim_ids: Iterable[int], at: datetime | None = None) -> dict[int, frozenset[str]]:
    """For each claim, the sites on which its wording stands now, or stood at a moment, and its own."""
    if not (wanted := set(claim_ids)):
        return {}
    own: dict[int, str] = {}
    clusters: dict[int, str] = {}
    for some in chunks(wanted):
        hosts = select(Claim.id, Page.host).join(Page, col(Page.id) == Claim.page_id).where(col(Claim.id).in_(some))
        own |= {claim or 0: site_of(host) for claim, host in session.exec(hosts)}
        grouped = (
            select(ClaimCluster.claim_id, ClusterWording.cluster)
            .join(ClusterWording, col(ClusterWording.id) == ClaimCluster.wording_id)
            .where(col(ClaimCluster.claim_id).in_(some), ClusterWording.cluster != "")
        )
        clusters |= dict(session.exec(grouped).all())
    standing = _standing_sites(session, clusters.values(), at)
    return {
        claim: frozenset({site}) | standing.get(clusters.get(claim, ""), frozenset()) for claim, site in own.items()
    }


def _standing_sites(session: Session, clusters: Iterable[str], at: datetime | None = None) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for some in chunks(clusters):
        statement = (
            select(ClusterWording.cluster, Page.host)
            .join(ClaimCluster, col(ClaimCluster.wording_id) == ClusterWording.id)
            .join(Claim, col(Claim.id) == ClaimCluster.claim_id)
            .join(Page, col(Page.id) == Claim.page_id)
            .where(col(ClusterWording.cluster).in_(some), stood_at(at))
            .distinct()
        )
        for cluster, host in session.exec(statement):
            found[cluster].add(site_of(host))
    return {cluster: frozenset(sites) for cluster, sites in found.items()}


def stood_at(at: datetime | None) -> ColumnElement[bool]:
    """Claims that stand now, or that stood at a moment."""
    if at is None:
        return col(Claim.state).in_(STANDING)
    return and_(col(Claim.first_seen) < at, or_(col(Claim.ended_at).is_(None), col(Claim.ended_at) >= at))


def cluster_of(engine: Engine, claim_id: int) -> tuple[Alike, ...]:
    """Claims of other sites with near the same wording: those that stand now before others, then by site."""
    with reading(engine) as session:
        cluster = session.exec(
            select(ClusterWording.cluster)
            .join(ClaimCluster, col(ClaimCluster.wording_id) == ClusterWording.id)
            .where(ClaimCluster.claim_id == claim_id)
        ).first()
        own = session.exec(
            select(Page.host).join(Claim, col(Claim.page_id) == Page.id).where(Claim.id == claim_id)
        ).first()
        if not cluster or own is None:
            return ()
        rows = session.exec(
            select(Claim, Page)
            .join(ClaimCluster, col(ClaimCluster.claim_id) == Claim.id)
            .join(ClusterWording, col(ClusterWording.id) == ClaimCluster.wording_id)
            .join(Page, col(Page.id) == Claim.page_id)
            .where(ClusterWording.cluster == cluster, Claim.id != claim_id)
        ).all()
        named = organisations_named(session, (page.organisation_id for _, page in rows))
        found = [_alike(claim, page, named) for claim, page in rows if site_of(page.host) != site_of(own)]
        return tuple(sorted(found, key=lambda one: (one.state not in STANDING, one.site, one.claim_id)))


def _alike(claim: Claim, page: Page, named: dict[int, Named]) -> Alike:
    return Alike(
        claim_id=claim.id or 0,
        site=site_of(page.host),
        quote=claim.quote,
        state=claim.state,
        organisation=named.get(page.organisation_id or 0),
        page_url=page.url,
        first_seen=claim.first_seen,
        last_seen=claim.last_seen,
    )


def site_of(host: str) -> str:
    """The site that a host belongs to: its registered name, or the host itself."""
    return site_name(host) or host
