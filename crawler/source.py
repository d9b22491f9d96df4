"""Source cards, and the base of every spider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import scrapy
import yaml
from scrapy.http import Response

from monitor.records import KnownItem, NoticeRecord, PageRecord, Problem, RunRequest, SourceCard

CARDS = Path(__file__).parent / "sources"


class BlockedError(Exception):
    """The server answered with something that is not its content: an apology page, a captcha, a bait."""


class LayoutChangedError(Exception):
    """A marker that must be on the page is not there: what is on it was not understood."""


class RunBook:
    """What a run notes down while it reads, besides its records. Ends up in run.json."""

    def __init__(self) -> None:
        self.listed: int | None = None
        self.newest: date | None = None
        self.known = 0
        self.not_kept: dict[str, int] = {}
        self.seen: dict[str, str] = {}
        self.problems: list[Problem] = []

    def list_entry(self, key: str, digest: str, posted: date | None = None) -> None:
        """Note an entry seen on the source's list, whether it is kept, known or left out."""
        self.listed = (self.listed or 0) + (key not in self.seen)
        self.seen[key] = digest
        if posted and (self.newest is None or posted > self.newest):
            self.newest = posted

    def leave_out(self, reason: str, count: int = 1) -> None:
        self.not_kept[reason] = self.not_kept.get(reason, 0) + count


class SourceSpider(scrapy.Spider):
    """Reads one source. A subclass says where to begin (`begin`) and what to do with each response.

    Each spider module also offers `read(response, card)`, a pure function from one response to the
    records in it, which `python -m crawler read` and the golden tests call.
    """

    name: ClassVar[str] = "source"  # type: ignore[misc]
    card: SourceCard
    request: RunRequest
    known: Mapping[str, KnownItem]
    book: RunBook

    def __init__(
        self,
        card: SourceCard,
        request: RunRequest | None = None,
        known: Mapping[str, KnownItem] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=card.id, **kwargs)
        self.card = card
        self.request = request or RunRequest()
        self.known = known or {}
        self.book = RunBook()

    async def start(self) -> AsyncIterator[Any]:
        for request in self.begin():
            yield request

    def begin(self) -> Iterator[scrapy.Request]:
        """The first requests. Left as it is: the card's start address, answered by `parse`."""
        yield scrapy.Request(self.card.start, callback=self.parse)

    def is_known(self, key: str, digest: str) -> bool:
        """True if this entry was taken in before and its list entry has not changed since."""
        if self.request.full:
            return False
        known = self.known.get(key)
        return known is not None and known.digest == digest


def capture_of(response: Response) -> str:
    """The id under which the archive keeps this response."""
    return str(response.meta["capture"])


def load_cards(folder: Path = CARDS) -> dict[str, SourceCard]:
    """Every card in the folder: the folder is the registry. Raises ValueError naming the file."""
    cards: dict[str, SourceCard] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            card = SourceCard.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
        if card.id != path.stem:
            raise ValueError(f"{path.name}: the card says id {card.id!r}; file and id must be the same")
        cards[card.id] = card
    return cards


def spider_module(card: SourceCard) -> ModuleType:
    """The module that reads a card's source: it offers `Spider` and `read(response, card)`."""
    return import_module(f"crawler.{card.spider}")


Records = Iterator[NoticeRecord | PageRecord]
