"""The sections of a digest: what is new, changed and gone in each jurisdiction, the most severe first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from monitor.config import Config
from monitor.queries.rows import FindingRow, SourceState
from monitor.queries.week_rows import ClaimChange, NoticeNews, PageChange, Week
from reports.digest.view import (
    ClaimGroup,
    ClaimItem,
    Happened,
    NoticeGroup,
    NoticeItem,
    PageClaims,
    PageGroup,
    PageItem,
    Section,
    Sentence,
    Tally,
)
from reports.law import Law
from reports.render import differing, language_tag, line, short

SEVERITIES = ("High", "Medium", "Low")
APPEARED = "claim_appeared"
PAGE_GONE = "page_gone"
HAPPENED: Mapping[str, Happened] = {
    "claim_appeared": "new",
    "claim_reappeared": "new",
    "claim_reworded": "changed",
    "claim_withdrawn": "gone",
}
_ORDER: tuple[Happened, ...] = ("new", "changed", "gone")
LONGEST_SUMMARY = 300


@dataclass(frozen=True)
class Maker:
    """What items are made with: the law, the sources, and how far wordings reach."""

    law: Law
    sources: Mapping[str, SourceState]
    reach: Mapping[int, int]

    def claim(self, change: ClaimChange, code: str | None) -> ClaimItem:
        claim, found = change.claim, findings(change, code or None)
        basis = tuple(dict.fromkeys(basis for finding in found for basis in finding.legal_basis))
        return ClaimItem(
            event_id=change.event.id,
            claim_id=claim.id,
            change=change.event.kind,
            at=change.event.at,
            quote=change.quote,
            language=language_tag(claim.language),
            before=change.before,
            reason=change.reason,
            judged=change.judged,
            category=claim.category,
            severity=severity(change, code or None),
            confidence=found[0].confidence if found else claim.confidence,
            decision=claim.decision,
            review_state=claim.review_state,
            rule_id=found[0].rule_id if found else claim.rule_id,
            why=claim.why,
            hidden=claim.obfuscated,
            product=claim.product.name if claim.product else "",
            product_id=claim.product.id if claim.product else None,
            first_seen=claim.first_seen,
            capture_id=claim.capture_id,
            reach=self.reach.get(claim.id, 1),
            basis=basis,
            matters=self._provision(basis),
        )

    def _provision(self, basis: Iterable[str]) -> Sentence | None:
        """What the first provision with a source says."""
        provisions = (self.law(one) for one in basis)
        sentences = (Sentence.resting_on(each.summary, each.title, each.url) for each in provisions)
        return next((sentence for sentence in sentences if sentence), None)

    def notice(self, news: NoticeNews) -> NoticeItem:
        notice, source = news.notice, self.sources.get(news.notice.source_id)
        return NoticeItem(
            notice_id=notice.id,
            updated=news.updated,
            notice_type=notice.notice_type,
            title=notice.title,
            language=language_tag(notice.language),
            authority=notice.authority,
            url=notice.url,
            tier=notice.tier,
            terms=notice.tier_terms,
            issued=notice.issued,
            posted=notice.posted,
            first_seen=notice.first_seen,
            read_later=news.read_later,
            changed=news.changed,
            changes=tuple((name, *differing(before, after)) for name, before, after in news.changes),
            organisations=tuple(organisation.name for organisation in notice.organisations),
            summary="" if line(notice.summary) in line(notice.title) else short(notice.summary, LONGEST_SUMMARY),
            matters=Sentence.resting_on(source.means, source.title, source.home or source.start) if source else None,
            unread=notice.unread,
            source_id=notice.source_id,
            capture_id=notice.capture_id,
        )


def sections(week: Week, config: Config, maker: Maker) -> tuple[Section, ...]:
    """By jurisdiction: those assessed first, in the configuration's order; last what is not assessed."""
    notices = (*week.notices_new, *week.notices_updated)
    codes = {news.notice.jurisdiction for news in notices}
    codes |= {code for change in week.claims for code in places(change)}
    codes |= {code for page in week.pages for code in _addressed(page, config)}
    order = [*(code for code in config.jurisdictions if code in codes), *sorted(codes - set(config.jurisdictions))]
    return tuple(
        Section(
            code=code,
            tally=tally(week, code, config),
            notices=_notice_groups((news for news in notices if news.notice.jurisdiction == code), maker.notice),
            claims=_claim_groups(
                (change, maker.claim(change, code)) for change in week.claims if code in places(change)
            ),
            pages=_page_group(page for page in week.pages if code in _addressed(page, config)),
        )
        for code in sorted(order, key=lambda code: code == "")
    )


