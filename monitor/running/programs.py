"""Starts the other rooms as programs, and stops them: the crawler's runs and the reports' digest."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Any

from monitor.records import EXIT_CODES, KnownItem

CRAWLER = (sys.executable, "-m", "crawler")
REPORTS = (sys.executable, "-m", "reports")
_KEPT_LINES = 20
Progress = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Ended:
    """How a program ended: exit code, standard output, and the last lines it wrote to standard error."""

    code: int
    output: str
    last_lines: tuple[str, ...] = ()

    @property
    def complaint(self) -> str:
        return self.last_lines[-1] if self.last_lines else f"ended with exit code {self.code}"


@dataclass
class Children:
    """Programs that are running, so that all can be asked to stop. None is started after that."""

    _running: set[subprocess.Popen[str]] = field(default_factory=set)
    # Re-entrant: a signal's handler runs in the main thread, which may be inside `run` at that moment.
    _guard: threading.RLock = field(default_factory=threading.RLock)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, arguments: Sequence[str], progress: Progress | None = None, keep_open: Sequence[int] = ()) -> Ended:
        """Run a program to its end. Lines of JSON on its standard error are progress, others are kept."""
        with self._guard:
            if self.stopping.is_set():
                return Ended(EXIT_CODES_STOPPED, "", ("not started: asked to stop",))
            # A session of its own: Ctrl-C must reach the crawler once, from us. A second signal would break its stop.
            child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                pass_fds=tuple(keep_open),
                start_new_session=True,
            )
            self._running.add(child)
            if self.stopping.is_set():  # a signal's handler came between the start and the line above
                child.send_signal(signal.SIGTERM)
        try:
            return _listen(child, progress)
        finally:
            with self._guard:
                self._running.discard(child)

    def stop(self) -> None:
        """Ask every child to end (SIGTERM); `run` still waits for it."""
        with self._guard:
            self.stopping.set()
            for child in self._running:
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)


EXIT_CODES_STOPPED = next(code for outcome, code in EXIT_CODES.items() if outcome == "stopped")


def _listen(child: subprocess.Popen[str], progress: Progress | None) -> Ended:
    kept: deque[str] = deque(maxlen=_KEPT_LINES)
    listener = threading.Thread(target=_hear, args=(child.stderr, kept, progress), daemon=True)
    listener.start()
    output = child.stdout.read() if child.stdout else ""
    code = child.wait()
    listener.join()
    for pipe in (child.stdout, child.stderr):
        if pipe:
            pipe.close()
    return Ended(code, output, tuple(kept))


def _hear(pipe: IO[str] | None, kept: deque[str], progress: Progress | None) -> None:
    for line in pipe or ():
        message = _progress_in(line)
        if message is None:
            if line.strip():
                kept.append(line.strip())
        elif progress:
            progress(message)


def _progress_in(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        message = json.loads(line)
    except ValueError:
        return None  # a line of the program's own that begins with a brace
    return message if isinstance(message, dict) else None


@dataclass(frozen=True)
class CrawlRequest:
    """One run of one source to be started."""

    source_id: str
    runs: Path
    known: Iterable[KnownItem] = ()
    since: date | None = None
    pages: tuple[str, ...] = ()
    full: bool = False
    limit: int | None = None
    most_requests: int | None = None
    sweep: bool = False


@dataclass(frozen=True)
class Crawled:
    """A run folder, or why there is none."""

    folder: Path | None
    complaint: str = ""


def crawl(
    request: CrawlRequest,
    config_file: Path,
    children: Children,
    progress: Progress | None = None,
    lock: int | None = None,
) -> Crawled:
    """Let the crawler make one run. A folder comes back even of a run that met trouble: intake judges it."""
    with tempfile.TemporaryDirectory(prefix="exowatch-") as folder:
        known = Path(folder) / "known.jsonl"
        with known.open("w", encoding="utf-8") as lines:
            lines.writelines(item.model_dump_json() + "\n" for item in request.known)
        arguments = [*CRAWLER, "run", request.source_id, "--config", str(config_file), "--runs", str(request.runs)]
        arguments += ["--known", str(known)]
        if request.since:
            arguments += ["--since", request.since.isoformat()]
        if request.pages:
            pages = Path(folder) / "pages.txt"
            pages.write_text("".join(f"{page}\n" for page in request.pages), encoding="utf-8")
            arguments += ["--pages", str(pages)]
        for option, number in (("--limit", request.limit), ("--requests", request.most_requests)):
            if number is not None:
                arguments += [option, str(number)]
        arguments += [option for option, asked in (("--full", request.full), ("--sweep", request.sweep)) if asked]
        if progress:
            arguments.append("--progress")
        ended = children.run(arguments, progress, () if lock is None else (lock,))
    written = ended.output.strip().splitlines()
    if written and (Path(written[-1]) / "run.json").is_file():
        return Crawled(Path(written[-1]))
    return Crawled(None, f"the crawler left no run folder: {ended.complaint}")


def cards(own: Iterable[Path] = ()) -> list[dict[str, Any]]:
    """The source cards, those in folders of one's own included, as the crawler lists them.

    Raises RuntimeError with its complaint.
    """
    folders = [part for folder in own for part in ("--cards", str(folder))]
    ended = Children().run([*CRAWLER, "list", "--json", *folders])
    if ended.code:
        raise RuntimeError(f"the crawler could not list its cards: {ended.complaint}")
    listed = json.loads(ended.output)
    return list(listed)


def check(source_id: str, config_file: Path, children: Children) -> Ended:
    """Let the crawler read one page of a source live and say, point by point, what still fits its card."""
    return children.run([*CRAWLER, "check", source_id, "--config", str(config_file)])


def look(url: str, config_file: Path, children: Children) -> dict[str, Any]:
    """Let the crawler read a site's front page and say what it is built with; `problem` says why it was not read."""
    ended = children.run([*CRAWLER, "look", url, "--config", str(config_file)])
    try:
        seen = json.loads(ended.output)
    except ValueError:
        return {"problem": ended.complaint}
    return dict(seen) if isinstance(seen, dict) else {"problem": ended.complaint}


def write_report(config_file: Path, children: Children, report: str, arguments: Sequence[str] = ()) -> Ended:
    """Let reports write a digest or a landscape; its output names the files."""
    return children.run([*REPORTS, report, "--config", str(config_file), *arguments])


def post(config_file: Path, children: Children, arguments: Sequence[str] = ()) -> Ended:
    """Let reports send what is due and waits; its output says what came of it."""
    return children.run([*REPORTS, "post", "--config", str(config_file), *arguments])


def write_evaluation(figures: Mapping[str, Any], file: Path, children: Children) -> Ended:
    """Let reports write the figures of an evaluation as one HTML file; its output names the file."""
    with tempfile.TemporaryDirectory(prefix="exowatch-") as folder:
        given = Path(folder) / "figures.json"
        given.write_text(json.dumps(figures, ensure_ascii=False), encoding="utf-8")
        return children.run([*REPORTS, "evaluation", str(given), "--out", str(file)])


def replace_with(arguments: Sequence[str]) -> None:
    """Become that program: for one that serves until it is stopped."""
    os.execv(arguments[0], list(arguments))  # noqa: S606 - a list, no shell
