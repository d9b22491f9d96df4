"""Taking a clinical trial in. A registry lists what sponsors enter: being on it is no approval of any kind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from monitor import search
from monitor.classify.relevance import tier
from monitor.evidence.runfolder import RunFolder
from monitor.history import Chronicle
from monitor.intake.revising import add_revision, changes, content_of, digest_of, held_content, is_history, latest
from monitor.knowledge import Knowledge
from monitor.records import TrialRecord
from monitor.tables.db import id_of
from monitor.tables.models import Cause, EventKind
from monitor.tables.registers import Trial

STATUS = ("status", "why_stopped", "has_results")
"""Fields whose change is told; every other change is kept as a revision."""


def take_in(
    session: Session,
    record: TrialRecord,
    folder: RunFolder,
    knowledge: Knowledge,
    chronicle: Chronicle,
    *,
    read_since: datetime | None,
) -> None:
    """Add the trial, add a revision to it, or note that it was seen again."""
    seen = folder.capture(record.captures[0]).fetched_at
    held = session.exec(select(Trial).where(Trial.source_id == record.source, Trial.key == record.key)).first()
    if held is None:
        baseline = is_history(chronicle, record.posted, read_since)
        trial = Trial(
            source_id=record.source,
            key=record.key,
            first_seen=seen,
            baseline=baseline,
            **_fields(record, seen, knowledge),
        )
        session.add(trial)
        session.flush()
        add_revision(session, id_of(trial), record, seen, chronicle)
        _index(session, trial)
        _tell(EventKind.TRIAL_REGISTERED, trial, chronicle, seen, {}, baseline=baseline)
    else:
        _update(session, held, record, seen, knowledge, chronicle)


def _update(
    session: Session, trial: Trial, record: TrialRecord, seen: datetime, knowledge: Knowledge, chronicle: Chronicle
) -> None:
    trial.last_seen = seen
    session.add(trial)
    before = latest(session, "trial", id_of(trial), record.source)
    changed = changes(held_content(before.record if before else {}), content_of(record))
    if not changed:
        return
    for key, value in _fields(record, seen, knowledge).items():
        setattr(trial, key, value)
    add_revision(session, id_of(trial), record, seen, chronicle)
    _index(session, trial)
    told = {key: changed[key] for key in STATUS if key in changed}
    if told:
        _tell(EventKind.TRIAL_STATUS_CHANGED, trial, chronicle, seen, {"changes": told}, baseline=chronicle.baseline)


def _fields(record: TrialRecord, seen: datetime, knowledge: Knowledge) -> dict[str, Any]:
    told = "\n".join((*record.interventions, record.text))
    found = tier(record.title, record.summary, told, knowledge.relevance)
    return {
        **record.model_dump(exclude={"kind", "source", "key", "captures", "references"}),
        **{name: list(getattr(record, name)) for name in _LISTS},
        "tier": found.tier,
        "tier_terms": [{"term": term["term"], "quote": term["quote"]} for term in found.terms],
        "content_digest": digest_of(content_of(record)),
        "capture_id": record.captures[0],
        "last_seen": seen,
    }


_LISTS = ("phases", "conditions", "interventions", "countries", "unread")


def _index(session: Session, trial: Trial) -> None:
    search.index(
        session,
        "trial",
        id_of(trial),
        title=trial.title,
        body="\n".join(
            [trial.key, trial.sponsor, *trial.conditions, *trial.interventions, trial.summary, trial.text, trial.status]
        ),
        jurisdictions=[trial.jurisdiction],
        seen_at=trial.first_seen,
    )


def _tell(
    kind: EventKind, trial: Trial, chronicle: Chronicle, seen: datetime, more: dict[str, Any], *, baseline: bool
) -> None:
    chronicle.write(
        kind,
        Cause.SOURCE,
        object_kind="trial",
        object_id=id_of(trial),
        at=seen,
        jurisdictions=[trial.jurisdiction],
        detail={
            "title": trial.title,
            "url": trial.url,
            "key": trial.key,
            "status": trial.status,
            "tier": trial.tier,
            "organisations": [trial.sponsor] if trial.sponsor else [],
            "posted": trial.posted.isoformat() if trial.posted else "",
            **more,
        },
        baseline=baseline,
    )
