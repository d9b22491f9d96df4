"""Reading a run once more from its own WARC, offline: for a parser that was corrected, or a doubt to be settled."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes
from warcio.archiveiterator import ArchiveIterator

from crawler.archive import record_uuid
from crawler.folder import Clock, Reading, RunFolder, reading_of
from crawler.run import KNOWN_FILE, Finished, NotStartedError, crawl
from monitor.config import Config
from monitor.records import CaptureRecord, KnownItem, RunRecord

Asked = tuple[str, str, str]
"""Method, URL, sha256 of the request's body."""


class NotRecordedError(LookupError):
    """The old run never made this request."""


@dataclass(frozen=True)
class Exchange:
    """One response of the old run, and where it lies."""

    capture: CaptureRecord
    warc: Path

    def response(self) -> tuple[int, Headers, bytes]:
        """Status, headers and body as received. Raises ValueError if the bytes are not those that were recorded."""
        record, body = self._read()
        headers = Headers()
        for name, value in record.http_headers.headers:
            headers.appendlist(name, value.encode("latin-1"))
        return self.capture.status, headers, body

    def body(self) -> bytes:
        """The bytes alone. Raises ValueError as above."""
        return self._read()[1]

    def _read(self) -> tuple[Any, bytes]:
        with self.warc.open("rb") as file:
            file.seek(self.capture.offset)
            member = gzip.decompress(file.read(self.capture.length))
        record = next(iter(ArchiveIterator(io.BytesIO(member))))
        body: bytes = record.raw_stream.read()
        if hashlib.sha256(body).hexdigest() != self.capture.payload_sha256:
            raise ValueError(f"{self.warc}: the bytes of {self.capture.id} are not those that were recorded")
        return record, body


class Recording:
    """A run's exchanges by what was asked, each in the order in which it came."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        warc = folder / "run.warc.gz"
        asked = _requests_of(warc)
        self._exchanges: dict[Asked, deque[Exchange]] = defaultdict(deque)
        self._rendered: dict[str, Exchange] = {}
        for line in (folder / "captures.jsonl").read_text(encoding="utf-8").splitlines():
            capture = CaptureRecord.model_validate_json(line)
            if capture.rendered_from:
                self._rendered[capture.rendered_from] = Exchange(capture, warc)
                continue
            self._exchanges[asked[record_uuid(capture.id)]].append(Exchange(capture, warc))

    def answer(self, request: Request) -> Exchange:
        """What came to this request; the last one again if it is asked more often. Raises NotRecordedError."""
        key = (request.method, request.url, hashlib.sha256(request.body).hexdigest())
        exchanges = self._exchanges.get(key)
        if not exchanges:
            raise NotRecordedError(f"not in the recording: {request.method} {request.url}")
        return exchanges.popleft() if len(exchanges) > 1 else exchanges[0]

    def rendered(self, capture_id: str) -> Exchange:
        """What a browser showed of that capture. Raises NotRecordedError."""
        if capture_id not in self._rendered:
            raise NotRecordedError(f"not in the recording: what a browser showed of {capture_id}")
        return self._rendered[capture_id]


def _requests_of(warc: Path) -> dict[str, Asked]:
    """Record id of each response → what was asked for it."""
    asked: dict[str, Asked] = {}
    with warc.open("rb") as file:
        for record in ArchiveIterator(file):
            if record.rec_type == "request":
                headers = record.rec_headers
                body = record.raw_stream.read()
                asked[headers.get_header("WARC-Concurrent-To")] = (
                    record.http_headers.protocol,
                    headers.get_header("WARC-Target-URI"),
                    hashlib.sha256(body).hexdigest(),
                )
    return asked


class ReplayHandler(BaseDownloadHandler):
    """Answers from the recording. Opens no socket."""

    lazy = False

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        recording = reading_of(crawler).recording
        if recording is None:
            raise ValueError("a replay needs a recording")
        self._recording = recording

    async def download_request(self, request: Request) -> Response:
        exchange = self._recording.answer(request)
        status, headers, body = exchange.response()
        request.meta["recorded"] = exchange.capture
        kind = responsetypes.from_args(headers=headers, url=request.url, body=body)
        return kind(url=request.url, status=status, headers=headers, body=body)


def replay(folder: Path, runs: Path, *, config: Config | None = None, progress: bool = False) -> Finished:
    """Read a finished run again into a new folder of mode `replay`. Raises NotStartedError."""
    old = _old_run(folder)
    recording = Recording(folder)
    # every run's id holds its start: a replay is named by its own moment, and reads with the old run's clock
    moment = Clock()
    reading = Reading(
        config=config or Config(),
        card=old.card,
        request=old.request,
        known=_known_of(folder),
        mode="replay",
        folder=RunFolder(runs, old.source, moment.start),
        clock=Clock(old.started_at),
        recording=recording,
        progress=progress,
    )
    return crawl(reading, replay_of=old.run_id)


def _old_run(folder: Path) -> RunRecord:
    if folder.suffix == ".part" or not (folder / "run.json").is_file():
        raise NotStartedError(f"{folder} is not a finished run: it has no run.json")
    try:
        old = RunRecord.model_validate_json((folder / "run.json").read_bytes())
    except ValidationError as error:
        first = re.sub(r"\s+", " ", str(error))[:300]
        raise NotStartedError(f"{folder / 'run.json'} is not a run record of this version: {first}") from error
    return old


def _known_of(folder: Path) -> dict[str, KnownItem]:
    path = folder / KNOWN_FILE
    if not path.is_file():
        return {}
    items = [KnownItem.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {item.key: item for item in items}
