"""Trials: registered once, their changes of status told, every other change kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from monitor import queries
from monitor.config import Watchlist
from monitor.evidence.recomputed import verify
from monitor.search import search
from monitor.tables.db import reading
from monitor.tables.models import WatchMatch
from monitor.tables.registers import RecordRevision, Trial
from tests.monitor.registered import Registry, card_of, registry, trial

CARD = card_of("us_test_trials", "trial")


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Registry:
    return registry(engine, tmp_path, [Watchlist(name="Vesicles", terms=("kelda vesicle",))])


def test_the_first_reading_is_history(desk: Registry) -> None:
    maker = desk.maker(CARD)
    trial(maker)
    desk.take(maker)

    assert desk.events(baseline=True) == ["trial_registered"]
    assert desk.events(baseline=False) == []


def test_a_trial_posted_before_the_first_reading_is_history_in_a_later_run_too(desk: Registry) -> None:
    desk.baseline(CARD)
    maker = desk.maker(CARD)
    trial(maker, "NCT09000001", posted=date(2020, 1, 1))
    trial(maker, "NCT09000002", posted=date(2026, 11, 9))
    desk.take(maker)

    with reading(desk.engine) as session:
        held = {row.key: row.baseline for row in session.exec(select(Trial))}
    assert held == {"NCT09000001": True, "NCT09000002": False}


def test_a_change_of_status_is_told_once_and_other_changes_are_kept(desk: Registry) -> None:
    desk.baseline(CARD)
    for changes in ({}, {}, {"enrolment": 40}, {"enrolment": 40, "status": "TERMINATED", "why_stopped": "no money"}):
        maker = desk.maker(CARD)
        trial(maker, **changes)
        desk.take(maker)

    assert desk.events() == ["trial_registered", "trial_status_changed"]
    [told] = desk.details("trial_status_changed")
    assert told["changes"] == {
        "status": {"before": "RECRUITING", "after": "TERMINATED"},
        "why_stopped": {"before": "", "after": "no money"},
    }
    with reading(desk.engine) as session:
        assert [row.number for row in session.exec(select(RecordRevision).order_by(RecordRevision.number))] == [1, 2, 3]  # type: ignore[arg-type]
        assert session.exec(select(Trial)).one().enrolment == 40


def test_a_field_that_is_read_since_is_no_change(desk: Registry) -> None:
    desk.baseline(CARD)
    maker = desk.maker(CARD)
    trial(maker)
    desk.take(maker)
    from monitor.tables.db import transaction

    with transaction(desk.engine) as session:
        revision = session.exec(select(RecordRevision)).one()
        revision.record = {key: value for key, value in revision.record.items() if key != "has_results"}
        session.add(revision)
    again = desk.maker(CARD)
    trial(again, has_results=True)
    desk.take(again)

    assert desk.events() == ["trial_registered"]


def test_it_is_found_matched_shown_and_its_chain_verifies(desk: Registry) -> None:
    desk.baseline(CARD)
    maker = desk.maker(CARD)
    trial(maker)
    desk.take(maker)

    page = search(desk.engine, "kelda vesicle", kind="trial")
    assert [hit.kind for hit in page.hits] == ["trial"]
    with reading(desk.engine) as session:
        match = session.exec(select(WatchMatch)).one()
    assert match.why[0]["quote"] == "Kelda vesicle"
    shown = queries.registered(desk.engine, "trial", page.hits[0].object_id)
    assert shown is not None
    assert shown.tier == "core"
    assert dict(shown.facts)["status"] == "RECRUITING"
    assert shown.evidence is not None
    assert shown.evidence.url == "http://registry.example/NCT09000001"
    checked = verify(desk.engine, desk.config)
    assert checked.broken == ()
    assert checked.captures == 1
    assert queries.registered(desk.engine, "trial", 999) is None
