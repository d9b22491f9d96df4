"""One reader a source: a lock on a file, held by whoever reads it and by the crawler it started.

The lock is the kernel's (`flock`), so a killed process leaves none behind. The crawler inherits the open file:
where its parent is killed and the crawler lives on, the source stays locked until the crawler ends too.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path


class BusyError(Exception):
    """Somebody else holds the lock; the text says who and since when."""


@contextmanager
def hold(folder: Path, name: str, *, wait: bool = False) -> Iterator[int]:
    """Hold the lock `name`; yields its file descriptor, for `pass_fds`. Raises BusyError unless told to wait."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise BusyError(os.pread(descriptor, 200, 0).decode(errors="replace") or "another process") from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} since {datetime.now(UTC):%Y-%m-%d %H:%M} UTC".encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)
