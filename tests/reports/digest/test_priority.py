"""What matters most: few lines by a stated rule, the same for the same facts, each with its reasons."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitor import queries
from monitor.queries.week_rows import Week
from monitor.tables.db import open_engine, transaction
from reports import period
from reports.digest.priority import Weights, priorities, weights
from reports.digest.view import PriorityLine
from tests.reports.factory import MONDAY, Factory

CURES = ("cures arthritis", "cures diabetes", "cures asthma", "cures eczema", "cures gout", "cures tinnitus")


@pytest.fixture(scope="module")
def week(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """Six firms with a claim of High severity each, one of them with two more, and one that says what another says."""
    folder = tmp_path_factory.mktemp("priority")
    shutil.copy(sqlite_template, folder / "exowatch.db")
    engine = open_engine(f"sqlite:///{folder / 'exowatch.db'}")
    with transaction(engine) as session:
        make = Factory(session)
        run = make.run(make.source("site_x_example", kind="page"), MONDAY)
        for number, words in enumerate(CURES):
            firm = make.organisation(f"Firm {number}")
            _, version = make.page(run, f"https://f{number}.example/", f"{words}. Safe for all. It helps.", firm)
            make.claim(version, words)
            if number == 0:
                make.claim(version, "Safe for all", severity="Medium", basis=(("us", "Medium", "us-a"),))
                make.claim(version, "It helps", severity="Low", basis=(("us", "Low", "us-a"),))
        copier = make.organisation("Copier")
        _, version = make.page(run, "https://copier.example/", "Cures  Arthritis", copier)
        make.claim(version, "Cures  Arthritis")
    held = period.week("2026-W47", "UTC")
    yield queries.week(engine, held.start, held.end)
    engine.dispose()


def of(lines: tuple[PriorityLine, ...]) -> list[str]:
    return [line.who for line in lines]


def test_at_most_five_lines_and_one_of_each_firm(week: Week) -> None:
    found = priorities(week)
    assert of(found) == ["Firm 0", "Firm 1", "Firm 2", "Firm 3", "Firm 4"]
    # The claim of Low severity would not have been worth a line.
    assert [line.also for line in found] == [1, 0, 0, 0, 0]
    assert [line.points for line in found] == [60] * 5


def test_the_same_wording_is_told_once(week: Week) -> None:
    assert "Copier" not in of(priorities(week, weights().model_copy(update={"lines": 5, "lines_of_one": 1})))
    alone = replace(week, claims=tuple(change for change in week.claims if "rthritis" in change.quote))
    assert of(priorities(alone)) == ["Firm 0"]


def test_reach_counts_each_further_site_up_to_the_most(week: Week) -> None:
    last = next(change.claim.id for change in week.claims if change.quote == "cures tinnitus")
    for sites, points in ((1, 60), (2, 64), (4, 72), (40, 80)):
        first = next(line for line in priorities(replace(week, reach={last: sites})) if sites > 1 or line.points == 60)
        assert first.points == points
        assert (first.who == "Firm 5") is (sites > 1)
    told = priorities(replace(week, reach={last: 4}))[0].because
    assert [(one.what, one.value, one.points) for one in told][-1] == ("reach", "4", 12)


def test_what_a_person_dismissed_matters_no_more(week: Week) -> None:
    claims = tuple(
        replace(change, claim=replace(change.claim, review_state="dismissed")) if change.quote == CURES[1] else change
        for change in week.claims
    )
    assert of(priorities(replace(week, claims=claims))) == ["Firm 0", "Firm 2", "Firm 3", "Firm 4", "Firm 5"]


def test_the_order_in_which_things_are_given_makes_no_difference(week: Week) -> None:
    shuffled = list(week.claims)
    random.Random(7).shuffle(shuffled)
    assert priorities(replace(week, claims=tuple(shuffled))) == priorities(week)


def test_what_is_below_the_least_stands_nowhere(week: Week) -> None:
    low = replace(week, claims=tuple(change for change in week.claims if change.claim.severity == "Low"))
    assert priorities(low) == ()
    assert of(priorities(low, weights().model_copy(update={"least": 25}))) == ["Firm 0"]


def test_weights_have_a_source_and_a_date_and_nothing_unknown() -> None:
    rule = weights()
    assert len(rule.source) > 100
    assert rule.date.year == 2026
    for change in ({"schema": 2}, {"source": ""}, {"lines": 6}, {"colour": 3}):
        with pytest.raises(ValidationError):
            Weights.model_validate(rule.model_dump(by_alias=True) | change)
