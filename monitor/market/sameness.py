"""Need a page be read again? Where neither its bytes nor anything that reads them has changed, it says what it said.

A mark is `<reader>/<bytes>`: a digest of our software and knowledge, and one of the body with what it is said to be.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from monitor.knowledge import Knowledge

_HERE = Path(__file__).parents[1]
_CODE = ("*.py", "reading/*.py", "market/*.py", "classify/*.py", "products/*.py", "knowledge/*.py")
"""All that reads or judges a page, and some that does not: after an upgrade each page is read whole once more."""
_LIBRARIES = ("selectolax", "pypdfium2")
"""What makes text of a page's bytes."""


class Marks:
    """Makes the marks of readings under one state of the knowledge."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._reader = _digest(_software(), knowledge.version)[:16]

    def of(self, body_sha256: str, content_type: str, part: str) -> str:
        """The mark of a body with that digest. Without one it names the reader alone."""
        return f"{self._reader}/{_digest(body_sha256, content_type, part)[:32] if body_sha256 else ''}"

    def same_reader(self, mark: str) -> bool:
        """Was the reading of that mark made by what reads now?"""
        return mark.startswith(f"{self._reader}/")

    def same(self, mark: str, other: str) -> bool:
        """Are both of one reader and of the same bytes?"""
        return mark == other and self.same_reader(mark) and not mark.endswith("/")


@lru_cache(maxsize=1)
def _software() -> str:
    digest = hashlib.sha256()
    for pattern in _CODE:
        for path in sorted(_HERE.glob(pattern)):
            digest.update(path.relative_to(_HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    for name in _LIBRARIES:
        digest.update(f"{name} {version(name)}\0".encode())
    return digest.hexdigest()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
