"""Pages out of WARC and WET files (ISO 28500), one at a time: what others recorded, such as Common Crawl's files."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

MOST_BYTES = 2 * 1024**2
"""Of a page's decoded body that are read; the rest of a larger one is passed over, and the page says so."""
_HTML = ("text/html", "application/xhtml+xml")
_ZSTD = b"\x28\xb5\x2f\xfd"
_PIECE = 64 * 1024


class ArchiveError(Exception):
    """The file is no archive that can be read, or it is damaged; the message says where."""


@dataclass(frozen=True)
class ArchivedPage:
    """A page as someone recorded it. `plain`: its text alone, as WET files have it, without markup."""

    url: str
    seen_at: str
    """The record's WARC-Date."""
    content_type: str
    body: bytes
    plain: bool = False
    cut: bool = False


@dataclass(frozen=True)
class Step:
    """One record. `offset`: where it begins in the file, in bytes. `page`: None where it holds no page."""

    offset: int
    page: ArchivedPage | None


def steps(path: Path, start: int = 0) -> Iterator[Step]:
    """Every record from byte `start`, which must be a record's beginning. Raises ArchiveError."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise ArchiveError(f"{path}: cannot be opened: {error.strerror or error}") from error
    with file:
        if file.read(4) == _ZSTD:
            raise ArchiveError(f"{path}: is compressed by zstd, which is not read; unpack it first (zstd -d)")
        file.seek(start)
        archive, record = ArchiveIterator(file), None
        try:
            for record in archive:
                if record.format != "warc":
                    raise ArchiveError(f"{path}: not readable as WARC at byte {archive.offset}: ARC, or no archive")
                yield Step(archive.offset, _page(record))
        except (ArchiveLoadFailed, zlib.error, OSError, ValueError) as error:
            told = " ".join(str(error).split())[:200] or type(error).__name__
            raise ArchiveError(f"{path}: not readable as WARC at byte {archive.offset}: {told}") from error
        if record is None and start == 0:
            raise ArchiveError(f"{path}: holds no WARC record")
        if record is not None and _is_short(record):
            raise ArchiveError(f"{path}: ends in the middle of the record of {_url(record)}: cut short")


def _is_short(record: Any) -> bool:
    """True if the file ended before the length that the record's own header gives."""
    return bool(getattr(record.raw_stream, "limit", 0))


def _url(record: Any) -> str:
    return str(record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")


def _page(record: Any) -> ArchivedPage | None:
    if record.rec_type == "conversion":
        content_type = record.rec_headers.get_header("Content-Type") or ""
        if content_type.partition(";")[0].strip().lower() != "text/plain":
            return None
        return _read(record, content_type="text/plain; charset=utf-8", plain=True)
    if record.rec_type != "response" or record.http_headers is None or record.http_headers.get_statuscode() != "200":
        return None
    content_type = record.http_headers.get_header("Content-Type") or ""
    kind = content_type.partition(";")[0].strip().lower()
    return _read(record, content_type=content_type, plain=False) if not kind or kind in _HTML else None


def _read(record: Any, *, content_type: str, plain: bool) -> ArchivedPage:
    # Common Crawl undoes the content encoding and renames its header; other archives leave both as they came.
    stream = record.content_stream()
    pieces: list[bytes] = []
    held = 0
    while held <= MOST_BYTES and (piece := stream.read(_PIECE)):
        pieces.append(piece)
        held += len(piece)
    return ArchivedPage(
        url=_url(record),
        seen_at=record.rec_headers.get_header("WARC-Date") or "",
        content_type=content_type,
        body=b"".join(pieces)[:MOST_BYTES],
        plain=plain,
        cut=held > MOST_BYTES,
    )
