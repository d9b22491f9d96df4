"""Shortening a digest: the most important items stay, every count stays, and each list says how many more there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from reports.digest.view import (
    ClaimGroup,
    ComingGroup,
    CorrectionGroup,
    Digest,
    Judged,
    NoticeGroup,
    PageGroup,
    ProductGroup,
    RegisteredGroup,
    Section,
    WatchGroup,
)

_SEVERITY_RANK = {"High": 1, "Medium": 4, "Low": 6}
_NOTICE_RANK = {"core": 0, "adjacent": 3, "other": 7}
_CORRECTION_RANK = 0
_WATCH_RANK = 2
_COMING_RANK = 2
_REGISTERED_RANK = 3
_PRODUCT_RANK = 4
_JUDGED_RANK = 5

_NEAR_ENOUGH = 0.97
"""How near to its limit what is made may come before the search for the longest one ends."""

Key = tuple[str, ...]
Made = TypeVar("Made")


def longest(digest: Digest, make: Callable[[Digest], Made], size_of: Callable[[Made], int], largest: int) -> Made:
    """What `make` makes of the digest, with about as many items as fit into `largest`; at least with none.

    Their number is looked for where their size, taken as even, says that the limit lies.
    """
    best = make(digest)
    if (size := size_of(best)) <= largest:
        return best
    low, high, most = 0, digest.listed, size
    best = make(cut(digest, 0))
    fewest = size_of(best)
    while low + 1 < high:
        even = low + int((largest - fewest) * (high - low) / max(most - fewest, 1))
        middle = min(max(even, low + 1), high - 1)
        tried = make(cut(digest, middle))
        size = size_of(tried)
        if size > largest:
            high, most = middle, size
            continue
        low, fewest, best = middle, size, tried
        if size >= largest * _NEAR_ENOUGH:
            break
    return best


def cut(digest: Digest, limit: int) -> Digest:
    """The digest with at most `limit` items in its lists, and just the provisions that these touch."""
    ranked = sorted(_items(digest), key=lambda pair: pair[0])
    if limit >= len(ranked):
        return digest
    kept = frozenset(key for _, key in ranked[:limit])
    sections = tuple(_section(section, kept) for section in digest.sections)
    rules, reviews = _beside(digest.rules, "rules", kept), _beside(digest.reviews, "reviews", kept)
    shown = [item for section in sections for group in section.claims for page in group.pages for item in page.claims]
    cited = {basis for item in (*shown, *rules.items, *reviews.items) for basis in item.basis}
    return digest.model_copy(
        update={
            "sections": sections,
            "watchlists": tuple(_watch(group, kept) for group in digest.watchlists),
            "rules": rules,
            "reviews": reviews,
            "products": _beside(digest.products, "products", kept),
            "registered": _beside(digest.registered, "registered", kept),
            "corrections": _beside(digest.corrections, "corrections", kept),
            "coming": _beside(digest.coming, "coming", kept),
            "provisions": {key: law for key, law in digest.provisions.items() if key in cited},
        }
    )


def _items(digest: Digest) -> Iterator[tuple[tuple[int, int], Key]]:
    """Every item's rank and key. Within a rank, each list's first items come before any list's later ones."""
    for section in digest.sections:
        for notices in section.notices:
            for number, notice in enumerate(notices.notices):
                rank = _NOTICE_RANK[notice.tier] + (notice.updated and notice.tier == "core")
                yield (rank, number), _key(section.code, notices.kind, number)
        for claims in section.claims:
            for number in range(claims.total):
                place = (_SEVERITY_RANK.get(claims.severity, 6), number)
                yield place, _key(section.code, claims.happened, claims.severity, number)
        for number, page in enumerate(section.pages.pages):
            yield (_SEVERITY_RANK.get(page.severity, 6), number), _key(section.code, "pages", number)
    for group in digest.watchlists:
        for number in range(group.total):
            yield (_WATCH_RANK, number), _key("watch", group.name, number)
    beside = (
        ("corrections", digest.corrections.total, _CORRECTION_RANK),
        ("coming", digest.coming.total, _COMING_RANK),
        ("registered", digest.registered.total, _REGISTERED_RANK),
        ("products", digest.products.total, _PRODUCT_RANK),
        ("rules", digest.rules.total, _JUDGED_RANK),
        ("reviews", digest.reviews.total, _JUDGED_RANK),
    )
    for name, total, rank in beside:
        for number in range(total):
            yield (rank, number), _key(name, number)


def _key(*parts: str | int) -> Key:
    return tuple(str(part) for part in parts)


def _section(section: Section, kept: frozenset[Key]) -> Section:
    return section.model_copy(
        update={
            "notices": tuple(_notices(group, section.code, kept) for group in section.notices),
            "claims": tuple(_claims(group, section.code, kept) for group in section.claims),
            "pages": _pages(section.pages, section.code, kept),
        }
    )


def _notices(group: NoticeGroup, code: str, kept: frozenset[Key]) -> NoticeGroup:
    shown = tuple(each for number, each in enumerate(group.notices) if _key(code, group.kind, number) in kept)
    return group.model_copy(update={"notices": shown, "more": group.total - len(shown)})


def _claims(group: ClaimGroup, code: str, kept: frozenset[Key]) -> ClaimGroup:
    pages, number, shown = [], 0, 0
    for page in group.pages:
        claims = []
        for claim in page.claims:
            if _key(code, group.happened, group.severity, number) in kept:
                claims.append(claim)
            number += 1
        if claims:
            pages.append(page.model_copy(update={"claims": tuple(claims)}))
            shown += len(claims)
    return group.model_copy(update={"pages": tuple(pages), "more": group.total - shown})


def _pages(group: PageGroup, code: str, kept: frozenset[Key]) -> PageGroup:
    shown = tuple(each for number, each in enumerate(group.pages) if _key(code, "pages", number) in kept)
    return group.model_copy(update={"pages": shown, "more": group.total - len(shown)})


def _watch(group: WatchGroup, kept: frozenset[Key]) -> WatchGroup:
    shown = tuple(each for number, each in enumerate(group.matches) if _key("watch", group.name, number) in kept)
    return group.model_copy(update={"matches": shown, "more": group.total - len(shown)})


Beside = TypeVar("Beside", Judged, ProductGroup, RegisteredGroup, CorrectionGroup, ComingGroup)


def _beside(group: Beside, name: str, kept: frozenset[Key]) -> Beside:
    shown = tuple(each for number, each in enumerate(group.items) if _key(name, number) in kept)
    return group.model_copy(update={"items": shown, "more": group.total - len(shown)})
