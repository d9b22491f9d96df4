"""The catalogues of one site while they are read: which list comes next, what came of each, what was on them."""

from __future__ import annotations

from dataclasses import dataclass

from scrapy.http import Response

from crawler.market.addresses import same_site
from crawler.market.catalogues import Answer, CatalogueOutcome, Entry, pages_named, read_catalogue
from crawler.market.platforms import Platform, Shelf, platforms_of, shelves_of
from crawler.market.telling import telling

MOST_LISTS = 250
"""Pages of catalogues asked for in one run: as far as Shopify's own limit, with room for a blog beside it."""
_SHARE_OF_TIME = 1 / 3
"""Of a run's minutes: the rest is for the pages that visitors see."""
MOST_ENTRIES = 30_000
"""Entries held while a catalogue is read."""
_WORDS = 20_000
"""Characters of an entry looked at for how telling it is."""
_GOOD = (CatalogueOutcome.CATALOG, CatalogueOutcome.EMPTY)
_WORST_FIRST = (
    CatalogueOutcome.BLOCKED,
    CatalogueOutcome.RATE_LIMITED,
    CatalogueOutcome.UNEXPECTED_JSON,
    CatalogueOutcome.NOT_JSON,
    CatalogueOutcome.UNAVAILABLE,
    CatalogueOutcome.CATALOG,
    CatalogueOutcome.EMPTY,
)


@dataclass(frozen=True)
class Held:
    """An entry without its words, and where it was read."""

    url: str
    page: str
    part: str
    title: str
    digest: str
    capture: str
    rank: int = 0


def held(entry: Entry, capture: str, rank: int = 0) -> Held:
    """What is kept of an entry until it is told."""
    return Held(entry.url, entry.page, entry.part, entry.title, entry.digest, capture, rank)


class Shelves:
    """Asks for one page of one list at a time. A list that fails is not asked for again."""

    def __init__(self, home: str, *, minutes: int = 1440, delay: float = 1.0) -> None:
        self.home = home
        self.platforms: tuple[Platform, ...] = ()
        self.outcomes: dict[str, CatalogueOutcome] = {}
        self.held: dict[str, Held] = {}
        self.pages: dict[str, str] = {}
        """Pages that a visitor sees, by address, with the title that the catalogue gives them."""
        self.locked = self.beyond = self.elsewhere = 0
        self.cut = False
        """Some list was not read to its end."""
        self._waiting: list[Shelf] = []
        self._asked = 0
        self._most = min(MOST_LISTS, max(int(minutes * 60 * _SHARE_OF_TIME / delay), 1))

    def recognise(self, response: Response) -> None:
        """Learn from the home page what the site is built with."""
        self.platforms = platforms_of(response)
        self._waiting = [shelf for platform in self.platforms for shelf in shelves_of(platform, response, self.home)]

    def next(self) -> Shelf | None:
        """The list's page to ask for now, or None."""
        if not self._waiting:
            return None
        if self._asked >= self._most:
            self.cut, self._waiting = True, []
            return None
        self._asked += 1
        return self._waiting.pop(0)

    def take(self, response: Response, shelf: Shelf, capture: str) -> None:
        """One page of a list as answered."""
        answer = read_catalogue(response, shelf)
        if answer.outcome is CatalogueOutcome.UNAVAILABLE and shelf.otherwise:
            self._waiting.insert(0, shelf.otherwise)
            return
        new = self._hold(answer, capture)
        if shelf.kind.startswith("squarespace"):
            self.pages.update(pages_named(response))
        self.ended(shelf, answer.outcome)
        self.cut |= answer.cut
        # a server that ignores the page's number would give its first page for ever
        if answer.next and new and same_site(answer.next, self.home):
            self._waiting.insert(0, Shelf(shelf.kind, answer.next))

    def ended(self, shelf: Shelf, outcome: CatalogueOutcome) -> None:
        """What came of one page of a list: the worst of them is what came of the list."""
        before = self.outcomes.get(shelf.kind, outcome)
        self.outcomes[shelf.kind] = min(before, outcome, key=_WORST_FIRST.index)

    @property
    def whole(self) -> bool:
        """True if every list was read to its end, so that what is not on one is no longer there."""
        return bool(self.outcomes) and not self.cut and all(outcome in _GOOD for outcome in self.outcomes.values())

    def _hold(self, answer: Answer, capture: str) -> int:
        new = 0
        for entry in answer.entries:
            if entry.url in self.held:
                continue
            new += 1
            self._hold_one(entry, capture)
        return new

    def _hold_one(self, entry: Entry, capture: str) -> None:
        if entry.page:
            self.pages.setdefault(entry.page, entry.title)
        if not same_site(entry.url, self.home):
            self.elsewhere += 1
        elif entry.locked:
            self.locked += 1
        elif len(self.held) >= MOST_ENTRIES:
            self.cut, self.beyond = True, self.beyond + 1
        else:
            rank = telling(entry.page or entry.url, f"{entry.title}\n{entry.words}", _WORDS)
            self.held[entry.url] = held(entry, capture, rank)
