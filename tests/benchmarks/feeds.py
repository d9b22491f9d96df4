"""`python -m tests.benchmarks.feeds [EVENTS] [CLAIMS]`: pages of a feed and downloads of tables, from a large database.

Each part runs in a process of its own, so that its memory is its own. Read the ratios: machines are noisy.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, text
from sqlmodel import Session

from monitor import queries
from monitor.migrations import upgrade
from monitor.queries import exports
from monitor.queries.feeds import FeedAsk
from monitor.tables.db import open_engine, transaction
from monitor.tables.models import Claim, ClaimRevision, Event, Finding, Page, PageVersion, Run
from reports.exports import feed_formats, feeds, sheets
from tests.reports import factory

EVENTS, CLAIMS = 50_000, 200_000
START = datetime(2024, 1, 1, tzinfo=UTC)
BATCH = 5000
A_PAGE = 100
"""Claims on each page of the invented shop."""


def main() -> None:
    events, claims = (int(each) for each in (*sys.argv[1:], *map(str, (EVENTS, CLAIMS)[len(sys.argv) - 1 :])))
    with tempfile.TemporaryDirectory(prefix="exowatch-bench-") as name:
        url = f"sqlite:///{name}/exowatch.db"
        part(url, "build", str(events), str(claims))
        print(f"\nA feed of {events:,} entries: seconds of processor time a document, the newest first")
        for form in feeds.FORMATS:
            done = part(url, "chain", form)
            each = done["seconds"]
            print(
                f"  {form:<5} {done['documents']:>4} documents of {done['most']} entries at most: first {each[0]:.3f}, "
                f"middle {each[len(each) // 2]:.3f}, last {each[-1]:.3f}, all {sum(each):.1f}; {done['rss_mb']} MB"
            )
        for offset in (0, events - 250):
            done = part(url, "offset", str(offset))
            print(f"  its entries alone, by OFFSET {offset:>6,}: {done['seconds']:.3f}")
        done = part(url, "asked_again")
        print(f"  who has the newest already (304): {done['seconds']:.4f}")
        done = part(url, "rare")
        print(f"  the newest document of a filter that one event in {done['one_in']:,} meets: {done['seconds']:.3f}")
        print(f"\nA table of {claims:,} claims, {len(exports.TABLES['claims'].columns)} columns")
        for form in sheets.FORMATS:
            small, whole = part(url, "table", form, str(claims // 10)), part(url, "table", form, "0")
            rate = whole["rows"] / whole["seconds"]
            print(
                f"  {form:<5} {whole['seconds']:>6.1f} s, {rate:>8,.0f} rows/s, {whole['bytes'] / 1e6:>6.1f} MB; "
                f"memory {small['rss_mb']} MB for a tenth, {whole['rss_mb']} MB for all"
            )


def part(url: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.feeds", "part", url, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measured(url: str, name: str, *arguments: str) -> None:
    engine = open_engine(url)
    parts: dict[str, Callable[..., dict[str, Any]]] = {
        "build": build, "chain": chain, "offset": offset, "asked_again": asked_again, "rare": rare, "table": table,
    }  # fmt: skip
    result = parts[name](engine, *arguments)
    engine.dispose()
    print(json.dumps(result | {"rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


def build(engine: Engine, events: str, claims: str) -> dict[str, Any]:
    """Shops with claims, and the events in which these appeared."""
    upgrade(engine)
    with transaction(engine) as session:
        make = factory.Factory(session)
        run = make.run(make.source("site_bench_example", "A shop", kind="page"), START)
        firm = make.organisation("Bench Labs", hosts=["bench.example"])
        capture = make.capture(run, "https://bench.example/").id
        _shops(session, run, int(claims), firm.id or 0, capture)
        for first in range(0, int(events), BATCH):
            numbers = range(first, min(first + BATCH, int(events)))
            session.execute(insert(Event), [_event(run, number, int(claims)) for number in numbers])
    return {}


def _quote(number: int) -> str:
    return f"Claim {number}: our exosome serum rebuilds what years have taken, proven in {number % 9 + 2} weeks."


def _shops(session: Session, run: Run, claims: int, firm: int, capture: str) -> None:
    for first in range(0, claims, BATCH):
        numbers = range(first + 1, min(first + BATCH, claims) + 1)
        pages = sorted({number // A_PAGE + 1 for number in numbers} - {first // A_PAGE + 1 if first else 0})
        seen = START + timedelta(minutes=first)
        session.execute(insert(Page), [
            {"id": page, "source_id": run.source_id, "organisation_id": firm, "url": f"https://bench.example/{page}",
             "host": "bench.example", "title": f"Serum {page}", "language": "en", "role": "seller", "state": "live",
             "jurisdictions": [], "first_seen": seen, "last_read": seen} for page in pages
        ])  # fmt: skip
        session.execute(insert(PageVersion), [
            {"id": page, "page_id": page, "number": 1, "run_id": run.id, "capture_id": capture, "read_at": seen,
             "text": "", "text_sha256": "", "document": {}, "knowledge_version": "k", "decision": "flag", "dropped": []}
            for page in pages
        ])  # fmt: skip
        session.execute(insert(Claim), [
            {"id": number, "source_id": run.source_id, "page_id": number // A_PAGE + 1, "category": "clinically_proven",
             "rule_id": "r", "status": "affirmed", "quote": _quote(number), "folded": str(number),
             "heading_path": ["A"], "decision": "flag", "confidence": 0.9, "hedged": False, "obfuscated": False,
             "severity": "High",
             "why": "Says that it is proven.", "state": "live", "pending": {}, "version_id": number // A_PAGE + 1,
             "start": 0, "end": 9, "first_seen": seen, "last_seen": seen, "baseline": False,
             "review_state": "unreviewed"} for number in numbers
        ])  # fmt: skip
        session.execute(insert(Finding), [
            {"claim_id": number, "jurisdiction": "us", "rule_id": "r", "severity": "High", "confidence": 0.9,
             "decision": "flag", "assessed": True, "legal_basis": ["us-a"], "addressed_why": "", "made_at": seen,
             "knowledge_version": "k", "current": True} for number in numbers
        ])  # fmt: skip
        session.execute(insert(ClaimRevision), [
            {"claim_id": number, "number": 1, "quote": _quote(number), "version_id": number // A_PAGE + 1, "start": 0,
             "end": 9, "seen_at": seen} for number in numbers
        ])  # fmt: skip


def _event(run: Run, number: int, claims: int) -> dict[str, Any]:
    claim = number % claims + 1
    detail = {
        "quote": _quote(claim), "category": "clinically_proven" if number % 5000 else "outbreak_claim",
        "product": "Serum", "organisation": "Bench Labs", "url": f"https://bench.example/{claim // A_PAGE + 1}",
        "host": "bench.example", "decision": "flag", "legal_basis": {"us": ["us-a"]},
    }  # fmt: skip
    return {
        "at": START + timedelta(minutes=number), "kind": "claim_appeared", "cause": "source", "run_id": run.id,
        "source_id": run.source_id, "object_kind": "claim", "object_id": str(claim), "jurisdictions": ["us", "uk"],
        "severity": "High", "detail": detail, "baseline": False, "dedupe_key": f"{run.id}|{number}",
    }  # fmt: skip


def _document(engine: Engine, asked: FeedAsk, form: str, number: int | None) -> tuple[int, int | None]:
    frame = queries.feed_frame(engine, asked, number)
    assert frame is not None
    document = feeds.feed(
        engine, asked, frame, base="https://e.example", address=lambda other: feeds.address_of(asked, form, other)
    )
    feed_formats.written(document, form)
    return len(document.items), frame.older


def chain(engine: Engine, form: str) -> dict[str, Any]:
    """Every document of the whole feed, one after another."""
    seconds, most, number = [], 0, None
    _document(engine, FeedAsk(), form, None)  # templates are read once
    while True:
        begin = time.process_time()
        count, number = _document(engine, FeedAsk(), form, number)
        seconds.append(time.process_time() - begin)
        most = max(most, count)
        if number is None:
            return {"seconds": seconds, "documents": len(seconds), "most": most}


def offset(engine: Engine, skipped: str) -> dict[str, Any]:
    """What it is measured against: the rows of one page, found by skipping all before."""
    with Session(engine) as session:
        begin = time.process_time()
        statement = text("SELECT * FROM event WHERE baseline = 0 ORDER BY id DESC LIMIT 250 OFFSET :skipped")
        session.execute(statement, {"skipped": int(skipped)}).all()
        return {"seconds": time.process_time() - begin}


def asked_again(engine: Engine) -> dict[str, Any]:
    begin = time.process_time()
    for _ in range(10):
        frame = queries.feed_frame(engine, FeedAsk())
        assert frame is not None
        feeds.etag_of(FeedAsk(), "atom", frame, "")
    return {"seconds": (time.process_time() - begin) / 10}


def rare(engine: Engine) -> dict[str, Any]:
    asked = FeedAsk(categories=("outbreak_claim",))
    _document(engine, FeedAsk(), "atom", None)
    begin = time.process_time()
    _document(engine, asked, "atom", None)
    return {"seconds": time.process_time() - begin, "one_in": 5000}


def table(engine: Engine, form: str, most: str) -> dict[str, Any]:
    """The table of claims in one format, to nowhere."""
    claims = exports.TABLES["claims"]
    counted = 0

    def some() -> Iterator[exports.Row]:
        nonlocal counted
        for row in exports.rows(engine, claims, exports.Filters()):
            if int(most) and counted == int(most):
                return
            counted += 1
            yield row

    sheet = sheets.Sheet(claims.name, claims.meaning, claims.columns, some())
    begin, size = time.process_time(), 0
    if form == "xlsx":
        with tempfile.TemporaryFile() as file:
            sheets.write_xlsx(sheet, file)
            size = os.fstat(file.fileno()).st_size
    else:
        writers = {"csv": sheets.as_csv, "json": sheets.as_json, "jsonl": sheets.as_json_lines}
        size = sum(map(len, writers[form](sheet)))
    return {"seconds": time.process_time() - begin, "rows": counted, "bytes": size}


if __name__ == "__main__":
    if sys.argv[1:2] == ["part"]:
        measured(*sys.argv[2:])
    else:
        main()
