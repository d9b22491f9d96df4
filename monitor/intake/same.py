"""The same notice in two sources: known by its address, or by its publisher's number within one authority."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl, urlencode, urlsplit

from sqlmodel import Session, col, select

from monitor.records import NoticeRecord
from monitor.tables.models import Notice, Source
from monitor.tables.registers import NoticeMark

Mark = tuple[str, str]
_TRACKING = re.compile(r"utm_\w+|gclid|fbclid|mc_[ce]id|source|ref", re.IGNORECASE)
_GROUP = re.compile(r"event\b|fei\b", re.IGNORECASE)
"""Numbers that several documents share: a recall event has many products, a firm many letters."""
_SHORTEST_NUMBER = 4


def canonical_url(url: str) -> str:
    """An address as it is compared: without scheme, `www.`, the slash at its end and what only counts visitors."""
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:  # printed like an address, and none
        return ""
    if not host:
        return ""
    query = sorted((name, value) for name, value in parse_qsl(parts.query) if not _TRACKING.fullmatch(name))
    kept = f"?{urlencode(query)}" if query else ""
    return f"{host}{parts.path.rstrip('/')}{kept}{f'#{parts.fragment}' if parts.fragment else ''}"


def marks_of(url: str, references: Iterable[str]) -> tuple[Mark, ...]:
    """What a notice would have in common with itself in another source: (kind, value), the address first."""
    marks: dict[Mark, None] = {}
    if address := canonical_url(url):
        marks["url", address] = None
    for reference in references:
        number = " ".join(reference.casefold().split())
        if len(number) >= _SHORTEST_NUMBER and any(c.isdigit() for c in number) and not _GROUP.match(number):
            marks["reference", number] = None
    return tuple(marks)


def remember(session: Session, notice_id: int, record: NoticeRecord) -> None:
    """Let other sources' notices be compared with this one."""
    for kind, value in marks_of(record.url, record.references):
        if session.get(NoticeMark, (notice_id, kind, value)) is None:
            session.add(NoticeMark(notice_id=notice_id, kind=kind, value=value))
    session.flush()


def twin(session: Session, record: NoticeRecord) -> tuple[Notice, str] | None:
    """The notice of another source that this is, and by what; None where it is not certain."""
    for kind, value in marks_of(record.url, record.references):
        found = session.exec(
            select(Notice)
            .join(NoticeMark, col(NoticeMark.notice_id) == Notice.id)
            .where(NoticeMark.kind == kind, NoticeMark.value == value)
            .limit(2)
        ).all()
        # An address or a number that two notices have already is that of a list or of a case, not of a document.
        if len(found) == 1 and _may_be(session, found[0], record, kind):
            told = "the same address" if kind == "url" else f"the publisher's number {value}"
            return found[0], told
    return None


def _may_be(session: Session, notice: Notice, record: NoticeRecord, kind: str) -> bool:
    if notice.source_id == record.source or notice.jurisdiction != record.jurisdiction:
        return False
    cards = [source.card for name in (notice.source_id, record.source) if (source := session.get(Source, name))]
    if kind == "url":
        # One address is one document, whoever lists it: a ministry's search has its agencies' alerts too.
        return canonical_url(record.url) not in {canonical_url(str(card.get("start", ""))) for card in cards}
    authorities = {_name(str((card.get("authority") or {}).get("name", ""))) for card in cards}
    # A letter and its close-out bear one number.
    return notice.notice_type == record.notice_type and len(cards) == 2 and len(authorities) == 1


def _name(authority: str) -> str:
    return "".join(char for char in authority.casefold() if char.isalnum())
