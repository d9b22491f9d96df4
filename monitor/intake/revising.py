"""What taking any record in has in common: what a document says, its digest, what changed in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, func, select

from monitor.history import Chronicle
from monitor.records import AnyRecord, AuthorisationRecord, PublicationRecord, TrialRecord
from monitor.tables.registers import RecordRevision

_NOT_CONTENT = frozenset({"kind", "source", "key", "captures", "unread"})
"""Of a record: how we came by it, not what its publisher says."""
_LONGEST_TOLD = 300
Revised = TrialRecord | PublicationRecord | AuthorisationRecord


def content_of(record: AnyRecord) -> dict[str, Any]:
    """What the publisher says in it, as plain data."""
    return record.model_dump(mode="json", exclude=set(_NOT_CONTENT))


def held_content(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a stored record, with just the fields that were read at that time."""
    return {key: value for key, value in stored.items() if key not in _NOT_CONTENT}


def digest_of(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Fields whose value changed. A field that we have learnt to read since is no change of the document."""
    return {
        key: {"before": _short(before[key]), "after": _short(value)}
        for key, value in after.items()
        if key in before and before[key] != value
    }


def _short(value: Any) -> Any:
    return value if not isinstance(value, str) or len(value) <= _LONGEST_TOLD else value[: _LONGEST_TOLD - 1] + "…"


def is_history(chronicle: Chronicle, published: date | None, read_since: datetime | None) -> bool:
    """True for what a first reading brings, and for what was published before it: a long list takes several runs."""
    return chronicle.baseline or (read_since is not None and published is not None and published < read_since.date())


def latest(session: Session, kind: str, object_id: int, source_id: str) -> RecordRevision | None:
    """The last version of an object that a source had."""
    statement = select(RecordRevision).where(
        RecordRevision.object_kind == kind,
        RecordRevision.object_id == object_id,
        RecordRevision.source_id == source_id,
    )
    return session.exec(statement.order_by(col(RecordRevision.number).desc()).limit(1)).first()


def add_revision(
    session: Session, object_id: int, record: Revised, seen: datetime, chronicle: Chronicle
) -> RecordRevision:
    """Keep this version, whole."""
    held = select(func.max(RecordRevision.number)).where(
        RecordRevision.object_kind == record.kind,
        RecordRevision.object_id == object_id,
        RecordRevision.source_id == record.source,
    )
    made = RecordRevision(
        object_kind=record.kind,
        object_id=object_id,
        source_id=record.source,
        number=(session.exec(held).one() or 0) + 1,
        run_id=chronicle.run,
        capture_id=record.captures[0],
        seen_at=seen,
        content_digest=digest_of(content_of(record)),
        record=record.model_dump(mode="json"),
    )
    session.add(made)
    return made


__all__ = ["add_revision", "changes", "content_of", "digest_of", "held_content", "is_history", "latest"]
