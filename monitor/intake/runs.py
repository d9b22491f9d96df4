"""Run folder → database: one transaction, or quarantine with reasons. The same folder twice changes nothing."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, assert_never

from sqlalchemy import Engine, insert
from sqlmodel import Session, col, select

from monitor.approved import informed
from monitor.clock import cadence_of, is_on
from monitor.config import Config
from monitor.evidence.chain import add_run, relative
from monitor.evidence.runfolder import RunFolder, UnreadableRunError, open_run_folder
from monitor.history import Chronicle
from monitor.intake import authorisations, health, notices, publications, trials
from monitor.knowledge import Knowledge
from monitor.market import pages
from monitor.records import (
    LIST_KEY,
    AnyRecord,
    AuthorisationRecord,
    HeldCapture,
    KnownItem,
    NoticeRecord,
    PageRecord,
    PageState,
    PublicationRecord,
    RunRecord,
    TrialRecord,
    captures_of,
)
from monitor.search import index_organisations, newest_alias
from monitor.tables.db import reading
from monitor.tables.models import Capture, Cause, Event, EventKind, Run, RunState, SeenItem, Source
from monitor.watching.watchlists import record_matches

UNSEEING = ("blind", "stale")
"""States in which a source is not seen: one event when it comes to that, one when it is over."""
REASONS_FILE = "QUARANTINED.json"
_NOT_THE_SOURCES_FAULT = ("stopped", "not_started", "cut_short")
"""A run that we stopped says nothing about the source: it stays as it was."""
_ASKED_TOGETHER = 900
"""Below SQLite's oldest limit of 999 bound values."""
_LOOKED_BACK = 30
"""Runs in which the last one with enough records is looked for."""
_KEPT_OF_CAPTURES = (
    "id", "url", "fetched_at", "status", "content_type", "payload_sha256", "offset", "length",
)  # fmt: skip
_UNMARKED = {"etag": "", "last_modified": "", "capture_id": None}
_OBJECTS_BETWEEN = 20_000
"""Made and not gone again before Python looks for rings among them; its own 700 are a tenth of a page."""


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
        with _collecting_rarely(), Session(engine, expire_on_commit=False) as session, session.begin():
            result = _take_in(session, opened, config, knowledge, now or opened.run.finished_at)
            if dry_run:
                raise _DryRunError
            # before the commit: a run that is in the database is in the chain, wherever this process is killed
            add_run(config, opened.run.run_id, opened.path, now or opened.run.finished_at)
    except _DryRunError:
        pass
    assert result is not None  # noqa: S101  # set before anything can leave the block without an error
    if result.state == RunState.QUARANTINED and not dry_run:
        _write_reasons(folder, result.reasons)
    return result


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """A page makes tens of thousands of short-lived objects: looking for rings among them, and through all of the
    knowledge now and then, would take a fifth of the time.
    """
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(max(_OBJECTS_BETWEEN, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _take_in(session: Session, folder: RunFolder, config: Config, knowledge: Knowledge, now: datetime) -> TakenIn:
    run = folder.run
    known = session.get(Run, run.run_id)
    if known is not None:
        return TakenIn(run.run_id, run.source, "already", tuple(health.Reason(**reason) for reason in known.reasons))
    reasons = health.check(run, folder.records, _earlier(session, run))
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
        folder=relative(folder.path, config.data),
        record=run.model_dump(mode="json"),
        filled=health.shares(folder.records) if fit else {},
    )
    session.add(row)
    session.flush()
    chronicle = Chronicle(session, run_id=run.run_id, source_id=source.id, baseline=source.baseline_run == run.run_id)
    second_look: tuple[str, ...] = ()
    alias = newest_alias(session)
    if fit:
        second_look = _take_records(session, folder, source, config, knowledge, chronicle)
    _settle_source(source, run, reasons, chronicle)
    row.changes = dict(Counter(event.kind for event in chronicle.events))
    session.add(row)
    index_organisations(session, alias)
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


def _earlier(session: Session, run: RunRecord) -> health.Earlier:
    """What the good readings before this one were like; a second look at some pages is none."""
    statement = select(Run).where(Run.source_id == run.source, Run.state == RunState.TAKEN_IN)
    rows = session.exec(statement.order_by(col(Run.finished_at).desc()).limit(_LOOKED_BACK)).all()
    before = [row for row in rows if not row.record["request"]["pages"]]
    last = before[: health.RUNS_FOR_ALWAYS]
    return health.Earlier(
        filled=next((row.filled for row in before if row.filled), {}),
        always_listed=len(last) == health.RUNS_FOR_ALWAYS
        and all(row.record["listed"] or row.record.get("unchanged") for row in last),
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
        _take_record(session, record, folder, knowledge, chronicle, source.baseline_at)
    second_look = pages.take_in(
        session,
        [record for record in folder.records if isinstance(record, PageRecord)],
        folder,
        site=config.site_of(source.id),
        jurisdictions=config.jurisdictions,
        knowledge=informed(session, knowledge) if source.kind == "page" else knowledge,
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


def _take_record(
    session: Session,
    record: AnyRecord,
    folder: RunFolder,
    knowledge: Knowledge,
    chronicle: Chronicle,
    read_since: datetime | None,
) -> None:
    """Take one record in by its kind. Pages are taken in together, afterwards: their claims belong to the site."""
    match record:
        case NoticeRecord():
            notices.take_in(session, record, folder, knowledge, chronicle, read_since=read_since)
        case TrialRecord():
            trials.take_in(session, record, folder, knowledge, chronicle, read_since=read_since)
        case PublicationRecord():
            publications.take_in(session, record, folder, knowledge, chronicle, read_since=read_since)
        case AuthorisationRecord():
            authorisations.take_in(session, record, folder, chronicle, read_since=read_since)
        case PageRecord():
            pass
        case _:
            assert_never(record)


def _store_captures(session: Session, folder: RunFolder) -> None:
    wanted: dict[str, None] = {}
    for record in folder.records:
        wanted.update(dict.fromkeys(captures_of(record)))
    captures = [folder.capture(capture_id) for capture_id in wanted]
    known = {row.id for row in _rows(session, Capture, Capture.id, [capture.id for capture in captures])}
    new = [
        {"run_id": folder.run.run_id} | {name: getattr(capture, name) for name in _KEPT_OF_CAPTURES}
        for capture in captures
        if capture.id not in known
    ]
    if new:
        session.execute(insert(Capture), new)


def _rows(session: Session, table: Any, column: Any, values: Sequence[str], *where: Any) -> Iterator[Any]:
    """Rows of a table that have one of some values: asked for together, for a site has thousands."""
    for first in range(0, len(values), _ASKED_TOGETHER):
        some = col(column).in_(values[first : first + _ASKED_TOGETHER])
        yield from session.exec(select(table).where(some, *where))


def _remember_seen(session: Session, folder: RunFolder) -> None:
    at = folder.run.finished_at
    marks = {
        record.url: record
        for record in folder.records
        if isinstance(record, PageRecord) and record.state is not PageState.GONE
    }
    seen = folder.run.seen | _whole_lists(folder.run)
    of_source = SeenItem.source_id == folder.run.source
    held = {item.key: item for item in _rows(session, SeenItem, SeenItem.key, list(seen), of_source)}
    new: list[dict[str, Any]] = []
    for key, digest in seen.items():
        values: dict[str, Any] = {"digest": digest}
        mark = marks.get(key) or (
            folder.run.lists.get(key.removeprefix(LIST_KEY)) if key.startswith(LIST_KEY) else None
        )
        if mark is not None:
            values |= {"etag": mark.etag, "last_modified": mark.last_modified, "read_at": at}
        if isinstance(mark, PageRecord) and mark.state is PageState.READ:
            values["capture_id"] = mark.capture if mark.etag or mark.last_modified else None
        if key not in held:
            new.append({"source_id": folder.run.source, "key": key} | _UNMARKED | {"read_at": at} | values)
            continue
        for name, value in values.items():
            setattr(held[key], name, value)
        session.add(held[key])
    if new:
        session.execute(insert(SeenItem), new)


def _whole_lists(run: RunRecord) -> dict[str, str]:
    """Lists that need not be read again while they are unchanged: those of which this run left nothing unread."""
    bounded = run.request.limit is not None or any(problem.kind == "limit_reached" for problem in run.problems)
    if bounded or run.finish_reason != "finished" or not all(run.seen.values()):
        return {}
    return {f"{LIST_KEY}{address}": state.asked for address, state in run.lists.items()}


def _settle_source(source: Source, run: RunRecord, reasons: tuple[health.Reason, ...], chronicle: Chronicle) -> None:
    """Seeing or blind: one event when a source goes blind, one when it recovers, none in between."""
    error = next((reason for reason in reasons if reason.level == "error"), None)
    source.last_run_at = run.finished_at
    if error is None:
        if source.state in UNSEEING:
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
        if source.state not in UNSEEING:
            last = source.last_success_at.isoformat() if source.last_success_at else ""
            detail = {"title": source.title, "code": error.code, "reason": error.message, "last_success": last}
            _about_source(chronicle, EventKind.SOURCE_BLIND, source, run, detail)
            source.state_since = run.finished_at
        source.state, source.state_reason = "blind", error.message


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


def note_stale(session: Session, config: Config, now: datetime) -> list[Event]:
    """Tell, once each, of sources that have not been read well for too long, though no reading of them failed."""
    told = []
    for source in session.exec(select(Source).where(Source.state == "ok").order_by(Source.id)):
        cadence = cadence_of(config, source.id)
        if not is_on(config, source.id) or not health.is_stale(source.last_success_at, cadence, now):
            continue
        assert source.last_success_at is not None  # noqa: S101  # one that was never read is not stale
        reason = health.stale_reason(source.last_success_at, cadence, now)
        last = source.last_success_at.isoformat()
        chronicle = Chronicle(session, run_id=None, source_id=source.id, baseline=False, occasion=f"since {last}")
        chronicle.write(
            EventKind.SOURCE_BLIND,
            Cause.SOURCE,
            object_kind="source",
            object_id=source.id,
            at=now,
            jurisdictions=[source.jurisdiction],
            detail={"title": source.title, "code": "stale", "reason": reason, "last_success": last},
        )
        source.state, source.state_since, source.state_reason = "stale", now, reason
        session.add(source)
        told += chronicle.events
    return told


def _write_reasons(folder: Path, reasons: tuple[health.Reason, ...]) -> None:
    text = json.dumps([reason.to_json() for reason in reasons], ensure_ascii=False, indent=2)
    (folder / REASONS_FILE).write_text(text + "\n", encoding="utf-8")


def known_items(engine: Engine, source_id: str) -> Iterator[KnownItem]:
    """What the next run of a source may leave out."""
    with reading(engine) as session:
        of_source = select(SeenItem, Capture).where(SeenItem.source_id == source_id).order_by(SeenItem.key)
        for item, held in session.exec(of_source.join(Capture, col(Capture.id) == SeenItem.capture_id, isouter=True)):
            yield KnownItem(
                key=item.key,
                digest=item.digest,
                etag=item.etag,
                last_modified=item.last_modified,
                read_at=item.read_at,
                capture=_named(held),
            )


def _named(capture: Capture | None) -> HeldCapture | None:
    return HeldCapture(id=capture.id, url=capture.url, fetched_at=capture.fetched_at) if capture else None


__all__ = ["REASONS_FILE", "UNSEEING", "TakenIn", "UnreadableRunError", "known_items", "note_stale", "take_in"]
