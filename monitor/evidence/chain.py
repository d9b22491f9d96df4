"""The chain of runs: one line for each, in which the digest of the line before stands. What was taken away is missed.

`evidence/chain.jsonl` below the data folder. A line names the run and the sha256 of its run.json, which in turn holds
the sha256 of every other file of the run. `chain.head` beside it holds number and sha256 of the last line, so that a
chain that was cut short is missed too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from monitor.config import Config
from monitor.evidence.runfolder import ARCHIVE, EvidenceError, UnreadableRunError, open_run_folder
from monitor.evidence.storage import StorageError, storage_of
from monitor.locks import hold
from monitor.records import Sha256, UtcDatetime, Wire

NOTHING = "0" * 64
"""What the first line says that it follows."""


class Link(Wire):
    """One line of the chain."""

    number: int = Field(ge=1)
    kind: Literal["run", "pruned"]
    """`run`: the run was kept. `pruned`: all of it but run.json was removed, by rule."""
    run: str = Field(min_length=1)
    folder: str = Field(min_length=1)
    """Relative to the data folder."""
    manifest: Sha256
    """Of the run's run.json."""
    at: UtcDatetime
    why: str = ""
    previous: Sha256


@dataclass(frozen=True)
class Chained:
    """A line as it is written, without its line end, and what it says."""

    line: bytes
    link: Link

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.line).hexdigest()


@dataclass(frozen=True)
class Broken:
    """Something that does not hold."""

    kind: str
    """What it is about: `chain`, `run`, `capture`, `text`, `quote`, `stamp`, `package`."""
    where: str
    message: str


def chain_file(config: Config) -> Path:
    return config.evidence_folder / "chain.jsonl"


def _head_file(config: Config) -> Path:
    return config.evidence_folder / "chain.head"


def add_run(config: Config, run_id: str, folder: Path, at: datetime) -> None:
    """Put a run into the chain, unless it is there. Raises EvidenceError if run.json or chain cannot be read."""
    _add(config, "run", run_id, folder, at, why="")


def add_pruned(config: Config, run_id: str, folder: Path, at: datetime, why: str) -> None:
    """Note that a run's files are removed, before they are. Raises EvidenceError."""
    _add(config, "pruned", run_id, folder, at, why)


def _add(config: Config, kind: Literal["run", "pruned"], run_id: str, folder: Path, at: datetime, why: str) -> None:
    try:
        manifest = hashlib.sha256((folder / "run.json").read_bytes()).hexdigest()
    except OSError as error:
        raise EvidenceError(f"{folder / 'run.json'}: {error.strerror}; it cannot be put into the chain") from error
    path = chain_file(config)
    path.parent.mkdir(parents=True, exist_ok=True)
    with hold(config.data / "locks", "chain", wait=True):
        held = _without_unfinished(path)
        if f'"kind":"{kind}","run":"{run_id}"'.encode() in held:
            return
        last = parse_lines(held.splitlines(keepends=True)[-1], path.name)[0] if held else None
        link = Link(
            number=last.link.number + 1 if last else 1,
            kind=kind,
            run=run_id,
            folder=relative(folder, config.data),
            manifest=manifest,
            at=at,
            why=why,
            previous=last.digest if last else NOTHING,
        )
        added = Chained(link.model_dump_json().encode(), link)
        _write(path, added.line + b"\n", append=True)
        _write(_head_file(config), f"{link.number} {added.digest}\n".encode(), append=False)


def relative(path: Path, data: Path) -> str:
    """A folder as seen from the data folder, which can then be moved as a whole."""
    try:
        return path.resolve().relative_to(data.resolve()).as_posix()
    except ValueError:
        return path.resolve().as_posix()


def _without_unfinished(path: Path) -> bytes:
    """A line without its end is cut off: its writer was killed, and what it was about was not taken in either."""
    data = path.read_bytes() if path.exists() else b""
    whole = data.rfind(b"\n") + 1
    if whole < len(data):
        os.truncate(path, whole)
    return data[:whole]


