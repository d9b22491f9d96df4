"""What is held is what was received: from quotes to the bytes of captures, and from run to run, recomputed."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor.config import Config
from monitor.evidence import stamps
from monitor.evidence.chain import Broken, Chained, check_chain, pruned_runs, read_chain
from monitor.evidence.runfolder import ARCHIVE, EvidenceError, Payload, payload_in, read_payload
from monitor.evidence.stamps import StampError
from monitor.evidence.storage import storage_of
from monitor.products import told_at
from monitor.reading.captured import read_captured
from monitor.tables.db import id_of, reading
from monitor.tables.models import Capture, Claim, ClaimPlace, ClaimRevision, PageVersion, Run
from monitor.tables.product_facts import ProductFact


@dataclass(frozen=True)
class Verification:
    """How much was checked, and what did not hold."""

    runs: int
    captures: int
    versions: int
    quotes: int
    stamps: int
    pruned: int
    """Runs of which only run.json is left, by rule. They are among the runs; their captures are not checked."""
    broken: tuple[Broken, ...]


def payload_of(session: Session, capture: Capture, config: Config) -> Payload:
    """A capture's body, digest checked. Raises EvidenceError."""
    run = session.get(Run, capture.run_id)
    if run is None:
        raise EvidenceError(f"capture {capture.id}: its run is not in the database")
    folder = folder_of(run, config)
    storage = storage_of(config)
    if storage is None or (folder / ARCHIVE).exists():
        return read_payload(folder, capture.offset, capture.length, capture.payload_sha256)
    member = storage.read(run.id, ARCHIVE, capture.offset, capture.offset + capture.length)
    where = f"{storage.root}/{run.id}/{ARCHIVE} at byte {capture.offset}"
    return payload_in(member, where, capture.payload_sha256)


def folder_of(run: Run, config: Config) -> Path:
    """Where a run's folder lies: relative to the data folder, so that it can be moved as a whole."""
    return config.data / run.folder


def verify(engine: Engine, config: Config) -> Verification:
    """Recompute it all: chain of runs, files of each run → captures → canonical texts → quotes at their offsets."""
    broken: list[Broken] = []
    with reading(engine) as session:
        runs = session.exec(select(Run.id).order_by(col(Run.started_at))).all()
        broken.extend(check_chain(config, runs))
        stamped, flaws = _check_stamps(config)
        broken.extend(flaws)
        pruned = _pruned(config)
        counts = {
            "runs": len(runs),
            "captures": 0,
            "versions": 0,
            "quotes": 0,
            "stamps": stamped,
            "pruned": len(pruned),
        }
        for capture in session.exec(select(Capture).order_by(Capture.id)):
            if capture.run_id in pruned:
                continue
            counts["captures"] += 1
            broken.extend(_check_capture(session, capture, config))
        for version in session.exec(select(PageVersion).order_by(PageVersion.id)):  # type: ignore[arg-type]
            counts["versions"] += 1
            broken.extend(_check_version(session, version, config))
            quotes = list(_quotes(session, version))
            counts["quotes"] += len(quotes)
            broken.extend(_check_quotes(version, quotes))
        places, flaws = _check_places(session, config, pruned)
        counts["quotes"] += places
        broken.extend(flaws)
    return Verification(**counts, broken=tuple(broken))


def _pruned(config: Config) -> frozenset[str]:
    try:
        return pruned_runs(config)
    except EvidenceError:
        return frozenset()  # the chain itself is told of as broken


def _stamp_file(config: Config, number: int) -> Path:
    return config.evidence_folder / "stamps" / f"{number}.tsr"


def stamp_of(config: Config, number: int) -> bytes | None:
    """The time stamp over a line of the chain, as DER, if there is one."""
    path = _stamp_file(config, number)
    return path.read_bytes() if path.exists() else None


def stamp_head(config: Config) -> stamps.Stamp | None:
    """Have the configured authority sign the chain's last line, if none did. Raises StampError, EvidenceError."""
    choice = config.evidence
    chained = read_chain(config)
    if not (choice.authority and choice.roots and chained) or stamp_of(config, chained[-1].link.number) is not None:
        return None
    roots = stamps.read_roots(choice.roots)
    last = chained[-1]
    der = stamps.ask(choice.authority, last.line, roots)
    path = _stamp_file(config, last.link.number)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(der)
    part.rename(path)
    return stamps.read(der, last.line)


