"""A decision is kept, told with its cause, survives re-reading and changed rules, and re-opens with the text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import col, select

from monitor.config import Config, Site
from monitor.intake.runs import take_in
from monitor.knowledge import load
from monitor.market.rejudge import rejudge
from monitor.market.review import NoSuchClaimError, decide, decisions, labelled, waiting
from monitor.tables.db import reading
from monitor.tables.models import Claim, Event, Review, ReviewState
from tests.monitor.edited import with_rules
from tests.runs import RunMaker, page_card

AT = datetime(2026, 11, 18, 6, tzinfo=UTC)
CURE = "Our exosome therapy treats arthritis."
REWORDED = "Our exosome therapy treats arthritis in older adults."
HAIR = "The exosome serum regrows hair on bald scalps."


class Desk:
    def __init__(self, engine: Engine, data: Path) -> None:
        self.engine = engine
        self.config = Config(data=data, sites=(Site(url="http://kelda.example/", name="Kelda Labs", country="us"),))
        self.at = AT

    def read(self, *claims: str) -> None:
        self.at += timedelta(hours=1)
        maker = RunMaker(page_card(), self.at, self.config.runs_folder)
        text = "".join(f"<p>{claim}</p>" for claim in claims)
        maker.page(
            "http://kelda.example/", f"<html lang=en><h1>Exosome therapy</h1>{text}<p>Book now: $450.</p></html>"
        )
        take_in(self.engine, maker.write(), self.config, load())

    def claims(self) -> Sequence[Claim]:
        with reading(self.engine) as session:
            return session.exec(select(Claim).order_by(col(Claim.id))).all()

    def decide(self, claim: int, state: ReviewState, reason: str = "read on the page") -> None:
        self.at += timedelta(hours=1)
        decide(self.engine, claim, state, reviewer="R. Reader", reason=reason, at=self.at)


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Desk:
    made = Desk(engine, tmp_path)
    made.read(CURE, HAIR)
    return made


def number(desk: Desk, quote: str) -> int:
    return next(claim.id for claim in desk.claims() if claim.quote == quote and claim.id is not None)


def test_a_decision_is_kept_with_reason_and_told_as_review(desk: Desk) -> None:
    cure = number(desk, CURE)
    desk.decide(cure, ReviewState.CONFIRMED)

    assert [(row.state, row.reason, row.quote) for row in decisions(desk.engine, cure)] == [
        ("confirmed", "read on the page", CURE)
    ]
    with reading(desk.engine) as session:
        event = session.exec(select(Event).where(Event.kind == "claim_reviewed")).one()
    assert (event.cause, event.detail["reviewer"], event.detail["state"]) == ("review", "R. Reader", "confirmed")


def test_a_decision_survives_reading_again_and_changed_rules(desk: Desk) -> None:
    cure = number(desk, CURE)
    desk.decide(cure, ReviewState.DISMISSED)
    desk.read(CURE, HAIR)
    desk.read("New words first.", CURE, HAIR)
    rejudge(desk.engine, with_rules(load(), "another"), desk.config, now=desk.at)

    assert {claim.review_state for claim in desk.claims() if claim.id == cure} == {"dismissed"}


def test_a_changed_wording_reopens_what_was_decided(desk: Desk) -> None:
    cure = number(desk, CURE)
    desk.decide(cure, ReviewState.DISMISSED)
    desk.read(REWORDED, HAIR)
    desk.read(REWORDED, HAIR)

    assert [row.state for row in decisions(desk.engine, cure)] == ["dismissed", "reopened"]
    assert {claim.review_state for claim in desk.claims() if claim.id == cure} == {"reopened"}


def test_nothing_is_overwritten(desk: Desk) -> None:
    cure = number(desk, CURE)
    desk.decide(cure, ReviewState.CONFIRMED)
    desk.decide(cure, ReviewState.DISMISSED, "read again: a quotation")

    with reading(desk.engine) as session:
        assert len(session.exec(select(Review)).all()) == 2
    [taught] = labelled(desk.engine)
    assert (taught["positive"], taught["text"]) == (False, CURE)


def test_what_waits_is_listed_gravest_first_and_then_least_sure(desk: Desk) -> None:
    rows = waiting(desk.engine, states=["unreviewed"], limit=10)
    ranks = [(["High", "Medium", "Low", ""].index(row.severity), row.confidence) for row in rows]

    assert ranks == sorted(ranks)
    desk.decide(rows[0].id, ReviewState.CONFIRMED)
    assert rows[0].id not in {row.id for row in waiting(desk.engine, states=["unreviewed"], limit=10)}


def test_what_people_decided_becomes_labelled_passages(desk: Desk) -> None:
    desk.decide(number(desk, CURE), ReviewState.CONFIRMED)
    desk.decide(number(desk, HAIR), ReviewState.DISMISSED)

    rows = {row["text"]: row for row in labelled(desk.engine)}
    assert rows[CURE]["spans"] == [{"quote": CURE, "category": "disease_treatment"}]
    assert rows[HAIR]["positive"] is False


@pytest.mark.parametrize(("reviewer", "reason"), [("", "why"), ("R. Reader", "  ")])
def test_a_decision_needs_who_and_why(desk: Desk, reviewer: str, reason: str) -> None:
    with pytest.raises(ValueError, match="needs a reviewer and a reason"):
        decide(desk.engine, number(desk, CURE), ReviewState.CONFIRMED, reviewer=reviewer, reason=reason, at=AT)


def test_an_unknown_claim_is_named(desk: Desk) -> None:
    with pytest.raises(NoSuchClaimError, match="999"):
        desk.decide(999, ReviewState.CONFIRMED)


def test_a_decision_is_confirm_or_dismiss(desk: Desk) -> None:
    with pytest.raises(ValueError, match="one of confirmed, dismissed"):
        desk.decide(number(desk, CURE), ReviewState.REOPENED)
