"""Cards made for tests of the generic readers."""

from __future__ import annotations

from typing import Any

from monitor.records import SourceCard

LIST = "https://office.example/list"


def a_card(reader: str, start: str = LIST, language: str = "en", kind: str = "notice", **options: Any) -> SourceCard:
    """A card of an invented office, read by `generic.<reader>`."""
    return SourceCard.model_validate(
        {
            "id": "xx_office_list",
            "title": "An invented list",
            "authority": {"name": "Office of Lists"},
            "jurisdiction": "us",
            "language": language,
            "kind": kind,
            "means": "Every entry is one that this test wrote.",
            "start": start,
            "spider": f"generic.{reader}",
            "options": options,
        }
    )
