"""`python -m reports landscape`: what `exowatch landscape` starts."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from monitor.config import Config, jurisdiction_codes, now
from monitor.db import open_engine
from monitor.migrations import upgrade
from reports import period
from reports.languages import LANGUAGES


def add_options(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quarter", help="a quarter such as 2026-Q4; left out: the quarter of today")
    which.add_argument("--year", help="a whole year such as 2026")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, help="first day of another period")
    parser.add_argument("--to", dest="last", type=date.fromisoformat, help="last day of it")
    parser.add_argument("--jurisdiction", action="append", default=[], help="only this one; may be given several times")
    parser.add_argument("--language", default=LANGUAGES[0], help=" or ".join(LANGUAGES))
    parser.add_argument("--format", default="html,txt,json", help="any of html,txt,pdf,json, with commas")
    parser.add_argument("--out", type=Path, help="folder to write into; left out: landscapes/ in the data folder")


def period_of(config: Config, given: argparse.Namespace) -> period.Period:
    """The period that was asked for. Raises ValueError where two were, or half of one."""
    timezone = config.digest.timezone
    if (given.quarter or given.year) and (given.first or given.last):
        raise ValueError("--quarter or --year and --from/--to name two periods; give one")
    if bool(given.first) != bool(given.last):
        raise ValueError("--from and --to go together; give both, or --quarter or --year")
    if given.first:
        return period.between(given.first, given.last, timezone)
    if given.year:
        return period.year(given.year, timezone)
    if given.quarter:
        return period.quarter(given.quarter, timezone)
    return period.quarter_of(period.week_of(now(config), timezone).last, timezone)


def landscape(config: Config, given: argparse.Namespace) -> int:
    """Write what was asked for and print where it lies."""
    from reports.landscape import FORMATS, gather, write
    from reports.pdf import PdfError

    formats = tuple(dict.fromkeys(part.strip() for part in given.format.split(",") if part.strip()))
    if not formats or not set(formats) <= set(FORMATS):
        raise ValueError(f"--format {given.format}: write one or more of {', '.join(FORMATS)}, with commas between")
    for code in given.jurisdiction:
        if code not in jurisdiction_codes():
            raise ValueError(f"no jurisdiction {code!r}; write an ISO 3166 code in lower case, uk or eu")
    of = period_of(config, given)
    engine = open_engine(config.database_url)
    try:
        upgrade(engine)
        found = gather(
            engine, config, of, now(config), language=given.language, jurisdictions=tuple(given.jurisdiction)
        )
        try:
            written = write(found, given.out or config.landscapes_folder, formats)
        except PdfError as error:
            raise ValueError(f"{error}; or leave pdf out of --format") from error
        except OSError as error:
            raise ValueError(f"{error.filename}: {error.strerror}; give another folder with --out") from error
    finally:
        engine.dispose()
    for path in written:
        print(path)  # noqa: T201
    return 0