def places(change: ClaimChange) -> tuple[str, ...]:
    """Jurisdictions whose sections list a change; nothing is asserted about one that has no sourced rule."""
    return tuple(dict.fromkeys(f.jurisdiction for f in change.claim.findings if f.assessed)) or ("",)


def findings(change: ClaimChange, code: str | None) -> list[FindingRow]:
    """What a section says of a change, the most severe first; without a section, all that is asserted."""
    found = [f for f in change.claim.findings if f.assessed and (code is None or f.jurisdiction == code)]
    return sorted(found, key=lambda finding: (rank(finding.severity), finding.rule_id))


def rank(severity: str) -> int:
    """0 for High; what has no severity comes last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def severity(change: ClaimChange, code: str | None) -> str:
    """Empty where nothing is assessed: then no severity is asserted either."""
    found = findings(change, code)
    return found[0].severity if found else ""


def tally(week: Week, code: str | None, config: Config) -> Tally:
    """The numbers of one section; without a section, of all, each change and notice once."""
    counts = dict.fromkeys(Tally.model_fields, 0)
    for change in week.claims:
        if code is None or code in places(change):
            kind = change.event.kind.removeprefix("claim_")
            counts[kind] += 1
            if change.event.kind == APPEARED:
                counts[f"appeared_{severity(change, code).lower() or 'unassessed'}"] += 1
    for news in (*week.notices_new, *week.notices_updated):
        if code is None or news.notice.jurisdiction == code:
            counts["notices_updated" if news.updated else f"notices_{news.notice.tier}"] += 1
    for page in week.pages:
        if code is None or code in _addressed(page, config):
            counts["pages_gone" if page.kind == PAGE_GONE else "pages_back"] += 1
            counts["claims_gone"] += len(page.claims) if page.kind == PAGE_GONE else 0
    return Tally(**counts)


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
            language=language_tag(page.language),
            firm=page.organisation.name if page.organisation else "",
            severity=page.severity,
            claims=len(page.claims),
            quotes=tuple(dict.fromkeys(page.claims)),
        )
        for page in pages
    )
    return PageGroup(pages=items, total=len(items))


def _claim_groups(changes: Iterable[tuple[ClaimChange, ClaimItem]]) -> tuple[ClaimGroup, ...]:
    groups: dict[tuple[Happened, str], list[tuple[ClaimChange, ClaimItem]]] = {}
    for change, item in changes:
        groups.setdefault((HAPPENED[item.change], item.severity), []).append((change, item))
    return tuple(
        ClaimGroup(happened=happened, severity=severity, pages=_by_page(found), total=len(found))
        for (happened, severity), found in sorted(
            groups.items(), key=lambda pair: (_ORDER.index(pair[0][0]), rank(pair[0][1]))
        )
    )


def _by_page(found: Iterable[tuple[ClaimChange, ClaimItem]]) -> tuple[PageClaims, ...]:
    pages: dict[int, list[tuple[ClaimChange, ClaimItem]]] = {}
    for change, item in found:
        pages.setdefault(change.claim.page_id, []).append((change, item))
    return tuple(
        PageClaims(
            page_url=first.claim.page_url,
            firm=first.claim.organisation.name if first.claim.organisation else first.claim.host,
            firm_id=first.claim.organisation.id if first.claim.organisation else None,
            claims=tuple(item for _, item in on_page),
        )
        for on_page in pages.values()
        for first in [on_page[0][0]]
    )


def _notice_groups(notices: Iterable[NoticeNews], make: Callable[[NoticeNews], NoticeItem]) -> tuple[NoticeGroup, ...]:
    """Core first; what is neither core nor adjacent is counted, not listed."""
    core: list[NoticeItem] = []
    adjacent: list[NoticeItem] = []
    updated: list[NoticeItem] = []
    for news in notices:
        if news.notice.tier != "other":
            (updated if news.updated else core if news.notice.tier == "core" else adjacent).append(make(news))
    groups = (
        NoticeGroup(kind="core", notices=tuple(core), total=len(core)),
        NoticeGroup(kind="adjacent", notices=tuple(adjacent), total=len(adjacent)),
        NoticeGroup(kind="updated", notices=tuple(updated), total=len(updated)),
    )
    return tuple(group for group in groups if group.total)
