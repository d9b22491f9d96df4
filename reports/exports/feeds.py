"""Feeds: the history as Atom, RSS and JSON Feed, whole, a document at a time.

Ids rest on the history alone, never on an address: they stay when the site moves, and a file and the site give the
same. What an entry says is what was so when it happened, so that it never has to change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID, uuid5

from monitor import queries
from monitor.queries.feeds import FeedAsk, FeedEntry, FeedFrame
from reports import words as names
from reports.languages import speech
from reports.render import href, language_tag, line, render, short
from reports.words import Words

FORMATS: Mapping[str, str] = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}
FILTERS: Mapping[str, str] = {
    "jurisdiction": "jurisdictions",
    "category": "categories",
    "severity": "severities",
    "source": "sources",
    "kind": "kinds",
}
"""As an address names them → as a `FeedAsk` does. Each may be given several times: any of them."""
FORM = 1
"""Raised when entries are told otherwise than before, so that nobody keeps the old form for the new one."""
SETTLED = timedelta(minutes=1)
"""A document is given a Last-Modified only when it is older: until then another change may share its second."""
_IDS = UUID("7d0b7c3e-52a5-4a5e-9c39-0f6f0c2f7b11")
_NAMES = {True: "news", False: "all"}
_CHANGED_BY = {
    "claim": "seller",
    "page": "seller",
    "notice": "regulator",
    "authorisation": "regulator",
    "trial": "registry",
    "publication": "literature",
    "source": "reading",
}
CAUSES: Mapping[str, str] = {
    "seller": "a seller’s page changed",
    "regulator": "a regulator published or changed something",
    "registry": "a registry of trials has or changed an entry",
    "literature": "an index of the literature has or changed an entry",
    "reading": "our reading of a source failed, recovered or began",
    "rules": "our rules changed, not the page",
    "review": "a reviewer decided; the page did not change",
}

Address = Callable[[int | None], str]
"""The address of a document of the feed: the newest (None), or an archive by its number."""


@dataclass(frozen=True)
class Item:
    """An entry as every format shows it. `tags` are (term, label); `facts` are for programs."""

    id: str
    title: str
    html: str
    published: datetime
    updated: datetime
    permalink: str = ""
    outside: str = ""
    summary: str = ""
    language: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Feed:
    """One document of a feed. `older`, `newer` and `current` are addresses, empty where there is nothing."""

    id: str
    title: str
    description: str
    address: str
    home: str
    icon: str
    updated: datetime
    items: tuple[Item, ...]
    archive: bool
    older: str
    newer: str
    current: str


def address_of(asked: FeedAsk, form: str, number: int | None = None) -> str:
    """Path and query of a document: `/feeds/news.atom?jurisdiction=uk`. The same question has one address."""
    given = [(name, value) for name, key in FILTERS.items() for value in sorted(set(getattr(asked, key)))]
    given += [("watchlist", asked.watchlist)] if asked.watchlist else []
    given += [("archive", str(number))] if number is not None else []
    path = f"/feeds/{_NAMES[asked.news]}.{form}"
    return f"{path}?{urlencode(given, quote_via=quote, errors='replace')}" if given else path


def title_of(asked: FeedAsk) -> str:
    """What a feed is called: "Exowatch: United Kingdom, regrows hair"."""
    said = Words(speech())
    named: dict[str, Callable[[str], str]] = {
        "jurisdictions": said.jurisdiction,
        "categories": said.category,
        "severities": lambda severity: f"{severity} severity",
        "sources": str,
        "kinds": said.event,
    }
    parts = [named[key](value) for key in named for value in sorted(set(getattr(asked, key)))]
    parts += [f"watchlist “{line(asked.watchlist)}”"] if asked.watchlist else []
    about = ", ".join(parts) or ("news" if asked.news else "the whole history")
    return f"Exowatch: {about}" if asked.news or not parts else f"Exowatch, the whole history: {about}"


def etag_of(asked: FeedAsk, form: str, frame: FeedFrame, base: str) -> str:
    """Weak: the entries are the same, byte for byte or not. An entry never changes, so that their numbers tell."""
    told = (FORM, address_of(asked, form, frame.number), base, frame.root, frame.events, frame.older, frame.newer)
    return f'W/"{hashlib.sha256(repr(told).encode()).hexdigest()[:32]}"'


def last_modified(frame: FeedFrame, now: datetime) -> datetime | None:
    """When the newest entry became known; None if that is so recent that more may come within the same second."""
    told = frame.newest_told
    return told.replace(microsecond=0) if told and told <= now - SETTLED else None


def feed(engine: queries.Engine, asked: FeedAsk, frame: FeedFrame, *, base: str, address: Address) -> Feed:
    """A document with its entries. `base` goes before permalinks; empty: there is no site to link to."""
    entries = queries.feed_entries(engine, asked, frame)
    items = tuple(_item(entry, base) for entry in entries)
    floor = datetime(1970, 1, 1, tzinfo=UTC)
    return Feed(
        id=f"urn:uuid:{uuid5(_IDS, f'{frame.root} {address_of(asked, str())}')}",
        title=title_of(asked),
        description=_description(asked),
        address=address(frame.number),
        home=f"{base}/feeds" if base else "",
        icon=f"{base}/static/icon.svg" if base else "",
        updated=max((item.updated for item in items), default=floor),
        items=items,
        archive=frame.number is not None,
        older="" if frame.older is None else address(frame.older),
        newer="" if frame.newer is None else address(frame.newer),
        current=address(None) if frame.number is not None else "",
    )


def _description(asked: FeedAsk) -> str:
    history = (
        "What sources had published before they were first read here is left out; the feed “all” has it."
        if asked.news
        else "What sources had published before they were first read here is marked as history."
    )
    return (
        "Regulators’ notices and sellers’ claims about exosome products, as they appear, change and vanish. A claim is "
        f"flagged by a rule; nobody is said to have broken the law. {history}"
    )


def _item(entry: FeedEntry, base: str) -> Item:
    event = entry.event
    said = Words(speech())
    language = language_tag(entry.language)
    cause = event.cause if event.cause != "source" else _CHANGED_BY.get(event.object_kind, "seller")
    path = path_of(event.object_kind, event.object_id, entry)
    html = render(
        "feed_entry.html", entry=entry, event=event, cause=CAUSES.get(cause, cause), quote_language=language,
        changes=_changes(event.detail), reasons=[reason(why) for why in entry.why],
    )  # fmt: skip
    return Item(
        id=f"urn:uuid:{uuid5(_IDS, entry.identity)}",
        title=_title(entry, said),
        html=html.strip(),
        published=_published(entry),
        updated=entry.told,
        permalink=f"{base}{path}" if base and path else "",
        outside=href(entry.url),
        summary=line(entry.quote),
        language=language,
        tags=_tags(entry, cause, said),
        facts=_facts(entry, cause),
    )


def path_of(object_kind: str, object_id: str, entry: FeedEntry | None = None) -> str:
    """The page of the site that is about an event's object; nothing if there is none."""
    if object_kind == "source":
        return f"/health#{quote(entry.event.source_id)}" if entry else "/health"
    return f"/{object_kind}s/{object_id}" if object_kind in names.KINDS and object_id.isdigit() else ""


