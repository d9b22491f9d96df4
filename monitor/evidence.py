"""What is held is what was received: the chain from a claim's quote to the bytes of its capture, recomputed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, select

from monitor.config import Config
from monitor.db import id_of, reading
from monitor.models import Capture, Claim, ClaimPlace, ClaimRevision, PageVersion, Run
from monitor.runfolder import EvidenceError, Payload, UnreadableRunError, open_run_folder, read_payload
from monitor.text import read_html


@dataclass(frozen=True)
class Broken:
    """One link of the chain that does not hold."""

    kind: str
    """`run`, `capture`, `text` or `quote`."""
    where: str
    message: str


@dataclass(frozen=True)
class Verification:
    """How much was checked, and what did not hold."""

    runs: int
    captures: int
    versions: int
    quotes: int
    broken: tuple[Broken, ...]


def payload_of(session: Session, capture: Capture, config: Config) -> Payload:
    """A capture's body, digest checked. Raises EvidenceError."""
    run = session.get(Run, capture.run_id)
    if run is None:
        raise EvidenceError(f"capture {capture.id}: its run is not in the database")
    return read_payload(folder_of(run, config), capture.offset, capture.length, capture.payload_sha256)


def folder_of(run: Run, config: Config) -> Path:
    """Where a run's folder lies: relative to the data folder, so that it can be moved as a whole."""
    return config.data / run.folder


def verify(engine: Engine, config: Config) -> Verification:
    """Recompute the whole chain: files of each run → captures → canonical texts → quotes at their offsets."""
    broken: list[Broken] = []
    counts = {"runs": 0, "captures": 0, "versions": 0, "quotes": 0}
    with reading(engine) as session:
        for run in session.exec(select(Run).order_by(Run.started_at)):  # type: ignore[arg-type]
            counts["runs"] += 1
            broken.extend(_check_run(run, config))
        for capture in session.exec(select(Capture).order_by(Capture.id)):
            counts["captures"] += 1
            broken.extend(_check_capture(session, capture, config))
        for version in session.exec(select(PageVersion).order_by(PageVersion.id)):  # type: ignore[arg-type]
            counts["versions"] += 1
            broken.extend(_check_version(session, version, config))
            quotes = list(_quotes(session, version))
            counts["quotes"] += len(quotes)
            broken.extend(_check_quotes(version, quotes))
    return Verification(**counts, broken=tuple(broken))


def _check_run(run: Run, config: Config) -> Iterator[Broken]:
    try:
        open_run_folder(folder_of(run, config))
    except UnreadableRunError as error:
        yield Broken("run", run.id, str(error))


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
        again = read_html(payload.body(), payload.content_type).text
    except EvidenceError as error:
        yield Broken("text", where, str(error))
        return
    if again != version.text:
        yield Broken("text", where, "the capture, read again, gives another text than the stored one")


def _quotes(session: Session, version: PageVersion) -> Iterator[tuple[str, str, int, int]]:
    for claim in session.exec(select(Claim).where(Claim.version_id == version.id)):
        yield f"claim {claim.id}", claim.quote, claim.start, claim.end
    for revision in session.exec(select(ClaimRevision).where(ClaimRevision.version_id == version.id)):
        yield f"claim {revision.claim_id}, wording {revision.number}", revision.quote, revision.start, revision.end
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
