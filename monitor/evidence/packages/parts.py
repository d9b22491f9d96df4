"""What a package is made of: names, shapes, and the one way in which its zip is written."""

from __future__ import annotations

import hashlib
import io
import json
import mmap
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from pydantic import Field
from warcio.archiveiterator import ArchiveIterator

from monitor.evidence.runfolder import EvidenceError
from monitor.records import Sha256, UtcDatetime, Wire

WACZ_VERSION = "1.1.1"
ARCHIVE = "archive/evidence.warc.gz"
INDEX = "indexes/index.cdx"
PAGES = "pages/pages.jsonl"
DATAPACKAGE = "datapackage.json"
DIGEST = "datapackage-digest.json"
FINDING = "evidence/finding.json"
CHAIN = "evidence/chain.jsonl"
README = "evidence/README.txt"
_MOST = 2 << 30
"""Bytes of a whole package, unpacked."""
_MOST_RECORD = 128 << 20
"""Bytes of one record. The crawler keeps bodies of up to 64 MB."""
_CHUNK = 1 << 16


def run_file(run_id: str) -> str:
    return f"evidence/{run_id}.run.json"


def captures_file(run_id: str) -> str:
    return f"evidence/{run_id}.captures.jsonl"


def text_file(number: int) -> str:
    return f"evidence/text-{number}.txt"


def stamp_file(number: int) -> str:
    return f"evidence/chain-{number}.tsr"


def record_id(capture_id: str) -> str:
    """The WARC-Record-ID under which the crawler archives a capture."""
    return f"<urn:uuid:{uuid5(NAMESPACE_URL, capture_id)}>"


class PackagedFinding(Wire):
    """What was found in one jurisdiction, and by which rule. A flag for a person to decide on, not a verdict."""

    jurisdiction: str
    rule_id: str
    severity: str
    confidence: float
    decision: str
    assessed: bool
    legal_basis: tuple[str, ...] = ()
    addressed_why: str = ""
    knowledge_version: str
    made_at: UtcDatetime


class PackagedWording(Wire):
    """One wording of the claim: where it stands, in which text, read from which capture."""

    number: int = Field(ge=1)
    quote: str
    start: int = Field(ge=0)
    """In characters (Unicode code points) of the text; so is `end`."""
    end: int
    seen_at: UtcDatetime
    page: str
    capture: str
    part: str = ""
    """JSON pointer to the entry of a catalogue that the text was read from; empty: the whole capture."""
    text: str
    """File in the package: the page's canonical text, UTF-8."""
    text_sha256: Sha256
    current: bool
    """True for the wording that the findings are about; the others came before it."""


class Packaged(Wire):
    """`evidence/finding.json`."""

    format: str = "exowatch-evidence-1"
    claim: int
    category: str
    status: str
    why: str = ""
    heading_path: tuple[str, ...] = ()
    seller: str = ""
    page: str
    title: str = ""
    first_seen: UtcDatetime
    last_seen: UtcDatetime
    state: str
    findings: tuple[PackagedFinding, ...] = Field(min_length=1)
    wordings: tuple[PackagedWording, ...] = Field(min_length=1)
    captures: tuple[str, ...] = Field(min_length=1)
    """Ids of all captures in the package: the wordings' own, and the redirects that led there."""
    exported_at: UtcDatetime
    software: str


def pack(members: Mapping[str, bytes]) -> bytes:
    """A zip of these members in this order. The same members give the same bytes: whatever differs was altered."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:  # WACZ wants archives stored, not deflated
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = 0o644 << 16
            file.writestr(info, data)
    return out.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """The members of a package, in its order. Raises EvidenceError naming the member that was damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            infos = file.infolist()
            if sum(info.file_size for info in infos) > _MOST:
                raise EvidenceError("unpacks to more than 2 GB; no package of a finding is that large")
            return {info.filename: _member(file, info) for info in infos}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise EvidenceError(f"the file is no whole zip: {error}") from error


def _member(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return file.read(info)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise EvidenceError(f"{info.filename}: damaged ({error})") from error


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_file(datapackage: bytes) -> bytes:
    """`datapackage-digest.json` for a datapackage.json."""
    return json_bytes({"path": DATAPACKAGE, "hash": digest_of(datapackage)})


def json_bytes(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Member:
    """One WARC record, as the gzip member that holds it."""

    offset: int
    packed: bytes
    kind: str
    record_id: str
    concurrent_to: str
    url: str
    date: str
    payload: bytes
    status: str
    content_type: str
    encoding: str
    digests_hold: bool | None
    """None: the record carries no digests of its own."""

    @property
    def timestamp(self) -> str:
        """Fourteen digits, as indexes and players write it."""
        return datetime.fromisoformat(self.date.replace("Z", "+00:00")).strftime("%Y%m%d%H%M%S")


def members_of(data: bytes | mmap.mmap, offset: int = 0) -> Iterator[Member]:
    """The records of a WARC from `offset` on. Raises EvidenceError at the first that cannot be read."""
    while offset < len(data):
        packed = _gzip_member(data, offset)
        yield _read_member(packed, offset)
        offset += len(packed)


def _gzip_member(data: bytes | mmap.mmap, offset: int) -> bytes:
    unpacking = zlib.decompressobj(zlib.MAX_WBITS + 16)
    position, size = offset, 0
    try:
        while not unpacking.eof and position < len(data):
            size += len(unpacking.decompress(data[position : position + _CHUNK], _MOST_RECORD))
            position += _CHUNK
            if size > _MOST_RECORD or unpacking.unconsumed_tail:
                raise EvidenceError(f"the record at byte {offset} unpacks to more than any that a run keeps")
    except zlib.error as error:
        raise EvidenceError(f"no readable gzip member at byte {offset}: {error}") from error
    if not unpacking.eof:
        raise EvidenceError(f"the gzip member at byte {offset} is cut short")
    return data[offset : min(position, len(data)) - len(unpacking.unused_data)]


def _read_member(packed: bytes, offset: int) -> Member:
    try:
        record = next(iter(ArchiveIterator(io.BytesIO(packed), check_digests=True)))
        payload: bytes = record.raw_stream.read()
        heads, http = record.rec_headers, record.http_headers
        return Member(
            offset=offset,
            packed=packed,
            kind=record.rec_type,
            record_id=heads.get_header("WARC-Record-ID") or "",
            concurrent_to=heads.get_header("WARC-Concurrent-To") or "",
            url=heads.get_header("WARC-Target-URI") or "",
            date=heads.get_header("WARC-Date") or "",
            payload=payload,
            status=http.get_statuscode() if http else "",
            content_type=(http or heads).get_header("Content-Type") or "",
            encoding=(http.get_header("Content-Encoding") or "") if http else "",
            digests_hold=record.digest_checker.passed,
        )
    except Exception as error:  # warcio raises what it meets: of hostile bytes, anything
        raise EvidenceError(f"no readable WARC record at byte {offset}: {error}") from error


def sort_key(url: str) -> str:
    """The address turned round for an index, so that a host's pages stand together: `example,follica,www)/hair`."""
    parts = urlsplit(url)
    host = ",".join(reversed((parts.hostname or "").split(".")))
    port = f":{parts.port}" if parts.port else ""
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{port}){parts.path or '/'}{query}".lower()
