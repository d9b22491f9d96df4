"""Provisions of the law table, as pages show them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache

from pydantic import BaseModel, ConfigDict

from monitor.knowledge import load


class Provision(BaseModel):
    """A provision that a finding touches. `status` says whether somebody read it at its source."""

    model_config = ConfigDict(frozen=True)

    id: str
    jurisdiction: str = ""
    instrument: str = ""
    provision: str = ""
    summary: str = ""
    url: str = ""
    read_on: date | None = None
    status: str = "unknown"
    signed_by: str = ""
    """Who answers for the row; empty: nobody yet."""

    @property
    def title(self) -> str:
        return ", ".join(part for part in (self.instrument, self.provision) if part) or self.id

    @property
    def remark(self) -> str:
        """What a reader must know before resting on it; empty for a verified one."""
        return {
            "verified": "",
            "partly": "read in part only",
            "unverified": "unverified",
        }.get(self.status, "not in the law table")


Law = Callable[[str], Provision]
"""Gives the provision of an id; for an id that the table lacks, one that says so."""


def law_of_knowledge() -> Law:
    """The law table that ships with the monitor."""
    table = load().law

    @cache
    def provision(provision_id: str) -> Provision:
        found = table.provisions.get(provision_id)
        if found is None:
            return Provision(id=provision_id)
        return Provision(
            id=found.id,
            jurisdiction=found.jurisdiction,
            instrument=found.instrument,
            provision=found.provision,
            summary=found.summary,
            url=found.source.url if found.source else "",
            read_on=found.read_on,
            status=found.status,
            signed_by=found.signed_by or "",
        )

    return provision
