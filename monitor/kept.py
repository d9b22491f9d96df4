"""What takes long to make, kept in the user's cache folder. Missing, spoilt or not to be kept, it is made anew.

A file ends in the sha256 of what stands before it, and is named by the digest of everything it rests on: what rests on
something else has another name. Nothing in it can run code.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

_DIGEST = 32
_ENDING = ".kept"
_OF_A_KIND = 2
"""Files of one kind that stay: that of the version in use, and one that somebody tries beside it."""
_ABANDONED = 3600
"""Seconds after which a file that was begun will not be written to its end any more."""


def folder() -> Path | None:
    """Where programs of this user keep such things; None where the user has no home."""
    told = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(told) if told else Path.home() / ".cache") / "exowatch"
    except RuntimeError:  # Path.home(): the user is not known to the system, as in some containers
        return None


def code_of(*files: str | Path) -> str:
    """The digest of some modules: what other code made is not taken for what this code makes."""
    return hashlib.sha256(b"\0".join(Path(file).read_bytes() for file in files)).hexdigest()


def kept(kind: str, rests_on: Iterable[str], make: Callable[[], Iterable[bytes] | None]) -> memoryview | None:
    """What `make` gives, from its file; made and written first where there is none.

    None: it cannot be kept, because no folder can be written or because `make` gives None.
    """
    home = folder()
    if home is None:
        return None
    named = hashlib.sha256("\0".join(rests_on).encode()).hexdigest()[:32]
    path = home / f"{kind}-{named}{_ENDING}"
    found = _read(path)
    if found is None and (parts := make()) is not None and write(path, _sealed(parts)):
        _clear(home, kind)
        found = _read(path)
    return found


def _read(path: Path) -> memoryview | None:
    """The file, mapped into memory: programs that run side by side share it."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # ValueError: it is empty
        return None
    whole = memoryview(mapped)
    held, digest = whole[:-_DIGEST], whole[-_DIGEST:]
    sound = hashlib.sha256(held).digest() == digest
    release(held)
    return held if sound else None


def release(held: memoryview) -> None:
    """What was looked at of a file is no memory of this program any more, until it is looked at again."""
    if isinstance(held.obj, mmap.mmap):
        held.obj.madvise(mmap.MADV_DONTNEED)


def _sealed(parts: Iterable[bytes]) -> Iterator[bytes]:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
        yield part
    yield digest.digest()


def write(path: Path, parts: Iterable[bytes]) -> bool:
    """Whole or not at all, whoever else writes it. False: it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(".making", f"{path.stem}-", path.parent)
    except OSError:
        return False
    made = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            for part in parts:
                file.write(part)
        made.replace(path)
    except OSError:
        return False
    finally:
        made.unlink(missing_ok=True)
    return True


def _clear(home: Path, kind: str) -> None:
    """Older ones go, and what a program left that was stopped as it wrote. Who has one open goes on reading it."""
    try:
        by_age = sorted((path.stat().st_mtime, path) for path in home.glob(f"{kind}-*"))
        whole = [path for _, path in by_age if path.suffix == _ENDING]
        left = [path for made, path in by_age if path.suffix != _ENDING and made < time.time() - _ABANDONED]
        for path in (*whole[:-_OF_A_KIND], *left):
            path.unlink(missing_ok=True)
    except OSError:  # somebody else clears at the same time
        return
