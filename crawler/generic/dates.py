"""Printed dates of any language, read as the calendar day that is printed: never moved by a zone, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Literal

from dateparser.date import DateDataParser

from crawler.page import compact_date, iso_date
from crawler.source import LayoutChangedError
from crawler.sources.reading import clean

Order = Literal["", "DMY", "MDY", "YMD"]


@dataclass(frozen=True)
class DateReader:
    """Reads the dates of one source.

    `languages` are tried in turn; `order` says which number comes first where a date is all numbers and the language
    does not settle it; `form` is a strptime format that every date of a table has.
    """

    languages: tuple[str, ...]
    order: Order = ""
    form: str = ""

    def day(self, text: str) -> date | None:
        """The day; None where nothing is printed. Raises LayoutChangedError for what is no whole date."""
        printed = clean(text)
        if not printed:
            return None
        if self.form:
            return _by_form(printed, self.form)
        if re.match(r"\d{4}-\d{2}-\d{2}(?:[T ]|$)", printed):
            return iso_date(printed)
        if re.fullmatch(r"\d{8}", printed):
            return compact_date(printed)
        return _by_words(printed, self.languages, self.order)


def _by_form(printed: str, form: str) -> date:
    try:
        return datetime.strptime(printed, form).date()
    except ValueError as error:
        raise LayoutChangedError(f"no date of the form {form}: {printed!r}") from error


@lru_cache(maxsize=2000)
def _by_words(printed: str, languages: tuple[str, ...], order: Order) -> date:
    found = _parser(languages, order).get_date_data(printed).date_obj
    if found is None:
        raise LayoutChangedError(f"no date that could be read: {printed!r}")
    return found.date()


@lru_cache(maxsize=64)
def _parser(languages: tuple[str, ...], order: Order) -> DateDataParser:
    settings = {
        # "yesterday" and "2 hours" would be counted from the moment of reading, "May 2026" be given a day
        "PARSERS": ["absolute-time"],
        "STRICT_PARSING": True,
        **({"DATE_ORDER": order} if order else {}),
    }
    # left to itself it tries English first, and 06.11.2026 becomes the eleventh of June
    return DateDataParser(languages=list(languages), settings=settings, use_given_order=True)
