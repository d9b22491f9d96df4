"""One pass: read the sources, take their runs in, look twice where needed, match watchlists, write the digest."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError
from sqlalchemy import Engine, func, inspect
from sqlmodel import col, select

from monitor.config import Config, now
from monitor.evidence import recomputed as evidence
from monitor.evidence.retention import unstored
from monitor.evidence.runfolder import EvidenceError
from monitor.evidence.stamps import StampError
from monitor.evidence.storage import storage_of
from monitor.intake import runs as intake
from monitor.knowledge import Knowledge
from monitor.locks import BusyError, hold
from monitor.market.rejudge import rejudge
from monitor.migrations import upgrade
from monitor.records import RunRecord
from monitor.running import budget
from monitor.running.programs import Children, Crawled, CrawlRequest, crawl, post, write_report
from monitor.tables import db
from monitor.tables.models import Event, Run
from monitor.watching import subscriptions, watchlists

_LOG = logging.getLogger(__name__)
PART_DAYS = 7
"""Days after which what a killed crawl left is removed; until then it may help to find out why."""
FINE = ("taken_in", "already")
WELL = (*FINE, "busy", "rationed")


@dataclass(frozen=True)
class Order:
    """What one pass is asked to do."""

    sources: tuple[str, ...]
    since: date | None = None
    full: bool = False
    dry_run: bool = False
    digest: bool = True
    rest: bool = True
    """Take in what lies about from sources that are not asked for, too."""


@dataclass(frozen=True)
class Reading:
    """How it went with one source.

    `state`: `taken_in`, `already`, `quarantined` (unfit, see reasons), `failed` (no run folder), `busy` (read by
    another process), `rationed` (its requests of the day are used up), `stopped` (asked to stop first).
    """

    source_id: str
    state: str
    reasons: tuple[str, ...] = ()
    events: Mapping[str, int] = field(default_factory=dict)
    findings: int = 0
    records: int = 0
    known: int = 0
    requests: int = 0
    leftover: bool = False
    second_look: bool = False

    @property
    def is_well(self) -> bool:
        return self.state in WELL


@dataclass(frozen=True)
class Pass:
    """What one pass did."""

    readings: tuple[Reading, ...] = ()
    rejudged: Mapping[str, int] = field(default_factory=dict)
    matches: int = 0
    digest: str = ""
    digest_failed: str = ""
    post_failed: str = ""
    stopped: bool = False

    @property
    def exit_code(self) -> int:
        """0 all well, 1 a source, the digest or the post failed, 143 stopped."""
        if self.stopped:
            return 143
        failed = self.digest_failed or self.post_failed
        return 0 if all(reading.is_well for reading in self.readings) and not failed else 1


class Listener(Protocol):
    """Who is told how it goes: a progress bar or a log."""

    def started(self, source_id: str) -> None: ...
    def progress(self, source_id: str, counts: dict[str, Any]) -> None: ...
    def ended(self, reading: Reading) -> None: ...
    def note(self, text: str) -> None: ...


Crawler = Callable[..., Crawled]


class Cycle:
    """One pass over some sources. `children` lets a signal's handler stop it."""

    def __init__(
        self,
        config: Config,
        config_file: Path,
        knowledge: Knowledge,
        listener: Listener,
        *,
        children: Children | None = None,
        crawler: Crawler = crawl,
    ) -> None:
        self.config = config
        self.config_file = config_file
        self.knowledge = knowledge
        self.listener = listener
        self.children = children or Children()
        self._crawl = crawler
        # Judging is bound by the interpreter's own lock and SQLite takes one writer: side by side gains nothing.
        self._one_intake = threading.Lock()

    @property
    def locks(self) -> Path:
        return self.config.data / "locks"

    def run(self, order: Order) -> Pass:
        """Do it. A source that fails stops no other; what went wrong is in the answer."""
        with work_place(self.config, order.dry_run) as (engine, runs):
            if not order.dry_run:
                # Before anything is matched: who was just added is told what this pass finds, and nothing older.
                subscriptions.note(engine, self.config, now=now(self.config))
            before = _last_event(engine)
            rejudged: Mapping[str, int] = {} if order.dry_run else self._rejudge(engine)
            readings = [] if order.dry_run or not order.rest else self._take_in_rest(engine, order.sources)
            with ThreadPoolExecutor(self.config.parallel_runs) as pool:
                for group in pool.map(lambda source: self._source(engine, runs, source, order), order.sources):
                    readings += group
            if not order.dry_run:
                with db.transaction(engine) as session:
                    intake.note_stale(session, self.config, now(self.config))
                self._copy(engine)
            matches = 0 if order.dry_run else match_since(engine, self.config, before)
        if not order.dry_run:
            self._stamp()
        done = Pass(tuple(readings), rejudged, matches, stopped=self.children.stopping.is_set())
        if order.dry_run or done.stopped:
            return done
        return self._with_post(self._with_digest(done) if order.digest else done)

    def _rejudge(self, engine: Engine) -> Mapping[str, int]:
        # Before anything new is read: what our rules changed must not be mixed up with what sellers changed.
        with hold(self.locks, "rules", wait=True):
            before = _last_event(engine)
            rejudged = rejudge(engine, self.knowledge, self.config, now=now(self.config))
            match_since(engine, self.config, before)
            return rejudged

    def _stamp(self) -> None:
        try:
            evidence.stamp_head(self.config)
        except (StampError, EvidenceError) as error:  # the evidence is kept all the same; the next pass asks again
            self.listener.note(f"no time stamp: {error}")

    def _copy(self, engine: Engine) -> None:
        """What was read into the configured storage. What cannot be copied stays here, and the next pass goes on."""
        storage = storage_of(self.config)
        if storage is None:
            return
        try:
            with hold(self.locks, "storage"):
                for folder in unstored(engine, self.config):
                    if self.children.stopping.is_set():
                        return
                    storage.keep(folder, now(self.config))
        except BusyError as busy:
            self.listener.note(f"evidence is being copied already, by {busy}")
        except EvidenceError as error:
            self.listener.note(f"evidence not copied: {error}; it stays here, and the next pass tries again")

    def _with_digest(self, done: Pass) -> Pass:
        written = write_report(self.config_file, self.children, "digest")
        if written.code:
            return replace(done, digest_failed=f"the digest was not written: {written.complaint}")
        return replace(done, digest=written.output.strip())

    def _with_post(self, done: Pass) -> Pass:
        if not self.config.targets:
            return done
        with work_place(self.config, dry_run=False) as (engine, _):
            if not subscriptions.has_work(engine, self.config, now=now(self.config), clock=datetime.now(UTC)):
                return done
        sent = post(self.config_file, self.children)
        if sent.code:
            return replace(done, post_failed=f"the post: {sent.complaint}; exowatch outbox shows what waits and failed")
        self.listener.note(f"post: {sent.output.strip()}")
        return done

    def _take_in_rest(self, engine: Engine, asked: Sequence[str]) -> list[Reading]:
        """Runs that a killed pass left whole but not taken in, of sources that this pass does not read."""
        readings = []
        for source_id in sorted({source for source, _ in waiting_runs(engine, self.config)} - set(asked)):
            try:
                with hold(self.locks, source_id):
                    readings += self.take_in_waiting(engine, source_id)
            except BusyError:
                continue  # whoever reads it takes its run in
        return readings

    def _source(self, engine: Engine, runs: Path, source_id: str, order: Order) -> list[Reading]:
        try:
            with hold(self.locks, source_id) as lock:
                return self._read(engine, runs, source_id, order, lock)
        except BusyError as busy:
            return [self._tell(Reading(source_id, "busy", (f"it is being read already, by {busy}; skipped",)))]
        except Exception as error:  # one source must not take the others down
            _LOG.exception("%s failed", source_id)
            return [self._tell(Reading(source_id, "failed", (f"{type(error).__name__}: {error}",)))]

    def _read(self, engine: Engine, runs: Path, source_id: str, order: Order, lock: int) -> list[Reading]:
        readings = []
        if not order.dry_run:
            self._clear_parts(source_id)
            readings = self.take_in_waiting(engine, source_id)
        self.listener.started(source_id)
        choice = self.config.sources.get(source_id)
        since = order.since or (choice.since if choice else None)
        sweep = not order.full and budget.sweep_is_due(engine, source_id, now(self.config))
        request = CrawlRequest(source_id, runs, since=since, full=order.full, sweep=sweep)
        reading, again = self.once(engine, request, order.dry_run, lock)
        readings.append(self._tell(reading))
        if again and not order.dry_run and not self.children.stopping.is_set():
            look = CrawlRequest(source_id, runs, pages=again)
            second, _ = self.once(engine, look, order.dry_run, lock)
            readings.append(self._tell(replace(second, second_look=True)))
        return readings

    def once(self, engine: Engine, request: CrawlRequest, dry_run: bool, lock: int) -> tuple[Reading, tuple[str, ...]]:
        """One run, taken in. With it come the addresses of pages that must be read once more."""
        source_id = request.source_id
        left = budget.left_today(engine, source_id, now(self.config), self.config.cards)
        if left == 0:
            told = "the requests that its card allows in a day are used up; it goes on tomorrow (UTC)"
            return Reading(source_id, "rationed", (told,)), ()
        request = replace(request, most_requests=left)
        request = replace(request, known=intake.known_items(engine, source_id))
        crawled = self._crawl(
            request,
            self.config_file,
            self.children,
            lambda counts: self.listener.progress(source_id, counts),
            lock,
        )
        if self.children.stopping.is_set():
            # Service managers wait for seconds: a whole run that is not taken in yet is taken in next time.
            return Reading(source_id, "stopped", ("asked to stop",)), ()
        if crawled.folder is None:
            return Reading(source_id, "failed", (crawled.complaint,)), ()
        return self._take_in(engine, source_id, crawled.folder, dry_run)

    def _take_in(self, engine: Engine, source_id: str, folder: Path, dry_run: bool) -> tuple[Reading, tuple[str, ...]]:
        run = read_run(folder)
        if run is None:
            return Reading(source_id, "failed", (f"{folder}: run.json cannot be read; move the folder away",)), ()
        try:
            with self._one_intake:
                taken = intake.take_in(engine, folder, self.config, self.knowledge, dry_run=dry_run)
        except intake.UnreadableRunError as error:
            return Reading(source_id, "failed", (f"{error}; move the folder away",)), ()
        except Exception as error:  # a run that cannot be taken in must not keep others from it
            _LOG.exception("%s could not be taken in", folder)
            return Reading(source_id, "failed", (f"{folder.name} could not be taken in: {error}",)), ()
        reading = Reading(
            source_id,
            taken.state,
            tuple(reason.message for reason in taken.reasons),
            dict(taken.events),
            taken.findings,
            sum(run.items.values()),
            run.known,
            run.requests,
        )
        return reading, tuple(taken.second_look)

    def take_in_waiting(self, engine: Engine, source_id: str) -> list[Reading]:
        """Runs of this source that are whole and were not taken in. Its lock must be held."""
        readings = []
        for source, folder in waiting_runs(engine, self.config):
            if source == source_id:
                self.listener.note(f"{source_id}: taking in {folder.name}, which an earlier pass left")
                reading, _ = self._take_in(engine, source_id, folder, dry_run=False)
                readings.append(self._tell(replace(reading, leftover=True)))
        return readings

    def _clear_parts(self, source_id: str) -> None:
        """Name what killed crawls of this source left; remove it when old. The source's lock is held: none is live."""
        for part in sorted(self.config.runs_folder.glob(f"{source_id}-*.part")):
            if source_of(part.name) != source_id:
                continue
            days = (time.time() - part.stat().st_mtime) / 86_400
            if days > PART_DAYS:
                shutil.rmtree(part)
                self.listener.note(
                    f"{source_id}: removed {part.name}, left by a crawl that was killed {days:.0f} days ago"
                )
            else:
                self.listener.note(f"{source_id}: {part.name} was left by a crawl that was killed; it is not taken in")

    def _tell(self, reading: Reading) -> Reading:
        self.listener.ended(reading)
        return reading


