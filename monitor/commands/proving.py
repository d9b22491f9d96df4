"""`evidence`: checking what is kept, packing a finding to take away, and letting old runs go."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.commands.common import FAILED, OK, State, UserError, clean, counted, database, day, screen, state_of
from monitor.commands.common import say as say_to

if TYPE_CHECKING:
    from monitor.evidence.chain import Broken
    from monitor.evidence.packages.check import Checked
    from monitor.evidence.stamps import Roots

evidence = typer.Typer(no_args_is_help=True, help="What was kept as proof: check it, take it away, let old runs go.")
_UNITS = {"d": 1, "w": 7, "y": 365}


@evidence.command()
def verify(
    context: typer.Context,
    package: Annotated[
        Path | None, typer.Argument(metavar="PACKAGE", help="A .wacz file; left out: all that is kept here.")
    ] = None,
    roots: Annotated[
        Path | None,
        typer.Option("--roots", metavar="PEM", help="Root certificates of time-stamping authorities that you trust."),
    ] = None,
) -> None:
    """Recompute the chain of runs, and from every quote to the bytes it was read from.

    With a package, check that alone: no configuration, database or web is needed. Exit code 1 if something does
    not hold; each flaw is named.
    """
    if package is not None:
        raise typer.Exit(_verify_package(package, roots))
    if roots is not None:
        raise UserError("--roots goes with a package; for what is kept here set evidence: roots: in the configuration")
    raise typer.Exit(_verify_all(state_of(context)))


def _verify_all(state: State) -> int:
    from monitor.evidence import recomputed as chain

    with database(state.config) as engine:
        checked = chain.verify(engine, state.config)
    _tell_broken(checked.broken)
    done = (
        f"{counted(checked.quotes, 'quote')}, {counted(checked.versions, 'text')}, "
        f"{counted(checked.captures, 'capture')}, {counted(checked.runs, 'run')} ({checked.pruned:,} pruned), "
        f"{counted(checked.stamps, 'time stamp')}"
    )
    _say(f"{done}: {f'{len(checked.broken):,} do not hold' if checked.broken else 'all hold'}")
    return FAILED if checked.broken else OK


def _verify_package(package: Path, pem: Path | None) -> int:
    from monitor.evidence.packages.check import check

    checked = check(_read(package), _roots(pem))
    _tell_broken(checked.broken)
    if checked.finding is not None:
        _describe(checked)
    flaws = len(checked.broken)
    _say(f"{package}: {f'{flaws:,} do not hold; DO NOT RELY ON IT' if flaws else 'all of it holds'}")
    return FAILED if flaws else OK


def _read(package: Path) -> bytes:
    try:
        return package.read_bytes()
    except OSError as error:
        raise UserError(f"{package}: {error.strerror or error}; give a .wacz file") from error


def _roots(pem: Path | None) -> Roots:
    from monitor.evidence.stamps import StampError, read_roots

    try:
        return read_roots(pem) if pem else ()
    except StampError as error:
        raise UserError(str(error)) from error


def _describe(checked: Checked) -> None:
    from monitor.evidence.packages.statement import NOT_PROVED, notes_on

    finding = checked.finding
    assert finding is not None  # noqa: S101  # asked by the caller
    current = next(one for one in finding.wordings if one.current)
    _say(f"claim {finding.claim}: “{current.quote}”")
    _say(f"  on {current.page}, seen {current.seen_at:%Y-%m-%d %H:%M:%S} UTC, capture {current.capture}")
    for one in finding.findings:
        law = ", ".join(one.legal_basis) or "no provision"
        _say(f"  {one.jurisdiction}: rule {one.rule_id}, {one.severity if one.assessed else 'not assessed'}, {law}")
    _say(f"  {counted(checked.records, 'record')} of {counted(len(checked.runs), 'run')}; time stamp: {checked.stamp}")
    for text in (notes_on(list(checked.runs)), NOT_PROVED):
        if text:
            _say(text)


def _tell_broken(broken: tuple[Broken, ...]) -> None:
    for one in broken:
        _say(f"{one.kind} {one.where}: {one.message}")


def _say(text: str) -> None:
    say_to(screen(), clean(text))


@evidence.command()
def export(
    context: typer.Context,
    finding: Annotated[
        str,
        typer.Argument(
            metavar="FINDING", help="Number of the claim, as on its page; with a jurisdiction, that one alone: 12/us."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it: x.wacz.")],
) -> None:
    """Pack what a finding rests on, to be opened in a web-archive player and checked by anyone.

    In it: the archived exchanges byte for byte, the pages' texts, the runs' digests, the chain and its time stamp,
    and a plain statement of what it proves and what not.
    """
    from monitor.config import now
    from monitor.evidence.packages.export import NoSuchFindingError
    from monitor.evidence.packages.export import export as write
    from monitor.evidence.runfolder import EvidenceError, UnreadableRunError
    from monitor.tables.db import reading

    asked = re.fullmatch(r"(\d+)(?:/([a-z]{2}))?", finding)
    if asked is None:
        raise UserError(f"{finding}: give a claim's number, such as 12, or with a jurisdiction 12/us")
    if out.suffix != ".wacz":
        raise UserError(f"{out}: must end in .wacz, or no player will open it")
    config = state_of(context).config
    with database(config) as engine, reading(engine) as session:
        try:
            package = write(session, config, int(asked[1]), asked[2] or "", now(config))
        except NoSuchFindingError as error:
            raise UserError(str(error)) from error
        except (EvidenceError, UnreadableRunError) as error:
            raise UserError(f"{error}; exowatch evidence verify shows all that does not hold", FAILED) from error
    try:
        with out.open("xb") as file:
            file.write(package)
    except OSError as error:
        raise UserError(f"{out}: {error.strerror or error}; give another place with --out") from error
    _say(f"{out}: {len(package):,} bytes, checked; anyone can check it again: exowatch evidence verify {out}")


@evidence.command()
def stamp(context: typer.Context) -> None:
    """Have the configured authority sign the chain as it is now (RFC 3161); each pass does so too."""
    from monitor.evidence.recomputed import stamp_head
    from monitor.evidence.runfolder import EvidenceError
    from monitor.evidence.stamps import StampError

    state = state_of(context)
    if not state.config.evidence.authority:
        raise UserError(f"{state.file}: no authority is configured; set evidence: authority: and roots:")
    try:
        given = stamp_head(state.config)
    except (StampError, EvidenceError) as error:
        raise UserError(str(error), FAILED) from error
    _say(f"stamped {given.at:%Y-%m-%d %H:%M:%S} UTC by {given.by}" if given else "the chain has no new line to stamp")


@evidence.command()
def store(context: typer.Context) -> None:
    """Copy what is not there yet into the configured storage, and compare the copies; each pass does so too."""
    from monitor.config import now
    from monitor.evidence.retention import unstored
    from monitor.evidence.runfolder import EvidenceError
    from monitor.evidence.storage import storage_of
    from monitor.locks import BusyError, hold

    state = state_of(context)
    storage = storage_of(state.config)
    if storage is None:
        raise UserError(f"{state.file}: no storage is configured; set evidence: storage: s3://bucket/prefix")
    done = 0
    with database(state.config) as engine:
        try:
            with hold(state.config.data / "locks", "storage"):
                for folder in unstored(engine, state.config):
                    storage.keep(folder, now(state.config))
                    done += 1
                    _say(f"{folder.name}: copied and compared")
        except BusyError as busy:
            raise UserError(f"evidence is being copied already, by {busy}", FAILED) from busy
        except EvidenceError as error:
            raise UserError(f"{error}; {counted(done, 'run')} copied, the others stay here alone", FAILED) from error
    _say(f"{counted(done, 'run')} copied to {storage.root}")


@evidence.command()
def prune(
    context: typer.Context,
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="90d, 26w, 2y or a date; left out: evidence: keep_days:.")
    ] = "",
    local: Annotated[
        bool, typer.Option("--local", help="Remove archives here that were copied to the storage, needed or not.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
) -> None:
    """Remove archives of old runs that nothing rests on: no claim, notice, event or register entry.

    run.json stays, and the chain says what was removed and why. With --local nothing is lost: what goes here is
    read from the storage from then on.
    """
    from monitor.config import now
    from monitor.evidence.retention import plan
    from monitor.evidence.retention import prune as remove
    from monitor.evidence.runfolder import EvidenceError

    state = state_of(context)
    moment = now(state.config)
    before, rule = _before(state, older_than, moment)
    if local:
        _drop_local(state, before, rule, dry_run)
        return
    with database(state.config) as engine:
        try:
            planned = plan(engine, state.config, before)
            if not dry_run:
                remove(state.config, planned, moment, rule)
        except EvidenceError as error:
            raise UserError(f"{error}; nothing more was removed", FAILED) from error
    for one in planned.prunable:
        _say(f"{one.run_id}: {one.size:,} bytes")
    verb = "would be removed" if dry_run else "removed"
    size = sum(one.size for one in planned.prunable)
    _say(f"{counted(len(planned.prunable), 'run')} {rule} {verb}, {size:,} bytes")
    _say(f"{counted(planned.kept, 'old run')} kept: something rests on it, or it is the newest of its source")


def _drop_local(state: State, before: datetime, rule: str, dry_run: bool) -> None:
    from monitor.evidence.retention import droppable
    from monitor.evidence.runfolder import ARCHIVE, EvidenceError
    from monitor.evidence.storage import drop_local

    freed, done = 0, 0
    with database(state.config) as engine:
        try:
            for folder in droppable(engine, state.config, before):
                size = (folder / ARCHIVE).stat().st_size if dry_run else drop_local(state.config, folder)
                freed, done = freed + size, done + 1
                _say(f"{folder.name}: {size:,} bytes")
        except EvidenceError as error:
            raise UserError(f"{error}; {done:,} archives were removed here before", FAILED) from error
    verb = "would be removed here" if dry_run else "removed here"
    _say(f"{counted(done, 'archive')} of runs {rule} {verb}, {freed:,} bytes; their copies are in the storage")


def _before(state: State, older_than: str, moment: datetime) -> tuple[datetime, str]:
    """The moment before which a run is old, and the rule in words."""
    if not older_than:
        days = state.config.evidence.keep_days
        if days is None:
            raise UserError("say how old: --older-than 2y, or set evidence: keep_days: in the configuration")
        return moment - timedelta(days=days), f"older than {counted(days, 'day')}"
    if age := re.fullmatch(r"(\d{1,5})([dwy])", older_than):
        days = int(age[1]) * _UNITS[age[2]]
        return moment - timedelta(days=days), f"older than {counted(days, 'day')}"
    found: date = day(older_than, "--older-than")
    return datetime.combine(found, time(), UTC), f"from before {found.isoformat()}"


__all__ = ["evidence"]
