"""Authorisations: granted, changed, and never called granted where the register says refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import select

from monitor import queries
from monitor.approved import approvals
from monitor.search import search
from monitor.tables.db import reading
from monitor.tables.registers import Authorisation, RecordRevision
from tests.monitor.registered import Registry, card_of, entry, registry

CARD = card_of("us_test_register", "authorisation")


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Registry:
    return registry(engine, tmp_path)


def test_a_new_entry_is_a_grant_and_a_withdrawal_a_change(desk: Registry) -> None:
    desk.baseline(CARD)
    for changes in ({}, {"updated": date(2026, 11, 20)}, {"status": "withdrawn", "ended": date(2026, 11, 21)}, {}):
        maker = desk.maker(CARD)
        entry(maker, **changes)
        desk.take(maker)

    assert desk.events() == ["authorisation_granted", "authorisation_changed", "authorisation_granted"]
    [changed] = desk.details("authorisation_changed")
    assert changed["changes"]["status"] == {"before": "authorised", "after": "withdrawn"}
    assert changed["number"] == "BL 900001"
    with reading(desk.engine) as session:
        assert len(session.exec(select(RecordRevision)).all()) == 4
        assert session.exec(select(Authorisation)).one().status == "authorised"


@pytest.mark.parametrize("status", ["refused", "withdrawn", "suspended", "unknown"])
def test_an_entry_that_approves_nothing_is_no_grant(desk: Registry, status: str) -> None:
    desk.baseline(CARD)
    maker = desk.maker(CARD)
    entry(maker, status=status)
    desk.take(maker)

    assert desk.events() == ["authorisation_changed"]


def test_a_notification_that_nobody_examined_is_no_grant_and_no_approval(desk: Registry) -> None:
    notified = card_of("br_test_notified", "authorisation", grants=False)
    desk.baseline(CARD, notified)
    for card in (notified, CARD):
        maker = desk.maker(card)
        entry(maker)
        desk.take(maker)

    assert desk.events() == ["authorisation_changed", "authorisation_granted"]
    with reading(desk.engine) as session:
        assert [one.product for one in approvals(session)] == ["Vesimed"]


def test_what_was_approved_before_the_first_reading_is_history(desk: Registry) -> None:
    desk.baseline(CARD)
    maker = desk.maker(CARD)
    entry(maker, "BL 1", authorised=date(2021, 5, 1))
    entry(maker, "BL 2", authorised=date(2021, 5, 1), ended=date(2026, 11, 30), status="withdrawn")
    desk.take(maker)

    assert desk.events(baseline=True) == ["authorisation_granted"]
    assert desk.events(baseline=False) == ["authorisation_changed"]


def test_it_is_found_by_product_substance_and_holder_and_shown(desk: Registry) -> None:
    maker = desk.maker(CARD)
    entry(maker)
    desk.take(maker)

    for words in ("vesimed", "keldacel", '"kelda labs"'):
        assert search(desk.engine, words, kind="authorisation", jurisdiction="us").total == 1
    shown = queries.registered(desk.engine, "authorisation", 1)
    assert shown is not None
    assert shown.title == "Vesimed"
    assert dict(shown.facts)["holder"] == "Kelda Labs"
