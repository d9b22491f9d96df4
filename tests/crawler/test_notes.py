"""Problems are told once, and with a bound."""

from __future__ import annotations

from crawler.notes import MOST_OF_A_KIND, host_of, note
from crawler.run import outcome_of
from crawler.source import RunBook
from monitor.records import Outcome


def test_the_same_problem_is_noted_once() -> None:
    book = RunBook()
    for _ in range(3):
        note(book, "http_error", "answered with status 500", "https://alerts.example/1")

    assert len(book.problems) == 1
    assert book.not_kept == {}


def test_beyond_the_bound_problems_are_counted() -> None:
    book = RunBook()
    for number in range(MOST_OF_A_KIND + 7):
        note(book, "http_error", "answered with status 500", f"https://alerts.example/{number}")
    note(book, "robots", "robots.txt forbids this address", "https://alerts.example/x")

    assert len(book.problems) == MOST_OF_A_KIND + 1
    assert book.not_kept == {"further problems: http_error": 7}


def test_hosts_are_compared_without_case_port_and_user() -> None:
    assert host_of("https://User@WWW.Alerts.example:8443/x") == "www.alerts.example"


def book(*kinds: str, listed: int | None = None, known: int = 0) -> RunBook:
    made = RunBook()
    made.listed = listed
    made.known = known
    for kind in kinds:
        note(made, kind, "said so")  # type: ignore[arg-type]
    return made


def test_the_outcome_comes_from_what_happened() -> None:
    assert outcome_of("finished", book(), records=0) is Outcome.EMPTY
    assert outcome_of("finished", book(listed=3), records=0) is Outcome.OK
    assert outcome_of("finished", book(known=3), records=0) is Outcome.OK
    assert outcome_of("finished", book("http_error"), records=5) is Outcome.OK
    assert outcome_of("finished", book("http_error"), records=0) is Outcome.ERRORS
    assert outcome_of("finished", book("parse_error"), records=5) is Outcome.ERRORS
    assert outcome_of("finished", book("layout_changed", listed=9), records=0) is Outcome.ERRORS
    assert outcome_of("finished", book("blocked"), records=0) is Outcome.BLOCKED
    assert outcome_of("finished", book("blocked", "robots"), records=0) is Outcome.BLOCKED
    assert outcome_of("finished", book("blocked"), records=5) is Outcome.OK
    assert outcome_of("blocked", book("blocked", listed=9), records=5) is Outcome.BLOCKED
    assert outcome_of("shutdown", book("parse_error"), records=5) is Outcome.STOPPED
    assert outcome_of("start_error", book(), records=0) is Outcome.ERRORS
    assert outcome_of("memusage_exceeded", book(), records=5) is Outcome.ERRORS
    assert outcome_of("limit_bytes", book("limit_reached"), records=5) is Outcome.OK
    assert outcome_of("closespider_timeout", book("limit_reached"), records=0) is Outcome.EMPTY
