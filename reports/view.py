"""The view model of a digest: what its HTML, text and JSON all show. Counts are of everything; lists may be cut."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from reports import words
from reports.law import Provision


class View(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClaimItem(View):
    """One change of one claim, as one jurisdiction's section shows it."""

    event_id: int
    claim_id: int
    change: str
    """Kind of the event."""
    at: datetime
    quote: str
    before: str
    reason: str
    category: str
    severity: str
    confidence: float
    decision: str
    review_state: str
    rule_id: str
    why: str
    hidden: bool
    """Written with look-alike or hidden characters."""
    product: str
    product_id: int | None
    first_seen: datetime
    capture_id: str
    basis: tuple[str, ...]
    """Provision ids; see `Digest.provisions`."""

    @property
    def path(self) -> str:
        return f"/claims/{self.claim_id}"


class PageClaims(View):
    """Changes of claims on one page of one firm."""

    page_url: str
    page_title: str
    firm: str
    firm_id: int | None
    claims: tuple[ClaimItem, ...]


class ClaimGroup(View):
    """Changes of one severity. `total` counts all, `more` those that are not shown."""

    severity: str
    pages: tuple[PageClaims, ...]
    total: int
    more: int = 0


class NoticeItem(View):
    notice_id: int
    updated: bool
    notice_type: str
    title: str
    authority: str
    url: str
    tier: str
    terms: tuple[str, ...]
    issued: date | None
    posted: date | None
    first_seen: datetime
    read_later: bool
    changed: tuple[str, ...]
    organisations: tuple[str, ...]
    summary: str
    unread: tuple[str, ...]
    source_id: str
    capture_id: str

    @property
    def path(self) -> str:
        return f"/notices/{self.notice_id}"


class NoticeGroup(View):
    title: str
    notices: tuple[NoticeItem, ...]
    total: int
    more: int = 0


class Tally(View):
    """Numbers of one jurisdiction, or of all: there each notice and each change counts once."""

    notices_core: int = 0
    notices_adjacent: int = 0
    notices_other: int = 0
    notices_updated: int = 0
    appeared: int = 0
    appeared_high: int = 0
    appeared_medium: int = 0
    appeared_low: int = 0
    reworded: int = 0
    reappeared: int = 0
    withdrawn: int = 0
    pages_gone: int = 0
    pages_back: int = 0
    claims_gone: int = 0
    """Claims that went with their page: told in one line each page, and not counted as withdrawn."""

    @property
    def headline(self) -> str:
        """The numbers in one line: what is new first."""
        parts = [
            f"{words.counted(self.notices_core, 'new notice')} on exosomes" if self.notices_core else "",
            words.counted(self.notices_adjacent, "related notice") if self.notices_adjacent else "",
            f"{words.counted(self.notices_updated, 'notice')} updated" if self.notices_updated else "",
            f"{words.counted(self.appeared, 'claim')} appeared" if self.appeared else "",
            f"{self.appeared_high:,} of them High" if self.appeared_high else "",
            f"{self.reworded:,} reworded" if self.reworded else "",
            f"{self.reappeared:,} reappeared" if self.reappeared else "",
            f"{self.withdrawn:,} withdrawn" if self.withdrawn else "",
            f"{self.claims_gone:,} gone with {words.counted(self.pages_gone, 'page')}" if self.claims_gone else "",
        ]
        return ", ".join(part for part in parts if part) or "nothing new"

    @property
    def news(self) -> int:
        notices = self.notices_core + self.notices_adjacent + self.notices_other + self.notices_updated
        return (
            notices
            + self.appeared
            + self.reworded
            + self.reappeared
            + self.withdrawn
            + self.pages_gone
            + self.pages_back
        )


def headline(tally: Tally, registered: int) -> str:
    """The numbers of a whole digest in one line."""
    if not registered:
        return tally.headline
    told = f"{words.counted(registered, 'change')} in registers and literature"
    return f"{tally.headline}, {told}" if tally.news else told


