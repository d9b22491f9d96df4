"""The digest of a period: built once as a view, then written as HTML, text and JSON."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor import queries
from monitor.clock import card_facts, plans
from monitor.config import Config
from monitor.queries.rows import (
    ClaimChange,
    FindingRow,
    NoticeNews,
    PageChange,
    RegisteredNews,
    SourceState,
    WatchHit,
    Week,
)
from reports import words
from reports.cut import cut
from reports.law import Law
from reports.period import Period
from reports.render import header, line, render, short, stylesheet
from reports.view import (
    BaselineItem,
    ClaimGroup,
    ClaimItem,
    Digest,
    Judged,
    MatchItem,
    NoticeGroup,
    NoticeItem,
    PageClaims,
    PageGroup,
    PageItem,
    RegisteredGroup,
    RegisteredItem,
    RunItem,
    Section,
    SourceItem,
    Tally,
    WatchGroup,
    headline,
)

LARGEST_HTML = 100_000
"""Bytes. Gmail cuts a message off above 102 kB; the mail around the page needs some of them."""
SEVERITIES = ("High", "Medium", "Low")
APPEARED = "claim_appeared"
PAGE_GONE = "page_gone"
SITE = "http://127.0.0.1:8017"
"""Where `exowatch serve` answers."""


Listing = ClaimGroup | NoticeGroup | WatchGroup | PageGroup | Judged | RegisteredGroup


@dataclass(frozen=True)
class Written:
    """The files of a digest, and what they say."""

    html: Path
    text: Path
    json: Path
    digest: Digest


def build(
    week: Week,
    period: Period,
    config: Config,
    *,
    law: Law,
    now: datetime,
    name: str = "",
    wanted: tuple[str, ...] = (),
) -> Digest:
    """The whole digest, nothing cut. The same stored data, law and `now` give the same digest."""
    name = name or period.name
    sections = _sections(week, config)
    rules, reviews = _judged(week.rules), _judged(week.reviews)
    tally = _tally(week, None, config)
    shown = [item for section in sections for group in section.claims for page in group.pages for item in page.claims]
    cited = {basis: law(basis) for item in (*shown, *rules.items, *reviews.items) for basis in item.basis}
    read = sum(source.read for source in week.sources)
    unread = [source for source in week.sources if not source.read and not source.blind]
    never = _never_read(week, config)
    titles = {source.id: source.title for source in week.sources}
    registered = _registered(week.registered)
    return Digest(
        name=name,
        title=config.digest.title,
        subject=header(f"{config.digest.title} {name}: {headline(tally, registered.total)}"),
        period_from=period.first,
        period_to=period.last,
        timezone=period.timezone,
        generated_at=now,
        rehearsal=week.rehearsal,
        jurisdictions=wanted,
        tally=tally,
        sources_total=len(week.sources) + len(never),
        sources_read=read,
        waiting_flag=week.waiting.flag,
        waiting_review=week.waiting.review,
        waiting_high=week.waiting.high,
        sections=sections,
        rules=rules,
        reviews=reviews,
        baselines=tuple(
            BaselineItem(source_id=b.source_id, title=b.title, at=b.at, notices=b.notices, claims=b.claims)
            for b in week.baselines
        ),
        blind=tuple(_source_item(source) for source in week.sources if source.blind),
        not_read=(*(_unread_item(source, config) for source in unread), *never),
        quiet=tuple(_source_item(source) for source in week.sources if source.read and source.state == "quiet"),
        quarantined=tuple(
            RunItem(
                id=run.id,
                source_id=run.source_id,
                source_title=titles.get(run.source_id, run.source_id),
                finished_at=run.finished_at,
                reasons=run.reasons,
            )
            for run in week.quarantined
        ),
        watchlists=_watchlists(week.watch),
        provisions=dict(sorted(cited.items())),
        registered=registered,
        site=SITE,
    )


def _sections(week: Week, config: Config) -> tuple[Section, ...]:
    """By jurisdiction: those assessed first, in the configuration's order."""
    notices = (*week.notices_new, *week.notices_updated)
    codes = {news.notice.jurisdiction for news in notices}
    codes |= {code for change in week.claims for code in _places(change)}
    codes |= {code for page in week.pages for code in _addressed(page, config)}
    order = [*(code for code in config.jurisdictions if code in codes), *sorted(codes - set(config.jurisdictions))]
    return tuple(
        Section(
            code=code,
            tally=_tally(week, code, config),
            notices=_notice_groups(news for news in notices if news.notice.jurisdiction == code),
            claims=_claim_groups((change, code) for change in week.claims if code in _places(change)),
            pages=_page_group(page for page in week.pages if code in _addressed(page, config)),
        )
        for code in sorted(order, key=lambda code: code == "")
    )


