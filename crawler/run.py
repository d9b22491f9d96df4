"""One crawl, one run folder, one outcome. Scrapy's own exit code is 0 whatever happened: ours comes from what did."""

from __future__ import annotations

import gc
import importlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from scrapy.crawler import AsyncCrawlerProcess

from crawler.folder import Clock, Mode, Reading, RunFolder
from crawler.identity import SOFTWARE, contact_of
from crawler.notes import note
from crawler.settings import DEFAULT_MINUTES, build
from crawler.source import RunBook, SourceSpider, spider_module
from monitor.config import Config
from monitor.records import EXIT_CODES, KnownItem, Outcome, RunRecord, RunRequest, SourceCard

KNOWN_FILE = "known.jsonl"
"""What the run was told it need not read again; a replay has to be told the same."""
_OBJECTS_BETWEEN = 5_000
"""Made and not gone again before Python looks for rings among them: at its own 700 that takes a sixth of a crawl.

Not more: what waits for it holds whole pages in memory."""
MISREAD = frozenset({"parse_error", "layout_changed", "wrong_content_type"})
_ENDS_WELL = frozenset({"finished", "limit_records", "limit_bytes", "limit_requests", "closespider_timeout"})


class NotStartedError(Exception):
    """The run was refused before anything was asked of any server. The message says what to do."""


class CutShortError(Exception):
    """The crawl was ended by force; its folder stays a `.part`, which nobody takes in."""


@dataclass(frozen=True)
class Finished:
    """A run that ended, well or not, and the folder that holds it."""

    folder: Path
    record: RunRecord

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.record.outcome]


def card_of(source: str, cards: dict[str, SourceCard], config: Config) -> SourceCard:
    """The card of a source or of a configured site. Raises NotStartedError with the nearest names."""
    if source in cards:
        return cards[source]
    site = config.site_of(source)
    if site is not None:
        try:
            card: SourceCard = importlib.import_module("crawler.market.site").card_of(site)
        except ValueError as error:
            raise NotStartedError(str(error)) from error
        return card
    known = [*cards, *(site.source_id for site in config.sites)]
    near = get_close_matches(source, known, n=3)
    hint = f"did you mean {', '.join(near)}?" if near else "`python -m crawler list` shows them"
    raise NotStartedError(f"no source named {source!r}; {hint}")


def run_source(
    config: Config,
    card: SourceCard,
    runs: Path,
    *,
    request: RunRequest | None = None,
    known: Iterable[KnownItem] = (),
    progress: bool = False,
    spider: type[SourceSpider] | None = None,
) -> Finished:
    """Read one source. Once in a process: the reactor cannot be started twice. Raises NotStartedError.

    `spider` is taken in the place of the card's own.
    """
    if card.options.get("script"):
        _must_show_pages()
    rehearsal = config.rehearsal
    mode: Mode = "rehearsal" if rehearsal else "live"
    if mode == "live":
        _may_go_live(config, card)
    clock = Clock(rehearsal.now if rehearsal else None)
    folder = RunFolder(runs, card.id, clock.start)
    reading = Reading(
        config=config,
        card=card,
        request=request or RunRequest(),
        known={item.key: item for item in known},
        mode=mode,
        folder=folder,
        clock=clock,
        progress=progress,
    )
    return crawl(reading, spider=spider)


def _must_show_pages() -> None:
    rendering = importlib.import_module("crawler.market.rendering")
    try:
        rendering.check()
    except rendering.NoBrowserError as error:
        raise NotStartedError(str(error)) from error


def _may_go_live(config: Config, card: SourceCard) -> None:
    if not contact_of(config):
        raise NotStartedError(
            "a live run needs `contact` in the configuration: a mail or web address (printable ASCII) "
            "at which the operators of the servers can reach you; it becomes part of the user agent"
        )
    if card.demo:
        raise NotStartedError(f"{card.id} is an invented source of the demo; it can be read in a rehearsal only")


