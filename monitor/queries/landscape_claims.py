"""The landscape's numbers of claims and sellers. Every grouping asks the same table of lives, made once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
)
from sqlmodel import Session, col

from monitor.queries.facts import LEARNED
from monitor.queries.landscape_rows import Asked, ClaimCount, Claims, SellerCount, StepCount, Stretch
from monitor.tables.db import UtcDateTime
from monitor.tables.models import Cause, Claim, Event, EventKind, Finding, Organisation, Page, ReviewState, Run
from monitor.tables.product_facts import ProductFact

UP = (EventKind.CLAIM_APPEARED, EventKind.CLAIM_REAPPEARED, EventKind.CLAIM_FLAGGED)
"""After one of these a claim stands."""
DOWN = (EventKind.CLAIM_WITHDRAWN, EventKind.CLAIM_CLEARED)
"""After one of these it does not."""
_NEW = (EventKind.CLAIM_APPEARED, EventKind.CLAIM_REAPPEARED)

_METADATA = MetaData()
LIFE = Table(
    "landscape_life",
    _METADATA,
    Column("claim_id", Integer, primary_key=True),
    Column("at_start", Boolean, nullable=False),
    Column("at_end", Boolean, nullable=False),
    Column("appeared", Integer, nullable=False),
    Column("withdrawn", Integer, nullable=False),
    Column("gone", Integer, nullable=False),
    Column("first_read", Integer, nullable=False),
    Column("appeared_before", Integer, nullable=False),
    Column("withdrawn_before", Integer, nullable=False),
    Column("first_known", UtcDateTime(), nullable=False),
    Column("baseline", Boolean, nullable=False),
    Column("cleared", Boolean, nullable=False),
    Column("category", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("unreviewed", Boolean, nullable=False),
    Column("product_id", Integer, index=True),
    Column("organisation_id", Integer),
    Column("host", String, nullable=False),
    prefixes=["TEMPORARY"],
)
"""One line a claim that was ever told of: where it stood, what happened to it, and whose it is."""


def within(moment: ColumnElement[Any], stretch: Stretch) -> ColumnElement[bool]:
    return and_(moment >= stretch.start, moment < stretch.end)


@contextmanager
def lives(session: Session, asked: Asked) -> Iterator[int]:
    """Fill the table of lives for as long as it is needed; gives how many claims were left out as dismissed."""
    connection = session.connection()
    # Should anything fail, the transaction is rolled back and the table with it.
    LIFE.create(connection, checkfirst=False)
    session.execute(insert(LIFE).from_select([column.name for column in LIFE.columns], _lives(asked)))
    out = select(col(Claim.id)).where(col(Claim.review_state) == ReviewState.DISMISSED)
    counted = select(func.count()).select_from(LIFE).where(LIFE.c.claim_id.in_(out), LIFE.c.at_end)
    dismissed = session.execute(counted).scalar_one()
    session.execute(delete(LIFE).where(LIFE.c.claim_id.in_(out)))
    yield dismissed
    LIFE.drop(connection, checkfirst=False)


def _number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    """How many lines of a group meet all of these."""
    return func.sum(case((and_(*conditions), 1), else_=0))


def _lives(asked: Asked) -> Select[Any]:
    told = _told(asked).subquery()
    ends = {name: _kind_of(name) for name in ("last_start", "last_end", "last")}
    # Ended without an event of its own: its page vanished, and told of all its claims in one.
    with_page = and_(ends["last"].c.kind.in_(UP), col(Claim.ended_at).is_not(None))

    def stands(name: str, stretch_end: Any) -> ColumnElement[bool]:
        up = func.coalesce(ends[name].c.kind.in_(UP), literal(False))
        return and_(up, ~and_(with_page, col(Claim.ended_at) < stretch_end))

    def left(stretch: Stretch) -> ColumnElement[int]:
        ended = and_(with_page, col(Claim.ended_at) >= stretch.start, col(Claim.ended_at) < stretch.end)
        return case((ended, 1), else_=0)

    statement = (
        select(
            col(Claim.id),
            stands("last_start", asked.now.start),
            stands("last_end", asked.now.end),
            told.c.appeared,
            told.c.withdrawn,
            left(asked.now),
            told.c.first_read,
            told.c.appeared_before,
            told.c.withdrawn_before + left(asked.before),
            told.c.first_known,
            col(Claim.baseline),
            func.coalesce(ends["last_end"].c.kind == EventKind.CLAIM_CLEARED, literal(False)),
            col(Claim.category),
            col(Claim.severity),
            col(Claim.decision) == "flag",
            col(Claim.review_state).in_((ReviewState.UNREVIEWED, ReviewState.REOPENED)),
            col(Claim.product_id),
            col(Page.organisation_id),
            col(Page.host),
        )
        .select_from(told)
        .join(Claim, col(Claim.id) == cast(told.c.object_id, Integer))
        .join(Page, col(Page.id) == col(Claim.page_id))
    )
    for name, end in ends.items():
        statement = statement.join(end, end.c.id == told.c[name], isouter=True)
    if asked.jurisdictions is not None:
        touched = select(col(Finding.claim_id)).where(_ASSESSED, col(Finding.jurisdiction).in_(asked.jurisdictions))
        statement = statement.where(col(Claim.id).in_(touched))
    return statement


_ASSESSED = and_(col(Finding.current).is_(True), col(Finding.assessed).is_(True))


def _kind_of(name: str) -> Any:
    return select(col(Event.id).label("id"), col(Event.kind).label("kind")).subquery(name)


def _told(asked: Asked) -> Select[Any]:
    """What the history tells of each claim, in one line. A later event has a higher id: intake writes them in order."""
    sellers_own = and_(col(Event.cause) == Cause.SOURCE, col(Event.baseline).is_(False))
    new, kind = col(Event.kind).in_(_NEW), col(Event.kind)
    withdrawn = kind == EventKind.CLAIM_WITHDRAWN

    def last(until: Any) -> ColumnElement[Any]:
        return func.max(case((until > LEARNED, col(Event.id))))

    return (
        select(
            col(Event.object_id).label("object_id"),
            last(asked.now.start).label("last_start"),
            last(asked.now.end).label("last_end"),
            func.max(col(Event.id)).label("last"),
            _number(sellers_own, new, within(LEARNED, asked.now)).label("appeared"),
            _number(sellers_own, withdrawn, within(LEARNED, asked.now)).label("withdrawn"),
            _number(new, col(Event.baseline).is_(True), within(LEARNED, asked.now)).label("first_read"),
            _number(sellers_own, new, within(LEARNED, asked.before)).label("appeared_before"),
            _number(sellers_own, withdrawn, within(LEARNED, asked.before)).label("withdrawn_before"),
            func.min(LEARNED).label("first_known"),
        )
        .select_from(Event)
        .join(Run, col(Run.id) == col(Event.run_id), isouter=True)
        .where(col(Event.object_kind) == "claim", kind.in_((*UP, *DOWN)))
        .group_by(col(Event.object_id))
        .having(func.min(LEARNED) < asked.now.end)
    )


def claims(session: Session, asked: Asked) -> Claims:
    """Everything that is counted of claims."""
    with lives(session, asked) as dismissed:
        return Claims(
            by_category=_grouped(session, LIFE.c.category, LIFE.c.severity),
            by_severity=_grouped(session, LIFE.c.severity),
            by_jurisdiction=_by_jurisdiction(session, asked),
            by_material=_by_fact(session, "source_material"),
            by_route=_by_fact(session, "route"),
            steps=_steps(session, asked),
            dismissed=dismissed,
            unreviewed=session.execute(
                select(func.count()).select_from(LIFE).where(LIFE.c.at_end, LIFE.c.unreviewed)
            ).scalar_one(),
            sellers=_sellers(session, asked),
        )


def _measures() -> tuple[ColumnElement[Any], ...]:
    sums = (
        LIFE.c[name] for name in ("appeared", "withdrawn", "gone", "first_read", "appeared_before", "withdrawn_before")
    )
    return (
        func.coalesce(_number(LIFE.c.at_start), 0),
        func.coalesce(_number(LIFE.c.at_end), 0),
        func.coalesce(_number(LIFE.c.at_end, LIFE.c.flagged), 0),
        *(func.coalesce(func.sum(one), 0) for one in sums),
    )


def _counts(session: Session, statement: Select[Any], width: int) -> tuple[ClaimCount, ...]:
    rows = session.execute(statement).all()
    found = [ClaimCount(tuple(str(part or "") for part in row[:width]), *(int(n) for n in row[width:])) for row in rows]
    return tuple(sorted(found, key=lambda one: (-one.end, -one.appeared, one.key)))


def _grouped(session: Session, *by: ColumnElement[Any]) -> tuple[ClaimCount, ...]:
    return _counts(session, select(*by, *_measures()).group_by(*by), len(by))


def _by_jurisdiction(session: Session, asked: Asked) -> tuple[ClaimCount, ...]:
    pairs: Any = select(col(Finding.claim_id).label("key"), col(Finding.jurisdiction).label("value")).where(_ASSESSED)
    if asked.jurisdictions is not None:
        pairs = pairs.where(col(Finding.jurisdiction).in_(asked.jurisdictions))
    return _by_pairs(session, pairs, LIFE.c.claim_id)


def _by_fact(session: Session, kind: str) -> tuple[ClaimCount, ...]:
    pairs: Any = select(col(ProductFact.product_id).label("key"), col(ProductFact.value).label("value"))
    return _by_pairs(
        session, pairs.where(col(ProductFact.kind) == kind, col(ProductFact.current).is_(True)), LIFE.c.product_id
    )


def _by_pairs(session: Session, pairs: Any, key: ColumnElement[Any]) -> tuple[ClaimCount, ...]:
    """Claims by the values that stand beside their key, under each of them; then those that have none."""
    # Two questions: SQLite answers an outer join with a made-up table by looking through all of it for every line.
    each = pairs.distinct().subquery()
    joined = each.join(LIFE, key == each.c.key)
    found = _counts(session, select(each.c.value, *_measures()).select_from(joined).group_by(each.c.value), 1)
    without = or_(key.is_(None), key.not_in(select(pairs.subquery().c.key)))
    rest = _counts(session, select(literal(""), *_measures()).select_from(LIFE).where(without), 1)
    return (*found, *(one for one in rest if any((one.start, one.end, *_changes(one)))))


def _changes(one: ClaimCount) -> tuple[int, ...]:
    now = (one.appeared, one.withdrawn, one.gone, one.first_read)
    return (*now, one.appeared_before, one.withdrawn_before)


def _steps(session: Session, asked: Asked) -> tuple[StepCount, ...]:
    """Claims that appeared and were withdrawn, by part of the period."""
    if not asked.steps:
        return ()
    step = case(*((within(LEARNED, one), number) for number, one in enumerate(asked.steps)), else_=-1)
    kind = case((col(Event.kind) == EventKind.CLAIM_WITHDRAWN, "withdrawn"), else_="appeared")
    each = (
        select(col(Event.object_id).label("claim"), step.label("step"), kind.label("kind"))
        .join(Run, col(Run.id) == col(Event.run_id), isouter=True)
        .where(
            col(Event.object_kind) == "claim",
            col(Event.kind).in_((*_NEW, EventKind.CLAIM_WITHDRAWN)),
            col(Event.cause) == Cause.SOURCE,
            col(Event.baseline).is_(False),
            within(LEARNED, asked.now),
        )
        .subquery()
    )
    # Grouped first: what is left is few, and its keys are those of claims alone.
    told = select(*each.columns, func.count().label("number")).group_by(*each.columns).subquery()
    statement = (
        select(told.c.step, told.c.kind, func.sum(told.c.number))
        .join(LIFE, LIFE.c.claim_id == cast(told.c.claim, Integer))
        .group_by(told.c.step, told.c.kind)
    )
    found = (StepCount(step, kind, int(number)) for step, kind, number in session.execute(statement))
    return tuple(sorted(found, key=lambda one: (one.step, one.kind)))


def _sellers(session: Session, asked: Asked) -> tuple[SellerCount, ...]:
    """Every seller of whom a claim was ever told, by organisation or, where none is known, by host."""
    pages = _pages(session, asked)
    host = case((LIFE.c.organisation_id.is_(None), LIFE.c.host), else_="")
    # The first that was heard of a seller: claims that a first reading brought do not make it new.
    earliest = func.min(LIFE.c.first_known)
    read = func.min(case((LIFE.c.baseline.is_(True), LIFE.c.first_known)))
    statement = (
        select(
            LIFE.c.organisation_id,
            host,
            func.max(col(Organisation.name)),
            _number(LIFE.c.at_start),
            _number(LIFE.c.at_end),
            earliest,
            read,
            _number(LIFE.c.at_start, ~LIFE.c.at_end, LIFE.c.cleared),
        )
        .select_from(LIFE.join(Organisation, col(Organisation.id) == LIFE.c.organisation_id, isouter=True))
        .group_by(LIFE.c.organisation_id, host)
    )
    found = []
    for key, site, name, start, end, known, first_read, cleared in session.execute(statement):
        held, gone = pages.get((key, site), (0, 0))
        found.append(
            SellerCount(
                id=key,
                name=name or site,
                start=int(start),
                end=int(end),
                first_known=known,
                first_read=first_read is not None and first_read <= known,
                pages=held,
                pages_gone=gone,
                by_rules=bool(start) and not end and cleared == start,
            )
        )
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.id or 0)))


def _pages(session: Session, asked: Asked) -> dict[tuple[int | None, str], tuple[int, int]]:
    """Pages of each seller that were held at the end of the period, and how many of them had vanished by then."""
    last = (
        select(col(Event.object_id).label("object_id"), func.max(col(Event.id)).label("id"))
        .join(Run, col(Run.id) == col(Event.run_id), isouter=True)
        .where(
            col(Event.object_kind) == "page",
            col(Event.kind).in_((EventKind.PAGE_GONE, EventKind.PAGE_BACK)),
            asked.now.end > LEARNED,
        )
        .group_by(col(Event.object_id))
        .subquery()
    )
    host = case((col(Page.organisation_id).is_(None), col(Page.host)), else_="")
    gone = case((col(Event.kind) == EventKind.PAGE_GONE, 1), else_=0)
    statement = (
        select(col(Page.organisation_id), host, func.count(), func.sum(gone))
        .select_from(Page)
        .join(last, cast(last.c.object_id, Integer) == col(Page.id), isouter=True)
        .join(Event, col(Event.id) == last.c.id, isouter=True)
        .where(col(Page.first_seen) < asked.now.end)
        .group_by(col(Page.organisation_id), host)
    )
    return {(key, site): (int(held), int(away or 0)) for key, site, held, away in session.execute(statement)}