def _addressed(page: PageChange, config: Config) -> tuple[str, ...]:
    """Sections that list a page: assessed jurisdictions that it addresses."""
    return tuple(code for code in config.jurisdictions if code in page.jurisdictions) or ("",)


def _page_group(pages: Iterable[PageChange]) -> PageGroup:
    items = tuple(
        PageItem(
            event_id=page.event_id,
            gone=page.kind == PAGE_GONE,
            at=page.at,
            url=page.url,
            title=page.title,
            firm=page.organisation.name if page.organisation else "",
            severity=page.severity,
            claims=len(page.claims),
            quotes=tuple(dict.fromkeys(page.claims)),
        )
        for page in pages
    )
    return PageGroup(pages=items, total=len(items))


def _places(change: ClaimChange) -> tuple[str, ...]:
    """Jurisdictions whose sections list a change; nothing is asserted about one that has no sourced rule."""
    assessed = tuple(dict.fromkeys(f.jurisdiction for f in change.claim.findings if f.assessed))
    return assessed or ("",)


def _findings(change: ClaimChange, code: str | None) -> list[FindingRow]:
    """What a section says of a change, the most severe first; without a section, all that is asserted."""
    found = [f for f in change.claim.findings if f.assessed and (code is None or f.jurisdiction == code)]
    return sorted(found, key=lambda finding: (_rank(finding.severity), finding.rule_id))


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _severity(change: ClaimChange, code: str | None) -> str:
    findings = _findings(change, code)
    return findings[0].severity if findings else change.claim.severity


def _tally(week: Week, code: str | None, config: Config) -> Tally:
    """The numbers of one section; without a section, of all, each change and notice once."""
    counts = dict.fromkeys(Tally.model_fields, 0)
    for change in week.claims:
        if code is None or code in _places(change):
            kind = change.event.kind.removeprefix("claim_")
            counts[kind] += 1
            if change.event.kind == APPEARED:
                counts[f"appeared_{_severity(change, code).lower()}"] += 1
    for news in (*week.notices_new, *week.notices_updated):
        if code is None or news.notice.jurisdiction == code:
            counts["notices_updated" if news.updated else f"notices_{news.notice.tier}"] += 1
    for page in week.pages:
        if code is None or code in _addressed(page, config):
            counts["pages_gone" if page.kind == PAGE_GONE else "pages_back"] += 1
            counts["claims_gone"] += len(page.claims)
    return Tally(**counts)


def _claim_groups(changes: Iterable[tuple[ClaimChange, str]]) -> tuple[ClaimGroup, ...]:
    by_severity: dict[str, list[tuple[ClaimChange, ClaimItem]]] = {}
    for change, code in changes:
        item = _claim_item(change, code)
        by_severity.setdefault(item.severity, []).append((change, item))
    return tuple(
        ClaimGroup(severity=severity, pages=_by_page(found), total=len(found))
        for severity, found in sorted(by_severity.items(), key=lambda pair: _rank(pair[0]))
    )


def _by_page(found: Iterable[tuple[ClaimChange, ClaimItem]]) -> tuple[PageClaims, ...]:
    pages: dict[int, list[tuple[ClaimChange, ClaimItem]]] = {}
    for change, item in found:
        pages.setdefault(change.claim.page_id, []).append((change, item))
    return tuple(
        PageClaims(
            page_url=first.claim.page_url,
            page_title=first.claim.page_title,
            firm=first.claim.organisation.name if first.claim.organisation else first.claim.host,
            firm_id=first.claim.organisation.id if first.claim.organisation else None,
            claims=tuple(item for _, item in on_page),
        )
        for on_page in pages.values()
        for first in [on_page[0][0]]
    )


