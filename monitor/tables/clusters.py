"""Wordings that claims of several sites share; `monitor.market.clusters` says which belong together."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column
from sqlmodel import Field, SQLModel

from monitor.tables.models import text_column


class ClusterWording(SQLModel, table=True):
    """A wording that at least one claim has now. `cluster`: the least digest of all that belong together."""

    __tablename__ = "cluster_wording"
    id: int | None = Field(default=None, primary_key=True)
    digest: str = Field(unique=True)
    words: str = Field(sa_column=text_column())
    nameless: str = Field(sa_column=text_column())
    """Its words with the seller's and the product's own names left out."""
    cluster: str = Field(index=True)
    """Empty for a wording that is too short to be in any."""


class ClusterBand(SQLModel, table=True):
    """A key by which wordings that may be near the same find each other."""

    __tablename__ = "cluster_band"
    band: int = Field(sa_column=Column(BigInteger(), primary_key=True, autoincrement=False))
    wording_id: int = Field(foreign_key="cluster_wording.id", primary_key=True, index=True)


class ClaimCluster(SQLModel, table=True):
    """Which wording a claim has now, and by that its cluster."""

    __tablename__ = "claim_cluster"
    claim_id: int = Field(foreign_key="claim.id", primary_key=True)
    wording_id: int = Field(foreign_key="cluster_wording.id", index=True)
