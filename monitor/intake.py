"""Run folder → database: one transaction, or quarantine with reasons. The same folder twice changes nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, select

from monitor import health, notices, pages
from monitor.config import Config
from monitor.db import reading
from monitor.history import Chronicle
from monitor.knowledge import Knowledge
from monitor.models import Capture, Cause, EventKind, Run, RunState, SeenItem, Source
from monitor.records import KnownItem, NoticeRecord, PageRecord, PageState, RunRecord
from monitor.runfolder import RunFolder, UnreadableRunError, open_run_folder
from monitor.watchlists import record_matches

REASONS_FILE = "QUARANTINED.json"
_NOT_THE_SOURCES_FAULT = ("stopped", "not_started", "cut_short")
"""A run that we stopped says nothing about the source: it stays as it was."""


@dataclass(frozen=True)
class TakenIn:
    """What came of a run folder."""

    run_id: str
    source_id: str
    state: str
    """`taken_in`, `quarantined`, or `already` (it had been dealt with before)."""
    reasons: tuple[health.Reason, ...] = ()
    events: Mapping[str, int] = field(default_factory=dict)
    """Events written, by kind."""
    findings: int = 0
    """Live claims of the source with a current finding, after this run."""
    second_look: tuple[str, ...] = ()
    """Pages that lacked something once and ask for a second reading."""


class _DryRunError(Exception):
    """Leaves the transaction of a dry run, so that nothing of it stays."""


def take_in(
    engine: Engine,
    folder: Path,
    config: Config,
    knowledge: Knowledge,
    *,
    now: datetime | None = None,
    dry_run: bool = False,
) -> TakenIn:
    """Judge a run's fitness and take it in, or put it in quarantine.

    Raises UnreadableRunError if the folder is not a whole, unaltered run folder.
    """
    opened = open_run_folder(folder)
    result: TakenIn | None = None
    try:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            result = _take_in(session, opened, config, knowledge, now or opened.run.finished_at)
            if dry_run:
                raise _DryRunError
    except _DryRunError:
        pass
    assert result is not None  # noqa: S101  # set before anything can leave the block without an error
    if result.state == RunState.QUARANTINED and not dry_run:
        _write_reasons(folder, result.reasons)
    return result


def _take_in(session: Session, folder: RunFolder, config: Config, knowledge: Knowledge, now: datetime) -> TakenIn:
    run = folder.run
    known = session.get(Run, run.run_id)
    if known is not None:
        return TakenIn(run.run_id, run.source, "already", tuple(health.Reason(**reason) for reason in known.reasons))
    reasons = health.check(run, folder.records)
    fit = not any(reason.level == "error" for reason in reasons)
    source = _source_of(session, run, fit)
    row = Run(
        id=run.run_id,
        source_id=source.id,
        state=RunState.TAKEN_IN if fit else RunState.QUARANTINED,
        reasons=[reason.to_json() for reason in reasons],
        started_at=run.started_at,
        finished_at=run.finished_at,
        taken_in_at=now,
        folder=_relative(folder.path, config.data),
        record=run.model_dump(mode="json"),
    )
    session.add(row)
    session.flush()
    chronicle = Chronicle(session, run_id=run.run_id, source_id=source.id, baseline=source.baseline_run == run.run_id)
    second_look: tuple[str, ...] = ()
    if fit:
        second_look = _take_records(session, folder, source, config, knowledge, chronicle)
    _settle_source(source, run, reasons, chronicle)
    row.changes = dict(Counter(event.kind for event in chronicle.events))
    session.add(row)
    record_matches(session, chronicle.events, config.watchlists, now=now)
    return TakenIn(
        run_id=run.run_id,
        source_id=source.id,
        state=row.state,
        reasons=reasons,
        events=row.changes,
        findings=pages.standing_claims(session, source.id),
        second_look=second_look,
    )


def _source_of(session: Session, run: RunRecord, fit: bool) -> Source:
    source = session.get(Source, run.source)
    if source is None:
        source = Source(
            id=run.source,
            title=run.card.title,
            jurisdiction=run.card.jurisdiction,
            kind=run.card.kind,
            card={},
            state_since=run.finished_at,
        )
    source.title, source.jurisdiction, source.kind = run.card.title, run.card.jurisdiction, run.card.kind
    source.card = run.card.model_dump(mode="json")
    if fit and source.baseline_run is None and not run.request.pages:
        source.baseline_run, source.baseline_at = run.run_id, run.started_at
    session.add(source)
    session.flush()
    return source


def _take_records(
    session: Session, folder: RunFolder, source: Source, config: Config, knowledge: Knowledge, chronicle: Chronicle
) -> tuple[str, ...]:
    _store_captures(session, folder)
    for record in folder.records:
        if isinstance(record, NoticeRecord):
            notices.take_in(session, record, folder, knowledge, chronicle, read_since=source.baseline_at)
    second_look = pages.take_in(
        session,
        [record for record in folder.records if isinstance(record, PageRecord)],
        folder,
        site=config.site_of(source.id),
        jurisdictions=config.jurisdictions,
        knowledge=knowledge,
        chronicle=chronicle,
    )
    _remember_seen(session, folder)
    if chronicle.baseline:
        chronicle.write(
            EventKind.BASELINE_READ,
            Cause.SOURCE,
            object_kind="source",
            object_id=source.id,
            at=folder.run.finished_at,
            jurisdictions=[source.jurisdiction],
            detail={"title": source.title, "brought": dict(Counter(event.kind for event in chronicle.events))},
            baseline=False,
        )
    if any(not event.baseline for event in chronicle.events):
        source.last_new_item_at = folder.run.finished_at
    return second_look


def _store_captures(session: Session, folder: RunFolder) -> None:
    wanted: dict[str, None] = {}
    for record in folder.records:
        wanted.update(dict.fromkeys(record.captures if isinstance(record, NoticeRecord) else (record.capture,)))
    for capture_id in wanted:
        capture = folder.capture(capture_id)
        if session.get(Capture, capture.id) is None:
            session.add(Capture(run_id=folder.run.run_id, **capture.model_dump(exclude={"redirected_from", "ip"})))
    session.flush()


def _remember_seen(session: Session, folder: RunFolder) -> None:
    at = folder.run.finished_at
    marks = {
        record.url: record
        for record in folder.records
        if isinstance(record, PageRecord) and record.state is not PageState.GONE
    }
    for key, digest in folder.run.seen.items():
        item = session.get(SeenItem, (folder.run.source, key))
        if item is None:
            item = SeenItem(source_id=folder.run.source, key=key, read_at=at)
        item.digest = digest
        if key in marks:
            item.etag, item.last_modified, item.read_at = marks[key].etag, marks[key].last_modified, at
        session.add(item)


def _settle_source(source: Source, run: RunRecord, reasons: tuple[health.Reason, ...], chronicle: Chronicle) -> None:
    """Seeing or blind: one event when a source goes blind, one when it recovers, none in between."""
    error = next((reason for reason in reasons if reason.level == "error"), None)
    source.last_run_at = run.finished_at
    if error is None:
        if source.state == "blind":
            detail = {
                "title": source.title,
                "blind_since": source.state_since.isoformat(),
                "reason": source.state_reason,
            }
            _about_source(chronicle, EventKind.SOURCE_RECOVERED, source, run, detail)
        if source.state != "ok":
            source.state, source.state_since, source.state_reason = "ok", run.finished_at, ""
        source.last_success_at = run.finished_at
    elif error.code not in _NOT_THE_SOURCES_FAULT:
        if source.state != "blind":
            last = source.last_success_at.isoformat() if source.last_success_at else ""
            detail = {"title": source.title, "code": error.code, "reason": error.message, "last_success": last}
            _about_source(chronicle, EventKind.SOURCE_BLIND, source, run, detail)
            source.state, source.state_since = "blind", run.finished_at
        source.state_reason = error.message


def _about_source(
    chronicle: Chronicle, kind: EventKind, source: Source, run: RunRecord, detail: dict[str, Any]
) -> None:
    chronicle.write(
        kind,
        Cause.SOURCE,
        object_kind="source",
        object_id=source.id,
        at=run.finished_at,
        jurisdictions=[source.jurisdiction],
        detail=detail,
        baseline=False,
    )


def _relative(path: Path, data: Path) -> str:
    """Where the folder lies, seen from the data folder: the data folder can then be moved as a whole."""
    try:
        return path.resolve().relative_to(data.resolve()).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _write_reasons(folder: Path, reasons: tuple[health.Reason, ...]) -> None:
    text = json.dumps([reason.to_json() for reason in reasons], ensure_ascii=False, indent=2)
    (folder / REASONS_FILE).write_text(text + "\n", encoding="utf-8")


def known_items(engine: Engine, source_id: str) -> Iterator[KnownItem]:
    """What the next run of a source may leave out."""
    with reading(engine) as session:
        for item in session.exec(select(SeenItem).where(SeenItem.source_id == source_id).order_by(SeenItem.key)):
            yield KnownItem(
                key=item.key, digest=item.digest, etag=item.etag, last_modified=item.last_modified, read_at=item.read_at
            )


__all__ = ["REASONS_FILE", "TakenIn", "UnreadableRunError", "known_items", "take_in"]
