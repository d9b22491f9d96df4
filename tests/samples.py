"""Where the recorded responses lie, if this checkout has them beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "shared" / "samples"


def samples(path: str) -> Path:
    """The recording at `path` below the samples; skips the test where there are none."""
    found = FOLDER / path
    if not found.exists():
        pytest.skip(f"recorded samples are not here: {path}")
    return found
