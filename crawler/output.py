"""What leaves a crawl while it runs: records into `items.jsonl`, progress to stderr."""

from __future__ import annotations

import json
import sys
from datetime import date, timedelta
from typing import Any

from scrapy import signals
from scrapy.exceptions import DropItem
from scrapy.utils.asyncio import create_looping_call

from crawler.folder import reading_of
from crawler.notes import book_of, note
from monitor.records import RECORD, AnyRecord, NoticeRecord, captures_of

DAYS_AHEAD = 2
"""Where a publisher's day may be ahead of ours: its zone, and what is dated for tomorrow's issue."""


class ItemsFile:
    """One wire record a line, read back before it is written. Anything else that a spider yields is its error."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.reading = reading_of(crawler)
        self._file = self.reading.folder.file("items.jsonl").open("x", encoding="utf-8")
        self._count = 0
        self._keys: set[str] = set()
        self._until = self.reading.clock.now().date() + timedelta(days=DAYS_AHEAD)
        crawler.signals.connect(self._begin, signal=signals.spider_opened)

    @classmethod
    def from_crawler(cls, crawler: Any) -> ItemsFile:
        return cls(crawler)

    def _begin(self) -> None:
        book_of(self.crawler).until = self._until

    def close_spider(self) -> None:
        self._file.close()

    def process_item(self, item: Any) -> Any:
        limit = self.reading.request.limit
        if limit is not None and self._count >= limit:
            raise DropItem(f"beyond the {limit} records that were asked for", log_level="DEBUG")
        line, problem = self._line_of(item)
        if problem:
            note(book_of(self.crawler), "parse_error", problem, getattr(item, "url", ""))
            raise DropItem(problem)
        key = getattr(item, "key", "")
        if key and key in self._keys:
            book_of(self.crawler).leave_out("same id as a record before it in this run")
            raise DropItem(f"a second record with the id {key}", log_level="DEBUG")
        self._keys.add(key)
        if isinstance(item, NoticeRecord) and (past := without_future(item, self._until)) is not item:
            item, line = past, past.model_dump_json()
        self._file.write(line + "\n")
        self._count += 1
        self.reading.items[item.kind] = self.reading.items.get(item.kind, 0) + 1
        if limit is not None and self._count >= limit:
            self.crawler.engine.downloader.end_run("limit_records")
        return item

    def _line_of(self, item: Any) -> tuple[str, str]:
        """The record as it is written, and what speaks against it; only one of them is not empty."""
        if not isinstance(item, AnyRecord):
            return "", f"the spider yielded a {type(item).__name__}, which is no record"
        if problem := self._objection(item):
            return "", problem
        try:
            line = item.model_dump_json()
            RECORD.validate_json(line)
        except ValueError as error:
            return "", f"not a valid record: {error}"
        return line, ""

    def _objection(self, item: AnyRecord) -> str:
        if item.source != self.reading.card.id:
            return f"a record of source {item.source!r} in a run of {self.reading.card.id!r}"
        strange = [c for c in captures_of(item) if not c.startswith(f"{self.reading.folder.run_id}/")]
        if strange:
            return f"the record names capture {strange[0]!r}, which is not of this run"
        return ""


def without_future(notice: NoticeRecord, until: date) -> NoticeRecord:
    """The notice without days that have not come yet, each named in `unread`: a misprint is no date."""
    late = {name: day for name in ("issued", "posted", "updated") if (day := getattr(notice, name)) and day > until}
    if not late:
        return notice
    told = (f"{name} date: {day} has not come yet" for name, day in late.items())
    return notice.model_copy(update={**dict.fromkeys(late), "unread": (*notice.unread, *told)})


class Progress:
    """One JSON object a second on stderr: requests, responses, records, elapsed seconds."""

    def __init__(self, crawler: Any) -> None:
        self.reading = reading_of(crawler)
        self._loop: Any = create_looping_call(self._tell)
        crawler.signals.connect(self._begin, signal=signals.spider_opened)
        crawler.signals.connect(self._end, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Progress:
        return cls(crawler)

    def _begin(self) -> None:
        self._loop.start(1.0, now=False)

    def _end(self) -> None:
        if self._loop.running:
            self._loop.stop()
        self._tell()

    def _tell(self) -> None:
        line = {
            "requests": self.reading.requests,
            "responses": self.reading.responses.total(),
            "records": sum(self.reading.items.values()),
            "elapsed": round(self.reading.clock.elapsed(), 3),
        }
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()
