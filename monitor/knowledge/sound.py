"""Folders that were read whole and found sound: the values of their files, kept as JSON, each parsed when asked for.

YAML that people edit takes ten times as long to read. What is kept rests on the digest of every file, so that a folder
in which anything was changed is read and checked anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from pydantic import VERSION

from monitor.kept import code_of
from monitor.knowledge.yaml_rows import read_yaml

_VERSION = "version"
"""Under which name in a folder its version is kept."""
_BESIDE = ("codes.py", "config/parts.py", "folding.py")
"""Modules of the folder above that rows are checked by."""


class Files(Protocol):
    """The YAML files of a folder."""

    def read(self, path: Path) -> Any:
        """What the file says. Raises KnowledgeError."""
        ...

    def of(self, folder: Path) -> list[Path]:
        """Those that lie right in a folder, by name."""
        ...

    def version(self, folder: Path, names: Iterable[str]) -> str:
        """The digest of these of its files, shortened to 16 hex digits."""
        ...


class Written:
    """As they lie there now; what was read is remembered, to be kept."""

    def __init__(self) -> None:
        self._read: dict[Path, Any] = {}

    def read(self, path: Path) -> Any:
        self._read[path] = found = read_yaml(path)
        return found

    def of(self, folder: Path) -> list[Path]:
        return sorted(folder.glob("*.yaml"))

    def version(self, folder: Path, names: Iterable[str]) -> str:
        held = b"\0".join((folder / name).read_bytes() for name in names)
        self._read[folder / _VERSION] = found = hashlib.sha256(held).hexdigest()[:16]
        return found

    def packed(self, folder: Path) -> list[bytes] | None:
        """A line for each file that was read: its path below the folder and, behind a tabulator, its values.

        None: a file says something that only YAML can say.
        """
        try:
            return [_line(path.relative_to(folder), values) for path, values in sorted(self._read.items())]
        except (TypeError, UnicodeEncodeError):
            return None


class Kept:
    """As they were when the folder was found sound, from what `Written.packed` gave."""

    def __init__(self, folder: Path, packed: memoryview) -> None:
        rows = (line.partition(b"\t") for line in bytes(packed).split(b"\n")[:-1])
        self._told = {folder / name.decode(): told for name, _, told in rows}

    def read(self, path: Path) -> Any:
        return json.loads(self._told[path])

    def of(self, folder: Path) -> list[Path]:
        return [path for path in self._told if path.parent == folder and path.name != _VERSION]

    def version(self, folder: Path, names: Iterable[str]) -> str:  # noqa: ARG002 - of those that were asked for then
        return str(self.read(folder / _VERSION))


def _line(path: Path, values: Any) -> bytes:
    told = json.dumps(values, ensure_ascii=False, default=_told, separators=(",", ":"))
    return f"{path.as_posix()}\t{told}\n".encode()


def _told(value: object) -> str:
    """A day, which the shapes read out of text as well."""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not kept")


def rests_on() -> tuple[str, str]:
    """What else than the folder decides what is sound: the modules that read and check, and pydantic."""
    home = Path(__file__).parent
    return code_of(*sorted(home.glob("*.py")), *(home.parent / name for name in _BESIDE)), VERSION
