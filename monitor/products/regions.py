"""Countries by their names in many languages (ISO 3166-1 and its translations in pycountry)."""

from __future__ import annotations

import gettext
from collections.abc import Iterator
from functools import lru_cache

import pycountry

from monitor.knowledge.products import CountriesFile
from monitor.knowledge.shapes import expand

WORLDWIDE = "worldwide"
"""Value of a country fact that names no country."""
_HOUSE = {"gb": "uk"}
_LEAST = 3
"""Characters of a translated name: shorter ones are words of other languages."""


def house_code(code: str) -> str:
    """Lower case, and `uk` for the United Kingdom."""
    return _HOUSE.get(code.lower(), code.lower())


@lru_cache(maxsize=512)
def country_code(said: str) -> str:
    """Of a code or an English name, as structured data has it; empty if it is none."""
    words = said.strip()
    if words.upper() in ("EU", "UK"):
        return words.lower()
    if words.casefold() in ("worldwide", "world", "global", "all countries"):
        return WORLDWIDE
    try:
        return house_code(pycountry.countries.lookup(words).alpha_2) if 2 <= len(words) <= 60 else ""
    except LookupError:
        return ""


def names(file: CountriesFile) -> Iterator[tuple[str, str]]:
    """(name, code) of every country, in English and in the translations that the file names."""
    for code, written in file.names.items():
        for name in expand(written):
            yield name, code
    translations = [
        gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[lang])
        for lang in file.languages
        if gettext.find("iso3166-1", pycountry.LOCALES_DIR, languages=[lang])
    ]
    for country in pycountry.countries:
        code = house_code(country.alpha_2)
        for name in dict.fromkeys(_english(country)):
            yield name, code
            for translation in translations:
                if len(told := translation.gettext(name)) >= _LEAST or not told.isascii():
                    yield told, code


def _english(country: object) -> Iterator[str]:
    for attribute in ("name", "common_name"):
        if (name := getattr(country, attribute, None)) and len(name) >= _LEAST:
            yield name.partition(",")[0]
