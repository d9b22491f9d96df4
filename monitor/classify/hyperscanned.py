"""The automaton of the extra `[fast]`: Hyperscan, with its compiled databases kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Sequence

import hyperscan
import numpy as np

from monitor.classify.automaton import Match
from monitor.kept import folder, write

_MANY = 10_000  # words that take longer to compile than to read back


class Hyperscanned:
    """Words compiled for Hyperscan. Thread-safe."""

    def __init__(self, words: Sequence[str]) -> None:
        packed = [word.encode() for word in words]
        self._lengths = [len(word) for word in words]
        self._database = _kept(packed) if len(packed) > _MANY else _compiled(packed)
        self._scratch = hyperscan.Scratch(self._database)
        self._lock = threading.Lock()  # one scratch space serves one scan at a time

    def find(self, text: str) -> Sequence[Match]:
        """Every occurrence of every word, overlapping ones too, in any order."""
        data = text.encode()
        ends: list[tuple[int, int]] = []

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            ends.append((number, end))

        with self._lock:
            self._database.scan(data, match_event_handler=note, scratch=self._scratch)
        lengths = self._lengths
        if len(data) == len(text):
            return [(number, end - lengths[number], end) for number, end in ends]
        places = _characters(data)
        return [(number, (end := int(places[at])) - lengths[number], end) for number, at in ends]


def _characters(data: bytes) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each place in UTF-8 bytes, how many characters begin before it."""
    begins = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80
    return np.concatenate(([0], np.cumsum(begins)))


def _compiled(words: Sequence[bytes]) -> hyperscan.Database:
    made = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    made.compile(
        expressions=words, ids=list(range(len(words))), elements=len(words), flags=[0] * len(words), literal=True
    )
    return made


def _kept(words: Sequence[bytes]) -> hyperscan.Database:
    """From the cache folder if it was compiled before, by this version on this kind of machine for these words."""
    about = f"{hyperscan.__version__} {platform.machine()} {platform.processor()}".encode()
    name = hashlib.sha256(b"\0".join((about, *words))).hexdigest()[:32]
    home = folder()
    if home is None:
        return _compiled(words)
    path = home / f"{name}.hs"
    try:
        return hyperscan.loadb(path.read_bytes(), mode=hyperscan.HS_MODE_BLOCK)
    except (OSError, hyperscan.HyperscanError):
        made = _compiled(words)  # not there, cut short, or of another build: made anew
    write(path, [hyperscan.dumpb(made)])  # where it cannot be written, every start compiles
    return made