@contextmanager
def work_place(config: Config, dry_run: bool) -> Iterator[tuple[Engine, Path]]:
    """The database, brought up to date, and the folder for runs; for a dry run, places that vanish afterwards."""
    if not dry_run:
        config.runs_folder.mkdir(parents=True, exist_ok=True)
        engine = db.open_engine(config.database_url)
        try:
            upgrade(engine)
            yield engine, config.runs_folder
        finally:
            engine.dispose()
        return
    with tempfile.TemporaryDirectory(prefix="exowatch-dry-") as folder:
        runs = Path(folder) / "runs"
        runs.mkdir()
        empty = f"sqlite:///{folder}/empty.db"
        engine = db.open_engine(empty if _holds_nothing(config) else config.database_url)
        try:
            upgrade(engine)
            yield engine, runs
        finally:
            engine.dispose()


def _holds_nothing(config: Config) -> bool:
    """True if the database has no tables yet: a dry run must not be the one to make them."""
    if config.database_is_missing:
        return True
    engine = db.open_engine(config.database_url)
    try:
        return not inspect(engine).has_table("run")
    finally:
        engine.dispose()


def source_of(run_id: str) -> str:
    """The source's id in a run's id or folder name: ids of sources have no hyphen."""
    return run_id.partition("-")[0]


