"""What spiders share whose list entries are whole records: page after page of answers, and no page below."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, TypeVar

from scrapy.http import Response, TextResponse

from crawler.folder import reading_of
from crawler.notes import note
from crawler.source import LayoutChangedError, capture_of
from crawler.sources.reading import ListSpider, clean, digest_of
from monitor.records import AuthorisationRecord, NoticeRecord, PublicationRecord, TrialRecord

Entry = TypeVar("Entry", NoticeRecord, TrialRecord, PublicationRecord, AuthorisationRecord)


def text_field(holder: Any, *path: str) -> str:
    """The text or number at a path of keys, on one line; empty where a step is missing or is something else."""
    for step in path:
        holder = holder.get(step) if isinstance(holder, dict) else None
    if isinstance(holder, bool) or not isinstance(holder, str | int | float):
        return ""
    return clean(str(holder))


def list_field(holder: Any, *path: str) -> list[Any]:
    """The list at a path of keys; empty where a step is missing or is something else."""
    for step in path:
        holder = holder.get(step) if isinstance(holder, dict) else None
    return holder if isinstance(holder, list) else []


def text_list(holder: Any, *path: str) -> tuple[str, ...]:
    """The texts of the list at a path of keys, in their order, once each."""
    values = (clean(value) for value in list_field(holder, *path) if isinstance(value, str))
    return tuple(dict.fromkeys(value for value in values if value))


def labelled(pairs: Iterable[tuple[str, str]]) -> str:
    """`Label: value` lines of what is not empty."""
    return "\n".join(f"{label}: {value}" for label, value in pairs if value)


def digest_of_json(value: Any) -> str:
    """A digest that the order of keys does not change."""
    return digest_of(json.dumps(value, sort_keys=True, ensure_ascii=False))


def refuse_error(response: Response, statuses: tuple[int, ...]) -> None:
    """Raise LayoutChangedError with the server's words where it did not accept the question."""
    if response.status in statuses:
        said = clean(response.text)[:300] if isinstance(response, TextResponse) else ""
        raise LayoutChangedError(
            f"the server refused the question with status {response.status}: {said or 'no reason given'}; "
            "check `options` in the source's card"
        )


class AnswerSpider(ListSpider):
    """Base of spiders whose answers hold the records themselves."""

    taken = 0
    """Records yielded so far."""

    def keep(self, record: Entry, digest: str, dated: date | None, earliest: date | None = None) -> Iterator[Entry]:
        """Note an entry, and yield it if it is new or changed, not older than `earliest`, and within the limit."""
        dated = self.come(dated)
        if record.key in self.book.seen:
            self.book.leave_out("listed twice")
        elif self.settled(record.key, digest):
            self.book.list_entry(record.key, self.known[record.key].digest, dated)
            self.book.known += 1
        elif earliest and dated and dated < earliest:
            self.book.list_entry(record.key, digest + self.OLDER, dated)
            self.book.leave_out(f"older than {earliest}")
        elif self.limit_reached(self.taken):
            self.owe(record.key, dated)
            self.book.leave_out("beyond the limit asked for")
        else:
            self.book.list_entry(record.key, digest, dated)
            self.taken += 1
            yield record

    def come(self, day: date | None) -> date | None:
        """The day, if it has come: a misprint of the future would make a dead list look fresh for ever."""
        last = reading_of(self.crawler).clock.now().date() + timedelta(days=2)
        return day if day is None or day <= last else None

    def not_understood(self, error: Exception, response: Response) -> None:
        """Count an entry that is not understood, and say what is wrong with it."""
        self.book.leave_out("entry not understood")
        note(self.book, "parse_error", str(error), response.url, capture_of(response))

    def ended_early(self, response: Response, read: int, total: int) -> None:
        """Say that a list ended before the number of entries that it gave itself."""
        message = f"the list ended after {read} of {total} entries"
        note(self.book, "parse_error", message, response.url, capture_of(response))

    def nothing_new(self, keys: Iterable[str]) -> bool:
        """True if none of these entries of this run's list was to be read."""
        digests = ((key, self.book.seen.get(key, "")) for key in keys)
        return all(
            digest.endswith(self.OLDER) or (not self.request.sweep and self.settled(key, digest))
            for key, digest in digests
        )
