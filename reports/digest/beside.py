"""What stands beside the sections: watchlists, registers, our own doing, corrections, and what comes up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.queries.week_rows import (
    BaselineRead,
    ClaimChange,
    Coming,
    Correction,
    ProductChange,
    RegisteredNews,
    WatchHit,
    Week,
)
from reports.digest.sections import Maker
from reports.digest.view import (
    BaselineItem,
    Change,
    ComingGroup,
    ComingItem,
    CorrectionGroup,
    CorrectionItem,
    FactChange,
    FactSaid,
    Judged,
    MatchItem,
    ProductGroup,
    ProductItem,
    RegisteredGroup,
    RegisteredItem,
    WatchGroup,
)
from reports.render import language_tag, line, short
from reports.views import Reason

LONGEST_VALUE = 120


@dataclass(frozen=True)
class Beside:
    """All that stands beside the sections: fields of `Digest`."""

    corrections: CorrectionGroup
    coming: ComingGroup
    products: ProductGroup
    rules: Judged
    reviews: Judged
    baselines: tuple[BaselineItem, ...]
    watchlists: tuple[WatchGroup, ...]
    registered: RegisteredGroup


def all_beside(week: Week, maker: Maker) -> Beside:
    return Beside(
        corrections=corrections(week.corrections),
        coming=coming(week.coming),
        products=products(week.products),
        rules=judged(week.rules, maker),
        reviews=judged(week.reviews, maker),
        baselines=baselines(week.baselines),
        watchlists=watchlists(week.watch),
        registered=registered(week.registered),
    )


def judged(changes: Iterable[ClaimChange], maker: Maker) -> Judged:
    items = tuple(maker.claim(change, None) for change in changes)
    return Judged(items=items, total=len(items))


def products(changes: Iterable[ProductChange]) -> ProductGroup:
    items = tuple(
        ProductItem(
            event_id=one.event.id,
            product_id=int(one.event.object_id),
            at=one.event.at,
            name=short(one.name, 200),
            firm=one.organisation,
            url=one.url,
            language=language_tag(one.language),
            places=one.event.jurisdictions,
            changes=tuple(
                FactChange(kind=kind, before=_values(change, "before"), after=_values(change, "after"))
                for kind, change in one.changed.items()
            ),
            said=_said(one.said),
        )
        for one in changes
    )
    return ProductGroup(items=items, total=len(items))


def _values(change: Mapping[str, object], when: str) -> tuple[str, ...]:
    values = change.get(when)
    return tuple(line(value) for value in values) if isinstance(values, list | tuple) else ()


def _said(said: Iterable[Mapping[str, object]]) -> tuple[FactSaid, ...]:
    """What was said before it, then what is said now; the same words for several values once."""
    found = dict.fromkeys((bool(each.get("now")), short(each.get("quote") or "", LONGEST_VALUE)) for each in said)
    return tuple(FactSaid(now=now, quote=quote) for now, quote in sorted(found, key=lambda pair: pair[0]) if quote)


def registered(news: Iterable[RegisteredNews]) -> RegisteredGroup:
    """What is neither core nor adjacent is counted, not listed; a register's entry has no tier and is listed."""
    listed, other = [], 0
    for one in news:
        if one.tier == "other":
            other += 1
            continue
        event = one.event
        listed.append(
            RegisteredItem(
                event_id=event.id,
                change=event.kind,
                at=event.at,
                title=short(one.title, 300),
                url=one.url,
                path=f"/{event.object_kind}s/{event.object_id}",
                organisations=one.organisations,
                jurisdictions=event.jurisdictions,
                changes=tuple(_change(name, change) for name, change in one.changes.items()),
            )
        )
    return RegisteredGroup(items=tuple(listed), total=len(listed), other=other)


def _change(name: str, change: Mapping[str, object]) -> Change:
    before, after = (short(line(str(change.get(key) or "")), LONGEST_VALUE) for key in ("before", "after"))
    return name, before, after


def watchlists(hits: Iterable[WatchHit]) -> tuple[WatchGroup, ...]:
    lists: dict[str, list[MatchItem]] = {}
    for hit in hits:
        linked = hit.event.object_kind not in ("page", "source")
        lists.setdefault(hit.watchlist, []).append(
            MatchItem(
                event_id=hit.event.id,
                event=hit.event.kind,
                at=hit.event.at,
                label=short(hit.label, 200),
                why=tuple(Reason.of(why, 80) for why in hit.why),
                path=f"/{hit.event.object_kind}s/{hit.event.object_id}" if linked else "",
            )
        )
    return tuple(WatchGroup(name=name, matches=tuple(found), total=len(found)) for name, found in lists.items())


def corrections(found: Iterable[Correction]) -> CorrectionGroup:
    items = tuple(
        CorrectionItem(
            kind=one.kind,
            digest=one.digest,
            at=one.at,
            label=short(one.label, 300),
            language=language_tag(one.language),
            path=f"/{one.object_kind}s/{one.object_id}" if one.object_kind else f"/digests/{one.digest}",
            reason=short(one.reason, 300),
            changes=tuple((name, short(a, LONGEST_VALUE), short(b, LONGEST_VALUE)) for name, a, b in one.changes),
        )
        for one in found
    )
    return CorrectionGroup(items=items, total=len(items))


def coming(found: Iterable[Coming]) -> ComingGroup:
    items = tuple(
        ComingItem(
            kind=one.kind,
            on=one.on,
            title=short(one.notice.title, 300),
            language=language_tag(one.notice.language),
            authority=one.notice.authority,
            jurisdiction=one.notice.jurisdiction,
            notice_id=one.notice.id,
            url=one.notice.url,
        )
        for one in found
    )
    return ComingGroup(items=items, total=len(items))


def baselines(found: Iterable[BaselineRead]) -> tuple[BaselineItem, ...]:
    return tuple(
        BaselineItem(source_id=b.source_id, title=b.title, at=b.at, notices=b.notices, claims=b.claims) for b in found
    )
