"""Judging asks what is approved where: the registers that were read, handed to it as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlmodel import Session, col, select

from monitor.knowledge import Knowledge
from monitor.knowledge.approvals import Approval, Register, approvals_of
from monitor.tables.models import Source
from monitor.tables.registers import Authorisation

IN_FORCE = ("authorised", "conditional")


def informed(session: Session, knowledge: Knowledge) -> Knowledge:
    """The same knowledge, with what registers show as authorised now."""
    return replace(knowledge, register=Register([*approvals_of(knowledge.law), *approvals(session)]))


def grants(source: Source) -> bool:
    """False for a register of notifications, which nobody examined."""
    return bool(source.card.get("grants", True))


def approvals(session: Session) -> Iterator[Approval]:
    """Every product that an authority's register shows as authorised."""
    granting = {source.id for source in session.exec(select(Source)) if grants(source)}
    statement = select(Authorisation).where(col(Authorisation.status).in_(IN_FORCE)).order_by(col(Authorisation.id))
    for one in session.exec(statement):
        if one.source_id not in granting:
            continue
        yield Approval(
            one.product,
            one.jurisdiction,
            one.number,
            one.authority,
            one.last_seen.date(),
            conditional=one.status == "conditional",
        )
