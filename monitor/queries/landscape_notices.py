"""The landscape's numbers of notices, and its new rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, func, literal, select
from sqlmodel import Session, col

from monitor.queries.landscape_rows import Asked, NoticeCount, Notices, Rule, Stretch
from monitor.records import NoticeType
from monitor.tables.models import Notice

RULES = (NoticeType.RULE, NoticeType.GUIDANCE, NoticeType.CONSULTATION)
COUNTED = ("core", "adjacent", "entry")
"""Sorts of notices that figures count; what is on other matters is told in one number."""
DATED: ColumnElement[Any] = func.coalesce(Notice.posted, Notice.issued, type_=Notice.posted.type)  # type: ignore[union-attr]
"""The day that a notice bears: posted or, failing that, issued. When we read it makes no difference."""
UNREAD: ColumnElement[bool] = and_(col(Notice.text) == "", cast(col(Notice.unread), String) != "[]")
"""Its document exists and was not read: what is held is an entry in a list."""
SORT: ColumnElement[str] = case(
    (col(Notice.tier).in_(("core", "adjacent")), col(Notice.tier)), (UNREAD, "entry"), else_="other"
)


def on(day: ColumnElement[Any], stretch: Stretch) -> ColumnElement[bool]:
    return and_(day >= stretch.first, day <= stretch.last)


def numbered(day: ColumnElement[Any], stretches: Sequence[Stretch]) -> ColumnElement[int]:
    """The number of the stretch that a day falls into, -1 for none."""
    if not stretches:
        return literal(-1)
    return case(*((on(day, one), number) for number, one in enumerate(stretches)), else_=-1)


def notices(session: Session, asked: Asked) -> Notices:
    """Notices of the period, of the period before, and of the quarters."""
    here = where(asked, col(Notice.jurisdiction))
    counted = and_(here, SORT.in_(COUNTED))
    begin = asked.quarters[0].first

    def count(*conditions: ColumnElement[bool]) -> int:
        asked_of = select(func.count()).select_from(Notice).where(counted, *conditions)
        return int(session.execute(asked_of).scalar_one())

    return Notices(
        counts=_notice_counts(session, here, (asked.now, asked.before)),
        trend=_notice_counts(session, here, asked.quarters),
        undated=count(DATED.is_(None)),
        entries=count(UNREAD, on(DATED, asked.now)),
        entries_in_trend=count(UNREAD, begin <= DATED, asked.quarters[-1].last >= DATED),
        older=count(begin > DATED),
        oldest=session.execute(select(func.min(DATED)).where(counted)).scalar_one(),
    )


def where(asked: Asked, jurisdiction: Any) -> ColumnElement[bool]:
    return literal(True) if asked.jurisdictions is None else jurisdiction.in_(asked.jurisdictions)


def _notice_counts(
    session: Session, here: ColumnElement[bool], stretches: Sequence[Stretch]
) -> tuple[NoticeCount, ...]:
    number = numbered(DATED, stretches)
    by = (col(Notice.source_id), col(Notice.jurisdiction), col(Notice.notice_type), SORT, number)
    labelled: list[ColumnElement[Any]] = [one.label(f"by_{place}") for place, one in enumerate(by)]
    inner = select(*labelled).where(here, DATED.is_not(None)).subquery()
    statement = select(*inner.columns, func.count()).where(inner.c.by_4 >= 0).group_by(*inner.columns)
    return tuple(NoticeCount(*row) for row in sorted(session.execute(statement)))


def rules(session: Session, asked: Asked) -> tuple[Rule, ...]:
    """Rules, guidance and consultations that bear a day of the period, the newest first."""
    statement = (
        select(
            col(Notice.id),
            col(Notice.notice_type),
            col(Notice.title),
            col(Notice.authority),
            col(Notice.jurisdiction),
            DATED,
            col(Notice.effective),
            col(Notice.comments_close),
            SORT,
        )
        .where(where(asked, col(Notice.jurisdiction)), col(Notice.notice_type).in_(RULES), on(DATED, asked.now))
        .where(SORT.in_(COUNTED))
    )
    found = [Rule(*row) for row in session.execute(statement)]
    return tuple(sorted(found, key=lambda one: (-one.dated.toordinal(), one.id)))