def _write(path: Path, data: bytes, *, append: bool) -> None:
    part = path if append else path.with_name(f"{path.name}.part")
    with part.open("ab" if append else "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if not append:
        part.replace(path)


def read_chain(config: Config) -> list[Chained]:
    """Every line, parsed. Raises EvidenceError naming the line that is none."""
    return read_lines(chain_file(config))


def read_lines(path: Path) -> list[Chained]:
    return parse_lines(path.read_bytes(), path.name) if path.exists() else []


def parse_lines(data: bytes, name: str) -> list[Chained]:
    """Lines of a chain, parsed. Raises EvidenceError naming the line that is none."""
    chained = []
    for number, line in enumerate(data.split(b"\n")[:-1] if data.endswith(b"\n") else data.split(b"\n"), start=1):
        try:
            chained.append(Chained(line, Link.model_validate_json(line)))
        except ValidationError as error:
            raise EvidenceError(f"{name}, line {number}: no line of a chain ({error.errors()[0]['msg']})") from error
    return chained


def check_chain(config: Config, known_runs: Sequence[str] = ()) -> Iterator[Broken]:
    """What breaks the chain, or a run in it. `known_runs`: those that the database has, which must all be in it."""
    try:
        chained = read_chain(config)
    except EvidenceError as error:
        yield Broken("chain", chain_file(config).name, f"{error}: altered")
        return
    if chained and chained[0].link.number != 1:
        yield Broken("chain", chained[0].link.run, f"lines 1 to {chained[0].link.number - 1} before it were removed")
    yield from check_links(chained, NOTHING if chained and chained[0].link.number == 1 else None)
    yield from _check_head(config, chained)
    kept = {one.link.run: one.link for one in chained if one.link.kind == "run"}
    gone = {one.link.run for one in chained if one.link.kind == "pruned"}
    for run in known_runs:
        if run not in kept:
            where = relative(config.runs_folder / run, config.data)
            yield Broken(
                "chain", run, f"in the database, but not in the chain; exowatch intake {config.data / where} adds it"
            )
    for run, link in kept.items():
        yield from _check_run(config, link, pruned=run in gone)


def check_links(chained: Sequence[Chained], before: str | None) -> Iterator[Broken]:
    """Whether each line follows the one before it. `before`: digest of what the first one follows, if that is known."""
    last: Chained | None = None
    for one in chained:
        link = one.link
        if last is not None and link.number != last.link.number + 1:
            yield Broken("chain", link.run, f"line {link.number} follows line {last.link.number}: lines were removed")
        elif (expected := last.digest if last else before) is not None and link.previous != expected:
            altered = last.link.run if last else link.run
            yield Broken(
                "chain",
                altered,
                f"its line ({last.link.number if last else link.number}) is not the one that line {link.number} "
                f"({link.run}) follows: altered, or put in the place of another",
            )
        last = one


def _check_head(config: Config, chained: Sequence[Chained]) -> Iterator[Broken]:
    path = _head_file(config)
    if not chained and not path.exists():
        return
    try:
        number, digest = path.read_text(encoding="ascii").split()
        noted = int(number)
    except (OSError, ValueError):
        yield Broken("chain", path.name, "missing or no head: number and digest of the chain's last line")
        return
    held = next((one for one in chained if one.link.number == noted), None)
    if held is None:
        last = chained[-1].link.run if chained else "its beginning"
        yield Broken(
            "chain", last, f"the chain ends here, before line {noted}, which its head names: lines were removed"
        )
    elif held.digest != digest:
        yield Broken("chain", held.link.run, f"its line ({noted}) is not the one that the head names: altered")
    elif chained[-1].link.number > noted + 1:  # one more: its writer was killed before it noted the head
        yield Broken("chain", chained[-1].link.run, f"stands after line {noted}, which the head names as the last")


def _check_run(config: Config, link: Link, *, pruned: bool) -> Iterator[Broken]:
    folder = config.data / link.folder
    try:
        actual = hashlib.sha256((folder / "run.json").read_bytes()).hexdigest()
    except OSError:
        yield Broken("run", link.run, f"{folder / 'run.json'} is not there: removed, or moved away")
        return
    if actual != link.manifest:
        yield Broken("run", link.run, f"run.json has the sha256 {actual}, the chain says {link.manifest}: altered")
    if pruned:
        return
    try:
        yield from _check_files(config, folder, link)
    except (UnreadableRunError, StorageError) as error:
        yield Broken("run", link.run, str(error))


def _check_files(config: Config, folder: Path, link: Link) -> Iterator[Broken]:
    storage = storage_of(config)
    if storage is None or (folder / ARCHIVE).exists():
        open_run_folder(folder)
        return
    expected = open_run_folder(folder, elsewhere={ARCHIVE}).run.files[ARCHIVE]
    held = storage.digest(link.run, ARCHIVE)
    if held != expected:
        where = f"{storage.root}/{link.run}/{ARCHIVE}"
        yield Broken("run", link.run, f"{where}: its sha256 is {held}, run.json says {expected}: altered or cut")


def pruned_runs(config: Config) -> frozenset[str]:
    """Runs of which only run.json is left, by rule. Raises EvidenceError."""
    return frozenset(one.link.run for one in read_chain(config) if one.link.kind == "pruned")
