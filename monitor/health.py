"""Is this run fit to be taken in? Pure: the run, its records and the card's envelope in, reasons out.

The rule behind every line: silence must never be mistaken for calm. A run that fell short of what its source
always has is an error, and an error keeps the whole run out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.records import NoticeRecord, Outcome, PageRecord, PageState, Problem, RunRecord

FEWEST_FOR_SHARES = 5
"""Below this many records a share says nothing: one odd letter would be half of the run."""


@dataclass(frozen=True)
class Reason:
    """One thing that speaks against a run. An `error` keeps it out, a `warning` is shown."""

    level: Literal["error", "warning"]
    code: str
    message: str

    def to_json(self) -> dict[str, str]:
        return {"level": self.level, "code": self.code, "message": self.message}


_RAN_ITS_COURSE = ("finished", "limit_", "closespider_timeout")
_FATAL_FOR_LISTS = ("layout_changed", "parse_error", "wrong_content_type", "soft_404")
_OUTCOMES = {
    Outcome.BLOCKED: ("blocked", "the server answered with a block page instead of its content"),
    Outcome.STOPPED: ("stopped", "the run was stopped before its end"),
    Outcome.NOT_STARTED: ("not_started", "the crawl could not be started"),
}


def check(run: RunRecord, records: Sequence[NoticeRecord | PageRecord]) -> tuple[Reason, ...]:
    """Everything that speaks against taking this run in, worst first."""
    reasons = [*_from_outcome(run), *_from_problems(run), *_from_envelope(run, records)]
    return tuple(sorted(reasons, key=lambda reason: reason.level))


def _from_outcome(run: RunRecord) -> Iterator[Reason]:
    if run.outcome is Outcome.ERRORS and not run.finish_reason.startswith(_RAN_ITS_COURSE):
        yield Reason("error", "cut_short", f"the crawl ended early ({run.finish_reason}); its crawl.log says more")
    if run.outcome in _OUTCOMES:
        code, text = _OUTCOMES[run.outcome]
        first = next((problem for problem in run.problems if problem.kind == code), None)
        yield Reason("error", code, f"{text}: {_told(first)}" if first else text)


def _from_problems(run: RunRecord) -> Iterator[Reason]:
    counts: dict[str, int] = {}
    for problem in run.problems:
        counts[problem.kind] = counts.get(problem.kind, 0) + 1
    for kind, count in counts.items():
        if kind == "blocked" and run.outcome is Outcome.BLOCKED:
            continue
        first = next(problem for problem in run.problems if problem.kind == kind)
        fatal = kind == "parse_error" or (kind in _FATAL_FOR_LISTS and run.card.kind == "notice")
        more = f" and {count - 1} more" if count > 1 else ""
        yield Reason("error" if fatal else "warning", kind, f"{_told(first)}{more}")


def _from_envelope(run: RunRecord, records: Sequence[NoticeRecord | PageRecord]) -> Iterator[Reason]:
    if run.outcome in _OUTCOMES or not run.finish_reason.startswith(_RAN_ITS_COURSE):
        return  # what came of a run that did not run its course says nothing about the source
    expect = run.card.expect
    second_look = bool(run.request.pages)
    if run.card.kind == "page" and not second_look and not _read_well(records) and not run.known:
        yield Reason("error", "empty", _nothing_read(run))
    if expect.listed is not None and not second_look:
        listed = run.listed or 0
        if listed < expect.listed.min:
            least = expect.listed.min
            yield Reason(
                "error",
                "empty" if not listed else "too_few",
                f"{listed} on the list, where never fewer than {least} are",
            )
        if expect.listed.max is not None and listed > expect.listed.max:
            yield Reason("warning", "too_many", f"{listed} on the list, where at most {expect.listed.max} are expected")
    if expect.records is not None and run.request.full and len(records) < expect.records.min:
        yield Reason(
            "error", "too_few", f"{len(records)} records in a full reading, at least {expect.records.min} expected"
        )
    yield from _from_fields(run, records)
    if expect.newest_within_days is not None and run.newest is not None:
        age = (run.finished_at.date() - run.newest).days
        if age > expect.newest_within_days:
            yield Reason(
                "warning",
                "stale",
                f"its newest entry is {age} days old, more than the usual {expect.newest_within_days}",
            )


def _from_fields(run: RunRecord, records: Sequence[NoticeRecord | PageRecord]) -> Iterator[Reason]:
    if len(records) < FEWEST_FOR_SHARES:
        return
    for field, least in run.card.expect.filled.items():
        share = sum(bool(getattr(record, field, None)) for record in records) / len(records)
        if share < least:
            yield Reason(
                "error",
                "field_empty",
                f"`{field}` is filled in {share:.0%} of {len(records)} records, at least {least:.0%} expected",
            )


def _told(problem: Problem) -> str:
    """A problem with its place, without the query of its address: people read this in a digest."""
    place = problem.url.split("?", 1)[0]
    return problem.message if not place or "://" in problem.message else f"{problem.message} ({place})"


def _read_well(records: Sequence[NoticeRecord | PageRecord]) -> bool:
    return any(isinstance(record, PageRecord) and record.state is not PageState.GONE for record in records)


def _nothing_read(run: RunRecord) -> str:
    first = next(iter(run.problems), None)
    return f"no page could be read: {first.kind}: {_told(first)}" if first else "no page could be read"
