"""Pages that are built by script, in the system's Chromium: off unless a site of the configuration says `script: true`.

The browser is given no network. Whatever it asks for is caught (`route`) and asked for by the crawler itself, or
refused: robots.txt, private addresses, pace, size and the archive hold for each part of a page as for the page.
Only what builds text is asked for, by GET; pictures, films, fonts, frames, downloads and pages opened beside are not.
What the browser then shows is kept as a `conversion` record (ISO 28500, 6.7.7) of the answer it was built from.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import shutil
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from scrapy import Request
from scrapy.http import HtmlResponse, Response

from crawler.folder import Reading, reading_of
from crawler.manners import APART
from crawler.market.page import BUILT
from crawler.notes import host_of
from crawler.source import capture_of

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Route

    from crawler.replay import Recording

logger = logging.getLogger(__name__)

CHROMIUM_VARIABLE = "EXOWATCH_CHROMIUM"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET = 0.5
"""Seconds without a request after which a page counts as built."""
PATIENCE = 15.0
"""Seconds waited for that: what a page that goes on asking has built by then is taken."""
MOST_PARTS = 80
MOST_PART_BYTES = 24 * 1024**2
"""Scripts and data asked for by one page."""
_KEPT = frozenset({"script"})
"""Kinds of parts that are the same on every page of a site, and asked for once a run."""
_BUILDS_TEXT = frozenset({"script", "xhr", "fetch", "other"})
_PART_SHARE = 0.1
"""Of the site's delay, between two parts of one page: a browser of a visitor asks for them all at once."""
_FLAGS = (
    # nothing that slips past `route` reaches a network: names resolve to nothing, and all else ends at a dead proxy
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-gpu",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
)


class NoBrowserError(Exception):
    """Pages cannot be built here. The message says what to install."""


class NotBuiltError(Exception):
    """A page was not built to its end: too slow, too large, or the browser gave up."""


def chromium() -> str:
    """Path of the system's Chromium. Raises NoBrowserError."""
    named = os.environ.get(CHROMIUM_VARIABLE, "")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is None:
        where = f"{CHROMIUM_VARIABLE} names {named!r}, which is no program" if named else "none is on the PATH"
        raise NoBrowserError(
            f"`script: true` needs Chromium, and {where}; install it (Debian: apt-get install chromium) or name its "
            f"program in {CHROMIUM_VARIABLE}"
        )
    return found


def check() -> None:
    """Can pages be built here? Raises NoBrowserError."""
    if importlib.util.find_spec("scrapy_playwright") is None:
        raise NoBrowserError("`script: true` needs the extra `script`; install it with: pip install 'exowatch[script]'")
    chromium()


@dataclass
class _Asked:
    """What one page asked for while it was built."""

    begun: bool = False
    """The page itself was answered."""
    under_way: int = 0
    parts: int = 0
    size: int = 0
    last: float = field(default_factory=monotonic)
    left_out: dict[str, int] = field(default_factory=dict)

    def leave_out(self, why: str) -> None:
        self.left_out[why] = self.left_out.get(why, 0) + 1


