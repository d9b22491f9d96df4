"""Writes a package: the WARC records of exactly what a finding rests on, and all that is needed to check them."""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import BinaryIO

from sqlmodel import Session, col, select

from monitor.config import Config
from monitor.evidence.chain import Chained, read_chain
from monitor.evidence.packages import parts
from monitor.evidence.packages.check import check
from monitor.evidence.packages.parts import Member, Packaged, PackagedFinding, PackagedWording
from monitor.evidence.packages.statement import description, plain, readme
from monitor.evidence.recomputed import folder_of, payload_of, stamp_of
from monitor.evidence.runfolder import EvidenceError, RunFolder, open_run_folder
from monitor.evidence.storage import whole_folder
from monitor.records import CaptureRecord, RunRecord
from monitor.tables.models import Capture, Claim, ClaimRevision, Finding, Organisation, Page, PageVersion, Run

_MOST_REDIRECTS = 30


class NoSuchFindingError(Exception):
    """There is no such claim, or it has no finding in that jurisdiction."""


@dataclass(frozen=True)
class _Source:
    """A run that something rests on: as read, and its two lists as bytes."""

    folder: RunFolder
    run_json: bytes
    captures_jsonl: bytes


def export(session: Session, config: Config, claim_id: int, jurisdiction: str, now: datetime) -> bytes:
    """The package for a claim's findings, in one jurisdiction or (`""`) in all. It has been checked.

    Raises NoSuchFindingError; EvidenceError where what it rests on is missing, altered or not in the chain.
    """
    claim = session.get(Claim, claim_id)
    if claim is None:
        raise NoSuchFindingError(
            f"no such claim: {claim_id}; its number stands on its page, and exowatch search shows it"
        )
    findings = _findings(session, claim, jurisdiction)
    wordings, texts, wanted = _wordings(session, config, claim)
    with ExitStack() as opened:
        sources = _sources(session, config, wanted, opened)
        captures = _with_redirects(sources, wanted)
        packaged = _packaged(session, claim, findings, wordings, tuple(one.id for one in captures), now)
        archive, members = _archive(sources, captures)
    chain, stamps, stamped = _chain(config, list(sources))
    runs = [source.folder.run for source in sources.values()]
    files = {
        parts.ARCHIVE: archive,
        parts.INDEX: _index(members),
        parts.PAGES: _pages(packaged, captures),
        parts.README: readme(packaged, runs, stamped).encode("utf-8", "surrogatepass"),
        parts.FINDING: parts.json_bytes(packaged.model_dump(mode="json")),
        parts.CHAIN: chain,
        **texts,
        **stamps,
    }
    for run_id, source in sources.items():
        files[parts.run_file(run_id)] = source.run_json
        files[parts.captures_file(run_id)] = source.captures_jsonl
    package = parts.pack(_with_datapackage(files, packaged, runs))
    flaws = check(package).broken
    if flaws:
        raise EvidenceError(f"the package would not hold: {flaws[0].where}: {flaws[0].message}; nothing was written")
    return package


def _findings(session: Session, claim: Claim, jurisdiction: str) -> tuple[PackagedFinding, ...]:
    """The current findings; where our rules dropped the claim since, those of its last judgement."""
    rows = session.exec(select(Finding).where(Finding.claim_id == claim.id).order_by(col(Finding.id))).all()
    standing = [row for row in rows if row.current] or [
        row for row in rows if row.knowledge_version == rows[-1].knowledge_version
    ]
    kept = [row for row in standing if jurisdiction in ("", row.jurisdiction)]
    if not kept:
        there = ", ".join(row.jurisdiction for row in standing) or "none"
        raise NoSuchFindingError(f"claim {claim.id} has no finding for {jurisdiction or 'anywhere'}; it has: {there}")
    return tuple(PackagedFinding(**row.model_dump(exclude={"id", "claim_id", "current"})) for row in kept)


