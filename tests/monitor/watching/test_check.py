"""A watchlist looked at before it is used: what can never match, and what may disappoint."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from monitor.config import Config, Site, Watchlist
from monitor.knowledge import HERE
from monitor.knowledge.law import load as load_law
from monitor.watching.check import check_list, check_lists, severity_ceilings

LAW_CEILINGS = {"hair_regrowth": "Medium", "disease_treatment": "High"}


def findings(**criteria: Any) -> list[tuple[str, str]]:
    config = Config(sites=(Site(url="https://www.kelda.example/"),))
    found = check_list(Watchlist(name="A", **criteria), config, today=date(2026, 11, 25), ceilings=LAW_CEILINGS)
    return [(finding.level, finding.message) for finding in found]


@pytest.mark.parametrize(
    ("criteria", "says"),
    [
        ({}, "would match everything"),
        ({"exclude": ("x",)}, "would match everything"),
        ({"terms": ("hair serum", "hair"), "exclude": ("HAIR",)}, "exclude: rules out every one of its terms"),
        ({"terms": ("!!!",)}, "no letter or digit"),
        ({"terms": ("hair",), "until": date(2026, 11, 24)}, "ran out on 2026-11-24"),
        (
            {"categories": ("hair_regrowth",), "min_severity": "High"},
            "gives High; lower min_severity: (at most Medium)",
        ),
        ({"categories": ("hair_regrowth",), "events": ("notice_published",)}, "belong to claims"),
        ({"min_severity": "Low", "events": ("notice_published",)}, "only claims and pages have a severity"),
        (
            {"domains": ("a.example",), "events": ("source_blind",)},
            "events about sources and registers have no domains",
        ),
        ({"domains": ("kelda",)}, "is no domain"),
    ],
)
def test_a_list_that_is_of_no_use_is_an_error(criteria: dict[str, Any], says: str) -> None:
    errors = [message for level, message in findings(**criteria) if level == "error"]
    assert any(says in message for message in errors)


@pytest.mark.parametrize(
    ("criteria", "says"),
    [
        ({"jurisdictions": ("us", "uk", "eu", "ca")}, "matches nearly everything"),
        ({"min_severity": "Low"}, "matches nearly everything"),
        ({"terms": ("hair", "hair serum"), "exclude": ("serum",)}, "rules out these of its terms: hair serum"),
        ({"terms": ("a",)}, "very short"),
        ({"terms": ("hair",), "jurisdictions": ("jp",)}, "claims are not judged there"),
        ({"domains": ("elsewhere.example",)}, "not among sites:"),
    ],
)
def test_a_list_that_may_disappoint_is_a_warning(criteria: dict[str, Any], says: str) -> None:
    found = findings(**criteria)
    assert [level for level, _ in found] == ["warning"]
    assert says in found[0][1]


@pytest.mark.parametrize(
    "criteria",
    [
        {"terms": ("hair",), "exclude": ("serum",)},
        {"categories": ("hair_regrowth", "disease_treatment"), "min_severity": "High"},
        {"domains": ("kelda.example",), "until": date(2026, 11, 25)},
        {"jurisdictions": ("us",)},
        {"events": ("notice_published",)},
    ],
)
def test_a_list_that_is_well_made_is_left_in_peace(criteria: dict[str, Any]) -> None:
    assert findings(**criteria) == []


def test_the_shipped_lists_are_well_made_under_the_law_as_it_stands() -> None:
    from pathlib import Path

    from monitor.config import load

    config = load(Path(__file__).parents[3] / "config.yaml")
    ceilings = severity_ceilings(load_law(HERE), config.jurisdictions)
    assert ceilings["disease_treatment"] == "High"
    assert check_lists(config, date(2026, 11, 25), ceilings) == []
