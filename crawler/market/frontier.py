"""The addresses of a site that are still to be asked for, the most telling first."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush

from crawler.market.telling import telling

FIRST = 9
"""Rank of the home page and the start pages, above all that an address can earn."""


@dataclass(frozen=True, order=True)
class Place:
    """An address in the queue. Sorted by rank, then known before new, then nearer to the start, then as found."""

    order: tuple[int, bool, int, int]
    url: str = field(compare=False)
    depth: int = field(compare=False)


class Frontier:
    """Each address is taken out once, however often it is put in; a better rank found later counts."""

    def __init__(self) -> None:
        self._heap: list[Place] = []
        self._done: set[str] = set()
        self._best: dict[str, Place] = {}
        self._serial = 0

    def add(self, url: str, *, depth: int, said: str = "", known: bool = False, rank: int | None = None) -> None:
        if url in self._done:
            return
        self._serial += 1
        rank = telling(url, said) if rank is None else rank
        place = Place((-rank, not known, depth, self._serial), url, depth)
        waiting = self._best.get(url)
        if waiting is None or place.order[:3] < waiting.order[:3]:
            self._best[url] = place
            heappush(self._heap, place)

    def take(self) -> Place | None:
        """The next address, or None."""
        while self._heap:
            place = heappop(self._heap)
            if self._best.get(place.url) is place:
                self.close(place.url)
                return place
        return None

    def close(self, url: str) -> None:
        """This address is done: also where another one led to it."""
        self._done.add(url)
        self._best.pop(url, None)

    def __len__(self) -> int:
        return len(self._best)
