"""`exowatch sweep`: archives gone through file by file. A sweep that was killed goes on where it was.

What was done stands in `<out>.state.jsonl`, one line a step. The output is brought to the disk before the line that
counts it, and what lies beyond the last line is cut off again: nothing is lost and nothing stands twice.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import IO, Any

from monitor.discovery.screening import Candidate, look
from monitor.evidence.warcs import ArchivedPage, ArchiveError, steps
from monitor.knowledge import Knowledge

RECORDS_A_STEP = 2_000
"""Records after which what was done is written down: some seconds of work."""


class SweepError(Exception):
    """The sweep cannot be begun or gone on with; the message says what to do."""


@dataclass(frozen=True)
class Task:
    """One file and how far it was gone through. A file that has changed since is another task."""

    file: str
    size: int
    mtime_ns: int
    offset: int = 0
    done: bool = False
    records: int = 0
    pages: int = 0
    found: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    problem: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        return self.file, self.size, self.mtime_ns


@dataclass(frozen=True)
class Report:
    """What a sweep came to, all its files together. `stopped`: as asked, before the end."""

    tasks: tuple[Task, ...]
    skipped: int
    """Files that an earlier call had done."""
    stopped: bool

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(task.problem for task in self.tasks if task.problem)


def files_of(paths: Sequence[str], lists: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The files that paths, patterns and lists name, in order, each once. Raises SweepError for what is not there."""
    found: dict[Path, None] = {}
    for path in paths:
        found |= dict.fromkeys(_fitting(path))
    for listed in lists:
        found |= dict.fromkeys(_listed(listed))
    if not found:
        raise SweepError("nothing to sweep: name files, patterns such as 'crawl/*.wet.gz', or a --list")
    return tuple(found)


def _fitting(path: str) -> list[Path]:
    plain = Path(path)
    if plain.is_file():
        return [plain.resolve()]
    if plain.is_dir():
        raise SweepError(f"{path}: is a folder; name its files, such as '{path.rstrip('/')}/*.warc.gz'")
    files = [one.resolve() for one in sorted(Path(plain.anchor).glob(str(plain.relative_to(plain.anchor))))]
    if not any(one.is_file() for one in files):
        raise SweepError(f"{path}: there is no such file, and none whose name fits")
    return [one for one in files if one.is_file()]


def _listed(file: Path) -> list[Path]:
    """A path a line, from the list's own folder; packed by gzip as Common Crawl's lists are, or not."""
    try:
        raw = file.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise SweepError(f"{file}: the list cannot be read: {error}") from error
    lines = [line.strip() for line in text.splitlines()]
    paths = [(file.parent / line).resolve() for line in lines if line and not line.startswith("#")]
    if missing := [path for path in paths if not path.is_file()]:
        raise SweepError(f"{file}: {len(missing)} of its {len(paths)} files are not there; the first is {missing[0]}")
    return paths


class Journal:
    """The output and what was done, side by side on disk."""

    def __init__(self, out: Path, knowledge_version: str) -> None:
        self.out = out
        self.path = out.with_name(f"{out.name}.state.jsonl")
        self.tasks: dict[tuple[str, int, int], Task] = {}
        written = self._read(knowledge_version)
        self._output = self._open(written)
        self._state = self.path.open("a", encoding="utf-8")
        if self._state.tell() == 0:
            self._line({"knowledge": knowledge_version})

    def close(self) -> None:
        self._output.close()
        self._state.close()

    def keep(self, candidate: Candidate) -> None:
        row = {name: value for name, value in asdict(candidate).items() if name != "cut" or value}
        self._output.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")

    def mark(self, task: Task) -> None:
        self.tasks[task.key] = task
        _to_disk(self._output)
        self._line({**asdict(task), "written": self._output.tell()})

    def _line(self, row: dict[str, Any]) -> None:
        self._state.write(json.dumps(row, ensure_ascii=False) + "\n")
        _to_disk(self._state)

    def _read(self, knowledge_version: str) -> int:
        """Takes up what was done; gives the bytes of output that it counts."""
        if not self.path.exists():
            if self.out.exists():
                raise SweepError(f"{self.out}: is there already and no sweep wrote it; give another --out")
            return 0
        rows = self._rows()
        begun = rows[0].get("knowledge") if rows else knowledge_version
        if begun != knowledge_version:
            raise SweepError(
                f"{self.out}: was begun under other knowledge ({begun}, now {knowledge_version}); "
                "give another --out, so that one file holds what one knowledge found"
            )
        for row in rows[1:]:
            written = row.pop("written")
            task = Task(**row)
            self.tasks[task.key] = task
        return written if len(rows) > 1 else 0

    def _rows(self) -> list[dict[str, Any]]:
        lines = self.path.read_bytes().split(b"\n")
        tail = lines.pop()
        if tail:  # killed while it wrote this line: it never counted
            os.truncate(self.path, self.path.stat().st_size - len(tail))
        try:
            return [json.loads(line) for line in lines]
        except ValueError as error:
            raise SweepError(f"{self.path}: was altered by hand ({error}); remove it and {self.out.name}") from error

    def _open(self, written: int) -> IO[bytes]:
        self.out.parent.mkdir(parents=True, exist_ok=True)
        file = self.out.open("ab")
        if self.out.stat().st_size < written:
            file.close()
            raise SweepError(
                f"{self.out}: is shorter than what was written into it; remove it and {self.path.name} to begin anew"
            )
        file.truncate(written)
        file.seek(written)
        return file


