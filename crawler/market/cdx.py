"""Common Crawl's index and records: what to ask, and what the answers say. No I/O.

Index: pywb's CDX server API, by address alone, no full text. Records: one gzip member each, by byte range.
https://commoncrawl.org/cdxj-index
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

from crawler.source import LayoutChangedError

INDEX_HOST = "index.commoncrawl.org"
DATA = "https://data.commoncrawl.org/"
CRAWLS = f"https://{INDEX_HOST}/collinfo.json"
_FIELDS = "url,timestamp,status,mime-detected,digest,length,offset,filename,languages"
_FILE = re.compile(r"crawl-data/[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*\.warc\.gz")


@dataclass(frozen=True)
class Crawl:
    """One of Common Crawl's crawls, about one a month."""

    id: str
    api: str


@dataclass(frozen=True)
class Row:
    """A line of the index: an address, when it was captured, and where its record lies."""

    crawl: str
    url: str
    seen_at: str
    """UTC, as ISO 8601."""
    digest: str
    """SHA-1 of the body as recorded, in base 32."""
    filename: str
    offset: int
    length: int
    languages: str = ""

    @property
    def record_url(self) -> str:
        return DATA + self.filename

    @property
    def range(self) -> str:
        return f"bytes={self.offset}-{self.offset + self.length - 1}"


def pattern_flaw(pattern: str) -> str:
    """Why the index is not asked for this, or nothing. Too wide a pattern would ask for millions of lines."""
    star = pattern.find("*")
    if star not in (-1, len(pattern) - 1):
        return "a * may stand at the end only; a site without path takes in the hosts below it"
    bare = pattern.rstrip("*")
    try:
        host = urlsplit(bare if "://" in bare else f"//{bare}").hostname or ""
    except ValueError:
        host = ""
    if not re.fullmatch(r"[^\s.]+(\.[^\s.]+)+", host):
        return "names no site; write clinic.example, shop.example/products/* or https://clinic.example/page"
    if star != -1 and "/" not in bare.partition("://")[2 if "://" in bare else 0]:
        return f"leaves the host open; write {host} for the site, or {host}/* for this host"
    return ""


def question(api: str, pattern: str, page: int | None) -> str:
    """The address that asks for one page of lines, or with None for how many pages there are."""
    plain = pattern.partition("://")[2] or pattern
    whole_site = "/" not in plain
    pairs = [("url", pattern), *([("matchType", "domain")] if whole_site else []), ("output", "json")]
    pairs += [("filter", "=status:200"), ("filter", "=mime-detected:text/html")]
    pairs += [("showNumPages", "true")] if page is None else [("fl", _FIELDS), ("page", str(page))]
    return f"{api}?{urlencode(pairs)}"


def crawls_in(body: bytes) -> list[Crawl]:
    """The crawls, newest first. Raises LayoutChangedError."""
    listed = _json(body, "collinfo.json")
    if not isinstance(listed, list) or not listed:
        raise LayoutChangedError("collinfo.json lists no crawls")
    found = []
    for entry in listed:
        name, api = (entry.get("id"), entry.get("cdx-api")) if isinstance(entry, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(api, str):
            raise LayoutChangedError("a crawl in collinfo.json lacks id or cdx-api")
        parts = urlsplit(api)
        if parts.scheme != "https" or parts.hostname != INDEX_HOST:
            raise LayoutChangedError(f"the index of {name} is said to be at {api}, which is not on {INDEX_HOST}")
        found.append(Crawl(name, api))
    return found


def page_count(body: bytes) -> int:
    """How many pages the answer to a question has. Raises LayoutChangedError."""
    told = _json(body, "the number of pages")
    pages = told.get("pages") if isinstance(told, dict) else told
    if not isinstance(pages, int) or isinstance(pages, bool) or pages < 0:
        raise LayoutChangedError(f"the number of pages is {pages!r}")
    return pages


def is_nothing(status: int, body: bytes) -> bool:
    """True for the index's way of saying that it has no capture, which is status 404 with a message."""
    if status != 404:
        return False
    try:
        told = json.loads(body)
    except ValueError:
        return False
    return isinstance(told, dict) and "no captures found" in str(told.get("message", "")).lower()


def rows_in(body: bytes, crawl: str) -> Iterator[Row | str]:
    """The lines of one page; for one whose record holds no page, in a few words why. Raises LayoutChangedError."""
    for line in body.splitlines():
        if line.strip():
            yield _row(_json(line, "a line of the index"), crawl)


def _row(told: Any, crawl: str) -> Row | str:
    if not isinstance(told, dict):
        raise LayoutChangedError(f"a line of the index is no object: {str(told)[:100]}")
    try:
        url, filename, status = str(told["url"]), str(told["filename"]), str(told["status"])
        row = Row(
            crawl=crawl,
            url=url,
            seen_at=datetime.strptime(str(told["timestamp"]), "%Y%m%d%H%M%S").replace(tzinfo=UTC).isoformat(),
            digest=str(told["digest"]),
            filename=filename,
            offset=int(told["offset"]),
            length=int(told["length"]),
            languages=str(told.get("languages", "")),
        )
    except (KeyError, ValueError) as error:
        raise LayoutChangedError(f"a line of the index cannot be understood: {error!r}") from error
    if status != "200" or "/warc/" not in filename:
        return "no page: a redirect, an error or a robots.txt"
    if not url.startswith(("http://", "https://")):
        return "no address of the web"
    if not _FILE.fullmatch(filename) or ".." in filename or row.offset < 0 or row.length < 1:
        raise LayoutChangedError(f"a line of the index names a record that cannot be one: {filename[:200]}")
    return row


def _json(body: bytes, what: str) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise LayoutChangedError(f"{what} is not JSON: {body[:80]!r}") from error


def record_flaw(member: bytes, row: Row) -> str:
    """What is wrong with the bytes that came for a line of the index, or nothing.

    They must be one whole gzip member: a WARC response of that address whose body has that digest.
    """
    if not member.startswith(b"\x1f\x8b"):
        return "the bytes that came are no gzip member"
    try:
        if not gzip.decompress(member):
            return "the record is empty"
        record = next(iter(ArchiveIterator(io.BytesIO(member))))
        body: bytes = record.raw_stream.read()
    except (ArchiveLoadFailed, StopIteration, OSError, EOFError, zlib.error) as error:
        return f"the bytes that came are no WARC record: {error or type(error).__name__}"
    if record.rec_type != "response":
        return f"the record is a {record.rec_type}, no response"
    url = record.rec_headers.get_header("WARC-Target-URI")
    if url != row.url:
        return f"the record is of another address: {url}"
    digest = base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()
    return "" if digest == row.digest else f"the record's body has digest {digest}, the index says {row.digest}"
