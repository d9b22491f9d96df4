"""`python -m reports export | feed | feeds`: tables and feeds as files, for those who have no site."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from monitor import queries
from monitor.config import Config
from monitor.queries import exports
from monitor.queries.exports import FilterError, Filters
from monitor.queries.feeds import FeedAsk, FeedFrame
from reports.commands.common import database
from reports.exports import feed_formats, feeds, sheets
from reports.exports.filters import checked, filters_of
from reports.exports.sheets import Sheet

COMMANDS = ("export", "feed", "feeds")


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    table = commands.add_parser("export", help="write a table as CSV, XLSX, JSON or JSON lines")
    table.add_argument("table", nargs="?", default="", help="its name; left out: the tables that there are")
    table.add_argument("--format", choices=tuple(sheets.FORMATS))
    for name in Filters().__dataclass_fields__:
        table.add_argument(f"--{name}")
    feed = commands.add_parser("feed", help="write a feed as Atom, RSS or JSON Feed, with its archives beside it")
    feed.add_argument("--format", choices=tuple(feeds.FORMATS))
    feed.add_argument("--address", default="", help="where the file will be published, its name included")
    listed = commands.add_parser("feeds", help="print the addresses of feeds")
    for command in (feed, listed):
        for name in feeds.FILTERS:
            command.add_argument(f"--{name}", action="append", default=[])
        command.add_argument("--watchlist", default="")
        command.add_argument("--history", action="store_true", help="the whole history, not news alone")
    for command in (table, feed):
        command.add_argument("--out", type=Path)
    for command in (table, feed, listed):
        command.add_argument("--config", type=Path)


def run(config: Config, given: argparse.Namespace) -> int:
    """Exit code 0. Raises ValueError for what cannot be understood."""
    try:
        if given.command == "feeds":
            return _list(config, given)
        with database(config) as engine:
            return _export(engine, given) if given.command == "export" else _feed(engine, config, given)
    except BrokenPipeError:
        # Whoever read it has had enough (`| head`). What Python still holds must go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        raise ValueError(f"{error.filename or 'the output'}: {error.strerror}; give another --out") from error


@contextmanager
def _output(path: Path | None) -> Iterator[IO[bytes]]:
    """A file that is there whole or not at all; without a path, standard output."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _form(given: str | None, out: Path | None, known: Iterable[str], default: str) -> str:
    suffix = out.suffix.removeprefix(".") if out else ""
    return given or (suffix if suffix in known else default)


def _export(engine: queries.Engine, given: argparse.Namespace) -> int:
    if not given.table:
        for each in exports.TABLES.values():
            print(f"{each.name:<16} {each.meaning} Filters: {', '.join(each.filters) or 'none'}.")
        return 0
    if given.table not in exports.TABLES:
        raise ValueError(f"no such table: {given.table}; there are: {', '.join(exports.TABLES)}")
    table = exports.TABLES[given.table]
    form = _form(given.format, given.out, sheets.FORMATS, "csv")
    if form == "xlsx" and given.out is None and sys.stdout.isatty():
        raise ValueError("a workbook is nothing for a terminal; give --out FILE.xlsx")
    asked = filters_of(
        table, {name: value for name in Filters().__dataclass_fields__ if (value := getattr(given, name))}
    )
    counted = _Counted(exports.rows(engine, table, asked))
    notes = {"filters": {name: str(value) for name, value in asked.given.items()}}
    sheet = Sheet(table.name, table.meaning, table.columns, counted, notes)
    with _output(given.out) as file:
        if form == "xlsx":
            sheets.write_xlsx(sheet, file)
        else:
            writers = {"csv": sheets.as_csv, "json": sheets.as_json, "jsonl": sheets.as_json_lines}
            file.writelines(writers[form](sheet))
    if given.out:
        print(f"{given.out}: {counted.number:,} {'row' if counted.number == 1 else 'rows'}")
    return 0


class _Counted:
    """Rows, counted as they pass."""

    def __init__(self, rows: Iterable[exports.Row]) -> None:
        self._rows, self.number = rows, 0

    def __iter__(self) -> Iterator[exports.Row]:
        for row in self._rows:
            self.number += 1
            yield row


def _asked(config: Config, given: argparse.Namespace) -> FeedAsk:
    if given.watchlist and given.watchlist not in {each.name for each in config.watchlists}:
        has = ", ".join(each.name for each in config.watchlists) or "none"
        raise FilterError(f"no such watchlist: {given.watchlist}; the configuration has: {has}")
    filters = {
        key: tuple(checked(name, value) for value in getattr(given, name)) for name, key in feeds.FILTERS.items()
    }
    return FeedAsk(news=not given.history, watchlist=given.watchlist, **filters)


def _list(config: Config, given: argparse.Namespace) -> int:
    base = config.site_address
    asked = _asked(config, given)
    every = [asked] if asked != FeedAsk() else [asked, FeedAsk(news=False)]
    if asked == FeedAsk():
        every += [FeedAsk(watchlist=each.name) for each in config.watchlists]
        every += [FeedAsk(jurisdictions=(code,)) for code in config.jurisdictions]
    for each in every:
        print(feeds.title_of(each))
        for form in feeds.FORMATS:
            print(f"  {base}{feeds.address_of(each, form)}")
    if config.public_site is None:
        print(
            "These are answered while `exowatch serve` runs; with public_site in the configuration they name that site."
        )
    return 0


@dataclass(frozen=True)
class _Files:
    """Names and addresses of a feed's documents as files beside one another."""

    out: Path | None
    address: str
    form: str

    def path(self, number: int | None) -> Path | None:
        if self.out is None or number is None:
            return self.out
        return self.out.with_name(self._archive(self.out.name, number))

    def link(self, number: int | None) -> str:
        """Where the document will be found. Without an address of its own it is named as seen from its neighbours."""
        name = self.address or (self.out.name if self.out else f"feed.{self.form}")
        return name if number is None else self._archive(name, number)

    def _archive(self, name: str, number: int) -> str:
        stem, dot, suffix = name.rpartition(".")
        return f"{stem}-archive-{number:05}.{suffix}" if dot else f"{name}-archive-{number:05}"


def _feed(engine: queries.Engine, config: Config, given: argparse.Namespace) -> int:
    asked = _asked(config, given)
    form = _form(given.format, given.out, feeds.FORMATS, "atom")
    files = _Files(given.out, given.address, form)
    base = str(config.public_site or "").rstrip("/")
    number: int | None = None
    while (frame := queries.feed_frame(engine, asked, number)) is not None:
        path = files.path(frame.number)
        _write(engine, asked, frame, files, base)
        if path:
            print(path)
        if frame.older is None or path is None:
            break
        number = frame.older
    return 0


def _write(engine: queries.Engine, asked: FeedAsk, frame: FeedFrame, files: _Files, base: str) -> None:
    document = feeds.feed(engine, asked, frame, base=base, address=files.link)
    with _output(files.path(frame.number)) as file:
        file.write(feed_formats.written(document, files.form))
