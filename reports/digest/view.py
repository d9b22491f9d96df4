"""The view model of a digest: what its HTML, text, PDF, JSON and mail all show.

Counts are of everything; lists may be cut. It holds codes, names and quotes; the words around them are the templates',
in the digest's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, Self
from zoneinfo import ZoneInfo

from reports.law import Provision
from reports.render import href
from reports.views import Reason, View

Change = tuple[str, str, str]
"""What changed: its name, before, after."""


class Sentence(View):
    """A sentence of ours about what something means, with the source that it rests on. Without one there is none."""

    text: str
    source: str
    """What the source is called."""
    url: str

    @classmethod
    def resting_on(cls, text: str, source: str, url: str) -> Self | None:
        """None where there is no sentence, or no source to look it up at."""
        return cls(text=text, source=source, url=url) if text.strip() and source.strip() and href(url) else None


class ClaimItem(View):
    """One change of one claim, as one jurisdiction's section shows it."""

    event_id: int
    claim_id: int
    change: str
    """Kind of the event."""
    at: datetime
    quote: str
    language: str
    """Of the quote, where it is known: a tag of BCP 47."""
    before: str
    reason: str
    """What a reviewer said, or the event."""
    judged: tuple[Change, ...]
    """Where our rules changed: what they make of it now."""
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
    reach: int
    """Sites on which the wording stood at the period's end, this one counted."""
    basis: tuple[str, ...]
    """Provision ids; see `Digest.provisions`."""
    matters: Sentence | None
    """Why it matters: what the first provision with a source says."""

    @property
    def path(self) -> str:
        return f"/claims/{self.claim_id}"


class PageClaims(View):
    """Changes of claims on one page of one firm."""

    page_url: str
    firm: str
    firm_id: int | None
    claims: tuple[ClaimItem, ...]


Happened = Literal["new", "changed", "gone"]


class ClaimGroup(View):
    """Claims that are new, changed or gone, of one severity. `total` counts all, `more` those that are not shown."""

    happened: Happened
    severity: str
    pages: tuple[PageClaims, ...]
    total: int
    more: int = 0


class NoticeItem(View):
    notice_id: int
    updated: bool
    notice_type: str
    title: str
    language: str
    authority: str
    url: str
    tier: str
    terms: tuple[str, ...]
    issued: date | None
    posted: date | None
    first_seen: datetime
    read_later: bool
    changed: tuple[str, ...]
    """Names of the fields."""
    changes: tuple[Change, ...]
    organisations: tuple[str, ...]
    summary: str
    matters: Sentence | None
    """Why it matters: what being on its source's list means."""
    unread: tuple[str, ...]
    source_id: str
    capture_id: str

    @property
    def path(self) -> str:
        return f"/notices/{self.notice_id}"


class NoticeGroup(View):
    """`kind`: `core` (names exosomes or the like), `adjacent`, or `updated`."""

    kind: Literal["core", "adjacent", "updated"]
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
    appeared_unassessed: int = 0
    reworded: int = 0
    reappeared: int = 0
    withdrawn: int = 0
    pages_gone: int = 0
    pages_back: int = 0
    claims_gone: int = 0
    """Claims that went with their page: told in one line each page, and not counted as withdrawn."""

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


class PageItem(View):
    event_id: int
    gone: bool
    at: datetime
    url: str
    language: str
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
    def anchor(self) -> str:
        return f"in-{self.code or 'none'}"


class SourceItem(View):
    id: str
    title: str
    jurisdiction: str
    state: str = ""
    """`quiet`, `stale`, `blind`, `off`, `never` (on, and not read up to then), or `ok`."""
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
    event_id: int
    event: str
    at: datetime
    label: str
    why: tuple[Reason, ...]
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
    changes: tuple[Change, ...]


class RegisteredGroup(View):
    items: tuple[RegisteredItem, ...] = ()
    total: int = 0
    more: int = 0
    other: int = 0
    """On other matters: counted, not listed."""


class FactChange(View):
    """What a product is said to be, before and after: codes of `monitor/knowledge/products/`, each value once."""

    kind: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class FactSaid(View):
    """The page's words for one value: that it has now, or had before."""

    now: bool
    quote: str