def _check_stamps(config: Config) -> tuple[int, list[Broken]]:
    """How many stamps there are, and what does not hold. Without roots only what they were given for is checked."""
    files = sorted((config.evidence_folder / "stamps").glob("*.tsr"))
    if not files:
        return 0, []
    try:
        lines: dict[str, Chained] = {str(one.link.number): one for one in read_chain(config)}
        roots = stamps.read_roots(config.evidence.roots) if config.evidence.roots else ()
    except (EvidenceError, StampError) as error:
        return len(files), [Broken("stamp", files[0].name, str(error))]
    broken = []
    for file in files:
        one = lines.get(file.stem)
        try:
            if one is None:
                raise StampError(f"the chain has no line {file.stem} any more: lines were removed")
            if roots:
                stamps.check(file.read_bytes(), one.line, roots)
            else:
                stamps.read(file.read_bytes(), one.line)
        except StampError as error:
            where = one.link.run if one else file.name
            broken.append(Broken("stamp", where, f"the time stamp {file.name} does not hold: {error}"))
    return len(files), broken


def _check_capture(session: Session, capture: Capture, config: Config) -> Iterator[Broken]:
    try:
        payload_of(session, capture, config)
    except EvidenceError as error:
        yield Broken("capture", capture.id, str(error))


def _check_version(session: Session, version: PageVersion, config: Config) -> Iterator[Broken]:
    where = f"page version {version.id} ({version.capture_id})"
    if hashlib.sha256(version.text.encode("utf-8", "surrogatepass")).hexdigest() != version.text_sha256:
        yield Broken("text", where, "its stored text does not have its digest: altered")
    capture = session.get(Capture, version.capture_id)
    if capture is None:
        yield Broken("text", where, "its capture is not in the database")
        return
    try:
        payload = payload_of(session, capture, config)
        again = read_captured(payload.body(), payload.content_type, version.document.get("part", "")).text
    except EvidenceError as error:
        yield Broken("text", where, str(error))
        return
    if again != version.text:
        yield Broken("text", where, "the capture, read again, gives another text than the stored one")


def _check_places(session: Session, config: Config, pruned: Container[str]) -> tuple[int, list[Broken]]:
    """Facts about products that were read from structured data: how many, and which do not stand in their capture."""
    checked, broken = 0, []
    statement = select(ProductFact, Capture).join(Capture, Capture.id == ProductFact.capture_id)  # type: ignore[arg-type]
    for fact, capture in session.exec(statement.where(ProductFact.place != "").order_by(Capture.id)):
        if capture.run_id in pruned:
            continue
        checked += 1
        where = f"fact {fact.id} in capture {capture.id}"
        try:
            payload = payload_of(session, capture, config)
        except EvidenceError as error:
            broken.append(Broken("quote", where, str(error)))
            continue
        found = told_at(payload.body(), payload.content_type, fact.place)
        if found != fact.quote:
            broken.append(Broken("quote", where, f"{fact.place} is {found!r}, not {fact.quote!r}"))
    return checked, broken


def _quotes(session: Session, version: PageVersion) -> Iterator[tuple[str, str, int, int]]:
    for claim in session.exec(select(Claim).where(Claim.version_id == version.id)):
        yield f"claim {claim.id}", claim.quote, claim.start, claim.end
    for revision in session.exec(select(ClaimRevision).where(ClaimRevision.version_id == version.id)):
        yield f"claim {revision.claim_id}, wording {revision.number}", revision.quote, revision.start, revision.end
    for fact in session.exec(select(ProductFact).where(ProductFact.version_id == version.id, ProductFact.place == "")):
        yield f"fact {fact.id}", fact.quote, fact.start or 0, fact.end or 0
    statement = select(ClaimPlace, Claim).join(Claim, Claim.id == ClaimPlace.claim_id)  # type: ignore[arg-type]
    for place, claim in session.exec(statement.where(ClaimPlace.version_id == version.id, ClaimPlace.lacking == 0)):
        if claim.version_id != version.id:
            yield (
                f"claim {id_of(claim)} on page {place.page_id}",
                version.text[place.start : place.end],
                place.start,
                place.end,
            )


def _check_quotes(version: PageVersion, quotes: list[tuple[str, str, int, int]]) -> Iterator[Broken]:
    for where, quote, start, end in quotes:
        found = version.text[start:end]
        if not quote or found != quote:
            yield Broken(
                "quote",
                f"{where} in page version {version.id}",
                f"the text at {start}–{end} is {found!r}, not {quote!r}",
            )
