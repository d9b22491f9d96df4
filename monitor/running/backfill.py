"""Reading a source's past: in bounded steps, each a run of its own, within what its card allows in a day.

Nothing but the database remembers how far it came: what a step read is known to the next one, today or tomorrow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, func, select

from monitor.clock import card_facts
from monitor.config import Config, now
from monitor.evidence.runfolder import UnreadableRunError, open_run_folder
from monitor.locks import hold
from monitor.records import AnyRecord
from monitor.running import budget
from monitor.running.cycle import FINE, Cycle, Reading, work_place
from monitor.running.programs import CrawlRequest
from monitor.tables import db
from monitor.tables.models import Run, SeenItem, Source
from monitor.tables.registers import Backfill

BEYOND = "beyond the limit"
"""Begins the reason under which spiders count what a step left for the next one."""
_OLDER = "-older"
_DEFAULT_DELAY = 2.0
_DAY = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?")


def first_day(text: str) -> date:
    """`2021`, `2021-03` or `2021-03-15` as its first day. Raises ValueError."""
    match = _DAY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no date")
    year, month, day = (int(part or 1) for part in match.groups())
    return date(year, month, day)


@dataclass(frozen=True)
class Step:
    """How far the past has been read after one more step."""

    number: int
    reading: Reading
    records: int
    """Read so far, in all steps since the backfill began."""
    reached: date | None
    """The earliest day read so far."""
    left: int | None
    """About how many records are left; None while that cannot be told."""
    time_left: timedelta | None
    """About how long that takes at the card's pace, the bound of a day included."""
    state: str
    """`going`, `done`, `rationed` (the day's requests are used up), `stopped`, `failed`, or `stuck`."""


def backfill(cycle: Cycle, source_id: str, since: date, *, step: int, steps: int | None = None) -> Iterator[Step]:
    """Read back to `since`, `step` records at a time, at most `steps` times. Raises BusyError if it is being read."""
    with work_place(cycle.config, False) as (engine, runs), hold(cycle.locks, source_id) as lock:
        cycle.take_in_waiting(engine, source_id)
        request = CrawlRequest(source_id, runs, since=since, limit=step, sweep=True)
        pace = _Pace(engine, source_id, cycle.config)
        number, state = 0, "going"
        while state == "going" and (steps is None or number < steps):
            number += 1
            before, earlier = _settled(engine, source_id), _runs(engine, source_id)
            reading, _ = cycle.once(engine, request, False, lock)
            run = _new_run(engine, source_id, earlier) if reading.state in FINE else None
            if run is not None:
                pace.add(run, cycle.config)
            state = _state(reading, run, moved=_settled(engine, source_id) > before)
            if state == "stuck" and budget.left_today(engine, source_id, now(cycle.config), cycle.config.cards) == 0:
                state = "rationed"  # what was left of the day was too little for a single entry
            yield pace.step(number, reading, since, state, cycle.config)


def _state(reading: Reading, run: Run | None, *, moved: bool) -> str:
    if run is None:
        return reading.state if reading.state in ("rationed", "stopped") else "failed"
    if _is_whole(run.record):
        return "done"
    return "going" if moved else "stuck"


def _is_whole(record: Mapping[str, Any]) -> bool:
    """True if the run came to the end of what was asked, and left nothing for another."""
    bounded = any(problem["kind"] == "limit_reached" for problem in record["problems"])
    beyond = any(reason.startswith(BEYOND) for reason in record["not_kept"])
    owed = any(not digest for digest in record["seen"].values())
    return record["finish_reason"] == "finished" and not bounded and not beyond and not owed


def _settled(engine: Engine, source_id: str) -> int:
    """Entries of the source's list that need no more reading."""
    with db.reading(engine) as session:
        return session.exec(
            select(func.count())
            .select_from(SeenItem)
            .where(SeenItem.source_id == source_id, SeenItem.digest != "", ~col(SeenItem.digest).endswith(_OLDER))
        ).one()


def _runs(engine: Engine, source_id: str) -> frozenset[str]:
    with db.reading(engine) as session:
        return frozenset(session.exec(select(Run.id).where(Run.source_id == source_id)))


