"""Knowledge that differs from other knowledge in its rules alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from monitor.knowledge import Knowledge


def with_rules(knowledge: Knowledge, version: str, **changes: Any) -> Knowledge:
    """Other claims, law or scores. The words are the same: what was compiled of them takes a second, and is kept."""
    kept = {what: made for what, made in knowledge.compiled.items() if what not in ("rules", "verdicts")}
    return replace(knowledge, version=version, compiled=kept, **changes)
