"""Health Canada's snapshot: what is kept of it, and what is said not to be understood."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from crawler.source import LayoutChangedError
from crawler.sources import ca_hc_recalls
from tests.crawler.source_fixtures import (
    CARDS,
    SNAPSHOT,
    an_entry,
)


def test_a_new_date_alone_makes_no_new_entry() -> None:
    one, two, other = (
        ca_hc_recalls.read_entry(an_entry(**changes), SNAPSHOT)
        for changes in ({"Last updated": "2026-01-01"}, {"Last updated": None}, {"Issue": "Recalled"})
    )

    assert one.digest == two.digest != other.digest
    assert (one.updated, two.updated) == (date(2026, 1, 1), None)


@pytest.mark.parametrize(
    "changes",
    [
        {"NID": None},
        {"Title": "\u200b&nbsp; "},
        {"Title": 7},
        {"URL": "https://evil.example/x"},
        {"Last updated": "soon"},
    ],
)
def test_an_entry_that_is_not_understood_is_said(changes: dict[str, Any]) -> None:
    with pytest.raises(LayoutChangedError):
        ca_hc_recalls.read_entry(an_entry(**changes), SNAPSHOT)


def test_a_snapshot_without_a_field_is_a_changed_layout() -> None:
    entry = an_entry()
    del entry["Issue"]

    with pytest.raises(LayoutChangedError, match="Issue"):
        ca_hc_recalls.read_snapshot([entry], SNAPSHOT)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Title": "Unauthorized vials"}, ""),
        ({"Product": "Fillers to inject", "Title": "Seen"}, ""),
        ({"Issue": "Microneedling"}, ""),
        ({"Product": "Aplacentra"}, ""),
        ({"Title": "Reinjection moulded sled"}, "no word of the context list"),
        ({"Title": "Unauthorized vials", "Organization": "TC"}, "other organisation"),
    ],
)
def test_what_the_card_keeps_of_the_snapshot(changes: dict[str, str], reason: str) -> None:
    options = ca_hc_recalls.Options.model_validate(CARDS["ca_hc_recalls"].options)
    entry = ca_hc_recalls.read_entry(an_entry(**{"Organization": "Marketed health products", **changes}), SNAPSHOT)

    assert ca_hc_recalls.reason_left_out(entry, options, ca_hc_recalls.context_of(options)) == reason