class PageItem(View):
    event_id: int
    gone: bool
    at: datetime
    url: str
    title: str
    firm: str
    severity: str
    claims: int
    """Claims that went with it."""
    quotes: tuple[str, ...]
    """Their wordings, each once."""


class PageGroup(View):
    pages: tuple[PageItem, ...] = ()
    total: int = 0
    more: int = 0


class Section(View):
    """One jurisdiction. `code` is empty for claims whose jurisdictions are not assessed."""

    code: str
    tally: Tally
    notices: tuple[NoticeGroup, ...]
    claims: tuple[ClaimGroup, ...]
    pages: PageGroup

    @property
    def name(self) -> str:
        return words.jurisdiction(self.code) if self.code else "Not assessed"

    @property
    def anchor(self) -> str:
        return f"in-{self.code or 'none'}"


class SourceItem(View):
    id: str
    title: str
    jurisdiction: str
    state: str = ""
    """`quiet`, `stale`, `blind`, `off`, or `ok`."""
    reason: str = ""
    since: datetime | None = None
    last_success: datetime | None = None


class RunItem(View):
    id: str
    source_id: str
    source_title: str
    finished_at: datetime
    reasons: tuple[str, ...]


class BaselineItem(View):
    source_id: str
    title: str
    at: datetime
    notices: int
    claims: int


class MatchItem(View):
    event: str
    at: datetime
    label: str
    why: tuple[str, ...]
    path: str


class WatchGroup(View):
    name: str
    matches: tuple[MatchItem, ...]
    total: int
    more: int = 0


class RegisteredItem(View):
    """A trial, a paper or a register's entry that is new or changed."""

    event_id: int
    change: str
    at: datetime
    title: str
    url: str
    path: str
    organisations: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    changed: tuple[str, ...]
    """What changed, in words: `status: before → after`."""


class RegisteredGroup(View):
    items: tuple[RegisteredItem, ...] = ()
    total: int = 0
    more: int = 0
    other: int = 0
    """On other matters: counted, not listed."""


class Judged(View):
    """Changes that no source made."""

    items: tuple[ClaimItem, ...] = ()
    total: int = 0
    more: int = 0


class Digest(View):
    name: str
    title: str
    subject: str
    period_from: date
    period_to: date
    """Last day, included."""
    timezone: str
    generated_at: datetime
    rehearsal: bool
    jurisdictions: tuple[str, ...]
    """Asked for; empty: all."""
    tally: Tally
    sources_total: int
    sources_read: int
    waiting_flag: int
    waiting_review: int
    waiting_high: int
    sections: tuple[Section, ...]
    rules: Judged
    reviews: Judged
    baselines: tuple[BaselineItem, ...]
    blind: tuple[SourceItem, ...]
    not_read: tuple[SourceItem, ...]
    quiet: tuple[SourceItem, ...] = ()
    """Read well, and nothing as new as usual."""
    quarantined: tuple[RunItem, ...]
    watchlists: tuple[WatchGroup, ...]
    provisions: Mapping[str, Provision]
    registered: RegisteredGroup = RegisteredGroup()
    site: str
    """Address of the site that permalinks lead to."""

    @property
    def empty(self) -> bool:
        return not (self.tally.news or self.rules.total or self.reviews.total or self.registered.total)

    @property
    def headline(self) -> str:
        return headline(self.tally, self.registered.total)

    @property
    def counts(self) -> dict[str, int]:
        """Every number of the digest, flat."""
        return {
            **self.tally.model_dump(),
            "sources_total": self.sources_total,
            "sources_read": self.sources_read,
            "sources_blind": len(self.blind),
            "sources_quiet": len(self.quiet),
            "runs_quarantined": len(self.quarantined),
            "rules_changed": self.rules.total,
            "reviewed": self.reviews.total,
            "registered": self.registered.total,
            "registered_other": self.registered.other,
            "watch_matches": sum(group.total for group in self.watchlists),
            "waiting": self.waiting_flag + self.waiting_review,
        }