class ProductItem(View):
    """A product whose pages say something else of it than before."""

    event_id: int
    product_id: int
    at: datetime
    name: str
    firm: str
    url: str
    language: str
    places: tuple[str, ...]
    """Jurisdictions that its page addresses."""
    changes: tuple[FactChange, ...]
    said: tuple[FactSaid, ...]

    @property
    def path(self) -> str:
        return f"/products/{self.product_id}"


class ProductGroup(View):
    items: tuple[ProductItem, ...] = ()
    total: int = 0
    more: int = 0


class Judged(View):
    """Changes that no source made."""

    items: tuple[ClaimItem, ...] = ()
    total: int = 0
    more: int = 0


class Weighed(View):
    """One reason for a place among what matters most. `what`: severity, change, notice, kind, reach, places, watch."""

    what: str
    value: str
    points: int


class PriorityLine(View):
    """One of the few things that matter most, and why it is among them."""

    kind: Literal["claim", "notice", "registered"]
    event: str
    label: str
    """The quote or title."""
    language: str
    who: str
    """The firm, or the authority."""
    severity: str
    category: str
    places: tuple[str, ...]
    """Jurisdictions."""
    at: datetime
    path: str
    url: str
    points: int
    because: tuple[Weighed, ...]
    also: int
    """Further changes of the same firm or authority that would have been worth a line."""


class CorrectionItem(View):
    """See `monitor.queries.corrections` for what counts as one."""

    kind: Literal["dismissed", "rules", "notice", "numbers"]
    digest: str
    at: datetime
    label: str
    language: str
    path: str
    reason: str
    changes: tuple[Change, ...]


class CorrectionGroup(View):
    items: tuple[CorrectionItem, ...] = ()
    total: int = 0
    more: int = 0


class ComingItem(View):
    kind: Literal["comments_close", "effective"]
    on: date
    title: str
    language: str
    authority: str
    jurisdiction: str
    notice_id: int
    url: str

    @property
    def path(self) -> str:
        return f"/notices/{self.notice_id}"


class ComingGroup(View):
    items: tuple[ComingItem, ...] = ()
    total: int = 0
    more: int = 0


class Digest(View):
    name: str
    language: str = "en"
    title: str
    subject: str
    period_from: date
    period_to: date
    """Last day, included."""
    timezone: str
    generated_at: datetime
    """Up to when things were known: the period's end, or before that the last reading."""
    rehearsal: bool
    jurisdictions: tuple[str, ...]
    """Asked for; empty: all."""
    asked_watchlists: tuple[str, ...] = ()
    """Asked for; empty: everything."""
    tally: Tally
    sources_total: int
    sources_read: int
    waiting_flag: int
    waiting_review: int
    waiting_high: int
    priorities: tuple[PriorityLine, ...] = ()
    corrections: CorrectionGroup = CorrectionGroup()
    coming: ComingGroup = ComingGroup()
    sections: tuple[Section, ...]
    products: ProductGroup = ProductGroup()
    rules: Judged
    reviews: Judged
    baselines: tuple[BaselineItem, ...]
    read: tuple[SourceItem, ...]
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
        beside = (self.products, self.rules, self.reviews, self.registered, self.corrections)
        return not self.tally.news and not any(group.total for group in beside)

    @property
    def is_week(self) -> bool:
        return "-W" in self.name.partition("--")[0]

    @property
    def over(self) -> bool:
        """Whether the period had ended: what was not read in it may have been read since."""
        return self.generated_at.astimezone(ZoneInfo(self.timezone)).date() > self.period_to

    @property
    def listed(self) -> int:
        """Items in all lists that may be cut, with those that are cut already."""
        lists: list[int] = [group.total for section in self.sections for group in section.notices]
        lists += [group.total for section in self.sections for group in section.claims]
        lists += [section.pages.total for section in self.sections]
        lists += [group.total for group in self.watchlists]
        beside = (self.products, self.rules, self.reviews, self.registered, self.corrections, self.coming)
        return sum(lists) + sum(group.total for group in beside)

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
            "products_changed": self.products.total,
            "rules_changed": self.rules.total,
            "reviewed": self.reviews.total,
            "registered": self.registered.total,
            "registered_other": self.registered.other,
            "corrections": self.corrections.total,
            "coming": self.coming.total,
            "watch_matches": sum(group.total for group in self.watchlists),
            "waiting": self.waiting_flag + self.waiting_review,
        }
