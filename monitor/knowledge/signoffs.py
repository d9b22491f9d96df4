"""Who has signed which file of the knowledge, as it stood: `signoffs.csv`. A changed file is unsigned again."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.knowledge.files import Problem

if TYPE_CHECKING:
    from monitor.knowledge.law import Law, Provision, Rule

FILE = "signoffs.csv"
COLUMNS = ["file", "sha256", "reviewer", "date"]
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Signoff:
    """A reviewer stands for a file as its digest says it was."""

    file: str
    sha256: str
    reviewer: str
    date: date
    line: int


@dataclass(frozen=True)
class Signature:
    """How one file stands: `signed`, `stale` (it was changed after it was signed) or `unsigned`."""

    file: str
    state: str
    reviewer: str = ""
    date: date | None = None


def signable(folder: Path) -> list[str]:
    """Files that a reviewer can sign: all YAML, by path below the folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml"))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(folder: Path) -> tuple[list[Signoff], list[Problem]]:
    """All sign-offs that can be read, and what is wrong with the others. No file: nothing is signed."""
    path = folder / FILE
    if not path.exists():
        return [], []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [Problem("error", FILE, 0, "", f"not UTF-8 at byte {error.start}; save it as UTF-8")]
    lines = list(csv.reader(text.splitlines()))
    if not lines or [cell.strip() for cell in lines[0]] != COLUMNS:
        return [], [Problem("error", FILE, 1, "", f"the first line must be {','.join(COLUMNS)}; put it back")]
    found: list[Signoff] = []
    problems: list[Problem] = []
    for number, cells in enumerate(lines[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        made = _signoff([cell.strip() for cell in cells], number, folder)
        (found if isinstance(made, Signoff) else problems).append(made)  # type: ignore[arg-type]
    return found, problems


def _signoff(cells: list[str], line: int, folder: Path) -> Signoff | Problem:
    def wrong(message: str) -> Problem:
        return Problem("error", FILE, line, cells[0], message)

    if len(cells) != len(COLUMNS):
        return wrong(f"has {len(cells)} cells; give {', '.join(COLUMNS)}")
    file, sha256, reviewer, day = cells
    if file not in signable(folder):
        return wrong("there is no such file in the folder; remove the line, or correct the path")
    if not _DIGEST.fullmatch(sha256):
        return wrong("sha256 is not 64 hexadecimal digits; sign with `exowatch knowledge sign`")
    if not reviewer:
        return wrong("names no reviewer; add the name")
    try:
        return Signoff(file, sha256, reviewer, date.fromisoformat(day), line)
    except ValueError:
        return wrong(f"{day} is no date; write it as 2026-11-25")


def signatures(folder: Path, signoffs: list[Signoff]) -> dict[str, Signature]:
    """How each file of the folder stands; of several sign-offs of the same state the latest speaks."""
    by_file: dict[str, list[Signoff]] = {}
    for one in sorted(signoffs, key=lambda signoff: (signoff.date, signoff.line)):
        by_file.setdefault(one.file, []).append(one)
    return {file: _signature(folder, file, by_file.get(file, [])) for file in signable(folder)}


def _signature(folder: Path, file: str, signoffs: list[Signoff]) -> Signature:
    if not signoffs:
        return Signature(file, "unsigned")
    now = digest(folder / file)
    holding = [one for one in signoffs if one.sha256 == now]
    last = (holding or signoffs)[-1]
    return Signature(file, "signed" if holding else "stale", last.reviewer, last.date)


def append(folder: Path, file: str, reviewer: str, day: date) -> Signoff:
    """Sign a file as it stands now. Writes one line."""
    path = folder / FILE
    held = path.read_text(encoding="utf-8-sig") if path.exists() else ",".join(COLUMNS) + "\n"
    made = Signoff(file, digest(folder / file), reviewer, day, held.count("\n") + 1)
    with path.open("w", encoding="utf-8", newline="") as out:
        out.write(held if held.endswith("\n") else held + "\n")
        csv.writer(out, lineterminator="\n").writerow([file, made.sha256, reviewer, day.isoformat()])
    return made


def signed_files(folder: Path) -> frozenset[str]:
    """Files that are signed as they stand now."""
    signoffs = read(folder)[0]
    standing = signatures(folder, signoffs) if signoffs else {}
    return frozenset(file for file, one in standing.items() if one.state == "signed")


def without_stale_names(law: Law, signed: Container[str]) -> Law:
    """The law table with every row unsigned whose file is not signed as it stands: a name alone proves nothing."""
    provisions = {
        key: _named(row, f"law/provisions/{row.jurisdiction}.yaml" in signed) for key, row in law.provisions.items()
    }
    rule_sets = {
        code: rules.model_copy(
            update={"rules": tuple(_named_rule(rule, f"law/rules/{code}.yaml" in signed) for rule in rules.rules)}
        )
        for code, rules in law.rule_sets.items()
    }
    return replace(law, provisions=provisions, rule_sets=rule_sets)


def _named(row: Provision, signed: bool) -> Provision:
    return row if signed or row.unsigned else row.model_copy(update={"signed_by": None})


def _named_rule(row: Rule, signed: bool) -> Rule:
    return row if signed or row.unsigned else row.model_copy(update={"signed_by": None})