def _wordings(
    session: Session, config: Config, claim: Claim
) -> tuple[tuple[PackagedWording, ...], dict[str, bytes], dict[str, Capture]]:
    """Every wording, the text that each stands in, and the captures of those texts."""
    rows = session.exec(
        select(ClaimRevision).where(ClaimRevision.claim_id == claim.id).order_by(col(ClaimRevision.number))
    ).all()
    places = [(row.quote, row.version_id, row.start, row.end, row.seen_at) for row in rows]
    if not any(place[1:4] == (claim.version_id, claim.start, claim.end) for place in places):
        places.append((claim.quote, claim.version_id, claim.start, claim.end, claim.last_seen))
    wordings: list[PackagedWording] = []
    texts: dict[str, bytes] = {}
    captures: dict[str, Capture] = {}
    names: dict[int, str] = {}
    for number, (quote, version_id, start, end, seen_at) in enumerate(places, start=1):
        held = session.get_one(PageVersion, version_id)
        capture = session.get_one(Capture, held.capture_id)
        payload_of(session, capture, config)
        captures[capture.id] = capture
        name = names.setdefault(version_id, parts.text_file(len(names) + 1))
        texts[name] = held.text.encode("utf-8", "surrogatepass")
        wordings.append(
            PackagedWording(
                number=number,
                quote=quote,
                start=start,
                end=end,
                seen_at=seen_at,
                page=session.get_one(Page, held.page_id).url,
                capture=capture.id,
                part=held.document.get("part", ""),
                text=name,
                text_sha256=held.text_sha256,
                current=(version_id, start, end) == (claim.version_id, claim.start, claim.end),
            )
        )
    return tuple(wordings), texts, captures


def _sources(session: Session, config: Config, wanted: dict[str, Capture], opened: ExitStack) -> dict[str, _Source]:
    """Each run, with its archive here or made here for a while from its copy."""
    sources: dict[str, _Source] = {}
    for capture in wanted.values():
        if capture.run_id not in sources:
            path = opened.enter_context(whole_folder(config, folder_of(session.get_one(Run, capture.run_id), config)))
            folder = open_run_folder(path)
            lists = ((path / name).read_bytes() for name in ("run.json", "captures.jsonl"))
            sources[capture.run_id] = _Source(folder, *lists)
    return sources


def _with_redirects(sources: dict[str, _Source], wanted: Iterable[str]) -> list[CaptureRecord]:
    """The captures and, before each, the answer it was built from and the redirects that led there, as met."""
    found: dict[str, CaptureRecord] = {}
    for capture_id in wanted:
        folder = sources[capture_id.rpartition("/")[0]].folder
        met = list(folder.captures.values())
        built = folder.capture(capture_id)
        steps = [folder.capture(built.rendered_from)] if built.rendered_from else [built]
        while steps[0].redirected_from and len(steps) <= _MOST_REDIRECTS:
            met = met[: met.index(steps[0])]
            before = [one for one in met if one.url == steps[0].redirected_from and 300 <= one.status < 400]
            if not before:
                break
            steps.insert(0, before[-1])
        found.update({one.id: one for one in (*steps, built)})
    return list(found.values())


def _packaged(
    session: Session,
    claim: Claim,
    findings: tuple[PackagedFinding, ...],
    wordings: tuple[PackagedWording, ...],
    captures: tuple[str, ...],
    now: datetime,
) -> Packaged:
    page = session.get_one(Page, claim.page_id)
    seller = session.get(Organisation, page.organisation_id) if page.organisation_id else None
    return Packaged(
        claim=claim.id or 0,
        category=claim.category,
        status=claim.status,
        why=claim.why,
        heading_path=tuple(claim.heading_path),
        seller=seller.name if seller else "",
        page=page.url,
        title=page.title,
        first_seen=claim.first_seen,
        last_seen=claim.last_seen,
        state=claim.state,
        findings=findings,
        wordings=wordings,
        captures=captures,
        exported_at=now,
        software=f"Exowatch/{version('exowatch')}",
    )


def _archive(
    sources: dict[str, _Source], captures: Sequence[CaptureRecord]
) -> tuple[bytes, list[tuple[int, Member, CaptureRecord]]]:
    """The records as they lie in their runs, byte for byte; and for each capture its place in the new archive."""
    archive = b""
    placed: list[tuple[int, Member, CaptureRecord]] = []
    for run_id, source in sources.items():
        with (source.folder.path / "run.warc.gz").open("rb") as file, _mapped(file) as data:
            first = next(parts.members_of(data))
            archive += first.packed if first.kind == "warcinfo" else b""
            for capture in (one for one in captures if one.id.rpartition("/")[0] == run_id):
                following = parts.members_of(data, capture.offset)
                response = next(following)
                placed.append((len(archive), response, capture))
                archive += response.packed
                request = next(following, None)
                if request is not None and request.concurrent_to == response.record_id:
                    archive += request.packed
    return archive, placed


