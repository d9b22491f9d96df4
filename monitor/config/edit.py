"""Turning a source on or off in the operator's own file: that line alone is changed, and the result is read back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from monitor.config import Config, ConfigError, SourceChoice, Vocabulary, load
from monitor.config.file import read_marked


class EditError(Exception):
    """The file cannot be changed by a line; the message says what to write into it."""


def switch(file: Path, source: str, *, on: bool, vocabulary: Vocabulary) -> bool:
    """Write `on` for a source. False if it stood so already. Raises EditError; the file is then as it was."""
    before = load(file, vocabulary)
    if _is_on(before, source) is on:
        return False
    wanted = _wanted(before, source, on=on)
    text = file.read_text(encoding="utf-8")
    candidates = _edits(text, source, on=on, site=before.site_of(source) is not None)
    if replaced_by_one_that_reads(file, candidates, [wanted], vocabulary):
        return True
    where = "at its entry under sites:" if before.site_of(source) else f"under sources: {source}:"
    raise EditError(f"{file}: is written in a way that is not changed by itself; put on: {str(on).lower()} {where}")


def replaced_by_one_that_reads(
    file: Path, candidates: Iterable[str], wanted: Sequence[Config], vocabulary: Vocabulary
) -> bool:
    """Put the first of these texts in the file's place that reads as wanted. False if none does: it stays as it was."""
    part = file.with_name(f".{file.name}.part")
    try:
        for candidate in candidates:
            part.write_text(candidate, encoding="utf-8")
            try:
                fits = load(part, vocabulary) in wanted
            except ConfigError:
                continue
            if fits:
                part.chmod(file.stat().st_mode)
                part.replace(file)
                return True
    finally:
        part.unlink(missing_ok=True)
    return False


def _is_on(config: Config, source: str) -> bool:
    site, choice = config.site_of(source), config.sources.get(source)
    return site.on if site else bool(choice and choice.on)


def _wanted(config: Config, source: str, *, on: bool) -> Config:
    if config.site_of(source):
        sites = tuple(s.model_copy(update={"on": on}) if s.source_id == source else s for s in config.sites)
        return config.model_copy(update={"sites": sites})
    choice = config.sources.get(source, SourceChoice()).model_copy(update={"on": on})
    return config.model_copy(update={"sources": {**config.sources, source: choice}})


def _edits(text: str, source: str, *, on: bool, site: bool) -> Iterator[str]:
    """What the file may become; the first that reads as wanted is taken."""
    lines, word = text.splitlines(keepends=True), str(on).lower()
    known = read_marked(text).lines
    if site:
        places = [path for path in known if len(path) == 2 and path[0] == "sites"]
        for path in places:
            yield from _set(lines, known.get((*path, "on")), known[path], word, "- ")
        return
    entry = known.get(("sources", source))
    if entry is not None:
        yield from _set(lines, known.get(("sources", source, "on")), entry, word, "")
        return
    section = known.get(("sources",))
    if section is None:
        yield _ended(text) + f"sources:\n  {source}: {{on: {word}}}\n"
        return
    yield _with(
        lines, section, re.sub(r"\s*\{\s*\}\s*$", "", lines[section - 1].rstrip()) + f"\n  {source}: {{on: {word}}}\n"
    )
    yield _with(lines, section, re.sub(r"\{", f"{{{source}: {{on: {word}}}, ", lines[section - 1], count=1))


def _set(lines: list[str], at: int | None, entry: int, word: str, dash: str) -> Iterator[str]:
    """`on:` where it stands, or put in below or into the entry."""
    if at is not None:
        yield _with(lines, at, re.sub(r"\bon\s*:\s*(true|false)\b", f"on: {word}", lines[at - 1], count=1))
        return
    line = lines[entry - 1]
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    yield _with(lines, entry, re.sub(r"\{\s*\}", f"{{on: {word}}}", line, count=1))
    yield _with(lines, entry, re.sub(r"\{(?=\s*\w)", f"{{on: {word}, ", line, count=1))
    yield _with(lines, entry, f"{line.rstrip()}\n{indent}on: {word}\n")
    if not dash:
        yield _with(
            lines,
            entry,
            re.sub(r":\s*(#.*)?$", lambda m: f": {{on: {word}}}  {m[1] or ''}".rstrip(), line.rstrip()) + "\n",
        )


def _with(lines: list[str], number: int, line: str) -> str:
    return "".join([*lines[: number - 1], line, *lines[number:]])


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"
