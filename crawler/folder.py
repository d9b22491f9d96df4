"""The run folder on disk, and what everyone who works on a run needs to know of it."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal

from monitor.config import Config
from monitor.records import KnownItem, RunRecord, RunRequest, SourceCard

if TYPE_CHECKING:
    from crawler.replay import Recording

Mode = Literal["live", "rehearsal", "replay"]
PATIENCE: dict[Mode, float] = {"live": 1.0, "rehearsal": 0.001, "replay": 0.0}
"""What waits (delays, Crawl-delay, Retry-After) are multiplied by: nobody is spared by waiting for a server
of our own, and a recording has no server. The waits are still made, so that a rehearsal takes the same paths."""


class Clock:
    """The time in UTC, running on from `start` where one is given."""

    def __init__(self, start: datetime | None = None) -> None:
        self.start = start or datetime.now(UTC)
        self._began = monotonic()

    def elapsed(self) -> float:
        return monotonic() - self._began

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed())


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class RunFolder:
    """`<runs>/<id>.part` while it is written, `<runs>/<id>` once it is whole."""

    def __init__(self, runs: Path, source: str, started_at: datetime) -> None:
        self.run_id = f"{source}-{started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        self.path = runs / f"{self.run_id}.part"
        self.final = runs / self.run_id
        self.path.mkdir(parents=True)

    def file(self, name: str) -> Path:
        return self.path / name

    def seal(self, record: RunRecord) -> Path:
        """Write run.json over the digests of all other files, bring it to the disk, take the `.part` away."""
        files = {path.name: sha256_of(path) for path in sorted(self.path.iterdir())}
        whole = record.model_copy(update={"files": files})
        self.file("run.json").write_text(whole.model_dump_json(indent=1) + "\n", encoding="utf-8")
        for path in self.path.iterdir():
            _sync(path)
        _sync(self.path)
        self.path.rename(self.final)
        _sync(self.final.parent)
        return self.final


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass
class Reading:
    """One reading of one source: what was asked, where it goes, and what was met on the way.

    Lives in the Scrapy settings under `EXOWATCH_READING`.
    """

    config: Config
    card: SourceCard
    request: RunRequest
    known: dict[str, KnownItem]
    mode: Mode
    folder: RunFolder
    clock: Clock
    recording: Recording | None = None
    """In a replay: what the old run received."""
    progress: bool = False
    refused: dict[str, str] = field(default_factory=dict)
    """Host → address for names that led to an address that must not be reached."""
    items: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    responses: Counter[int] = field(default_factory=Counter)
    """By status."""
    received_bytes: int = 0
    archive: Any = None
    """The `crawler.archive.Archive` of this reading, while it runs."""

    @property
    def remembered(self) -> Path | None:
        """Where what pages were read as is remembered; a replay reads them all."""
        return None if self.mode == "replay" else self.config.data / "remembered" / f"{self.card.id}.db"

    @property
    def patience(self) -> float:
        return PATIENCE[self.mode]

    def __deepcopy__(self, memo: dict[int, Any]) -> Reading:
        return self  # Scrapy copies its settings deeply; there is one reading


def reading_of(crawler: Any) -> Reading:
    """The reading that a Scrapy crawler (or crawler process) works on."""
    reading = crawler.settings["EXOWATCH_READING"]
    if not isinstance(reading, Reading):
        raise TypeError("EXOWATCH_READING is missing from the settings: start crawls through crawler.run")
    return reading
