"""The life of a claim: appeared, reworded, withdrawn, reappeared. Pure.

A claim stands on places (pages). One reading that lacks it proves nothing: a page may be served in two
variants, cut short, or changed for an hour. So a claim is withdrawn only when every place where it stood was
read well and lacked it twice in a row, and reworded only when a second reading still has the new wording and
still lacks the old one. What flaps leaves no trace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

ENOUGH = 2
"""Good readings in a row without a claim before it no longer stands there."""
SAME_CATEGORY_LIKENESS = 55.0
OTHER_CATEGORY_LIKENESS = 80.0
"""Least likeness (0–100, share of matching characters) for a new wording to be the old claim in other words."""


class ClaimState(StrEnum):
    LIVE = "live"
    MISSING = "missing"
    """Lacked by one good reading: not yet withdrawn."""
    REWORDING = "rewording"
    """Lacked by one good reading that has a similar new wording: not yet reworded."""
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    """No longer a claim under our changed rules."""


class MoveKind(StrEnum):
    APPEARED = "appeared"
    REWORDED = "reworded"
    WITHDRAWN = "withdrawn"
    REAPPEARED = "reappeared"


@dataclass(frozen=True)
class Wording:
    """A claim as one reading of one page has it. `folded` is its wording without case and white space."""

    page: int
    category: str
    folded: str
    ref: int = 0
    """The caller's own mark: which judged claim this is."""

    @property
    def key(self) -> tuple[str, str]:
        return self.category, self.folded


@dataclass(eq=False)
class Life:
    """A claim that is followed. `places` tells, for each page, how many good readings in a row lacked it."""

    category: str
    folded: str
    state: ClaimState = ClaimState.LIVE
    places: dict[int, int] = field(default_factory=dict)
    pending: Wording | None = None
    ref: int = 0
    latest: Wording | None = None
    """Where this step saw it, if it did."""

    @property
    def key(self) -> tuple[str, str]:
        return self.category, self.folded

    @property
    def stands(self) -> bool:
        return any(lacking == 0 for lacking in self.places.values())

    @property
    def is_over(self) -> bool:
        return all(lacking >= ENOUGH for lacking in self.places.values())


@dataclass(frozen=True)
class Move:
    """Something that happened to a claim, once."""

    kind: MoveKind
    life: Life
    before: str = ""
    """The folded wording that a rewording replaced."""


def step(lives: list[Life], readings: Mapping[int, Sequence[Wording]], gone: Collection[int] = ()) -> list[Move]:
    """Take good readings of some pages of one site; change `lives` (new ones are appended) and say what happened.

    `readings`: page → every claim that it has now. `gone`: pages confirmed to be no more.
    """
    for life in lives:
        life.latest = None
    fresh = _take_readings(lives, readings)
    for life in lives:
        for page in gone:
            if page in life.places:
                life.places[page] = ENOUGH
    moves = _settle_pending(lives, readings, fresh)
    _pair_rewordings(lives, readings, fresh)
    moves += _settle_states(lives)
    moves += _add_new(lives, fresh)
    return moves


def _take_readings(
    lives: Iterable[Life], readings: Mapping[int, Sequence[Wording]]
) -> dict[tuple[str, str], list[Wording]]:
    """Count each place's readings; give back the wordings that belong to no claim yet, by key."""
    by_key = {life.key: life for life in lives}
    by_page: dict[int, list[Life]] = {}
    for life in lives:
        for page in life.places:
            by_page.setdefault(page, []).append(life)
    fresh: dict[tuple[str, str], list[Wording]] = {}
    for page, wordings in readings.items():
        present = {wording.key for wording in wordings}
        for life in by_page.get(page, ()):
            if life.key not in present:
                life.places[page] = min(life.places[page] + 1, ENOUGH)
        for wording in wordings:
            known = by_key.get(wording.key)
            if known is None:
                fresh.setdefault(wording.key, []).append(wording)
            else:
                known.places[page] = 0
                known.latest = known.latest or wording
    return fresh


def _settle_pending(
    lives: Iterable[Life], readings: Mapping[int, Sequence[Wording]], fresh: dict[tuple[str, str], list[Wording]]
) -> list[Move]:
    """Second readings of claims that seemed to be reworded: confirm, or forget."""
    moves = []
    for life in lives:
        if life.pending is None:
            continue
        new, places = life.pending, fresh.get(life.pending.key, [])
        # any page that lacks the old wording for the second time may say so: not each can be read whenever one asks
        is_second = any(life.places.get(wording.page) == ENOUGH for wording in places)
        if not (life.stands or is_second or new.page in readings):
            fresh.pop(
                new.key, None
            )  # a first look at another of its pages: the same new wording, and no claim of its own
            continue
        life.pending, life.state = None, ClaimState.LIVE
        if life.stands or not is_second:
            continue
        before = life.folded
        del fresh[new.key]
        life.category, life.folded = new.key
        life.places.update({wording.page: 0 for wording in places})
        life.latest = places[0]
        moves.append(Move(MoveKind.REWORDED, life, before))
    return moves


def _pair_rewordings(
    lives: Iterable[Life], readings: Mapping[int, Sequence[Wording]], fresh: dict[tuple[str, str], list[Wording]]
) -> None:
    """Match claims that just went missing with new wordings on the same page, most alike first."""
    from rapidfuzz import fuzz  # late: the tables need only the names of a claim's states

    pairs = []
    for life in lives:
        if life.state is not ClaimState.LIVE or life.stands:
            continue
        pages = {page for page, lacking in life.places.items() if lacking == 1 and page in readings}
        for key, wordings in fresh.items():
            wording = next((one for one in wordings if one.page in pages), None)
            if wording is not None:
                likeness = fuzz.ratio(life.folded, wording.folded)
                if likeness >= (SAME_CATEGORY_LIKENESS if life.category == key[0] else OTHER_CATEGORY_LIKENESS):
                    pairs.append((likeness, life, wording))
    taken: set[int] = set()
    for _, life, wording in sorted(pairs, key=lambda pair: (-pair[0], pair[1].key, pair[2].key)):
        if wording.key in fresh and id(life) not in taken:
            taken.add(id(life))
            del fresh[wording.key]
            life.state, life.pending = ClaimState.REWORDING, wording


def _settle_states(lives: Iterable[Life]) -> list[Move]:
    moves = []
    for life in lives:
        if life.state in (ClaimState.LIVE, ClaimState.MISSING, ClaimState.REWORDING):
            if life.stands:
                life.state = ClaimState.LIVE
            elif life.is_over:
                life.state, life.pending = ClaimState.WITHDRAWN, None
                moves.append(Move(MoveKind.WITHDRAWN, life))
            elif life.state is ClaimState.LIVE:
                life.state = ClaimState.MISSING
        elif life.stands:
            life.state = ClaimState.LIVE
            moves.append(Move(MoveKind.REAPPEARED, life))
    return moves


def _add_new(lives: list[Life], fresh: Mapping[tuple[str, str], Sequence[Wording]]) -> list[Move]:
    moves = []
    for (category, folded), wordings in fresh.items():
        life = Life(category, folded, places={wording.page: 0 for wording in wordings}, latest=wordings[0])
        lives.append(life)
        moves.append(Move(MoveKind.APPEARED, life))
    return moves