def _mapped(file: BinaryIO) -> mmap.mmap:
    """A run's archive has up to 2 GB, and a few records of it are needed."""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _index(placed: list[tuple[int, Member, CaptureRecord]]) -> bytes:
    """CDXJ: one line for each response, sorted."""
    lines = []
    for offset, member, capture in placed:
        if member.kind != "response":
            continue  # a player shows what a server sent
        entry = {
            "url": capture.url,
            "digest": f"sha256:{capture.payload_sha256}",
            "mime": capture.content_type.partition(";")[0].strip(),
            "offset": offset,
            "length": len(member.packed),
            "recordDigest": parts.digest_of(member.packed),
            "status": capture.status,
            "filename": parts.ARCHIVE.rpartition("/")[2],
        }
        lines.append(f"{parts.sort_key(capture.url)} {member.timestamp} {json.dumps(entry)}\n")
    return "".join(sorted(lines)).encode()


def _pages(packaged: Packaged, captures: Sequence[CaptureRecord]) -> bytes:
    """The pages a player lists: the flagged one first."""
    by_id = {one.id: one for one in captures}
    header = {"format": "json-pages-1.0", "id": "pages", "title": "Pages that the finding rests on"}
    lines = [header]
    shown = dict.fromkeys(one.capture for one in sorted(packaged.wordings, key=lambda one: not one.current))
    for number, capture_id in enumerate(shown, start=1):
        capture = by_id[capture_id]
        lines.append(
            {
                "id": f"page-{number}",
                "url": capture.url,
                "ts": f"{capture.fetched_at:%Y-%m-%dT%H:%M:%SZ}",
                "title": plain(packaged.title) or capture.url,
            }
        )
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _chain(config: Config, runs: Sequence[str]) -> tuple[bytes, dict[str, bytes], str]:
    """The chain from the first of these runs to the first stamp behind the last one, that stamp, and a word on it."""
    chained = read_chain(config)
    places = {one.link.run: number for number, one in enumerate(chained) if one.link.kind == "run"}
    missing = [run for run in runs if run not in places]
    if missing:
        raise EvidenceError(
            f"run {missing[0]} is not in the chain; exowatch intake {config.runs_folder / missing[0]} adds it"
        )
    first, last = min(places[run] for run in runs), max(places[run] for run in runs)
    for number in range(last, len(chained)):
        stamp = stamp_of(config, chained[number].link.number)
        if stamp is not None:
            line = chained[number].link.number
            told = f"Time stamp: evidence/chain-{line}.tsr, over line number {line} of the installation's chain."
            return _lines(chained[first : number + 1]), {parts.stamp_file(line): stamp}, told
    return _lines(chained[first : last + 1]), {}, "Time stamp: none. No independent authority vouches for the time."


def _lines(chained: Sequence[Chained]) -> bytes:
    return b"".join(one.line + b"\n" for one in chained)


def _with_datapackage(files: dict[str, bytes], packaged: Packaged, runs: list[RunRecord]) -> dict[str, bytes]:
    resources = [
        {
            "name": path.rpartition("/")[2].lower(),
            "path": path,
            "hash": parts.digest_of(data),
            "bytes": len(data),
        }
        for path, data in files.items()
    ]
    current = next(one for one in packaged.wordings if one.current)
    capture = _capture_line(files, current.capture)
    datapackage = parts.json_bytes(
        {
            "profile": "data-package",
            "title": f"Evidence for claim {packaged.claim}: {plain(packaged.page)}",
            "description": description(packaged, runs),
            "created": f"{packaged.exported_at:%Y-%m-%dT%H:%M:%SZ}",
            "wacz_version": parts.WACZ_VERSION,
            "software": packaged.software,
            "mainPageURL": capture.url,
            "mainPageDate": f"{capture.fetched_at:%Y-%m-%dT%H:%M:%SZ}",
            "resources": resources,
        }
    )
    return {**files, parts.DATAPACKAGE: datapackage, parts.DIGEST: parts.digest_file(datapackage)}


def _capture_line(files: dict[str, bytes], capture_id: str) -> CaptureRecord:
    lines = files[parts.captures_file(capture_id.rpartition("/")[0])].splitlines()
    return next(one for one in map(CaptureRecord.model_validate_json, lines) if one.id == capture_id)
