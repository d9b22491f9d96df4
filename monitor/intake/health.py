"""Is this run fit to be taken in? Pure: the run, its records and the card's envelope in, reasons out.

The rule behind every line: silence must never be mistaken for calm. A run that fell short of what its source
always has is an error, and an error keeps the whole run out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from monitor.records import AnyRecord, Outcome, PageRecord, PageState, Problem, RunRecord

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


@dataclass(frozen=True)
class Earlier:
    """What the good runs before this one were like."""

    filled: Mapping[str, float] = field(default_factory=dict)
    """Share of records in which a field was filled, in the last run that brought enough of them."""
    always_listed: bool = False
    """Each of the last `RUNS_FOR_ALWAYS` runs found entries on its list."""


RUNS_FOR_ALWAYS = 3
NEARLY_ALWAYS = 0.8
"""A field filled in so many records and then, in `FEWEST_FOR_SHARES` or more, in none: 1 in 3,000 by chance."""
_NOT_FIELDS = frozenset({"kind", "source", "key", "captures", "capture", "unread", "state"})


def shares(records: Sequence[AnyRecord]) -> dict[str, float]:
    """Share of records in which each field is filled; empty where there are too few for a share to say anything."""
    if len(records) < FEWEST_FOR_SHARES or any(isinstance(record, PageRecord) for record in records):
        return {}
    names = dict.fromkeys(name for record in records for name in type(record).model_fields)
    return {
        name: round(sum(bool(getattr(record, name, None)) for record in records) / len(records), 4)
        for name in names
        if name not in _NOT_FIELDS
    }


FEW_NOT_UNDERSTOOD = 0.05
"""Share of a list's entries that may be odd: more, and the list itself was not understood."""
NOT_UNDERSTOOD = "not understood"
"""How readers end the reason under which they count an entry that they named as a problem and went past."""
_RAN_ITS_COURSE = ("finished", "limit_", "closespider_timeout")
_FATAL_FOR_LISTS = ("layout_changed", "wrong_content_type", "soft_404")
_KEEPS_US_OUT = (
    "parse_error",
    *_FATAL_FOR_LISTS,
    "http_error",
    "download_error",
    "robots",
    "refused_address",
    "too_large",
)
_OUTCOMES = {
    Outcome.BLOCKED: ("blocked", "the server answered with a block page instead of its content"),
    Outcome.STOPPED: ("stopped", "the run was stopped before its end"),
    Outcome.NOT_STARTED: ("not_started", "the crawl could not be started"),
}


def check(run: RunRecord, records: Sequence[AnyRecord], earlier: Earlier | None = None) -> tuple[Reason, ...]:
    """Everything that speaks against taking this run in, worst first. `earlier`: the runs that it is held to."""
    reasons = [*_from_outcome(run), *_from_problems(run), *_from_envelope(run, records)]
    if earlier is not None and _ran_its_course(run):
        reasons += _from_earlier(run, records, earlier, {reason.code for reason in reasons})
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
        fatal = kind == "parse_error" and not _few_were_odd(run, count)
        fatal = fatal or (kind in _FATAL_FOR_LISTS and run.card.kind != "page")
        fatal = fatal or (kind in _KEEPS_US_OUT and _no_list_was_read(run))
        more = f" and {count - 1} more" if count > 1 else ""
        yield Reason("error" if fatal else "warning", kind, f"{_told(first)}{more}")


def _few_were_odd(run: RunRecord, problems: int) -> bool:
    """True if each of the problems is one entry, named and counted, of a list that was else understood.

    One odd row must not make a source blind: the others are taken in, and the row is told as a warning each time.
    """
    odd = sum(count for reason, count in run.not_kept.items() if reason.endswith(NOT_UNDERSTOOD))
    return problems <= odd <= FEW_NOT_UNDERSTOOD * (run.listed or 0)


def _from_envelope(run: RunRecord, records: Sequence[AnyRecord]) -> Iterator[Reason]:
    if not _ran_its_course(run):
        return  # what came of a run that did not run its course says nothing about the source
    expect = run.card.expect
    second_look = bool(run.request.pages)
    if run.card.kind == "page" and not second_look and not _read_well(records) and not run.known:
        yield Reason("error", "empty", _nothing_read(run))
    if expect.listed is not None and not second_look and not run.unchanged and not _no_list_was_read(run):
        listed = run.listed or 0
        if listed < expect.listed.min and not (listed and _was_bounded(run)):
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
            "error",
            "too_few",
            f"{_counted(len(records), 'record')} in a full reading, at least {expect.records.min} expected",
        )
    yield from _from_fields(run, records)
    if expect.newest_within_days is not None and run.newest is not None:
        age = (run.finished_at.date() - run.newest).days
        if age > expect.newest_within_days:
            yield Reason(
                "warning",
                "quiet",
                f"its newest entry is {_counted(age, 'day')} old, more than the usual {expect.newest_within_days}",
            )


