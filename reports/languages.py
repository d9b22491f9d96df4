"""The languages in which reports speak: phrases, plural forms, dates and numbers.

English is written in the templates and is the key of each phrase; `locale/<code>/messages.po` holds the others and is
read as it stands, so that a translator's edit needs no build step. What was read from elsewhere is never translated.
"""

from __future__ import annotations

import gettext as standard
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

LANGUAGES = ("en", "de", "fr")
"""The first is the one in which phrases are written."""
_TERRITORIES = {"uk": "GB"}
"""Our codes that are not ISO 3166's."""


def phrase(text: str) -> str:
    """Marks a text that is looked up later, so that it is found for the catalogues."""
    return text


class Speech:
    """One language. `gettext` and `ngettext` fill `%(name)s`; whole numbers are written as the language writes them."""

    def __init__(self, code: str, catalogue: Catalog | None) -> None:
        self.code = code
        self.locale = Locale(code)
        self._catalogue = catalogue
        self._form = standard.c2py(catalogue.plural_expr) if catalogue else _english_form

    def gettext(self, text: str, /, **values: Any) -> str:
        return self.fill(self.translated(text), values)

    def ngettext(self, one: str, many: str, number: int, /, **values: Any) -> str:
        """`%(num)s` is the number, unless `values` say otherwise."""
        return self.fill(self.plural(one, many, number), {"num": number, **values})

    def translated(self, text: str) -> str:
        """The phrase, not filled in; in English where the catalogue lacks it."""
        message = self._catalogue.get(text) if self._catalogue and text else None
        return str(message.string) if message and isinstance(message.string, str) and message.string else text

    def plural(self, one: str, many: str, number: int) -> str:
        """The form that the number takes, not filled in."""
        message = self._catalogue.get(one) if self._catalogue else None
        forms = message.string if message and isinstance(message.string, tuple) else ()
        if all(forms) and len(forms) > (form := self._form(number)):
            return str(forms[form])
        return many if _english_form(number) else one

    def fill(self, text: str, values: Mapping[str, Any]) -> str:
        return text % {name: self.value(value) for name, value in values.items()}

    def value(self, value: Any) -> Any:
        """Whole numbers as the language writes them; a number that is a name is given as text."""
        return self.number(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def number(self, value: int) -> str:
        return str(format_decimal(value, locale=self.locale))

    def percent(self, share: float) -> str:
        """`61 %`: with the space that standards of typography ask for, in every language."""
        return f"{round(share * 100)} %"

    def day(self, value: date | datetime | None) -> str:
        """`17 Nov 2026`, `17. Nov. 2026`; a missing date says so."""
        if not value:
            return self.gettext("not given")
        form = "d. MMM y" if self.code == "de" else "d MMM y"
        return str(format_date(value.date() if isinstance(value, datetime) else value, form, locale=self.locale))

    def moment(self, value: datetime | None) -> str:
        """`17 Nov 2026, 04:12 UTC`; a missing moment says "never"."""
        if not value:
            return self.gettext("never")
        utc = value.astimezone(UTC) if value.tzinfo else value
        return f"{self.day(utc)}, {utc:%H:%M} UTC"

    def place(self, code: str) -> str:
        """A jurisdiction's name in this language; empty where it has none."""
        return str(self.locale.territories.get(_TERRITORIES.get(code, code.upper()), ""))

    def language(self, code: str) -> str:
        """A language's name in this language; empty where it has none."""
        return str(self.locale.languages.get(code, ""))


def _english_form(number: int) -> int:
    return int(number != 1)


@lru_cache(maxsize=len(LANGUAGES))
def speech(code: str = "en") -> Speech:
    """The language of a code. Raises ValueError naming those that there are."""
    if code not in LANGUAGES:
        raise ValueError(f"no language {code!r}; write one of {', '.join(LANGUAGES)}")
    if code == LANGUAGES[0]:
        return Speech(code, None)
    with files("reports").joinpath(f"locale/{code}/messages.po").open("rb") as file:
        return Speech(code, read_po(file, locale=code))
