"""Every response as it came, into `run.warc.gz` (WARC 1.1, ISO 28500:2017), and a line for each in `captures.jsonl`.

The middleware stands closest to the network: redirects, robots.txt, errors and block pages pass here before
anything follows, decodes or refuses them.
"""

from __future__ import annotations

import hashlib
import io
import uuid
import zlib
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from scrapy import signals
from scrapy.http import Request, Response
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.folder import Reading, reading_of
from monitor.records import CaptureRecord, HeldCapture

_LEVEL = 2
"""zlib's level. On regulators' pages of 50 kB (0.42 ms, 32 % of the size), 6 takes twice as long for 28 %."""
_SMALL, _LITTLE_MEMORY = 4_000, 4
"""Bytes below which a record is packed with less memory, to the same size: laying out the usual takes longest."""

RENDERED = "text/html; charset=utf-8"
REVISITS = "revisits"
"""Key of a request's meta: the capture (`HeldCapture`) that a "not modified" would speak of."""
_RECEIVED = "received"
"""Key of a request's meta: the body that was kept last, and its digest."""
_NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
"""WARC 1.1, 6.7.3."""


def record_uuid(capture_id: str) -> str:
    """The WARC-Record-ID of a capture, the same whoever computes it."""
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, capture_id)}>"


def body_sha256(response: Response) -> str:
    """Of the body as it is: where it came without a content encoding, that of what was kept."""
    body, digest = response.meta.get(_RECEIVED, (None, ""))
    return digest if body is response.body else hashlib.sha256(response.body).hexdigest()


