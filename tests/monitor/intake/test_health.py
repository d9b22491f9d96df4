"""What keeps a run out: silence must never be mistaken for calm."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.intake.health import check
from monitor.records import Expectation, Outcome, PageState, Problem, Range, RunRequest, SourceCard
from tests.runs import RunMaker, notice_card, page_card

AT = datetime(2026, 11, 18, 6, tzinfo=UTC)


def codes(maker: RunMaker, tmp_path: Path) -> list[tuple[str, str]]:
    from monitor.evidence.runfolder import open_run_folder

    folder = open_run_folder(maker.write())
    return [(reason.level, reason.code) for reason in check(folder.run, folder.records)]


def make(tmp_path: Path, card: SourceCard | None = None, **changes: Any) -> RunMaker:
    return RunMaker(card or notice_card(), AT, tmp_path, **changes)


def test_a_good_run_has_nothing_against_it(tmp_path: Path) -> None:
    maker = make(tmp_path)
    maker.notice("a", "Kelda Labs")

    assert codes(maker, tmp_path) == []


def test_an_empty_list_where_it_never_is_empty_keeps_the_run_out(tmp_path: Path) -> None:
    assert codes(make(tmp_path, outcome=Outcome.EMPTY), tmp_path) == [("error", "empty")]


def test_a_list_without_envelope_may_be_empty(tmp_path: Path) -> None:
    assert codes(make(tmp_path, notice_card(expect=Expectation()), outcome=Outcome.EMPTY), tmp_path) == []


def test_too_few_is_an_error_and_too_many_a_warning(tmp_path: Path) -> None:
    few = make(tmp_path, notice_card(expect=Expectation(listed=Range(min=5))), listed=4)
    many = make(tmp_path, notice_card(expect=Expectation(listed=Range(min=1, max=5))), listed=6)

    assert codes(few, tmp_path) == [("error", "too_few")]
    assert codes(many, tmp_path) == [("warning", "too_many")]


@pytest.mark.parametrize("outcome", [Outcome.BLOCKED, Outcome.STOPPED, Outcome.NOT_STARTED])
def test_a_run_that_did_not_run_its_course_is_kept_out(outcome: Outcome, tmp_path: Path) -> None:
    assert codes(make(tmp_path, outcome=outcome), tmp_path) == [("error", outcome.value)]


def test_the_reason_names_the_block_page(tmp_path: Path) -> None:
    problem = Problem(kind="blocked", message="apology page", url="http://letters.example/apology_objects/x")
    maker = make(tmp_path, outcome=Outcome.BLOCKED, problems=[problem])
    from monitor.evidence.runfolder import open_run_folder

    folder = open_run_folder(maker.write())
    [reason] = check(folder.run, folder.records)
    assert "apology page" in reason.message
    assert "apology_objects" in reason.message


@pytest.mark.parametrize("kind", ["layout_changed", "parse_error", "wrong_content_type", "soft_404"])
def test_a_list_that_was_not_understood_keeps_the_run_out(kind: Any, tmp_path: Path) -> None:
    maker = make(tmp_path, problems=[Problem(kind=kind, message="not understood")])
    maker.notice("a", "Kelda Labs")

    assert ("error", kind) in codes(maker, tmp_path)


@pytest.mark.parametrize(
    ("listed", "odd", "problems", "level"),
    [
        (20, 1, 1, "warning"),
        (3374, 2, 2, "warning"),
        (15, 1, 1, "error"),
        (40, 3, 3, "error"),
        (40, 1, 2, "error"),  # one of the problems is no entry that was counted
        (40, 0, 1, "error"),
    ],
)
def test_a_few_odd_rows_are_told_and_the_others_taken_in(
    listed: int, odd: int, problems: int, level: str, tmp_path: Path
) -> None:
    maker = make(
        tmp_path,
        listed=listed,
        not_kept={"row not understood": odd} if odd else {},
        problems=[Problem(kind="parse_error", message="a row without a date")] * problems,
    )
    maker.notice("a", "Kelda Labs")

    assert [level for level, code in codes(maker, tmp_path) if code == "parse_error"] == [level]


def test_one_bad_page_of_a_site_is_a_warning(tmp_path: Path) -> None:
    maker = make(tmp_path, page_card(), problems=[Problem(kind="soft_404", message="a page that says not found")])
    maker.page("http://kelda.example/", "<p>hello</p>")

    assert codes(maker, tmp_path) == [("warning", "soft_404")]


def test_a_site_of_which_nothing_could_be_read_is_an_error(tmp_path: Path) -> None:
    maker = make(tmp_path, page_card(), problems=[Problem(kind="download_error", message="timed out")])
    maker.page("http://kelda.example/a", "gone", PageState.GONE, 404)

    assert ("error", "empty") in codes(maker, tmp_path)


def test_a_second_look_is_not_measured_by_the_envelope(tmp_path: Path) -> None:
    card = notice_card(expect=Expectation(listed=Range(min=100)))
    maker = make(tmp_path, card, request=RunRequest(pages=("http://letters.example/a",)))

    assert codes(maker, tmp_path) == []


def test_fields_that_are_suddenly_empty_keep_the_run_out(tmp_path: Path) -> None:
    maker = make(tmp_path, notice_card(expect=Expectation(filled={"authority": 1.0, "summary": 0.5})))
    for number in range(5):
        maker.notice(f"n{number}", "Kelda Labs", summary="CGMP" if number < 2 else "")

    assert codes(maker, tmp_path) == [("error", "field_empty")]


def test_a_crawl_that_ended_early_says_so_and_not_that_its_list_was_empty(tmp_path: Path) -> None:
    """Out of memory is our trouble: it must not read as an empty list."""
    maker = make(tmp_path, outcome=Outcome.ERRORS, finish_reason="memusage_exceeded")

    assert codes(maker, tmp_path) == [("error", "cut_short")]


def test_a_list_whose_newest_entry_is_old_is_a_warning(tmp_path: Path) -> None:
    maker = make(tmp_path, notice_card(expect=Expectation(newest_within_days=21)), newest=date(2026, 10, 1))
    maker.notice("a", "Kelda Labs")

    assert codes(maker, tmp_path) == [("warning", "quiet")]
