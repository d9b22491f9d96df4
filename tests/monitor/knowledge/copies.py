"""Copies of the shipped knowledge, to be edited by tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from monitor.knowledge import HERE

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.py", "gold", "training")


def copy_to(folder: Path) -> Path:
    shutil.copytree(HERE, folder, ignore=LEFT_OUT)
    return folder


def spoil(path: Path, change: Callable[[Any], Any]) -> None:
    """Change the values of a YAML file."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(raw)
    path.write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), encoding="utf-8")
