"""Run folders made by tests: whole, real, and in the crawler's own shape, without a crawl."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from monitor.records import (
    AnyRecord,
    Authority,
    CaptureRecord,
    Expectation,
    ListState,
    NoticeRecord,
    NoticeType,
    OrganisationRef,
    Outcome,
    PageRecord,
    PageState,
    Problem,
    Range,
    RunRecord,
    RunRequest,
    SourceCard,
)

_serial = itertools.count(1)


def notice_card(source: str = "us_test_letters", **changes: Any) -> SourceCard:
    values: dict[str, Any] = {
        "id": source,
        "title": "Test letters",
        "authority": Authority(name="Office of Tests"),
        "jurisdiction": "us",
        "kind": "notice",
        "means": "A letter of an invented office, written for tests.",
        "start": "http://letters.example/list",
        "spider": "sources.test",
        "expect": Expectation(listed=Range(min=1)),
    }
    return SourceCard(**{**values, **changes})


def page_card(source: str = "site_kelda_example", **changes: Any) -> SourceCard:
    values: dict[str, Any] = {
        "id": source,
        "title": "kelda.example",
        "authority": Authority(name="kelda.example"),
        "jurisdiction": "us",
        "kind": "page",
        "means": "A seller's site, invented for tests.",
        "start": "http://kelda.example/",
        "spider": "market.site",
    }
    return SourceCard(**{**values, **changes})


@dataclass
class RunMaker:
    """Collects responses and records, then writes a finished run folder."""

    card: SourceCard
    at: datetime
    runs: Path
    records: list[AnyRecord] = field(default_factory=list)
    captures: list[CaptureRecord] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: dict[str, str] = field(default_factory=dict)
    request: RunRequest = field(default_factory=RunRequest)
    outcome: Outcome = Outcome.OK
    listed: int | None = None
    newest: date | None = None
    known: int = 0
    not_kept: dict[str, int] = field(default_factory=dict)
    lists: dict[str, ListState] = field(default_factory=dict)
    unchanged: int = 0
    platforms: tuple[str, ...] = ()
    catalogues: dict[str, str] = field(default_factory=dict)
    mode: str = "live"
    finish_reason: str = "finished"
    _warc: io.BytesIO = field(default_factory=io.BytesIO)

    def __post_init__(self) -> None:
        self.run_id = f"{self.card.id}-{self.at:%Y%m%dT%H%M%SZ}-{next(_serial):04x}"

    def capture(
        self, url: str, body: bytes, status: int = 200, content_type: str = "text/html; charset=utf-8", **headers: str
    ) -> str:
        """Archive one response; gives its capture id."""
        number = len(self.captures) + 1
        capture_id = f"{self.run_id}/{number:05d}"
        at = self.at + timedelta(seconds=number)
        offset = self._warc.tell()
        member = gzip.compress(_warc_record(capture_id, at, url, status, content_type, headers, body), compresslevel=1)
        self._warc.write(member)
        self.captures.append(
            CaptureRecord(
                id=capture_id,
                url=url,
                fetched_at=at,
                status=status,
                content_type=content_type,
                payload_sha256=hashlib.sha256(body).hexdigest(),
                offset=offset,
                length=len(member),
            )
        )
        return capture_id

    def notice(self, key: str, title: str, text: str = "", **changes: Any) -> NoticeRecord:
        """A notice, read from a capture of its own."""
        url = f"http://letters.example/{key}"
        values: dict[str, Any] = {
            "source": self.card.id,
            "key": key,
            "notice_type": NoticeType.WARNING_LETTER,
            "title": title,
            "url": url,
            "authority": "Office of Tests",
            "jurisdiction": self.card.jurisdiction,
            "issued": date(2026, 11, 10),
            "posted": date(2026, 11, 12),
            "organisations": (OrganisationRef(name=title, role="addressee"),),
            "text": text,
        }
        values |= changes
        if "captures" not in values:
            values["captures"] = (self.capture(url, text.encode() or b"list"),)
        record = NoticeRecord(**values)
        self.records.append(record)
        self.seen[key] = hashlib.sha256(title.encode()).hexdigest()
        self.listed = (self.listed or 0) + 1
        return record

    def page(
        self, url: str, html: str, state: PageState = PageState.READ, status: int = 200, **changes: Any
    ) -> PageRecord:
        """A page, read from a capture of its own."""
        body = html.encode("utf-8", "surrogatepass")
        capture = self.capture(url, body, status)
        if state is PageState.READ:
            changes = {"body_sha256": hashlib.sha256(body).hexdigest()} | changes
        record = PageRecord(source=self.card.id, url=url, state=state, capture=capture, **changes)
        self.records.append(record)
        self.seen[url] = ""
        self.listed = (self.listed or 0) + 1
        return record

    def write(self) -> Path:
        """The finished folder."""
        folder = self.runs / self.run_id
        folder.mkdir(parents=True)
        files: Mapping[str, bytes] = {
            "run.warc.gz": self._warc.getvalue(),
            "captures.jsonl": _jsonl(self.captures),
            "items.jsonl": _jsonl(self.records),
        }
        for name, data in files.items():
            (folder / name).write_bytes(data)
        kinds = [record.kind for record in self.records]
        run = RunRecord(
            run_id=self.run_id,
            source=self.card.id,
            card=self.card,
            mode=self.mode,  # type: ignore[arg-type]
            request=self.request,
            started_at=self.at,
            finished_at=self.at + timedelta(minutes=1),
            finish_reason=self.finish_reason,
            outcome=self.outcome,
            software="Exowatch tests",
            items={kind: kinds.count(kind) for kind in set(kinds)},
            listed=self.listed,
            newest=self.newest,
            known=self.known,
            not_kept=self.not_kept,
            lists=self.lists,
            unchanged=self.unchanged,
            platforms=self.platforms,
            catalogues=self.catalogues,
            seen=self.seen,
            requests=len(self.captures),
            problems=tuple(self.problems),
            files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
        )
        (folder / "run.json").write_text(json.dumps(run.model_dump(mode="json"), ensure_ascii=False), encoding="utf-8")
        return folder


def _jsonl(rows: Sequence[Any]) -> bytes:
    return "".join(row.model_dump_json() + "\n" for row in rows).encode()


def _warc_record(
    capture_id: str, at: datetime, url: str, status: int, content_type: str, headers: Mapping[str, str], body: bytes
) -> bytes:
    """A WARC 1.1 response record (ISO 28500), written out by hand: tests must not lean on the writer they test."""
    lines = [
        f"HTTP/1.1 {status} OK",
        f"Content-Type: {content_type}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    http = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    head = [
        "WARC/1.1",
        "WARC-Type: response",
        f"WARC-Record-ID: <urn:uuid:{uuid5(NAMESPACE_URL, capture_id)}>",
        f"WARC-Date: {at:%Y-%m-%dT%H:%M:%SZ}",
        f"WARC-Target-URI: {url}",
        "Content-Type: application/http; msgtype=response",
        f"Content-Length: {len(http)}",
    ]
    return "\r\n".join([*head, "", ""]).encode() + http + b"\r\n\r\n"
