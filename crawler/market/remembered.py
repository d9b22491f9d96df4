"""What pages were read as, by their bytes: one that comes again to the byte is not parsed again.

A file of this machine beside the evidence, and no part of it. What stands in it follows from the bytes, the type and
the address of an answer under one state of our software: without it a page is read, and the run is the same.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import zlib
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from scrapy.http import Response

from crawler.archive import body_sha256
from crawler.market.page import BUILT, Link, Told, header

logger = logging.getLogger(__name__)

_HERE = Path(__file__).parents[1]
_CODE = ("*.py", "market/*.py", "sources/*.py")
"""All that reads a page, and some that does not: after an upgrade each is read once more."""
_LIBRARIES = ("extruct", "lxml", "parsel", "pypdfium2", "scrapy", "w3lib")
_TABLE = "CREATE TABLE IF NOT EXISTS page (url TEXT PRIMARY KEY, mark BLOB, told BLOB) WITHOUT ROWID"
_TOGETHER = 100
"""Pages written in one turn."""
_PATIENCE = 1.0
"""Seconds waited for another program that writes the file."""


class Remembered:
    """The file of one source. Where it cannot be used the log says so, and every page is read."""

    def __init__(self, path: Path | None) -> None:
        """`path` None: nothing is remembered."""
        self._path = path
        self._waiting: dict[str, _Row] = {}
        self._file = None if path is None else _opened(path)

    def told(self, url: str, response: Response) -> Told | None:
        """What the page at `url` was read as, if this answer is to the byte what it was then."""
        row = self._row(url)
        return row.told if row is not None and row.mark == _mark(response) else None

    def keep(self, url: str, response: Response, told: Told) -> None:
        if self._file is None:
            return
        self._waiting[url] = _Row(_mark(response), told)
        if len(self._waiting) >= _TOGETHER:
            self._write()

    def forget_all_but(self, urls: Container[str]) -> None:
        """What nobody asks for any more."""
        if self._file is None:
            return
        try:
            gone = [(url,) for (url,) in self._file.execute("SELECT url FROM page") if url not in urls]
            with self._file:
                self._file.executemany("DELETE FROM page WHERE url = ?", gone)
        except sqlite3.Error as error:
            self._give_up(error)

    def close(self) -> None:
        self._write()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _row(self, url: str) -> _Row | None:
        if self._file is None or url in self._waiting:
            return self._waiting.get(url)
        try:
            found = self._file.execute("SELECT mark, told FROM page WHERE url = ?", (url,)).fetchone()
            return _Row(found[0], _unpacked(found[1])) if found else None
        except (sqlite3.Error, zlib.error) as error:
            self._give_up(error)
            return None

    def _write(self) -> None:
        if self._file is None or not self._waiting:
            return
        rows = [(url, row.mark, _packed(row.told)) for url, row in self._waiting.items()]
        try:
            with self._file:
                self._file.executemany("INSERT OR REPLACE INTO page VALUES (?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._give_up(error)
        self._waiting.clear()

    def _give_up(self, error: Exception) -> None:
        _say_unusable(self._path, error)
        if self._file is not None:
            self._file.close()
        self._file = None
        self._waiting.clear()


@dataclass(frozen=True)
class _Row:
    mark: bytes
    told: Told


def _opened(path: Path) -> sqlite3.Connection | None:
    """The file, made if there is none, and made anew if it is spoilt; None where it cannot be used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _with_table(path)
        except sqlite3.OperationalError:  # locked, say, or not to be written
            raise
        except sqlite3.DatabaseError:  # it is none, or damaged
            path.unlink()
            return _with_table(path)
    except (OSError, sqlite3.Error) as error:
        _say_unusable(path, error)
        return None


def _with_table(path: Path) -> sqlite3.Connection:
    file = sqlite3.connect(path, timeout=_PATIENCE)
    try:
        file.execute("PRAGMA locking_mode = EXCLUSIVE")  # for one run at a time: to lock anew costs more than to look
        file.execute(_TABLE)
    except sqlite3.Error:
        file.close()
        raise
    return file


def _say_unusable(path: Path | None, error: Exception) -> None:
    logger.warning("%s cannot be used (%s): every page is read; the file may be deleted", path, error)


def _mark(response: Response) -> bytes:
    """Digest of everything that decides what a page is read as."""
    built = str(response.request is not None and BUILT in response.request.meta)
    parts = (
        _reader(),
        response.url,
        str(response.status),
        header(response, "Content-Type"),
        built,
        body_sha256(response),
    )
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()


@lru_cache(maxsize=1)
def _reader() -> str:
    digest = hashlib.sha256()
    for pattern in _CODE:
        for path in sorted(_HERE.glob(pattern)):
            digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for name in _LIBRARIES:
        digest.update(f"{name} {version(name)}\0".encode())
    return digest.hexdigest()


def _packed(told: Told) -> bytes:
    plain = vars(told) | {"links": [(link.url, link.said) for link in told.links]}
    return zlib.compress(json.dumps(plain).encode(), 1)


def _unpacked(packed: bytes) -> Told:
    plain = json.loads(zlib.decompress(packed))
    links = tuple(Link(url, said) for url, said in plain["links"])
    return Told(**plain | {"unread": tuple(plain["unread"]), "links": links})
