"""What comes up: days ahead that regulators' own fields name."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlmodel import Session, col, or_, select

from monitor.queries.then import dates_at, notices_at
from monitor.queries.week_rows import Coming
from monitor.tables.models import Event, Notice, WatchMatch

AHEAD = timedelta(days=60)
"""How far a digest looks ahead: most comment periods are as long."""
TIERS = ("core", "adjacent")


def coming(
    session: Session,
    after: date,
    at: datetime,
    jurisdictions: frozenset[str] | None,
    watchlists: Collection[str] | None,
) -> tuple[Coming, ...]:
    """Days after `after`, and no more than `AHEAD` after it, as they were known at `at`; the nearest first."""
    statement = select(Notice).where(
        or_(col(Notice.comments_close).is_not(None), col(Notice.effective).is_not(None)),
        col(Notice.tier).in_(TIERS),
        Notice.first_seen < at,
    )
    if jurisdictions is not None:
        statement = statement.where(col(Notice.jurisdiction).in_(jurisdictions))
    notices = list(session.exec(statement.order_by(col(Notice.id))))
    if watchlists is not None:
        met = _met(session, watchlists)
        notices = [notice for notice in notices if str(notice.id) in met]
    days, rows = dates_at(session, notices, at), notices_at(session, notices, at)
    found = [
        Coming(kind, on, rows[key])
        for key, named in days.items()
        for kind, on in named.items()
        if after < on <= after + AHEAD
    ]
    return tuple(sorted(found, key=lambda one: (one.on, one.kind, one.notice.id)))


def _met(session: Session, watchlists: Collection[str]) -> set[str]:
    """Notices that any of these watchlists ever met."""
    statement = (
        select(Event.object_id)
        .join(WatchMatch, col(WatchMatch.event_id) == Event.id)
        .where(Event.object_kind == "notice", col(WatchMatch.watchlist).in_(watchlists))
    )
    return set(session.exec(statement))
