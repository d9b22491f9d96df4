"""One page of a source, read live: what of it still fits the source's card, point by point."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from scrapy import Request
from scrapy.http import Response

from crawler.generic.entries import EntryOptions, Listing, notice_of
from crawler.page import Page
from crawler.run import Finished, run_source
from crawler.source import BlockedError, LayoutChangedError, SourceSpider, spider_module
from crawler.sources.reading import page_of
from monitor.config import Config
from monitor.records import AnyRecord, RunRequest, SourceCard

Verdict = Literal["fits", "differs", "open"]
_FOR_LOOKING = ("looking/00001",)


@dataclass(frozen=True)
class Point:
    """One thing that the card says. `open`: one page does not tell."""

    what: str
    verdict: Verdict
    told: str

    def __str__(self) -> str:
        return f"{self.verdict:<8} {self.what}: {self.told}"


@dataclass
class Look:
    """What came of the one request."""

    response: Response | None = None
    failures: list[str] = field(default_factory=list)


def check(config: Config, card: SourceCard) -> tuple[Point, ...]:
    """Read the first page that the source's spider asks for and hold it against the card. Nothing is kept.

    Once in a process, as any crawl. Raises NotStartedError.
    """
    look = Look()
    with tempfile.TemporaryDirectory(prefix="exowatch-check-") as folder:
        # of a site, its home page: it would begin with robots.txt
        request = RunRequest(pages=(card.start,)) if card.kind == "page" else RunRequest()
        finished = run_source(config, card, Path(folder), request=request, spider=looking_spider(card, look))
    return tuple(_points(card, look, finished))


def looking_spider(card: SourceCard, look: Look) -> type[SourceSpider]:
    """The source's own spider, but for its first request alone, whose answer is kept and not followed."""
    own: type[SourceSpider] = spider_module(card).Spider

    class Looking(own):  # type: ignore[misc,valid-type]
        def begin(self) -> Iterator[Request]:
            for first in super().begin():
                meta = {**first.meta, "handle_httpstatus_all": True}
                yield first.replace(callback=self.look, errback=self.no_answer, meta=meta)
                return

        def look(self, response: Response, **_: Any) -> None:
            look.response = response

        def no_answer(self, failure: Any) -> None:
            look.failures.append(" ".join(str(failure.value).split())[:300])

        def closed(self, reason: str) -> None:
            """What the own spider would say of pages that were not asked for is not said."""

    return Looking


def _points(card: SourceCard, look: Look, finished: Finished) -> Iterator[Point]:
    if look.response is None:
        problems = [problem.message for problem in finished.record.problems] or look.failures
        yield Point("answer", "differs", "; ".join(problems) or "the source's spider asks for nothing")
        return
    response = look.response
    good = 200 <= response.status < 300
    yield Point("status", "fits" if good else "differs", f"{response.status} from {response.url}")
    yield _content_type(card, response)
    if not good:
        return
    yield from _sentinel(card, response)
    try:
        rows, records = _read(card, response)
    except BlockedError as error:
        yield Point("content", "differs", f"a block page: {error}")
        return
    except LayoutChangedError as error:
        yield Point("layout", "differs", str(error))
        return
    yield Point("layout", "fits", "understood")
    yield _rows(card, rows)
    yield from _fields(card, records)
    yield _newest(card, records, finished.record.started_at.date())


def _content_type(card: SourceCard, response: Response) -> Point:
    sent = (response.headers.get("Content-Type") or b"").decode("latin-1") or "none"
    wanted: Sequence[str] = getattr(spider_module(card), "CONTENT_TYPES", ())
    if not wanted:
        return Point("content type", "open", f"{sent}; the reader takes what it understands")
    if getattr(_options(card), "landing", ""):
        wanted = ("html",)
    fits = any(kind in sent.lower() for kind in wanted)
    return Point("content type", "fits" if fits else "differs", sent if fits else f"{sent}, not {' or '.join(wanted)}")


def _options(card: SourceCard) -> Any:
    model = getattr(spider_module(card), "Options", None)
    return model.model_validate(card.options) if model else None


def _sentinel(card: SourceCard, response: Response) -> Iterator[Point]:
    css = getattr(_options(card), "sentinel", "")
    if not css:
        return
    try:
        page: Page = page_of(response)
    except (BlockedError, LayoutChangedError) as error:
        yield Point("sentinel", "differs", str(error))
        return
    count = len(page.many(css))
    yield Point("sentinel", "fits" if count else "differs", f"{count} of `{css}`")


def _read(card: SourceCard, response: Response) -> tuple[int, list[AnyRecord]]:
    """How many rows the list holds, and each as a record: with a generic reader those too that no term meets."""
    module, options = spider_module(card), _options(card)
    if getattr(options, "landing", "") and response.url == card.start:
        return 0, list(module.read(response, card))
    if not isinstance(options, EntryOptions):
        records = list(module.read(response, card))
        return len(records), records
    listed: Listing = module.listing(response, card)
    if listed.strange:
        raise LayoutChangedError(f"{len(listed.strange)} rows were not understood, the first: {listed.strange[0]}")
    return len(listed.entries), [notice_of(card, options, entry, _FOR_LOOKING) for entry in listed.entries]


def _rows(card: SourceCard, rows: int) -> Point:
    options, expected = _options(card), card.expect.listed
    if getattr(options, "landing", ""):
        return Point("rows", "open", "a page that leads to the file; the link is there")
    least = expected.min if expected else 1
    if rows == 0 and least > 0:
        return Point("rows", "differs", f"none, where at least {least} are expected")
    part = any(getattr(options, name, None) for name in ("paging", "next", "also", "part_mb", "per_page"))
    if rows < least and not part and isinstance(options, EntryOptions):
        return Point("rows", "differs", f"{rows}, where at least {least} are expected")
    if rows < least:
        return Point("rows", "open", f"{rows} on this page; the card's {least} are of the whole list")
    return Point("rows", "fits", f"{rows}")


def _fields(card: SourceCard, records: list[AnyRecord]) -> Iterator[Point]:
    for name, least in card.expect.filled.items():
        if not records:
            yield Point(f"field {name}", "open", "no row to look at")
            continue
        share = sum(bool(getattr(record, name, None)) for record in records) / len(records)
        told = f"filled in {share:.0%} of {len(records)}, the card says at least {least:.0%}"
        if share >= least:
            yield Point(f"field {name}", "fits", told)
        elif share == 0 and name not in ("title", "posted", "url"):
            yield Point(f"field {name}", "open", "not on the list; it may stand on the entries' own pages")
        else:
            yield Point(f"field {name}", "differs", told)


def _newest(card: SourceCard, records: list[AnyRecord], today: date) -> Point:
    days = [
        day
        for record in records
        for name in ("posted", "updated", "published", "authorised", "issued")
        if (day := getattr(record, name, None))
    ]
    if not days:
        return Point("newest date", "open", "the list prints none")
    newest, most = max(days), card.expect.newest_within_days
    told = f"{newest}, {(today - newest).days} days ago"
    if most is None:
        return Point("newest date", "open", f"{told}; the card sets no bound")
    fits = (today - newest).days <= most
    return Point("newest date", "fits" if fits else "differs", told if fits else f"{told}, more than the card's {most}")
