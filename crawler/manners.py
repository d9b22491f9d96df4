"""Behaving well towards servers, and noticing when they ask us to leave.

robots.txt is obeyed with its Crawl-delay (RFC 9309, and the extension that FDA uses), Retry-After is waited for
(RFC 9110, 10.2.3), a block page stops its host for the rest of the run, and nothing private is reached.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from time import monotonic
from typing import Any
from urllib.parse import urljoin, urlsplit

from scrapy import Request, signals
from scrapy.core.downloader import Downloader, Slot
from scrapy.downloadermiddlewares.robotstxt import RobotsTxtMiddleware
from scrapy.exceptions import DownloadCancelledError, IgnoreRequest
from scrapy.http import Response
from scrapy.robotstxt import ProtegoRobotParser
from scrapy.utils.asyncio import create_looping_call
from scrapy.utils.defer import _schedule_coro
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.addresses import refusal
from crawler.blocks import block_address, block_page
from crawler.folder import reading_of
from crawler.identity import NAME
from crawler.notes import Kind, RefusedRequest, book_of, host_of, note
from crawler.source import BlockedError, LayoutChangedError

logger = logging.getLogger(__name__)

LONGEST_WAIT = 600.0
"""Seconds of Retry-After that a run waits for; who asks for more is left alone until the next run."""
BACK_OFF = {429: 60.0, 503: 60.0}
"""Seconds before the first retry of these where the server names none; doubled for each further one."""
BACK_OFF_OTHERWISE = 10.0
APART = "stands_apart"
"""Key of a request's meta: a block page in its place says nothing about the rest of its host."""
_STOP_LOOK = 0.25


