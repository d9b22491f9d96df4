"""The command line as tests type it."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, NamedTuple

SOURCE, OTHER = "us_fda_warning_letters", "ca_hc_recalls"
CONFIG = f"""
contact: desk@watch.example
sources: {{{SOURCE}: {{}}, {OTHER}: {{}}}}
watchlists:
  - {{name: Bravo, terms: [bravo]}}
  - {{name: Dead, terms: [hair], exclude: [hair]}}
"""


class Said(NamedTuple):
    code: int
    out: str
    err: str


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "monitor", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)
