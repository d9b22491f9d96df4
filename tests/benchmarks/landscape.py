"""`python -m tests.benchmarks.landscape`: a year of landscape from 100,000 events, beside loading them all.

The database is made in bulk: invented notices, sellers, claims, trials and papers of one year.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Engine, insert
from sqlmodel import Session, SQLModel, select

from monitor.config import Config
from monitor.migrations import upgrade
from monitor.queries.landscape import landscape
from monitor.tables.db import open_engine, reading
from monitor.tables.models import (
    Capture,
    Claim,
    Event,
    Finding,
    Notice,
    NoticeOrganisation,
    Organisation,
    Page,
    PageVersion,
    Product,
    Run,
    Source,
)
from monitor.tables.registers import Publication, Trial
from reports import period
from reports.landscape import charts
from reports.landscape.asking import asked
from reports.landscape.assemble import build, reach
from reports.landscape.formats import as_html, as_json, as_text
from reports.languages import speech

EVENTS = 100_000
SELLERS, SOURCES = 1_000, 60
NEW_YEAR = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 5, tzinfo=UTC)
CATEGORIES = ("disease_treatment", "hair_regrowth", "skin_drug_claim", "antiageing_longevity", "safety_absolute")
_BLANK: dict[type, Any] = {str: "", int: 0, bool: False}
Rows = dict[type[SQLModel], list[dict[str, Any]]]


def rows(events: int, seed: int = 7) -> Rows:
    """Everything that a year with so many events leaves, as rows."""
    random = Random(seed)
    made: Rows = {}
    _sources(made)
    claims = int(events * 0.45)
    _claims(made, claims, random)
    _notices(made, events // 8, random)
    _registers(made, events // 20, events // 10, random)
    _told(made, events, random)
    return made


def _sources(made: Rows) -> None:
    ids = [f"us_s{number}" for number in range(SOURCES)] + [f"site_s{number}_example" for number in range(SELLERS)]
    made[Source] = [
        {
            "id": key, "title": f"Source {key}", "jurisdiction": ("us", "uk", "eu", "ca")[place % 4],
            "kind": "page" if key.startswith("site") else "notice", "card": {"authority": {"name": f"Office {place}"}},
            "state_since": NEW_YEAR, "baseline_at": NEW_YEAR - timedelta(days=30),
        }
        for place, key in enumerate(ids)
    ]  # fmt: skip
    made[Run] = [
        {
            "id": f"{key}-{week}", "source_id": key, "state": "taken_in", "reasons": [], "folder": "x",
            "record": {"mode": "live"}, "changes": {}, "filled": {},
            **dict.fromkeys(("started_at", "finished_at", "taken_in_at"), NEW_YEAR + timedelta(days=7 * week, hours=5)),
        }
        for key in ids for week in range(52)
    ]  # fmt: skip
    made[Capture] = [
        {
            "id": f"{key}-0/00001", "run_id": f"{key}-0", "url": "https://x.example/", "fetched_at": NEW_YEAR,
            "status": 200, "payload_sha256": "0" * 64, "offset": 0, "length": 1,
        }
        for key in ids
    ]  # fmt: skip
    made[Organisation] = [
        {"id": number + 1, "name": f"Firm {number}", "folded": f"firm {number}", "first_seen": NEW_YEAR}
        for number in range(SELLERS)
    ]


def _claims(made: Rows, count: int, random: Random) -> None:
    made[Page] = [
        {
            "id": number + 1, "source_id": f"site_s{number % SELLERS}_example", "organisation_id": number % SELLERS + 1,
            "url": f"https://s{number % SELLERS}.example/{number}", "host": f"s{number % SELLERS}.example",
            "language": ("en", "de", "th", "")[number % 4], "first_seen": NEW_YEAR, "last_read": NOW,
            "jurisdictions": [],
        }
        for number in range(count // 8 + 1)
    ]  # fmt: skip
    made[PageVersion] = [
        {
            "id": page["id"], "page_id": page["id"], "number": 1, "run_id": f"{page['source_id']}-0",
            "capture_id": f"{page['source_id']}-0/00001", "read_at": NEW_YEAR, "text": "x", "text_sha256": "0" * 64,
            "document": {}, "knowledge_version": "k", "decision": "flag", "dropped": [],
        }
        for page in made[Page]
    ]  # fmt: skip
    made[Product] = [
        {
            "id": number + 1, "organisation_id": number + 1, "host": f"s{number}.example", "name": f"Product {number}",
            "folded": f"product {number}", "first_seen": NEW_YEAR, "last_seen": NOW,
        }
        for number in range(SELLERS)
    ]  # fmt: skip
    _claims_on(made, count, random)


def _claims_on(made: Rows, count: int, random: Random) -> None:
    made[Claim], made[Finding] = [], []
    for number in range(count):
        page = made[Page][number % len(made[Page])]
        week = random.randrange(52)
        gone = week + random.randrange(1, 40) if random.random() < 0.3 else 99
        first = NEW_YEAR + timedelta(days=7 * week, hours=4)
        severity = random.choice(("High", "Medium", "Low"))
        made[Claim].append(
            {
                "id": number + 1, "source_id": page["source_id"], "page_id": page["id"],
                "product_id": page["organisation_id"] if number % 3 else None, "category": random.choice(CATEGORIES),
                "rule_id": "r", "status": "affirmed", "quote": "x", "folded": str(number), "decision": "flag",
                "confidence": 0.9, "severity": severity, "state": "live" if gone > 51 else "withdrawn",
                "version_id": page["id"], "start": 0, "end": 1, "first_seen": first, "last_seen": first,
                "heading_path": [], "pending": {},
                "ended_at": None if gone > 51 else NEW_YEAR + timedelta(days=7 * gone, hours=4),
                "week": week, "gone": gone,
            }
        )  # fmt: skip
        made[Finding] += [
            {
                "claim_id": number + 1, "jurisdiction": code, "rule_id": "r", "severity": severity, "confidence": 0.9,
                "decision": "flag", "assessed": True, "knowledge_version": "k", "made_at": first, "legal_basis": [],
            }
            for code in ("us", "uk")[: 1 + number % 2]
        ]  # fmt: skip


def _notices(made: Rows, count: int, random: Random) -> None:
    made[Notice], made[NoticeOrganisation] = [], []
    for number in range(count):
        source = f"us_s{number % SOURCES}"
        day = date(2025, 1, 1) + timedelta(days=random.randrange(365))
        made[Notice].append(
            {
                "id": number + 1, "source_id": source, "key": str(number), "title": "x", "url": "x", "authority": "x",
                "notice_type": random.choice(("warning_letter", "recall", "alert", "guidance")), "jurisdiction": "us",
                "issued": day, "posted": day, "tier": random.choice(("core", "adjacent", "other")), "text": "x",
                "content_digest": "x", "capture_id": f"{source}-0/00001", "first_seen": NEW_YEAR, "last_seen": NOW,
                "tier_terms": [], "unread": [],
            }
        )  # fmt: skip
        if number % 40 == 0:
            firm = random.randrange(SELLERS) + 1
            made[NoticeOrganisation].append({"notice_id": number + 1, "organisation_id": firm, "role": "addressee"})


def _registers(made: Rows, trials: int, papers: int, random: Random) -> None:
    common = {"url": "x", "tier": "core", "content_digest": "x", "first_seen": NEW_YEAR, "last_seen": NOW}
    common |= {"source_id": "us_s1", "capture_id": "us_s1-0/00001", "tier_terms": [], "unread": []}
    made[Trial] = [
        {
            **common, "id": number + 1, "key": str(number), "title": "x", "jurisdiction": "us", "phases": [],
            "status": random.choice(("RECRUITING", "COMPLETED", "WITHDRAWN")), "interventions": [], "countries": [],
            "conditions": [f"Condition {random.randrange(400)}"],
            "posted": date(2025, 1, 1) + timedelta(days=random.randrange(365)),
        }
        for number in range(trials)
    ]  # fmt: skip
    made[Publication] = [
        {
            **common, "id": number + 1, "key": f"doi:10.5555/{number}", "title": "x", "authors": [], "types": [],
            "published": date(2025, 1, 1) + timedelta(days=random.randrange(365)),
        }
        for number in range(papers)
    ]  # fmt: skip


def _told(made: Rows, events: int, random: Random) -> None:
    """The history: claims that appeared and went, notices, trials, papers; the rest is claims read as reworded."""
    told = []
    for claim in made[Claim]:
        for kind, week in (("claim_appeared", claim.pop("week")), ("claim_withdrawn", claim.pop("gone"))):
            if week < 52:
                told.append((week, kind, "claim", claim["id"], claim["source_id"]))
    for kind, thing, table in (
        ("notice_published", "notice", Notice),
        ("trial_registered", "trial", Trial),
        ("publication_indexed", "publication", Publication),
    ):
        told += [(random.randrange(52), kind, thing, one["id"], one["source_id"]) for one in made[table]]
    while len(told) < events:
        claim = random.choice(made[Claim])
        told.append((random.randrange(52), "claim_reworded", "claim", claim["id"], claim["source_id"]))
    made[Event] = [
        {
            "at": NEW_YEAR + timedelta(days=7 * week, hours=4), "kind": kind, "cause": "source", "source_id": source,
            "run_id": f"{source}-{week}", "object_kind": thing, "object_id": str(key), "dedupe_key": str(number),
            "jurisdictions": ["us"], "detail": {"title": "x" * 200},
        }
        for number, (week, kind, thing, key, source) in enumerate(sorted(told))
    ]  # fmt: skip


def store(engine: Engine, made: Rows) -> None:
    """Put the rows into their tables, in bulk; what a row leaves out is blank."""
    with engine.begin() as connection:
        for table, values in made.items():
            defaults = dict(_defaults(table))
            for start in range(0, len(values), 5_000):
                connection.execute(insert(table), [{**defaults, **one} for one in values[start : start + 5_000]])


def _defaults(table: type[SQLModel]) -> Iterator[tuple[str, Any]]:
    for name, field in table.model_fields.items():
        if not field.is_required() and name != "id" and field.default_factory is None:
            yield name, field.default


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="exowatch-bench-") as name:
        engine = open_engine(f"sqlite:///{Path(name) / 'exowatch.db'}")
        upgrade(engine)
        store(engine, rows(EVENTS))
        measure(engine, Config(data=Path(name)))
        engine.dispose()


def measure(engine: Engine, config: Config) -> None:
    year, clock = period.year("2025", "UTC"), _Clock()
    print(f"\nA year of landscape from {EVENTS:,} events (SQLite; seconds of processor time)")
    with reading(engine) as session:
        clock.told("loading every event alone, as objects", _loaded(session))
    wanted = asked(year, NOW)
    found = landscape(engine, wanted)
    clock.told("counted in the database", len(found.claims.sellers))
    made = build(found, year, speech(), reach(config, found), config.site_address)
    clock.told("figures made", len(made.figures))
    pictures = [charts.svg(one.chart, one.id) for one in made.figures if one.chart]
    clock.told("pictures drawn, matplotlib's start included", len(pictures))
    written = [as_html(made), as_text(made), as_json(made)]
    clock.told("HTML, text and JSON", sum(map(len, written)))


def _loaded(session: Session) -> int:
    return len(session.exec(select(Event)).all())


class _Clock:
    """Seconds since the last time it was asked."""

    def __init__(self) -> None:
        self._last = time.process_time()

    def told(self, what: str, number: int) -> None:
        now = time.process_time()
        print(f"  {what:<48} {now - self._last:>9.2f} s   ({number:,})")
        self._last = time.process_time()


if __name__ == "__main__":
    main()
