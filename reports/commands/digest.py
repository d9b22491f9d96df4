"""`python -m reports digest`: what `exowatch digest` starts."""

from __future__ import annotations

import argparse
import sys

from monitor.config import Config, now
from reports import period
from reports.commands.common import (
    FAILED,
    add_report_options,
    database,
    days_asked,
    forms_asked,
    jurisdictions_asked,
)
from reports.digest import FORMATS, USUAL, write
from reports.languages import speech
from reports.law import law_of_knowledge
from reports.pdf import PdfError


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--week", help="an ISO week such as 2026-W47; left out: the week of today")
    parser.add_argument("--watchlist", action="append", default=[], help="only what this one matched; likewise")
    add_report_options(parser, FORMATS, USUAL)


def digest(config: Config, given: argparse.Namespace) -> int:
    """Write what was asked for and print where it lies."""
    asked, forms = _period(config, given), forms_asked(given, FORMATS)
    if given.language:
        speech(given.language)  # one that there is not stops here
    jurisdictions = jurisdictions_asked(given)
    try:
        with database(config) as engine:
            written = write(
                engine,
                config,
                asked,
                now(config),
                law=law_of_knowledge(),
                jurisdictions=jurisdictions,
                watchlists=tuple(given.watchlist),
                language=given.language,
                formats=forms,
            )
    except PdfError as error:
        print(error, file=sys.stderr)
        return FAILED
    for form in forms:
        print(written.files[form])
    return 0


def _period(config: Config, given: argparse.Namespace) -> period.Period:
    timezone = config.digest.timezone
    if days := days_asked(config, given, "week"):
        return days
    return period.week(given.week, timezone) if given.week else period.week_of(now(config), timezone)
