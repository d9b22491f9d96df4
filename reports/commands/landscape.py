"""`python -m reports landscape`: what `exowatch landscape` starts."""

from __future__ import annotations

import argparse
from pathlib import Path

from monitor.config import Config, now
from reports import period
from reports.commands.common import add_report_options, database, days_asked, forms_asked, jurisdictions_asked
from reports.landscape import FORMATS, USUAL, gather, write
from reports.pdf import PdfError


def add_options(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--quarter", help="a quarter such as 2026-Q4; left out: the quarter of today")
    which.add_argument("--year", help="a whole year such as 2026")
    add_report_options(parser, FORMATS, USUAL)
    parser.add_argument("--out", type=Path, help="folder to write into; left out: landscapes/ in the data folder")


def landscape(config: Config, given: argparse.Namespace) -> int:
    """Write what was asked for and print where it lies."""
    of, forms, jurisdictions = _period(config, given), forms_asked(given, FORMATS), jurisdictions_asked(given)
    with database(config) as engine:
        found = gather(engine, config, of, now(config), language=given.language, jurisdictions=jurisdictions)
    try:
        written = write(found, given.out or config.landscapes_folder, forms)
    except PdfError as error:
        raise ValueError(f"{error}; or leave pdf out of --format") from error
    except OSError as error:
        raise ValueError(f"{error.filename}: {error.strerror}; give another folder with --out") from error
    for path in written:
        print(path)
    return 0


def _period(config: Config, given: argparse.Namespace) -> period.Period:
    timezone = config.digest.timezone
    if days := days_asked(config, given, "quarter", "year"):
        return days
    if given.year:
        return period.year(given.year, timezone)
    if given.quarter:
        return period.quarter(given.quarter, timezone)
    return period.quarter_of(period.week_of(now(config), timezone).last, timezone)
