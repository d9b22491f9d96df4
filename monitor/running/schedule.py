"""The clock: every source at its time, the digest at its time, what is overdue at once, until told to stop.

APScheduler 3.11 with a memory job store. What is due is worked out at each start from the configuration and the
`run` table: a pickled job store would go stale when the configuration changes. Jobs only wait for a program.
"""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobExecutionEvent,
    JobSubmissionEvent,
)
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import func
from sqlmodel import select

from monitor.clock import Plan, finished_week, is_overdue, last_digest_time, plans
from monitor.config import Config, DigestChoice, Schedule
from monitor.config import now as current
from monitor.migrations import upgrade
from monitor.running.programs import Children
from monitor.tables.db import open_engine, reading
from monitor.tables.models import SHIPPED_SOURCE, DigestIssue, Run
from monitor.watching import subscriptions

_LOG = logging.getLogger("exowatch.schedule")
LATE_SECONDS = 6 * 3600
"""How late a job may begin. The library's own default of one second drops a weekly digest after a short pause."""
EXOWATCH = (sys.executable, "-m", "monitor")
DIGEST_JOB = "digest"
OUTBOX_JOB = "outbox"


def trigger_of(schedule: Schedule) -> CronTrigger:
    """When a source is read, in UTC. Weekdays go by name: the library counts them from Monday = 0, cron from Sunday."""
    at = schedule.at
    if schedule.every == "hour":
        return CronTrigger(minute=at.minute, second=0, timezone=UTC)
    weekday = schedule.on if schedule.every == "week" else None
    day = schedule.day if schedule.every == "month" else None
    return CronTrigger(day=day, day_of_week=weekday, hour=at.hour, minute=at.minute, second=0, timezone=UTC)


def digest_trigger(choice: DigestChoice) -> CronTrigger:
    """When the digest is written, in its readers' zone. The configuration refuses times at which clocks change."""
    return CronTrigger(
        day_of_week=choice.on, hour=choice.at.hour, minute=choice.at.minute, second=0, timezone=choice.timezone
    )


class Clock:
    """Starts programs on time. `run` returns when it was told to stop and every program has ended."""

    def __init__(self, config: Config, config_file: Path, *, program: Sequence[str] = EXOWATCH) -> None:
        self.config = config
        self.children = Children()
        self._program = (*program, "--config", str(config_file))
        # The digest has a thread of its own: it must not wait behind long crawls.
        self.scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={
                "default": ThreadPoolExecutor(config.parallel_runs),
                DIGEST_JOB: ThreadPoolExecutor(1),
                OUTBOX_JOB: ThreadPoolExecutor(1),
            },
            job_defaults={"misfire_grace_time": LATE_SECONDS, "coalesce": True, "max_instances": 1},
        )
        self.scheduler.add_listener(_log_trouble, EVENT_JOB_ERROR | EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES)

    def run(self) -> None:
        """Keep time until SIGTERM or SIGINT; then children get SIGTERM and are waited for."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._add_jobs(datetime.now(UTC))
            self.scheduler.start()
            for job in self.scheduler.get_jobs():
                _LOG.info("%s: next at %s", job.id, f"{job.next_run_time.astimezone(UTC):%Y-%m-%d %H:%M} UTC")
            self.children.stopping.wait()
            _LOG.info("stopping: waiting for what is running")
            self.scheduler.shutdown(wait=True)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        _LOG.info("stopped")

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.children.stop()

    def _add_jobs(self, now: datetime) -> None:
        last_run, last_digest = memory(self.config)
        for plan in plans(self.config):
            self._add_source(plan, is_overdue(plan.schedule, last_run.get(plan.source_id), now), now)
        due = last_digest_time(self.config.digest, now)
        # Before anything was read there is nothing to report on: no digest of an empty beginning.
        missed = bool(last_run) and (last_digest is None or last_digest < due) and min(last_run.values()) < due
        trigger = digest_trigger(self.config.digest)
        self.scheduler.add_job(
            self._digest,
            trigger,
            id=DIGEST_JOB,
            executor=DIGEST_JOB,
            next_run_time=now if missed else trigger.get_next_fire_time(None, now),
        )
        if missed:
            _LOG.info("%s: overdue since %s", DIGEST_JOB, f"{due:%Y-%m-%d %H:%M} UTC")
        if self.config.targets:
            # Each minute, what is due anywhere is worked out anew: every recipient has a time and a zone of their own.
            self.scheduler.add_job(
                self._post, CronTrigger(second=0, timezone=UTC), id=OUTBOX_JOB, executor=OUTBOX_JOB, next_run_time=now
            )

    def _add_source(self, plan: Plan, overdue: bool, now: datetime) -> None:
        trigger = trigger_of(plan.schedule)
        at = now if overdue else trigger.get_next_fire_time(None, now)
        self.scheduler.add_job(self._read, trigger, args=[plan.source_id], id=plan.source_id, next_run_time=at)
        if overdue:
            _LOG.info("%s: overdue, read now", plan.source_id)

    def _read(self, source_id: str) -> None:
        self._start(source_id, "run", "--source", source_id, "--no-digest")

    def _digest(self) -> None:
        week = finished_week(datetime.now(UTC), self.config.digest.timezone)
        self._start(DIGEST_JOB, "digest", "--week", week)

    def _post(self) -> None:
        if post_has_work(self.config):
            self._start(OUTBOX_JOB, "outbox", "send")

    def _start(self, name: str, *arguments: str) -> None:
        if self.children.stopping.is_set():
            return
        ended = self.children.run([*self._program, *arguments])
        for line in (*ended.output.strip().splitlines(), *(ended.last_lines if ended.code else ())):
            _LOG.info("%s: %s", name, line)
        if ended.code and not self.children.stopping.is_set():
            _LOG.warning("%s: ended with exit code %d", name, ended.code)


def memory(config: Config) -> tuple[Mapping[str, datetime], datetime | None]:
    """From the database of facts: when each source was read last, and when the last digest was written."""
    engine = open_engine(config.database_url)
    try:
        upgrade(engine)
        with reading(engine) as session:
            read = select(Run.source_id, func.max(Run.finished_at)).where(Run.source_id != SHIPPED_SOURCE)
            runs = session.exec(read.group_by(Run.source_id)).all()
            digest = session.exec(select(func.max(DigestIssue.written_at))).one()
            return dict(runs), digest
    finally:
        engine.dispose()


def post_has_work(config: Config) -> bool:
    """True if a digest or an alert is due for anyone, or a letter waits that may go."""
    engine = open_engine(config.database_url)
    try:
        subscriptions.note(engine, config, now=current(config))
        return subscriptions.has_work(engine, config, now=current(config), clock=datetime.now(UTC))
    finally:
        engine.dispose()


def _log_trouble(event: JobExecutionEvent | JobSubmissionEvent) -> None:
    if event.job_id == OUTBOX_JOB and event.code != EVENT_JOB_ERROR:
        return  # it looks again a minute later
    if event.code == EVENT_JOB_MAX_INSTANCES:
        _LOG.warning("%s: still running from last time; this time is left out", event.job_id)
    elif event.code == EVENT_JOB_MISSED:
        _LOG.warning("%s: missed its time by more than %d hours; left out", event.job_id, LATE_SECONDS // 3600)
    else:
        error: Any = getattr(event, "exception", None)
        _LOG.error("%s: failed: %s", event.job_id, error)
