"""The evolving picture of a period: counted in the database, compared with the period before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, func, or_, select
from sqlmodel import Session, col

from monitor.queries.facts import LEARNED, chunks, rehearsal_runs
from monitor.queries.landscape_claims import claims, within
from monitor.queries.landscape_coverage import coverage
from monitor.queries.landscape_letters import letters
from monitor.queries.landscape_notices import DATED, notices, numbered, on, rules, where
from monitor.queries.landscape_rows import (
    Asked,
    Landscape,
    Publications,
    RegisteredCount,
    Trials,
    Unknown,
)
from monitor.tables.db import reading
from monitor.tables.models import (
    SHIPPED,
    Claim,
    Event,
    EventKind,
    Finding,
    Page,
    Run,
    Source,
)
from monitor.tables.registers import Publication, Trial


def landscape(engine: Engine, asked: Asked) -> Landscape:
    """Everything that a landscape tells."""
    with reading(engine) as session:
        sources = session.execute(select(Source).where(col(Source.kind) != SHIPPED)).scalars().all()
        return Landscape(
            asked=asked,
            notices=notices(session, asked),
            claims=claims(session, asked),
            letters=letters(session, asked),
            trials=_trials(session, asked),
            publications=_publications(session, asked),
            rules=rules(session, asked),
            coverage=coverage(session, asked, sources),
            unknown=_unknown(session, asked),
            known_at=_known_at(session),
            authorities={source.id: _authority(source) for source in sources},
            rehearsal=_is_rehearsal(session, asked),
        )


def _known_at(session: Session) -> datetime | None:
    """The end of the latest run, or the latest decision."""
    latest = [session.execute(select(func.max(one))).scalar_one() for one in (col(Run.finished_at), col(Event.at))]
    return max((one for one in latest if one is not None), default=None)


def learnt_until(engine: Engine) -> datetime | None:
    """The end of the latest run, or the latest decision; None before anything was read."""
    with reading(engine) as session:
        return _known_at(session)


def mark(engine: Engine) -> tuple[int, int]:
    """Changes whenever anything was read, judged or decided: what was counted at one mark still holds at it."""
    with reading(engine) as session:
        event, runs = session.execute(
            select(func.max(Event.id), select(func.count(col(Run.id))).scalar_subquery())
        ).one()
    return event or 0, runs


def first_day(engine: Engine) -> date | None:
    """The oldest day on which a notice was dated or anything was seen."""
    with reading(engine) as session:
        oldest = session.execute(select(func.min(DATED))).scalar_one()
        seen = session.execute(select(func.min(Event.at))).scalar_one()
    days = [day for day in (oldest, seen.date() if seen else None) if day is not None]
    return min(days, default=None)


def _authority(source: Source) -> str:
    return str((source.card.get("authority") or {}).get("name") or source.title)


def _trials(session: Session, asked: Asked) -> Trials:
    """Trials by their own day, whenever they were read; later changes of status are taken back."""
    begun = or_(
        col(Trial.posted) <= asked.now.last, and_(col(Trial.posted).is_(None), col(Trial.first_seen) < asked.now.end)
    )
    here = and_(where(asked, col(Trial.jurisdiction)), begun)
    known = and_(here, col(Trial.tier) != "other")
    statement = select(col(Trial.id), col(Trial.status), col(Trial.conditions), col(Trial.posted)).where(known)
    later, changed = _status_changes(session, asked)
    statuses: dict[str, Counter[str]] = defaultdict(Counter)
    conditions: dict[str, Counter[str]] = defaultdict(Counter)
    spelt: dict[str, Counter[str]] = defaultdict(Counter)
    trend, whole, none = [0] * len(asked.quarters), Counter[str](), 0
    for key, status, named, posted in session.execute(statement):
        seen = ["total", *_when(posted, asked)]
        whole.update(seen)
        statuses[later.get(str(key), status)].update(seen)
        folded = {" ".join(str(one).split()).casefold(): " ".join(str(one).split()) for one in named if one}
        for name, written in folded.items():
            conditions[name].update(seen)
            spelt[name][written] += 1
        none += not folded
        for number, quarter in enumerate(asked.quarters):
            trend[number] += posted is not None and quarter.first <= posted <= quarter.last
        whole["undated"] += posted is None
    names = {name: max(sorted(written), key=lambda one: written[one]) for name, written in spelt.items()}
    other = select(func.count()).select_from(Trial).where(here, col(Trial.tier) == "other")
    return Trials(
        by_status=_registered(statuses, {}),
        by_condition=_registered(conditions, names),
        without_condition=none,
        total=whole["total"],
        now=whole["now"],
        before=whole["before"],
        other=session.execute(other).scalar_one(),
        undated=whole["undated"],
        trend=tuple(trend),
        changed=changed,
    )


def _when(posted: date | None, asked: Asked) -> list[str]:
    stretches = {"now": asked.now, "before": asked.before}
    return [name for name, one in stretches.items() if posted is not None and one.first <= posted <= one.last]


def _registered(found: Mapping[str, Counter[str]], names: Mapping[str, str]) -> tuple[RegisteredCount, ...]:
    rows = (RegisteredCount(names.get(key, key), n["total"], n["now"], n["before"]) for key, n in found.items())
    return tuple(sorted(rows, key=lambda one: (-one.total, -one.now, one.key)))


def _status_changes(session: Session, asked: Asked) -> tuple[dict[str, str], int]:
    """Trial → its status before the first change that was told after the period; changes within the period."""
    statement = (
        select(col(Event.object_id), col(Event.detail), within(LEARNED, asked.now))
        .join(Run, col(Run.id) == col(Event.run_id), isouter=True)
        .where(
            col(Event.kind) == EventKind.TRIAL_STATUS_CHANGED,
            col(Event.baseline).is_(False),
            asked.now.start <= LEARNED,
        )
        .order_by(col(Event.id).desc())
    )
    before: dict[str, str] = {}
    changed = 0
    wanted = None if asked.jurisdictions is None else set(asked.jurisdictions)
    for key, detail, in_period in session.execute(statement):
        status = (detail.get("changes") or {}).get("status") or {}
        if in_period:
            changed += bool(status) and (wanted is None or _trial_in(session, key, wanted))
        elif status.get("before"):
            before[key] = str(status["before"])
    return before, changed


def _trial_in(session: Session, key: str, wanted: set[str]) -> bool:
    trial = session.get(Trial, int(key))
    return trial is not None and trial.jurisdiction in wanted


def _publications(session: Session, asked: Asked) -> Publications:
    """Papers by their own day, whenever they were read. They belong to no jurisdiction: a part has none."""
    nothing = (0,) * len(asked.quarters)
    if asked.jurisdictions is not None:
        return Publications(nothing, nothing, 0, 0, 0, 0, 0, 0, 0)
    day: Any = col(Publication.published)
    tier = col(Publication.tier)
    begun = or_(day <= asked.now.last, and_(day.is_(None), col(Publication.first_seen) < asked.now.end))
    on_topic = and_(tier != "other", begun)
    number = numbered(day, asked.quarters).label("number")
    inner = select(tier.label("tier"), number).where(on_topic).subquery()
    trend: dict[str, list[int]] = {"core": list(nothing), "adjacent": list(nothing)}
    grouped = select(inner.c.tier, inner.c.number, func.count()).where(inner.c.number >= 0)
    for name, quarter, number_of in session.execute(grouped.group_by(inner.c.tier, inner.c.number)):
        trend[name][quarter] = number_of

    def count(*conditions: ColumnElement[bool]) -> int:
        asked_of = select(func.count()).select_from(Publication).where(*conditions)
        return int(session.execute(asked_of).scalar_one())

    retracted = (
        select(func.count(func.distinct(col(Event.object_id))))
        .select_from(Event)
        .join(Run, col(Run.id) == col(Event.run_id), isouter=True)
        .where(
            col(Event.kind) == EventKind.PUBLICATION_RETRACTED,
            col(Event.baseline).is_(False),
            within(LEARNED, asked.now),
        )
    )
    return Publications(
        core=tuple(trend["core"]),
        adjacent=tuple(trend["adjacent"]),
        now=count(on_topic, on(day, asked.now)),
        before=count(on_topic, on(day, asked.before)),
        preprints=count(on_topic, on(day, asked.now), col(Publication.preprint).is_(True)),
        retracted=session.execute(retracted).scalar_one(),
        undated=count(on_topic, day.is_(None)),
        other=count(tier == "other", begun),
        total=count(on_topic),
    )


def _unknown(session: Session, asked: Asked) -> Unknown:
    held = (
        select(col(Page.language), func.count())
        .where(col(Page.first_seen) < asked.now.end)
        .group_by(col(Page.language))
    )
    languages: Counter[str] = Counter()
    for code, number in session.execute(held):
        languages[code.split("-")[0].lower()] += number
    silent: Select[Any] = (
        select(col(Finding.jurisdiction))
        .join(Claim, col(Claim.id) == col(Finding.claim_id))
        .where(
            col(Finding.current).is_(True),
            col(Finding.assessed).is_(False),
            col(Claim.first_seen) < asked.now.end,
            or_(col(Claim.ended_at).is_(None), col(Claim.ended_at) >= asked.now.start),
            where(asked, col(Finding.jurisdiction)),
        )
        .distinct()
    )
    return Unknown(
        languages=dict(sorted(languages.items())), not_assessed=tuple(sorted(session.execute(silent).scalars()))
    )


def _is_rehearsal(session: Session, asked: Asked) -> bool:
    """True if anything that was read by the end of the period was read from a rehearsal."""
    rehearsed = rehearsal_runs(session)
    until: datetime = asked.now.end
    return any(
        session.execute(
            select(func.count()).select_from(Run).where(col(Run.id).in_(some), col(Run.finished_at) < until)
        ).scalar_one()
        for some in chunks(rehearsed)
    )
