"""History that ships: entries of regulators' lists as dated, sourced notices, so that the first landscape is not empty.

Each is marked as an entry whose text was not read. When its source is read, the same key leads to the same notice.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from monitor.clock import card_facts
from monitor.config import Config
from monitor.evidence.chain import add_run
from monitor.evidence.runfolder import RunFolder, open_run_folder, resource_record
from monitor.history import Chronicle
from monitor.intake import notices
from monitor.intake.revising import content_of, held_content
from monitor.knowledge import HERE, Knowledge, KnowledgeError
from monitor.records import (
    Authority,
    CaptureRecord,
    NoticeRecord,
    NoticeType,
    OrganisationRef,
    Outcome,
    RunRecord,
    SourceCard,
)
from monitor.tables import db
from monitor.tables.models import (
    SHIPPED,
    SHIPPED_SOURCE,
    UNREAD,
    Capture,
    Notice,
    NoticeRevision,
    Run,
    RunState,
    Source,
)

LETTERS = HERE / "history" / "us_fda_regenerative_letters.csv"
LETTERS_SOURCE = "us_fda_warning_letters"
_CARD = SourceCard(
    id=SHIPPED_SOURCE,
    title="History that ships with Exowatch",
    authority=Authority(name="Exowatch"),
    jurisdiction="us",
    kind="notice",
    means="An entry of a regulator's own list, kept with its dates, number and address. Its text was not read.",
    start="urn:exowatch:history",
    spider="none",
)


class LetterRow(BaseModel):
    """One letter as FDA's list shows it, and the day on which the list was read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issued: date
    posted: date
    firm: str = Field(min_length=2)
    number: str = Field(pattern=r"^\d{5,7}$")
    office: str = Field(min_length=3)
    subject: str = Field(min_length=3)
    address: str = Field(pattern=r"^https://www\.fda\.gov/\S+$")
    read_on: date

    @property
    def key(self) -> str:
        """As the spider of the list gives it: the path of the letter's address."""
        return urlsplit(self.address).path.rstrip("/")

    def record(self, capture: str) -> NoticeRecord:
        return NoticeRecord(
            source=LETTERS_SOURCE,
            key=self.key,
            notice_type=NoticeType.WARNING_LETTER,
            title=f"{self.firm}: {self.subject}",
            url=self.address,
            authority=self.office,
            jurisdiction="us",
            issued=self.issued,
            posted=self.posted,
            organisations=(OrganisationRef(name=self.firm, role="addressee"),),
            references=(f"MARCS-CMS {self.number}",),
            summary=self.subject,
            unread=(f"letter: not read; only its entry in FDA's list was, on {self.read_on}",),
            captures=(capture,),
        )


@dataclass(frozen=True)
class Loaded:
    """What came of loading. `held`: entries that were there already, or have been read since."""

    added: int = 0
    corrected: int = 0
    held: int = 0


def letters(path: Path = LETTERS) -> tuple[LetterRow, ...]:
    """The rows of the file. Raises KnowledgeError naming file and line."""
    return tuple(_rows(path))


def _rows(path: Path) -> Iterator[LetterRow]:
    seen: set[str] = set()
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        for values in reader:
            try:
                row = LetterRow.model_validate(values)
            except ValidationError as error:
                first = error.errors()[0]
                place = ".".join(str(part) for part in first["loc"])
                raise KnowledgeError(f"{path}:{reader.line_num}: {place}: {first['msg']}. Correct that row.") from error
            if row.key in seen:
                raise KnowledgeError(f"{path}:{reader.line_num}: {row.address} stands there twice. Keep one row.")
            seen.add(row.key)
            yield row


def load_history(
    engine: Engine, config: Config, knowledge: Knowledge, *, now: datetime, path: Path = LETTERS
) -> Loaded:
    """Take what shipped in, as history that is nobody's news. Doing it again adds nothing."""
    rows = letters(path)
    with db.transaction(engine) as session:
        wanted = [(row, how) for row in rows if (how := _how(session, row)) != "held"]
        if wanted:
            folder = _folder(config, path, [row for row, _ in wanted], now)
            _take_in(session, folder, config, knowledge, now)
            add_run(config, folder.run.run_id, folder.path, now)
    counts = [how for _, how in wanted]
    return Loaded(counts.count("added"), counts.count("corrected"), len(rows) - len(wanted))


