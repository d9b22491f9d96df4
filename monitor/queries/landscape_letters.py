"""From letter to withdrawal: what became of the claims that stood when a firm was written to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from monitor.queries.facts import LEARNED, chunks
from monitor.queries.landscape_claims import DOWN, UP
from monitor.queries.landscape_notices import COUNTED, SORT
from monitor.queries.landscape_rows import Asked, Letters, LetterTime
from monitor.records import NoticeType
from monitor.tables.models import Claim, Event, EventKind, Notice, NoticeOrganisation, Page, ReviewState, Run

LETTERS = (NoticeType.WARNING_LETTER, NoticeType.UNTITLED_LETTER)


class _Letter(NamedTuple):
    notice_id: int
    firm_id: int
    issued: date


class _Standing(NamedTuple):
    """One claim of a firm, as known at the end of the period."""

    claim_id: int
    firm_id: int
    first_seen: date
    last_seen: date
    ended: date | None
    in_period: bool
    by_rules: bool


def letters(session: Session, asked: Asked) -> Letters:
    """Letters issued up to the end of the period, and for each claim the first letter that met it standing."""
    found = _letters(session, asked)
    dated = [_Letter(key, firm, issued) for key, firm, issued in found if issued is not None]
    by_firm: dict[int, list[_Letter]] = defaultdict(list)
    for letter in sorted(dated, key=lambda one: (one.issued, one.notice_id)):
        by_firm[letter.firm_id].append(letter)
    claims = _claims(session, asked, set(by_firm), ZoneInfo(asked.timezone))
    times, later = [], 0
    for claim in claims:
        met = _first_that_met(claim, by_firm[claim.firm_id])
        if met is None:
            later += claim.first_seen > by_firm[claim.firm_id][0].issued
        elif not claim.by_rules:
            times.append(_time(claim, met))
    return Letters(
        letters=len({letter.notice_id for letter in dated}),
        firms=len(by_firm),
        undated=len({key for key, _, issued in found if issued is None}),
        firms_read=_read(session, asked, set(by_firm)),
        times=tuple(sorted(times, key=lambda one: (one.days, one.claim_id))),
        later=later,
    )


def _letters(session: Session, asked: Asked) -> list[tuple[int, int, date | None]]:
    statement = (
        select(col(Notice.id), col(NoticeOrganisation.organisation_id), col(Notice.issued))
        .join(NoticeOrganisation, col(NoticeOrganisation.notice_id) == col(Notice.id))
        .where(
            col(Notice.notice_type).in_(LETTERS),
            col(NoticeOrganisation.role) == "addressee",
            SORT.in_(COUNTED),
            func.coalesce(Notice.issued, asked.now.last) <= asked.now.last,
        )
    )
    if asked.jurisdictions is not None:
        statement = statement.where(col(Notice.jurisdiction).in_(asked.jurisdictions))
    return [(key, firm, issued) for key, firm, issued in session.execute(statement)]


def _read(session: Session, asked: Asked, firms: set[int]) -> int:
    """How many of the firms have a page that was read by the end of the period."""
    held = select(col(Page.organisation_id)).where(col(Page.first_seen) < asked.now.end).distinct()
    return len(firms & set(session.execute(held).scalars()))


def _claims(session: Session, asked: Asked, firms: set[int], zone: ZoneInfo) -> list[_Standing]:
    found = []
    for some in chunks(firms):
        statement = (
            select(
                col(Claim.id),
                col(Page.organisation_id),
                col(Claim.first_seen),
                col(Claim.last_seen),
                col(Claim.ended_at),
            )
            .join(Page, col(Page.id) == col(Claim.page_id))
            .where(
                col(Page.organisation_id).in_(some),
                col(Claim.first_seen) < asked.now.end,
                col(Claim.review_state) != ReviewState.DISMISSED,
            )
        )
        rows = session.execute(statement).all()
        ends = _events(session, [row[0] for row in rows])
        for key, firm, first, last, ended_at in rows:
            ended, by_rules = _end(ends.get(key, ()), ended_at, asked.now.end)
            found.append(
                _Standing(
                    claim_id=key,
                    firm_id=firm,
                    first_seen=first.astimezone(zone).date(),
                    last_seen=min(last, asked.now.end).astimezone(zone).date(),
                    ended=ended.astimezone(zone).date() if ended else None,
                    in_period=ended is not None and asked.now.start <= ended < asked.now.end,
                    by_rules=by_rules,
                )
            )
    return sorted(found)


_Told = tuple[str, datetime, datetime]
"""Kind, when it happened, when it was learned."""


def _events(session: Session, claims: list[int]) -> Mapping[int, tuple[_Told, ...]]:
    found: dict[int, list[_Told]] = defaultdict(list)
    for some in chunks(claims):
        statement = (
            select(col(Event.object_id), col(Event.kind), col(Event.at), LEARNED)
            .join(Run, col(Run.id) == col(Event.run_id), isouter=True)
            .where(
                col(Event.object_kind) == "claim",
                col(Event.kind).in_((*UP, *DOWN)),
                col(Event.object_id).in_([str(key) for key in some]),
            )
            .order_by(col(Event.id))
        )
        for key, kind, at, learned in session.execute(statement):
            found[int(key)].append((kind, at, learned))
    return {key: tuple(told) for key, told in found.items()}


def _end(told: tuple[_Told, ...], ended_at: datetime | None, until: datetime) -> tuple[datetime | None, bool]:
    """When the claim had ended, as known at `until`, and whether our own rules ended it."""
    known = [one for one in told if one[2] < until]
    if known and known[-1][0] in DOWN:
        return known[-1][1], known[-1][0] == EventKind.CLAIM_CLEARED
    with_page = ended_at is not None and ended_at < until and not (told and told[-1][0] in DOWN)
    return (ended_at if with_page else None), False


def _first_that_met(claim: _Standing, letters: list[_Letter]) -> _Letter | None:
    """The earliest letter issued on a day on which the claim had been seen and was not yet gone."""
    return next(
        (
            letter
            for letter in letters
            if claim.first_seen <= letter.issued and (claim.ended is None or letter.issued <= claim.ended)
        ),
        None,
    )


def _time(claim: _Standing, letter: _Letter) -> LetterTime:
    return LetterTime(
        notice_id=letter.notice_id,
        claim_id=claim.claim_id,
        firm_id=claim.firm_id,
        issued=letter.issued,
        ended=claim.ended,
        seen_until=max(claim.last_seen, letter.issued),
        in_period=claim.in_period,
    )
