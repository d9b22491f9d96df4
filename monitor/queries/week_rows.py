"""What a period brought: the shapes from which a digest is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from monitor.queries.rows import ClaimRow, EventRow, Named, NoticeRow, RunRow, SourceState, Waiting


@dataclass(frozen=True)
class ClaimChange:
    """A claim that changed, worded as it was at that time."""

    event: EventRow
    claim: ClaimRow
    quote: str
    before: str = ""
    """The earlier wording, where it was reworded."""
    reason: str = ""
    judged: tuple[tuple[str, str, str], ...] = ()
    """Where our rules changed: what they make of it now, as (name, before, after)."""
    state: str = ""
    """Where a person decided: what."""

    @property
    def told(self) -> str:
        """The reason in one line; where our rules changed, what they make of it now."""
        changes = (f"{name}: {before or 'nothing'} → {after or 'nothing'}" for name, before, after in self.judged)
        return self.reason or "; ".join(changes)


@dataclass(frozen=True)
class NoticeNews:
    """A notice that is new or was updated in a period."""

    notice: NoticeRow
    at: datetime
    updated: bool = False
    changed: tuple[str, ...] = ()
    """Fields that an update changed."""
    changes: tuple[tuple[str, str, str], ...] = ()
    """The same with what stood there before and stands there now, where that was kept: (field, before, after)."""
    read_later: bool = False
    """True where it came with a source's first reading: news by its own date only."""


@dataclass(frozen=True)
class PageChange:
    """A page that vanished or came back."""

    event_id: int
    kind: str
    at: datetime
    page_id: int
    url: str
    title: str
    organisation: Named | None
    jurisdictions: tuple[str, ...]
    severity: str
    claims: tuple[str, ...]
    """Wordings of the claims that stood on it when it vanished, one for each claim."""
    language: str = ""


@dataclass(frozen=True)
class RegisteredNews:
    """A trial, a paper or a register's entry that is new or changed, as the event told it."""

    event: EventRow
    title: str
    url: str
    tier: str
    """Empty for authorisations."""
    organisations: tuple[str, ...]
    changes: Mapping[str, Any]
    """Field → {before, after}."""


@dataclass(frozen=True)
class ProductChange:
    """A product that is said to be something else than before, as the event told it."""

    event: EventRow
    name: str
    organisation: str
    url: str
    """The page that showed it last."""
    language: str
    changed: Mapping[str, Any]
    """Kind of fact → {before, after}, each all its values."""
    said: tuple[Mapping[str, Any], ...]
    """The words of each fact that came or went: kind, value, quote, now (True where it came)."""


@dataclass(frozen=True)
class BaselineRead:
    """A source that was read for the first time, and what that brought."""

    source_id: str
    title: str
    at: datetime
    notices: int
    claims: int


@dataclass(frozen=True)
class WatchHit:
    """An event that a watchlist met, and why."""

    watchlist: str
    event: EventRow
    label: str
    why: tuple[Mapping[str, Any], ...]


CorrectionKind = Literal["dismissed", "rules", "notice", "numbers"]
ComingKind = Literal["comments_close", "effective"]


@dataclass(frozen=True)
class Correction:
    """Something that an earlier digest told and that is said otherwise now.

    `kind`: `dismissed` (a person decided that it is no claim of the kind), `rules` (our changed rules judge it
    otherwise or no longer see one), `notice` (its publisher changed what was told of it), `numbers` (the digest itself
    was written again with other numbers).
    """

    kind: CorrectionKind
    digest: str
    """Name of the latest digest that told it."""
    at: datetime
    label: str
    object_kind: str = ""
    object_id: str = ""
    reason: str = ""
    changes: tuple[tuple[str, str, str], ...] = ()
    """(field or number, before, after)."""
    language: str = ""
    """Of the label, where it is quoted."""


@dataclass(frozen=True)
class Coming:
    """A day ahead that a notice names. `kind`: `comments_close` or `effective`."""

    kind: ComingKind
    on: date
    notice: NoticeRow


@dataclass(frozen=True)
class Week:
    """All that happened in a period."""

    start: datetime
    end: datetime
    claims: tuple[ClaimChange, ...]
    """Changes whose cause is the source."""
    rules: tuple[ClaimChange, ...]
    """Changes whose cause is our own rules."""
    reviews: tuple[ClaimChange, ...]
    """Changes whose cause is a person's decision."""
    notices_new: tuple[NoticeNews, ...]
    notices_updated: tuple[NoticeNews, ...]
    pages: tuple[PageChange, ...]
    baselines: tuple[BaselineRead, ...]
    sources: tuple[SourceState, ...]
    quarantined: tuple[RunRow, ...]
    watch: tuple[WatchHit, ...]
    waiting: Waiting
    rehearsal: bool
    registered: tuple[RegisteredNews, ...] = ()
    corrections: tuple[Correction, ...] = ()
    coming: tuple[Coming, ...] = ()
    products: tuple[ProductChange, ...] = ()
    reach: Mapping[int, int] = field(default_factory=dict)
    """Claim → sites on which its wording stood at the period's end."""
