"""What the landscape's questions give: counts, and the few things that are named. Frozen, plain, free of tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class Stretch:
    """A stretch of time: calendar days for what bears a date, moments (`end` excluded) for what was seen."""

    name: str
    first: date
    last: date
    start: datetime
    end: datetime

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True)
class Asked:
    """What a landscape is of. `timezone` says on which calendar day a moment falls."""

    now: Stretch
    before: Stretch
    steps: tuple[Stretch, ...]
    """Equal parts of the period, oldest first."""
    quarters: tuple[Stretch, ...]
    """The quarters up to the one in which the period ends, oldest first."""
    timezone: str
    jurisdictions: frozenset[str] | None = None


@dataclass(frozen=True)
class NoticeCount:
    """`sort`: `core`, `adjacent`, `entry` (only its entry in a list was read, which says too little) or `other`."""

    source_id: str
    jurisdiction: str
    notice_type: str
    sort: str
    stretch: int
    """0: the period, 1: the period before; in a trend the number of the quarter."""
    number: int


@dataclass(frozen=True)
class Notices:
    counts: tuple[NoticeCount, ...]
    trend: tuple[NoticeCount, ...]
    undated: int
    entries: int
    """Of those counted in the period: only their entry in a list was read, not their text."""
    entries_in_trend: int
    """The same of the quarters."""
    older: int
    """Counted ones from before the quarters."""
    oldest: date | None
    """The oldest day that one bears."""


@dataclass(frozen=True)
class ClaimCount:
    """Numbers of claims that have something in common. Changes are those that sellers made."""

    key: tuple[str, ...]
    start: int
    """Standing when the period began."""
    end: int
    """Standing when it ended."""
    flagged: int
    """Of those, flagged; the others wait for a person."""
    appeared: int
    """New on a page that had been read before, or back on it."""
    withdrawn: int
    gone: int
    """Went with their page."""
    first_read: int
    """Found by a first reading in the period: history, however old they are."""
    appeared_before: int
    withdrawn_before: int
    """With their page or without, in the period before; `withdrawn` and `gone` together are its counterpart."""


@dataclass(frozen=True)
class SellerCount:
    """One seller: an organisation, or a host where none is known."""

    id: int | None
    name: str
    start: int
    end: int
    first_known: datetime
    first_read: bool
    """Its first claims came with a first reading: it may have been there long before."""
    pages: int
    pages_gone: int
    by_rules: bool
    """What it no longer claims, it no longer claims under our changed rules."""


@dataclass(frozen=True)
class StepCount:
    step: int
    kind: str
    number: int


@dataclass(frozen=True)
class Claims:
    by_category: tuple[ClaimCount, ...]
    by_severity: tuple[ClaimCount, ...]
    by_jurisdiction: tuple[ClaimCount, ...]
    """A claim stands under each of its jurisdictions; key `("",)`: not assessed anywhere."""
    by_material: tuple[ClaimCount, ...]
    """A claim stands under each value that its product's pages state; `("",)`: unstated."""
    by_route: tuple[ClaimCount, ...]
    steps: tuple[StepCount, ...]
    dismissed: int
    """Left out everywhere: a person decided that they are no claims."""
    unreviewed: int
    """Of those that stand now."""
    sellers: tuple[SellerCount, ...]


@dataclass(frozen=True)
class LetterTime:
    """A claim that stood when a letter to its firm was issued, and what became of it."""

    notice_id: int
    claim_id: int
    firm_id: int
    issued: date
    ended: date | None
    """First reading without it; None: it stands at the end of the period."""
    seen_until: date
    """Last time that it was seen, up to the period's end."""
    in_period: bool
    """It ended within the period."""

    @property
    def days(self) -> int:
        """From the letter to the end, or to the last sight of it."""
        return ((self.ended or self.seen_until) - self.issued).days


@dataclass(frozen=True)
class Letters:
    """Warning and untitled letters issued up to the end of the period, to firms by name."""

    letters: int
    firms: int
    undated: int
    firms_read: int
    """Firms of which pages are read."""
    times: tuple[LetterTime, ...]
    later: int
    """Claims of those firms that were seen only after their letter: no time can be told of them."""


@dataclass(frozen=True)
class RegisteredCount:
    key: str
    total: int
    """Known at the end of the period."""
    now: int
    before: int


@dataclass(frozen=True)
class Trials:
    by_status: tuple[RegisteredCount, ...]
    by_condition: tuple[RegisteredCount, ...]
    """Spelt as most registers spell it; a trial stands under each of its conditions."""
    without_condition: int
    total: int
    now: int
    before: int
    other: int
    """On other matters: in no other number."""
    undated: int
    trend: tuple[int, ...]
    changed: int
    """Changes of status in the period."""


@dataclass(frozen=True)
class Publications:
    core: tuple[int, ...]
    """By quarter, oldest first."""
    adjacent: tuple[int, ...]
    now: int
    before: int
    preprints: int
    retracted: int
    """Papers whose retraction was told in the period."""
    undated: int
    other: int
    total: int


@dataclass(frozen=True)
class Rule:
    """A rule, guidance or consultation. `effective` and `closes` as its source gave them, None where it gave none."""

    id: int
    notice_type: str
    title: str
    authority: str
    jurisdiction: str
    dated: date
    effective: date | None
    closes: date | None
    sort: str


@dataclass(frozen=True)
class Coverage:
    """For how much of the period a source was read. `gaps`: days on which it was blind or not yet read."""

    id: str
    title: str
    authority: str
    jurisdiction: str
    kind: str
    readings: int
    """Good readings that ended in the period."""
    failed: int
    gaps: tuple[tuple[date, date, str], ...]
    """First day, last day, `blind` or `unread`."""
    days: int
    """Days of the period without a gap."""
    first_read: date | None
    """Its first good reading, if that was in the period: what it brought is history."""
    brought: Mapping[str, int]
    """Records that this first reading brought, by kind of event."""


@dataclass(frozen=True)
class Unknown:
    """What nobody knows, in numbers."""

    languages: Mapping[str, int]
    """Pages held by the end of the period, by language."""
    not_assessed: tuple[str, ...]
    """Jurisdictions that pages with claims address and for which no rule has a source."""


@dataclass(frozen=True)
class Landscape:
    """The whole of it."""

    asked: Asked
    notices: Notices
    claims: Claims
    letters: Letters
    trials: Trials
    publications: Publications
    rules: tuple[Rule, ...]
    coverage: tuple[Coverage, ...]
    unknown: Unknown
    known_at: datetime | None
    """When the latest of what was counted became known."""
    authorities: Mapping[str, str]
    """Source → the authority that publishes it."""
    rehearsal: bool
