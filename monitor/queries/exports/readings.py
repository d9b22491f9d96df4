"""Tables about what happened and how it was read: events, watchlist matches, sources, runs, captures, digests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast
from sqlmodel import Session, col, select

from monitor.queries.exports.shapes import Column, Filters, Row, Table, batches, equal, texts
from monitor.queries.facts import rehearsal_runs
from monitor.queries.standing import run_row, source_states
from monitor.tables.models import SHIPPED_SOURCE, Capture, DigestIssue, Event, Run, WatchMatch

EVENTS = (
    Column("id", "Number of the event: the order in which they became known", "number"),
    Column("at", "When it happened, as far as it was seen", "time"),
    Column("kind", "What happened: claim_appeared, notice_published …"),
    Column("cause", "source: a source changed; rules: our rules changed; review: a person decided"),
    Column("about", "What it is about, and its number: claim:12"),
    Column("jurisdictions", "Jurisdictions that it concerns", "list"),
    Column("severity", "Severity of the claim, or the highest of the page’s claims"),
    Column("category", "Category of the claim"),
    Column("text", "The claim’s wording after the event, or the document’s title"),
    Column("before", "The wording before"),
    Column("reason", "The reason that was given"),
    Column("organisations", "Organisations concerned", "list"),
    Column("product", "Product concerned"),
    Column("url", "Address of the page or document"),
    Column("source", "Id of the source"),
    Column("run", "Id of the run that told it; empty for a change of rules or a decision"),
    Column("history", "Whether it came with a source’s first reading", "boolean"),
    Column("details", "All that the event holds, as JSON"),
    Column("demonstration", "Whether it was read from a rehearsal server, not from the web", "boolean"),
)
_EVENT = (
    Event.id,
    Event.at,
    Event.kind,
    Event.cause,
    Event.object_kind,
    Event.object_id,
    Event.jurisdictions,
    Event.severity,
    Event.detail,
    Event.source_id,
    Event.run_id,
    Event.baseline,
)


def _event_conditions(asked: Filters) -> list[ColumnElement[bool]]:
    kind, _, number = asked.object.partition(":")
    conditions = equal(
        {
            col(Event.severity): asked.severity,
            col(Event.source_id): asked.source,
            col(Event.kind): asked.kind,
            col(Event.object_kind): kind,
            col(Event.object_id): number,
        }
    )
    if asked.category:
        conditions.append(col(Event.detail)["category"].as_string() == asked.category)
    if asked.jurisdiction:
        held = cast(col(Event.jurisdictions), String)
        conditions.append(held.contains(f'"{asked.jurisdiction}"', autoescape=True))
    return conditions


def _event_values(row: Any, rehearsed: frozenset[str]) -> Row:
    key, at, kind, cause, object_kind, object_id, codes, severity, detail, source, run, baseline = row
    firms = detail.get("organisations") or [detail.get("organisation")]
    return (
        key,
        at,
        kind,
        cause,
        f"{object_kind}:{object_id}",
        texts(codes),
        severity,
        str(detail.get("category") or ""),
        str(detail.get("after") or detail.get("quote") or detail.get("title") or ""),
        str(detail.get("before") or ""),
        str(detail.get("reason") or ""),
        tuple(str(firm) for firm in firms if firm),
        str(detail.get("product") or ""),
        str(detail.get("url") or ""),
        source,
        run or "",
        baseline,
        json.dumps(detail, ensure_ascii=False, sort_keys=True),
        run in rehearsed,
    )


def _events(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = select(*_EVENT)  # type: ignore[call-overload]
    statement = statement.where(*_event_conditions(asked), *asked.within(col(Event.at)))
    if asked.watchlist:
        met = select(WatchMatch.event_id).where(WatchMatch.watchlist == asked.watchlist)
        statement = statement.where(col(Event.id).in_(met))
    rehearsed = rehearsal_runs(session)
    for rows in batches(session, statement, col(Event.id)):
        for row in rows:
            yield _event_values(row, rehearsed)


MATCHES = (
    Column("id", "Number of the match", "number"),
    Column("watchlist", "Name of the list, as it was then"),
    Column("matched", "When the match was found", "time"),
    Column("why", "Every criterion that was met, with the words that met it", "list"),
    *(Column(f"event_{each.name}", each.meaning, each.kind) for each in EVENTS),
)


def _matches(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            WatchMatch.id, WatchMatch.watchlist, WatchMatch.matched_at, WatchMatch.why, *_EVENT
        )
        .select_from(WatchMatch)
        .join(Event, col(Event.id) == WatchMatch.event_id)
        .where(*_event_conditions(asked), *asked.within(col(WatchMatch.matched_at)))
        .where(*equal({col(WatchMatch.watchlist): asked.watchlist}))
    )
    rehearsed = rehearsal_runs(session)
    for rows in batches(session, statement, col(WatchMatch.id)):
        for row in rows:
            yield (*row[:3], tuple(_reason(why) for why in row[3]), *_event_values(row[4:], rehearsed))


def _reason(why: Any) -> str:
    criterion, term, quote = (str(why.get(key, "")) for key in ("criterion", "term", "quote"))
    said = f"{criterion}: {term}" if term else criterion
    return f"{said} (“{quote}”)" if quote and quote != term else said


SOURCES = (
    Column("id", "Id of the source"),
    Column("title", "What it is called"),
    Column("jurisdiction", "Its jurisdiction"),
    Column("kind", "What it holds: notice, page, trial, publication, authorisation"),
    Column("state", "ok, quiet (nothing as new as usual), stale (not read well for long) or blind (cannot be read)"),
    Column("since", "Since when it has been blind or stale", "time"),
    Column("reason", "Why it is blind or stale"),
    Column("last_read_well", "When it was last read well", "time"),
    Column("last_tried", "When it was last tried", "time"),
    Column("last_new_item", "When it last had something new", "time"),
    Column("unverified", "Whether its markup was never seen before the first live run", "boolean"),
    Column("url", "Where it begins"),
    Column("means", "What it means that something is in it"),
)


def _sources(session: Session, asked: Filters) -> Iterator[Row]:
    for source in source_states(session):
        if asked.jurisdiction in ("", source.jurisdiction) and asked.source in ("", source.id):
            yield (
                source.id,
                source.title,
                source.jurisdiction,
                source.kind,
                source.state,
                source.since,
                source.reason,
                source.last_success_at,
                source.last_run_at,
                source.last_new_item_at,
                source.unverified,
                source.start,
                source.means,
            )


RUNS = (
    Column("id", "Id of the run"),
    Column("source", "Id of the source"),
    Column("state", "taken_in or quarantined"),
    Column("outcome", "How it ended: ok, empty, errors, blocked, stopped, not_started"),
    Column("mode", "live, rehearsal, replay or shipped"),
    Column("started", "When it began", "time"),
    Column("finished", "When it ended", "time"),
    Column("reasons", "What was found wrong with it", "list"),
    Column("events", "Events that it caused, by kind", "list"),
    Column("requests", "Requests that it made", "number"),
    Column("records", "Records that it read", "number"),
)


def _runs(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = select(Run.id).where(
        Run.source_id != SHIPPED_SOURCE, *equal({col(Run.source_id): asked.source}), *asked.within(col(Run.finished_at))
    )
    for rows in batches(session, statement, col(Run.id), ""):
        held = session.exec(select(Run).where(col(Run.id).in_([row[0] for row in rows])).order_by(col(Run.id)))
        for run in map(run_row, held):
            events = tuple(f"{kind}: {number}" for kind, number in sorted(run.changes.items()) if number)
            yield (
                run.id,
                run.source_id,
                run.state,
                run.outcome,
                run.mode,
                run.started_at,
                run.finished_at,
                run.reasons,
                events,
                run.requests,
                run.records,
            )
        session.expunge_all()


CAPTURES = (
    Column("id", "Id of the capture"),
    Column("run", "Id of the run in whose WARC it lies"),
    Column("url", "Address that answered"),
    Column("received", "When the answer came", "time"),
    Column("status", "HTTP status", "number"),
    Column("content_type", "Content type, as the server said"),
    Column("sha256", "SHA-256 of the body as received"),
    Column("offset", "Where its record begins in the run’s WARC, in bytes", "number"),
    Column("length", "Length of its record there, in bytes", "number"),
)


def _captures(session: Session, asked: Filters) -> Iterator[Row]:
    statement: Select[Any] = (
        select(  # type: ignore[call-overload]
            Capture.id,
            Capture.run_id,
            Capture.url,
            Capture.fetched_at,
            Capture.status,
            Capture.content_type,
            Capture.payload_sha256,
            Capture.offset,
            Capture.length,
        )
        .join(Run, col(Run.id) == Capture.run_id)
        .where(*equal({col(Run.source_id): asked.source}), *asked.within(col(Capture.fetched_at)))
    )
    return (tuple(row) for rows in batches(session, statement, col(Capture.id), "") for row in rows)


DIGESTS = (
    Column("name", "Name of the digest: its ISO week or its days"),
    Column("from", "Beginning of its period", "time"),
    Column("to", "End of its period", "time"),
    Column("written", "When it was written", "time"),
    Column("sha256", "SHA-256 of its file"),
    Column("counts", "What it counts, by name", "list"),
)


def _digests(session: Session, asked: Filters) -> Iterator[Row]:
    statement = select(DigestIssue).where(*asked.within(col(DigestIssue.period_from)))
    for issue in session.exec(statement.order_by(col(DigestIssue.period_from), col(DigestIssue.name))):
        counts = tuple(f"{name}: {number}" for name, number in sorted(issue.counts.items()))
        yield issue.name, issue.period_from, issue.period_to, issue.written_at, issue.sha256, counts


_ABOUT = ("jurisdiction", "category", "severity", "source", "kind", "watchlist", "since", "until", "object")
TABLES = (
    Table("events", "Events", "The history: everything that happened, with its cause.", EVENTS, _ABOUT, _events),
    Table(
        "matches",
        "Watchlist matches",
        "Which event met which watchlist, and why; with the event.",
        MATCHES,
        _ABOUT,
        _matches,
    ),
    Table(
        "sources",
        "Sources",
        "Every source that was read, with its state now.",
        SOURCES,
        ("jurisdiction", "source"),
        _sources,
    ),
    Table("runs", "Runs", "Every reading of every source.", RUNS, ("source", "since", "until"), _runs),
    Table(
        "captures",
        "Captures",
        "Every response that something rests on: what was received, when, and its digest.",
        CAPTURES,
        ("source", "since", "until"),
        _captures,
    ),
    Table("digests", "Digests", "Digests that were written, with their counts.", DIGESTS, ("since", "until"), _digests),
)
