"""What the commands that write a period's report share: which period, which jurisdictions, which forms."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from monitor import queries
from monitor.config import Config, jurisdiction_codes
from monitor.migrations import upgrade
from monitor.tables.db import open_engine
from reports import period

FAILED, MISUSED = 1, 2
"""Exit codes."""


def add_report_options(parser: argparse.ArgumentParser, forms: Sequence[str], usual: Sequence[str]) -> None:
    parser.add_argument("--from", dest="first", type=date.fromisoformat, help="first day of another period")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last day of it")
    parser.add_argument("--jurisdiction", action="append", default=[], help="only this one; may be given several times")
    parser.add_argument("--language", default="", help="en, de or fr; left out: the configuration's")
    parser.add_argument("--format", default=",".join(usual), help=f"any of {','.join(forms)}, with commas between")


def days_asked(config: Config, given: argparse.Namespace, *names: str) -> period.Period | None:
    """The period from `--from` to `--to`, if they were given. Raises ValueError where half of it was, or another, too.

    `names`: options that name another period.
    """
    others = " or ".join(f"--{name}" for name in names)
    if any(getattr(given, name) for name in names) and (given.first or given.last):
        raise ValueError(f"{others} and --from/--to name two periods; give one")
    if bool(given.first) != bool(given.last):
        raise ValueError(f"--from and --to go together; give both, or {others}")
    return period.between(given.first, given.last, config.digest.timezone) if given.first else None


def jurisdictions_asked(given: argparse.Namespace) -> tuple[str, ...]:
    """Raises ValueError for a code that there is not."""
    for code in given.jurisdiction:
        if code not in jurisdiction_codes():
            raise ValueError(f"no jurisdiction {code!r}; write an ISO 3166 code in lower case, uk or eu")
    return tuple(given.jurisdiction)


def forms_asked(given: argparse.Namespace, known: Collection[str]) -> tuple[str, ...]:
    """Raises ValueError for a form that there is not, or for none."""
    forms = tuple(dict.fromkeys(form.strip() for form in given.format.split(",") if form.strip()))
    for form in forms or (given.format,):
        if form not in known:
            raise ValueError(f"no format {form!r}; write one or more of {', '.join(known)}, with commas between")
    return forms


@contextmanager
def database(config: Config) -> Iterator[queries.Engine]:
    """The database, brought up to date."""
    engine = open_engine(config.database_url)
    try:
        upgrade(engine)
        yield engine
    finally:
        engine.dispose()