def _warc_date(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Archive:
    """Writes the two files. Each record is one gzip member, on disk before the response goes any further."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._run_id = reading.folder.run_id
        self._warc = reading.folder.file("run.warc.gz").open("xb")
        self._lines = reading.folder.file("captures.jsonl").open("x", encoding="utf-8")
        self._plain = io.BytesIO()
        self._writer = WARCWriter(self._plain, gzip=False, warc_version="1.1")
        self._count = 0
        self._offset = 0

    def close(self) -> None:
        self._warc.close()
        self._lines.close()

    def describe(self, software: str) -> None:
        """The warcinfo record: who wrote this, how, under which configuration."""
        reading = self._reading
        info = {
            "software": software,
            "format": "WARC File Format 1.1",
            "conformsTo": "https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            "isPartOf": self._run_id,
            "robots": "none: read from a recording" if reading.mode == "replay" else "obey",
            "operator": reading.config.contact,
            "source": reading.card.id,
            "mode": reading.mode,
            "configuration": f"sha256:{reading.config.digest_of()}",
        }
        body = "".join(f"{name}: {value}\r\n" for name, value in info.items() if value).encode()
        headers = {
            "WARC-Record-ID": record_uuid(self._run_id),
            "WARC-Date": _warc_date(reading.clock.now()),
            "WARC-Filename": "run.warc.gz",
        }
        self._write("", "warcinfo", headers, None, body)

    def add(self, request: Request, response: Response) -> CaptureRecord:
        """Keep one exchange. The time is the clock's, or in a replay that of the first reception."""
        self._count += 1
        capture_id = f"{self._run_id}/{self._count:05d}"
        original: CaptureRecord | None = request.meta.get("recorded")
        moment = original.fetched_at if original else self._reading.clock.now()
        digest = hashlib.sha256(response.body).hexdigest()
        ip = original.ip if original else str(response.ip_address or "")
        record_id, date = record_uuid(capture_id), _warc_date(moment)
        headers = {"WARC-Record-ID": record_id, "WARC-Date": date}
        if ip:
            headers["WARC-IP-Address"] = ip
        if original:
            headers["WARC-Refers-To"] = record_uuid(original.id)
        held: HeldCapture | None = request.meta.get(REVISITS)
        if response.status == HTTPStatus.NOT_MODIFIED and held is not None:
            kind = "revisit"
            headers |= _revisited(held)
        else:
            kind = "response"
            headers["WARC-Payload-Digest"] = f"sha256:{digest}"
        offset = self._offset
        length = self._write(response.url, kind, headers, _response_head(response), response.body)
        self._keep_request(request, record_uuid(f"{capture_id}/request"), record_id, date)
        capture = CaptureRecord(
            id=capture_id,
            url=response.url,
            fetched_at=moment,
            status=response.status,
            content_type=(response.headers.get("Content-Type") or b"").decode("latin-1"),
            payload_sha256=digest,
            offset=offset,
            length=length,
            redirected_from=request.meta.get("redirect_urls", [""])[-1],
            ip=ip,
            replay_of=original.id if original else "",
        )
        self._note(capture)
        return capture

    def add_rendered(self, origin: str, url: str, body: bytes, original: CaptureRecord | None = None) -> CaptureRecord:
        """Keep what a browser showed of an answer, beside it: a `conversion` of the record of capture `origin`.

        `original`: in a replay, what it is a copy of.
        """
        self._count += 1
        capture_id = f"{self._run_id}/{self._count:05d}"
        moment = original.fetched_at if original else self._reading.clock.now()
        digest = hashlib.sha256(body).hexdigest()
        headers = {
            "WARC-Record-ID": record_uuid(capture_id),
            "WARC-Date": _warc_date(moment),
            "WARC-Refers-To": record_uuid(origin),
            "WARC-Payload-Digest": f"sha256:{digest}",
            "Content-Type": RENDERED,
        }
        offset = self._offset
        length = self._write(url, "conversion", headers, None, body)
        capture = CaptureRecord(
            id=capture_id,
            url=url,
            fetched_at=moment,
            status=HTTPStatus.OK,
            content_type=RENDERED,
            payload_sha256=digest,
            offset=offset,
            length=length,
            replay_of=original.id if original else "",
            rendered_from=origin,
        )
        self._note(capture)
        return capture

    def _note(self, capture: CaptureRecord) -> None:
        self._lines.write(capture.model_dump_json() + "\n")
        self._warc.flush()
        self._lines.flush()

    def _keep_request(self, request: Request, record_id: str, answer_id: str, date: str) -> None:
        headers = {
            "WARC-Record-ID": record_id,
            "WARC-Date": date,
            "WARC-Concurrent-To": answer_id,
            "WARC-Payload-Digest": f"sha256:{hashlib.sha256(request.body).hexdigest()}",
        }
        self._write(request.url, "request", headers, _request_head(request), request.body)

    def _write(self, url: str, kind: str, headers: dict[str, str], head: StatusAndHeaders | None, body: bytes) -> int:
        block = hashlib.sha256()
        if head is not None:
            head.compute_headers_buffer()
            block.update(head.headers_buff)
        block.update(body)
        # given here, so that warcio does not read everything once more for its sha1
        headers["WARC-Block-Digest"] = f"sha256:{block.hexdigest()}"
        record = self._writer.create_warc_record(
            url, kind, payload=io.BytesIO(body), length=len(body), warc_headers_dict=headers, http_headers=head
        )
        self._plain.seek(0)
        self._plain.truncate()
        self._writer.write_record(record)
        plain = self._plain.getvalue()
        memory = _LITTLE_MEMORY if len(plain) < _SMALL else zlib.DEF_MEM_LEVEL
        member = zlib.compressobj(_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS + 16, memory)
        packed = member.compress(plain) + member.flush()
        self._warc.write(packed)
        self._offset += len(packed)
        return len(packed)


def _revisited(held: HeldCapture) -> dict[str, str]:
    """What a revisit says of the answer that is as it was: it has no body of its own."""
    return {
        "WARC-Profile": _NOT_MODIFIED,
        "WARC-Refers-To": record_uuid(held.id),
        "WARC-Refers-To-Target-URI": held.url,
        "WARC-Refers-To-Date": _warc_date(held.fetched_at),
    }


def _pairs(headers: Any) -> list[tuple[str, str]]:
    return [
        (name.decode("latin-1"), value.decode("latin-1")) for name, values in headers.items() for value in values or ()
    ]


def _response_head(response: Response) -> StatusAndHeaders:
    reason = HTTPStatus(response.status).phrase if response.status in HTTPStatus._value2member_map_ else ""
    return StatusAndHeaders(f"{response.status} {reason}".strip(), _pairs(response.headers), protocol="HTTP/1.1")


def _request_head(request: Request) -> StatusAndHeaders:
    parts = urlsplit(request.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [("Host", parts.netloc.rpartition("@")[2]), *_pairs(request.headers)]
    return StatusAndHeaders(f"{path} HTTP/1.1", headers, protocol=request.method)


class ArchiveMiddleware:
    """Keeps each response and stamps its capture id on the request, where `crawler.source.capture_of` finds it.

    Counts both: Scrapy's own statistics write each out once more to tell its bytes.
    """

    def __init__(self, crawler: Any) -> None:
        self._reading = reading_of(crawler)
        self._archive = self._reading.archive = Archive(self._reading)
        self._archive.describe(crawler.settings["EXOWATCH_SOFTWARE"])
        crawler.signals.connect(self._archive.close, signal=signals.engine_stopped)

    @classmethod
    def from_crawler(cls, crawler: Any) -> ArchiveMiddleware:
        return cls(crawler)

    def process_request(self, request: Request) -> None:  # noqa: ARG002
        self._reading.requests += 1

    def process_response(self, request: Request, response: Response) -> Response:
        self._reading.responses[response.status] += 1
        capture = self._archive.add(request, response)
        request.meta["capture"] = capture.id
        request.meta[_RECEIVED] = (response.body, capture.payload_sha256)
        self._reading.received_bytes += len(response.body)
        return response
