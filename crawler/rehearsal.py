"""Reading from one loopback server in place of the whole web: for the demo, for recordings, for tests."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.core.downloader.handlers.http11 import HTTP11DownloadHandler
from scrapy.http import Response

from crawler.decoding import copied
from crawler.folder import reading_of


class RehearsalHandler(HTTP11DownloadHandler):
    """Sends every request to `rehearsal.address` with its own host in the headers, and answers under its own URL."""

    lazy = False

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        rehearsal = reading_of(crawler).config.rehearsal
        if rehearsal is None:
            raise ValueError("a rehearsal needs rehearsal.address in the configuration")
        self._address = rehearsal.address
        self._date = rehearsal.now.date().isoformat() if rehearsal.now else ""

    async def download_request(self, request: Request) -> Response:
        parts = urlsplit(request.url)
        query = f"?{parts.query}" if parts.query else ""
        local = request.replace(url=f"http://{self._address}{parts.path or '/'}{query}")
        local.headers["Host"] = parts.netloc.rpartition("@")[2]
        local.headers["X-Forwarded-Proto"] = parts.scheme
        if self._date:
            local.headers["X-Rehearsal-Date"] = self._date
        response = await super().download_request(local)
        request.meta["download_latency"] = local.meta.get("download_latency", 0.0)
        return copied(response, type(response), request.url)