class Renderer:
    """Builds pages, one at a time, each in a browser profile of its own."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.reading: Reading = reading_of(crawler)
        self._provider: Any = None
        self._browser: Browser | None = None
        self._kept: dict[str, Response] = {}

    async def render(self, response: Response) -> HtmlResponse:
        """The page as the browser shows it. Raises NotBuiltError."""
        if self.reading.recording is not None:
            return self._replayed(response, self.reading.recording)
        asked = _Asked()
        try:
            html = await asyncio.wait_for(self._build(response, asked), self._most_seconds)
        except TimeoutError:
            await self._drop_browser()
            told = f"its scripts did not come to an end within the {self._most_seconds:g} s of network.timeout_seconds"
            raise NotBuiltError(told) from None
        except Exception as error:  # Playwright's own errors are not importable without the extra
            await self._drop_browser()
            raise NotBuiltError(f"{type(error).__name__}: {' '.join(str(error).split())[:300]}") from error
        for why, count in asked.left_out.items():
            self.crawler.spider.book.leave_out(f"parts of pages: {why}", count)
        body = html.encode("utf-8", "replace")
        if len(body) > self.reading.config.network.max_body_mb * 1024**2:
            raise NotBuiltError("what its scripts built is larger than network.max_body_mb")
        capture = self.reading.archive.add_rendered(capture_of(response), response.url, body)
        return self._as_response(response, capture.id, body)

    def _replayed(self, response: Response, recording: Recording) -> HtmlResponse:
        """What the old run's browser showed: no script runs twice."""
        try:
            held = recording.rendered(response.meta["recorded"].id)
        except LookupError as error:
            raise NotBuiltError(str(error)) from error
        body = held.body()
        capture = self.reading.archive.add_rendered(capture_of(response), response.url, body, held.capture)
        return self._as_response(response, capture.id, body)

    def _as_response(self, response: Response, capture: str, body: bytes) -> HtmlResponse:
        """Without the answer's own tags: the frame that the server sends may stay the same while the page changes."""
        origin = response.request
        if origin is None:
            raise NotBuiltError("the answer does not say what it is an answer to")
        request = origin.replace(meta={**origin.meta, "capture": capture, BUILT: True})
        headers = {"Content-Type": "text/html; charset=utf-8"}
        return HtmlResponse(response.url, headers=headers, body=body, encoding="utf-8", request=request)

    @property
    def _most_seconds(self) -> float:
        return self.reading.config.network.timeout_seconds

    async def close(self) -> None:
        """End the browser."""
        await self._drop_browser()
        if self._provider is not None:
            await self._provider.close()
            self._provider = None

    async def _build(self, response: Response, asked: _Asked) -> str:
        context = await self._profile()
        try:
            page = await context.new_page()
            page.on("dialog", lambda dialog: asyncio.ensure_future(dialog.dismiss()))
            await context.route("**/*", lambda route: route.abort())  # of pages that its scripts open beside it
            await page.route("**/*", lambda route: self._answer(route, page, response, asked))
            await page.goto(response.url, wait_until="domcontentloaded", timeout=self._most_seconds * 1000)
            began = monotonic()
            while monotonic() - began < PATIENCE and (asked.under_way or monotonic() - asked.last < QUIET):
                await asyncio.sleep(QUIET / 5)
            return await page.content()
        finally:
            await context.close()

    async def _profile(self) -> BrowserContext:
        browser = self._browser or await self._launch()
        return await browser.new_context(
            accept_downloads=False,
            service_workers="block",
            user_agent=self.crawler.settings["USER_AGENT"],
            java_script_enabled=True,
            locale="en-US",
        )

    async def _launch(self) -> Browser:
        from scrapy.settings import Settings
        from scrapy_playwright.handler import Config
        from scrapy_playwright.provider import PlaywrightBrowserProvider

        if self._provider is None:
            options = {
                "executable_path": chromium(),
                "args": list(_FLAGS),
                # Chromium has no sandbox for root; run as a user of its own, each site's scripts stay in theirs
                "chromium_sandbox": os.geteuid() != 0,
            }
            settings = Settings({"PLAYWRIGHT_LAUNCH_OPTIONS": options, "CONCURRENT_REQUESTS": 1})
            self._provider = PlaywrightBrowserProvider(Config.from_settings(settings))
            await self._provider.start()
        browser: Browser = await self._provider.launch_browser()
        self._browser = browser
        return browser

    async def _drop_browser(self) -> None:
        browser, self._browser = self._browser, None
        if browser is not None:
            await browser.close()

    async def _answer(self, route: Route, page: Page, response: Response, asked: _Asked) -> None:
        """One request of the browser: answered from what was received, asked for, or refused."""
        asked.under_way += 1
        try:
            if _is_of(route, page) and not asked.begun:
                asked.begun = True
                await _fulfil(route, response)
            elif why := self._refusal(route, asked):
                asked.leave_out(why)
                await _refuse(route)
            else:
                await self._pass_on(route, asked)
        finally:
            asked.under_way -= 1
            asked.last = monotonic()

    def _refusal(self, route: Route, asked: _Asked) -> str:
        request = route.request
        if request.resource_type not in _BUILDS_TEXT:
            return "pictures, styles, frames and other things that hold no text of the page"
        if request.method != "GET":
            return f"{request.method} requests: only GET is made"
        if asked.parts >= MOST_PARTS or asked.size > MOST_PART_BYTES:
            return f"beyond {MOST_PARTS} or {MOST_PART_BYTES // 1024**2} MB of one page"
        return ""

    async def _pass_on(self, route: Route, asked: _Asked) -> None:
        url = route.request.url
        asked.parts += 1
        answer = self._kept.get(url)
        if answer is None:
            answer = await self._ask(url, route.request.headers.get("accept", "*/*"))
        if answer is None:
            await route.abort()
            return
        if route.request.resource_type in _KEPT:
            self._kept[url] = answer
        asked.size += len(answer.body)
        await _fulfil(route, answer)

    async def _ask(self, url: str, accept: str) -> Response | None:
        """A part, asked for like a page. None: refused, or no answer; why stands in the run."""
        slot = f"{host_of(url)} (parts)"
        downloader = self.crawler.engine.downloader
        delay = max(self.reading.card.pace.delay * _PART_SHARE * self.reading.patience, 0.001)
        downloader.per_slot_settings.setdefault(slot, {"concurrency": 1, "delay": delay, "jitter": 0})
        meta = {"handle_httpstatus_all": True, APART: True, "download_slot": slot}
        try:
            answer: Response = await self.crawler.engine.download_async(
                Request(url, headers={"Accept": accept}, meta=meta, dont_filter=True)
            )
        except Exception as error:  # refused or failed: noted in the run by the downloader, where all failures pass
            logger.info("part %s of a page was not read: %s", url, error)
            return None
        return answer


def _is_of(route: Route, page: Page) -> bool:
    """True for the page itself; false for its parts, its frames, and where its scripts would lead it."""
    request = route.request
    return request.is_navigation_request() and request.frame == page.main_frame


async def _fulfil(route: Route, answer: Response) -> None:
    kind = (answer.headers.get("Content-Type") or b"").decode("latin-1")
    # another host's data is for the page if that host says so to everyone
    allowed = (answer.headers.get("Access-Control-Allow-Origin") or b"*").decode("latin-1")
    headers = {"Content-Type": kind, "Access-Control-Allow-Origin": allowed}
    await route.fulfill(status=answer.status, headers=headers, body=answer.body)


async def _refuse(route: Route) -> None:
    if route.request.resource_type == "stylesheet":  # some pages show nothing before their style has come
        await route.fulfill(status=200, content_type="text/css", body="")
    else:
        await route.abort()