def _title(entry: FeedEntry, said: Words) -> str:
    event = entry.event
    what = said.event(event.kind)
    if event.object_kind == "claim":
        decided = f": {said.spoken(str(event.detail['state']))}" if event.detail.get("state") else ""
        about = f"“{short(entry.quote, 90)}”, {line(entry.firms[0] if entry.firms else entry.host) or 'firm not known'}"
        what = f"{what}{decided if event.cause == 'review' else ''}"
    elif event.object_kind == "source":
        about = line(entry.source_title)
    else:
        about = short(entry.title or entry.url, 140)
    marks = ("Demonstration. " if entry.rehearsal else "") + ("History. " if event.baseline else "")
    return f"{marks}{what}: {about}"


def _published(entry: FeedEntry) -> datetime:
    """When it happened. What a first reading brought happened on its own date, which has no hour."""
    if entry.event.baseline and entry.dated:
        own = datetime.combine(entry.dated, time(), UTC)
        return min(own, entry.event.at)
    return entry.event.at


def _tags(entry: FeedEntry, cause: str, said: Words) -> tuple[tuple[str, str], ...]:
    event = entry.event
    tags = [(f"kind:{event.kind}", said.event(event.kind)), (f"cause:{cause}", CAUSES.get(cause, cause))]
    tags += [(f"jurisdiction:{code}", said.jurisdiction(code)) for code in event.jurisdictions]
    tags += [(f"severity:{event.severity}", f"{event.severity} severity")] if event.severity else []
    tags += [(f"category:{entry.category}", said.category(entry.category))] if entry.category else []
    tags.append((f"source:{event.source_id}", line(entry.source_title)))
    tags += [("history", "known from the first reading of the source")] if event.baseline else []
    tags += [("demonstration", "read from a rehearsal server, not from the web")] if entry.rehearsal else []
    return tuple((line(term), line(label)) for term, label in tags)


def _facts(entry: FeedEntry, cause: str) -> dict[str, Any]:
    event = entry.event
    facts = {
        "event": event.id,
        "kind": event.kind,
        "cause": cause,
        "at": event.at.isoformat(),
        "known_at": entry.told.isoformat(),
        "source": event.source_id,
        "jurisdictions": list(event.jurisdictions),
        "severity": event.severity,
        "category": entry.category,
        "organisations": list(entry.firms),
        "product": entry.product,
        "quote": entry.quote,
        "before": entry.before,
        "language": language_tag(entry.language),
        "legal_basis": event.detail.get("legal_basis") or {},
        "document_date": entry.dated.isoformat() if entry.dated else "",
        "capture": entry.capture_id,
        "history": event.baseline,
        "demonstration": entry.rehearsal,
        "why": [dict(why) for why in entry.why],
    }
    return {name: value for name, value in facts.items() if value not in ("", [], {})}


def reason(why: Mapping[str, Any]) -> str:
    """Why a watchlist was met: "term: arthritis (“treats arthritis”)"."""
    criterion, term, found = (line(why.get(key, "")) for key in ("criterion", "term", "quote"))
    said = f"{criterion}: {term}" if term else criterion
    return f"{said} (“{found}”)" if found and found != term else said


def _changes(detail: Mapping[str, Any]) -> list[str]:
    """What changed, field by field: both values where they are short, or what is said of it."""
    changes = detail.get("changes")
    judged_before, judged_after = detail.get("judged_before"), detail.get("judged_after")
    if isinstance(judged_before, Mapping) and isinstance(judged_after, Mapping):
        changes = {key: {"before": judged_before.get(key), "after": judged_after[key]} for key in judged_after}
    if not isinstance(changes, Mapping):
        return []
    return [said for name, change in changes.items() if (said := _change(str(name), change))]


def _change(name: str, change: object) -> str:
    shown = name.replace("_", " ")
    if not isinstance(change, Mapping):
        return shown
    if change.get("note"):
        return f"{shown}: {line(change['note'])}"
    before, after = (_plain(change.get(key)) for key in ("before", "after"))
    if before == after:
        return ""
    return f"{shown}: {before or 'nothing'} → {after or 'nothing'}" if len(before) + len(after) < 400 else shown


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(line(one) for one in value)
    return "" if value is None else line(value)