def crawl(reading: Reading, replay_of: str = "", spider: type[SourceSpider] | None = None) -> Finished:
    """Run the reading's spider to its end and seal the folder. Raises NotStartedError if the spider cannot be made."""
    folder = reading.folder
    if reading.known:
        lines = "".join(item.model_dump_json() + "\n" for item in reading.known.values())
        folder.file(KNOWN_FILE).write_text(lines, encoding="utf-8")
    try:
        spider_class: type[SourceSpider] = spider or spider_module(reading.card).Spider
    except (ImportError, AttributeError) as error:
        raise NotStartedError(f"{reading.card.id}: spider {reading.card.spider!r} cannot be loaded: {error}") from error
    # Asks who imports it, by the sources of every function under way: here they are few, in the engine fifty.
    importlib.import_module("scrapy.core.downloader.contextfactory")
    process = AsyncCrawlerProcess(build(reading))
    crawler = process.create_crawler(spider_class)
    # Scrapy says two such things of each page, and where in its code it says them; its file takes none.
    logging.disable(logging.DEBUG)
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN, *gc.get_threshold()[1:])
    process.crawl(crawler, card=reading.card, request=reading.request, known=reading.known)
    process.start()
    _close_log()
    if process.bootstrap_failed or not isinstance(crawler.spider, SourceSpider):
        raise NotStartedError(f"the spider of {reading.card.id} could not be started; see {folder.file('crawl.log')}")
    stats = crawler.stats.get_stats()
    if "finish_reason" not in stats:
        raise CutShortError(f"the run was ended by force; what it read so far stays in {folder.path}")
    record = _record(reading, crawler.spider.book, str(stats["finish_reason"]), replay_of)
    return Finished(folder.seal(record), record)


def _close_log() -> None:
    """Scrapy leaves its file handler on the root logger; the log's digest needs the file at rest."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if isinstance(handler, logging.FileHandler):
            root.removeHandler(handler)
            handler.close()


def _record(reading: Reading, book: RunBook, reason: str, replay_of: str) -> RunRecord:
    if reason == "closespider_timeout":
        minutes = reading.card.options.get("minutes", DEFAULT_MINUTES)
        note(book, "limit_reached", f"stopped after {minutes} minutes; the rest is unread")
    return RunRecord(
        run_id=reading.folder.run_id,
        source=reading.card.id,
        card=reading.card,
        mode=reading.mode,
        replay_of=replay_of,
        request=reading.request,
        started_at=reading.clock.start,
        finished_at=reading.clock.now(),
        finish_reason=reason,
        outcome=outcome_of(reason, book, sum(reading.items.values())),
        software=SOFTWARE,
        config_digest=reading.config.digest_of(),
        items=dict(sorted(reading.items.items())),
        listed=book.listed,
        newest=book.newest,
        known=book.known,
        not_kept=dict(sorted(book.not_kept.items())),
        lists=book.lists,
        unchanged=book.unchanged,
        seen=book.seen,
        requests=reading.requests,
        responses={str(status): count for status, count in sorted(reading.responses.items())},
        received_bytes=reading.received_bytes,
        platforms=book.platforms,
        catalogues=book.catalogues,
        problems=tuple(book.problems),
    )


def outcome_of(reason: str, book: RunBook, records: int) -> Outcome:
    """How a run ended. A source that could not be read is not an empty one."""
    kinds = {problem.kind for problem in book.problems}
    if reason == "blocked":
        return Outcome.BLOCKED
    if reason == "shutdown":
        return Outcome.STOPPED
    if kinds & MISREAD or reason not in _ENDS_WELL:
        return Outcome.ERRORS
    if records or book.listed or book.known or book.unchanged:
        return Outcome.OK
    unread = kinds - {"limit_reached"}
    if "blocked" in unread:
        return Outcome.BLOCKED
    return Outcome.ERRORS if unread else Outcome.EMPTY