def _how(session: Session, row: LetterRow) -> str:
    """`added`, `corrected`, or `held`: an entry that the source itself has shown since is not ours to change."""
    notice = session.exec(select(Notice).where(Notice.source_id == LETTERS_SOURCE, Notice.key == row.key)).first()
    if notice is None:
        return "added"
    last = session.exec(
        select(NoticeRevision)
        .where(NoticeRevision.notice_id == notice.id)
        .order_by(col(NoticeRevision.number).desc())
        .limit(1)
    ).one()
    ours = last.run_id.startswith(f"{SHIPPED_SOURCE}-")
    return "corrected" if ours and held_content(last.record) != content_of(row.record("none")) else "held"


def _folder(config: Config, path: Path, rows: list[LetterRow], now: datetime) -> RunFolder:
    """A run folder like any other: the file itself is the evidence, archived, with its digest."""
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    number = 0
    while True:
        run_id = f"{SHIPPED_SOURCE}-{now:%Y%m%dT%H%M%SZ}-{(int(digest[:4], 16) + number) % 65536:04x}"
        final = config.runs_folder / run_id
        if not final.exists():
            break
        number += 1
    address = f"urn:exowatch:history:{path.name}"
    archived = resource_record(address, body, now, "text/csv")
    capture = CaptureRecord(
        id=f"{run_id}/00001",
        url=address,
        fetched_at=now,
        status=0,
        content_type="text/csv",
        payload_sha256=digest,
        offset=0,
        length=len(archived),
    )
    records = [row.record(capture.id) for row in rows]
    files = {
        "run.warc.gz": archived,
        "captures.jsonl": f"{capture.model_dump_json()}\n".encode(),
        "items.jsonl": "".join(f"{record.model_dump_json()}\n" for record in records).encode(),
    }
    run = RunRecord(
        run_id=run_id,
        source=SHIPPED_SOURCE,
        card=_CARD,
        mode="shipped",
        started_at=now,
        finished_at=now,
        finish_reason="finished",
        outcome=Outcome.OK,
        software="Exowatch",
        items={"notice": len(records)},
        files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    )
    _write(final, {**files, "run.json": f"{run.model_dump_json(indent=1)}\n".encode()})
    return open_run_folder(final)


def _write(final: Path, files: dict[str, bytes]) -> None:
    part = final.with_name(f"{final.name}.part")
    part.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        with io.FileIO(part / name, "w") as file:
            file.write(data)
    part.rename(final)


def _take_in(session: Session, folder: RunFolder, config: Config, knowledge: Knowledge, now: datetime) -> None:
    _source(session, _CARD, SHIPPED, now)
    _source(session, _letters_card(), "notice", now)
    run = folder.run
    session.add(
        Run(
            id=run.run_id,
            source_id=SHIPPED_SOURCE,
            state=RunState.TAKEN_IN,
            started_at=now,
            finished_at=now,
            taken_in_at=now,
            folder=folder.path.resolve().relative_to(config.data.resolve()).as_posix(),
            record=run.model_dump(mode="json"),
        )
    )
    session.flush()
    for capture in folder.captures.values():
        session.add(Capture(run_id=run.run_id, **capture.model_dump(exclude={"redirected_from", "ip"})))
    session.flush()
    chronicle = Chronicle(session, run_id=run.run_id, source_id=LETTERS_SOURCE, baseline=True)
    for record in folder.records:
        if isinstance(record, NoticeRecord):
            notices.take_in(session, record, folder, knowledge, chronicle, read_since=None)


def _letters_card() -> SourceCard:
    """As installed; where that source is not installed, what its letters need to stand in the table of sources."""
    try:
        return SourceCard.model_validate(dict(card_facts(LETTERS_SOURCE)))
    except ValidationError:
        return _CARD.model_copy(
            update={
                "id": LETTERS_SOURCE,
                "title": "FDA warning letters",
                "authority": Authority(name="US Food and Drug Administration", url="https://www.fda.gov/"),
            }
        )


def _source(session: Session, card: SourceCard, kind: str, now: datetime) -> None:
    """Its line in the table of sources, if it has none: one that was never read, and has no state yet."""
    if session.get(Source, card.id) is None:
        made = Source(
            id=card.id,
            title=card.title,
            jurisdiction=card.jurisdiction,
            kind=kind,
            card=card.model_dump(mode="json"),
            state=UNREAD,
            state_since=now,
        )
        session.add(made)
        session.flush()
