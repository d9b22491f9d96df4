"""Alerts: the events that met somebody's watchlists, as mail, as a chat's lines, as JSON. Counts are of everything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime

from monitor.queries.alerts import AlertRow
from reports.languages import Speech, speech
from reports.law import Law, Provision
from reports.render import header, language_tag, render, short, stylesheet
from reports.views import Reason, View
from reports.words import Words

MOST_SHOWN = 20
"""Events that a mail tells in full; the count is of all."""
IN_CHAT = 8
IN_JSON = 100


class MetItem(View):
    """A watchlist, and which of its criteria were met by what."""

    watchlist: str
    why: tuple[Reason, ...]


class AlertItem(View):
    """One event. What is empty does not apply to its kind."""

    event_id: int
    change: str
    """Kind of the event."""
    at: datetime
    severity: str
    jurisdictions: tuple[str, ...]
    title: str
    quote: str
    before: str
    reason: str
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    """Claims that went with a page."""
    language: str
    url: str
    path: str
    met: tuple[MetItem, ...]
    claim_id: int | None = None
    category: str = ""
    product: str = ""
    why: str = ""
    review_state: str = ""
    first_seen: datetime | None = None
    basis: tuple[Provision, ...] = ()
    authority: str = ""
    notice_type: str = ""
    issued: date | None = None
    capture_id: str = ""


class Alert(View):
    title: str
    subject: str
    watchlists: tuple[str, ...]
    items: tuple[AlertItem, ...]
    total: int
    high: int
    written_at: datetime
    rehearsal: bool
    language: str
    site: str
    """Address before every permalink; empty where readers cannot reach the site."""

    @property
    def more(self) -> int:
        return self.total - len(self.items)


def build(
    rows: Sequence[AlertRow],
    *,
    title: str,
    watchlists: Sequence[str],
    law: Law,
    language: str,
    site: str,
    now: datetime,
    shown: int = MOST_SHOWN,
) -> Alert:
    """The alert over these events. Raises ValueError for none: nobody is told of nothing."""
    if not rows:
        raise ValueError("an alert needs an event")
    high = sum(row.event.severity == "High" for row in rows)
    return Alert(
        title=title,
        subject=_subject(rows, watchlists, high, speech(language)),
        watchlists=tuple(watchlists),
        items=tuple(_item(row, law) for row in rows[:shown]),
        total=len(rows),
        high=high,
        written_at=now,
        rehearsal=any(row.rehearsal for row in rows),
        language=language,
        site=site,
    )


def _subject(rows: Sequence[AlertRow], watchlists: Sequence[str], high: int, spoken: Speech) -> str:
    lists = ", ".join(watchlists)
    if len(rows) == 1:
        (row,) = rows
        severity = f" ({Words(spoken).severity(row.event.severity)})" if row.event.severity else ""
        what = f"{Words(spoken).event(row.event.kind)}{severity}: {short(row.title, 80)}"
    else:
        what = spoken.ngettext("%(num)s event", "%(num)s events", len(rows))
        what += f", {spoken.gettext('%(number)s of them High', number=high)}" if high else ""
    return header(f"{short(lists, 120)}: {what}", 300)


def _item(row: AlertRow, law: Law) -> AlertItem:
    event, claim, notice = row.event, row.claim, row.notice
    assessed = [finding for finding in claim.findings if finding.assessed] if claim else []
    item = AlertItem(
        event_id=event.id,
        change=event.kind,
        at=event.at,
        severity=event.severity,
        jurisdictions=event.jurisdictions or tuple(dict.fromkeys(found.jurisdiction for found in assessed)),
        title=short(row.title, 300),
        quote=short(row.quote, 1000),
        before=short(row.before, 1000),
        reason=short(row.reason, 500),
        changed=row.changed,
        gone=tuple(short(quote, 200) for quote in row.gone[:5]),
        language=language_tag(row.language),
        url=row.url,
        path=row.path,
        met=tuple(MetItem(watchlist=name, why=tuple(Reason.of(why, 120) for why in some)) for name, some in row.met),
    )
    if claim is not None:
        basis = dict.fromkeys(provision for finding in assessed for provision in finding.legal_basis)
        return item.model_copy(
            update={
                "claim_id": claim.id,
                "category": claim.category,
                "product": claim.product.name if claim.product else "",
                "why": claim.why,
                "review_state": claim.review_state,
                "first_seen": claim.first_seen,
                "basis": tuple(law(each) for each in basis),
                "capture_id": claim.capture_id,
            }
        )
    if notice is not None:
        return item.model_copy(
            update={
                "authority": notice.authority,
                "notice_type": notice.notice_type,
                "issued": notice.issued,
                "first_seen": notice.first_seen,
                "capture_id": notice.capture_id,
            }
        )
    return item


def as_html(alert: Alert) -> str:
    return render("alert.html", alert.language, alert=alert, css=stylesheet())


def as_text(alert: Alert) -> str:
    return render("alert.txt", alert.language, alert=alert)


def as_lines(alert: Alert) -> str:
    """For a chat: a few lines an event, and how many more there are."""
    few = alert.model_copy(update={"items": alert.items[:IN_CHAT]})
    return render("alert_chat.txt", alert.language, alert=few).strip()


def as_json(alert: Alert) -> str:
    """A webhook's body: what happened, when, in which words, and where to look."""
    items = [
        {
            **item.model_dump(mode="json", exclude={"path", "basis"}),
            "permalink": f"{alert.site}{item.path}" if alert.site and item.path else None,
            "legal_basis": [provision.id for provision in item.basis],
        }
        for item in alert.items
    ]
    told = {
        "type": "alert.matched",
        "timestamp": alert.written_at.isoformat(),
        "data": {
            "subject": alert.subject,
            "watchlists": list(alert.watchlists),
            "rehearsal": alert.rehearsal,
            "total": alert.total,
            "high": alert.high,
            "more": alert.more,
            "items": items,
        },
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