def _new_run(engine: Engine, source_id: str, earlier: frozenset[str]) -> Run | None:
    """The run that a step brought, by what was there before it: a rehearsal's runs may all end at one moment."""
    with db.reading(engine) as session:
        runs = session.exec(select(Run).where(Run.source_id == source_id).order_by(col(Run.finished_at))).all()
    return next((run for run in reversed(runs) if run.id not in earlier), None)


class _Pace:
    """How fast it goes, and what that says about the rest."""

    def __init__(self, engine: Engine, source_id: str, config: Config) -> None:
        self.engine, self.source_id = engine, source_id
        pace = card_facts(source_id, config.cards).get("pace") or {}
        self.delay = float(pace.get("delay", _DEFAULT_DELAY))
        self.daily = budget.daily_requests(engine, source_id, config.cards)
        self.newest: date | None = None
        self.reached: date | None = None
        self.records = self.requests = self.owed = 0

    def add(self, run: Run, config: Config) -> None:
        days = [day for record in _records(run, config) if (day := day_of(record)) is not None]
        if days:
            self.newest = max([*days, *([self.newest] if self.newest else [])])
            self.reached = min([*days, *([self.reached] if self.reached else [])])
        self.records += sum(run.record["items"].values())
        self.requests += int(run.record["requests"])
        self.owed = sum(not digest for digest in run.record["seen"].values())

    def step(self, number: int, reading: Reading, since: date, state: str, config: Config) -> Step:
        with db.transaction(self.engine) as session:
            held = self._remember(session, reading, since, state, config)
            records, reached = (held.records, held.reached) if held else (self.records, self.reached)
        left = 0 if state == "done" else self._left(since)
        return Step(number, reading, records, reached, left, self._time(left), state)

    def _remember(self, session: Session, reading: Reading, since: date, state: str, config: Config) -> Backfill | None:
        if session.get(Source, self.source_id) is None:
            return None  # its very first run was not taken in
        at = now(config)
        held = session.get(Backfill, self.source_id)
        if held is None or held.done_at is not None or held.since != since:
            held = held or Backfill(source_id=self.source_id, since=since, started_at=at, updated_at=at)
            held.since, held.started_at, held.done_at = since, at, None
            held.steps = held.records = held.requests = 0
            held.reached = None
        if reading.state in FINE:
            held.steps, held.records = held.steps + 1, held.records + reading.records
            held.requests += reading.requests
            held.reached = min((day for day in (held.reached, self.reached) if day), default=None)
        held.updated_at = at
        held.done_at = at if state == "done" else None
        session.add(held)
        return held

    def _left(self, since: date) -> int | None:
        """By how many records a day of the past has had so far; lists are read from their newest entry on."""
        if self.newest is None or self.reached is None or self.newest == self.reached:
            return self.owed or None
        if self.reached <= since:
            return self.owed
        a_day = self.records / (self.newest - self.reached).days
        return max(round(a_day * (self.reached - since).days), self.owed)

    def _time(self, left: int | None) -> timedelta | None:
        if left is None:
            return None
        requests = left * max(self.requests / self.records, 1) if self.records else float(left)
        reading = timedelta(seconds=requests * self.delay)
        return max(reading, timedelta(days=int(requests / self.daily))) if self.daily else reading


def _records(run: Run, config: Config) -> tuple[AnyRecord, ...]:
    try:
        return open_run_folder(config.data / run.folder).records
    except UnreadableRunError:
        return ()  # moved away by hand since: only the estimate suffers


def day_of(record: AnyRecord) -> date | None:
    """The day of a record that its list is ordered by."""
    days = (getattr(record, name, None) for name in ("posted", "issued", "published", "authorised"))
    return next((day for day in days if day is not None), None)


def backfills(engine: Engine) -> tuple[Backfill, ...]:
    """Every source whose past was read back, or is."""
    with db.reading(engine) as session:
        return tuple(session.exec(select(Backfill).order_by(Backfill.source_id)))