def read_run(folder: Path) -> RunRecord | None:
    """A run folder's run.json, or None if it cannot be read: intake says why."""
    try:
        return RunRecord.model_validate_json((folder / "run.json").read_bytes())
    except (OSError, ValidationError):
        return None


def waiting_runs(engine: Engine, config: Config) -> list[tuple[str, Path]]:
    """Whole run folders that were never taken in, oldest first. No replays (those are for hand), nor what shipped."""
    folders = sorted(
        (folder for folder in config.runs_folder.glob("*-*") if folder.suffix != ".part" and folder.is_dir()),
        key=lambda folder: folder.name.partition("-")[2],
    )
    known = _known_runs(engine, [folder.name for folder in folders])
    waiting = []
    for folder in folders:
        if folder.name in known:
            continue
        run = read_run(folder)
        if run is None or run.mode not in ("replay", "shipped"):
            waiting.append((source_of(folder.name), folder))
    return waiting


def _known_runs(engine: Engine, names: Sequence[str]) -> set[str]:
    known: set[str] = set()
    with db.reading(engine) as session:
        for start in range(0, len(names), 500):
            known |= set(session.exec(select(Run.id).where(col(Run.id).in_(names[start : start + 500]))))
    return known


def _last_event(engine: Engine) -> int:
    with db.reading(engine) as session:
        return session.exec(select(func.max(Event.id))).one() or 0


def match_since(engine: Engine, config: Config, last: int) -> int:
    """Match the events after number `last` against the watchlists; gives the number of matches that stand now."""
    with db.transaction(engine) as session:
        events = session.exec(select(Event).where(col(Event.id) > last).order_by(col(Event.id))).all()
        return watchlists.record_matches(session, events, config.watchlists, now=now(config))


def chosen_sources(config: Config, asked: Iterable[str] = ()) -> tuple[str, ...]:
    """Ids of the sources to read: those that are on, or those asked for, whether on or not."""
    on = [source for source, choice in config.sources.items() if choice.on]
    on += [site.source_id for site in config.sites if site.on]
    return tuple(dict.fromkeys(asked)) or tuple(on)
