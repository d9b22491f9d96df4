"""Silence is never taken for calm: what makes a source blind, stale or quiet, and how often that is told."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from monitor import queries
from monitor.config import Config, SourceChoice
from monitor.evidence.runfolder import open_run_folder
from monitor.intake.health import Earlier, Facts, check, shares, span, state_of
from monitor.intake.runs import note_stale
from monitor.records import Expectation, Outcome, Range, RunRequest
from monitor.tables.db import reading, transaction
from monitor.tables.models import Run, Source
from tests.monitor.registered import MONDAY, Registry, registry
from tests.runs import RunMaker, notice_card

DAY = timedelta(days=1)
CARD = notice_card("us_test_seen", expect=Expectation())
NEVER_EMPTY = notice_card("us_test_seen", expect=Expectation(listed=Range(min=2, max=3)))


@pytest.fixture
def desk(engine: Engine, tmp_path: Path) -> Registry:
    found = registry(engine, tmp_path)
    found.config = Config(data=tmp_path / "var", sources={CARD.id: SourceChoice()})
    return found


def codes(maker: RunMaker, earlier: Earlier) -> list[tuple[str, str]]:
    folder = open_run_folder(maker.write())
    return [(reason.level, reason.code) for reason in check(folder.run, folder.records, earlier)]


def letters(desk: Registry, count: int, **changes: Any) -> RunMaker:
    maker = desk.maker(CARD)
    for number in range(count):
        maker.notice(f"n{number}", "Kelda Labs", **changes)
    return maker


# --- what the runs before say


def test_a_field_that_nearly_every_record_had_and_none_has_now_keeps_the_run_out(desk: Registry) -> None:
    desk.take(letters(desk, 6, summary="CGMP"))
    taken = desk.take(letters(desk, 5, summary=""))

    assert taken.state == "quarantined"
    assert [(reason.code, reason.message) for reason in taken.reasons] == [
        ("field_emptied", "`summary` is empty in all 5 records; in the last good run 100% had it")
    ]
    assert desk.events() == ["notice_published"] * 6 + ["source_blind"]


@pytest.mark.parametrize(
    ("before", "now"),
    [({"summary": 0.7}, ""), ({"summary": 1.0}, "CGMP"), ({}, "")],
    ids=["seldom filled before", "filled still", "nothing known"],
)
def test_what_was_seldom_filled_may_be_empty(desk: Registry, before: dict[str, float], now: str) -> None:
    assert codes(letters(desk, 6, summary=now), Earlier(filled=before)) == []


def test_few_records_say_nothing_and_the_run_before_them_is_the_measure(desk: Registry) -> None:
    desk.take(letters(desk, 6, summary="CGMP"))
    assert desk.take(letters(desk, 1, summary="")).state == "taken_in"
    assert desk.take(letters(desk, 5, summary="")).state == "quarantined"


def test_shares_are_of_what_a_publisher_says(desk: Registry) -> None:
    found = shares(letters(desk, 5, unread=("page: blocked",), summary="").records)
    assert found["title"] == 1.0
    assert found["summary"] == 0.0
    assert "unread" not in found
    assert "captures" not in found
    assert shares(letters(desk, 4).records) == {}


def test_a_list_without_envelope_that_was_never_empty_may_not_be_empty(desk: Registry) -> None:
    for _ in range(3):
        desk.take(letters(desk, 1))
    taken = desk.take(desk.maker(CARD, outcome=Outcome.EMPTY))

    assert taken.state == "quarantined"
    assert taken.reasons[0].code == "empty"


def test_a_list_that_was_empty_once_may_be_empty_again(desk: Registry) -> None:
    for count in (1, 0, 1):
        desk.take(letters(desk, count))

    assert desk.take(desk.maker(CARD, outcome=Outcome.EMPTY)).state == "taken_in"


def test_a_run_that_was_given_a_bound_is_not_measured_by_the_whole_list(desk: Registry) -> None:
    for changes in ({"request": RunRequest(limit=1)}, {"request": RunRequest(most_requests=1)}):
        maker = desk.maker(NEVER_EMPTY, **changes)
        maker.notice("a", "Kelda Labs")
        assert codes(maker, Earlier()) == []
    whole = desk.maker(NEVER_EMPTY)
    whole.notice("a", "Kelda Labs")
    assert codes(whole, Earlier()) == [("error", "too_few")]
    nothing = desk.maker(NEVER_EMPTY, request=RunRequest(limit=1), listed=0)
    assert codes(nothing, Earlier()) == [("error", "empty")]


# --- stale


def stale(desk: Registry) -> list[str]:
    with transaction(desk.engine) as session:
        return [str(event.detail["reason"]) for event in note_stale(session, desk.config, desk.at)]


def test_a_source_goes_stale_once_and_recovers_once(desk: Registry) -> None:
    desk.take(letters(desk, 1))
    desk.at += 4 * DAY
    assert stale(desk) == []
    desk.at += 2 * DAY
    assert stale(desk) == ["not read well for 5 days; it should be read every 1 day"]
    assert stale(desk) == []
    # It fails next: it was not seen before, and is not seen now. That is no second event.
    desk.take(desk.maker(CARD, outcome=Outcome.BLOCKED))
    with reading(desk.engine) as session:
        assert session.get_one(Source, CARD.id).state == "blind"
    desk.take(letters(desk, 1))
    desk.at += DAY
    assert stale(desk) == []

    assert desk.events() == ["notice_published", "source_blind", "source_recovered"]
    assert desk.details("source_blind")[0]["code"] == "stale"


def test_a_source_that_is_off_or_blind_does_not_go_stale(desk: Registry) -> None:
    desk.take(letters(desk, 1))
    desk.take(desk.maker(CARD, outcome=Outcome.BLOCKED))
    desk.at += 30 * DAY
    assert stale(desk) == []
    desk.take(letters(desk, 1))
    desk.config = desk.config.model_copy(update={"sources": {}})
    desk.at += 30 * DAY
    assert stale(desk) == []


def test_a_source_can_go_stale_again(desk: Registry) -> None:
    for _ in range(2):
        desk.take(letters(desk, 1))
        desk.at += 9 * DAY
        assert len(stale(desk)) == 1
    assert desk.events().count("source_blind") == 2
    assert desk.events().count("source_recovered") == 1


# --- how a source stands


SEEN = Facts(on=True, state="ok", last_success=MONDAY, last_new=MONDAY)


@pytest.mark.parametrize(
    ("changes", "after", "state", "reason"),
    [
        ({}, DAY, "ok", ""),
        ({"on": False, "state": "blind"}, DAY, "off", "turned off"),
        ({"state": "blind", "reason": "apology page"}, DAY, "blind", "apology page"),
        ({"last_success": None}, DAY, "stale", "never read yet"),
        ({}, 4 * DAY, "ok", ""),
        ({}, 5 * DAY, "stale", "not read well for 5 days; it should be read every 1 day"),
        ({"last_new": MONDAY - 28 * DAY}, DAY, "quiet", "nothing new for 29 days"),
        ({"last_new": MONDAY - 27 * DAY}, DAY, "ok", ""),
        ({"newest": date(2026, 10, 9), "usual_days": 30}, DAY, "quiet", "its newest entry is 32 days old"),
        ({"newest": date(2026, 11, 1), "usual_days": 30, "last_new": MONDAY - 99 * DAY}, DAY, "ok", ""),
    ],
)
def test_how_a_source_stands_and_why(changes: dict[str, Any], after: timedelta, state: str, reason: str) -> None:
    from dataclasses import replace

    found, why = state_of(replace(SEEN, **changes), DAY, MONDAY + after)
    assert found == state
    assert reason in why
    assert bool(why) == (state != "ok")


def test_a_span_is_told_in_its_largest_unit() -> None:
    spans = (timedelta(days=3, hours=5), timedelta(hours=1), timedelta(minutes=59), timedelta(seconds=5), -DAY)
    assert [span(one) for one in spans] == [
        "3 days",
        "1 hour",
        "59 minutes",
        "less than a minute",
        "less than a minute",
    ]


def test_every_source_is_shown_read_or_not(desk: Registry) -> None:
    card = {**NEVER_EMPTY.model_dump(mode="json"), "language": "en"}
    other = notice_card("us_test_unread").model_dump(mode="json")
    maker = desk.maker(NEVER_EMPTY)
    for number in range(4):
        maker.notice(f"n{number}", "Kelda Labs")
    desk.take(maker)

    rows = {row.id: row for row in queries.source_rows(desk.engine, desk.config, [card, other], desk.at + DAY)}
    seen, unread = rows["us_test_seen"], rows["us_test_unread"]
    assert (seen.state, seen.listed, seen.expected_min, seen.expected_max) == ("ok", 4, 2, 3)
    assert seen.warnings == ("4 on the list, where at most 3 are expected",)
    assert seen.last_success_age == "23 hours"
    assert seen.means == "A letter of an invented office, written for tests."
    assert (unread.state, unread.on, unread.last_success_at) == ("off", False, None)
    assert [row.id for row in queries.source_rows(None, desk.config, [card], desk.at)] == ["us_test_seen"]


def test_a_digest_says_how_each_source_stood_at_the_end_of_its_period(desk: Registry) -> None:
    desk.take(letters(desk, 1))
    first = desk.at
    desk.at += 6 * DAY
    stale(desk)
    second = desk.at
    desk.take(letters(desk, 1))

    states = [queries.week(desk.engine, MONDAY, end).sources[0] for end in (first + DAY, second + timedelta(minutes=1))]
    assert [(one.state, one.blind) for one in states] == [("ok", False), ("stale", True)]
    assert "not read well for 5 days" in states[1].reason
    assert queries.sources(desk.engine)[0].state == "ok"


def test_runs_keep_the_shares_that_later_ones_are_held_to(desk: Registry) -> None:
    taken = desk.take(letters(desk, 5, summary="CGMP"))
    with reading(desk.engine) as session:
        assert session.get_one(Run, taken.run_id).filled["summary"] == 1.0
