"""What may be removed of old runs: those that nothing rests on. A finding's evidence is never among them.

A run is kept where any row of the database points at it or at one of its captures: page versions (what claims and
their findings are read from), revisions of notices, events, registers. The rule is read off the database's own foreign
keys, so that a table that comes later keeps its runs too. The newest good run of each source is kept as well.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnClause, Engine, column, inspect, table
from sqlalchemy import select as pick
from sqlmodel import Session, col, select

from monitor.config import Config
from monitor.evidence.chain import add_pruned, pruned_runs
from monitor.evidence.runfolder import ARCHIVE, EvidenceError
from monitor.evidence.storage import storage_of, stored_in
from monitor.tables.db import reading
from monitor.tables.models import Capture, Run, RunState

KEPT_FILES = ("run.json", "QUARANTINED.json")
"""What stays of a pruned run: what it was and met, and the digests of all that was removed."""


@dataclass(frozen=True)
class Prunable:
    """A run that may go, and what that frees."""

    run_id: str
    folder: Path
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Plan:
    """What a rule would remove, and what it leaves although it is old enough."""

    prunable: tuple[Prunable, ...]
    kept: int
    """Old runs that something rests on."""


def plan(engine: Engine, config: Config, before: datetime) -> Plan:
    """Which runs that ended before this moment may go. Raises EvidenceError if the chain cannot be read."""
    gone = pruned_runs(config)
    with reading(engine) as session:
        old = session.exec(select(Run).where(col(Run.finished_at) < before).order_by(col(Run.finished_at))).all()
        needed = _needed(session) | _newest(session)
    prunable = []
    for run in (one for one in old if one.id not in needed):
        folder = config.data / run.folder
        size = sum(path.stat().st_size for path in _removable(folder))
        if size or run.id not in gone:
            prunable.append(Prunable(run.id, folder, size))
    return Plan(tuple(prunable), kept=sum(run.id in needed for run in old))


def prune(config: Config, planned: Plan, now: datetime, rule: str) -> None:
    """Remove them, each noted in the chain first: killed in between, the next pruning goes on. Raises EvidenceError."""
    for one in planned.prunable:
        add_pruned(config, one.run_id, one.folder, now, f"{rule}; nothing that is held rests on it")
        _remove_copy(config, one.folder)
        for path in _removable(one.folder):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _remove_copy(config: Config, folder: Path) -> None:
    """Before what is here: while that is there, the next pruning comes back to it. Raises EvidenceError."""
    stored = stored_in(folder)
    if stored is None:
        return
    storage = storage_of(config)
    if storage is None or storage.root != stored.storage:
        raise EvidenceError(
            f"{folder.name}: has a copy in {stored.storage}; name that in evidence: storage: to remove it"
        )
    storage.remove(folder.name, [name for name in stored.files if name not in KEPT_FILES])


def unstored(engine: Engine, config: Config) -> list[Path]:
    """Folders of runs whose files are not in the configured storage yet, oldest first. Raises EvidenceError."""
    gone, storage = pruned_runs(config), storage_of(config)
    with reading(engine) as session:
        runs = session.exec(select(Run).order_by(col(Run.finished_at))).all()
    folders = [config.data / run.folder for run in runs if run.id not in gone]
    return [
        folder
        for folder in folders
        if storage is not None
        and (folder / ARCHIVE).exists()
        and ((held := stored_in(folder)) is None or held.storage != storage.root)
    ]


def droppable(engine: Engine, config: Config, before: datetime) -> list[Path]:
    """Folders of runs that ended before this moment, were copied, and still have their archive here."""
    with reading(engine) as session:
        runs = session.exec(select(Run).where(col(Run.finished_at) < before).order_by(col(Run.finished_at))).all()
    folders = [config.data / run.folder for run in runs]
    return [folder for folder in folders if (folder / ARCHIVE).exists() and stored_in(folder) is not None]


def _removable(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name not in KEPT_FILES] if folder.is_dir() else []


def _needed(session: Session) -> set[str]:
    """Runs that some row points at, whatever its table: directly, or through one of the run's captures."""
    needed: set[str] = set()
    inspector = inspect(session.connection())
    for name in inspector.get_table_names():
        if name in (Run.__tablename__, Capture.__tablename__):
            continue
        for key in inspector.get_foreign_keys(name):
            pointing: ColumnClause[str] = column(key["constrained_columns"][0])
            held = pick(pointing).select_from(table(name)).where(pointing.is_not(None))
            if key["referred_table"] == Run.__tablename__:
                needed.update(session.scalars(held.distinct()))
            elif key["referred_table"] == Capture.__tablename__:
                needed.update(session.scalars(pick(col(Capture.run_id)).where(col(Capture.id).in_(held)).distinct()))
    return needed


def _newest(session: Session) -> set[str]:
    newest: dict[str, str] = {}
    statement = select(Run).where(Run.state == RunState.TAKEN_IN).order_by(col(Run.finished_at))
    for run in session.exec(statement):
        newest[run.source_id] = run.id
    return set(newest.values())
