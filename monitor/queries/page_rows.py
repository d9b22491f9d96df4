"""The shapes in which a page's history is given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.queries.rows import ClaimRow, EventRow, Named

if TYPE_CHECKING:
    from monitor.reading.differences import Difference, Piece

_ONE_AS_SEVERAL = re.compile(r"\b1 ((?:broken )?(?:image|script))s\b")


def unread_as_told(stored: Iterable[object]) -> tuple[str, ...]:
    """What a stored version says was not read on it: those that were written early count “1 images”."""
    return tuple(_ONE_AS_SEVERAL.sub(r"1 \1", str(one)) for one in stored)


@dataclass(frozen=True)
class VersionRow:
    """A version of a page. `difference`: from the version before; None for the first one."""

    number: int
    read_at: datetime
    run_id: str
    capture_id: str
    payload_sha256: str
    """Of the response's body; empty if the capture is not stored."""
    text_sha256: str
    decision: str
    blocks: int
    unread: tuple[str, ...]
    """What is on it and was not read."""
    difference: Difference | None


@dataclass(frozen=True)
class PageEvent:
    """Something that happened to the page, or to a claim that stands or stood on it."""

    event: EventRow
    what: str
    """The page's title, or the claim's quote as it was then."""
    pieces: tuple[Piece, ...] = ()
    """Of a reworded claim: what was removed and inserted."""


@dataclass(frozen=True)
class PageHistory:
    """A page, its versions (the newest first), its claims, and what happened on it (the newest first)."""

    id: int
    url: str
    title: str
    host: str
    source_id: str
    language: str
    role: str
    state: str
    organisation: Named | None
    addressed: tuple[tuple[str, str], ...]
    """Jurisdiction code, why the page is held to address it."""
    first_seen: datetime
    last_read: datetime
    versions_in_all: int
    versions: tuple[VersionRow, ...]
    claims: tuple[ClaimRow, ...]
    reach: dict[int, int]
    """Claim id → number of sites on which its wording stands."""
    events: tuple[PageEvent, ...]
    rehearsal: bool


@dataclass(frozen=True)
class Sought:
    """What an address leads to: a page that is held, or the nearest that are."""

    page_id: int | None
    nearest: tuple[str, ...] = ()
    host_known: bool = False
