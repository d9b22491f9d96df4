"""What an alert tells: the events behind some matches, each once, with every list that it met and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor.queries.facts import chunks, claim_rows, event_row, notice_rows, rehearsal_runs, severity_rank
from monitor.queries.rows import ClaimRow, EventRow, NoticeRow
from monitor.queries.week_claims import claim_change, wordings_of
from monitor.queries.week_notices import changed_fields_of, notices_of
from monitor.queries.week_rows import ClaimChange
from monitor.tables.db import reading
from monitor.tables.models import Event, Page, WatchMatch


@dataclass(frozen=True)
class AlertRow:
    """One event. `met`: each list with its reasons {criterion, term, quote, start, end, place}."""

    event: EventRow
    met: tuple[tuple[str, tuple[Mapping[str, Any], ...]], ...]
    title: str
    url: str
    """Where it stands on the web; empty for an event about a source."""
    quote: str = ""
    before: str = ""
    reason: str = ""
    language: str = ""
    """Of the quote or title, where it is known."""
    claim: ClaimRow | None = None
    notice: NoticeRow | None = None
    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    """Wordings of the claims that went with a page."""
    rehearsal: bool = False

    @property
    def path(self) -> str:
        """Of its page on the site; empty where it has none."""
        if self.event.object_kind == "page" or not self.event.object_id.isdigit():
            return ""
        return f"/{self.event.object_kind}s/{self.event.object_id}"


def alert_rows(engine: Engine, matches: Iterable[int]) -> tuple[AlertRow, ...]:
    """The most severe first, then in the order in which they happened."""
    with reading(engine) as session:
        met: dict[int, list[tuple[str, tuple[Mapping[str, Any], ...]]]] = {}
        for ids in chunks(matches):
            statement = select(WatchMatch).where(col(WatchMatch.id).in_(ids)).order_by(col(WatchMatch.watchlist))
            for match in session.exec(statement):
                met.setdefault(match.event_id, []).append((match.watchlist, tuple(match.why)))
        events = [
            event_row(event)
            for ids in chunks(met)
            for event in session.exec(select(Event).where(col(Event.id).in_(ids)))
        ]
        rows = _rows(session, events, {event: tuple(lists) for event, lists in met.items()})
    return tuple(sorted(rows, key=lambda row: (severity_rank(row.event.severity), row.event.at, row.event.id)))


def _rows(
    session: Session,
    events: Sequence[EventRow],
    met: Mapping[int, tuple[tuple[str, tuple[Mapping[str, Any], ...]], ...]],
) -> list[AlertRow]:
    ids: dict[str, list[int]] = {}
    for event in events:
        if event.object_id.isdigit():
            ids.setdefault(event.object_kind, []).append(int(event.object_id))
    claims, wordings = claim_rows(session, ids.get("claim", [])), wordings_of(session, ids.get("claim", []))
    notices = notice_rows(session, notices_of(session, ids.get("notice", [])))
    page_ids = [*ids.get("page", []), *(claim.page_id for claim in claims.values())]
    pages = {
        page.id: page for some in chunks(page_ids) for page in session.exec(select(Page).where(col(Page.id).in_(some)))
    }
    rehearsed = rehearsal_runs(session)
    rows = []
    for event in events:
        number = int(event.object_id) if event.object_id.isdigit() else 0
        shared: dict[str, Any] = {"event": event, "met": met[event.id], "rehearsal": event.run_id in rehearsed}
        claim = claims.get(number) if event.object_kind == "claim" else None
        notice = notices.get(number) if event.object_kind == "notice" else None
        if claim is not None:
            change = claim_change(event, claim, wordings.get(claim.id, []))
            rows.append(_of_claim(claim, change, pages.get(claim.page_id), shared))
        elif notice is not None:
            changed = changed_fields_of(session, notice.id, event) if event.kind == "notice_updated" else ()
            rows.append(
                AlertRow(
                    title=notice.title,
                    url=notice.url,
                    language=notice.language,
                    notice=notice,
                    changed=changed,
                    **shared,
                )
            )
        else:
            page = pages.get(number) if event.object_kind == "page" else None
            rows.append(_other(event, page, shared))
    return rows


def _of_claim(claim: ClaimRow, change: ClaimChange, page: Page | None, shared: Mapping[str, Any]) -> AlertRow:
    return AlertRow(
        title=claim.organisation.name if claim.organisation else claim.host,
        url=claim.page_url,
        quote=change.quote,
        before=change.before,
        reason=change.told,
        language=page.language if page else "",
        claim=claim,
        **shared,
    )


def _other(event: EventRow, page: Page | None, shared: Mapping[str, Any]) -> AlertRow:
    """A page, a source, a trial, a paper, an authorisation: what the event tells of itself."""
    named = event.detail.get("title") or event.detail.get("product") or event.object_id
    title = (page.title or page.url) if page else str(named)
    url = page.url if page else str(event.detail.get("url") or "")
    changes = event.detail.get("changes") or event.detail.get("changed")
    claims = event.detail.get("claims")
    return AlertRow(
        title=title,
        url=url,
        reason=str(event.detail.get("reason") or ""),
        language=page.language if page else "",
        changed=tuple(str(name) for name in changes) if isinstance(changes, Mapping) else (),
        gone=tuple(dict.fromkeys(str(quote) for quote in claims)) if isinstance(claims, list) else (),
        **shared,
    )