def _no_list_was_read(run: RunRecord) -> bool:
    """True if something kept us from the list: that is why nothing came, whatever a list of it may hold."""
    of_a_list = run.card.expect.listed is not None and not run.request.pages
    nothing = run.listed is None and not run.items and not run.known and not run.unchanged
    return of_a_list and nothing and any(problem.kind in _KEEPS_US_OUT for problem in run.problems)


def _from_fields(run: RunRecord, records: Sequence[AnyRecord]) -> Iterator[Reason]:
    if len(records) < FEWEST_FOR_SHARES:
        return
    for name, least in run.card.expect.filled.items():
        share = sum(bool(getattr(record, name, None)) for record in records) / len(records)
        if share < least:
            yield Reason(
                "error",
                "field_empty",
                f"`{name}` is filled in {share:.0%} of {len(records)} records, at least {least:.0%} expected",
            )


def _ran_its_course(run: RunRecord) -> bool:
    return run.outcome not in _OUTCOMES and run.finish_reason.startswith(_RAN_ITS_COURSE)


def _was_bounded(run: RunRecord) -> bool:
    """True if we ended it before it had seen the whole list."""
    bounded = run.request.limit is not None or run.request.most_requests is not None
    return bounded or run.finish_reason.startswith("limit_")


def _from_earlier(run: RunRecord, records: Sequence[AnyRecord], earlier: Earlier, known: set[str]) -> Iterator[Reason]:
    """A source that changed under our hands: what it always had is gone, though no envelope says so."""
    nothing = not records and not run.listed and not run.known and not run.unchanged
    if earlier.always_listed and nothing and run.card.expect.listed is None and "empty" not in known:
        yield Reason("error", "empty", "nothing on the list, where every run before found some")
    for name, share in shares(records).items():
        before = earlier.filled.get(name, 0)
        if not share and before >= NEARLY_ALWAYS and "field_empty" not in known:
            told = f"`{name}` is empty in all {len(records)} records; in the last good run {before:.0%} had it"
            yield Reason("error", "field_emptied", told)


def _told(problem: Problem) -> str:
    """A problem with its place, without the query of its address: people read this in a digest."""
    place = problem.url.split("?", 1)[0]
    return problem.message if not place or "://" in problem.message else f"{problem.message} ({place})"


def _read_well(records: Sequence[AnyRecord]) -> bool:
    return any(isinstance(record, PageRecord) and record.state is not PageState.GONE for record in records)


def _nothing_read(run: RunRecord) -> str:
    first = next(iter(run.problems), None)
    return f"no page could be read: {first.kind}: {_told(first)}" if first else "no page could be read"


StateName = Literal["ok", "quiet", "stale", "blind", "off"]
STALE_AFTER = 4
"""Times its rhythm that a source may go without a good reading."""
QUIET_AFTER = timedelta(days=28)
"""Without anything new, where the card does not say how often something is."""


@dataclass(frozen=True)
class Facts:
    """What is known of a source when its state is asked for."""

    on: bool
    state: str = ""
    """As its last runs left it: `ok`, `blind` or `stale`; empty: never read."""
    reason: str = ""
    last_success: datetime | None = None
    last_new: datetime | None = None
    """When it last brought something new; its first reading counts."""
    newest: date | None = None
    """Date of the newest entry on its list."""
    usual_days: int | None = None
    """`newest_within_days` of its card."""


def is_stale(last_success: datetime | None, cadence: timedelta, now: datetime) -> bool:
    """True if it has not been read well for more than `STALE_AFTER` times its rhythm."""
    return last_success is not None and now - last_success > STALE_AFTER * cadence


def state_of(facts: Facts, cadence: timedelta, now: datetime) -> tuple[StateName, str]:
    """How a source stands, and why. Blind goes before stale, and stale before quiet: quiet has been read."""
    if not facts.on:
        return "off", "not read: turned off, or not named in the configuration"
    if facts.state == "blind":
        return "blind", facts.reason
    if facts.last_success is None:
        return "stale", "never read yet"
    if is_stale(facts.last_success, cadence, now):
        return "stale", stale_reason(facts.last_success, cadence, now)
    why = _quiet(facts, cadence, now)
    return ("quiet", why) if why else ("ok", "")


def _quiet(facts: Facts, cadence: timedelta, now: datetime) -> str:
    """What says that nothing is as new as usual; by the list's own dates where the card says how new they are."""
    if facts.usual_days is not None and facts.newest is not None:
        age = (now.date() - facts.newest).days
        why = f"its newest entry is {_counted(age, 'day')} old, more than the usual {facts.usual_days}"
        return why if age > facts.usual_days else ""
    if facts.last_new is not None and now - facts.last_new > max(QUIET_AFTER, STALE_AFTER * cadence):
        return f"nothing new for {(now - facts.last_new).days} days"
    return ""


def stale_reason(last_success: datetime, cadence: timedelta, now: datetime) -> str:
    """Why a source is stale, in words."""
    return f"not read well for {span(now - last_success)}; it should be read every {span(cadence)}"


def span(time: timedelta) -> str:
    """`3 days`, `5 hours`, `12 minutes`: the largest unit alone, rounded down."""
    seconds = max(int(time.total_seconds()), 0)
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