def _claim_item(change: ClaimChange, code: str | None) -> ClaimItem:
    claim, findings = change.claim, _findings(change, code or None)
    return ClaimItem(
        event_id=change.event.id,
        claim_id=claim.id,
        change=change.event.kind,
        at=change.event.at,
        quote=change.quote,
        before=change.before,
        reason=change.reason,
        category=claim.category,
        severity=_severity(change, code or None),
        confidence=findings[0].confidence if findings else claim.confidence,
        decision=claim.decision,
        review_state=claim.review_state,
        rule_id=findings[0].rule_id if findings else claim.rule_id,
        why=claim.why,
        hidden=claim.obfuscated,
        product=claim.product.name if claim.product else "",
        product_id=claim.product.id if claim.product else None,
        first_seen=claim.first_seen,
        capture_id=claim.capture_id,
        basis=tuple(dict.fromkeys(basis for finding in findings for basis in finding.legal_basis)),
    )


def _judged(changes: Iterable[ClaimChange]) -> Judged:
    items = tuple(_claim_item(change, None) for change in changes)
    return Judged(items=items, total=len(items))


def _registered(news: Iterable[RegisteredNews]) -> RegisteredGroup:
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
                changed=tuple(_changed(name, change) for name, change in one.changes.items()),
            )
        )
    return RegisteredGroup(items=tuple(listed), total=len(listed), other=other)


def _changed(name: str, change: Mapping[str, object]) -> str:
    before, after = (line(str(change.get(key) or "nothing")) for key in ("before", "after"))
    return f"{words.spoken(name)}: {short(before, 120)} → {short(after, 120)}"


def _notice_groups(notices: Iterable[NoticeNews]) -> tuple[NoticeGroup, ...]:
    """Core first; what is neither core nor adjacent is counted, not listed."""
    groups: dict[str, list[NoticeItem]] = {"core": [], "adjacent": [], "updated": []}
    for news in notices:
        if news.updated and news.notice.tier != "other":
            groups["updated"].append(_notice_item(news))
        elif not news.updated and news.notice.tier in groups:
            groups[news.notice.tier].append(_notice_item(news))
    titles = {
        "core": "New notices that name exosomes or the like",
        "adjacent": "Related: cell and tissue products, injectables",
        "updated": "Notices updated",
    }
    return tuple(
        NoticeGroup(title=titles[name], notices=tuple(items), total=len(items))
        for name, items in groups.items()
        if items
    )


def _notice_item(news: NoticeNews) -> NoticeItem:
    notice = news.notice
    return NoticeItem(
        notice_id=notice.id,
        updated=news.updated,
        notice_type=notice.notice_type,
        title=notice.title,
        authority=notice.authority,
        url=notice.url,
        tier=notice.tier,
        terms=notice.tier_terms,
        issued=notice.issued,
        posted=notice.posted,
        first_seen=notice.first_seen,
        read_later=news.read_later,
        changed=news.changed,
        organisations=tuple(organisation.name for organisation in notice.organisations),
        summary=short(notice.summary, 300),
        unread=notice.unread,
        source_id=notice.source_id,
        capture_id=notice.capture_id,
    )


def _source_item(source: SourceState) -> SourceItem:
    return SourceItem(
        id=source.id,
        title=source.title,
        jurisdiction=source.jurisdiction,
        state=source.state,
        reason=source.reason,
        since=source.since,
        last_success=source.last_success_at,
    )


def _unread_item(source: SourceState, config: Config) -> SourceItem:
    """Of a source that the operator turned off it is said: nobody need look for what is wrong."""
    item = _source_item(source)
    choice, site = config.sources.get(source.id), config.site_of(source.id)
    turned_off = (choice is not None and not choice.on) or (site is not None and not site.on)
    return item.model_copy(update={"state": "off", "reason": "turned off"}) if turned_off else item


def _never_read(week: Week, config: Config) -> tuple[SourceItem, ...]:
    """Sources that are on and of which no reading was ever whole: without a line here nobody would miss them."""
    known = {source.id for source in week.sources}
    return tuple(
        SourceItem(
            id=plan.source_id,
            title=str(card_facts(plan.source_id, config.cards).get("title", plan.source_id)),
            jurisdiction=str(card_facts(plan.source_id, config.cards).get("jurisdiction", "")),
            state="stale",
            reason="never read yet",
        )
        for plan in plans(config)
        if plan.source_id not in known
    )


