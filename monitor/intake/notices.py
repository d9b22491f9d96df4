"""Taking a regulator's notice in: its tier, its revisions, its places, the organisations it names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, func, select

from monitor import organisations, search
from monitor.classify.relevance import tier
from monitor.evidence.runfolder import RunFolder
from monitor.history import Chronicle
from monitor.intake import same
from monitor.intake.revising import changes, content_of, digest_of, held_content, is_history
from monitor.knowledge import Knowledge
from monitor.records import NoticeRecord, NoticeType
from monitor.tables.db import id_of
from monitor.tables.models import (
    SHIPPED_SOURCE,
    Cause,
    EventKind,
    Notice,
    NoticeOrganisation,
    NoticeRevision,
    Organisation,
)
from monitor.tables.registers import NoticePlace

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
    if notice is not None:
        _update(session, notice, record, seen, knowledge, chronicle)
    elif (place := session.get(NoticePlace, (record.source, record.key))) is not None:
        _update_place(session, place, record, seen, chronicle)
    elif (found := same.twin(session, record)) is not None:
        _add_place(session, *found, record, seen)
    else:
        baseline = is_history(chronicle, record.posted or record.issued, read_since)
        _add(session, record, seen, knowledge, chronicle, baseline=baseline)


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
    same.remember(session, id_of(notice), record)
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
    revision = _latest(session, notice)
    stored, shipped = revision.record, revision.run_id.startswith(f"{SHIPPED_SOURCE}-")
    held = NoticeRecord.model_validate(stored)
    if record.unread and not record.text and (held.text or shipped):
        # The document was not read this time: what is held of it stays, the list's own fields move on.
        kept = {
            "text": held.text,
            "quoted_urls": held.quoted_urls,
            "references": record.references or held.references,
            "comments_close": record.comments_close or held.comments_close,
            "effective": record.effective or held.effective,
        }
        record = record.model_copy(update=kept)
    notice.last_seen = seen
    after = content_of(record)
    changed = changes(held_content(stored), after)
    if changed:
        for key, value in _fields(record, seen, knowledge).items():
            setattr(notice, key, value)
        _add_revision(session, notice, record, seen, chronicle)
        same.remember(session, id_of(notice), record)
        named = _tie_organisations(session, notice, record, seen)
        _index(session, notice, named)
        first_text = "text" in changed and not held.text
        if first_text:
            changed["text"] = {"note": "read for the first time; only its list entry was known"}
        if not _is_told_already(changed, after, _contents(_places(session, notice))):
            # What was history when only its entry in a list was known is no news once we know more of it.
            baseline = chronicle.baseline or (notice.baseline and (first_text or shipped))
            _tell_update(notice, named, changed, seen, chronicle, baseline=baseline)
    session.add(notice)


def _tell_update(
    notice: Notice, named: list[str], changed: dict[str, Any], seen: datetime, chronicle: Chronicle, *, baseline: bool
) -> None:
    chronicle.write(
        EventKind.NOTICE_UPDATED,
        Cause.SOURCE,
        object_kind="notice",
        object_id=id_of(notice),
        at=seen,
        jurisdictions=[notice.jurisdiction],
        detail={**_detail(notice, named), "changes": changed},
        baseline=baseline,
    )


def _add_place(session: Session, notice: Notice, why: str, record: NoticeRecord, seen: datetime) -> None:
    """The same notice in another source: no notice of its own, and no second event."""
    place = NoticePlace(
        source_id=record.source,
        key=record.key,
        notice_id=id_of(notice),
        url=record.url,
        why=why,
        record=record.model_dump(mode="json"),
        content_digest=digest_of(content_of(record)),
        capture_id=record.captures[0],
        first_seen=seen,
        last_seen=seen,
    )
    session.add(place)
    session.flush()
    _tie_organisations(session, notice, record, seen)


def _update_place(
    session: Session, place: NoticePlace, record: NoticeRecord, seen: datetime, chronicle: Chronicle
) -> None:
    """An edit that only this source shows is an update of the notice; one that the notice shows already is told."""
    notice = session.get_one(Notice, place.notice_id)
    after = content_of(record)
    changed = changes(held_content(place.record), after)
    place.last_seen = seen
    if changed:
        others = [one.record for one in _places(session, notice) if one.source_id != place.source_id]
        held = _contents([_latest(session, notice).record, *others])
        place.record, place.content_digest = record.model_dump(mode="json"), digest_of(after)
        place.url, place.capture_id = record.url, record.captures[0]
        if not _is_told_already(changed, after, held):
            named = _tie_organisations(session, notice, record, seen)
            told = {**changed, "place": {"note": f"as {record.source} shows it"}}
            _tell_update(notice, named, told, seen, chronicle, baseline=chronicle.baseline)
    session.add(place)


def _places(session: Session, notice: Notice) -> list[NoticePlace]:
    return list(session.exec(select(NoticePlace).where(NoticePlace.notice_id == notice.id)))


def _contents(places: Iterable[NoticePlace | Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [held_content(one.record if isinstance(one, NoticePlace) else one) for one in places]


def _is_told_already(
    changed: Mapping[str, Any], after: Mapping[str, Any], elsewhere: Iterable[Mapping[str, Any]]
) -> bool:
    """True if another place of the notice shows each changed field as it is now: that edit has been told."""
    return any(all(held.get(key) == after[key] for key in changed) for held in elsewhere)


def _latest(session: Session, notice: Notice) -> NoticeRevision:
    return session.exec(
        select(NoticeRevision).where(NoticeRevision.notice_id == notice.id).order_by(NoticeRevision.number.desc())  # type: ignore[attr-defined]
    ).first() or _missing_revision(notice)


def _missing_revision(notice: Notice) -> NoticeRevision:
    raise LookupError(f"notice {notice.id} ({notice.key}) has no revision; the database was altered by hand")


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
        "comments_close": record.comments_close,
        "effective": record.effective,
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
