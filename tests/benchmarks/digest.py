"""What a digest of a week with 1,000 items costs, held against the same without shortening: seconds and bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine

from monitor.config import Config
from monitor.migrations import upgrade
from monitor.tables.db import open_engine, transaction
from reports import period
from reports.digest import gather
from reports.digest.formats import as_html, as_json, as_pdf, as_text, size_in_mail
from tests.reports import factory
from tests.reports.factory import MONDAY, Factory

PAGES, CLAIMS, NOTICES = 48, 20, 40
WHOLE = 10**9
"""Bytes: no page is shortened to that."""


def main() -> None:
    with TemporaryDirectory() as name:
        engine = open_engine(f"sqlite:///{Path(name) / 'exowatch.db'}")
        upgrade(engine)
        fill(engine)
        measure(engine, Config(data=Path(name)))
        engine.dispose()


def fill(engine: Engine) -> None:
    with transaction(engine) as session:
        make = Factory(session)
        run = make.run(make.source("site_many_example", kind="page"), MONDAY)
        reading = make.run(make.source("us_letters"), MONDAY)
        firm = make.organisation("Many Labs")
        for page in range(PAGES):
            quotes = [f"Product {page:02} cures ailment number {number:02} of this world" for number in range(CLAIMS)]
            _, version = make.page(run, f"https://many.example/{page}", ".\n".join(quotes), firm)
            for number, quote in enumerate(quotes):
                severity = ("High", "Medium", "Low")[number % 3]
                make.claim(version, quote, severity=severity, basis=(("us", severity, "us-a"),))
        for number in range(NOTICES):
            make.notice(reading, f"Letter number {number:02}", posted=date(2026, 11, 17))


def measure(engine: Engine, config: Config) -> None:
    week, begin = period.week("2026-W47", "UTC"), time.process_time()
    made = gather(engine, config, week, factory.NOW, law=factory.law)
    print(f"\nA digest of {made.listed:,} items (SQLite; seconds of processor time)")
    told("gathered from the database", begin, f"{made.listed:,} items")
    for times in ("templates compiled first", "again"):
        begin = time.process_time()
        page = as_html(made)
        told(
            f"HTML that fits a mail, {times}", begin, f"{len(page.encode()):,} bytes, {size_in_mail(page):,} in a mail"
        )
    forms: tuple[tuple[str, Callable[[], bytes]], ...] = (
        ("HTML, not shortened", lambda: as_html(made, WHOLE).encode()),
        ("text", lambda: as_text(made).encode()),
        ("JSON", lambda: as_json(made).encode()),
        ("PDF", lambda: as_pdf(made)),
    )
    for what, make in forms:
        begin = time.process_time()
        size = len(make())
        told(what, begin, f"{size:,} bytes")


def told(what: str, begin: float, size: str) -> None:
    print(f"  {what:<48} {time.process_time() - begin:>9.2f} s   ({size})")


if __name__ == "__main__":
    main()
