"""A finished run folder, read and checked: what it says of itself must be true before anything is taken from it."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import ValidationError
from warcio.archiveiterator import ArchiveIterator

from monitor.records import RECORD, AnyRecord, CaptureRecord, RunRecord, captures_of

T = TypeVar("T")
ARCHIVE = "run.warc.gz"


class UnreadableRunError(Exception):
    """The folder is not a whole, unaltered run folder. The message names the file and what is wrong with it."""


class EvidenceError(Exception):
    """A stored capture is missing, damaged, or not what its digest says."""


@dataclass(frozen=True)
class RunFolder:
    """A run as it lies on disk, validated."""

    path: Path
    run: RunRecord
    records: tuple[AnyRecord, ...]
    captures: dict[str, CaptureRecord]

    def capture(self, capture_id: str) -> CaptureRecord:
        try:
            return self.captures[capture_id]
        except KeyError:
            raise UnreadableRunError(
                f"{self.path.name}: a record rests on capture {capture_id}, which is not there"
            ) from None


def open_run_folder(path: Path, *, elsewhere: Collection[str] = ()) -> RunFolder:
    """Read a run folder and check every digest in its run.json. Raises UnreadableRunError.

    `elsewhere`: files that lie in another place, and are checked there.
    """
    run = run_record_of(path)
    for name, expected in run.files.items():
        if name == "crawl.log" or name in elsewhere:
            continue  # a log may be rotated or cut; nothing rests on it
        actual = _sha256_of(path / name)
        if actual != expected:
            raise UnreadableRunError(
                f"{path.name}/{name}: its sha256 is {actual}, run.json says {expected}: altered or cut"
            )
    records = tuple(_lines(path / "items.jsonl", RECORD.validate_json))
    captures = {one.id: one for one in _lines(path / "captures.jsonl", CaptureRecord.model_validate_json)}
    folder = RunFolder(path=path, run=run, records=records, captures=captures)
    for record in records:
        for capture_id in captures_of(record):
            folder.capture(capture_id)
    return folder


def run_record_of(path: Path) -> RunRecord:
    """A run folder's run.json. Raises UnreadableRunError."""
    file = path / "run.json"
    try:
        return RunRecord.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        raise UnreadableRunError(f"{path}: no run.json in it; a run folder has one when it is whole") from None
    except ValidationError as error:
        raise UnreadableRunError(f"{file}: not a run record this version understands: {error}") from error


def _sha256_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise UnreadableRunError(f"{path}: named in run.json, but not there") from None


def _lines(path: Path, parse: Callable[[bytes], T]) -> Iterator[T]:
    """Each line of a JSONL file, parsed. Raises UnreadableRunError naming file and line."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield parse(line)
                except ValidationError as error:
                    raise UnreadableRunError(f"{path.parent.name}/{path.name}:{number}: {error}") from error
    except FileNotFoundError:
        raise UnreadableRunError(f"{path}: not there") from None


@dataclass(frozen=True)
class Payload:
    """A response's body as received, and as it reads once its content encoding is undone."""

    raw: bytes
    content_encoding: str
    content_type: str

    def body(self) -> bytes:
        """The body decoded. Raises EvidenceError where the encoding is unknown or lies."""
        data = self.raw
        for coding in reversed([part.strip().lower() for part in self.content_encoding.split(",") if part.strip()]):
            data = _decode(data, coding)
        return data


def resource_record(address: str, body: bytes, at: datetime, content_type: str) -> bytes:
    """A WARC record of a file of our own: received from no server, so a `resource` and no `response` (ISO 28500)."""
    head = (
        "WARC/1.1",
        "WARC-Type: resource",
        f"WARC-Record-ID: <urn:uuid:{uuid5(NAMESPACE_URL, f'{address} {at.isoformat()}')}>",
        f"WARC-Date: {at:%Y-%m-%dT%H:%M:%SZ}",
        f"WARC-Target-URI: {address}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        "",
        "",
    )
    return gzip.compress("\r\n".join(head).encode() + body + b"\r\n\r\n", mtime=0)


def _decode(data: bytes, coding: str) -> bytes:
    try:
        if coding in ("gzip", "x-gzip"):
            return gzip.decompress(data)
        if coding == "deflate":
            try:
                return zlib.decompress(data)
            except zlib.error:
                return zlib.decompress(data, -zlib.MAX_WBITS)  # the raw form that many servers send
        if coding == "br":
            import brotli

            return bytes(brotli.decompress(data))
        if coding == "zstd":
            return _unzstd(data)
    except Exception as error:
        raise EvidenceError(f"the body does not decode as {coding}: {error}") from error
    if coding == "identity":
        return data
    raise EvidenceError(f"content encoding {coding!r} is not known")


def _unzstd(data: bytes) -> bytes:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return bytes(zstd.decompress(data))


def read_payload(folder: Path, offset: int, length: int, expected_sha256: str) -> Payload:
    """One response's body out of a run's WARC, its digest checked.

    `offset` and `length` (bytes) frame the record's gzip member, as in captures.jsonl.
    Raises EvidenceError if the record is missing, damaged, or has another digest.
    """
    path = folder / ARCHIVE
    try:
        with path.open("rb") as file:
            file.seek(offset)
            member = file.read(length)
    except FileNotFoundError:
        raise EvidenceError(f"{path}: the archive is not there") from None
    return payload_in(member, f"{path} at byte {offset}", expected_sha256)


def payload_in(member: bytes, where: str, expected_sha256: str) -> Payload:
    """The body in one record's gzip member, its digest checked. Raises EvidenceError."""
    records = ArchiveIterator(io.BytesIO(member), no_record_parse=False)
    try:
        record = next(records)
        headers = record.http_headers
        raw: bytes = record.raw_stream.read()
    except Exception as error:
        raise EvidenceError(f"{where}: no readable WARC record there: {error}") from error
    finally:
        records.the_iter.close()  # it holds itself, and with it each page that was read
    actual = hashlib.sha256(raw).hexdigest()
    if actual != expected_sha256:
        raise EvidenceError(f"{where}: the body's sha256 is {actual}, its index says {expected_sha256}")
    return Payload(
        raw=raw,
        content_encoding=(headers.get_header("Content-Encoding") or "") if headers else "",
        # a record of what a browser showed has no headers of a server
        content_type=(headers or record.rec_headers).get_header("Content-Type") or "",
    )
