"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from threading import get_ident


def write_whole(path: Path, content: bytes) -> None:
    """Whoever reads the path meanwhile finds what was there before."""
    part = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}.part")
    part.write_bytes(content)
    part.replace(path)
