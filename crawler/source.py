"""Source cards, and the base of every spider."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import date
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Literal

import scrapy
import yaml
from pydantic import ValidationError
from scrapy.http import Response

from monitor.records import LIST_KEY, AnyRecord, KnownItem, ListState, Problem, RunRequest, SourceCard

CARDS = Path(__file__).parent / "sources"
_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BlockedError(Exception):
    """The server answered with something that is not its content: an apology page, a captcha, a bait."""


class LayoutChangedError(Exception):
    """A marker that must be on the page is not there: what is on it was not understood."""

    kind: ClassVar[Literal["layout_changed", "wrong_content_type", "soft_404", "http_error"]] = "layout_changed"
    """Under which kind of problem the run tells it."""


class WrongContentTypeError(LayoutChangedError):
    """Something of another type came in the place of what was asked for: a page for a table, say."""

    kind = "wrong_content_type"


class HttpStatusError(LayoutChangedError):
    """The server answered with a status that says that this is not what was asked for."""

    kind = "http_error"


class SoftNotFoundError(LayoutChangedError):
    """Answered with 200, and the page itself says that there is no such page."""

    kind = "soft_404"


class RunBook:
    """What a run notes down while it reads, besides its records. Ends up in run.json."""

    def __init__(self) -> None:
        self.listed: int | None = None
        self.newest: date | None = None
        self.until: date | None = None
        """Days after this one have not come yet: a misprint would make a dead list look fresh for ever."""
        self.known = 0
        self.not_kept: dict[str, int] = {}
        self.seen: dict[str, str] = {}
        self.lists: dict[str, ListState] = {}
        self.unchanged = 0
        self.platforms: tuple[str, ...] = ()
        self.catalogues: dict[str, str] = {}
        self.problems: list[Problem] = []

    def list_entry(self, key: str, digest: str, posted: date | None = None) -> None:
        """Note an entry seen on the source's list, whether it is kept, known or left out."""
        self.listed = (self.listed or 0) + (key not in self.seen)
        self.seen[key] = digest
        if posted and (self.until is None or posted <= self.until) and (self.newest is None or posted > self.newest):
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
            yield self._if_changed(request)

    def _if_changed(self, request: scrapy.Request) -> scrapy.Request:
        """Ask for a list on condition that it has changed, where an earlier run read the whole of it.

        Not while something on it is still to be read: an unchanged list would keep it from us.
        """
        if self.card.kind == "page" or request.method != "GET" or self.request.pages:
            return request
        state = self.known.get(f"{LIST_KEY}{request.url}")
        whole = not (self.request.full or self.request.sweep) and all(item.digest for item in self.known.values())
        headers: dict[str, str] = {}
        if state is not None and whole and state.digest == self._asked():
            headers |= {"If-None-Match": state.etag} if state.etag else {}
            headers |= {"If-Modified-Since": state.last_modified} if state.last_modified else {}
        callback = partial(self._list_came, request.url, request.callback or self.parse)
        handled = [*request.meta.get("handle_httpstatus_list", ()), *([304] if headers else ())]
        meta = {**request.meta, "handle_httpstatus_list": handled} if handled else request.meta
        asked = request.replace(callback=callback, meta=meta)
        for name, value in headers.items():
            asked.headers[name] = value
        return asked

    def _list_came(self, address: str, parse: Callable[..., Any], response: Response, **passed: Any) -> Any:
        if response.status == 304:
            held = self.known[f"{LIST_KEY}{address}"]
            self.book.unchanged += 1
            self.book.lists[address] = ListState(asked=held.digest, etag=held.etag, last_modified=held.last_modified)
            return None
        etag, modified = ((response.headers.get(name) or b"").decode("latin-1") for name in ("ETag", "Last-Modified"))
        if response.status == 200 and (etag or modified):
            self.book.lists[address] = ListState(asked=self._asked(), etag=etag, last_modified=modified)
        return parse(response, **passed)

    def _asked(self) -> str:
        """Digest of what decides which entries of a list are kept."""
        told = json.dumps([self.card.options, str(self.request.since)], sort_keys=True, default=str)
        return hashlib.sha256(told.encode()).hexdigest()[:32]

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
    """Every card in the folder: the folder is the registry. Raises ValueError naming the file and what to do."""
    cards: dict[str, SourceCard] = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            card = SourceCard.model_validate(yaml.load(path.read_text(encoding="utf-8"), _Loader))  # noqa: S506 - a SafeLoader
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
        if card.id != path.stem:
            raise ValueError(f"{path.name}: the card says id {card.id!r}; file and id must be the same")
        cards[card.id] = card
    return cards


def check_options(card: SourceCard) -> None:
    """Let the card's reader look at its options. Raises ValueError naming card, option and what is wrong with it."""
    try:
        module = spider_module(card)
    except ImportError as error:
        raise ValueError(f"{card.id}: spider: there is no reader {card.spider!r} ({error})") from error
    model = getattr(module, "Options", None)
    if model is None:
        return
    try:
        model.model_validate(card.options)
    except ValidationError as error:
        flaws = (f"options.{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ValueError(f"{card.id}: {'; '.join(flaws)}") from error


def spider_module(card: SourceCard) -> ModuleType:
    """The module that reads a card's source: it offers `Spider` and `read(response, card)`."""
    return import_module(f"crawler.{card.spider}")


Records = Iterator[AnyRecord]