def _to_disk(file: IO[Any]) -> None:
    file.flush()
    os.fsync(file.fileno())


Told = Callable[[Task, bool], None]
"""Called with a task at each step, and with True when it is done."""


def sweep(
    files: Iterable[Path],
    journal: Journal,
    knowledge: Knowledge,
    *,
    told: Told | None = None,
    stop: Event | None = None,
    records_a_step: int = RECORDS_A_STEP,
) -> Report:
    """Go through the files, one after another. What fails in one file is its task's problem, and the next is read."""
    asked = stop or Event()
    tasks: list[Task] = []
    skipped = 0
    for file in files:
        if asked.is_set():
            break
        status = file.stat()
        fresh = Task(str(file), status.st_size, status.st_mtime_ns)
        task = journal.tasks.get(fresh.key, fresh)
        if task.done:
            skipped += 1
        else:
            task = _Pass(task, journal, knowledge, told, asked, records_a_step).run()
        tasks.append(task)
    return Report(tuple(tasks), skipped, asked.is_set())


class _Pass:
    """One file, from where it was left."""

    def __init__(
        self, task: Task, journal: Journal, knowledge: Knowledge, told: Told | None, stop: Event, step: int
    ) -> None:
        self.task = task
        self.journal = journal
        self.knowledge = knowledge
        self.told = told
        self.stop = stop
        self.step = step
        self.records, self.pages, self.found = task.records, task.pages, task.found
        self.left_out = Counter(task.left_out)
        self.problem = task.problem

    def run(self) -> Task:
        since = 0
        try:
            for step in steps(Path(self.task.file), self.task.offset):
                if self.stop.is_set() or since >= self.step:
                    self._mark(offset=step.offset)
                    since = 0
                    if self.stop.is_set():
                        return self.task
                since += 1
                self.records += 1
                if step.page is not None:
                    self.pages += 1
                    self._judge(step.page, step.offset)
        except ArchiveError as error:
            self.problem = str(error)
        self._mark(offset=self.task.size, done=True)
        return self.task

    def _judge(self, page: ArchivedPage, offset: int) -> None:
        try:
            seen = look(page, self.knowledge)
        except Exception as error:  # one page of millions must not hold up the rest; it is told as the file's problem
            seen = "its reading failed"
            self.problem = f"{self.task.file}: at byte {offset}, {page.url}: {type(error).__name__}: {error}"[:500]
        if isinstance(seen, str):
            self.left_out[seen] += 1
            return
        self.found += 1
        self.journal.keep(replace(seen, archive=self.task.file, offset=offset))

    def _mark(self, *, offset: int, done: bool = False) -> None:
        self.task = replace(
            self.task,
            offset=offset,
            done=done,
            problem=self.problem,
            records=self.records,
            pages=self.pages,
            found=self.found,
            left_out=dict(self.left_out),
        )
        self.journal.mark(self.task)
        if self.told:
            self.told(self.task, done)
