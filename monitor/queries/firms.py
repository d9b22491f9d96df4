"""Organisations by name: whoever searches a firm wants the firm before its hundred claims."""

from __future__ import annotations

from sqlalchemy import Engine, exists
from sqlmodel import Session, and_, col, or_, select

from monitor.organisations import fold_name
from monitor.queries.rows import Named
from monitor.tables.db import reading
from monitor.tables.models import Organisation, OrganisationAlias

_ALIASES = ("folded", "host")


def firms(engine: Engine, query: str, limit: int = 5) -> tuple[Named, ...]:
    """Organisations of whose names or hosts one has every word of the query, the shortest name first."""
    words = fold_name(query.replace("*", " ")).split()
    if not words:
        return ()
    with reading(engine) as session:
        return _named(session, words, limit)


def _named(session: Session, words: list[str], limit: int) -> tuple[Named, ...]:
    alias = exists().where(
        col(OrganisationAlias.organisation_id) == Organisation.id,
        col(OrganisationAlias.kind).in_(_ALIASES),
        *(col(OrganisationAlias.value).contains(word, autoescape=True) for word in words),
    )
    called = and_(*(col(Organisation.folded).contains(word, autoescape=True) for word in words))
    found = session.exec(select(Organisation).where(or_(called, alias))).all()
    return tuple(
        Named(one.id or 0, one.name) for one in sorted(found, key=lambda one: (len(one.name), one.name))[:limit]
    )
