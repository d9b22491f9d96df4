"""Configuration files for the demo and for the recordings, made for one server and one moment."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from monitor.config import Config

DEMO_CONFIG = Path(__file__).parent / "config.yaml"
REAL_CONFIG = Path(__file__).parent / "config_real.yaml"


def rehearsed(template: Path, address: str, now: datetime | None, data: Path | None = None) -> str:
    """The template as YAML text with `rehearsal` filled in. Raises ValueError if it is no configuration."""
    raw: dict[str, Any] = yaml.safe_load(template.read_text(encoding="utf-8"))
    raw["rehearsal"] = {"address": address} | ({"now": now.isoformat()} if now else {})
    if data:
        raw["data"] = str(data)
    Config.model_validate(raw)
    return yaml.safe_dump(raw, allow_unicode=True, sort_keys=False, width=110)


def write(template: Path, address: str, now: datetime | None, data: Path | None, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(rehearsed(template, address, now, data), encoding="utf-8")
