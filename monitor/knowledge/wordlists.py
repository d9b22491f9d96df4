"""Lists of words by language or country that stand beside the rules: what flickers, names that are nobody's own, signs
by which a page addresses a country, and words by which languages are told.

Read when first asked for, and looked at only as far as reading needs it: `check` says what else is wrong.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import cast

from monitor.kept import code_of, kept
from monitor.knowledge import shapes, yaml_rows
from monitor.knowledge.shapes import expand
from monitor.knowledge.yaml_rows import KnowledgeError, read_yaml

HERE = Path(__file__).parent
BANNERS, DATES, COUNTERS, NAMES = (
    "passing/banners.yaml",
    "passing/dates.yaml",
    "passing/counters.yaml",
    "generic_names.yaml",
)
COUNTRIES, POSTCODES, SIGNS, DELIVERY = (
    "places/countries.yaml",
    "places/postcodes.yaml",
    "places/signs.yaml",
    "places/delivery.yaml",
)
SCRIPTS, LATIN = "languages/scripts.yaml", "languages/latin.yaml"
LISTS: dict[str, tuple[str, ...]] = {
    BANNERS: ("asks", "buttons", "elsewhere"),
    DATES: (
        "month", "month_beside_year", "ordinal", "of", "unit", "one", "ago_after", "ago_before", "ends", "year_sign",
        "month_sign", "day_sign",
    ),
    COUNTERS: (
        "counted", "people", "visitors", "helping", "lately", "looking", "looked", "looked_last", "looked_by", "by",
        "left", "cart",
    ),
    NAMES: ("exosome", "cell", "thing", "form", "part", "little", "unit"),
    COUNTRIES: ("member_state", "name", "city", "district"),
    POSTCODES: ("state_code", "state", "area"),
    SIGNS: ("currency", "currency_sign", "bare_dollar", "general_ending", "home", "shared_by"),
    DELIVERY: (
        "delivers", "delivers_loosely", "to", "free", "free_in", "sending", "excluding", "premises", "premises_in",
    ),
    SCRIPTS: ("together", "letter", "word"),
    LATIN: ("word", "product", "own_letter", "beside_exosomen"),
}  # fmt: skip
"""File below the knowledge folder → its lists; it has these and no others."""
GAP = re.compile(r" *<(\d{1,2})> *")
"""`<24>`: up to 24 characters, whatever they are."""
Terms = Mapping[str, str]
"""Language, or country, → words, written as in the lexicon."""


@cache
def in_use(file: str) -> Mapping[str, Terms]:
    """The lists of a file of the knowledge in use. Raises KnowledgeError."""
    try:
        digest = hashlib.sha256((HERE / file).read_bytes()).hexdigest()
    except FileNotFoundError:
        return read(HERE, file)  # which says what to do
    kind = f"words_{Path(file).stem}"
    found = kept(kind, (file, digest, _reading()), lambda: [json.dumps(read(HERE, file)).encode()])
    return read(HERE, file) if found is None else cast("Mapping[str, Terms]", json.loads(bytes(found)))


@cache
def _reading() -> str:
    """What else than a file decides what is read of it."""
    return code_of(__file__, shapes.__file__, yaml_rows.__file__)


def read(folder: Path, file: str) -> Mapping[str, Terms]:
    """The lists of a file below a folder. Raises KnowledgeError where one cannot be used as it is written."""
    raw, path = read_yaml(folder / file), folder / file
    rows = raw.get("words") if isinstance(raw, dict) else None
    if not isinstance(rows, dict):
        raise KnowledgeError(f"{path}: expected `words`, with a list of words by language under each name")
    found = {}
    for name in LISTS[file]:
        terms = rows[name].get("terms") if isinstance(rows.get(name), dict) else None
        if not isinstance(terms, dict) or not all(isinstance(one, str) for pair in terms.items() for one in pair):
            raise KnowledgeError(f"{path}: words.{name}: expected `terms`, with words by language; put them back")
        if flaw := next((one for one in map(written_wrong, terms.values()) if one), ""):
            raise KnowledgeError(f"{path}: words.{name}: {flaw}; correct it")
        found[name] = terms
    return found


def written_wrong(terms: str) -> str:
    """What is wrong with the gaps and braces of some terms; empty if nothing is."""
    if terms.count("{") != terms.count("}"):
        return "a brace is opened and not closed, or the other way round"
    for words in expand(terms):
        pieces = GAP.split(words)[::2]
        if not all(pieces) or any(sign in piece for piece in pieces for sign in "<>"):
            return f"{words!r}: a gap is written <24>, and has words on both sides"
    return ""


def spelt(terms: Terms, langs: Collection[str] | None = None, but: Collection[str] = ()) -> list[str]:
    """Every spelling once, without case, the longest first. `langs`: of these languages alone; `but`: not of these."""
    found = (
        words.casefold()
        for lang, written in terms.items()
        if lang not in but and (langs is None or lang in langs)
        for words in expand(written)
    )
    return sorted(dict.fromkeys(found), key=len, reverse=True)


def words_of(terms: Terms, key: str) -> tuple[str, ...]:
    """Every spelling under a key, as it is written; none where there is no such key."""
    return tuple(expand(terms.get(key, "")))


def written(terms: Terms) -> Iterable[str]:
    """Every spelling under every key, as it is written."""
    return (words for key in terms for words in words_of(terms, key))


def by_words(terms: Terms) -> dict[str, str]:
    """Spelling → its key."""
    return {words: key for key in terms for words in words_of(terms, key)}


def any_of(spellings: Iterable[str]) -> str:
    """A regular expression for one of some spellings, the longest that fits; for nothing at all if there are none."""
    longest_first = sorted(dict.fromkeys(spellings), key=len, reverse=True)
    return "|".join(map(re.escape, longest_first)) or "(?!)"


def pattern(words: str) -> str:
    """A spelling as a regular expression: its gaps, and any ending where it ends with a star."""
    pieces = GAP.split(words.removesuffix("*"))
    ending = r"\w*" if words.endswith("*") else ""
    return "".join(f".{{0,{one}}}" if number % 2 else re.escape(one) for number, one in enumerate(pieces)) + ending
