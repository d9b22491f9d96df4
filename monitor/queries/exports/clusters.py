"""The table of wordings that several sites share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, col, select

from monitor.queries.exports.shapes import Column, Filters, Row, Table, batches, equal
from monitor.queries.reach import STANDING, site_of
from monitor.tables.clusters import ClaimCluster, ClusterWording
from monitor.tables.models import Claim, Organisation, Page

CLUSTERS = (
    Column("cluster", "Its name: claims of the table claims that have it under cluster belong together"),
    Column("quote", "The latest wording of the claim that was seen first"),
    Column("sites", "Number of sites on which the wording stands, or stood", "number"),
    Column("sites_now", "Number of sites on which it stands now", "number"),
    Column("names", "Names of the sites", "list"),
    Column("organisations", "Who is behind their pages, as far as it is known", "list"),
    Column("claims", "Numbers of the claims; their pages are /claims/<number>", "list"),
    Column("categories", "Categories of the claims", "list"),
    Column("first_seen", "When the first of them was first seen", "time"),
    Column("last_seen", "When one of them was last seen", "time"),
)


def _clusters(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = (
        select(ClusterWording.cluster)
        .join(ClaimCluster, col(ClaimCluster.wording_id) == ClusterWording.id)
        .join(Claim, col(Claim.id) == ClaimCluster.claim_id)
        .join(Page, col(Page.id) == Claim.page_id)
        .where(*equal({col(Claim.category): asked.category, col(Claim.source_id): asked.source}))
        .distinct()
    )
    for rows in batches(session, statement, col(ClusterWording.cluster), ""):
        claims = _claims_of(session, [row[0] for row in rows])
        for (cluster,) in rows:
            row = _row(cluster, claims[cluster])
            if row is not None:
                yield row


def _claims_of(session: Session, clusters: Sequence[str]) -> dict[str, list[Any]]:
    """Of each cluster its claims, the first seen first."""
    found: dict[str, list[Any]] = defaultdict(list)
    statement = (
        select(  # type: ignore[call-overload]
            ClusterWording.cluster,
            Claim.id,
            Claim.quote,
            Claim.category,
            Claim.state,
            Page.host,
            Organisation.name,
            Claim.first_seen,
            Claim.last_seen,
        )
        .select_from(Claim)
        .join(ClaimCluster, col(ClaimCluster.claim_id) == Claim.id)
        .join(ClusterWording, col(ClusterWording.id) == ClaimCluster.wording_id)
        .join(Page, col(Page.id) == Claim.page_id)
        .join(Organisation, col(Organisation.id) == Page.organisation_id, isouter=True)
        .where(col(ClusterWording.cluster).in_(clusters))
        .order_by(col(Claim.first_seen), col(Claim.id))
    )
    for cluster, *claim in session.execute(statement):
        found[cluster].append(claim)
    return found


def _row(cluster: str, claims: Sequence[Any]) -> Row | None:
    """None for a wording of one site alone."""
    ids, quotes, categories, states, hosts, firms, first, last = zip(*claims, strict=True)
    sites = [site_of(host) for host in hosts]
    if len(set(sites)) < 2:
        return None
    now = {site for site, state in zip(sites, states, strict=True) if state in STANDING}
    return (
        cluster,
        quotes[0],
        len(set(sites)),
        len(now),
        tuple(sorted(set(sites))),
        tuple(sorted({firm for firm in firms if firm})),
        tuple(map(str, ids)),
        tuple(sorted(set(categories))),
        first[0],
        max(last),
    )


TABLES = (
    Table(
        "clusters",
        "Wordings that sites share",
        "Claims worded nearly the same on two sites or more, and on which.",
        CLUSTERS,
        ("category", "source"),
        _clusters,
    ),
)
