"""Taking a regulator's notice in: its tier, its revisions, the organisations it names."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from sqlmodel import Session, func, select

from monitor import organisations, search
from monitor.classify.relevance import tier
from monitor.db import id_of
from monitor.history import Chronicle
from monitor.knowledge import Knowledge
from monitor.models import Cause, EventKind, Notice, NoticeOrganisation, NoticeRevision, Organisation
from monitor.records import NoticeRecord, NoticeType
from monitor.runfolder import RunFolder

_NOT_CONTENT = {"kind", "source", "key", "captures", "unread"}
"""Of a record: how we came by it, not what the regulator says."""
_LETTERS = (NoticeType.WARNING_LETTER, NoticeType.UNTITLED_LETTER)


def take_in(
    session: Session,
    record: NoticeRecord,
    folder: RunFolder,
    knowledge: Knowledge,
    chronicle: Chronicle,
    *,
    read_since: datetime | None,
) -> None:
    """Add the notice, add a revision to it, or note that it was seen again.

    `read_since`: when its source was read first. A long list takes several runs to read for the first time; what was
    published before that moment is history in each of them.
    """
    seen = folder.capture(record.captures[0]).fetched_at
    notice = session.exec(select(Notice).where(Notice.source_id == record.source, Notice.key == record.key)).first()
    if notice is None:
        published = record.posted or record.issued
        earlier = read_since is not None and published is not None and published < read_since.date()
        _add(session, record, seen, knowledge, chronicle, baseline=chronicle.baseline or earlier)
    else:
        _update(session, notice, record, seen, knowledge, chronicle)


def content_of(record: NoticeRecord) -> dict[str, Any]:
    """What the regulator says in it, as plain data."""
    return record.model_dump(mode="json", exclude=_NOT_CONTENT)


def digest_of(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _add(
    session: Session,
    record: NoticeRecord,
    seen: datetime,
    knowledge: Knowledge,
    chronicle: Chronicle,
    *,
    baseline: bool,
) -> None:
    fields = _fields(record, seen, knowledge)
    notice = Notice(source_id=record.source, key=record.key, first_seen=seen, baseline=baseline, **fields)
    session.add(notice)
    session.flush()
    _add_revision(session, notice, record, seen, chronicle)
    named = _tie_organisations(session, notice, record, seen)
    _index(session, notice, named)
    chronicle.write(
        EventKind.NOTICE_PUBLISHED,
        Cause.SOURCE,
        object_kind="notice",
        object_id=id_of(notice),
        at=seen,
        jurisdictions=[notice.jurisdiction],
        detail=_detail(notice, named),
        baseline=baseline,
    )


def _update(
    session: Session, notice: Notice, record: NoticeRecord, seen: datetime, knowledge: Knowledge, chronicle: Chronicle
) -> None:
    held = NoticeRecord.model_validate(_latest(session, notice).record)
    if record.unread and not record.text and held.text:
        # The document was not read this time: what is held of it stays, the list's own fields move on.
        record = record.model_copy(update={"text": held.text, "quoted_urls": held.quoted_urls})
    notice.last_seen = seen
    before, after = content_of(held), content_of(record)
    changed = [key for key in after if key in before and after[key] != before[key]]
    if changed:
        for key, value in _fields(record, seen, knowledge).items():
            setattr(notice, key, value)
        _add_revision(session, notice, record, seen, chronicle)
        named = _tie_organisations(session, notice, record, seen)
        _index(session, notice, named)
        changes = {key: _change(before[key], after[key]) for key in changed}
        if "text" in changes and not held.text:
            changes["text"] = {"note": "read for the first time; only its list entry was known"}
        chronicle.write(
            EventKind.NOTICE_UPDATED,
            Cause.SOURCE,
            object_kind="notice",
            object_id=id_of(notice),
            at=seen,
            jurisdictions=[notice.jurisdiction],
            detail={**_detail(notice, named), "changes": changes},
        )
    session.add(notice)


def _latest(session: Session, notice: Notice) -> NoticeRevision:
    return session.exec(
        select(NoticeRevision).where(NoticeRevision.notice_id == notice.id).order_by(NoticeRevision.number.desc())  # type: ignore[attr-defined]
    ).first() or _missing_revision(notice)


def _missing_revision(notice: Notice) -> NoticeRevision:
    raise LookupError(f"notice {notice.id} ({notice.key}) has no revision; the database was altered by hand")


def _change(before: Any, after: Any) -> dict[str, Any]:
    def short(value: Any) -> Any:
        return value if not isinstance(value, str) or len(value) <= 300 else value[:299] + "…"

    return {"before": short(before), "after": short(after)}


def _fields(record: NoticeRecord, seen: datetime, knowledge: Knowledge) -> dict[str, Any]:
    found = tier(record.title, record.summary, record.text, knowledge.relevance)
    return {
        "notice_type": record.notice_type,
        "title": record.title,
        "url": record.url,
        "authority": record.authority,
        "jurisdiction": record.jurisdiction,
        "language": record.language,
        "issued": record.issued,
        "posted": record.posted,
        "updated": record.updated,
        "summary": record.summary,
        "text": record.text,
        "tier": found.tier,
        "tier_terms": list(found.terms),
        "unread": list(record.unread),
        "content_digest": digest_of(content_of(record)),
        "capture_id": record.captures[0],
        "last_seen": seen,
    }


def _add_revision(session: Session, notice: Notice, record: NoticeRecord, seen: datetime, chronicle: Chronicle) -> None:
    count = session.exec(
        select(func.count()).select_from(NoticeRevision).where(NoticeRevision.notice_id == notice.id)
    ).one()
    session.add(
        NoticeRevision(
            notice_id=id_of(notice),
            number=count + 1,
            run_id=chronicle.run,
            capture_id=record.captures[0],
            seen_at=seen,
            content_digest=notice.content_digest,
            record=record.model_dump(mode="json"),
        )
    )


def _tie_organisations(session: Session, notice: Notice, record: NoticeRecord, seen: datetime) -> list[str]:
    """Tie the notice to the organisations it names; a letter's addressee also to the sites that the letter quotes."""
    named = []
    for reference in record.organisations:
        organisation = organisations.find_or_make(
            session, reference.name, seen, country=reference.country, basis=f"named in: {record.title}"
        )
        named.append(organisation.name)
        if session.get(NoticeOrganisation, (notice.id, organisation.id)) is None:
            session.add(
                NoticeOrganisation(notice_id=id_of(notice), organisation_id=id_of(organisation), role=reference.role)
            )
        if record.notice_type in _LETTERS and reference.role == "addressee":
            _tie_hosts(session, organisation, record)
    session.flush()
    return named


def _tie_hosts(session: Session, organisation: Organisation, record: NoticeRecord) -> None:
    for host in {organisations.host_of(url) for url in record.quoted_urls}:
        if organisations.is_own_host(host):
            organisations.add_alias(session, organisation, "host", host, f"quoted in the letter to it: {record.title}")


def _index(session: Session, notice: Notice, named: list[str]) -> None:
    search.index(
        session,
        "notice",
        id_of(notice),
        title=notice.title,
        body="\n".join([*named, notice.authority, notice.summary, notice.text]),
        jurisdictions=[notice.jurisdiction],
        severity="",
        seen_at=notice.first_seen,
    )


def _detail(notice: Notice, named: list[str]) -> dict[str, Any]:
    return {
        "title": notice.title,
        "url": notice.url,
        "notice_type": notice.notice_type,
        "tier": notice.tier,
        "organisations": named,
        "issued": notice.issued.isoformat() if notice.issued else "",
        "posted": notice.posted.isoformat() if notice.posted else "",
    }