def _watchlists(hits: Iterable[WatchHit]) -> tuple[WatchGroup, ...]:
    lists: dict[str, list[MatchItem]] = {}
    for hit in hits:
        linked = hit.event.object_kind in ("claim", "notice")
        lists.setdefault(hit.watchlist, []).append(
            MatchItem(
                event=hit.event.kind,
                at=hit.event.at,
                label=short(hit.label, 200),
                why=tuple(_reason(why) for why in hit.why),
                path=f"/{hit.event.object_kind}s/{hit.event.object_id}" if linked else "",
            )
        )
    return tuple(WatchGroup(name=name, matches=tuple(found), total=len(found)) for name, found in lists.items())


def _reason(why: Mapping[str, object]) -> str:
    """`terms: hair growth, in “…”`."""
    criterion, term, quote = (line(why.get(key, "")) for key in ("criterion", "term", "quote"))
    said = f"{criterion}: {term}" if term else criterion
    return f"{said}, in “{short(quote, 80)}”" if quote and quote.casefold() != term.casefold() else said


def as_html(digest: Digest) -> str:
    """A page that stands alone, below `LARGEST_HTML` bytes: items are cut where they must be, counts never."""
    budget = sum(group.total for group in _lists(digest))
    low, high = 0, budget
    best = _html(digest)
    if len(best.encode()) <= LARGEST_HTML:
        return best
    while low < high:
        middle = (low + high + 1) // 2
        tried = _html(cut(digest, middle))
        if len(tried.encode()) <= LARGEST_HTML:
            low, best = middle, tried
        else:
            high = middle - 1
    return best if low else _html(cut(digest, 0))


def lead(digest: Digest) -> str:
    """The first sentence: what is new, and how much of the field was seen."""
    said = f"{digest.headline[0].upper()}{digest.headline[1:]}."
    stale = sum(source.state == "stale" for source in (*digest.blind, *digest.not_read))
    blind = sum(source.state != "stale" for source in digest.blind)
    counts = (
        f"; {words.counted(blind, 'source')} blind" if blind else "",
        f"; {words.counted(stale, 'source')} not read for too long" if stale else "",
        f"; {words.counted(len(digest.quiet), 'source')} quiet" if digest.quiet else "",
    )
    return f"{said} {digest.sources_read} of {words.counted(digest.sources_total, 'source')} read{''.join(counts)}."


def _lists(digest: Digest) -> list[Listing]:
    lists: list[Listing] = [digest.rules, digest.reviews, digest.registered, *digest.watchlists]
    for section in digest.sections:
        lists += [*section.notices, *section.claims, section.pages]
    return lists


def _html(digest: Digest) -> str:
    return render("digest.html", digest=digest, lead=lead(digest), css=stylesheet(), base=digest.site)


def as_text(digest: Digest) -> str:
    """Everything, nothing cut."""
    return render("digest.txt", digest=digest, lead=lead(digest), base=digest.site)


def gather(
    engine: queries.Engine,
    config: Config,
    period: Period,
    now: datetime,
    *,
    law: Law,
    jurisdictions: tuple[str, ...] = (),
) -> Digest:
    """The digest of a period from what is stored. `jurisdictions` goes before the configuration's."""
    wanted = jurisdictions or config.digest.jurisdictions
    found = queries.week(engine, period.start, period.end, wanted or None, period.timezone)
    # A part of a digest must not take the place of the whole.
    name = "-".join([period.name, *jurisdictions])
    return build(found, period, config, law=law, now=now, name=name, wanted=wanted)


def write(
    engine: queries.Engine,
    config: Config,
    period: Period,
    now: datetime,
    *,
    law: Law,
    jurisdictions: tuple[str, ...] = (),
) -> Written:
    """Write the digest's three files, each whole or not at all, and note it as written."""
    digest = gather(engine, config, period, now, law=law, jurisdictions=jurisdictions)
    folder = config.digests_folder
    folder.mkdir(parents=True, exist_ok=True)
    paths = {kind: folder / f"{digest.name}.{kind}" for kind in ("html", "txt", "json")}
    data = digest.model_dump_json(indent=1)
    for kind, content in (("json", data), ("txt", as_text(digest)), ("html", as_html(digest))):
        _write(paths[kind], content)
    queries.remember_digest(
        engine,
        digest.name,
        period_from=period.start,
        period_to=period.end,
        written_at=now,
        sha256=hashlib.sha256(data.encode()).hexdigest(),
        counts=digest.counts,
    )
    return Written(paths["html"], paths["txt"], paths["json"], digest)


def _write(path: Path, content: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(content, encoding="utf-8")
    part.replace(path)