def retry_after(value: str, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for: a number or an HTTP date; None if it is neither."""
    value = value.strip()
    if re.fullmatch(r"\d{1,9}", value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


def is_robots(request: Request) -> bool:
    return bool(request.meta.get("dont_obey_robotstxt")) and request.url.endswith("/robots.txt")


class PoliteDownloader(Downloader):
    """Scrapy's downloader, with hosts that can be held or stopped, and every failure noted at its one way out."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self.reading = reading_of(crawler)
        self.stopped: dict[str, str] = {}
        self._stop_look: Any = None
        self._requests = 0
        self._ending = False
        self._judging: dict[Request, Slot] = {}
        """Answers that came and are not judged yet: until then nothing more is asked of their host."""

    def fetch(self, request: Request, spider: Any = None) -> Deferred[Response | Request]:  # noqa: ARG002
        if self._stop_look is None:
            self._stop_look = create_looping_call(self._let_go_when_closing)
            self._stop_look.start(_STOP_LOOK, now=False)
        outcome: Deferred[Response | Request] = super().fetch(request)
        outcome.addCallbacks(partial(self._arrived, request), partial(self._failed, request))
        outcome.addBoth(partial(self._judged, request))
        return outcome

    def close(self) -> None:
        if self._stop_look is not None:
            self._stop_look.stop()
            self._stop_look = None
        super().close()

    def hold(self, host: str, seconds: float) -> None:
        """Ask this host for nothing for so many seconds."""
        slot = self.slots.get(host)
        if slot is not None:
            slot.lastseen = max(slot.lastseen, monotonic() + seconds * self.reading.patience)

    @property
    def _most_requests(self) -> int | None:
        """By the card, or what earlier runs of the day have left of it."""
        bounds = (self.reading.card.pace.daily_requests, self.reading.request.most_requests)
        return min((bound for bound in bounds if bound is not None), default=None)

    def slow_down(self, host: str, delay: float) -> None:
        """Leave at least so many seconds between two requests to this host, from now on."""
        scaled = max(delay * self.reading.patience, self._delay)
        self.per_slot_settings[host] = {"concurrency": 1, "delay": scaled, "jitter": 0}
        slot = self.slots.get(host)
        if slot is not None:
            slot.delay = max(slot.delay, scaled)

    def stop_host(self, host: str, why: str) -> None:
        """Ask this host for nothing in the rest of the run. The run ends if it is the source's own."""
        self.stopped.setdefault(host, why)
        logger.warning("%s is left alone for the rest of the run: %s", host, why)
        if host in self.slots:
            self._let_go(self.slots[host])
        if host.removeprefix("www.") == host_of(self.reading.card.start).removeprefix("www."):
            self.end_run("blocked")

    def end_run(self, reason: str) -> None:
        """Ask nobody for anything more, and close with this reason."""
        if self._ending:
            return
        self._ending = True
        for slot in self.slots.values():
            self._let_go(slot)
        _schedule_coro(self.crawler.engine.close_spider_async(reason=reason))

    async def _enqueue_request(self, request: Request) -> Response:
        if self._ending or host_of(request.url) in self.stopped:
            raise _RunEnds("its host is left alone, or the run is ending")
        most = self._most_requests
        if most is not None and self._requests >= most:
            told = "that are left of a day's for this source" if self.reading.request.most_requests else "a day"
            note(book_of(self.crawler), "limit_reached", f"made the {most} requests {told} that its card allows")
            self.end_run("limit_requests")
            raise _RunEnds("no request is left")
        self._requests += 1
        return await super()._enqueue_request(request)

    async def _download(self, slot: Slot, request: Request) -> Response:
        self._judging[request] = slot
        return await super()._download(slot, request)

    def _process_queue(self, slot: Slot) -> None:
        # Scrapy goes on as soon as the bytes are there, before a middleware can find that they are a refusal
        if slot not in self._judging.values():
            super()._process_queue(slot)

    def _judged(self, request: Request, result: Any) -> Any:
        slot = self._judging.pop(request, None)
        if slot is not None:
            self._process_queue(slot)
        return result

    def _arrived(self, request: Request, result: Response | Request) -> Response | Request:
        if isinstance(result, Response) and not is_robots(request) and not self._is_handled(request, result.status):
            capture = request.meta.get("capture", "")
            note(book_of(self.crawler), "http_error", f"answered with status {result.status}", result.url, capture)
        return result

    def _is_handled(self, request: Request, status: int) -> bool:
        if 200 <= status < 300 or request.meta.get("handle_httpstatus_all"):
            return True
        of_spider = getattr(self.crawler.spider, "handle_httpstatus_list", ())
        return status in (request.meta.get("handle_httpstatus_list") or of_spider)

    def _failed(self, request: Request, failure: Failure) -> Failure:
        error = failure.value
        if isinstance(error, _RunEnds) or (is_robots(request) and not isinstance(error, RefusedRequest)):
            return failure  # noted where the run was ended, or where the robots middleware says what follows
        book = book_of(self.crawler)
        capture = request.meta.get("capture", "")
        if isinstance(error, RefusedRequest):
            self._note_refusal(error, request.url, capture)
        elif isinstance(error, DownloadCancelledError) or "DOWNLOAD_MAXSIZE" in str(error):
            # the second: Scrapy's decompression says by its message alone that it gave up at the limit
            most = self.settings.getint("DOWNLOAD_MAXSIZE") // 1024**2
            note(book, "too_large", f"larger than the {most} MB of network.max_body_mb", request.url, capture)
        else:
            message = " ".join(str(error).split()) or "no reason given"
            note(book, "download_error", f"{type(error).__name__}: {message}"[:500], request.url, capture)
        return failure

    def _note_refusal(self, error: RefusedRequest, url: str, capture: str) -> None:
        book = book_of(self.crawler)
        if error.kind == "robots":
            book.leave_out("robots.txt forbids it")
        if error.of_host and any(p.message == error.message and host_of(p.url) == host_of(url) for p in book.problems):
            return  # a site may forbid thousands of pages: named once, counted always
        note(book, error.kind, error.message, url, capture)

    def _let_go_when_closing(self) -> None:
        """Once the run is ending, what still waits for its turn is let go: at 30 s a request it would take minutes."""
        engine_slot = self.crawler.engine._slot
        if engine_slot is None or engine_slot.closing is None:
            return
        for slot in self.slots.values():
            self._let_go(slot)

    def _let_go(self, slot: Slot) -> None:
        while slot.queue:
            _, waiting = slot.queue.popleft()
            waiting.errback(Failure(_RunEnds("the run ended before its turn came")))  # type: ignore[no-untyped-call]


class _RunEnds(IgnoreRequest):
    """Not a problem of its own: why the run ended is noted elsewhere."""


class Gate:
    """First to see every request, robots.txt and redirects included: where it goes, and whether we were sent away."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Any) -> Gate:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        downloader = self.crawler.engine.downloader
        if downloader.stopped and host_of(request.url) in downloader.stopped:
            book_of(self.crawler).leave_out("host left alone after a block")
            raise _RunEnds(downloader.stopped[host_of(request.url)])
        why_not = refusal(request.url)
        if why_not:
            raise RefusedRequest("refused_address", why_not)


class Redirects:
    """Sees a redirect before it is followed: into a block page, or to something that is not the web."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Any) -> Redirects:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        location = response.headers.get("Location")
        if location is None or not 300 <= response.status < 400:
            return response
        target = urljoin(request.url, location.decode("latin-1").strip())
        block = block_address(target)
        if block:
            self.crawler.engine.downloader.stop_host(host_of(request.url), block)
            raise RefusedRequest("blocked", f"redirected to {block} ({target})")
        why_not = refusal(target)
        if why_not:
            raise RefusedRequest("refused_address", f"redirected to {target}: {why_not}")
        return response


class Manners:
    """Sees each decoded answer before anything is retried or parsed: block pages, and waits that were asked for."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.reading = reading_of(crawler)
        self._retry_codes = {int(code) for code in crawler.settings.getlist("RETRY_HTTP_CODES")}
        self._most_bytes = self.reading.config.network.max_run_mb * 1024**2
        crawler.signals.connect(self.spider_error, signal=signals.spider_error)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Manners:
        return cls(crawler)

    def process_response(self, request: Request, response: Response) -> Response:
        block = block_page(response)
        if block:
            # a catalogue may be guarded where the pages beside it are open to everyone
            if not request.meta.get(APART):
                self.crawler.engine.downloader.stop_host(host_of(request.url), block)
            raise RefusedRequest("blocked", f"status {response.status}: {block}")
        if response.status in self._retry_codes:
            self._wait_as_asked(request, response)
        if self.reading.received_bytes > self._most_bytes:
            self._stop_for_size()
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        address = self.reading.refused.get(host_of(request.url))
        if address is not None and not isinstance(exception, IgnoreRequest):
            raise RefusedRequest(
                "refused_address", f"the name leads to {address}, which is not a public address"
            ) from exception

    def spider_error(self, failure: Failure, response: Response | None, spider: Any) -> None:
        """An exception out of a callback: nothing else of this page was read, and the run says so."""
        error = failure.value
        url = getattr(response, "url", "")
        request = getattr(response, "request", None)
        capture = str(request.meta.get("capture", "")) if request is not None else ""
        message = " ".join(str(error).split())[:500]
        if isinstance(error, BlockedError):
            note(spider.book, "blocked", message or "not its content", url, capture)
            self.crawler.engine.downloader.stop_host(host_of(url), message)
        elif isinstance(error, LayoutChangedError):
            note(spider.book, error.kind, message, url, capture)
        else:
            note(spider.book, "parse_error", f"{type(error).__name__}: {message}{_place(failure)}", url, capture)

    def _wait_as_asked(self, request: Request, response: Response) -> None:
        downloader = self.crawler.engine.downloader
        host = host_of(request.url)
        header = response.headers.get("Retry-After")
        asked = retry_after(header.decode("latin-1"), self.reading.clock.now()) if header else None
        if asked is not None and asked > LONGEST_WAIT:
            why = f"status {response.status}, asked to wait {asked:.0f} s: longer than a run's {LONGEST_WAIT:.0f} s"
            downloader.stop_host(host, why)
            raise RefusedRequest("blocked", why)
        if asked is None:
            asked = BACK_OFF.get(response.status, BACK_OFF_OTHERWISE) * 2 ** request.meta.get("retry_times", 0)
        downloader.hold(host, min(asked, LONGEST_WAIT))

    def _stop_for_size(self) -> None:
        most = self.reading.config.network.max_run_mb
        note(
            book_of(self.crawler), "limit_reached", f"received the {most} MB of network.max_run_mb; the rest is unread"
        )
        self.crawler.engine.downloader.end_run("limit_bytes")


def _place(failure: Failure) -> str:
    frames = failure.frames
    if not frames:
        return ""
    function, file, line = frames[-1][:3]
    return f" (in {function}, {file.rpartition('/')[2]} line {line})"


_NOTHING = b"User-agent: *\nDisallow: /\n"


class PoliteRobots(RobotsTxtMiddleware):
    """Scrapy's, plus Crawl-delay, and RFC 9309 2.3.1: no file allows all, a failing server allows nothing."""

    def process_request_2(self, rp: Any, request: Request) -> None:
        if rp is None:
            # of several requests that wait for one robots.txt, Scrapy 2.19 gives its rules to the first two alone
            rp = self._parsers.get(urlsplit(request.url).netloc)
        refusal_of_all = getattr(rp, "refusal", None)
        if refusal_of_all is not None:
            raise refusal_of_all
        try:
            super().process_request_2(rp, request)
        except IgnoreRequest as error:
            raise RefusedRequest("robots", "robots.txt forbids this address", of_host=True) from error

    async def _parse_robots(self, response: Response, netloc: str, request: Request) -> None:
        if response.status == 429 or response.status >= 500:
            self._forbid(netloc, _unreadable("http_error", f"status {response.status}"))
            return
        if response.status >= 400:
            response = response.replace(body=b"")
        await super()._parse_robots(response, netloc, request)
        parser = self._parsers[netloc]
        delay = parser.crawl_delay(NAME) if isinstance(parser, ProtegoRobotParser) else None
        if delay:
            downloader: Any = self.crawler.engine.downloader
            downloader.slow_down(host_of(request.url), float(delay))

    def _robots_error(self, exc: Exception, netloc: str) -> None:
        ours = isinstance(exc, RefusedRequest | _RunEnds)
        self._forbid(netloc, exc if ours else _unreadable("download_error", f"{type(exc).__name__}: {exc}"))

    def _forbid(self, netloc: str, why: Exception) -> None:
        parser: Any = ProtegoRobotParser(b"User-agent: *\nDisallow: /\n", None)
        parser.refusal = why
        waiting = self._parsers[netloc]
        self._parsers[netloc] = parser
        if isinstance(waiting, Deferred):
            waiting.callback(parser)


def _unreadable(kind: Kind, why: str) -> RefusedRequest:
    message = f"robots.txt could not be read ({why}), so nothing is asked of this host in this run"
    return RefusedRequest(kind, message, of_host=True)
